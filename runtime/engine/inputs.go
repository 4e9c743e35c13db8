package engine

import (
	"slices"

	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/runtime/exec"
	"github.com/glmc/glmc/runtime/kv"
)

// inputs are the inputs of a step as they come together, in memory that the next step uses again: a token more costs no
// allocation.
type inputs struct {
	step exec.Inputs
	// By name, what the step's tensors point to.
	tokens, pos, slots, starts, pages, rows []int32
	width                                   int // pages in the table of each sequence
}

// begin forgets the last step. Page tables have so many pages for each sequence.
func (in *inputs) begin(width int) {
	for _, list := range []*[]int32{&in.tokens, &in.pos, &in.slots, &in.starts, &in.pages, &in.rows} {
		*list = (*list)[:0]
	}
	in.starts = append(in.starts, 0)
	in.width = width
}

// add puts tokens into the step that stand in a sequence from position pos on. The logits of the last rows of them are
// wanted.
func (in *inputs) add(seq *kv.Sequence, pos, rows int, tokens ...int32) {
	in.tokens = append(in.tokens, tokens...)
	for i := range tokens {
		in.pos = append(in.pos, int32(pos+i))
		in.slots = append(in.slots, seq.Slot(pos+i))
	}
	n := len(in.tokens)
	in.starts = append(in.starts, int32(n))
	for i := range rows {
		in.rows = append(in.rows, int32(n-rows+i))
	}
	table := len(in.pages) // a shorter one ends in page 0, which nothing reads
	in.pages = slices.Grow(in.pages, in.width)[:table+in.width]
	clear(in.pages[table+copy(in.pages[table:], seq.Pages()):])
}

// end gives the step's inputs, which are valid until the next begin.
func (in *inputs) end() exec.Inputs {
	if in.step == nil {
		in.step = exec.Inputs{}
	}
	in.set("tokens", in.tokens, len(in.tokens))
	in.set("pos", in.pos, len(in.pos))
	in.set("slots", in.slots, len(in.slots))
	in.set("seq_start", in.starts, len(in.starts))
	in.set("pages", in.pages, len(in.starts)-1, in.width)
	in.set("rows", in.rows, len(in.rows))
	return in.step
}

func (in *inputs) set(name string, values []int32, shape ...int) {
	t := in.step[name]
	t = kernels.FromI32(values, append(t.Shape[:0], shape...)...)
	in.step[name] = t
}
