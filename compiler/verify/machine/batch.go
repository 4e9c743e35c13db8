package machine

import (
	"math/rand/v2"

	"github.com/glmc/glmc/kernels"
)

// Batch is one step: sequence i brings Lengths[i] tokens, the first at position From[i], and Padding rows follow
// that belong to none. Rows are the rows whose logits are wanted.
type Batch struct {
	Lengths, From []int
	Padding       int
	Rows          []int32
}

// Tokens is the number of rows that belong to sequences.
func (b Batch) Tokens() int {
	n := 0
	for _, l := range b.Lengths {
		n += l
	}
	return n
}

// Inputs are the runtime's inputs of the step. A sequence has the same pages in every batch with as many sequences
// and the same seed; neither they nor the pages of other sequences lie in order. Tokens are in [0, vocab).
func (b Batch) Inputs(vocab int, seed uint64) map[string]kernels.Tensor {
	perSeq := Pages / len(b.Lengths)
	order := rand.New(rand.NewPCG(seed, 2)).Perm(Pages)
	rng := rand.New(rand.NewPCG(seed, 3))
	table := make([]int32, perSeq*len(b.Lengths))
	for i := range table {
		table[i] = int32(order[i])
	}
	var tokens, pos, slots, parents []int32
	starts := []int32{0}
	for seq, n := range b.Lengths {
		for i := range n {
			p := b.From[seq] + i
			tokens, pos = append(tokens, int32(rng.IntN(vocab))), append(pos, int32(p))
			slots = append(slots, table[seq*perSeq+p/PageSize]*PageSize+int32(p%PageSize))
		}
		starts = append(starts, int32(len(tokens)))
	}
	for range b.Padding {
		tokens, pos, slots = append(tokens, int32(rng.IntN(vocab))), append(pos, 0), append(slots, kernels.PaddingSlot)
	}
	for range tokens {
		parents = append(parents, kernels.NoParent)
	}
	return map[string]kernels.Tensor{
		"tokens": kernels.FromI32(tokens, len(tokens)), "pos": kernels.FromI32(pos, len(pos)),
		"slots": kernels.FromI32(slots, len(slots)), "seq_start": kernels.FromI32(starts, len(starts)),
		"pages": kernels.FromI32(table, len(b.Lengths), perSeq), "rows": kernels.FromI32(b.Rows, len(b.Rows)),
		"parents": kernels.FromI32(parents, len(parents)),
	}
}
