package ir

import (
	"fmt"

	"github.com/glmc/glmc/dsl/builtin"
	"github.com/glmc/glmc/kernels/dtype"
)

// elementOps work on each element, or rename elements.
var elementOps = []*Op{
	{
		Name:     "reshape",
		Doc:      "the same elements under another shape",
		Operands: values("x"),
		Attrs:    []AttrSpec{{Key: "shape", Kind: ShapeAttr}},
		Infer: func(in []Type, a Attrs) ([]Type, error) {
			shape, _ := a.Get("shape").(Shape)
			have, err := in[0].Shape.Elems()
			if err != nil {
				return nil, err
			}
			want, err := shape.Elems()
			if err != nil {
				return nil, err
			}
			if have != want {
				return nil, fmt.Errorf("%s has %s elements, %s has %s", in[0], have, shape, want)
			}
			return []Type{{DType: in[0].DType, Shape: shape}}, nil
		},
		Shard: ShardCustom,
		View:  true,
	},
	{
		Name:     "cast",
		Doc:      "x in another dtype",
		Operands: values("x"),
		Attrs:    []AttrSpec{{Key: "dtype", Kind: StringAttr}},
		Infer: func(in []Type, a Attrs) ([]Type, error) {
			d, err := activationDType(a.Str("dtype"))
			return []Type{{DType: d, Shape: in[0].Shape}}, err
		},
		Shard: ShardPointwise,
		Surface: surface("f32", "x in 32-bit floating point; a projection of it computes in 32 bits too",
			"x [..] -> f32[..]",
			func(l Lowering, a *Args) ([]*Value, error) {
				return l.Emit("cast", []*Value{a.Tensor("x")}, Attr{"dtype", dtype.F32.String()})
			}, param("x", builtin.Tensor)),
	},
	binaryOp("add", "a + b"),
	binaryOp("sub", "a - b"),
	binaryOp("mul", "a * b"),
	binaryOp("div", "a / b"),
	scalarOp("scale", "by * x"),
	scalarOp("shift", "x + by"),
	unaryOp("act.silu", "silu", "x * sigmoid(x)", 4),
	{
		Name:     "act.swiglu",
		Doc:      "act.silu of gate, rounded to its dtype, times up: gate and up of one shape (Shazeer 2020)",
		Operands: values("gate", "up"),
		Infer: func(in []Type, _ Attrs) ([]Type, error) {
			if !in[0].Equal(in[1]) {
				return nil, fmt.Errorf("gate is %s and up is %s: wants the same", in[0], in[1])
			}
			return []Type{in[0]}, nil
		},
		Work:    pointwiseWork(5),
		Shard:   ShardPointwise,
		InPlace: []InPlace{{0, 0}, {0, 1}},
		Expand: func(b *Builder, n *Node) []*Value {
			silu := b.One("act.silu", []*Value{n.Arg("gate")})
			return []*Value{b.One("mul", []*Value{silu, n.Arg("up")})}
		},
	},
	unaryOp("act.sigmoid", "sigmoid", "1 / (1 + exp(-x))", 3),
	{
		Name:     "reduce.sum",
		Doc:      "the sum over the last dimension: x [..., D] -> [..., 1]",
		Operands: values("x"),
		Infer: func(in []Type, _ Attrs) ([]Type, error) {
			if len(in[0].Shape) == 0 {
				return nil, fmt.Errorf("x is a scalar")
			}
			return []Type{{DType: in[0].DType, Shape: in[0].Shape.With(len(in[0].Shape)-1, Fixed(1))}}, nil
		},
		Shard: ShardRows,
		Surface: surface("sum", "the sum over the last dimension, kept as a dimension of size 1",
			"x [.., d] -> x[.., 1]",
			func(l Lowering, a *Args) ([]*Value, error) {
				return l.Emit("reduce.sum", []*Value{a.Tensor("x")})
			}, param("x", builtin.Tensor)),
	},
	{
		Name:     "act.softmax",
		Doc:      "exp(x) / sum(exp(x)) over the last dimension, in f32: x [..., D] -> as x",
		Operands: values("x"),
		Infer: func(in []Type, _ Attrs) ([]Type, error) {
			if len(in[0].Shape) == 0 {
				return nil, fmt.Errorf("x is a scalar")
			}
			return []Type{in[0]}, nil
		},
		Work:    pointwiseWork(5),
		Shard:   ShardRows,
		InPlace: []InPlace{{0, 0}},
		Surface: surface("softmax", "positive values that add up to 1 over the last dimension, in the order of x",
			"x [.., d] -> x[.., d]",
			func(l Lowering, a *Args) ([]*Value, error) {
				return l.Emit("act.softmax", []*Value{a.Tensor("x")})
			}, param("x", builtin.Tensor)),
	},
	{
		Name:     "slice",
		Doc:      "values from, ..., to-1 of the last dimension: x [..., D] -> [..., to-from]",
		Operands: values("x"),
		Attrs:    []AttrSpec{{Key: "from", Kind: IntAttr}, {Key: "to", Kind: IntAttr}},
		Infer: func(in []Type, a Attrs) ([]Type, error) {
			x, from, to := in[0], a.Int("from"), a.Int("to")
			if len(x.Shape) == 0 || !x.Shape.Last().IsConst() {
				return nil, fmt.Errorf("x is %s: the last dimension must be constant", x)
			}
			if from < 0 || to <= from || to > x.Shape.Last().Add {
				return nil, fmt.Errorf("takes values %d to %d of %s: wants a part that is not empty", from, to-1, x)
			}
			return []Type{{DType: x.DType, Shape: x.Shape.With(len(x.Shape)-1, Fixed(to-from))}}, nil
		},
		Work:  sliceWork,
		Shard: ShardRows,
		Surface: surface("split", "the first values of the last dimension, and the rest",
			"x [.., d] -> x[.., first], x[.., d - first]",
			lowerSplit, param("x", builtin.Tensor), param("first", builtin.Int)),
	},
	{
		Name:     "concat",
		Doc:      "a and b side by side: a [..., A], b [..., B] -> [..., A+B]",
		Operands: values("a", "b"),
		Infer: func(in []Type, _ Attrs) ([]Type, error) {
			a, b := in[0], in[1]
			last := len(a.Shape) - 1
			if last < 0 || len(b.Shape) != len(a.Shape) || a.DType != b.DType ||
				!a.Shape.With(last, Fixed(0)).Equal(b.Shape.With(last, Fixed(0))) {
				return nil, fmt.Errorf("a is %s and b is %s: they may differ in the last dimension only", a, b)
			}
			if !a.Shape.Last().IsConst() || !b.Shape.Last().IsConst() {
				return nil, fmt.Errorf("a is %s and b is %s: the last dimension must be constant", a, b)
			}
			return []Type{{DType: a.DType, Shape: a.Shape.With(last, Fixed(a.Shape.Last().Add+b.Shape.Last().Add))}}, nil
		},
		Shard: ShardCustom,
		Surface: surface("concat", "a and b side by side in the last dimension",
			"a [.., d], b a[.., e] -> a[.., d + e]",
			func(l Lowering, a *Args) ([]*Value, error) {
				return l.Emit("concat", []*Value{a.Tensor("a"), a.Tensor("b")})
			}, param("a", builtin.Tensor), param("b", builtin.Tensor)),
	},
}

func lowerSplit(l Lowering, a *Args) ([]*Value, error) {
	x, at := a.Tensor("x"), a.Int("first", 0)
	last := x.Type.Shape.Last()
	if at < 1 || at >= last.Add || !last.IsConst() {
		return nil, fmt.Errorf("x is %s: cannot be split at %d of its last dimension", x.Type, at)
	}
	first, err := l.Emit("slice", []*Value{x}, Attr{"from", int64(0)}, Attr{"to", int64(at)})
	if err != nil {
		return nil, err
	}
	rest, err := l.Emit("slice", []*Value{x}, Attr{"from", int64(at)}, Attr{"to", int64(last.Add)})
	if err != nil {
		return nil, err
	}
	return []*Value{first[0], rest[0]}, nil
}

// sliceWork reads what it writes, not the whole operand.
func sliceWork(n *Node, s Sizes) Work {
	b := bytesOf(n.Out[0].Type, s)
	return Work{ReadBytes: b, WriteBytes: b}
}

func binaryOp(name, doc string) *Op {
	return &Op{
		Name:     name,
		Doc:      doc + ": b has a's shape, is [..., 1], or is [D] (one value a column)",
		Operands: values("a", "b"),
		Infer:    inferBinary,
		Shard:    ShardPointwise,
		InPlace:  []InPlace{{0, 0}, {0, 1}},
	}
}

func inferBinary(in []Type, _ Attrs) ([]Type, error) {
	a, b := in[0], in[1]
	if a.DType != b.DType {
		return nil, fmt.Errorf("a is %s and b is %s: the dtypes differ", a, b)
	}
	last := len(a.Shape) - 1
	switch {
	case a.Shape.Equal(b.Shape):
	case last >= 0 && b.Shape.Equal(a.Shape.With(last, Fixed(1))):
	case last >= 0 && len(b.Shape) == 1 && b.Shape[0] == a.Shape[last]:
	default:
		return nil, fmt.Errorf("a is %s and b is %s: the shapes do not go together", a, b)
	}
	return []Type{a}, nil
}

func scalarOp(name, doc string) *Op {
	return &Op{
		Name:     name,
		Doc:      doc,
		Operands: values("x"),
		Attrs:    []AttrSpec{{Key: "by", Kind: FloatAttr}},
		Infer:    sameType,
		Shard:    ShardPointwise,
		InPlace:  []InPlace{{0, 0}},
	}
}

func unaryOp(name, fn, doc string, flops float64) *Op {
	return &Op{
		Name:     name,
		Doc:      doc,
		Operands: values("x"),
		Infer:    sameType,
		Work:     pointwiseWork(flops),
		Shard:    ShardPointwise,
		InPlace:  []InPlace{{0, 0}},
		Surface: surface(fn, doc, "x [..] -> x[..]", func(l Lowering, a *Args) ([]*Value, error) {
			return l.Emit(name, []*Value{a.Tensor("x")})
		}, param("x", builtin.Tensor)),
	}
}

func sameType(in []Type, _ Attrs) ([]Type, error) { return []Type{in[0]}, nil }
