//go:build unix

package safetensors

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mapFile maps a file read-only. Pages are read when they are first touched and shared with every other
// process that maps the same file.
func mapFile(f *os.File, size int) (content []byte, release func() error, err error) {
	content, err = unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, nil, err
	}
	return content, func() error { return unix.Munmap(content) }, nil
}

// release gives back the pages that lie completely in a part of a mapped file.
func release(b []byte) {
	size := os.Getpagesize()
	skip := -int(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) & (size - 1)
	n := (len(b) - skip) &^ (size - 1)
	if n > 0 {
		_ = unix.Madvise(b[skip:skip+n], unix.MADV_DONTNEED) // advice: nothing depends on it
	}
}
