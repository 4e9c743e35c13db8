package passes

import (
	"slices"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/kernels/dtype"
)

// quantiseRows makes the quantisation of the rows that go into fp8 Linears an operator of its own, one for all of them
// that read the same rows:
//
//	a = linear(x, v) {act}; b = linear(x, w) {act}  =>  c, s = quant.rows(x); a = linear.w8a8(c, s, v); b = linear.w8a8(c, s, w)
//
// The attribute act says what a projection computes, and hides a kernel: on a GPU somebody has to find the largest
// value of a row before the first code of it can be made. Here it can be counted, shared, and fused into what makes
// the rows (fuse_quantise). The experts' first product takes codes in the same way; the rows between their products
// stay inside of their kernel.
//
// Why it is right: linear with act is quant.rows and linear.w8a8 in one, and the experts likewise. Codes and scales
// depend on the row alone, so readers of one row can share them.
//
// It must not fire where a weight is not fp8: its projection is no product of two fp8 matrices, whatever its input.
//
// It stands behind everything that looks for projections by their operator, and behind the split over ranks, where a
// rank quantises the part of a row that it holds.
var quantiseRows = &Pass{
	Name:    "quantise_rows",
	Doc:     "rows that go into fp8 Linears are quantised once for all of them, by an operator of its own",
	Numeric: Exact,
	After: []Order{
		{"quantise", "it decides which inputs are quantised"},
		{"merge_qkv", "it looks for projections by their operator"},
		{"merge_gate_up", "it looks for projections by their operator"},
		{"gather_last_token", "only the rows whose logits are wanted are quantised then"},
		{"shard_tensor_parallel", "a rank takes the scale of the part of a row that it holds"},
	},
	Remarks: []RemarkKind{
		{"separated", true, "rows are quantised by an operator of its own, for all that read them"},
		{"weight", false, "a weight that the rows go into is not fp8"},
	},
	Run: func(c *Context) error {
		for _, g := range c.Module.Graphs {
			r := &rowQuantiser{c: c, g: g, readers: map[*ir.Value][]*ir.Node{}, rw: ir.NewRewrite(g)}
			if err := r.run(); err != nil {
				return err
			}
		}
		return nil
	},
}

type rowQuantiser struct {
	c       *Context
	g       *ir.Graph
	readers map[*ir.Value][]*ir.Node // of rows, those that quantise them
	rw      *ir.Rewrite
}

func (r *rowQuantiser) run() error {
	var rows []*ir.Value // in the order of their first readers
	for _, n := range r.g.Nodes {
		if w8a8Form(n.Op) == "" || n.Attrs.Str("act") != dtype.F8E4M3.String() {
			continue
		}
		if w := wide(n); w != nil {
			r.c.missed(r.g, n.Origin, "weight", "%s is %s, and no product of two fp8 matrices takes it", w.Name, w.DType)
			continue
		}
		x := n.Arg("x")
		if r.readers[x] == nil {
			rows = append(rows, x)
		}
		r.readers[x] = append(r.readers[x], n)
	}
	for _, x := range rows {
		if err := r.visit(x); err != nil {
			return err
		}
	}
	r.rw.Apply()
	return nil
}

// wide is the first weight of a Linear that is not fp8, or nil.
func wide(n *ir.Node) *ir.Weight {
	for _, o := range linearOperands(n.Op) {
		if w := n.Arg(o).Weight; w.DType != dtype.F8E4M3 {
			return w
		}
	}
	return nil
}

func (r *rowQuantiser) visit(x *ir.Value) error {
	readers := r.readers[x]
	first := readers[0]
	if !r.c.may(r.g, first.Origin) {
		return nil
	}
	b := &ir.Builder{Graph: r.g, Origin: first.Origin}
	q := b.Emit("quant.rows", []*ir.Value{x})
	for _, n := range readers {
		r.take(b, n, q)
	}
	if err := b.Err(); err != nil {
		return err
	}
	r.rw.Before(first, b.Nodes[0])
	for i, n := range readers {
		m := b.Nodes[i+1]
		r.rw.Before(n, m)
		for j, v := range n.Out {
			r.rw.Replace(v, m.Out[j])
		}
	}
	r.rw.Remove(readers...)
	r.c.applied(r.g, first.Origin, "separated", r.c.saved(readers, b.Nodes), "rows of %s values are quantised by an operator of its own, for %s", x.Type.Shape.Last(), diag.Count(len(readers), "reader"))
	return nil
}

// w8a8Form names the operator that does what op does with codes and scales in place of its first operand, rows that
// op would quantise; "" where there is none.
func w8a8Form(op *ir.Op) string {
	switch op.Name {
	case "linear":
		return "linear.w8a8"
	case "linear.split":
		return "linear.split_w8a8"
	case "moe.experts":
		return "moe.experts_w8a8"
	}
	return ""
}

// take makes the form of a projection that takes codes and scales.
func (r *rowQuantiser) take(b *ir.Builder, n *ir.Node, q []*ir.Value) {
	b.Origin = n.Origin
	as := ir.Attr{Key: "dtype", Value: n.Out[0].Type.DType.String()}
	attrs := slices.DeleteFunc(slices.Clone(n.Attrs), func(a ir.Attr) bool { return a.Key == "act" })
	b.Emit(w8a8Form(n.Op), slices.Concat(q, n.In[1:]), append(attrs, as)...)
}
