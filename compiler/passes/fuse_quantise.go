package passes

import (
	"fmt"
	"slices"
	"strings"

	"github.com/glmc/glmc/compiler/ir"
)

// fuseQuantise puts the quantisation of rows into the operator that makes them:
//
//	n = norm.rms(x, w); c, s = quant.rows(n)  =>  c, s = norm.rms_quant(x, w)
//
// and likewise behind an add and norm, with or without the all-reduce before it, and behind the gate of an MLP. The
// rows themselves are there too (plain) where something else reads them: a router takes its norm in bf16, and a
// residual goes on from the sum.
//
// Why it is right: the fused operator is defined as that expression (ir.Op.Expand), the rows being rounded to their
// dtype before their largest value is looked for. Without that a value between two bf16 could be the largest, and
// every code of the row another.
//
// It must not fire where the quantised rows are another result than the operator's last: the sum of norm.add_rms is
// not normalised. Nor where the rows were reshaped on the way, and are longer or shorter. Nor can it where a kernel does
// not hold a whole row: attention kernels compute heads apart, and a row that goes into o_proj is that of all heads.
//
// It stands behind the fusions that make the operators it looks for.
var fuseQuantise = &Pass{
	Name:    "fuse_quantise",
	Doc:     "rows are quantised to fp8 in the kernel that makes them",
	Numeric: Exact,
	After: []Order{
		{"quantise_rows", "it makes the quantisation an operator of its own"},
		{"fuse_swiglu", "the gate is one operator then"},
		{"fuse_add_norm", "a norm that quantises is not fused with the add before it any more"},
		{"fuse_allreduce_add_norm", "an add and norm that quantises is not fused with the all-reduce before it any more"},
	},
	Remarks: []RemarkKind{
		{"fused", true, "the operator that makes the rows quantises them"},
		{"given", false, "no operator makes the rows"},
		{"heads", false, "a row is that of all heads, which the operator that makes it computes apart"},
		{"maker", false, "the operator that makes the rows has no form that quantises them"},
		{"reshaped", false, "the operator makes rows of another length, which are reshaped on the way"},
		{"other_result", false, "the rows are another than the operator's last result"},
		{"quantised", false, "the operator quantises these rows already"},
	},
	Run: func(c *Context) error {
		for _, g := range c.Module.Graphs {
			f := &quantiseFuse{c: c, g: g, users: g.Users(), rw: ir.NewRewrite(g), taken: map[*ir.Node]bool{}}
			for _, n := range g.Nodes {
				if n.Op.Name == "quant.rows" {
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

type quantiseFuse struct {
	c     *Context
	g     *ir.Graph
	users map[*ir.Value][]*ir.Node
	rw    *ir.Rewrite
	taken map[*ir.Node]bool // operators that quantise already
}

func (f *quantiseFuse) visit(q *ir.Node) error {
	x := q.Arg("x")
	if why := f.cannot(x); why != (missReason{}) {
		f.c.missed(f.g, q.Origin, why.id, "%s", why.text)
		return nil
	}
	if !f.c.may(f.g, q.Origin) {
		return nil
	}
	from, attrs := x.Def, x.Def.Attrs
	others := f.others(x, q)
	if others != "" {
		attrs = attrs.With("plain", int64(1))
	}
	b := &ir.Builder{Graph: f.g, Origin: from.Origin}
	out := b.Emit(ir.Quantised(from.Op).Name, from.In, attrs...)
	if err := b.Err(); err != nil {
		return err
	}
	f.taken[from] = true
	f.rw.Before(from, b.Nodes...)
	for i, v := range from.Out {
		if v != x || others != "" {
			f.rw.Replace(v, out[i])
		}
	}
	f.rw.Replace(q.Out[0], out[len(out)-2])
	f.rw.Replace(q.Out[1], out[len(out)-1])
	f.rw.Remove(from, q)
	note := fmt.Sprintf("%s quantises its rows", from.Op.Name)
	if others != "" {
		note += fmt.Sprintf(", and keeps them in %s for %s", x.Type.DType, others)
	}
	f.c.applied(f.g, q.Origin, "fused", f.c.saved([]*ir.Node{from, q}, b.Nodes), "%s", note)
	return nil
}

// cannot says why the rows x cannot be quantised by what makes them.
func (f *quantiseFuse) cannot(x *ir.Value) missReason {
	from := x.Def
	for from != nil && from.Op.View {
		from = from.In[0].Def
	}
	switch {
	case from == nil:
		return missReason{"given", "no operator makes the rows"}
	case strings.HasPrefix(from.Op.Name, "attn."):
		return missReason{"heads", fmt.Sprintf("a row is that of all heads, and %s computes heads apart", from.Op.Name)}
	case ir.Quantised(from.Op) == nil:
		return missReason{"maker", fmt.Sprintf("%s, which makes the rows, has no form that quantises them", from.Op.Name)}
	case from != x.Def:
		return missReason{"reshaped", fmt.Sprintf("%s makes rows of another shape", from.Op.Name)}
	case x != from.Out[len(from.Out)-1]:
		return missReason{"other_result", fmt.Sprintf("%s quantises its last result, and this is another", from.Op.Name)}
	case f.taken[from]:
		return missReason{"quantised", fmt.Sprintf("%s quantises these rows already", from.Op.Name)}
	}
	return missReason{}
}

// others names what reads rows beside their quantisation, "" where nothing does.
func (f *quantiseFuse) others(x *ir.Value, q *ir.Node) string {
	var names []string
	for _, n := range f.users[x] {
		if n != q && !slices.Contains(names, n.Op.Name) {
			names = append(names, n.Op.Name)
		}
	}
	if f.g.IsOutput(x) {
		names = append(names, "the caller")
	}
	return strings.Join(names, ", ")
}
