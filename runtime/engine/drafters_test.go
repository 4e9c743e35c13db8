package engine_test

import (
	"math/rand/v2"
	"slices"
	"sync/atomic"

	"github.com/glmc/glmc/runtime/draft"
)

// kindOfDrafter is how good guesses are.
type kindOfDrafter int

const (
	oracle   kindOfDrafter = iota // what will be said
	nearly                        // that, with a token wrong
	random                        // any tokens
	absurd                        // ids that there are not, and the same token again and again
	silent                        // nothing
	grove                         // what will be said, among other branches of a tree
	thicket                       // any tree, with parents that there are not
	whatever                      // for each guess another of these
)

// drafter guesses for a test. It knows the truth, where somebody tells it.
type drafter struct {
	kind  kindOfDrafter
	vocab int
	rand  *rand.Rand
	truth func(prompt, output []int32) []int32 // what follows; nil: unknown
	open  atomic.Int64
}

func newDrafter(kind kindOfDrafter, vocab int, seed uint64) *drafter {
	return &drafter{kind: kind, vocab: vocab, rand: rand.New(rand.NewPCG(seed, 7))}
}

func (d *drafter) Start(prompt []int32) draft.Sequence {
	d.open.Add(1)
	return &guesses{drafter: d, prompt: prompt}
}

func (d *drafter) Close() error { return nil }

type guesses struct {
	drafter        *drafter
	prompt, output []int32
}

func (g *guesses) Append(tokens ...int32) { g.output = append(g.output, tokens...) }

func (g *guesses) End(bool) { g.drafter.open.Add(-1) }

func (g *guesses) Draft(limit int, into *draft.Draft) {
	into.Reset()
	d := g.drafter
	kind := d.kind
	if kind == whatever {
		kind = kindOfDrafter(d.rand.IntN(int(whatever)))
	}
	if kind == grove || kind == thicket {
		g.grow(kind, limit, into)
		return
	}
	for i, id := range g.guess(kind, min(limit, 1+d.rand.IntN(8))) {
		into.Tokens = append(into.Tokens, id)
		into.Parents = append(into.Parents, int32(i)-1)
		into.Probs = append(into.Probs, d.rand.Float32())
	}
}

// grow makes a tree of up to limit tokens, in which the truth may stand in any branch.
func (g *guesses) grow(kind kindOfDrafter, limit int, into *draft.Draft) {
	d := g.drafter
	var right []int32
	if d.truth != nil {
		right = d.truth(g.prompt, g.output)
	}
	last := int32(-1) // of the right branch
	for i := range int32(d.rand.IntN(limit + 1)) {
		id, parent := d.rand.Int32N(int32(d.vocab)), d.rand.Int32N(i+1)-1
		switch {
		case len(right) > 0 && d.rand.IntN(2) == 0:
			id, parent, right, last = right[0], last, right[1:], i
		case kind == thicket && d.rand.IntN(8) == 0:
			parent = []int32{i, i + 1, -2, 1 << 30, -1 << 31}[d.rand.IntN(5)]
		case i > 0 && d.rand.IntN(4) == 0: // the same again
			j := d.rand.Int32N(i)
			id, parent = into.Tokens[j], into.Parents[j]
		}
		into.Tokens, into.Parents, into.Probs = append(into.Tokens, id), append(into.Parents, parent), append(into.Probs, d.rand.Float32())
	}
	if kind == thicket && d.rand.IntN(8) == 0 {
		into.Parents = into.Parents[:len(into.Parents)/2]
	}
}

func (g *guesses) guess(kind kindOfDrafter, n int) []int32 {
	d := g.drafter
	var out []int32
	switch kind {
	case oracle, nearly:
		if d.truth != nil {
			out = slices.Clone(d.truth(g.prompt, g.output))
			out = out[:min(n, len(out))]
		}
		if kind == nearly && len(out) > 0 {
			out[d.rand.IntN(len(out))] ^= 1
		}
	case random:
		for range n {
			out = append(out, d.rand.Int32N(int32(d.vocab)))
		}
	case absurd:
		last := g.prompt[len(g.prompt)-1]
		if len(g.output) > 0 {
			last = g.output[len(g.output)-1]
		}
		out = slices.Repeat([]int32{last}, n)
		if d.rand.IntN(2) == 0 {
			out[d.rand.IntN(n)] = []int32{-1, int32(d.vocab), 1 << 30, -1 << 31}[d.rand.IntN(4)]
		}
	}
	return out
}
