package passes

import "github.com/glmc/glmc/compiler/ir"

// fuseAddNorm puts a residual add and the norm of what it gives into one operator with two results:
//
//	h = x + y; n = norm.rms(h, w)  =>  h, n = norm.add_rms(x, y, w)
//
// A decoder does so at every residual: the attention's before post_attention_layernorm, the MLP's before the
// next layer's input_layernorm, and the last one before the final norm.
//
// Why it is right: the fused operator is defined as that expression (ir.Op.Expand), the norm being taken of the
// sum as it is stored, rounded to its dtype. Both results are there for whoever reads them; the sum is, because
// the next residual adds to it. A fusion that returned the norm alone would be wrong for every layer.
//
// It must not fire where y is spread over x's rows or columns: x [T, 8] + y [T, 1] is no sum of two rows. A
// sum that two norms read has its first one fused; the other reads the sum as before.
//
// It runs behind the split over ranks and not before it, because a norm is not linear. In norm(r + s), r and s
// being the routed and the shared experts' partial sums, the norm of each rank's part would be no part of
// anything; fused before the split, the operator wants whole operands, and r and s are reduced over ranks each
// for itself where one all-reduce of r + s is enough. Behind the split that all-reduce stands between add and
// norm and nothing is fused, and where a whole residual takes a reduced sum, which is every layer of the
// models here, all is as on one rank.
//
// quantise and gather_last_token do not touch adds or norms and could stand on either side.
var fuseAddNorm = &Pass{
	Name:    "fuse_add_norm",
	Doc:     "residual add and the RMSNorm behind it in one kernel that returns both",
	Numeric: Exact,
	After: []Order{
		{"remove_identities", "a scaling by one between the add and the norm would hide the pattern"},
		{"fold_shared_expert", "the add of a shared expert is folded; a norm behind it must not take it first"},
		{"fuse_qknorm_rope_kv", "a head-wise norm belongs to the attention's fusion, which saves more"},
		{"shard_tensor_parallel", "two partial sums that are added and normalised are reduced over ranks once, between the two"},
	},
	Remarks: []RemarkKind{
		{"fused", true, "the norm takes the sum as it is made"},
		{"reduced", false, "the sum is partial on each rank and reduced before the norm"},
		{"broadcast", false, "one operand of the sum is spread over the other"},
		{"second_norm", false, "another norm of the same sum was fused with it"},
	},
	Run: func(c *Context) error {
		for _, g := range c.Module.Graphs {
			f := &addNormFuse{c: c, g: g, users: g.Users(), rw: ir.NewRewrite(g), taken: map[*ir.Node]bool{}}
			for _, n := range g.Nodes {
				if n.Op.Name == "norm.rms" {
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

type addNormFuse struct {
	c     *Context
	g     *ir.Graph
	users map[*ir.Value][]*ir.Node
	rw    *ir.Rewrite
	taken map[*ir.Node]bool // adds that are fused with a norm
}

// visit fuses a norm with the add before it. A norm of anything else is no site.
func (f *addNormFuse) visit(norm *ir.Node) error {
	add := norm.Arg("x").Def
	if add != nil && add.Op.Name == "comm.all_reduce" {
		if sum := add.In[0].Def; sum != nil && sum.Op.Name == "add" {
			f.c.missed(f.g, norm.Origin, "reduced", "the sum is partial on each rank and reduced before the norm")
		}
		return nil
	}
	if add == nil || add.Op.Name != "add" {
		return nil
	}
	switch {
	case !add.In[0].Type.Equal(add.In[1].Type):
		f.c.missed(f.g, norm.Origin, "broadcast", "the sum is that of %s and %s, which is spread over it", add.In[0].Type, add.In[1].Type)
		return nil
	case f.taken[add]:
		f.c.missed(f.g, norm.Origin, "second_norm", "another norm of the same sum was fused with it")
		return nil
	}
	if !f.c.may(f.g, norm.Origin) {
		return nil
	}
	// The fused operator stands where the add stood: whatever reads either result comes later. It belongs to the
	// norm's layer, as its weight does, so that layers stay alike: the last one's sum is normalised outside.
	b := &ir.Builder{Graph: f.g, Origin: norm.Origin}
	out := b.Emit("norm.add_rms", []*ir.Value{add.In[0], add.In[1], norm.Arg("w")}, norm.Attrs...)
	if err := b.Err(); err != nil {
		return err
	}
	f.taken[add] = true
	f.rw.Before(add, b.Nodes...)
	f.rw.Replace(add.Out[0], out[0])
	f.rw.Replace(norm.Out[0], out[1])
	f.rw.Remove(add, norm)
	note := "the norm takes the sum as it is made"
	if len(f.users[add.Out[0]]) == 1 && !f.g.IsOutput(add.Out[0]) {
		note += "; nothing else reads the sum"
	}
	f.c.applied(f.g, norm.Origin, "fused", f.c.saved([]*ir.Node{add, norm}, b.Nodes), "%s", note)
	return nil
}
