package topology

import (
	"errors"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The policy of memory is that of the call. One node is enough to ask for it; a kernel without memory nodes, or a sandbox,
// does not know the call.
func TestInterleave(t *testing.T) {
	memory, err := unix.Mmap(-1, 0, 1<<20, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(memory)
	if err := Interleave(memory); err != nil {
		t.Errorf("on this machine: %v", err)
	}
	err = interleave(memory, Read().Nodes[:1])
	if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EPERM) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	const flagAddress = 2 // MPOL_F_ADDR
	policy := int32(-1)
	_, _, errno := unix.Syscall6(unix.SYS_GET_MEMPOLICY, uintptr(unsafe.Pointer(&policy)), 0, 0, uintptr(unsafe.Pointer(&memory[0])), flagAddress, 0)
	if errno != 0 || policy != mpolInterleave {
		t.Errorf("the policy is %d, %v", policy, errno)
	}
	if err := interleave(memory, []int{maxNumber - 1}); err == nil {
		t.Error("a node that is not there is no error")
	}
}
