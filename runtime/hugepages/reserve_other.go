//go:build !linux

package hugepages

import "unsafe"

// reserve takes the memory from Go's heap: where there is no way to ask for huge pages there is nothing to win.
func reserve(size int) (memory []byte, release func() error, err error) {
	all := make([]byte, size+Alignment)
	skip := -int(uintptr(unsafe.Pointer(&all[0]))) & (Alignment - 1)
	return all[skip : skip+size : skip+size], func() error { return nil }, nil
}
