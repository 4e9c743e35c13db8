package verify

import (
	"fmt"
	"math/rand/v2"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/verify/machine"
	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
)

// steps are what every entry executes, one after the other on the same caches: a chunk of three prompts, one of
// which goes on where another request left its keys; a step in which one sequence decodes, one goes on with its
// prompt and one rests; and a step in which all decode. Rows of padding follow each time.
var steps = []machine.Batch{
	{Lengths: []int{5, 3, 2}, From: []int{0, 0, 7}, Padding: 2, Rows: []int32{4, 7, 9}},
	{Lengths: []int{1, 4, 0}, From: []int{5, 3, 9}, Padding: 1, Rows: []int32{4, 0, 2}},
	{Lengths: []int{1, 1, 1}, From: []int{6, 7, 9}, Padding: 1, Rows: []int32{0, 1, 2}},
}

// result is one value that a run leaves: a result of a step, or what a cache holds at the end.
type result struct {
	what string
	step int // number of the step; 0 for caches
	// rows says which rows the data has: 'T' all that belong to sequences, 'R' the wanted ones, 0 neither.
	rows byte
	cols int
	data []float32
}

// execution is all that a run leaves.
type execution struct {
	results []result
	chosen  *machine.Choices
	excess  float64
}

// execute runs every entry of a module. Where an entry was compiled several times, for steps of different sizes, the
// run takes the number variant of it, or the last one that there is.
func execute(m *ir.Module, in *inputs, store *machine.Store, variant int, o machine.Options) (*execution, error) {
	x, err := machine.New(m, store, o)
	if err != nil {
		return nil, err
	}
	out := &execution{chosen: x.Chosen}
	for _, graphs := range entries(m) {
		g := graphs[min(variant, len(graphs)-1)]
		for i, b := range steps {
			tensors, err := x.Run(g, in.of(store, g, i))
			if err != nil {
				return nil, fmt.Errorf("entry %s, step %d: %w", g.Name, i+1, err)
			}
			for j, t := range tensors {
				r := newResult(fmt.Sprintf("entry %s, step %d, result %d", g.Name, i+1, j+1), g.Outputs[j], t, b)
				r.step = i
				out.results = append(out.results, r)
			}
		}
	}
	caches, err := x.Caches()
	if err != nil {
		return nil, err
	}
	for _, c := range caches {
		out.results = append(out.results, result{what: "keys of " + c.Name, data: c.Keys}, result{what: "values of " + c.Name, data: c.Values})
	}
	out.excess = x.Excess()
	return out, nil
}

// entries are the graphs of a module by entry, in order.
func entries(m *ir.Module) [][]*ir.Graph {
	var all [][]*ir.Graph
	at := map[string]int{}
	for _, g := range m.Graphs {
		i, ok := at[g.Name]
		if !ok {
			i = len(all)
			at[g.Name], all = i, append(all, nil)
		}
		all[i] = append(all[i], g)
	}
	return all
}

// variants is the largest number of graphs of an entry.
func variants(m *ir.Module) int {
	n := 0
	for _, graphs := range entries(m) {
		n = max(n, len(graphs))
	}
	return n
}

// newResult leaves rows of padding out: nothing is promised of them.
func newResult(what string, v *ir.Value, t kernels.Tensor, b machine.Batch) result {
	r := result{what: what, cols: 1, data: t.F32}
	if t.I32 != nil {
		r.data = make([]float32, len(t.I32))
		for i, n := range t.I32 {
			r.data[i] = float32(n)
		}
	}
	shape := v.Type.Shape
	if len(shape) == 0 || len(t.Shape) == 0 || t.Shape[0] == 0 {
		return r
	}
	r.cols = t.Elems() / t.Shape[0]
	switch shape[0] {
	case ir.Symbolic(ir.T):
		r.rows, r.data = 'T', r.data[:b.Tokens()*r.cols]
	case ir.Symbolic(ir.R):
		r.rows = 'R'
	}
	return r
}

// like gives the part of a result that another one has, where that is of the wanted rows only.
func (r result) like(other result, b machine.Batch) []float32 {
	if r.rows != 'T' || other.rows != 'R' {
		return r.data
	}
	var out []float32
	for _, row := range b.Rows {
		out = append(out, r.data[int(row)*r.cols:][:r.cols]...)
	}
	return out
}

// inputs are what the entries of a module take.
type inputs struct {
	vocab int
	seed  uint64
}

func inputsOf(m *ir.Module, seed uint64) *inputs {
	in := &inputs{vocab: 1 << 16, seed: seed}
	for _, g := range m.Graphs {
		for _, n := range g.Nodes {
			if n.Op.Name == "embed" {
				in.vocab = min(in.vocab, n.Arg("w").Weight.Shape[0])
			}
		}
	}
	return in
}

// of gives the inputs of an entry at a step: those of the runtime, and random values for what else it takes.
func (in *inputs) of(store *machine.Store, g *ir.Graph, step int) map[string]kernels.Tensor {
	given := steps[step].Inputs(in.vocab, in.seed)
	sizes := machine.SizesOf(given)
	for _, v := range g.Inputs {
		if _, ok := given[v.Input]; ok {
			continue
		}
		shape := v.Type.Shape.Eval(sizes)
		name := fmt.Sprintf("input %s of %s, step %d", v.Input, g.Name, step)
		n := 1
		for _, d := range shape {
			n *= d
		}
		if v.Type.DType == dtype.I32 {
			given[v.Input] = kernels.FromI32(small(name, n, in.seed), shape...)
			continue
		}
		given[v.Input] = kernels.FromF32(store.Normal(name, n, 0, 1), shape...)
	}
	return given
}

// small gives n zeros and ones: indices that are within whatever they index.
func small(name string, n int, seed uint64) []int32 {
	rng := rand.New(rand.NewPCG(uint64(len(name)), seed))
	out := make([]int32, n)
	for i := range out {
		out[i] = rng.Int32N(2)
	}
	return out
}
