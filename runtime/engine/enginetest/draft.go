package enginetest

import (
	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/runtime/exec"
)

// stateSize is the numbers of a state: a hash in parts that floats hold exactly.
const stateSize = 4

// drafts is the entry draft: what a model with a layer for multi-token prediction has. From the state behind a token, which is the hash of
// all up to it, and the next token, it makes the state behind that one, and says what the model would say there. Its cache holds
// for every position the state that it made.
type drafts struct {
	cache  []uint64
	states []float32
	logits []float32
	out    [2]kernels.Tensor
}

func newDrafts(o *Options) drafts {
	if !o.Draft {
		return drafts{}
	}
	return drafts{cache: make([]uint64, o.Pages*o.PageSize)}
}

func draftGraph(vocab int) *ir.Graph {
	g := ir.NewGraph("draft")
	g.Outputs = []*ir.Value{g.Input("logits", ir.TensorType(dtype.F32, ir.Symbolic(ir.R), ir.Fixed(vocab))), statesOf(g)}
	return g
}

func statesOf(g *ir.Graph) *ir.Value {
	return g.Input("states", ir.TensorType(dtype.F32, ir.Symbolic(ir.T), ir.Fixed(stateSize)))
}

func appendState(to []float32, hash uint64) []float32 {
	return append(to, float32(hash&0xffff), float32(hash>>16&0xffff), float32(hash>>32&0xffff), float32(hash>>48))
}

func stateAt(states []float32, i int) uint64 {
	s := states[i*stateSize:][:stateSize]
	return uint64(s[0]) | uint64(s[1])<<16 | uint64(s[2])<<32 | uint64(s[3])<<48
}

// draft is a step of the entry draft. The state that was made of the position before has to be the one that is given for this one, except
// where a page begins: a page from the prefix cache was made when another token followed it.
func (e *Executor) draft(in exec.Inputs) []kernels.Tensor {
	d := &e.drafts
	tokens, pos, starts, rows, hidden := in["tokens"].I32, in["pos"].I32, in["seq_start"].I32, in["rows"].I32, in["hidden"].F32
	most, _ := e.Max("draft")
	if len(tokens) > most.Tokens || len(starts)-1 > most.Seqs || len(rows) > most.Rows || len(tokens) == 0 || len(hidden) != len(tokens)*stateSize {
		e.failf("drafts of %d tokens, %d sequences, %d rows and %d numbers: there is room for %d, %d and %d",
			len(tokens), len(starts)-1, len(rows), len(hidden), most.Tokens, most.Seqs, most.Rows)
	}
	d.states, d.logits = d.states[:0], d.logits[:0]
	row := 0
	for s := range len(starts) - 1 {
		c := e.view(in, s)
		for i := int(starts[s]); i < int(starts[s+1]); i++ {
			state, at := stateAt(hidden, i), in["slots"].I32[i]
			if want := c.slot(pos[i]); at != want || at < 0 {
				e.failf("drafts of sequence %d: position %d goes to slot %d, its page table says %d", s, pos[i], at, want)
				continue
			}
			if pos[i]%int32(e.options.PageSize) != 0 && d.cache[c.slot(pos[i]-1)] != state {
				e.failf("drafts of sequence %d: the state before position %d is not that of what was drafted there", s, pos[i])
			}
			next := mix(state, tokens[i])
			d.cache[at] = next
			d.states = appendState(d.states, next)
			if row < len(rows) && int(rows[row]) == i {
				n := len(d.logits)
				d.logits = append(d.logits, make([]float32, e.options.Vocab)...)
				fill(d.logits[n:], next)
				row++
			}
		}
	}
	if row != len(rows) {
		e.failf("rows %v of drafts: want rising ones of %d tokens", rows, len(tokens))
	}
	d.out[0] = kernels.FromF32(d.logits, len(rows), e.options.Vocab)
	d.out[1] = kernels.FromF32(d.states, len(tokens), stateSize)
	return d.out[:]
}
