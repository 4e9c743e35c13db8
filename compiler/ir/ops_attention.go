package ir

import (
	"fmt"
	"slices"

	"github.com/glmc/glmc/dsl/builtin"
	"github.com/glmc/glmc/kernels/dtype"
)

// The inputs that the runtime provides at every step beside the entry's own parameters.
var (
	// SlotsInput: i32[T], the KV slot that each token's keys and values go to; -1 for padding rows.
	SlotsInput = TensorType(dtype.I32, Symbolic(T))
	// SeqStartInput: i32[B+1], the first row of each sequence in the step, and the end of the last.
	SeqStartInput = TensorType(dtype.I32, Dim{Sym: B, Mul: 1, Add: 1})
	// PagesInput: i32[B, P], the page table of each sequence.
	PagesInput = TensorType(dtype.I32, Symbolic(B), Symbolic(P))
	// ParentsInput: i32[T], for each row the row of the step whose token stands before its own; -1: that of the position before, which the
	// page table leads to. Rows with a parent are drafts beside the first path of a tree.
	ParentsInput = TensorType(dtype.I32, Symbolic(T))
	// RowsInput: i32[R], the rows whose logits are wanted.
	RowsInput = TensorType(dtype.I32, Symbolic(R))
)

// attentionOps: rotary embedding, KV cache, attention.
var attentionOps = []*Op{
	{
		Name: "rope.apply",
		Doc: "rotary embedding of the first dims values of each head, pairs (i, i + dims/2) or, interleaved, (2i, 2i+1), " +
			"the rest passing through: x [T, heads, D], pos i32[T] (Su et al. 2021); scaling: how frequencies are scaled",
		Operands: slices.Concat(values("x"), indices("pos")),
		Attrs:    ropeAttrs,
		Infer: func(in []Type, a Attrs) ([]Type, error) {
			if err := wantHeads("x", in[0]); err != nil {
				return nil, err
			}
			if err := wantIndex("pos", in[1], in[0].Shape[0]); err != nil {
				return nil, err
			}
			return []Type{in[0]}, checkRotary(in[0], a)
		},
		Work:    pointwiseWork(3),
		Shard:   ShardRows,
		InPlace: []InPlace{{0, 0}},
		Surface: ropeSurface,
	},
	{
		Name:     "repeat.heads",
		Doc:      "one head for all heads: x [T, 1, D] -> [T, heads, D]",
		Operands: values("x"),
		Attrs:    []AttrSpec{{Key: "heads", Kind: IntAttr}},
		Infer: func(in []Type, a Attrs) ([]Type, error) {
			if err := wantHeads("x", in[0]); err != nil {
				return nil, err
			}
			if in[0].Shape[1].Add != 1 {
				return nil, fmt.Errorf("x is %s, wants [T, 1, head_dim]", in[0])
			}
			if a.Int("heads") < 1 {
				return nil, fmt.Errorf("heads is %d: wants at least 1", a.Int("heads"))
			}
			return []Type{{DType: in[0].DType, Shape: in[0].Shape.With(1, Fixed(a.Int("heads")))}}, nil
		},
		Shard: ShardCustom,
		Surface: surface("repeat", "the one head of x for each of heads heads",
			"x [t, 1, d] -> x[t, heads, d]",
			func(l Lowering, a *Args) ([]*Value, error) {
				return l.Emit("repeat.heads", []*Value{a.Tensor("x")}, Attr{"heads", int64(a.Int("heads", 0))})
			}, param("x", builtin.Tensor), param("heads", builtin.Int)),
	},
	{
		Name:     "kv.write",
		Doc:      "k [T, heads, D] and v [T, heads, V] into the slots i32[T] of the cache",
		Operands: slices.Concat(values("k", "v"), indices("slots"), operands(StateOperand, "cache")),
		Infer: func(in []Type, _ Attrs) ([]Type, error) {
			if err := wantHeads("k", in[0]); err != nil {
				return nil, err
			}
			if err := wantHeads("v", in[1]); err != nil {
				return nil, err
			}
			if in[0].DType != in[1].DType || !in[0].Shape[:2].Equal(in[1].Shape[:2]) {
				return nil, fmt.Errorf("k is %s and v is %s", in[0], in[1])
			}
			return []Type{{State: true}}, wantIndex("slots", in[2], in[0].Shape[0])
		},
		Work:  kvWriteWork,
		Shard: ShardCustom,
	},
	{
		Name: "kv.send",
		Doc: "hands the keys and values in the slots i32[T] of the cache to whoever transfers them to another machine, and " +
			"ends when they have been read; no result",
		Operands: slices.Concat(indices("slots"), operands(StateOperand, "cache")),
		Infer: func(in []Type, _ Attrs) ([]Type, error) {
			return nil, wantIndex("slots", in[0], Symbolic(T))
		},
		Work:   kvSendWork,
		Effect: true,
	},
	{
		Name: "attn.paged",
		Doc: "causal attention over the paged cache, softmax in f32: q [T, heads, D] -> [T, heads, value_dim or D]; the row " +
			"at position pos[t] attends to positions 0..pos[t] of its sequence; where parents i32[T] has a row for it, to that one and " +
			"its ancestors at their positions, and each row of the sequence lies as many places behind its first as it stands behind it",
		Operands: slices.Concat(values("q"), indices("pos", "seq_start", "pages"), operands(StateOperand, "cache"),
			[]Operand{{Name: "parents", Kind: IndexOperand, Optional: true, Late: true}}),
		Attrs: []AttrSpec{{Key: "scale", Kind: FloatAttr}, {Key: valueDim, Kind: IntAttr, Optional: true}},
		Infer: func(in []Type, a Attrs) ([]Type, error) {
			if err := wantHeads("q", in[0]); err != nil {
				return nil, err
			}
			if err := wantIndex("pos", in[1], in[0].Shape[0]); err != nil {
				return nil, err
			}
			if !in[2].Equal(SeqStartInput) || !in[3].Equal(PagesInput) {
				return nil, fmt.Errorf("seq_start is %s and pages %s, want %s and %s", in[2], in[3], SeqStartInput, PagesInput)
			}
			if len(in) > 5 && in[5].Shape != nil {
				if err := wantIndex("parents", in[5], in[0].Shape[0]); err != nil {
					return nil, err
				}
			}
			if a.Get(valueDim) == nil {
				return []Type{in[0]}, nil
			}
			return []Type{{DType: in[0].DType, Shape: in[0].Shape.With(2, Fixed(a.Int(valueDim)))}}, nil
		},
		Work:  attentionWork,
		Shard: ShardCustom,
		Surface: surface("attend", "causal self-attention of q over all keys and values of its sequence so far, grouped heads",
			"q [t, h, d], k q[t, g, d], v q[t, g, e], pos i32[t] -> q[t, h, e]",
			lowerAttend, param("q", builtin.Tensor), param("k", builtin.Tensor), param("v", builtin.Tensor),
			param("pos", builtin.Tensor), param("scale", builtin.Float)),
	},
	{
		Name: "attn.qknorm_rope_kv",
		Doc: "head-wise norm (where its weight is given) and rope of q and k [T, heads, D], k and v into the cache; " +
			"returns q and the cache",
		Operands: slices.Concat(values("q", "k", "v"),
			[]Operand{{Name: "q_norm", Kind: WeightOperand, Optional: true}, {Name: "k_norm", Kind: WeightOperand, Optional: true}},
			indices("pos", "slots"), operands(StateOperand, "cache")),
		Attrs:   slices.Concat([]AttrSpec{{Key: "eps", Kind: FloatAttr, Optional: true}}, ropeAttrs),
		Infer:   inferQKNormRopeKV,
		Work:    qkNormRopeKVWork,
		Shard:   ShardCustom,
		InPlace: []InPlace{{0, 0}},
		Expand:  expandQKNormRopeKV,
	},
}

func lowerAttend(l Lowering, a *Args) ([]*Value, error) {
	q, k, v, pos := a.Tensor("q"), a.Tensor("k"), a.Tensor("v"), a.Tensor("pos")
	for i, t := range []*Value{q, k, v} {
		if err := wantHeads([]string{"q", "k", "v"}[i], t.Type); err != nil {
			return nil, err
		}
	}
	heads, kvHeads, dim := q.Type.Shape[1].Add, k.Type.Shape[1].Add, k.Type.Shape[2].Add
	if kvHeads == 0 || heads%kvHeads != 0 {
		return nil, fmt.Errorf("q has %d heads, which %d key heads do not divide", heads, kvHeads)
	}
	if q.Type.Shape[2] != k.Type.Shape[2] {
		return nil, fmt.Errorf("q is %s and k is %s: the heads differ in size", q.Type, k.Type)
	}
	if q.Type.DType != k.Type.DType {
		return nil, fmt.Errorf("q is %s and k is %s: the dtypes differ", q.Type, k.Type)
	}
	attrs := Attrs{{"scale", a.Float("scale")}}
	values := v.Type.Shape[2].Add
	if values != dim {
		attrs = append(attrs, Attr{valueDim, int64(values)})
	}
	cache, err := l.Cache(kvHeads, dim, values)
	if err != nil {
		return nil, err
	}
	written, err := l.Emit("kv.write", []*Value{k, v, l.RuntimeInput("slots", SlotsInput), cache})
	if err != nil {
		return nil, err
	}
	return l.Emit("attn.paged", []*Value{q, pos, l.RuntimeInput("seq_start", SeqStartInput), l.RuntimeInput("pages", PagesInput), written[0],
		l.RuntimeInput("parents", ParentsInput)}, attrs...)
}

// valueDim is the attribute of an attention whose values have another size than its keys.
const valueDim = "value_dim"

// expandQKNormRopeKV is what attn.qknorm_rope_kv stands for.
func expandQKNormRopeKV(b *Builder, n *Node) []*Value {
	eps := n.Attrs.Get("eps")
	rotation := slices.DeleteFunc(slices.Clone(n.Attrs), func(a Attr) bool { return a.Key == "eps" })
	rotate := func(x, norm *Value) *Value {
		if norm != nil {
			x = b.One("norm.rms", []*Value{x, norm}, Attr{"eps", eps})
		}
		return b.One("rope.apply", []*Value{x, n.Arg("pos")}, rotation...)
	}
	q := rotate(n.Arg("q"), n.Arg("q_norm"))
	k := rotate(n.Arg("k"), n.Arg("k_norm"))
	cache := b.One("kv.write", []*Value{k, n.Arg("v"), n.Arg("slots"), n.Arg("cache")})
	return []*Value{q, cache}
}

func inferQKNormRopeKV(in []Type, a Attrs) ([]Type, error) {
	q, k, v := in[0], in[1], in[2]
	for i, name := range []string{"q", "k", "v"} {
		if err := wantHeads(name, in[i]); err != nil {
			return nil, err
		}
	}
	if !k.Equal(v) || q.Shape[2] != k.Shape[2] || q.Shape[0] != k.Shape[0] {
		return nil, fmt.Errorf("q is %s, k is %s and v is %s", q, k, v)
	}
	for i, name := range []string{"q_norm", "k_norm"} {
		norm := in[3+i]
		if norm.Shape == nil {
			continue
		}
		if a.Get("eps") == nil {
			return nil, fmt.Errorf("attribute eps is missing")
		}
		if err := wantWeight(name, norm, q.Shape[2]); err != nil {
			return nil, err
		}
	}
	for i, name := range []string{"pos", "slots"} {
		if err := wantIndex(name, in[5+i], q.Shape[0]); err != nil {
			return nil, err
		}
	}
	return []Type{q, {State: true}}, checkRotary(q, a)
}

// wantIndex asks for one index a row.
func wantIndex(name string, t Type, rows Dim) error {
	if len(t.Shape) != 1 || t.Shape[0] != rows {
		return fmt.Errorf("%s is %s, wants i32[%s]", name, t, rows)
	}
	return nil
}

func wantHeads(name string, t Type) error {
	if len(t.Shape) != 3 || !t.Shape[1].IsConst() || !t.Shape[2].IsConst() {
		return fmt.Errorf("%s is %s, wants [T, heads, head_dim]", name, t)
	}
	return nil
}

func kvWriteWork(n *Node, s Sizes) Work {
	k, v, slots := n.Arg("k").Type, n.Arg("v").Type, n.Arg("slots").Type
	return Work{ReadBytes: bytesOf(k, s) + bytesOf(v, s) + bytesOf(slots, s), CacheWrite: elems(k, s) + elems(v, s)}
}

// kvSendWork: what the step's tokens have in the cache is read, and goes over the network.
func kvSendWork(n *Node, s Sizes) Work {
	w := Work{ReadBytes: bytesOf(n.Arg("slots").Type, s)}
	if c := n.Arg("cache").RootCache(); c != nil {
		w.CacheRead = elems(n.Arg("slots").Type, s) * float64(c.Slot())
		w.CacheSend = w.CacheRead
	}
	return w
}

// qkNormRopeKVWork is that of the norms, the rotations and the write, each operand and result being moved once.
func qkNormRopeKVWork(n *Node, s Sizes) Work {
	w := pointwiseWork(0)(n, s)
	q, k, v := elems(n.Arg("q").Type, s), elems(n.Arg("k").Type, s), elems(n.Arg("v").Type, s)
	perElem := [2]float64{3, 3} // of q and k: the rotation
	for i, name := range []string{"q_norm", "k_norm"} {
		if n.Arg(name) != nil {
			perElem[i] += 5
		}
	}
	w.Flops = perElem[0]*q + perElem[1]*k
	w.CacheWrite = k + v
	return w
}

// ContextPerToken is how many keys the cost model takes a row to attend to, on average over all rows of a step,
// because a step's sizes do not say: a sequence that is decoded has a context of as many tokens, and a chunk of
// prefill belongs to prompts of twice as many.
const ContextPerToken = 4096

func attentionWork(n *Node, s Sizes) Work {
	q := n.Arg("q").Type
	w := Work{ReadBytes: bytesOf(q, s), WriteBytes: bytesOf(n.Out[0].Type, s), Products: 1, Math: q.DType}
	if c := n.Arg("cache").RootCache(); c != nil {
		// Every sequence reads its own keys and values once; the query heads of a group share them.
		w.CacheRead = float64(max(s.Seqs, 1)) * ContextPerToken * float64(c.Slot())
	}
	w.Flops = 2 * (elems(q, s) + elems(n.Out[0].Type, s)) * ContextPerToken
	return w
}

// RootCache is the cache whose state v is, however often it was written since the step began; nil when v does
// not go back to one.
func (v *Value) RootCache() *Cache {
	for v != nil && v.Cache == nil {
		if v.Def == nil {
			return nil
		}
		state := slices.IndexFunc(v.Def.Op.Operands, func(o Operand) bool { return o.Kind == StateOperand })
		if state < 0 {
			return nil
		}
		v = v.Def.In[state]
	}
	if v == nil {
		return nil
	}
	return v.Cache
}
