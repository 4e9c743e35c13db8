package passes

import (
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/kernels/ref"
)

// machine executes the graphs of a module on the reference kernels, one goroutine a rank, node by node, each
// result in memory of its own. Weights are random numbers that depend on the stored tensors' names alone, so
// that modules which a pass rewrote read the same ones.
type machine struct {
	module *ir.Module
	ranks  []*machineRank
	// trace is called for every node that rank 0 executed.
	trace func(n *ir.Node, c *kernels.Call)
}

type machineRank struct {
	weights map[*ir.Weight]kernels.Tensor
	caches  map[*ir.Cache]*kernels.Cache
	comm    *comm
}

const (
	pageSize = 4
	pages    = 8
)

func newMachine(m *ir.Module) *machine {
	x := &machine{module: m}
	shared := &meeting{size: m.Ranks, parts: make([][]float32, m.Ranks)}
	shared.changed.L = &shared.mu
	for rank := range m.Ranks {
		r := &machineRank{weights: map[*ir.Weight]kernels.Tensor{}, caches: map[*ir.Cache]*kernels.Cache{}}
		if m.Ranks > 1 {
			r.comm = &comm{shared, rank}
		}
		for _, w := range m.Weights {
			shape, data := evaluate(w.Recipe, rank, w.DType == dtype.F8E4M3)
			r.weights[w] = kernels.FromF32(data, shape...)
		}
		for _, c := range m.Caches {
			r.caches[c] = kernels.NewCache(dtype.F32, pageSize, pages, c.Heads, c.HeadDim, c.ValueSize())
		}
		x.ranks = append(x.ranks, r)
	}
	return x
}

// run executes an entry on all ranks and returns rank 0's results. Ranks that end up with other bits are an
// error: whatever the passes did, every rank returns the whole result.
func (x *machine) run(entry string, in map[string]kernels.Tensor) ([]kernels.Tensor, error) {
	g := x.module.Graph(entry)
	results, errs := make([][]kernels.Tensor, len(x.ranks)), make([]error, len(x.ranks))
	var wg sync.WaitGroup
	for i, r := range x.ranks {
		trace := x.trace
		if i > 0 {
			trace = nil
		}
		wg.Go(func() {
			if results[i], errs[i] = r.run(g, in, trace); errs[i] != nil && r.comm != nil {
				r.comm.leave()
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	for rank, out := range results {
		for i := range out {
			if !sameBits(results[0][i].F32, out[i].F32) {
				return nil, fmt.Errorf("result %d on rank %d is not that of rank 0", i, rank)
			}
		}
	}
	return results[0], nil
}

func (r *machineRank) run(g *ir.Graph, in map[string]kernels.Tensor, trace func(*ir.Node, *kernels.Call)) ([]kernels.Tensor, error) {
	values := map[*ir.Value]kernels.Tensor{}
	sizes := ir.Sizes{Tokens: len(in["tokens"].I32), Seqs: in["pages"].Shape[0], Pages: in["pages"].Shape[1], Rows: len(in["rows"].I32)}
	for _, v := range g.Inputs {
		values[v] = in[v.Input]
	}
	for _, n := range g.Nodes {
		if err := r.step(n, values, sizes, trace); err != nil {
			return nil, fmt.Errorf("%s: %w", n, err)
		}
	}
	out := make([]kernels.Tensor, len(g.Outputs))
	for i, v := range g.Outputs {
		out[i] = values[v]
	}
	return out, nil
}

func (r *machineRank) step(n *ir.Node, values map[*ir.Value]kernels.Tensor, sizes ir.Sizes, trace func(*ir.Node, *kernels.Call)) error {
	c := &kernels.Call{}
	if r.comm != nil {
		c.Comm = r.comm
	}
	for i, v := range n.In {
		switch {
		case n.Op.Operands[i].Kind == ir.StateOperand:
			c.Cache = r.caches[v.RootCache()]
		case v == nil:
			c.In = append(c.In, kernels.Tensor{})
		case v.Weight != nil:
			c.In = append(c.In, r.weights[v.Weight])
		default:
			c.In = append(c.In, values[v])
		}
	}
	for _, v := range n.Out {
		if v.Type.State {
			continue
		}
		d := dtype.F32
		if v.Type.DType == dtype.I32 {
			d = dtype.I32
		}
		c.Out = append(c.Out, kernels.New(d, v.Type.Shape.Eval(sizes)...))
		values[v] = c.Out[len(c.Out)-1]
	}
	if n.Op.View {
		copy(c.Out[0].F32, c.In[0].F32)
		return nil
	}
	attrs := kernels.Attrs{}
	for _, a := range n.Attrs {
		attrs[a.Key] = a.Value
	}
	f, err := ref.Kernels()[n.Op.Name](attrs)
	if err == nil {
		err = f(c)
	}
	if err == nil && trace != nil {
		trace(n, c)
	}
	return err
}

// evaluate makes a recipe's tensor for one rank. With fp8, each row of a stored tensor, which is one output
// channel, takes the values that it has after quantisation.
func evaluate(r *ir.Recipe, rank int, fp8 bool) ([]int, []float32) {
	var shapes [][]int
	var parts [][]float32
	for _, a := range r.Args {
		s, d := evaluate(a, rank, fp8)
		shapes, parts = append(shapes, s), append(parts, d)
	}
	out, err := r.OutShape()
	if err != nil {
		panic(err)
	}
	switch r.Kind {
	case ir.RecipeTensor:
		return out, stored(r.Name, out, fp8)
	case ir.RecipeEach:
		var all []float32
		for e := range r.Count {
			all = append(all, stored(strings.ReplaceAll(r.Name, "{e}", strconv.Itoa(e)), r.Shape, fp8)...)
		}
		return out, all
	case ir.RecipeStack:
		return out, joined(out, 0, unsqueezed(shapes), parts)
	case ir.RecipeConcat:
		return out, joined(out, r.Dim, shapes, parts)
	case ir.RecipeSlice:
		return out, cut(shapes[0], parts[0], r.Dim, r.Start, r.Size)
	case ir.RecipeShard:
		size := shapes[0][r.Dim] / r.Parts
		return out, cut(shapes[0], parts[0], r.Dim, rank/r.Group*size, size)
	case ir.RecipeLead:
		if rank > 0 {
			clear(parts[0])
		}
		return out, parts[0]
	}
	panic("unknown recipe " + r.String())
}

// stored is a random tensor: projections keep the size of what goes through them, norms scale by about one.
func stored(name string, shape []int, fp8 bool) []float32 {
	h := fnv.New64a()
	h.Write([]byte(name))
	rng := rand.New(rand.NewPCG(h.Sum64(), 1))
	n := 1
	for _, d := range shape {
		n *= d
	}
	scale, mean := 1/math.Sqrt(float64(shape[len(shape)-1])), 0.0
	if len(shape) == 1 {
		scale = 0.2
		if strings.Contains(name, "norm") {
			mean = 1
		}
	}
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(mean + scale*rng.NormFloat64())
	}
	for at := 0; fp8 && at < n; at += shape[len(shape)-1] {
		row := out[at:][:shape[len(shape)-1]]
		by := dtype.QuantizeF8E4M3(row, row)
		for i := range row {
			row[i] *= by
		}
	}
	return out
}

func unsqueezed(shapes [][]int) [][]int {
	out := make([][]int, len(shapes))
	for i, s := range shapes {
		out[i] = append([]int{1}, s...)
	}
	return out
}

// around is the number of elements before and behind a dimension.
func around(shape []int, dim int) (outer, inner int) {
	outer, inner = 1, 1
	for i, d := range shape {
		if i < dim {
			outer *= d
		} else if i > dim {
			inner *= d
		}
	}
	return outer, inner
}

func joined(out []int, dim int, shapes [][]int, parts [][]float32) []float32 {
	outer, inner := around(out, dim)
	var all []float32
	for o := range outer {
		for i, p := range parts {
			run := shapes[i][dim] * inner
			all = append(all, p[o*run:(o+1)*run]...)
		}
	}
	return all
}

func cut(shape []int, data []float32, dim, start, size int) []float32 {
	outer, inner := around(shape, dim)
	var all []float32
	for o := range outer {
		at := (o*shape[dim] + start) * inner
		all = append(all, data[at:at+size*inner]...)
	}
	return all
}

// meeting is where ranks exchange values: all bring theirs, and then all take.
type meeting struct {
	mu      sync.Mutex
	changed sync.Cond
	size    int
	here    int
	round   int
	gone    bool
	parts   [][]float32 // of this round, as far as ranks have come
	last    [][]float32 // of the last round: nobody overwrites it before all ranks have come again
}

// comm is one rank's end of a meeting.
type comm struct {
	*meeting
	rank int
}

func (c *comm) Rank() int { return c.rank }
func (c *comm) Size() int { return c.size }

var errGone = errors.New("another rank gave up")

// leave says that this rank will come to no more meetings.
func (c *comm) leave() {
	c.mu.Lock()
	c.gone = true
	c.mu.Unlock()
	c.changed.Broadcast()
}

// exchange brings a copy of x and returns every rank's.
func (c *comm) exchange(x []float32) ([][]float32, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.parts[c.rank] = append([]float32(nil), x...)
	round := c.round
	if c.here++; c.here == c.size {
		c.here, c.round = 0, c.round+1
		c.last = append([][]float32(nil), c.parts...)
		c.changed.Broadcast()
	}
	for c.round == round && !c.gone {
		c.changed.Wait()
	}
	if c.gone {
		return nil, errGone
	}
	return c.last, nil
}

func (c *comm) AllReduce(x []float32) error {
	parts, err := c.exchange(x)
	if err != nil {
		return err
	}
	copy(x, parts[0])
	for _, p := range parts[1:] {
		for i, v := range p {
			x[i] += v
		}
	}
	return nil
}

func (c *comm) AllGather(dst, src []float32, rows, cols int) error {
	parts, err := c.exchange(src)
	if err != nil {
		return err
	}
	for r := range rows {
		for i, p := range parts {
			copy(dst[(r*c.size+i)*cols:], p[r*cols:(r+1)*cols])
		}
	}
	return nil
}

// sameBits reports whether two results are the same, NaN and -0 included.
func sameBits(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) })
}

// difference is the largest difference between two results, relative to the largest value.
func difference(want, got []float32) float64 {
	if len(want) != len(got) {
		return math.Inf(1)
	}
	most, off := 0.0, 0.0
	for i, w := range want {
		d := math.Abs(float64(w) - float64(got[i]))
		if math.IsNaN(d) {
			return math.Inf(1)
		}
		most, off = max(most, math.Abs(float64(w))), max(off, d)
	}
	if off == 0 {
		return 0
	}
	return off / most
}
