package ir

import (
	"fmt"
	"slices"

	"github.com/glmc/glmc/kernels/dtype"
)

// quantOps have rows in fp8_e4m3: codes, and beside them one scale for each row (docs/adr/0010-fp8-values.md).
var quantOps = []*Op{
	{
		Name: "quant.rows",
		Doc: "x in fp8_e4m3 with a scale for each row: scale = max(max|x|, 1e-12)/448, codes = x/scale: " +
			"x [..., D] -> fp8_e4m3[..., D], f32[..., 1]",
		Operands: values("x"),
		Infer: func(in []Type, _ Attrs) ([]Type, error) {
			if len(in[0].Shape) == 0 {
				return nil, fmt.Errorf("x is a scalar")
			}
			return quantisedRows(in[0]), nil
		},
		Work: func(n *Node, s Sizes) Work {
			w := pointwiseWork(0)(n, s)
			w.Flops = quantiseFlops * elems(n.In[0].Type, s)
			return w
		},
		Shard: ShardNone, // a part of a row would have a scale of its own
	},
	{
		Name: "linear.w8a8",
		Doc: "scale * (x w^T) + bias in dtype: codes x fp8_e4m3[..., K] with scale f32[..., 1], w fp8_e4m3[N, K], " +
			"bias [N] -> [..., N]; linear with act of what the codes were made of",
		Operands: slices.Concat(operands(CodesOperand, "x"), values("scale"), operands(LinearOperand, "w"),
			[]Operand{{Name: "bias", Kind: WeightOperand, Optional: true}}),
		Attrs: []AttrSpec{{Key: "dtype", Kind: StringAttr}},
		Infer: inferW8A8(inferLinear),
		Work:  w8a8Work,
		Shard: ShardNone, // quantise_rows runs on what each rank holds
	},
	{
		Name: "linear.split_w8a8",
		Doc: "linear.w8a8 with its columns cut into results of their own: codes x fp8_e4m3[..., K] with scale f32[..., 1], " +
			"w fp8_e4m3[N, K], bias [N] -> one [..., n] for each n of sizes, which add up to N",
		Operands: slices.Concat(operands(CodesOperand, "x"), values("scale"), operands(LinearOperand, "w"),
			[]Operand{{Name: "bias", Kind: WeightOperand, Optional: true}}),
		Attrs: []AttrSpec{{Key: "sizes", Kind: SizesAttr}, {Key: "dtype", Kind: StringAttr}},
		Infer: inferW8A8(inferLinearSplit),
		Work:  w8a8Work,
		Shard: ShardNone, // as linear.w8a8
		Expand: func(b *Builder, n *Node) []*Value {
			return expandSplit(b, n, "linear.w8a8")
		},
	},
	{
		Name: "moe.experts_w8a8",
		Doc: "moe.experts in dtype of codes x fp8_e4m3[T, H] with scale f32[T, 1], the rows between the products being quantised " +
			"as well; moe.experts with act of what the codes were made of",
		Operands: slices.Concat(operands(CodesOperand, "x"), values("scale"), indices("ids"), values("weights"),
			operands(LinearOperand, "gate", "up", "down")),
		Attrs: []AttrSpec{{Key: "activation", Kind: StringAttr}, {Key: "dtype", Kind: StringAttr}},
		Infer: func(in []Type, a Attrs) ([]Type, error) {
			if err := wantScale(in[0], in[1]); err != nil {
				return nil, err
			}
			for i, name := range []string{"gate", "up", "down"} {
				if err := wantF8(name, in[4+i]); err != nil {
					return nil, err
				}
			}
			return inDType(a)(inferExperts(slices.Concat(in[:1], in[2:]), a))
		},
		Work: func(n *Node, s Sizes) Work {
			w := expertsWork(n, s)
			w.ReadBytes += bytesOf(n.Arg("scale").Type, s)
			return w
		},
		Shard: ShardNone, // as linear.w8a8
	},
	thenQuantised(opOf(denseOps, "norm.rms")),
	thenQuantised(opOf(denseOps, "norm.add_rms")),
	thenQuantised(opOf(commOps, "comm.all_reduce_add_rms")),
	thenQuantised(opOf(elementOps, "act.swiglu")),
}

// inferW8A8 has the types of a projection of codes and scales, whose plain form has those that infer says.
func inferW8A8(infer func([]Type, Attrs) ([]Type, error)) func([]Type, Attrs) ([]Type, error) {
	return func(in []Type, a Attrs) ([]Type, error) {
		if err := wantScale(in[0], in[1]); err != nil {
			return nil, err
		}
		if err := wantF8("w", in[2]); err != nil {
			return nil, err
		}
		return inDType(a)(infer([]Type{in[0], in[2], in[3]}, a))
	}
}

// w8a8Work is the work of linear.w8a8 and linear.split_w8a8.
func w8a8Work(n *Node, s Sizes) Work {
	w := linearWork(n, s)
	w.ReadBytes += bytesOf(n.Arg("scale").Type, s)
	return w
}

// quantiseFlops are the operations that a value costs: its part in the maximum, the division, the rounding.
const quantiseFlops = 3

// Quantised returns the operator that does what op does and quantises the rows of its last result, or nil.
func Quantised(op *Op) *Op { return Lookup(op.Name + "_quant") }

// thenQuantised is the operator that does what op does and has the codes and scales of its last result's rows in its
// place; with plain = 1 it has that result too, for whoever reads it as it is.
func thenQuantised(op *Op) *Op {
	q := &Op{
		Name:     op.Name + "_quant",
		Doc:      op.Name + " and quant.rows of its last result, which itself is there only with plain: ..., [..., D] if plain, fp8_e4m3[..., D], f32[..., 1]",
		Operands: op.Operands,
		Attrs:    slices.Concat(op.Attrs, []AttrSpec{{Key: "plain", Kind: IntAttr, Optional: true}}),
		Shard:    ShardNone, // fuse_quantise runs on what each rank holds
		InPlace:  op.InPlace,
	}
	plainOf := func(n *Node) *Node {
		m := *n
		m.Op, m.Attrs = op, slices.DeleteFunc(slices.Clone(n.Attrs), func(a Attr) bool { return a.Key == "plain" })
		return &m
	}
	q.Infer = func(in []Type, a Attrs) ([]Type, error) {
		if p := a.Get("plain"); p != nil && p != int64(1) {
			return nil, fmt.Errorf("plain is %d: wants 1, or to be left out", p)
		}
		out, err := op.Infer(in, a)
		if err != nil {
			return nil, err
		}
		last := out[len(out)-1]
		if len(last.Shape) == 0 {
			return nil, fmt.Errorf("the result is a scalar")
		}
		if a.Get("plain") == nil {
			out = out[:len(out)-1]
		}
		return slices.Concat(out, quantisedRows(last)), nil
	}
	q.Work = func(n *Node, s Sizes) Work {
		m, codes := plainOf(n), n.Out[len(n.Out)-2]
		last := &Value{Type: Type{DType: n.In[0].Type.DType, Shape: codes.Type.Shape}}
		m.Out = n.Out[:len(n.Out)-2]
		if n.Attrs.Get("plain") == nil {
			m.Out = append(slices.Clone(m.Out), last)
		}
		w := m.WorkOf(s)
		if n.Attrs.Get("plain") == nil {
			w.WriteBytes -= bytesOf(last.Type, s)
		}
		w.WriteBytes += bytesOf(codes.Type, s) + bytesOf(n.Out[len(n.Out)-1].Type, s)
		w.Flops += quantiseFlops * elems(codes.Type, s)
		return w
	}
	q.Expand = func(b *Builder, n *Node) []*Value {
		m := plainOf(n)
		var out []*Value
		if op.Expand != nil {
			out = op.Expand(b, m)
		} else {
			out = b.Emit(op.Name, m.In, m.Attrs...)[:1]
		}
		last := out[len(out)-1]
		if n.Attrs.Get("plain") == nil {
			out = out[:len(out)-1]
		}
		return slices.Concat(out, b.Emit("quant.rows", []*Value{last}))
	}
	return q
}

func opOf(ops []*Op, name string) *Op {
	return ops[slices.IndexFunc(ops, func(op *Op) bool { return op.Name == name })]
}

// quantisedRows are the types of the codes and scales of x's rows.
func quantisedRows(x Type) []Type {
	scales := x.Shape.With(len(x.Shape)-1, Fixed(1))
	return []Type{{DType: dtype.F8E4M3, Shape: x.Shape}, {DType: dtype.F32, Shape: scales}}
}

func wantScale(x, scale Type) error {
	if len(x.Shape) == 0 {
		return fmt.Errorf("x is a scalar")
	}
	if want := quantisedRows(x)[1]; !scale.Equal(want) {
		return fmt.Errorf("scale is %s, wants %s", scale, want)
	}
	return nil
}

func wantF8(name string, w Type) error {
	if w.DType != dtype.F8E4M3 {
		return fmt.Errorf("%s is %s, wants fp8_e4m3", name, w)
	}
	return nil
}

// inDType gives the results of a product the dtype that the attribute names.
func inDType(a Attrs) func(out []Type, err error) ([]Type, error) {
	return func(out []Type, err error) ([]Type, error) {
		if err != nil {
			return nil, err
		}
		as, err := activationDType(a.Str("dtype"))
		for i := range out {
			out[i].DType = as
		}
		return out, err
	}
}
