package passes

import (
	"fmt"

	"github.com/glmc/glmc/compiler/cost"
	"github.com/glmc/glmc/compiler/ir"
)

// fuseAllReduceAddNorm puts the sum over ranks, the residual add and the norm of what it gives into one operator:
//
//	r = comm.all_reduce(x); h, n = norm.add_rms(residual, r, w)  =>  h, n = comm.all_reduce_add_rms(x, residual, w)
//
// Both of a decoder's row-parallel projections end like this, o_proj in front of post_attention_layernorm and the
// experts in front of the next layer's input_layernorm.
//
// Why it is right: the fused operator is defined as that expression (ir.Op.Expand), the sum over ranks being rounded
// to its dtype and added to the residual before the norm. A sum of two does not depend on their order, so the
// residual may be either operand of norm.add_rms. All ranks add in rank order as before, so they keep the same bits,
// on which they depend: each goes on with a residual of its own.
//
// It must not fire where something else reads the sum over ranks: it would be gone, or reduced a second time. That
// includes the add itself: in norm.add_rms(r, r) the residual is the reduced sum too.
//
// It pays for small steps only. A sum over ranks in one kernel with what follows is one-shot: every rank reads the
// whole part of all others, where the all-reduce on its own may go the other way, that of two shots, which moves about
// twice the bytes of a part whatever the ranks (cost.Node). So the launch and the trip through memory that are saved
// are lost again from some number of tokens on, and the cost model decides for each bucket. All ranks run the graph of
// the bucket that the step has, so none can decide otherwise than the rest.
//
// It stands behind fuse_add_norm, whose operator it takes in. Before the split over ranks there is nothing to reduce.
var fuseAllReduceAddNorm = &Pass{
	Name:    "fuse_allreduce_add_norm",
	Doc:     "the sum over ranks, the residual add and the RMSNorm behind it in one kernel, for small steps",
	Numeric: Exact,
	After: []Order{
		{"shard_tensor_parallel", "the split over ranks puts the collectives in"},
		{"fuse_add_norm", "the add and the norm are one operator then"},
		{"bucket_graphs", "large steps want a graph without it"},
	},
	Remarks: []RemarkKind{
		{"fused", true, "the sum over ranks, the add and the norm are one kernel"},
		{"other_reader", false, "something else reads the sum over ranks too"},
		{Unprofitable, false, "at steps of that size two kernels are predicted to take less: in one, each rank sends its part to all others"},
	},
	PerBucket: func(c *Context, g *ir.Graph, b ir.Bucket) string {
		f := newReduceFuse(c, g)
		sites, pays := 0, 0
		for _, n := range g.Nodes {
			if s := f.site(n); s.reduce != nil {
				sites++
				if p := f.price(s, b); p.fused <= p.plain {
					pays++
				}
			}
		}
		switch pays {
		case 0:
			return ""
		case sites:
			return "all-reduce, add and norm in one kernel"
		}
		return fmt.Sprintf("all-reduce, add and norm in one kernel at %d of %d sites", pays, sites)
	},
	Run: func(c *Context) error {
		for _, g := range c.Module.Graphs {
			f := newReduceFuse(c, g)
			for _, n := range g.Nodes {
				if err := f.visit(n); err != nil {
					return err
				}
			}
			f.rw.Apply()
		}
		return nil
	},
}

type reduceFuse struct {
	c      *Context
	g      *ir.Graph
	users  map[*ir.Value][]*ir.Node
	rw     *ir.Rewrite
	prices map[priceKey]price
}

func newReduceFuse(c *Context, g *ir.Graph) *reduceFuse {
	return &reduceFuse{c: c, g: g, users: g.Users(), rw: ir.NewRewrite(g), prices: map[priceKey]price{}}
}

// reduceSite is an all-reduce with the add and norm that it can be fused with, or why it cannot be: no reason where
// the node is no add and norm, or none of its operands is reduced.
type reduceSite struct {
	reduce, norm *ir.Node
	residual     *ir.Value
	why          missReason
}

func (f *reduceFuse) site(norm *ir.Node) reduceSite {
	if norm.Op.Name != "norm.add_rms" {
		return reduceSite{}
	}
	var why missReason
	a, b := norm.Arg("a"), norm.Arg("b")
	for _, pair := range [][2]*ir.Value{{b, a}, {a, b}} {
		sum, other := pair[0], pair[1]
		switch {
		case sum.Def == nil || sum.Def.Op.Name != "comm.all_reduce":
		case len(f.users[sum]) != 1 || f.g.IsOutput(sum) || sum == other:
			why = missReason{"other_reader", "the sum over ranks is read by something else too, or added to itself"}
		default:
			return reduceSite{reduce: sum.Def, norm: norm, residual: other}
		}
	}
	return reduceSite{why: why}
}

// fused makes the fused node of a site.
func (f *reduceFuse) fused(b *ir.Builder, s reduceSite) []*ir.Value {
	return b.Emit("comm.all_reduce_add_rms", []*ir.Value{s.reduce.In[0], s.residual, s.norm.Arg("w")}, s.norm.Attrs...)
}

// price is what a site costs in seconds, fused and not.
type price struct{ fused, plain float64 }

type priceKey struct {
	row    string // the type that is reduced
	bucket ir.Bucket
}

// price asks the cost model. Without a device there are no prices, and fusing costs nothing.
func (f *reduceFuse) price(s reduceSite, at ir.Bucket) price {
	t := f.c.target()
	if t.Device == nil {
		return price{}
	}
	key := priceKey{s.reduce.Out[0].Type.String(), at}
	if p, ok := f.prices[key]; ok {
		return p
	}
	b := &ir.Builder{Graph: ir.NewGraph(f.g.Name)} // a graph that only prices are asked for
	f.fused(b, s)
	seconds := func(nodes ...*ir.Node) float64 { return cost.Sum(nodes, at.Max, t).Seconds }
	p := price{fused: seconds(b.Nodes...), plain: seconds(s.reduce, s.norm)}
	f.prices[key] = p
	return p
}

// loses returns the first of the graph's buckets in which fusing a site costs more than it saves.
func (f *reduceFuse) loses(s reduceSite) (ir.Bucket, bool) {
	for _, b := range f.g.Buckets {
		if p := f.price(s, b); p.fused > p.plain {
			return b, true
		}
	}
	return ir.Bucket{}, false
}

func (f *reduceFuse) visit(norm *ir.Node) error {
	s := f.site(norm)
	if s.reduce == nil {
		if s.why != (missReason{}) {
			f.c.missed(f.g, norm.Origin, s.why.id, "%s", s.why.text)
		}
		return nil
	}
	if b, yes := f.loses(s); yes {
		p := f.price(s, b)
		f.c.missed(f.g, norm.Origin, Unprofitable, "one kernel has each of %d ranks send its part to all others%s on %s: in one kernel %s, in two %s at %s",
			f.c.Module.Ranks, Priced, f.c.Options.Device.Name, cost.Text(p.fused), cost.Text(p.plain), b)
		return nil
	}
	if !f.c.may(f.g, norm.Origin) {
		return nil
	}
	b := &ir.Builder{Graph: f.g, Origin: norm.Origin}
	out := f.fused(b, s)
	if err := b.Err(); err != nil {
		return err
	}
	f.rw.Before(norm, b.Nodes...)
	f.rw.Replace(norm.Out[0], out[0])
	f.rw.Replace(norm.Out[1], out[1])
	f.rw.Remove(s.reduce, norm)
	note := fmt.Sprintf("the sum over %d ranks is added and normalised as it arrives", f.c.Module.Ranks)
	if f.c.Options.Device != nil && len(f.g.Buckets) > 0 {
		b := f.g.Buckets[len(f.g.Buckets)-1]
		p := f.price(s, b)
		note += fmt.Sprintf("%s on %s: in one kernel %s, in two %s at %s", Priced, f.c.Options.Device.Name, cost.Text(p.fused), cost.Text(p.plain), b)
	}
	f.c.applied(f.g, norm.Origin, "fused", f.c.saved([]*ir.Node{s.reduce, norm}, b.Nodes), "%s", note)
	return nil
}
