//go:build unix

package packed

import (
	"os"

	"golang.org/x/sys/unix"
)

// mapFile maps a file read-only.
func mapFile(f *os.File, size int) (content []byte, release func() error, err error) {
	content, err = unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, nil, err
	}
	wantHugePages(content)
	return content, func() error { return unix.Munmap(content) }, nil
}
