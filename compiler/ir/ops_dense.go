package ir

import (
	"fmt"
	"slices"

	"github.com/glmc/glmc/dsl/builtin"
	"github.com/glmc/glmc/kernels/dtype"
)

// denseOps work along the last dimension: tables, projections, norms.
var denseOps = []*Op{
	{
		Name:     "embed",
		Doc:      "rows of w: tokens i32[T], w [V, H] -> [T, H]",
		Operands: []Operand{{Name: "tokens", Kind: IndexOperand}, {Name: "w", Kind: WeightOperand}},
		Attrs:    []AttrSpec{{Key: "dtype", Kind: StringAttr}},
		Infer: func(in []Type, a Attrs) ([]Type, error) {
			tokens, w := in[0], in[1]
			if err := wantRank("tokens", tokens, 1); err != nil {
				return nil, err
			}
			if err := wantRank("w", w, 2); err != nil {
				return nil, err
			}
			d, err := activationDType(a.Str("dtype"))
			return []Type{TensorType(d, tokens.Shape[0], w.Shape[1])}, err
		},
		Work: embedWork,
		Surface: surface("embed", "the embeddings of tokens",
			"tokens i32[t] -> act[t, width]", func(l Lowering, a *Args) ([]*Value, error) {
				w, err := l.Weight(a.Path("w")+".weight", dtype.Invalid, false, a.Int("vocab", 0), a.Int("width", 0))
				if err != nil {
					return nil, err
				}
				return l.Emit("embed", []*Value{a.Tensor("tokens"), w}, Attr{"dtype", l.Activation().String()})
			}, param("tokens", builtin.Tensor), param("w", builtin.Weight), param("vocab", builtin.Int), param("width", builtin.Int)),
	},
	{
		Name:     "linear",
		Doc:      "x w^T + bias: x [..., K], w [N, K], bias [N] -> [..., N]; act: dtype that rows of x are quantised to first",
		Operands: []Operand{{Name: "x"}, {Name: "w", Kind: LinearOperand}, {Name: "bias", Kind: WeightOperand, Optional: true}},
		Attrs:    []AttrSpec{{Key: "act", Kind: StringAttr, Optional: true}},
		Infer:    inferLinear,
		Work:     linearWork,
		Shard:    ShardCustom,
		Surface: surface("linear", "a projection to out values, with the weight w.weight and, where bias is true, w.bias",
			"x [.., d] -> x[.., out]",
			lowerLinear, param("x", builtin.Tensor), param("w", builtin.Weight), param("out", builtin.Int), optional("bias", builtin.Bool)),
	},
	{
		Name:     "linear.f32",
		Doc:      "linear of x in f32, whatever dtype x has: x [..., K], w [N, K], bias [N] -> f32[..., N]; act as for linear",
		Operands: []Operand{{Name: "x"}, {Name: "w", Kind: LinearOperand}, {Name: "bias", Kind: WeightOperand, Optional: true}},
		Attrs:    []AttrSpec{{Key: "act", Kind: StringAttr, Optional: true}},
		Infer: func(in []Type, a Attrs) ([]Type, error) {
			out, err := inferLinear(in, a)
			if err != nil {
				return nil, err
			}
			out[0].DType = dtype.F32
			return out, nil
		},
		Work: func(n *Node, s Sizes) Work {
			w := linearWork(n, s)
			w.Flops += elems(n.In[0].Type, s) // each value is widened
			return w
		},
		Shard: ShardCustom,
		Expand: func(b *Builder, n *Node) []*Value {
			wide := b.One("cast", []*Value{n.Arg("x")}, Attr{"dtype", dtype.F32.String()})
			return b.Emit("linear", []*Value{wide, n.Arg("w"), n.Arg("bias")}, n.Attrs...)
		},
	},
	{
		Name: "linear.split",
		Doc: "linear with its columns cut into results of their own: x [..., K], w [N, K], bias [N] -> one [..., n] for each n of " +
			"sizes, which add up to N; act as in linear",
		Operands: []Operand{{Name: "x"}, {Name: "w", Kind: LinearOperand}, {Name: "bias", Kind: WeightOperand, Optional: true}},
		Attrs:    []AttrSpec{{Key: "sizes", Kind: SizesAttr}, {Key: "act", Kind: StringAttr, Optional: true}},
		Infer:    inferLinearSplit,
		Work:     linearWork,
		Shard:    ShardNone, // merge_qkv and merge_gate_up run on what each rank holds
		Expand:   func(b *Builder, n *Node) []*Value { return expandSplit(b, n, "linear") },
	},
	{
		Name:     "norm.rms",
		Doc:      "x / sqrt(mean(x^2) + eps) * w over the last dimension: x [..., D], w [D] -> [..., D]",
		Operands: []Operand{{Name: "x"}, {Name: "w", Kind: WeightOperand}},
		Attrs:    []AttrSpec{{Key: "eps", Kind: FloatAttr}},
		Infer: func(in []Type, _ Attrs) ([]Type, error) {
			if err := wantWeight("w", in[1], in[0].Shape.Last()); err != nil {
				return nil, err
			}
			return []Type{in[0]}, nil
		},
		Work:    pointwiseWork(5),
		Shard:   ShardRows,
		InPlace: []InPlace{{0, 0}},
		Surface: surface("rms_norm", "root-mean-square norm over the last dimension (Zhang and Sennrich 2019)",
			"x [.., d] -> x[.., d]",
			func(l Lowering, a *Args) ([]*Value, error) {
				x := a.Tensor("x")
				w, err := l.Weight(a.Path("w")+".weight", dtype.Invalid, false, x.Type.Shape.Last().Add)
				if err != nil {
					return nil, err
				}
				return l.Emit("norm.rms", []*Value{x, w}, Attr{"eps", a.Float("eps")})
			}, param("x", builtin.Tensor), param("w", builtin.Weight), param("eps", builtin.Float)),
	},
	{
		Name:     "norm.add_rms",
		Doc:      "a + b, rounded to their dtype, and the norm.rms of it: a and b [..., D], w [D] -> [..., D], [..., D]",
		Operands: slices.Concat(values("a", "b"), operands(WeightOperand, "w")),
		Attrs:    []AttrSpec{{Key: "eps", Kind: FloatAttr}},
		Infer:    func(in []Type, _ Attrs) ([]Type, error) { return inferAddNorm("a", "b", in) },
		Work:     pointwiseWork(3), // one operation an element for the sum and five for the norm, over both results
		Shard:    ShardNone,        // fuse_add_norm runs on what each rank holds
		// The norm is that of a row of the sum, which is complete by then: neither a nor b is needed any longer.
		InPlace: []InPlace{{0, 0}, {0, 1}, {1, 1}, {1, 0}},
		Expand: func(b *Builder, n *Node) []*Value {
			sum := b.One("add", []*Value{n.Arg("a"), n.Arg("b")})
			return []*Value{sum, b.One("norm.rms", []*Value{sum, n.Arg("w")}, n.Attrs...)}
		},
	},
	{
		Name:     "gather.rows",
		Doc:      "the rows whose logits are wanted: x [T, H], rows i32[R] -> [R, H]",
		Operands: slices.Concat(values("x"), indices("rows")),
		Infer: func(in []Type, _ Attrs) ([]Type, error) {
			if err := wantRank("x", in[0], 2); err != nil {
				return nil, err
			}
			if err := wantRank("rows", in[1], 1); err != nil {
				return nil, err
			}
			return []Type{TensorType(in[0].DType, in[1].Shape[0], in[0].Shape[1])}, nil
		},
		Work:  gatherWork,
		Shard: ShardNone,
	},
}

// inferAddNorm is the rule for a sum of the first two operands, which go by these names in errors, and the norm of it.
func inferAddNorm(first, second string, in []Type) ([]Type, error) {
	a, b := in[0], in[1]
	if !a.Equal(b) {
		return nil, fmt.Errorf("%s is %s and %s is %s: wants the same", first, a, second, b)
	}
	if len(a.Shape) == 0 {
		return nil, fmt.Errorf("%s is a scalar", first)
	}
	return []Type{a, a}, wantWeight("w", in[2], a.Shape.Last())
}

func lowerLinear(l Lowering, a *Args) ([]*Value, error) {
	x, out := a.Tensor("x"), a.Int("out", 0)
	// linear(f32(x), ...) asks for f32 arithmetic (the router's), so the weight is f32 too, whatever dtype the
	// checkpoint stores it in.
	as := dtype.Invalid
	if x.Def != nil && x.Def.Op.Name == "cast" && x.Type.DType == dtype.F32 {
		as = dtype.F32
	}
	w, err := l.Weight(a.Path("w")+".weight", as, true, out, x.Type.Shape.Last().Add)
	if err != nil {
		return nil, err
	}
	in := []*Value{x, w, nil}
	if a.Bool("bias") {
		if in[2], err = l.Weight(a.Path("w")+".bias", dtype.Invalid, false, out); err != nil {
			return nil, err
		}
	}
	return l.Emit("linear", in)
}

func inferLinear(in []Type, _ Attrs) ([]Type, error) {
	x, w, bias := in[0], in[1], in[2]
	if err := wantRank("w", w, 2); err != nil {
		return nil, err
	}
	if len(x.Shape) == 0 || x.Shape.Last() != w.Shape[1] || !w.Shape[1].IsConst() {
		return nil, fmt.Errorf("x is %s but w takes rows of %s values", x, w.Shape[1])
	}
	if bias.Shape != nil {
		if err := wantWeight("bias", bias, w.Shape[0]); err != nil {
			return nil, err
		}
	}
	return []Type{{DType: x.DType, Shape: x.Shape.With(len(x.Shape)-1, w.Shape[0])}}, nil
}

func inferLinearSplit(in []Type, a Attrs) ([]Type, error) {
	whole, err := inferLinear(in, a)
	if err != nil {
		return nil, err
	}
	sizes, _ := a.Get("sizes").(Shape)
	total, last := 0, len(whole[0].Shape)-1
	types := make([]Type, len(sizes))
	for i, size := range sizes {
		total += size.Add
		types[i] = Type{DType: whole[0].DType, Shape: whole[0].Shape.With(last, size)}
	}
	if have := in[1].Shape[0]; have != Fixed(total) {
		return nil, fmt.Errorf("sizes %s add up to %d but w has %s rows", sizes, total, have)
	}
	return types, nil
}

// expandSplit is what a split form of that product stands for. It does not cut the weight: then it would have to declare
// weights, and a kernel that quantises rows of x would be compared with one that does so for each part.
func expandSplit(b *Builder, n *Node, product string) []*Value {
	sizes, _ := n.Attrs.Get("sizes").(Shape)
	attrs := slices.DeleteFunc(slices.Clone(n.Attrs), func(a Attr) bool { return a.Key == "sizes" })
	whole := b.One(product, n.In, attrs...)
	out, from := make([]*Value, len(sizes)), int64(0)
	for i, size := range sizes {
		to := from + int64(size.Add)
		out[i] = b.One("slice", []*Value{whole}, Attr{"from", from}, Attr{"to", to})
		from = to
	}
	return out
}

// linearWork is the work of linear and linear.split.
func linearWork(n *Node, s Sizes) Work {
	w := n.Arg("w").Type
	rows := elems(n.In[0].Type, s) / float64(w.Shape[1].Add)
	weight := weightBytes(n.Arg("w"))
	if bias := n.Arg("bias"); bias != nil {
		weight += bytesOf(bias.Type, s)
	}
	work := Work{
		Flops:       2 * rows * float64(w.Shape[0].Add) * float64(w.Shape[1].Add),
		ReadBytes:   bytesOf(n.In[0].Type, s) + weight,
		WeightBytes: weight,
		Products:    1, Math: productDType(n, w.DType), Rows: rows, Matrices: 1, Narrow: narrow(n, w.DType),
	}
	for _, out := range n.Out {
		work.WriteBytes += bytesOf(out.Type, s)
	}
	return work
}

// productDType is the dtype that a node's product with a weight of dtype w is done in. Rows that are not quantised meet a
// weight in fp8 that was widened to bf16, and integer weights always are.
func productDType(n *Node, w dtype.DType) dtype.DType {
	if w.IsInt() || w == dtype.F8E4M3 && !quantisesRows(n) {
		return dtype.BF16
	}
	return w
}

// quantisesRows reports whether a product's rows are in fp8, made so by itself or by an operator before it.
func quantisesRows(n *Node) bool {
	return n.Attrs.Str("act") != "" || n.Arg("x").Type.DType == dtype.F8E4M3
}

// narrow reports whether a node's product with a weight of dtype w is one that devices may do in int8.
func narrow(n *Node, w dtype.DType) bool { return w.Scaled() && !quantisesRows(n) }

// embedWork reads the rows that are looked up, in the dtype of the table, and not the table.
func embedWork(n *Node, s Sizes) Work {
	ids, w, out := n.Arg("tokens").Type, n.Arg("w").Type, n.Out[0].Type
	rows := elems(out, s) * float64(w.DType.Size())
	return Work{ReadBytes: bytesOf(ids, s) + rows, WriteBytes: bytesOf(out, s), WeightBytes: rows}
}

// gatherWork reads the rows that are wanted, and not all that there are.
func gatherWork(n *Node, s Sizes) Work {
	b := bytesOf(n.Out[0].Type, s)
	return Work{ReadBytes: bytesOf(n.Arg("rows").Type, s) + b, WriteBytes: b}
}

// activationDType is a dtype that activations can have.
func activationDType(name string) (dtype.DType, error) {
	d, err := dtype.Parse(name)
	if err == nil && (!d.IsFloat() || d == dtype.F8E4M3) {
		err = fmt.Errorf("dtype is %s: activations are f32, bf16 or f16", d)
	}
	return d, err
}

func wantRank(name string, t Type, rank int) error {
	if len(t.Shape) != rank {
		return fmt.Errorf("%s is %s, wants a shape of %d dimension(s)", name, t, rank)
	}
	return nil
}

func wantWeight(name string, t Type, size Dim) error {
	if len(t.Shape) != 1 || t.Shape[0] != size {
		return fmt.Errorf("%s is %s, wants [%s]", name, t, size)
	}
	return nil
}

// elems and bytesOf measure a type at given sizes.
func elems(t Type, s Sizes) float64 {
	n := 1.0
	for _, d := range t.Shape {
		n *= float64(d.Eval(s))
	}
	return n
}

func bytesOf(t Type, s Sizes) float64 { return elems(t, s) * float64(t.DType.Size()) }

// pointwiseWork is the work of an operator that reads its operands and writes its results once.
func pointwiseWork(flopsPerElem float64) func(*Node, Sizes) Work {
	return func(n *Node, s Sizes) Work {
		var w Work
		for _, v := range n.In {
			if v == nil || v.Type.State {
				continue
			}
			b := bytesOf(v.Type, s)
			w.ReadBytes += b
			if v.Weight != nil {
				w.WeightBytes += b
			}
		}
		for _, v := range n.Out {
			if !v.Type.State {
				w.WriteBytes += bytesOf(v.Type, s)
				w.Flops += flopsPerElem * elems(v.Type, s)
			}
		}
		return w
	}
}

// WorkOf counts what one execution of the node does on one rank.
func (n *Node) WorkOf(s Sizes) Work {
	switch {
	case n.Op.View:
		return Work{}
	case n.Op.Work != nil:
		return n.Op.Work(n, s)
	}
	return pointwiseWork(1)(n, s)
}
