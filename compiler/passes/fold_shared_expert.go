package passes

import (
	"fmt"

	"github.com/glmc/glmc/compiler/cost"
	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/dsl/diag"
)

// foldSharedExpert makes the shared expert one more routed expert:
//
//	experts(x, ids, w, gate, up, down) + down_s(silu(gate_s x) * up_s x)
//	=> experts(x, append(ids, E), append(w, 1), [gate; gate_s], [up; up_s], [down; down_s])
//
// Why it is right: the experts operator sums weight * down(silu(gate x) * up x) over a token's slots in
// order, and the appended slot has weight 1, so the last term of the sum is what the add contributed before.
// With one shared expert of the routed width the result has the same bits under kernels/ref. A shared MLP of
// n times the routed width is n experts side by side (its hidden channels split into n runs, and down sums
// over channels), which only reorders the sum. Where its rows are quantised, each run takes the scale of its
// own channels, which is finer than one for all of them.
//
// The slot's weight must be 1 and not the routed scaling factor: a fold that appends before the scaling
// multiplies the shared expert by it (2.5 in GLM-4.7). Here the ids and weights that the experts operator
// takes are final, so nothing scales the slot afterwards.
//
// Its rival is overlap_shared_expert, which runs the shared expert on a second stream. The weights of a layer are
// there once, folded or not, so that the choice is one for all step sizes: see price.
//
// It must not fire when the two sides differ in input, width (not a multiple), activation or weight format,
// when the shared MLP has a bias (the experts operator has none), or when something in it is broadcast: a
// shared MLP with a single output channel adds the same value to every channel, which no expert does.
var foldSharedExpert = &Pass{
	Name:    "fold_shared_expert",
	Doc:     "the shared expert becomes the last routed expert, its slot appended with weight 1",
	Numeric: Reassociates,
	After: []Order{
		{"remove_dead", "a reader that nobody reads would count as another reader of the routed sum or in the shared expert"},
		{"remove_identities", "a scaling by one between the routed sum and the add would hide the pattern"},
	},
	Remarks: []RemarkKind{
		{"folded", true, "the shared experts are routed experts that every token takes with weight 1"},
		{"no_shared_expert", false, "what is added to the routed experts' sum is no shared expert, or nothing is added"},
		{"input", false, "the shared expert reads another value than the routed experts"},
		{"broadcast", false, "one channel of the shared expert is spread over several"},
		{"shared_width", false, "the shared expert's width is no multiple of the routed experts'"},
		{"format", false, "the weights or the quantised inputs of the shared expert have another format than those of the routed experts"},
		{Unprofitable, false, "the shared experts are predicted to take less beside the routed ones, or behind them"},
	},
	Run: func(c *Context) error {
		stacked := map[[2]*ir.Weight]*ir.Weight{}
		for _, g := range c.Module.Graphs {
			f := &sharedFold{c: c, g: g, users: g.Users(), rw: ir.NewRewrite(g), stacked: stacked, priced: map[cost.Experts]sharedVerdict{}}
			for _, n := range g.Nodes {
				if n.Op.Name == "moe.experts" {
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

type sharedFold struct {
	c     *Context
	g     *ir.Graph
	users map[*ir.Value][]*ir.Node
	rw    *ir.Rewrite
	// stacked has the weights that were declared, by what they are made of: entries share their layers.
	stacked map[[2]*ir.Weight]*ir.Weight
	priced  map[cost.Experts]sharedVerdict
}

// gatedMLP is a matched down(silu(gate x) * up x).
type gatedMLP struct {
	x              *ir.Value
	gate, up, down *ir.Node
	inner          []*ir.Node // silu and mul
}

func (f *sharedFold) visit(experts *ir.Node) error {
	add, mlp, why := f.match(experts)
	if add == nil {
		f.c.missed(f.g, experts.Origin, why.id, "%s", why.text)
		return nil
	}
	count := mlp.gate.Arg("w").Weight.Shape[0] / experts.Arg("gate").Weight.Shape[1]
	verdict, err := f.price(experts, count)
	if err != nil {
		return err
	}
	if !verdict.pays {
		f.c.missed(f.g, experts.Origin, Unprofitable, "folding does not pay; %s", verdict.text)
		return nil
	}
	if !f.c.may(f.g, experts.Origin) {
		return nil
	}
	b := &ir.Builder{Graph: f.g, Origin: experts.Origin}
	routing := b.Emit("moe.append_shared", []*ir.Value{experts.Arg("ids"), experts.Arg("weights")},
		ir.Attr{Key: "first", Value: int64(experts.Arg("gate").Weight.Shape[0])}, ir.Attr{Key: "count", Value: int64(count)})
	folded := b.Emit("moe.experts", []*ir.Value{experts.Arg("x"), routing[0], routing[1],
		f.append(experts.Arg("gate"), mlp.gate.Arg("w"), 0, count),
		f.append(experts.Arg("up"), mlp.up.Arg("w"), 0, count),
		f.append(experts.Arg("down"), mlp.down.Arg("w"), 1, count),
	}, experts.Attrs...)
	if err := b.Err(); err != nil {
		return err
	}
	f.rw.Before(experts, b.Nodes...)
	f.rw.Replace(add.Out[0], folded[0])
	gone := append([]*ir.Node{experts, add, mlp.gate, mlp.up, mlp.down}, mlp.inner...)
	f.rw.Remove(gone...)
	note := foldedNote(experts.Arg("gate").Weight, count)
	if verdict.text != "" {
		note += "; " + verdict.text
	}
	f.c.applied(f.g, experts.Origin, "folded", f.c.saved(gone, b.Nodes), "%s", note)
	return nil
}

// foldedNote says which numbers the shared experts got, counted from 0.
func foldedNote(routed *ir.Weight, count int) string {
	first, width := routed.Shape[0], routed.Shape[1]
	numbers := fmt.Sprintf("expert %d", first)
	if count > 1 {
		numbers = fmt.Sprintf("experts %d to %d", first, first+count-1)
	}
	return fmt.Sprintf("%s of width %d became %s of %d", diag.Count(count, "shared expert"), width, numbers, first+count)
}

type missReason struct{ id, text string }

// match finds the add and the shared MLP behind a routed sum, or says why there is none to fold.
func (f *sharedFold) match(experts *ir.Node) (*ir.Node, *gatedMLP, missReason) {
	routed := experts.Out[0]
	users := f.users[routed]
	if len(users) != 1 || users[0].Op.Name != "add" || f.g.IsOutput(routed) {
		return nil, nil, missReason{"no_shared_expert", "nothing is added to the routed experts' sum alone"}
	}
	add := users[0]
	other := add.In[0]
	if other == routed {
		other = add.In[1]
	}
	mlp := f.matchMLP(other)
	if mlp == nil {
		return nil, nil, missReason{"no_shared_expert", "what is added to the routed experts' sum is no gated MLP with SiLU, without bias and without other readers"}
	}
	if why, ok := f.legal(experts, mlp); !ok {
		return nil, nil, why
	}
	return add, mlp, missReason{}
}

func (f *sharedFold) matchMLP(v *ir.Value) *gatedMLP {
	down := f.only(v, "linear")
	if down == nil || down.Arg("bias") != nil {
		return nil
	}
	mul := f.only(down.Arg("x"), "mul")
	if mul == nil {
		return nil
	}
	for i := range mul.In {
		silu, up := f.only(mul.In[i], "act.silu"), f.only(mul.In[1-i], "linear")
		if silu == nil || up == nil {
			continue
		}
		gate := f.only(silu.In[0], "linear")
		if gate == nil || gate.Arg("bias") != nil || up.Arg("bias") != nil || gate.Arg("x") != up.Arg("x") {
			continue
		}
		return &gatedMLP{x: gate.Arg("x"), gate: gate, up: up, down: down, inner: []*ir.Node{silu, mul}}
	}
	return nil
}

// only returns the node of that operator which defines v, if nothing but one node uses v.
func (f *sharedFold) only(v *ir.Value, op string) *ir.Node {
	if v.Def == nil || v.Def.Op.Name != op || len(f.users[v]) != 1 || f.g.IsOutput(v) {
		return nil
	}
	return v.Def
}

func (f *sharedFold) legal(experts *ir.Node, mlp *gatedMLP) (missReason, bool) {
	routed, gate := experts.Arg("gate").Weight, mlp.gate.Arg("w").Weight
	up, down := mlp.up.Arg("w").Weight, mlp.down.Arg("w").Weight
	switch {
	case mlp.x != experts.Arg("x"):
		return missReason{"input", "the shared expert reads another value than the routed experts"}, false
	case gate.Shape[0] != up.Shape[0] || down.Shape[0] != routed.Shape[2]:
		return missReason{"broadcast", "one channel of the shared expert is spread over several"}, false
	case gate.Shape[0]%routed.Shape[1] != 0:
		return missReason{"shared_width", fmt.Sprintf("the shared expert's width %d is no multiple of the routed experts' %d",
			gate.Shape[0], routed.Shape[1])}, false
	}
	for _, side := range []struct {
		node   *ir.Node
		routed string
	}{{mlp.gate, "gate"}, {mlp.up, "up"}, {mlp.down, "down"}} {
		have, want := side.node.Arg("w").Weight.DType, experts.Arg(side.routed).Weight.DType
		if have != want {
			return missReason{"format", fmt.Sprintf("the shared expert's %s is %s, the routed experts' %s", side.routed, have, want)}, false
		}
		if side.node.Attrs.Str("act") != experts.Attrs.Str("act") {
			return missReason{"format", "the shared expert's inputs are quantised in another way than the routed experts'"}, false
		}
	}
	return missReason{}, true
}

// append declares the stacked weight with the shared expert's behind the routed ones. dim is the dimension
// of the shared weight that holds the expert's hidden channels.
func (f *sharedFold) append(routed, shared *ir.Value, dim, count int) *ir.Value {
	r, s := routed.Weight, shared.Weight
	if w := f.stacked[[2]*ir.Weight{r, s}]; w != nil {
		return f.g.Load(w)
	}
	parts := make([]*ir.Recipe, count)
	width := s.Shape[dim] / count
	for i := range parts {
		parts[i] = s.Recipe
		if count > 1 {
			parts[i] = ir.Slice(s.Recipe, dim, i*width, width)
		}
	}
	w := &ir.Weight{
		Name:   r.Name + " + " + s.Name,
		Shape:  append([]int{r.Shape[0] + count}, r.Shape[1:]...),
		DType:  r.DType,
		Recipe: ir.Concat(0, r.Recipe, ir.Stack(parts...)),
	}
	f.stacked[[2]*ir.Weight{r, s}] = w
	f.c.Module.Weights = append(f.c.Module.Weights, w)
	return f.g.Load(w)
}
