package exec

import (
	"fmt"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
)

// program is one entry bound to one rank: every step has its kernel, and its operands point into the arena,
// the weights, the caches or the inputs of the step.
type program struct {
	plan  *plan.Program
	ir    *ir.Graph
	steps []step
	// views says where every value lies at present.
	views map[*ir.Value]*kernels.Tensor
	// renamed are results without storage of their own whose elements are an input's.
	renamed []*ir.Node
	// inputs are the operands that change from step to step while the sizes stay: inputs and renamed ones.
	inputs []operand
	out    []kernels.Tensor // the entry's results in the last step

	// What the results point to at present.
	layout *plan.Layout
	sizes  ir.Sizes
	arena  *arena
	grown  int // how often the arena had grown by then
	// unit is the number of arena bytes that become one 32-bit word here: the smallest element of any
	// result that is held in 32 bits; fp8 codes keep their byte. Scaling all offsets alike keeps results apart that
	// the plan keeps apart.
	unit int64
}

// arena is where the results of an entry lie on one rank. The entry's variants share it: they run one after the other,
// and what a step returns is valid until the entry's next step, whichever variant that runs. Entries do not share
// one: forward's hidden state is an input of draft.
type arena struct {
	words  []float32
	grown  int
	memory float64 // bytes that it may take
}

// grow makes room for a layout of that many words. What lies in the arena stays where it is, with who still has it.
func (a *arena) grow(words int64, l *plan.Layout) error {
	if int64(len(a.words)) >= words {
		return nil
	}
	if err := checkArena(words, l, a.memory); err != nil {
		return err
	}
	a.words = make([]float32, words)
	a.grown++
	return nil
}

// step is one launch.
type step struct {
	node *ir.Node
	run  kernels.Func
	call kernels.Call
	in   []*ir.Value // operands that are tensors, in the order of call.In
	out  []*ir.Value
}

// operand is where a call takes a value from.
type operand struct {
	view *kernels.Tensor
	call *kernels.Tensor
}

func bind(p *plan.Program, set kernels.Set, comm kernels.Comm, weights map[*ir.Weight]kernels.Tensor, caches map[*ir.Cache]*kernels.Cache) (*program, error) {
	b := &program{plan: p, ir: p.Graph, views: map[*ir.Value]*kernels.Tensor{}, unit: 4}
	changing := map[*ir.Value]bool{}
	for _, v := range p.Graph.Inputs {
		b.views[v], changing[v] = &kernels.Tensor{}, true
	}
	for _, n := range p.Graph.Nodes {
		for _, v := range n.In {
			if v != nil && v.Weight != nil {
				w, ok := weights[v.Weight]
				if !ok {
					return nil, fmt.Errorf("%s: weight %s was not loaded", n.Op.Name, v.Weight.Name)
				}
				b.views[v] = &w
			}
		}
		for _, v := range n.Out {
			if !v.Type.State {
				if err := checkSizes(v); err != nil {
					return nil, fmt.Errorf("%s (%s): %w", n.Op.Name, n.Origin.Source, err)
				}
				if v.Type.DType != dtype.F8E4M3 {
					b.unit = min(b.unit, int64(v.Type.DType.Size()))
				}
				b.views[v] = &kernels.Tensor{}
			}
		}
		if n.Op.View {
			if changing[n.In[0]] {
				b.renamed, changing[n.Out[0]] = append(b.renamed, n), true
			}
			continue
		}
		s, err := bindStep(n, set, comm, caches)
		if err != nil {
			return nil, fmt.Errorf("%s (%s): %w", n.Op.Name, n.Origin.Source, err)
		}
		b.steps = append(b.steps, s)
		for i, v := range s.in {
			if changing[v] {
				b.inputs = append(b.inputs, operand{b.views[v], &s.call.In[i]})
			}
		}
	}
	return b, nil
}

// checkSizes refuses results that layouts have no room for: page tables may be of any length.
func checkSizes(v *ir.Value) error {
	for _, d := range v.Type.Shape {
		if d.Sym == ir.P {
			return fmt.Errorf("its result %%%d is %s: a layout does not bound the number of pages", v.ID, v.Type)
		}
	}
	return nil
}

func bindStep(n *ir.Node, set kernels.Set, comm kernels.Comm, caches map[*ir.Cache]*kernels.Cache) (step, error) {
	build := set[n.Op.Name]
	if build == nil {
		return step{}, fmt.Errorf("the device has no kernel for it")
	}
	attrs := kernels.Attrs{}
	for _, a := range n.Attrs {
		attrs[a.Key] = a.Plain()
	}
	run, err := build(attrs)
	if err != nil {
		return step{}, err
	}
	s := step{node: n, run: run, call: kernels.Call{Comm: comm}}
	for i, v := range n.In {
		if n.Op.Operands[i].Kind == ir.StateOperand {
			s.call.Cache = caches[v.RootCache()]
			continue
		}
		s.in = append(s.in, v)
	}
	for _, v := range n.Out {
		if !v.Type.State {
			s.out = append(s.out, v)
		}
	}
	s.call.In = make([]kernels.Tensor, len(s.in))
	s.call.Out = make([]kernels.Tensor, len(s.out))
	return s, nil
}

// results are the entry's results where they lie at present.
func (b *program) results() []kernels.Tensor {
	b.out = kernels.Resize(b.out, len(b.ir.Outputs))
	for i, v := range b.ir.Outputs {
		b.out[i] = *b.views[v]
	}
	return b.out
}

// sendTo has transfer points hand what they send to a function.
func (b *program) sendTo(send func(c *ir.Cache, kept *kernels.Cache, slots []int32) error) {
	for i := range b.steps {
		if s := &b.steps[i]; s.node.Op.Name == "kv.send" {
			cache := s.node.Arg("cache").RootCache()
			s.call.Send = func(kept *kernels.Cache, slots []int32) error { return send(cache, kept, slots) }
		}
	}
}

// set points a step's operands to its inputs, and everything else to where it lies for the step's sizes.
func (b *program) set(in Inputs, l *plan.Layout, sizes ir.Sizes) error {
	for _, v := range b.ir.Inputs {
		*b.views[v] = in[v.Input]
	}
	if b.layout != l || b.sizes != sizes || b.grown != b.arena.grown {
		return b.place(l, sizes)
	}
	for _, n := range b.renamed {
		b.rename(n, b.views[n.Out[0]].Shape)
	}
	for _, o := range b.inputs {
		*o.call = *o.view
	}
	return nil
}

// place points every result into the arena of a layout, for steps of the given sizes.
func (b *program) place(l *plan.Layout, sizes ir.Sizes) error {
	if err := b.arena.grow((l.Arena+b.unit-1)/b.unit, l); err != nil {
		return err
	}
	b.layout, b.sizes, b.grown = l, sizes, b.arena.grown
	for _, n := range b.ir.Nodes {
		for _, v := range n.Out {
			if v.Type.State {
				continue
			}
			// The view's shape is its own, never an input's; so steps of other sizes allocate nothing either.
			shape := v.Type.Shape.AppendEval(b.views[v].Shape[:0], sizes)
			if s, ok := b.plan.Storage(v); ok {
				*b.views[v] = b.result(v.Type.DType, shape, l.Offsets[s])
			} else {
				b.rename(n, shape)
			}
		}
	}
	for i := range b.steps {
		b.steps[i].connect(b.views)
	}
	return nil
}

// result is a tensor at that offset of the plan's arena. Floats are f32 here whatever the plan has, but for fp8 codes.
func (b *program) result(d dtype.DType, shape []int, offset int64) kernels.Tensor {
	t := kernels.Tensor{DType: dtype.F32, Shape: shape}
	from, n := int(offset/b.unit), t.Elems()
	switch d {
	case dtype.F8E4M3:
		t.DType, t.U8 = d, codes(b.arena.words[from:])[:n:n]
	case dtype.I32:
		t.DType, t.I32 = d, int32s(b.arena.words[from:from+n:from+n])
	default:
		t.F32 = b.arena.words[from : from+n : from+n]
	}
	return t
}

// rename gives a node's result its operand's elements in another shape.
func (b *program) rename(n *ir.Node, shape []int) {
	view := b.views[n.Out[0]]
	*view = *b.views[n.In[0]]
	view.Shape = shape
}

// connect copies the views into the call.
func (s *step) connect(views map[*ir.Value]*kernels.Tensor) {
	for i, v := range s.in {
		if v != nil {
			s.call.In[i] = *views[v]
		}
	}
	for i, v := range s.out {
		s.call.Out[i] = *views[v]
	}
}
