package passes

import (
	"fmt"
	"maps"

	"github.com/glmc/glmc/compiler/ir"
)

// shardTensorParallel splits the module over ranks (Shoeybi et al. 2019, Megatron-LM): projections into heads
// or hidden channels by rows (column parallel), projections out of them by columns (row parallel) with an
// all-reduce behind, experts by their hidden channels, the output projection by vocabulary with an all-gather.
//
// Nothing in it knows names or roles. A projection of a whole value may be split; the split travels along
// the data flow (shard_flow.go) through operators that can work on a part, until a projection or the experts
// contract over the split dimension, which leaves each rank with a partial sum. Partial sums are added up
// over ranks as late as an operator allows, so that two of them (routed and shared experts) cost one
// collective. A split that meets an operator which wants the whole value is taken back at the projection
// that began it, and the flow is worked out anew; projections only ever lose splits, so this ends.
//
// Heads decide how far keys and values split: with fewer key heads than ranks, neighbouring ranks hold the
// same head, the one that their query heads belong to.
//
// It is one site: where a projection splits depends on what all others do, and a module is written for one number
// of ranks.
//
// A bias behind a contraction is kept by rank 0 alone: every rank adding it would count it ranks times.
var shardTensorParallel = &Pass{
	Name:    "shard_tensor_parallel",
	Doc:     "weights split over tensor-parallel ranks, collectives where partial results meet",
	Numeric: Reassociates,
	After: []Order{
		{"fold_shared_expert", "the folded experts are split as one weight"},
		{"fuse_qknorm_rope_kv", "the fusion matches whole heads' operators and the split then covers the fused one"},
		{"quantise", "a channel's scale is that of its whole row, not of one rank's part"},
		{"gather_last_token", "the vocabulary is gathered for the wanted rows only"},
	},
	Remarks: []RemarkKind{
		{"column", true, "a projection is split by output channels"},
		{"row", true, "a projection is split by input channels, and the partial sums are reduced over the ranks"},
		{"experts", true, "experts are split by hidden channels, and the partial sums are reduced over the ranks"},
		{"indivisible", false, "a projection stays whole on every rank, because it does not divide by their number"},
		{"replicated", false, "a projection stays whole on every rank, because it is meant to, such as a router"},
	},
	Run: func(c *Context) error {
		ranks := c.Options.TensorParallel
		if ranks <= 1 {
			return nil
		}
		if c.Module.Ranks != 1 {
			return fmt.Errorf("the module is already written for %d ranks", c.Module.Ranks)
		}
		if !c.mayAll() {
			return nil
		}
		weights := map[shardKey]*ir.Weight{}
		heads := map[*ir.Cache]int{}
		flows := settleFlows(c.Module, ranks)
		for i, g := range c.Module.Graphs {
			s := &sharder{c: c, g: g, flow: flows[i], ranks: ranks, weights: weights}
			if err := s.rewrite(); err != nil {
				return err
			}
			maps.Copy(heads, flows[i].caches)
		}
		for cache, parts := range heads {
			cache.Heads /= parts
		}
		c.Module.Ranks = ranks
		return nil
	},
}

// shardKey names a part of a weight, so that two uses of the same part share it.
type shardKey struct {
	weight *ir.Weight
	dim    int
	parts  int
}

// leadDim is the dim of a shardKey for a bias that only rank 0 keeps.
const leadDim = -1

type sharder struct {
	c       *Context
	g       *ir.Graph
	flow    *flow
	ranks   int
	weights map[shardKey]*ir.Weight
	summed  map[*ir.Value]*ir.Value // partial value -> its all-reduced one
}

// rewrite puts the settled flow into the graph: parts of weights, types of parts, collectives.
func (s *sharder) rewrite() error {
	s.summed = map[*ir.Value]*ir.Value{}
	nodes := s.g.Nodes
	s.g.Nodes = make([]*ir.Node, 0, len(nodes)+len(nodes)/8)
	for _, n := range nodes {
		if err := s.node(n); err != nil {
			return fmt.Errorf("%s at %s: %w", n.Op.Name, n.Origin.Source, err)
		}
	}
	for i, v := range s.g.Outputs {
		out, err := s.whole(v)
		if err != nil {
			return err
		}
		s.g.Outputs[i] = out
	}
	return nil
}

func (s *sharder) node(n *ir.Node) error {
	if !s.flow.keepsPartial[n] {
		for i, v := range n.In {
			if v != nil && s.flow.states[v].kind == partial {
				sum, err := s.sum(v)
				if err != nil {
					return err
				}
				n.In[i] = sum
			}
		}
	}
	s.splitWeights(n)
	s.splitShape(n)
	if parts := s.flow.parts[n]; n.Op.Name == "repeat.heads" && parts > 1 {
		n.Attrs = n.Attrs.With("heads", int64(n.Attrs.Int("heads")/parts))
	}
	if err := n.Reinfer(); err != nil {
		return err
	}
	s.g.Nodes = append(s.g.Nodes, n)
	return nil
}

// splitWeights replaces a node's weights by the rank's part of them.
func (s *sharder) splitWeights(n *ir.Node) {
	switch n.Op.Name {
	case "linear", "linear.f32":
		s.splitLinear(n)
	case "moe.experts":
		s.splitExperts(n)
	}
}

func (s *sharder) splitLinear(n *ir.Node) {
	parts, name := s.flow.parts[n], n.Arg("w").Weight.Name
	switch {
	case s.flow.contracts[n]:
		s.part(n, "w", 1, s.ranks)
		s.part(n, "bias", leadDim, s.ranks)
		s.c.applied(s.g, n.Origin, "row", Saves{}, "%s split by input channels, partial sums reduced over ranks", name)
	case parts > 1:
		s.part(n, "w", 0, parts)
		s.part(n, "bias", 0, parts)
		s.c.applied(s.g, n.Origin, "column", Saves{}, "%s split by output channels into %d parts", name, parts)
	default:
		s.c.missed(s.g, n.Origin, s.missedID(n), "%s stays whole on every rank: %s", name, s.flow.reason(n))
	}
}

// missedID tells what another number of ranks would split from what is meant to be whole, such as a router.
func (s *sharder) missedID(n *ir.Node) string {
	if s.flow.odd[n] {
		return "indivisible"
	}
	return "replicated"
}

func (s *sharder) splitExperts(n *ir.Node) {
	parts, gate := s.flow.parts[n], n.Arg("gate").Weight
	if parts <= 1 {
		s.c.missed(s.g, n.Origin, s.missedID(n), "the experts stay whole on every rank: %s", s.flow.reason(n))
		return
	}
	s.part(n, "gate", 1, parts)
	s.part(n, "up", 1, parts)
	s.part(n, "down", 2, parts)
	s.c.applied(s.g, n.Origin, "experts", Saves{}, "%d experts split by hidden channels, partial sums reduced over ranks", gate.Shape[0])
}

func (s *sharder) part(n *ir.Node, operand string, dim, parts int) {
	v := n.Arg(operand)
	if v == nil {
		return
	}
	key := shardKey{v.Weight, dim, parts}
	w := s.weights[key]
	if w == nil {
		w = s.declare(v.Weight, dim, parts)
		s.weights[key] = w
	}
	n.In[n.Op.Operand(operand)] = s.g.Load(w)
}

func (s *sharder) declare(whole *ir.Weight, dim, parts int) *ir.Weight {
	w := &ir.Weight{DType: whole.DType, Shape: append([]int(nil), whole.Shape...)}
	if dim == leadDim {
		w.Name, w.Recipe = whole.Name+" @lead", ir.Lead(whole.Recipe)
	} else {
		w.Name = fmt.Sprintf("%s @%d/%d", whole.Name, dim, parts)
		w.Recipe = ir.Shard(whole.Recipe, dim, parts, s.ranks/parts)
		w.Shape[dim] /= parts
	}
	s.c.Module.Weights = append(s.c.Module.Weights, w)
	return w
}

// splitShape divides the dimension of a reshape's target that is split.
func (s *sharder) splitShape(n *ir.Node) {
	if n.Op.Name != "reshape" {
		return
	}
	if st := s.flow.states[n.Out[0]]; st.kind == split {
		shape, _ := n.Attrs.Get("shape").(ir.Shape)
		n.Attrs = n.Attrs.With("shape", shape.With(st.dim, ir.Fixed(shape[st.dim].Add/st.parts)))
	}
}

// sum returns the all-reduced value of a partial one, adding the collective at its first use.
func (s *sharder) sum(v *ir.Value) (*ir.Value, error) {
	if out := s.summed[v]; out != nil {
		return out, nil
	}
	n, err := s.g.NewNode("comm.all_reduce", []*ir.Value{v}, nil, v.Def.Origin)
	if err != nil {
		return nil, err
	}
	s.g.Nodes = append(s.g.Nodes, n)
	s.summed[v] = n.Out[0]
	return n.Out[0], nil
}

// whole returns an output as every rank must hold it.
func (s *sharder) whole(v *ir.Value) (*ir.Value, error) {
	switch st := s.flow.states[v]; st.kind {
	case partial:
		return s.sum(v)
	case split:
		n, err := s.g.NewNode("comm.all_gather", []*ir.Value{v}, ir.Attrs{{Key: "ranks", Value: int64(s.ranks)}}, v.Def.Origin)
		if err != nil {
			return nil, err
		}
		s.g.Nodes = append(s.g.Nodes, n)
		return n.Out[0], nil
	}
	return v, nil
}
