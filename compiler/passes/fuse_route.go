package passes

import (
	"fmt"
	"strings"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/kernels/dtype"
)

// fuseRoute puts what stands between a router's logits and the routed experts into one operator:
//
//	scores = sigmoid(logits); ids, w = moe.top_k(scores, bias, ...)
//	w = w / (sum(w) + 1e-20); w = w * scale; ids, w = moe.append_shared(ids, w, ...)
//	=> ids, w = moe.route(logits, bias, ...)
//
// The scores may be a softmax, the bias, the groups, the renormalisation with or without its small addend, the
// scale and the appended slots may be there or not; that covers GLM4-MoE, GLM-4.7-Flash, DeepSeek-V3 and
// Qwen3-MoE. The projection that makes the logits stays outside: it has a weight to read and its own kernel. But
// the cast in front of it, by which a router computes in f32, goes into that kernel:
//
//	logits = linear(cast(x), w)  =>  logits = linear.f32(x, w)
//
// Why it is right: the fused operators are defined as those expressions (ir.Op.Expand), all of it in f32, in the
// same order. The steps are taken in as far as they follow in this order and nothing else reads what lies
// between them; what follows in another order stays behind the operator as it was. So a model that scales
// before it renormalises keeps both, for w * s / (sum(w * s) + 1e-20) is not w / (sum(w) + 1e-20) * s; and a
// scale that stands behind the appended slot, where it would scale the shared expert too, stays there.
//
// It must not fire where something else reads the scores, such as an auxiliary loss or a second choice among
// the same experts, and it has nothing to say where scores are neither a sigmoid nor a softmax. A cast that
// something else reads too has to be made anyway, and stays.
//
// It stands behind fold_shared_expert, whose appended slot it takes in; before it, the slot would be a launch of
// its own behind the fused operator. On which side of shard_tensor_parallel it stands makes
// no difference: a choice among all experts wants all logits, fused or not, and the router is whole on every
// rank. quantise keeps f32 weights, and the bias is no Linear's; gather_last_token looks at the logits of the
// vocabulary only.
var fuseRoute = &Pass{
	Name:    "fuse_route",
	Doc:     "scores, choice of the experts, renormalisation, scale and shared slot in one kernel",
	Numeric: Exact,
	After: []Order{
		{"remove_dead", "a reader that nobody reads would count as another reader of the scores"},
		{"remove_identities", "a scaling by one between the steps would end the chain early"},
		{"fold_shared_expert", "the shared expert's slot is appended in the same kernel"},
	},
	Remarks: []RemarkKind{
		{"fused", true, "scores, bias, groups, top-k, weights and shared slots are one kernel, as far as the reason says"},
		{"scores", false, "the scores are neither a sigmoid nor a softmax of logits"},
		{"scores_read", false, "something else reads the scores too"},
	},
	Run: func(c *Context) error {
		for _, g := range c.Module.Graphs {
			f := &routeFuse{c: c, g: g, users: g.Users(), rw: ir.NewRewrite(g), swept: map[*ir.Node]bool{}}
			for _, n := range g.Nodes {
				if n.Op.Name == "moe.top_k" {
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

type routeFuse struct {
	c     *Context
	g     *ir.Graph
	users map[*ir.Value][]*ir.Node
	rw    *ir.Rewrite
	swept map[*ir.Node]bool // projections that were replaced
}

// chain is a matched routing: its nodes in order, and what they come to.
type chain struct {
	nodes        []*ir.Node
	ids, weights *ir.Value
	attrs        ir.Attrs
	note         []string
}

func (f *routeFuse) visit(topK *ir.Node) error {
	scores := topK.Arg("scores")
	if scores.Def == nil || scores.Def.Op.Name != "act.sigmoid" && scores.Def.Op.Name != "act.softmax" {
		f.c.missed(f.g, topK.Origin, "scores", "the scores are neither a sigmoid nor a softmax of logits")
		return nil
	}
	if len(f.users[scores]) != 1 || f.g.IsOutput(scores) {
		f.c.missed(f.g, topK.Origin, "scores_read", "something else reads the scores too")
		return nil
	}
	if !f.c.may(f.g, topK.Origin) {
		return nil
	}
	c := f.follow(topK)
	b := &ir.Builder{Graph: f.g, Origin: topK.Origin}
	out := b.Emit("moe.route", []*ir.Value{scores.Def.In[0], topK.Arg("bias")}, c.attrs...)
	if err := b.Err(); err != nil {
		return err
	}
	f.rw.Before(topK, b.Nodes...)
	f.rw.Replace(c.ids, out[0])
	f.rw.Replace(c.weights, out[1])
	gone := c.nodes
	if lin := f.widened(scores.Def.In[0]); lin != nil {
		if err := f.widen(b, lin); err != nil {
			return err
		}
		gone = append(gone, lin.Arg("x").Def, lin)
		c.note = append(c.note, fmt.Sprintf("the projection widens its %s input itself", lin.Arg("x").Def.In[0].Type.DType))
	}
	f.rw.Remove(gone...)
	f.c.applied(f.g, topK.Origin, "fused", f.c.saved(gone, b.Nodes), "%s", strings.Join(c.note, ", "))
	return nil
}

// widened returns the projection that makes these logits from a value that was cast to f32 for it alone, or nil.
func (f *routeFuse) widened(logits *ir.Value) *ir.Node {
	lin := logits.Def
	if lin == nil || lin.Op.Name != "linear" || f.swept[lin] {
		return nil
	}
	x := lin.Arg("x")
	if x.Def == nil || x.Def.Op.Name != "cast" || x.Type.DType != dtype.F32 || x.Def.In[0].Type.DType == dtype.F32 {
		return nil
	}
	if len(f.users[x]) != 1 || f.g.IsOutput(x) {
		return nil
	}
	return lin
}

// widen puts linear.f32 in the place of lin and the cast before it.
func (f *routeFuse) widen(b *ir.Builder, lin *ir.Node) error {
	b.Origin = lin.Origin
	wide := b.One("linear.f32", []*ir.Value{lin.Arg("x").Def.In[0], lin.Arg("w"), lin.Arg("bias")}, lin.Attrs...)
	if err := b.Err(); err != nil {
		return err
	}
	f.swept[lin] = true
	f.rw.Before(lin, b.Nodes[len(b.Nodes)-1])
	f.rw.Replace(lin.Out[0], wide)
	return nil
}

// follow takes in what happens to the chosen weights, as far as the fused operator does it too.
func (f *routeFuse) follow(topK *ir.Node) *chain {
	scores := topK.Arg("scores").Def
	score := strings.TrimPrefix(scores.Op.Name, "act.")
	c := &chain{nodes: []*ir.Node{scores, topK}, ids: topK.Out[0], weights: topK.Out[1]}
	c.attrs = append(ir.Attrs{{Key: "score", Value: score}}, topK.Attrs...)
	c.note = []string{score, chosenNote(topK)}
	f.normalise(c)
	if scale := f.only(c.weights, "scale"); scale != nil {
		c.nodes, c.weights = append(c.nodes, scale), scale.Out[0]
		c.attrs = append(c.attrs, ir.Attr{Key: "scale", Value: scale.Attrs.Get("by")})
		c.note = append(c.note, fmt.Sprintf("scaled (by %g)", scale.Attrs.Float("by")))
	}
	if shared := f.only(c.weights, "moe.append_shared"); shared != nil && f.only(c.ids, "moe.append_shared") == shared {
		c.nodes, c.ids, c.weights = append(c.nodes, shared), shared.Out[0], shared.Out[1]
		c.attrs = append(c.attrs, shared.Attrs...)
		c.note = append(c.note, diag.Count(shared.Attrs.Int("count"), "shared slot"))
	}
	for _, n := range f.users[c.weights] {
		if n.Op.Name != "moe.experts" {
			c.note = append(c.note, n.Op.Name+" of the weights stays outside")
		}
	}
	return c
}

func chosenNote(topK *ir.Node) string {
	note := fmt.Sprintf("%d of %s experts", topK.Attrs.Int("k"), topK.Arg("scores").Type.Shape.Last())
	if groups := topK.Attrs.Int("groups"); groups > 1 {
		note += fmt.Sprintf(" in %d of %d groups", topK.Attrs.Int("keep"), groups)
	}
	return note
}

// normalise takes in w / sum(w) and w / (sum(w) + shift), where both are all that reads w.
func (f *routeFuse) normalise(c *chain) {
	users := f.users[c.weights]
	if len(users) != 2 || f.g.IsOutput(c.weights) || users[0].Op.Name != "reduce.sum" || users[1].Op.Name != "div" {
		return
	}
	sum, div := users[0], users[1]
	nodes, total := []*ir.Node{sum}, sum.Out[0]
	attrs := ir.Attrs{{Key: "normalise", Value: int64(1)}}
	if shift := f.only(total, "shift"); shift != nil {
		nodes, total = append(nodes, shift), shift.Out[0]
		attrs = append(attrs, ir.Attr{Key: "shift", Value: shift.Attrs.Get("by")})
	}
	if div.In[0] != c.weights || div.In[1] != total || f.only(total, "div") != div {
		return
	}
	c.nodes, c.weights = append(append(c.nodes, nodes...), div), div.Out[0]
	c.attrs = append(c.attrs, attrs...)
	c.note = append(c.note, "renormalised")
}

// only returns the node of that operator that reads v, if nothing else does.
func (f *routeFuse) only(v *ir.Value, op string) *ir.Node {
	if users := f.users[v]; len(users) == 1 && users[0].Op.Name == op && !f.g.IsOutput(v) {
		return users[0]
	}
	return nil
}
