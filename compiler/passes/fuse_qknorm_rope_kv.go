package passes

import (
	"fmt"
	"slices"

	"github.com/glmc/glmc/compiler/ir"
)

// fuseQKNormRopeKV puts the head-wise norms, the rotary embeddings and the write into the KV cache that
// stand before an attention into one operator:
//
//	k' = rope(norm(k)); cache' = kv.write(k', v, slots, cache); attn.paged(rope(norm(q)), ..., cache')
//	=> q', cache' = attn.qknorm_rope_kv(q, k, v, ...); attn.paged(q', ..., cache')
//
// Why it is right: the fused operator is defined as that expression (ir.Op.Expand), and its operands are the
// same values, so only the number of launches changes. The norms are optional: GLM-4.5-Air has none.
//
// The conditions: both rotations must agree in positions and in all attributes (dims, theta, scaling), and both norms in eps, because the
// operator has one of each; with rotary dims of another size on one side it would rotate values that pass
// through. The rotated k must have no other reader (it is not kept), nor the rotated q; a model that stores k
// as the values too has the write itself as the second reader. Keys and values must have one size. In multi-head
// latent attention k is put together of parts, and only one of them is rotated: there is no such operator yet. And the write must be the attention's own: were
// another write in between, the fused operator would move this one behind it.
var fuseQKNormRopeKV = &Pass{
	Name:    "fuse_qknorm_rope_kv",
	Doc:     "head-wise norm of q and k, partial rotary embedding and the write into the KV cache in one kernel",
	Numeric: Exact,
	After:   []Order{{"remove_dead", "a reader that nobody reads would count as another reader of the rotated q or k"}},
	Remarks: []RemarkKind{
		{"fused", true, "the norms of q and k, where there are any, the rotation and the write of keys and values are one kernel"},
		{"reader", false, "the cache that is written is not read by exactly one attention"},
		{"parts", false, "k is put together of a part that is rotated and one that is not"},
		{"no_rope", false, "q or k does not come straight from a rotary embedding that nothing else reads"},
		{"values", false, "the rotated k is stored as the values too"},
		{"value_size", false, "keys and values have heads of different sizes"},
		{"positions", false, "q and k are rotated by different positions"},
		{"rotary", false, "q and k are rotated with different dims, theta or scaling"},
		{"eps", false, "the norms of q and k have different eps"},
	},
	Run: func(c *Context) error {
		for _, g := range c.Module.Graphs {
			f := &qkvFuse{c: c, g: g, users: g.Users(), rw: ir.NewRewrite(g)}
			for _, n := range g.Nodes {
				if n.Op.Name == "kv.write" {
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

type qkvFuse struct {
	c     *Context
	g     *ir.Graph
	users map[*ir.Value][]*ir.Node
	rw    *ir.Rewrite
}

// rotated is a matched rope(norm(x)), the norm being optional.
type rotated struct {
	x          *ir.Value
	norm, rope *ir.Node
}

func (f *qkvFuse) visit(write *ir.Node) error {
	attn, q, k, why := f.match(write)
	if attn == nil {
		f.c.missed(f.g, write.Origin, why.id, "%s", why.text)
		return nil
	}
	if !f.c.may(f.g, write.Origin) {
		return nil
	}
	var attrs ir.Attrs
	norms := [2]*ir.Value{}
	for i, r := range []*rotated{q, k} {
		if r.norm != nil {
			norms[i] = r.norm.Arg("w")
			attrs = ir.Attrs{{Key: "eps", Value: r.norm.Attrs.Get("eps")}}
		}
	}
	attrs = append(attrs, k.rope.Attrs...)
	b := &ir.Builder{Graph: f.g, Origin: write.Origin}
	out := b.Emit("attn.qknorm_rope_kv", []*ir.Value{q.x, k.x, write.Arg("v"), norms[0], norms[1],
		k.rope.Arg("pos"), write.Arg("slots"), write.Arg("cache")}, attrs...)
	if err := b.Err(); err != nil {
		return err
	}
	f.rw.Before(attn, b.Nodes...)
	f.rw.Replace(q.rope.Out[0], out[0])
	f.rw.Replace(write.Out[0], out[1])
	gone := append(append(q.nodes(), k.nodes()...), write)
	f.rw.Remove(gone...)
	note := "norm, rotary embedding and cache write in one"
	if norms[0] == nil && norms[1] == nil {
		note = "rotary embedding and cache write in one; there is no head-wise norm"
	}
	f.c.applied(f.g, write.Origin, "fused", f.c.saved(gone, b.Nodes), "%s", note)
	return nil
}

func (r *rotated) nodes() []*ir.Node {
	if r.norm == nil {
		return []*ir.Node{r.rope}
	}
	return []*ir.Node{r.norm, r.rope}
}

func (f *qkvFuse) match(write *ir.Node) (attn *ir.Node, q, k *rotated, why missReason) {
	readers := f.users[write.Out[0]]
	if len(readers) != 1 || readers[0].Op.Name != "attn.paged" {
		return nil, nil, nil, missReason{"reader", "the written cache is not read by exactly one attention"}
	}
	attn = readers[0]
	if d := write.Arg("k").Def; d != nil && d.Op.Name == "concat" {
		return nil, nil, nil, missReason{"parts", "k is put together of a part that is rotated and one that is not"}
	}
	if k = f.matchRotated(write.Arg("k")); k == nil {
		return nil, nil, nil, missReason{"no_rope", "k does not come straight from a rotary embedding that nothing else reads"}
	}
	if write.Arg("v") == write.Arg("k") {
		return nil, nil, nil, missReason{"values", "the rotated k is stored as the values too"}
	}
	if kt, vt := write.Arg("k").Type, write.Arg("v").Type; !kt.Equal(vt) {
		return nil, nil, nil, missReason{"value_size", fmt.Sprintf("keys have %s values a head and values %s: the fused operator has one size",
			kt.Shape[2], vt.Shape[2])}
	}
	if q = f.matchRotated(attn.Arg("q")); q == nil {
		return nil, nil, nil, missReason{"no_rope", "q does not come straight from a rotary embedding that nothing else reads"}
	}
	qa, ka := q.rope.Attrs, k.rope.Attrs
	switch {
	case q.rope.Arg("pos") != k.rope.Arg("pos"):
		return nil, nil, nil, missReason{"positions", "q and k are rotated by different positions"}
	case !slices.EqualFunc(qa, ka, func(a, b ir.Attr) bool { return a.Key == b.Key && a.Value == b.Value }):
		return nil, nil, nil, missReason{"rotary", "q and k are rotated with different dims, theta or scaling"}
	case q.norm != nil && k.norm != nil && q.norm.Attrs.Float("eps") != k.norm.Attrs.Float("eps"):
		return nil, nil, nil, missReason{"eps", "the norms of q and k have different eps"}
	}
	return attn, q, k, missReason{}
}

func (f *qkvFuse) matchRotated(v *ir.Value) *rotated {
	rope := f.only(v, "rope.apply")
	if rope == nil {
		return nil
	}
	r := &rotated{x: rope.Arg("x"), rope: rope}
	if norm := f.only(r.x, "norm.rms"); norm != nil {
		r.norm, r.x = norm, norm.Arg("x")
	}
	return r
}

func (f *qkvFuse) only(v *ir.Value, op string) *ir.Node {
	if v.Def == nil || v.Def.Op.Name != op || len(f.users[v]) != 1 || f.g.IsOutput(v) {
		return nil
	}
	return v.Def
}
