package topology

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mpolInterleave is MPOL_INTERLEAVE of <linux/mempolicy.h>.
const mpolInterleave = 3

// Interleave has pages of memory come from all of the machine's memory nodes in turn, so that threads of all of them read it
// together with the rate of all, wherever they run. The memory has to begin with a page, to be mapped by the caller, outside
// of Go's heap, and not to be written to yet. On a machine with one node it does nothing. An error means that pages come
// from wherever they come, as without.
func Interleave(memory []byte) error {
	nodes := memoryNodes(os.DirFS("/"))
	if len(nodes) < 2 || len(memory) == 0 {
		return nil
	}
	return interleave(memory, nodes)
}

func interleave(memory []byte, nodes []int) error {
	const bits = 8 * int(unsafe.Sizeof(uintptr(0)))
	mask := make([]uintptr, nodes[len(nodes)-1]/bits+1)
	for _, n := range nodes {
		mask[n/bits] |= 1 << (n % bits)
	}
	// The kernel takes one bit less than it is told of.
	_, _, errno := unix.Syscall6(unix.SYS_MBIND, uintptr(unsafe.Pointer(&memory[0])), uintptr(len(memory)), mpolInterleave,
		uintptr(unsafe.Pointer(&mask[0])), uintptr(len(mask)*bits+1), 0)
	if errno != 0 {
		return fmt.Errorf("spreading memory over the nodes %v: %w", nodes, errno)
	}
	return nil
}
