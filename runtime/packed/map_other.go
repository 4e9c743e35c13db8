//go:build !unix

package packed

import (
	"io"
	"os"
)

// mapFile reads a file into memory on systems without a memory map.
func mapFile(f *os.File, size int) (content []byte, release func() error, err error) {
	content = make([]byte, size)
	if _, err := io.ReadFull(io.NewSectionReader(f, 0, int64(size)), content); err != nil {
		return nil, nil, err
	}
	return content, func() error { return nil }, nil
}
