package ir

import "fmt"

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
		Name:     "comm.all_gather",
		Doc:      "the ranks' columns side by side: x [..., N] -> [..., N * ranks]",
		Operands: values("x"),
		Attrs:    []AttrSpec{{Key: "ranks", Kind: IntAttr}},
		Infer: func(in []Type, a Attrs) ([]Type, error) {
			if len(in[0].Shape) == 0 || !in[0].Shape.Last().IsConst() {
				return nil, fmt.Errorf("x is %s, wants a constant last dimension", in[0])
			}
			ranks := a.Int("ranks")
			if ranks < 1 || ranks > MaxRanks {
				return nil, fmt.Errorf("ranks is %d: wants 1 to %d", ranks, MaxRanks)
			}
			last := len(in[0].Shape) - 1
			return []Type{{DType: in[0].DType, Shape: in[0].Shape.With(last, Fixed(in[0].Shape[last].Add*ranks))}}, nil
		},
		Work: func(n *Node, s Sizes) Work {
			b := bytesOf(n.In[0].Type, s)
			out := bytesOf(n.Out[0].Type, s)
			return Work{ReadBytes: out, WriteBytes: out, CommBytes: b}
		},
		Shard: ShardCustom,
	},
}
