package passes

import (
	"fmt"
	"strings"

	"github.com/glmc/glmc/compiler/ir"
)

// shareCommon computes once what is computed twice (value numbering, Cocke and Schwartz 1970): of two nodes with the
// same operator, operands and attributes the second one goes, and whatever read it reads the first.
//
// Why it is right: operators are functions of their operands and attributes; nothing in a graph is random. A cache
// is read as a value, its state after some write, so that two attentions over the same state are the same, and two
// with a write between them have different operands. A collective gives the same sum twice; all ranks run the same
// graph, so that all of them leave out the same one. Operands are the same value, or weights that are made in the
// same way of the same stored tensors in the same dtype, which become one weight.
//
// It must not touch what writes to a cache: the second of two equal writes has the state after the first as its
// operand, so they are not equal; and two writes to the same state would be a mistake that the verifier finds.
// Attributes must be the same to the bit: rope.apply with dims 2 and with dims 4 rotate other values.
//
// It stands behind the passes that match patterns, whose intermediate values must have one reader. In a model that
// writes silu(g) twice, for two products, each is fused with its own; shared, neither would be.
var shareCommon = &Pass{
	Name:    "share_common",
	Doc:     "what is computed twice from the same operands is computed once",
	Numeric: Exact,
	After: []Order{
		{"fold_shared_expert", "what a shared expert computes must have no other reader"},
		{"fuse_qknorm_rope_kv", "the rotated q and k must have no other reader"},
		{"fuse_route", "the scores must have no other reader"},
		{"fuse_swiglu", "the SiLU must have no other reader"},
		{"gather_last_token", "the output projection must have no other reader"},
	},
	Remarks: []RemarkKind{
		{"shared", true, "the same is computed elsewhere already"},
		{"weight", true, "two weights that are made alike are one"},
	},
	Run: func(c *Context) error {
		s := &sharer{c: c, weights: map[string]*ir.Weight{}}
		for _, g := range c.Module.Graphs {
			s.graph(g)
		}
		return nil
	},
}

type sharer struct {
	c       *Context
	weights map[string]*ir.Weight // the first weight that is made in a way
	first   map[string]*ir.Node   // the first node that computes something
}

func (s *sharer) graph(g *ir.Graph) {
	s.first = map[string]*ir.Node{}
	same := map[*ir.Value]*ir.Value{} // results of nodes that go, and what stands for them
	rw := ir.NewRewrite(g)
	for _, n := range g.Nodes {
		s.shareWeights(g, n)
		if writes(n) {
			continue
		}
		what := computation(n, same)
		old := s.first[what]
		if old == nil {
			s.first[what] = n
			continue
		}
		if !s.c.may(g, n.Origin) {
			continue
		}
		for i, v := range n.Out {
			same[v] = old.Out[i]
			rw.Replace(v, old.Out[i])
		}
		rw.Remove(n)
		s.c.applied(g, n.Origin, "shared", s.c.saved([]*ir.Node{n}, nil), "%s of the same operands is computed at %s", n.Op.Name, writtenAt(old))
	}
	rw.Apply()
}

// writtenAt names where a node comes from.
func writtenAt(n *ir.Node) string {
	if n.Origin.Layer < 0 {
		return n.Origin.Source
	}
	return fmt.Sprintf("%s in layer %d", n.Origin.Source, n.Origin.Layer)
}

// shareWeights makes operands that are made in the same way one weight.
func (s *sharer) shareWeights(g *ir.Graph, n *ir.Node) {
	for _, v := range n.In {
		if v == nil || v.Weight == nil {
			continue
		}
		what := v.Type.String() + v.Weight.Recipe.String()
		first := s.weights[what]
		if first == nil {
			s.weights[what] = v.Weight
			continue
		}
		if first != v.Weight && s.c.may(g, n.Origin) {
			s.c.applied(g, n.Origin, "weight", Saves{}, "%s is made as %s is: they are one weight", v.Weight.Name, first.Name)
			v.Weight = first
		}
	}
}

// writes reports whether a node changes a cache.
func writes(n *ir.Node) bool {
	for _, v := range n.Out {
		if v.Type.State {
			return true
		}
	}
	return false
}

// computation names what a node computes: two nodes with the same name give the same results. same says which operands
// stand for others.
func computation(n *ir.Node, same map[*ir.Value]*ir.Value) string {
	var b strings.Builder
	b.WriteString(n.Op.Name)
	for _, v := range n.In {
		if old := same[v]; old != nil {
			v = old
		}
		switch {
		case v == nil:
			b.WriteString(" none")
		case v.Weight != nil:
			fmt.Fprintf(&b, " weight %q", v.Weight.Name)
		case v.Cache != nil:
			fmt.Fprintf(&b, " cache %q", v.Cache.Name)
		default:
			fmt.Fprintf(&b, " %%%d", v.ID)
		}
	}
	for _, spec := range n.Op.Attrs {
		if v := n.Attrs.Get(spec.Key); v != nil {
			fmt.Fprintf(&b, " %s: %#v", spec.Key, v)
		}
	}
	return b.String()
}
