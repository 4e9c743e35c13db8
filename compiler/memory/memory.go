// Package memory lays the results of a program out in one arena, so that results which are not alive at the
// same time share bytes.
package memory

import (
	"cmp"
	"slices"
)

// Buffer is one result: its size in bytes, and the first and last step at which it must hold its value.
type Buffer struct {
	Bytes       int64
	First, Last int
}

// Align is the alignment of every offset: a cache line, and enough for any vector load.
const Align = 64

// Plan gives every buffer an offset and returns the bytes that the arena needs. It places the largest buffer
// first, each into the smallest gap that it fits in (greedy by size, Pisarchyk and Lee 2020), which is
// deterministic and, for the long chains that decoders are, mostly at the live-range bound.
//
// Where it is not, it tries again. First with the buffers of one size in another order, the one that is needed
// longest before the others: where a residual and its norm are alive together, as behind a fused add and norm,
// the first way leaves gaps apart that the next larger buffer needs in one piece. Then, a few times, with the
// buffer that ended up on top of the arena before all others. The first of the smallest arenas wins.
func Plan(buffers []Buffer) (offsets []int64, arena int64) {
	bound := LowerBound(buffers)
	bySize := func(a, b int) int { return cmp.Compare(buffers[b].Bytes, buffers[a].Bytes) }
	lastFirst := func(a, b int) int { return cmp.Or(bySize(a, b), cmp.Compare(buffers[b].Last, buffers[a].Last)) }

	order := make([]int, len(buffers))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, bySize)
	offsets, arena = place(buffers, order)
	if arena == bound {
		return offsets, arena
	}
	slices.SortStableFunc(order, lastFirst)
	for range promotions {
		o, a := place(buffers, order)
		if a < arena {
			offsets, arena = o, a
		}
		if arena == bound {
			break
		}
		top := slices.IndexFunc(order, func(i int) bool { return o[i]+aligned(buffers[i].Bytes) == a })
		first := order[top]
		order = slices.Insert(slices.Delete(order, top, top+1), 0, first)
	}
	return offsets, arena
}

// promotions bounds the orders that are tried; each costs a few milliseconds for a model of a hundred layers.
const promotions = 8

// place gives the buffers offsets, one after the other in that order.
func place(buffers []Buffer, order []int) (offsets []int64, arena int64) {
	offsets = make([]int64, len(buffers))
	var placed []int // in the order of their offsets
	for _, i := range order {
		size := aligned(buffers[i].Bytes)
		at := bestGap(buffers, offsets, placed, i, size)
		offsets[i] = at
		arena = max(arena, at+size)
		pos, _ := slices.BinarySearchFunc(placed, at, func(p int, at int64) int { return cmp.Compare(offsets[p], at) })
		placed = slices.Insert(placed, pos, i)
	}
	return offsets, arena
}

// bestGap finds the smallest gap of at least size bytes between the placed buffers that are alive together
// with buffer i, or the end of the last of them.
func bestGap(buffers []Buffer, offsets []int64, placed []int, i int, size int64) int64 {
	best, bestSize := int64(-1), int64(0)
	end := int64(0)
	for _, p := range placed {
		if !overlap(buffers[p], buffers[i]) {
			continue
		}
		if gap := offsets[p] - end; gap >= size && (best < 0 || gap < bestSize) {
			best, bestSize = end, gap
		}
		end = max(end, offsets[p]+aligned(buffers[p].Bytes))
	}
	if best >= 0 {
		return best
	}
	return end
}

func overlap(a, b Buffer) bool { return a.First <= b.Last && b.First <= a.Last }

func aligned(n int64) int64 { return (n + Align - 1) / Align * Align }

// LowerBound is the most bytes that are alive at one step: no layout can do with less.
func LowerBound(buffers []Buffer) int64 {
	steps := 0
	for _, b := range buffers {
		steps = max(steps, b.Last+1)
	}
	change := make([]int64, steps+1)
	for _, b := range buffers {
		change[b.First] += aligned(b.Bytes)
		change[b.Last+1] -= aligned(b.Bytes)
	}
	live, most := int64(0), int64(0)
	for _, c := range change {
		live += c
		most = max(most, live)
	}
	return most
}
