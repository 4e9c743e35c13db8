// Package machine executes the graphs of a module on the reference kernels, one goroutine a rank, node by node,
// each result in memory of its own. It is what the compiler's transformations are checked with, and knows
// nothing of plans, layouts or devices: all values but fp8 codes are float32, whatever dtype a graph says activations have.
//
// Weights are random numbers that depend on the stored tensors' names alone, and so does what the KV caches hold
// before the first step; modules that a pass rewrote read the same ones.
package machine

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/kernels/ref"
)

// Options say how a machine differs from a plain one.
type Options struct {
	// Heads gives the whole number of heads of each cache by name, as it was before any split over ranks. With it
	// the caches begin with random keys and values instead of zeros, the same for every split.
	Heads map[string]int
	// FullPrecision leaves every rounding out that a dtype asks for: weights are what is stored, and rows are not
	// quantised before products.
	FullPrecision bool
	// Replay makes routers choose what was chosen in that recording, so that a rounding cannot decide between two
	// experts with nearly the same score; Excess says by how much that went against the scores.
	Replay *Choices
	// Noise says by how much, relative to each value, an operand of a node of a graph is disturbed at random; nil where
	// none is. The same NoiseSeed gives the same disturbance, on every rank.
	Noise     func(g *ir.Graph, n *ir.Node, operand int) float64
	NoiseSeed uint64
	// Extent says where in an arena the result of a node lies; nil where each has memory of its own. A result that is
	// written then destroys what else lies there, and whoever reads that later reads NaN, or an index that is none.
	Extent func(v *ir.Value) (Extent, bool)
	// Trace is called for every node that a rank executed, with its operands and results, one call at a time and of
	// each rank in the order of the nodes; nil for nobody.
	Trace func(rank int, n *ir.Node, c *kernels.Call)
}

// Extent is a part of an arena, in bytes.
type Extent struct{ Offset, Bytes int64 }

// Machine is a module with its weights and caches on every rank.
type Machine struct {
	Module  *ir.Module
	Chosen  *Choices // what the routers of rank 0 chose
	options Options
	ranks   []*machineRank
	steps   int
	tracing sync.Mutex
}

type machineRank struct {
	*Machine
	rank    int
	weights map[*ir.Weight]kernels.Tensor
	caches  map[*ir.Cache]*kernels.Cache
	comm    *comm
	seen    map[string]int // how often a router of that name was executed in this step
	excess  float64
}

// Size of the paged KV cache.
const (
	PageSize = 4
	Pages    = 16
)

// New loads a module. Tensors come from the store, which machines that are to be compared share.
func New(m *ir.Module, store *Store, o Options) (*Machine, error) {
	x := &Machine{Module: m, Chosen: &Choices{ids: map[string][]int32{}}, options: o}
	shared := newMeeting(m.Ranks)
	for rank := range m.Ranks {
		r := &machineRank{Machine: x, rank: rank, weights: map[*ir.Weight]kernels.Tensor{}, caches: map[*ir.Cache]*kernels.Cache{}}
		if m.Ranks > 1 {
			r.comm = &comm{shared, rank}
		}
		for _, w := range m.Weights {
			as := w.DType
			if o.FullPrecision {
				as = dtype.F32
			}
			shape, data, err := store.evaluate(w.Recipe, rank, as)
			if err != nil {
				return nil, fmt.Errorf("weight %s: %w", w.Name, err)
			}
			r.weights[w] = kernels.FromF32(data, shape...)
		}
		for _, c := range m.Caches {
			cache, err := x.newCache(c, store, rank)
			if err != nil {
				return nil, err
			}
			r.caches[c] = cache
		}
		x.ranks = append(x.ranks, r)
	}
	return x, nil
}

// Run executes a graph of the module on all ranks and returns rank 0's results. Ranks that end up with other bits
// are an error: whatever the passes did, every rank returns the whole result.
func (x *Machine) Run(g *ir.Graph, in map[string]kernels.Tensor) ([]kernels.Tensor, error) {
	results, errs := make([][]kernels.Tensor, len(x.ranks)), make([]error, len(x.ranks))
	var wg sync.WaitGroup
	for i, r := range x.ranks {
		wg.Go(func() {
			if results[i], errs[i] = r.run(g, in); errs[i] != nil && r.comm != nil {
				r.comm.leave()
			}
		})
	}
	wg.Wait()
	x.steps++
	if err := firstCause(errs); err != nil {
		return nil, err
	}
	for rank, out := range results {
		for i := range out {
			if !SameBits(results[0][i].F32, out[i].F32) {
				return nil, &RanksDifferError{Rank: rank, Result: i}
			}
		}
	}
	return results[0], nil
}

// RanksDifferError says that a result is not the same on all ranks.
type RanksDifferError struct{ Rank, Result int }

func (e *RanksDifferError) Error() string {
	return fmt.Sprintf("result %d on rank %d is not that of rank 0", e.Result, e.Rank)
}

// firstCause leaves out what ranks report because another one gave up.
func firstCause(errs []error) error {
	var gone error
	for _, err := range errs {
		if err != nil && !errors.Is(err, errGone) {
			return err
		}
		if err != nil {
			gone = err
		}
	}
	return gone
}

// Excess is by how much, relative to the largest score, a replayed choice was beaten by an expert that it leaves
// out; 0 where nothing was replayed or every replayed choice is the one that the scores make.
func (x *Machine) Excess() float64 {
	most := 0.0
	for _, r := range x.ranks {
		most = max(most, r.excess)
	}
	return most
}

func (r *machineRank) run(g *ir.Graph, in map[string]kernels.Tensor) ([]kernels.Tensor, error) {
	r.seen = map[string]int{}
	values := map[*ir.Value]kernels.Tensor{}
	sizes := SizesOf(in)
	for _, v := range g.Inputs {
		t, ok := in[v.Input]
		if !ok {
			return nil, fmt.Errorf("entry %s wants an input %q", g.Name, v.Input)
		}
		values[v] = t
	}
	for _, n := range g.Nodes {
		if err := r.step(g, n, values, sizes); err != nil {
			return nil, fmt.Errorf("%s at %s: %w", n.Op.Name, n.Origin.Source, err)
		}
		if r.options.Extent != nil && !n.Op.View {
			r.overwrite(n, values)
		}
	}
	out := make([]kernels.Tensor, len(g.Outputs))
	for i, v := range g.Outputs {
		out[i] = values[v]
	}
	return out, nil
}

// SizesOf are the sizes of a step with these inputs.
func SizesOf(in map[string]kernels.Tensor) ir.Sizes {
	return ir.Sizes{Tokens: len(in["tokens"].I32), Seqs: in["pages"].Shape[0], Pages: in["pages"].Shape[1], Rows: len(in["rows"].I32)}
}

func (r *machineRank) step(g *ir.Graph, n *ir.Node, values map[*ir.Value]kernels.Tensor, sizes ir.Sizes) error {
	c := r.call(n, values, sizes)
	if r.options.Noise != nil {
		r.disturb(g, n, c)
	}
	if n.Op.View {
		copy(c.Out[0].F32, c.In[0].F32)
		return nil
	}
	attrs := kernels.Attrs{}
	for _, a := range n.Attrs {
		if a.Key == "act" && r.options.FullPrecision {
			continue
		}
		attrs[a.Key] = a.Plain()
	}
	build := ref.Kernels()[n.Op.Name]
	if u := unrounded(n.Op.Name); u != nil && r.options.FullPrecision {
		build = u
	}
	if build == nil {
		return errors.New("there is no reference kernel for it")
	}
	f, err := build(attrs)
	if err != nil {
		return err
	}
	if routes(n) {
		err = r.route(g, n, f, c)
	} else {
		err = f(c)
	}
	if err == nil && r.options.Trace != nil {
		r.tracing.Lock()
		r.options.Trace(r.rank, n, c)
		r.tracing.Unlock()
	}
	return err
}

// call lays out the operands and results of a node.
func (r *machineRank) call(n *ir.Node, values map[*ir.Value]kernels.Tensor, sizes ir.Sizes) *kernels.Call {
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
		if t := v.Type.DType; t == dtype.I32 || t == dtype.F8E4M3 && !r.options.FullPrecision {
			d = t
		}
		c.Out = append(c.Out, kernels.New(d, v.Type.Shape.Eval(sizes)...))
		values[v] = c.Out[len(c.Out)-1]
	}
	return c
}

// disturb puts noise onto the operands of a node that are not states.
func (r *machineRank) disturb(g *ir.Graph, n *ir.Node, c *kernels.Call) {
	at := 0
	for i, v := range n.In {
		if n.Op.Operands[i].Kind == ir.StateOperand {
			continue
		}
		if by := r.options.Noise(g, n, i); by > 0 && v != nil && c.In[at].F32 != nil {
			rng := rand.New(rand.NewPCG(r.options.NoiseSeed, uint64(n.ID)<<8|uint64(i)))
			x := slices.Clone(c.In[at].F32)
			for j := range x {
				x[j] *= float32(1 + by*(2*rng.Float64()-1))
			}
			c.In[at].F32 = x
		}
		at++
	}
}
