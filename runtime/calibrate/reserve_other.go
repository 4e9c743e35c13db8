//go:build !linux

package calibrate

// reserve takes memory from Go's heap.
func reserve(size int) (memory []byte, free func()) { return make([]byte, size), func() {} }
