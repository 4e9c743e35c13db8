// Package hugepages gives memory that lies outside of the garbage collector's heap, in huge pages where the system has them.
// It is for what is made once and read for as long as a process lives, and is large: weights and KV caches.
//
// Huge pages matter: a core that reads weights from memory as fast as it can spends a fifth to a third of the time on
// page tables of 4 KiB pages. Go's heap gets them late and by chance, and holds twice what it was asked for while it
// grows.
package hugepages

import (
	"fmt"
	"unsafe"
)

// Alignment is that of every allocation, in bytes: a cache line, and a register of AVX-512.
const Alignment = 64

// hugePage is the size of a huge page of the processors that have them, and the alignment of a region.
const hugePage = 2 << 20

// Region is a piece of memory that allocations are cut from. It gives nothing back before it is closed. The zero of
// *Region, nil, allocates in Go's heap.
type Region struct {
	memory  []byte // aligned to a huge page
	used    int
	release func() error
}

// NotEnough is the error of New where a machine has not enough memory.
type NotEnough struct{ Wanted, Free int64 } // bytes

func (e *NotEnough) Error() string {
	return fmt.Sprintf("%s of memory are wanted, this machine has %s to give", gibibytes(e.Wanted), gibibytes(e.Free))
}

func gibibytes(n int64) string { return fmt.Sprintf("%.2f GiB", float64(n)/(1<<30)) }

// New reserves that many bytes. Pages take memory when they are first written to. The error is a NotEnough where the
// machine, or the control group of this process, could not hold them all: asking for them one by one would end the
// process in the middle.
func New(size int64) (*Region, error) {
	if free := Free(); size > free {
		return nil, &NotEnough{size, free}
	}
	if size == 0 {
		return &Region{}, nil
	}
	if int64(int(size+hugePage)) != size+hugePage {
		return nil, fmt.Errorf("%s are more than this process can address", gibibytes(size))
	}
	memory, release, err := reserve(int(size))
	if err != nil {
		return nil, fmt.Errorf("reserving %s of memory: %w", gibibytes(size), err)
	}
	return &Region{memory: memory, release: release}, nil
}

// Room is what n bytes take in a region.
func Room(n int64) int64 { return (n + Alignment - 1) &^ (Alignment - 1) }

// Make cuts a slice of n zeros from the region. It panics where New was told of fewer bytes: callers know what they need.
func Make[T byte | uint16 | float32](r *Region, n int) []T {
	if r == nil {
		return make([]T, n)
	}
	var zero T
	bytes := n * int(unsafe.Sizeof(zero))
	if bytes == 0 {
		return []T{}
	}
	room := int(Room(int64(bytes)))
	if room > len(r.memory)-r.used {
		panic(fmt.Sprintf("hugepages: %d bytes are wanted of %d that are left", room, len(r.memory)-r.used))
	}
	at := r.used
	r.used += room
	return unsafe.Slice((*T)(unsafe.Pointer(&r.memory[at])), n)
}

// Reset takes everything back that was cut.
func (r *Region) Reset() {
	clear(r.memory[:r.used])
	r.used = 0
}

// Used is how many bytes were cut.
func (r *Region) Used() int64 { return int64(r.used) }

// Close gives the memory back to the system. Slices that were cut from it must not be used any more: touching one ends
// the process. Closing twice is allowed.
func (r *Region) Close() error {
	if r == nil || r.release == nil {
		return nil
	}
	release := r.release
	r.memory, r.used, r.release = nil, 0, nil
	return release()
}
