package calibrate

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// hugePage is the size of a huge page.
const hugePage = 2 << 20

// reserve takes memory in huge pages from the system, or any memory where that gives none.
func reserve(size int) (memory []byte, free func()) {
	all, err := unix.Mmap(-1, 0, size+hugePage, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return make([]byte, size), func() {}
	}
	skip := -int(uintptr(unsafe.Pointer(&all[0]))) & (hugePage - 1)
	_ = unix.Madvise(all[skip:], unix.MADV_HUGEPAGE) // kernels without huge pages refuse: it is slower then
	return all[skip : skip+size], func() { _ = unix.Munmap(all) }
}
