package ir

import (
	"fmt"
	"slices"
)

// routeOp is everything between a router's logits and the routed experts.
var routeOp = &Op{
	Name: "moe.route",
	Doc: "experts and weights of each token: score (sigmoid or softmax) of logits f32[T, E], moe.top_k of it, weights divided by " +
		"their sum plus shift, times scale, and count more experts from first on with weight 1 -> i32[T, k+count], f32[T, k+count]",
	Operands: []Operand{{Name: "logits"}, {Name: "bias", Kind: WeightOperand, Optional: true}},
	Attrs: []AttrSpec{
		{Key: "score", Kind: StringAttr}, {Key: "k", Kind: IntAttr}, {Key: "groups", Kind: IntAttr}, {Key: "keep", Kind: IntAttr},
		{Key: "normalise", Kind: IntAttr, Optional: true}, {Key: "shift", Kind: FloatAttr, Optional: true},
		{Key: "scale", Kind: FloatAttr, Optional: true},
		{Key: "first", Kind: IntAttr, Optional: true}, {Key: "count", Kind: IntAttr, Optional: true},
	},
	Infer:  inferRoute,
	Work:   routeWork,
	Shard:  ShardNone, // the choice is among all experts
	Expand: expandRoute,
}

func inferRoute(in []Type, a Attrs) ([]Type, error) {
	out, err := inferChoice("logits", in[0], in[1], a)
	if err != nil {
		return nil, err
	}
	if score := a.Str("score"); score != "sigmoid" && score != "softmax" {
		return nil, fmt.Errorf("score is %q: wants sigmoid or softmax", score)
	}
	if n := a.Get("normalise"); n != nil && n != int64(1) {
		return nil, fmt.Errorf("normalise is %d: wants 1, or to be left out", n)
	}
	if a.Get("shift") != nil && a.Get("normalise") == nil {
		return nil, fmt.Errorf("there is a shift without normalise")
	}
	if (a.Get("first") == nil) != (a.Get("count") == nil) {
		return nil, fmt.Errorf("first and count go together")
	}
	if a.Get("count") == nil {
		return out, nil
	}
	return inferAppended(out, a)
}

// routeWork reads the logits and the bias once, and counts the operations of the expression that it stands for.
func routeWork(n *Node, s Sizes) Work {
	w := pointwiseWork(0)(n, s)
	logits, k, rows := n.In[0].Type, float64(n.Attrs.Int("k")), float64(n.In[0].Type.Shape[0].Eval(s))
	perScore := 3.0
	if n.Attrs.Str("score") == "softmax" {
		perScore = 5
	}
	w.Flops = perScore*elems(logits, s) + 16*rows*k
	if n.Attrs.Get("normalise") != nil {
		w.Flops += rows * (1 + k)
	}
	if n.Attrs.Get("shift") != nil {
		w.Flops += rows
	}
	if n.Attrs.Get("scale") != nil {
		w.Flops += rows * k
	}
	if n.Attrs.Get("count") != nil {
		w.Flops += elems(n.Out[0].Type, s) + elems(n.Out[1].Type, s)
	}
	return w
}

// expandRoute is what moe.route stands for.
func expandRoute(b *Builder, n *Node) []*Value {
	scores := b.One("act."+n.Attrs.Str("score"), []*Value{n.Arg("logits")})
	chosen := b.Emit("moe.top_k", []*Value{scores, n.Arg("bias")}, pickAttrs(n.Attrs, "k", "groups", "keep")...)
	ids, weights := chosen[0], chosen[1]
	if n.Attrs.Get("normalise") != nil {
		sum := b.One("reduce.sum", []*Value{weights})
		if by := n.Attrs.Get("shift"); by != nil {
			sum = b.One("shift", []*Value{sum}, Attr{"by", by})
		}
		weights = b.One("div", []*Value{weights, sum})
	}
	if by := n.Attrs.Get("scale"); by != nil {
		weights = b.One("scale", []*Value{weights}, Attr{"by", by})
	}
	if n.Attrs.Get("count") != nil {
		return b.Emit("moe.append_shared", []*Value{ids, weights}, pickAttrs(n.Attrs, "first", "count")...)
	}
	return []*Value{ids, weights}
}

// pickAttrs returns the attributes of these names.
func pickAttrs(a Attrs, keys ...string) Attrs {
	return slices.DeleteFunc(slices.Clone(a), func(x Attr) bool { return !slices.Contains(keys, x.Key) })
}
