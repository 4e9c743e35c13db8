package passes

import "github.com/glmc/glmc/compiler/ir"

// removeIdentities takes out nodes that return their operand: a cast to the dtype that it has already, and a
// scale by one. Both return every value as it came, NaN and -0 included.
//
// A shift by zero is not one of them: -0 + 0 is +0.
var removeIdentities = &Pass{
	Name:    "remove_identities",
	Doc:     "drops casts to the same dtype and scalings by one",
	Numeric: Exact,
	Remarks: []RemarkKind{
		{"cast", true, "a cast to the dtype that the value has already is gone"},
		{"scale", true, "a scaling by one is gone"},
	},
	Run: func(c *Context) error {
		for _, g := range c.Module.Graphs {
			rw := ir.NewRewrite(g)
			for _, n := range g.Nodes {
				if isIdentity(n) && c.may(g, n.Origin) {
					rw.Replace(n.Out[0], n.In[0])
					rw.Remove(n)
					c.applied(g, n.Origin, n.Op.Name, c.saved([]*ir.Node{n}, nil), "%s changes nothing", n.Op.Name)
				}
			}
			rw.Apply()
		}
		return nil
	},
}

func isIdentity(n *ir.Node) bool {
	switch n.Op.Name {
	case "cast":
		return n.In[0].Type.DType == n.Out[0].Type.DType
	case "scale":
		return n.Attrs.Float("by") == 1
	}
	return false
}
