package passes

import (
	"fmt"

	"github.com/glmc/glmc/compiler/ir"
)

// fuseSwiGLU puts the gate of a gated MLP into one operator (Shazeer, arXiv:2002.05202):
//
//	s = act.silu(gate); h = s * up  =>  h = act.swiglu(gate, up)
//
// It fires in the dense layers' MLP, and in the shared expert where that was not folded into the routed ones,
// whose operator has its own.
//
// Why it is right: the fused operator is defined as that expression (ir.Op.Expand), silu(gate) being rounded to
// its dtype before it is multiplied. A product does not depend on the order of its factors, so up * silu(gate)
// is the same.
//
// It must not fire where something else reads silu(gate) too: the value would be gone, or computed twice. That
// includes the product itself: s * s is silu(gate) squared, which has no up. Nor where up is spread over the
// rows, as a shared expert's gate of one value a token would be: silu(gate) [T, 8] * up [T, 1].
//
// It stands behind fold_shared_expert, which knows a shared expert by its silu and product. On which side of
// shard_tensor_parallel it stands makes no difference: the operator works on each element, so parts of gate and
// up that are split alike give the part of the result, as silu and product did; and operands that are partial
// sums are reduced before it, as before silu and product, because neither is linear in both. quantise and
// gather_last_token look at projections only.
var fuseSwiGLU = &Pass{
	Name:    "fuse_swiglu",
	Doc:     "SiLU of the gate and the product with up in one kernel",
	Numeric: Exact,
	After: []Order{
		{"remove_dead", "a reader that nobody reads would count as another reader of the SiLU"},
		{"remove_identities", "a scaling by one between the gate and the product would hide the pattern"},
		{"fold_shared_expert", "a shared expert is known by its silu and its product"},
	},
	Remarks: []RemarkKind{
		{"fused", true, "the activation of the gate and the product are one kernel"},
		{"other_reader", false, "something else reads the activation too"},
		{"broadcast", false, "one factor is spread over the other"},
	},
	Run: func(c *Context) error {
		for _, g := range c.Module.Graphs {
			f := &swigluFuse{c: c, g: g, users: g.Users(), rw: ir.NewRewrite(g)}
			for _, n := range g.Nodes {
				if n.Op.Name == "mul" {
					if err := f.visit(n); err != nil {
						return err
					}
				}
			}
			f.rw.Apply()
		}
		return nil
	},
}

type swigluFuse struct {
	c     *Context
	g     *ir.Graph
	users map[*ir.Value][]*ir.Node
	rw    *ir.Rewrite
}

// visit fuses a product with the silu of one of its factors. A product without one is no site.
func (f *swigluFuse) visit(mul *ir.Node) error {
	silu, up, why := f.match(mul)
	if silu == nil {
		if why != (missReason{}) {
			f.c.missed(f.g, mul.Origin, why.id, "%s", why.text)
		}
		return nil
	}
	if !f.c.may(f.g, mul.Origin) {
		return nil
	}
	b := &ir.Builder{Graph: f.g, Origin: mul.Origin}
	out := b.One("act.swiglu", []*ir.Value{silu.In[0], up})
	if err := b.Err(); err != nil {
		return err
	}
	f.rw.Before(mul, b.Nodes...)
	f.rw.Replace(mul.Out[0], out)
	f.rw.Remove(silu, mul)
	f.c.applied(f.g, mul.Origin, "fused", f.c.saved([]*ir.Node{silu, mul}, b.Nodes),
		"SiLU and product of %s values a token in one", mul.Out[0].Type.Shape.Last())
	return nil
}

// match returns the silu and the other factor, or why neither factor can be fused; no reason where neither is
// a silu.
func (f *swigluFuse) match(mul *ir.Node) (silu *ir.Node, up *ir.Value, why missReason) {
	for i, s := range mul.In {
		up := mul.In[1-i]
		switch {
		case s.Def == nil || s.Def.Op.Name != "act.silu":
		case len(f.users[s]) != 1 || f.g.IsOutput(s) || s == up:
			why = missReason{"other_reader", "the SiLU is read by something else too, or multiplied with itself"}
		case !s.Type.Equal(up.Type):
			why = missReason{"broadcast", fmt.Sprintf("the factors are %s and %s: one is spread over the other", mul.In[0].Type, mul.In[1].Type)}
		default:
			return s.Def, up, missReason{}
		}
	}
	return nil, nil, why
}
