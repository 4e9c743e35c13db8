package exec

import (
	"context"
	"fmt"
	"testing"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/runtime/safetensors"
)

// attending is a module over the toy's weights with what the toy lacks: attention, routing and experts.
func attending(t testing.TB) *ir.Module {
	t.Helper()
	g := ir.NewGraph("attend")
	m := &ir.Module{Name: "attending", Ranks: 1, Graphs: []*ir.Graph{g}}
	b := &ir.Builder{Graph: g, Origin: ir.Origin{Source: "toy.glm:1:1", Path: "model", Layer: 0}}
	load := func(r *ir.Recipe) *ir.Value {
		shape, err := r.OutShape()
		if err != nil {
			t.Fatal(err)
		}
		m.Weights = append(m.Weights, &ir.Weight{Name: fmt.Sprint(len(m.Weights)), DType: dtype.F32, Shape: shape, Recipe: r})
		return g.Load(m.Weights[len(m.Weights)-1])
	}
	attr := func(key string, value any) ir.Attr { return ir.Attr{Key: key, Value: value} }
	heads := func(x *ir.Value, n int) *ir.Value {
		return b.One("reshape", []*ir.Value{x}, attr("shape", ir.Shape{ir.Symbolic(ir.T), ir.Fixed(n), ir.Fixed(4)}))
	}
	perToken := ir.TensorType(dtype.I32, ir.Symbolic(ir.T))
	tokens, pos, slots := g.Input("tokens", perToken), g.Input("pos", perToken), g.Input("slots", ir.SlotsInput)
	up, down, head := ir.Stored("up", toyInner, toyHidden), ir.Stored("down", toyHidden, toyInner), ir.Stored("head", toyVocab, toyHidden)

	x := b.One("embed", []*ir.Value{tokens, load(ir.Stored("embed", toyVocab, toyHidden))}, attr("dtype", "f32"))
	q := heads(b.One("linear", []*ir.Value{x, load(up), nil}), 3)
	kv := b.Emit("linear.split", []*ir.Value{x, load(ir.Slice(head, 0, 0, 7)), nil}, attr("sizes", ir.Shape{ir.Fixed(4), ir.Fixed(2), ir.Fixed(1)}))
	k := heads(kv[0], 1)
	m.Caches = []*ir.Cache{{Name: "model.layers.0.self_attn", Heads: 1, HeadDim: 4}}
	fused := b.Emit("attn.qknorm_rope_kv", []*ir.Value{q, k, k, load(ir.Stored("norm", 4)), nil, pos, slots, g.State(m.Caches[0])},
		attr("eps", 1e-5), attr("dims", int64(2)), attr("theta", 1e4))
	a := b.One("attn.paged", []*ir.Value{fused[0], pos, g.Input("seq_start", ir.SeqStartInput), g.Input("pages", ir.PagesInput), fused[1],
		g.Input("parents", ir.ParentsInput)}, attr("scale", 0.5))
	a = b.One("reshape", []*ir.Value{a}, attr("shape", ir.Shape{ir.Symbolic(ir.T), ir.Fixed(toyInner)}))
	x = b.One("add", []*ir.Value{x, b.One("linear", []*ir.Value{a, load(down), nil})})
	x = b.Emit("norm.add_rms", []*ir.Value{x, x, load(ir.Concat(0, ir.Stored("norm", 4), ir.Stored("norm", 4)))}, attr("eps", 1e-5))[1]

	scores := b.One("act.sigmoid", []*ir.Value{b.One("linear", []*ir.Value{x, load(ir.Slice(head, 0, 4, 4)), nil})})
	routing := b.Emit("moe.top_k", []*ir.Value{scores, nil}, attr("k", int64(2)), attr("groups", int64(2)), attr("keep", int64(1)))
	weights := b.One("div", []*ir.Value{routing[1], b.One("shift", []*ir.Value{b.One("reduce.sum", []*ir.Value{routing[1]})}, attr("by", 1e-20))})
	weights = b.One("scale", []*ir.Value{weights}, attr("by", 2.5))
	plain := b.Emit("moe.append_shared", []*ir.Value{routing[0], weights}, attr("first", int64(3)), attr("count", int64(1)))
	logits := b.One("linear", []*ir.Value{x, load(ir.Slice(head, 0, 4, 4)), nil})
	routing = b.Emit("moe.route", []*ir.Value{logits, load(ir.Stored("norm", 4))}, attr("score", "sigmoid"), attr("k", int64(2)), attr("groups", int64(2)), attr("keep", int64(1)),
		attr("normalise", int64(1)), attr("shift", 1e-20), attr("scale", 2.5), attr("first", int64(3)), attr("count", int64(1)))
	gates, downs := ir.Slice(up, 0, 0, 3), ir.Slice(down, 1, 0, 3)
	y := b.One("moe.experts", []*ir.Value{x, routing[0], routing[1], load(ir.Stack(gates, gates, gates, gates)), load(ir.Stack(gates, gates, gates, gates)),
		load(ir.Stack(downs, downs, downs, downs))}, attr("activation", "silu"))
	y = b.One("act.swiglu", []*ir.Value{y, b.One("moe.experts", []*ir.Value{x, plain[0], plain[1], load(ir.Stack(gates, gates, gates, gates)),
		load(ir.Stack(gates, gates, gates, gates)), load(ir.Stack(downs, downs, downs, downs))}, attr("activation", "silu"))})
	load8 := func(r *ir.Recipe) *ir.Value {
		v := load(r)
		v.Weight.DType, v.Type.DType = dtype.F8E4M3, dtype.F8E4M3
		return v
	}
	rows := b.Emit("norm.rms_quant", []*ir.Value{y, load(ir.Concat(0, ir.Stored("norm", 4), ir.Stored("norm", 4)))}, attr("eps", 1e-5), attr("plain", int64(1)))
	z := b.Emit("quant.rows", []*ir.Value{b.One("linear.w8a8", []*ir.Value{rows[1], rows[2], load8(up), nil}, attr("dtype", "f32"))})
	y = b.One("add", []*ir.Value{rows[0], b.One("linear.w8a8", []*ir.Value{z[0], z[1], load8(down), nil}, attr("dtype", "f32"))})
	y = b.One("add", []*ir.Value{y, b.One("moe.experts_w8a8", []*ir.Value{rows[1], rows[2], routing[0], routing[1], load8(ir.Stack(gates, gates, gates, gates)),
		load8(ir.Stack(gates, gates, gates, gates)), load8(ir.Stack(downs, downs, downs, downs))}, attr("activation", "silu"), attr("dtype", "f32"))})
	y = b.One("concat", []*ir.Value{x, b.One("mul", []*ir.Value{y, b.One("sub", []*ir.Value{y, x})})})
	if err := b.Err(); err != nil {
		t.Fatal(err)
	}
	g.Nodes, g.Outputs = b.Nodes, []*ir.Value{b.One("gather.rows", []*ir.Value{y, g.Input("rows", ir.RowsInput)})}
	g.Nodes = b.Nodes
	if err := m.Verify(); err != nil {
		t.Fatal(err)
	}
	return m
}

// editor changes a module by fuzzed bytes; at their end it reads zeros.
type editor struct {
	rest []byte
	m    *ir.Module
	g    *ir.Graph
}

func (e *editor) next(n int) int {
	if len(e.rest) == 0 {
		return 0
	}
	b := e.rest[0]
	e.rest = e.rest[1:]
	return int(b) % n
}

func (e *editor) dim() ir.Dim {
	return []ir.Dim{ir.Symbolic(ir.T), ir.Symbolic(ir.B), ir.Symbolic(ir.P), ir.Symbolic(ir.R), {Sym: ir.T, Mul: 2, Add: 1}, {Sym: ir.B, Mul: 1, Add: 1},
		ir.Fixed(1), ir.Fixed(2), ir.Fixed(4), ir.Fixed(8), ir.Fixed(12), ir.Fixed(1 << 20)}[e.next(12)]
}

// edit makes one change. It need not make sense.
func (e *editor) edit() {
	n := e.g.Nodes[e.next(len(e.g.Nodes))]
	formats := []dtype.DType{dtype.F32, dtype.BF16, dtype.F16, dtype.F8E4M3, dtype.I32}
	switch e.next(7) {
	case 0: // an attribute
		if len(n.Attrs) == 0 {
			return
		}
		a := &n.Attrs[e.next(len(n.Attrs))]
		switch a.Value.(type) {
		case int64:
			a.Value = []int64{-1, 0, 1, 2, 3, 4, 16, 1 << 20, 1 << 40}[e.next(9)]
		case float64:
			a.Value = []float64{-1, 0, 1e-30, 1, 1e30, 1e300}[e.next(6)]
		case string:
			a.Value = append([]string{"", "silu", "relu"}, "f32", "bf16", "fp8_e4m3", "i32")[e.next(7)]
		case ir.Shape:
			a.Value = ir.Shape{e.dim(), e.dim(), e.dim()}[:e.next(4)]
		}
	case 1: // an operand
		values := append([]*ir.Value{nil}, e.g.Inputs...)
		for _, other := range e.g.Nodes {
			values = append(append(values, other.In...), other.Out...)
		}
		n.In[e.next(len(n.In))] = values[e.next(len(values))]
	case 2: // an input's type
		v := e.g.Inputs[e.next(len(e.g.Inputs))]
		v.Type = ir.TensorType(formats[e.next(5)], []ir.Dim{e.dim(), e.dim(), e.dim()}[:e.next(4)]...)
	case 3: // a weight's dtype
		e.m.Weights[e.next(len(e.m.Weights))].DType = formats[e.next(5)]
	case 4: // a weight's recipe
		w := e.m.Weights[e.next(len(e.m.Weights))]
		r, dim := w.Recipe, e.next(3)
		w.Recipe = []*ir.Recipe{ir.Slice(r, dim, e.next(4), 1+e.next(8)), ir.Concat(dim, r, r), ir.Stack(r, r), ir.Lead(r),
			ir.Shard(r, dim, e.m.Ranks, 1), e.m.Weights[e.next(len(e.m.Weights))].Recipe}[e.next(6)]
		w.Shape, _ = w.Recipe.OutShape()
	case 5: // a cache
		if len(e.m.Caches) > 0 {
			c := e.m.Caches[0]
			c.Heads, c.HeadDim = []int{1, 2, 3, 1 << 30}[e.next(4)], []int{1, 4, 8, 1 << 30}[e.next(4)]
		}
	case 6: // the results
		e.g.Outputs = append(e.g.Outputs, n.Out[e.next(len(n.Out))])
	}
}

// settle gives all values the types that follow from the changes; false where there are none.
func (e *editor) settle() bool {
	for _, n := range e.g.Nodes {
		for _, v := range n.In {
			if v != nil && v.Weight != nil {
				v.Type = v.Weight.Type()
			}
		}
		if n.Reinfer() != nil {
			return false
		}
	}
	return e.m.Verify() == nil
}

// FuzzStep changes modules at random. Whatever the verifier accepts must load and run on the reference kernels, or
// fail with an error: no panic, no access beyond the arena, and no memory beyond the bound.
func FuzzStep(f *testing.F) {
	for base := range byte(3) {
		f.Add(base, byte(0), []byte{})
		f.Add(base, byte(3), []byte{3, 3, 1, 2, 9, 0, 4, 0, 1, 2, 5, 0, 2})
		f.Add(base, byte(2), []byte{1, 2, 1, 0, 9, 4, 5, 2, 2})
	}
	ckpt := toyCheckpoint(f)
	f.Fuzz(func(t *testing.T, base, edits byte, choices []byte) {
		m := []func() *ir.Module{func() *ir.Module { return attending(t) }, func() *ir.Module { return toy(t, 1, dtype.F32).Module },
			func() *ir.Module { return toy(t, 2, dtype.BF16).Module }}[base%3]()
		change := &editor{choices, m, m.Graphs[0]}
		for range edits % 8 {
			change.edit()
		}
		if !change.settle() {
			return
		}
		e, err := fuzzExecutor(m, ckpt)
		if err != nil {
			return
		}
		defer e.Close()
		in := Inputs{}
		for _, v := range m.Graphs[0].Inputs {
			in[v.Input] = fuzzInput(v)
		}
		out, err := e.Step(context.Background(), m.Graphs[0].Name, in)
		for i, v := range m.Graphs[0].Outputs {
			if err == nil && out[i].Elems() < 0 || err == nil && len(out[i].Shape) != len(v.Type.Shape) {
				t.Fatalf("result %d of %s has shape %v", i, v.Type, out[i].Shape)
			}
		}
	})
}

// fuzzExecutor has a mebibyte for cache and arena.
func fuzzExecutor(m *ir.Module, ckpt *safetensors.Checkpoint) (*Executor, error) {
	p := &plan.Plan{Module: m, Cache: plan.CacheFormat{DType: dtype.F32, PageSize: 4}, Ignores: []plan.Ignore{{Name: "{any...}"}}}
	for _, g := range m.Graphs {
		entry := plan.NewProgram(g)
		if err := entry.AddLayout("prefill", ir.Sizes{Tokens: 3, Seqs: 2, Rows: 2}); err != nil {
			return nil, err
		}
		p.Programs = append(p.Programs, entry)
	}
	return newExecutor(context.Background(), p, ckpt, Options{Device: "ref", Pages: 2}, 1<<20)
}

// TestFuzzSeedsRun: what the fuzz test starts from reaches the kernels.
func TestFuzzSeedsRun(t *testing.T) {
	for _, m := range []*ir.Module{attending(t), toy(t, 2, dtype.BF16).Module} {
		read, err := ir.Parse(m.String())
		if err != nil {
			t.Fatal(err)
		}
		e, err := fuzzExecutor(read, toyCheckpoint(t))
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		in := Inputs{}
		for _, v := range read.Graphs[0].Inputs {
			in[v.Input] = fuzzInput(v)
		}
		if _, err := e.Step(context.Background(), read.Graphs[0].Name, in); err != nil {
			t.Error(err)
		}
	}
}

// fuzzInput is a value for an input: slots and sequences that the step has room for, other integers 0 and 1, floats
// around zero.
func fuzzInput(v *ir.Value) kernels.Tensor {
	shape := v.Type.Shape.Eval(ir.Sizes{Tokens: 3, Seqs: 2, Pages: 1, Rows: 2})
	x := kernels.Tensor{DType: v.Type.DType, Shape: shape}
	n := x.Elems()
	if n > 1<<16 {
		return x // holds less than its shape says: the step refuses it
	}
	if x.DType == dtype.I32 {
		x.I32 = make([]int32, n)
		for i := range x.I32 {
			x.I32[i] = int32(i % 2)
			switch v.Input {
			case "slots", "seq_start":
				x.I32[i] = int32(i)
			case "parents":
				x.I32[i] = kernels.NoParent
			}
		}
		return x
	}
	x.F32 = make([]float32, n)
	for i := range x.F32 {
		x.F32[i] = float32(i%5) - 2
	}
	return x
}
