package hugepages

import (
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/glmc/glmc/runtime/topology"
)

// reserve maps anonymous memory that begins with a huge page. Without MAP_NORESERVE a machine that does not overcommit
// would count all of it at once, also what is never touched.
func reserve(size int) (memory []byte, release func() error, err error) {
	all, err := unix.Mmap(-1, 0, size+hugePage, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
	if err != nil {
		return nil, nil, err
	}
	skip := -int(uintptr(unsafe.Pointer(&all[0]))) & (hugePage - 1)
	memory = all[skip : skip+size : skip+size]
	// Kernels without huge pages refuse. Their pages do as well, only slower.
	_ = unix.Madvise(all[skip:], unix.MADV_HUGEPAGE)
	// Where this fails pages come from the nodes of the threads that write them first, which is slower likewise.
	_ = topology.Interleave(memory)
	return memory, func() error { return unix.Munmap(all) }, nil
}
