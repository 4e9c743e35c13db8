package engine

import (
	"slices"

	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/runtime/exec"
	"github.com/glmc/glmc/runtime/kv"
)

// inputs are the inputs of a step as they come together, in memory that the next step uses again: a token more costs no
// allocation, and a sequence that stands where it stood in the step before gets the pages that are new.
type inputs struct {
	step exec.Inputs
	// By name, what the step's tensors point to.
	tokens, pos, slots, parents, starts, pages, rows []int32
	width                                            int // pages in the table of each sequence
	tables                                           []table
}

// table says what stands in a row of pages: those of a sequence when it had that many, and as many had been replaced.
type table struct {
	kv              *kv.Sequence
	replaced, pages int
}

// begin forgets the last step. Page tables have at least so many pages for each sequence.
func (in *inputs) begin(width int) {
	for _, list := range []*[]int32{&in.tokens, &in.pos, &in.slots, &in.parents, &in.starts, &in.rows} {
		*list = (*list)[:0]
	}
	in.starts = append(in.starts, 0)
	const step = 64 // pages: a wider table is written anew
	if width = (width + step - 1) / step * step; width != in.width {
		in.width = width
		clear(in.tables)
	}
}

// add puts tokens into the step that stand in a sequence from position pos on, and drafts behind them: a path, or with parents a tree. The
// logits of the last rows of them all are wanted.
func (in *inputs) add(seq *kv.Sequence, pos, rows int, tokens, drafts, parents []int32) {
	in.tokens = append(append(in.tokens, tokens...), drafts...)
	for i := range len(tokens) + len(drafts) {
		in.pos = append(in.pos, int32(pos+i))
		in.slots = append(in.slots, seq.Slot(pos+i))
		in.parents = append(in.parents, kernels.NoParent)
	}
	in.branch(parents)
	n := len(in.tokens)
	for i := range rows {
		in.rows = append(in.rows, int32(n-rows+i))
	}
	in.table(len(in.starts)-1, seq)
	in.starts = append(in.starts, int32(n))
}

// branch gives the last rows of the step their places in a tree. The first branch needs no parents: it lies where its positions are.
func (in *inputs) branch(parents []int32) {
	first := len(in.tokens) - len(parents)
	beside := false
	for i, parent := range parents {
		row := first + int(parent) // -1: that of the last token
		in.pos[first+i] = in.pos[row] + 1
		if beside = beside || int(parent) != i-1; beside {
			in.parents[first+i] = int32(row)
		}
	}
}

// table writes a row of the page tables. It ends in pages 0, which nothing reads.
func (in *inputs) table(row int, seq *kv.Sequence) {
	if row == len(in.tables) {
		in.tables = append(in.tables, table{})
	}
	if end := (row + 1) * in.width; end > len(in.pages) {
		in.pages = slices.Grow(in.pages[:len(in.pages)], end-len(in.pages))[:end]
	}
	t, pages := &in.tables[row], seq.Pages()
	to := in.pages[row*in.width : (row+1)*in.width]
	if t.kv != seq || t.replaced != seq.Replaced() {
		clear(to[copy(to, pages):])
	} else {
		copy(to[t.pages:], pages[t.pages:])
	}
	*t = table{seq, seq.Replaced(), len(pages)}
}

// end gives the step's inputs, which are valid until the next begin.
func (in *inputs) end() exec.Inputs {
	if in.step == nil {
		in.step = exec.Inputs{}
	}
	seqs := len(in.starts) - 1
	in.set("tokens", in.tokens, len(in.tokens))
	in.set("pos", in.pos, len(in.pos))
	in.set("slots", in.slots, len(in.slots))
	in.set(parentsInput, in.parents, len(in.parents))
	in.set("seq_start", in.starts, len(in.starts))
	in.set("pages", in.pages[:seqs*in.width], seqs, in.width)
	in.set("rows", in.rows, len(in.rows))
	return in.step
}

// floats gives the step an input of rows of numbers.
func (in *inputs) floats(name string, values []float32, shape ...int) {
	t := in.step[name]
	in.step[name] = kernels.FromF32(values, append(t.Shape[:0], shape...)...)
}

func (in *inputs) set(name string, values []int32, shape ...int) {
	t := in.step[name]
	t = kernels.FromI32(values, append(t.Shape[:0], shape...)...)
	in.step[name] = t
}
