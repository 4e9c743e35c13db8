//go:build !unix

package filemap

import (
	"io"
	"os"
)

// Map reads the first size bytes of a file into memory, on systems without a memory map. release has nothing to do.
func Map(f *os.File, size int) (content []byte, release func() error, err error) {
	content = make([]byte, size)
	if _, err := io.ReadFull(io.NewSectionReader(f, 0, int64(size)), content); err != nil {
		return nil, nil, err
	}
	return content, func() error { return nil }, nil
}
