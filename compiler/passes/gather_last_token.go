package passes

import (
	"fmt"
	"slices"

	"github.com/glmc/glmc/compiler/ir"
)

// gatherLastToken lets only the rows whose logits are wanted reach the output projection:
//
//	logits = cast(linear(x, head))  =>  logits = cast(linear(gather.rows(x, rows), head))
//
// An entry's first result is its logits. Rows are projected one by one, so the rows that remain have the
// same bits; the caller says in the input rows which they are (the last of each sequence when generating, all
// of them for prompt log-probabilities). Without the pass a prefill of 16384 tokens would compute, and hold,
// 16384 x 151552 logits to use one row of them.
//
// It fires only through operators that work row by row. An operator that mixes rows between the gather and
// the output would see fewer of them, and so would whatever else reads the logits.
var gatherLastToken = &Pass{
	Name:    "gather_last_token",
	Doc:     "only the rows whose logits are wanted reach the output projection",
	Numeric: Exact,
	After:   []Order{{"remove_dead", "a reader that nobody reads would count as another reader of the logits"}},
	Remarks: []RemarkKind{
		{"gathered", true, "only the rows whose logits are wanted are projected"},
		{"no_projection", false, "the logits come from no projection that only they use"},
		{"other_reader", false, "something else reads the logits too"},
		{"rows", false, "the projection does not work on one row for each token"},
		{"input_taken", false, "the entry has an input of that name of its own"},
	},
	Run: func(c *Context) error {
		for _, g := range c.Module.Graphs {
			if err := gatherRows(c, g); err != nil {
				return err
			}
		}
		return nil
	},
}

// rowsInput is the name of the entry's input that says which rows are wanted.
const rowsInput = "rows"

func gatherRows(c *Context, g *ir.Graph) error {
	if len(g.Outputs) == 0 || g.Outputs[0].Def == nil {
		return nil
	}
	logits := g.Outputs[0]
	chain, why := projection(g)
	if chain == nil {
		c.missed(g, logits.Def.Origin, why.id, "%s", why.text)
		return nil
	}
	head := chain[0]
	if !c.may(g, head.Origin) {
		return nil
	}
	b := &ir.Builder{Graph: g, Origin: head.Origin}
	v := b.One("gather.rows", []*ir.Value{head.Arg("x"), g.Input(rowsInput, ir.RowsInput)})
	for _, n := range chain {
		b.Origin = n.Origin
		v = b.One(n.Op.Name, append([]*ir.Value{v}, n.In[1:]...), n.Attrs...)
	}
	if err := b.Err(); err != nil {
		return err
	}
	rw := ir.NewRewrite(g)
	rw.After(logits.Def, b.Nodes...)
	rw.Remove(chain...)
	rw.Replace(logits, v)
	rw.Apply()
	c.applied(g, head.Origin, "gathered", c.saved(chain, b.Nodes), "only wanted rows are projected to %s logits", logits.Type.Shape.Last())
	return nil
}

// projection returns the nodes from the output projection to the logits, in order, or says why they cannot
// work on fewer rows.
func projection(g *ir.Graph) ([]*ir.Node, missReason) {
	logits, users := g.Outputs[0], g.Users()
	chain := []*ir.Node{logits.Def}
	for chain[0].Op.Name == "cast" {
		x := chain[0].In[0]
		if x.Def == nil || len(users[x]) > 1 || g.IsOutput(x) {
			return nil, missReason{"no_projection", "the logits are no projection that only they use"}
		}
		chain = append([]*ir.Node{x.Def}, chain...)
	}
	if chain[0].Op.Name != "linear" {
		return nil, missReason{"no_projection", fmt.Sprintf("the logits come from %s, which is no projection", chain[0].Op.Name)}
	}
	if len(users[logits]) > 0 || slices.Contains(g.Outputs[1:], logits) {
		return nil, missReason{"other_reader", "something else reads the logits too"}
	}
	if s := chain[0].Arg("x").Type.Shape; len(s) != 2 || s[0] != ir.Symbolic(ir.T) {
		return nil, missReason{"rows", fmt.Sprintf("the output projection works on %s, not on one row for each token", chain[0].Arg("x").Type)}
	}
	for _, v := range g.Inputs {
		if v.Input == rowsInput && !v.Type.Equal(ir.RowsInput) {
			return nil, missReason{"input_taken", fmt.Sprintf("the entry has an input %q of its own", rowsInput)}
		}
	}
	return chain, missReason{}
}
