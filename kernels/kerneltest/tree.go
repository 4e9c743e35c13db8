package kerneltest

import (
	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
)

// Trees makes the rows of each sequence of a batch, behind some that stay a path, a tree: each follows one of those before it. Where the
// page table leads to all that stands before a row, it has a parent only sometimes.
func (r Rand) Trees(b *Batch) {
	b.Parents = kernels.New(dtype.I32, b.Pos.Shape...)
	for i := range b.Parents.I32 {
		b.Parents.I32[i] = kernels.NoParent
	}
	for s := range len(b.Starts.I32) - 1 {
		lo, hi := int(b.Starts.I32[s]), int(b.Starts.I32[s+1])
		if hi == lo {
			continue
		}
		for t := lo + 1 + r.IntN(hi-lo); t < hi; t++ {
			parent := lo + r.IntN(t-lo)
			if r.IntN(3) > 0 {
				parent = t - 1
			}
			b.Pos.I32[t] = b.Pos.I32[parent] + 1
			if parent < t-1 || b.Parents.I32[parent] != kernels.NoParent || r.IntN(2) == 0 {
				b.Parents.I32[t] = int32(parent)
			}
		}
	}
}

// Path is row t of a sequence of a batch with trees as it would be in a step of its own, behind a path: with a cache in which the keys
// and values of its ancestors lie at their positions.
func (b Batch) Path(seq, t int) Batch {
	perSeq, size := b.Pages.Last(), b.Cache.PageSize
	table := b.Pages.I32[seq*perSeq : (seq+1)*perSeq]
	slot := func(place int) int32 { return table[place/size]*int32(size) + int32(place%size) }
	var tail kernels.Tail
	tail.Of(t, int(b.Starts.I32[seq]), b.Pos.I32, b.Parents.I32)
	alone := Batch{Cache: Clone(b.Cache), Pos: kernels.FromI32(b.Pos.I32[t:t+1], 1), Starts: kernels.FromI32([]int32{0, 1}, 2), Pages: kernels.FromI32(table, 1, perSeq)}
	var from, to []int32
	for i, place := range tail.Places {
		from, to = append(from, slot(place)), append(to, slot(tail.First+i))
	}
	if err := alone.Cache.Move(from, to); err != nil {
		panic("kerneltest: " + err.Error())
	}
	return alone
}
