//go:build unix

package safetensors

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// release gives back the pages that lie completely in a part of a mapped file.
func release(b []byte) {
	size := os.Getpagesize()
	skip := -int(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) & (size - 1)
	n := (len(b) - skip) &^ (size - 1)
	if n > 0 {
		_ = unix.Madvise(b[skip:skip+n], unix.MADV_DONTNEED) // advice: nothing depends on it
	}
}
