package ir

import (
	"fmt"
	"slices"
)

// commOps are collectives over the tensor-parallel ranks.
var commOps = []*Op{
	{
		Name:     "comm.all_reduce",
		Doc:      "the sum of x over ranks, the same bits on each",
		Operands: values("x"),
		Infer:    sameType,
		Work: func(n *Node, s Sizes) Work {
			b := bytesOf(n.In[0].Type, s)
			return Work{ReadBytes: b, WriteBytes: b, CommBytes: b}
		},
		Shard: ShardCustom,
		// As NCCL does: a rank's part is overwritten when all ranks have read it.
		InPlace: []InPlace{{0, 0}},
	},
	{
		Name: "comm.all_reduce_add_rms",
		Doc: "norm.add_rms of residual and the sum of x over ranks, which is rounded to its dtype first: " +
			"x and residual [..., D], w [D] -> [..., D], [..., D]",
		Operands: slices.Concat(values("x", "residual"), operands(WeightOperand, "w")),
		Attrs:    []AttrSpec{{Key: "eps", Kind: FloatAttr}},
		Infer:    func(in []Type, _ Attrs) ([]Type, error) { return inferAddNorm("x", "residual", in) },
		Work: func(n *Node, s Sizes) Work {
			w := pointwiseWork(3)(n, s) // that of norm.add_rms
			w.CommBytes = bytesOf(n.In[0].Type, s)
			return w
		},
		Shard: ShardNone, // fuse_allreduce_add_norm runs on what each rank holds
		// x goes to the ranks first; the residual is needed until the row of the sum is complete.
		InPlace: []InPlace{{0, 0}, {1, 1}, {1, 0}},
		Expand: func(b *Builder, n *Node) []*Value {
			reduced := b.One("comm.all_reduce", []*Value{n.Arg("x")})
			sum := b.One("add", []*Value{n.Arg("residual"), reduced})
			return []*Value{sum, b.One("norm.rms", []*Value{sum, n.Arg("w")}, n.Attrs...)}
		},
	},
	{
		Name:     "comm.all_gather",
		Doc:      "the ranks' columns side by side: x [..., N] -> [..., N * ranks]",
		Operands: values("x"),
		Attrs:    []AttrSpec{{Key: "ranks", Kind: IntAttr}},
		Infer: func(in []Type, a Attrs) ([]Type, error) {
			if len(in[0].Shape) == 0 || !in[0].Shape.Last().IsConst() {
				return nil, fmt.Errorf("x is %s, wants a constant last dimension", in[0])
			}
			if err := wantRanks(a); err != nil {
				return nil, err
			}
			last := len(in[0].Shape) - 1
			return []Type{{DType: in[0].DType, Shape: in[0].Shape.With(last, Fixed(in[0].Shape[last].Add*a.Int("ranks")))}}, nil
		},
		Work: func(n *Node, s Sizes) Work {
			b := bytesOf(n.In[0].Type, s)
			out := bytesOf(n.Out[0].Type, s)
			return Work{ReadBytes: out, WriteBytes: out, CommBytes: b}
		},
		Shard: ShardCustom,
	},
}

func wantRanks(a Attrs) error {
	if ranks := a.Int("ranks"); ranks < 1 || ranks > MaxRanks {
		return fmt.Errorf("ranks is %d: wants 1 to %d", ranks, MaxRanks)
	}
	return nil
}
