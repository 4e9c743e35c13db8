package passes

import "github.com/glmc/glmc/compiler/ir"

// removeDead takes out nodes whose results nobody reads, and what only they read. Writes to a cache are read by later
// steps and stay.
//
// It stands first, because passes that match patterns count readers: a sum that nobody reads would keep what it adds
// from being fused, as if it mattered.
var removeDead = &Pass{
	Name:    "remove_dead",
	Doc:     "drops what is computed and read by nobody",
	Numeric: Exact,
	Remarks: []RemarkKind{
		{"unread", true, "nothing reads what the operator gives"},
	},
	Run: func(c *Context) error {
		for _, g := range c.Module.Graphs {
			for _, n := range g.RemoveDead(func(n *ir.Node) bool { return c.may(g, n.Origin) }) {
				c.applied(g, n.Origin, "unread", c.saved([]*ir.Node{n}, nil), "nothing reads what %s gives", n.Op.Name)
			}
		}
		return nil
	},
}
