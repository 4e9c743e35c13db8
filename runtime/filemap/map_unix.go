//go:build unix

package filemap

import (
	"os"

	"golang.org/x/sys/unix"
)

// Map maps the first size bytes of a file, read-only. Pages are read when they are first touched and shared with every other
// process that maps the same file. release ends the map; the content must not be touched afterwards.
func Map(f *os.File, size int) (content []byte, release func() error, err error) {
	content, err = unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, nil, err
	}
	return content, func() error { return unix.Munmap(content) }, nil
}
