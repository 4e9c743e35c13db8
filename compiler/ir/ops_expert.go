package ir

import (
	"fmt"
	"math"
	"slices"

	"github.com/glmc/glmc/dsl/builtin"
	"github.com/glmc/glmc/kernels/dtype"
)

// expertOps: routing and the routed experts.
var expertOps = []*Op{
	{
		Name: "moe.top_k",
		Doc: "the k experts of highest scores + bias, of the keep best of groups groups (a group counts by its two best), " +
			"ties to the lowest index: scores f32[T, E], bias f32[E] -> i32[T, k], f32[T, k] (the scores without the bias)",
		Operands: []Operand{{Name: "scores"}, {Name: "bias", Kind: WeightOperand, Optional: true}},
		Attrs:    []AttrSpec{{Key: "k", Kind: IntAttr}, {Key: "groups", Kind: IntAttr}, {Key: "keep", Kind: IntAttr}},
		Infer:    inferTopK,
		Work:     pointwiseWork(8),
		Shard:    ShardNone,
		Surface: surface("top_k", "for each token the k experts with the highest score plus bias, and their scores",
			"scores f32[t, n] -> i32[t, k], f32[t, k]",
			func(l Lowering, a *Args) ([]*Value, error) {
				in := []*Value{a.Tensor("scores"), nil}
				if path := a.Path("bias"); path != "" {
					var err error
					if in[1], err = l.Weight(path, dtype.F32, false, in[0].Type.Shape.Last().Add); err != nil {
						return nil, err
					}
				}
				return l.Emit("moe.top_k", in, Attr{"k", int64(a.Int("k", 0))},
					Attr{"groups", int64(a.Int("groups", 1))}, Attr{"keep", int64(a.Int("keep", a.Int("groups", 1)))})
			}, param("scores", builtin.Tensor), optional("bias", builtin.Weight), param("k", builtin.Int),
			optional("groups", builtin.Int), optional("keep", builtin.Int)),
	},
	{
		Name:     "moe.append_shared",
		Doc:      "count more experts for every token, first, first+1, ..., with weight 1: i32[T, k], f32[T, k] -> [T, k+count]",
		Operands: slices.Concat(indices("ids"), values("weights")),
		Attrs:    []AttrSpec{{Key: "first", Kind: IntAttr}, {Key: "count", Kind: IntAttr}},
		Infer: func(in []Type, a Attrs) ([]Type, error) {
			if err := wantRouting(in[0], in[1]); err != nil {
				return nil, err
			}
			return inferAppended(in, a)
		},
		Shard: ShardNone,
	},
	routeOp,
	{
		Name: "moe.experts",
		Doc: "sum over slots of weight * down(act(gate x) * (up x)): x [T, H], ids i32[T, k], weights f32[T, k], " +
			"gate and up [E, I, H], down [E, H, I] -> [T, H]; act: dtype that rows are quantised to before each product",
		Operands: slices.Concat(values("x"), indices("ids"), values("weights"), operands(LinearOperand, "gate", "up", "down")),
		Attrs:    []AttrSpec{{Key: "activation", Kind: StringAttr}, {Key: "act", Kind: StringAttr, Optional: true}},
		Infer:    inferExperts,
		Work:     expertsWork,
		Shard:    ShardCustom,
		Surface: surface("experts", "the weighted sum of what each token's experts compute; body is what expert e computes, a gated MLP",
			"x [t, d], ids i32[t, k], weights f32[t, k] -> x[t, d]",
			func(l Lowering, a *Args) ([]*Value, error) {
				x := a.Tensor("x")
				gate, up, down, err := l.Experts(x, a.Int("count", 0), a.Values["body"])
				if err != nil {
					return nil, err
				}
				return l.Emit("moe.experts", []*Value{x, a.Tensor("ids"), a.Tensor("weights"), gate, up, down},
					Attr{"activation", "silu"})
			}, param("x", builtin.Tensor), param("ids", builtin.Tensor), param("weights", builtin.Tensor),
			param("count", builtin.Int), param("body", builtin.Body)),
	},
}

// maxAppended bounds the shared experts of a layer; models have one to a few.
const maxAppended = 1 << 10

// inferAppended widens ids and weights by the experts that are appended.
func inferAppended(in []Type, a Attrs) ([]Type, error) {
	if a.Int("count") < 1 || a.Int("count") > maxAppended || a.Int("first") < 0 {
		return nil, fmt.Errorf("appends %d experts from %d on", a.Int("count"), a.Int("first"))
	}
	wide := Fixed(in[0].Shape[1].Add + a.Int("count"))
	return []Type{{DType: in[0].DType, Shape: in[0].Shape.With(1, wide)}, {DType: in[1].DType, Shape: in[1].Shape.With(1, wide)}}, nil
}

func inferTopK(in []Type, a Attrs) ([]Type, error) { return inferChoice("scores", in[0], in[1], a) }

// inferChoice is the rule for a choice by scores, which go by that name in errors.
func inferChoice(name string, scores, bias Type, a Attrs) ([]Type, error) {
	if err := wantRank(name, scores, 2); err != nil {
		return nil, err
	}
	if scores.DType != dtype.F32 {
		return nil, fmt.Errorf("%s are %s: routing wants f32", name, scores)
	}
	if bias.Shape != nil {
		if err := wantWeight("bias", bias, scores.Shape[1]); err != nil {
			return nil, err
		}
	}
	if !scores.Shape[1].IsConst() {
		return nil, fmt.Errorf("%s are %s: the number of experts is not constant", name, scores)
	}
	n, k, groups, keep := scores.Shape[1].Add, a.Int("k"), a.Int("groups"), a.Int("keep")
	switch {
	case groups < 1 || n%groups != 0:
		return nil, fmt.Errorf("%d experts do not divide into %d groups", n, groups)
	case keep < 1 || keep > groups:
		return nil, fmt.Errorf("keep is %d of %d groups", keep, groups)
	case k < 1 || k > keep*(n/groups):
		return nil, fmt.Errorf("k is %d, but the kept groups hold %d experts", k, keep*(n/groups))
	}
	rows := scores.Shape[0]
	return []Type{TensorType(dtype.I32, rows, Fixed(k)), TensorType(dtype.F32, rows, Fixed(k))}, nil
}

func inferExperts(in []Type, a Attrs) ([]Type, error) {
	x, gate, up, down := in[0], in[3], in[4], in[5]
	if err := wantRank("x", x, 2); err != nil {
		return nil, err
	}
	if err := wantRouting(in[1], in[2]); err != nil {
		return nil, err
	}
	if in[1].Shape[0] != x.Shape[0] {
		return nil, fmt.Errorf("x is %s and ids are %s", x, in[1])
	}
	if act := a.Str("activation"); act != "silu" {
		return nil, fmt.Errorf("activation is %q: experts know silu", act)
	}
	if !gate.Equal(up) || len(gate.Shape) != 3 || gate.Shape[2] != x.Shape[1] {
		return nil, fmt.Errorf("gate is %s and up is %s for rows of %s values", gate, up, x.Shape[1])
	}
	if want := (Shape{gate.Shape[0], x.Shape[1], gate.Shape[1]}); !down.Shape.Equal(want) {
		return nil, fmt.Errorf("down is %s, wants %s", down, want)
	}
	return []Type{x}, nil
}

func wantRouting(ids, weights Type) error {
	if ids.DType != dtype.I32 || weights.DType != dtype.F32 || len(ids.Shape) != 2 || !ids.Shape.Equal(weights.Shape) || !ids.Shape[1].IsConst() {
		return fmt.Errorf("ids are %s and weights %s, want i32[T, k] and f32[T, k]", ids, weights)
	}
	return nil
}

// expertsWork counts the experts that s.Tokens tokens are expected to touch when the router is fair and each takes
// k different ones of E: E * (1 - (1 - k/E)^T). Experts that were appended for every token are always touched.
//
// Beside the operand and the result, two values go through memory between the two products, because the second
// one wants whole rows of what the first one makes: the inner channels of each slot, and each slot's row before the
// rows of a token are summed.
func expertsWork(n *Node, s Sizes) Work {
	gate, ids := n.Arg("gate").Type, n.Arg("ids")
	count, width, hidden := float64(gate.Shape[0].Add), float64(gate.Shape[1].Add), float64(gate.Shape[2].Add)
	slots, always := elems(ids.Type, s), float64(appended(ids))
	k, routed := float64(ids.Type.Shape[1].Add)-always, count-always
	touched := always
	if routed > 0 {
		touched += routed * (1 - math.Pow(max(1-k/routed, 0), slots/(k+always)))
	}
	all := weightBytes(n.Arg("gate")) + weightBytes(n.Arg("up")) + weightBytes(n.Arg("down"))
	weight := all * touched / count
	between := slots * (width + hidden) * float64(n.Out[0].Type.DType.Size())
	return Work{
		Flops:       6 * slots * width * hidden,
		ReadBytes:   bytesOf(n.In[0].Type, s) + weight + between,
		WriteBytes:  bytesOf(n.Out[0].Type, s) + between,
		WeightBytes: weight,
		Products:    2, Math: productDType(n, gate.DType), Rows: slots, Matrices: touched, Narrow: narrow(n, gate.DType),
	}
}

// appended is how many of a token's experts are the same for all tokens: those behind the choice of ids.
func appended(ids *Value) int {
	if ids.Def == nil {
		return 0
	}
	return ids.Def.Attrs.Int("count")
}
