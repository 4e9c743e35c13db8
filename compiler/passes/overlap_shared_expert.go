package passes

import (
	"fmt"
	"slices"
	"strings"

	"github.com/glmc/glmc/compiler/cost"
	"github.com/glmc/glmc/compiler/ir"
)

// overlapSharedExpert runs a shared expert that was not folded beside the routed ones:
//
//	r = experts(x, ...); s = down(silu(gate x) * up x); y = r + s
//	=> s and all that only s needs on stream 1, waiting for x; y waits for s
//
// It looks for the add behind a routed sum that nothing else reads, whose other operand needs a projection. What
// only that operand needs is the shared expert, whatever has been merged or fused in it.
//
// Why it is right: no node is made, dropped or moved, so the values are the same in every order that the streams
// and waits allow. A node of the shared expert waits for the last node of the main stream that it reads from,
// and the add for the last node of the shared expert. Nothing else reads what the shared expert makes.
//
// The trap is memory and not data flow: the routed experts' results must not take the place of the shared
// expert's input, which in the order of the list nobody needs any longer. Live ranges reach over streams
// (plan.NewProgram), and compiler/race proves each layout without knowing them. Without either, the routed sum
// would be written over x while the shared expert reads it, and only sometimes.
//
// Folding is its rival: a folded expert is part of the routed ones' kernel and leaves no site. It must not fire
// where the shared expert holds a collective: two at once meet in another order on every rank.
//
// It pays where one side leaves the device room that the other can use: most of all in small steps, which wait for
// launches and for weights. The price decides for each bucket.
var overlapSharedExpert = &Pass{
	Name:    "overlap_shared_expert",
	Doc:     "a shared expert that was not folded runs beside the routed ones, on a stream of its own",
	Numeric: Exact,
	Remarks: []RemarkKind{
		{"overlapped", true, "the shared expert runs on a second stream, beside the routed ones"},
		{"collective", false, "the shared expert is reduced over ranks by itself, and two collectives at once have no order"},
		{"serial", false, "the shared expert's input is there only when the routed experts are through"},
		{Unprofitable, false, "a second stream does not make the step faster"},
	},
	PerBucket: func(c *Context, g *ir.Graph, b ir.Bucket) string {
		layers := 0
		for _, s := range besideSites(g) {
			if s.why == (missReason{}) && c.overlapPays(s, b) {
				layers++
			}
		}
		if layers == 0 {
			return ""
		}
		return fmt.Sprintf("shared experts of %d layers beside the routed ones", layers)
	},
	Run: func(c *Context) error {
		for _, g := range c.Module.Graphs {
			for _, s := range besideSites(g) {
				c.overlap(g, s)
			}
		}
		return nil
	},
}

// besideSite is a shared expert beside the routed ones.
type besideSite struct {
	join *ir.Node   // the add of both sums
	side []*ir.Node // the shared expert, in list order
	main []*ir.Node // what runs meanwhile, from behind the shared expert's input up to the add
	why  missReason // the shared expert cannot run beside it; zero where it can
}

// besideSites finds the shared experts of a graph, in list order.
func besideSites(g *ir.Graph) []besideSite {
	var f *besideFinder
	var out []besideSite
	for _, n := range g.Nodes {
		if n.Op.Name != "moe.experts" && n.Op.Name != "moe.experts_w8a8" {
			continue
		}
		if f == nil {
			f = newBesideFinder(g)
		}
		if s := f.site(n); s.join != nil {
			out = append(out, s)
		}
	}
	return out
}

type besideFinder struct {
	g     *ir.Graph
	users map[*ir.Value][]*ir.Node
	place map[*ir.Node]int
}

func newBesideFinder(g *ir.Graph) *besideFinder {
	f := &besideFinder{g: g, users: g.Users(), place: make(map[*ir.Node]int, len(g.Nodes))}
	for i, n := range g.Nodes {
		f.place[n] = i
	}
	return f
}

// site looks for a shared expert beside these routed ones; no join where there is none.
func (f *besideFinder) site(experts *ir.Node) besideSite {
	join, other := f.join(experts)
	if join == nil || other.Def == nil {
		return besideSite{}
	}
	s := besideSite{join: join, side: f.onlyFor(other, join)}
	switch {
	case !slices.ContainsFunc(s.side, isProjection):
		return besideSite{} // a residual, or a value that is there already
	case slices.ContainsFunc(s.side, isCollective):
		s.why = missReason{"collective", "the shared expert is reduced over ranks by itself, and two collectives at once have no order"}
	default:
		if s.main = f.meanwhile(s); !slices.Contains(s.main, experts) {
			s.why = missReason{"serial", "the shared expert's input is there only when the routed experts are through"}
		}
	}
	return s
}

// isProjection is whether a node multiplies with the weight of a Linear module, by itself or merged with others.
func isProjection(n *ir.Node) bool {
	return slices.ContainsFunc(n.Op.Operands, func(o ir.Operand) bool { return o.Kind == ir.LinearOperand })
}

// join follows the routed sum, which nobody else may read, to the add that takes it, and returns it with its other
// operand. So the other operand is not made of the routed sum.
func (f *besideFinder) join(experts *ir.Node) (join *ir.Node, other *ir.Value) {
	v := experts.Out[0]
	for len(f.users[v]) == 1 && !f.g.IsOutput(v) {
		n := f.users[v][0]
		switch {
		case n.Op.Name == "cast" || n.Op.Name == "scale":
			v = n.Out[0]
		case n.Op.Name == "add" && n.In[0] == v && n.In[1] != v:
			return n, n.In[1]
		case n.Op.Name == "add" && n.In[1] == v && n.In[0] != v:
			return n, n.In[0]
		default:
			return nil, nil
		}
	}
	return nil, nil
}

// onlyFor lists the nodes that make a value and nothing that anybody but the join reads, in list order.
func (f *besideFinder) onlyFor(v *ir.Value, join *ir.Node) []*ir.Node {
	in := map[*ir.Node]bool{}
	wanted := map[*ir.Node]bool{v.Def: true}
	var out []*ir.Node
	for i := f.place[join] - 1; i >= 0 && len(wanted) > 0; i-- {
		n := f.g.Nodes[i]
		if !wanted[n] {
			continue
		}
		delete(wanted, n)
		if !f.stays(n, in, join) {
			continue
		}
		in[n] = true
		out = append(out, n)
		for _, x := range n.In {
			if x != nil && x.Def != nil {
				wanted[x.Def] = true
			}
		}
	}
	slices.Reverse(out)
	return out
}

// stays reports whether all that a node makes is read by nodes of a set, or by the join.
func (f *besideFinder) stays(n *ir.Node, in map[*ir.Node]bool, join *ir.Node) bool {
	for _, v := range n.Out {
		if v.Type.State || f.g.IsOutput(v) || slices.ContainsFunc(f.users[v], func(u *ir.Node) bool { return u != join && !in[u] }) {
			return false
		}
	}
	return !n.Op.Effect
}

// meanwhile lists what the main stream runs between the last node that the shared expert reads from and the join.
func (f *besideFinder) meanwhile(s besideSite) []*ir.Node {
	from := 0
	for _, n := range s.side {
		for _, v := range n.In {
			if v != nil && v.Def != nil && !slices.Contains(s.side, v.Def) {
				from = max(from, f.place[v.Def]+1)
			}
		}
	}
	var out []*ir.Node
	for _, n := range f.g.Nodes[from:f.place[s.join]] {
		if !slices.Contains(s.side, n) {
			out = append(out, n)
		}
	}
	return out
}

func isCollective(n *ir.Node) bool { return n.Op.Collective() }

// overlap puts a shared expert on the stream beside the main one.
func (c *Context) overlap(g *ir.Graph, s besideSite) {
	if s.why != (missReason{}) {
		c.missed(g, s.join.Origin, s.why.id, "%s", s.why.text)
		return
	}
	note, saves := c.overlapNote(g, s)
	// Buckets that bucket_graphs did not part are together here, and all have to gain.
	if slices.ContainsFunc(g.Buckets, func(b ir.Bucket) bool { return !c.overlapPays(s, b) }) {
		c.missed(g, s.join.Origin, Unprofitable, "a second stream does not make it faster%s", note)
		return
	}
	if !c.may(g, s.join.Origin) {
		return
	}
	place := make(map[*ir.Node]int, len(g.Nodes))
	for i, n := range g.Nodes {
		place[n] = i
	}
	waited := -1 // the last node of the main stream that the shared expert has waited for
	for _, n := range s.side {
		n.Stream = besideStream
		last := -1
		for _, v := range n.In {
			if v != nil && v.Def != nil && v.Def.Stream != besideStream {
				last = max(last, place[v.Def])
			}
		}
		if last > waited {
			waitFor(n, g.Nodes[last])
			waited = last
		}
	}
	waitFor(s.join, s.side[len(s.side)-1])
	c.applied(g, s.join.Origin, "overlapped", saves, "%d operators of the shared expert run beside %d of the main stream%s",
		len(s.side), len(s.main), note)
}

// overlapPrice is how long the shared expert and what runs meanwhile take in seconds, one behind the other and side
// by side, at the sizes of a bucket.
func (c *Context) overlapPrice(s besideSite, b ir.Bucket) (apart, beside float64) {
	t := c.target()
	return cost.Sum(s.main, b.Max, t).Seconds + cost.Sum(s.side, b.Max, t).Seconds, cost.Overlapped(s.main, s.side, b.Max, t)
}

// overlapPays is whether two streams are faster than one for steps of that size. Without a device there is no
// price, and they are.
func (c *Context) overlapPays(s besideSite, b ir.Bucket) bool {
	if c.Options.Device == nil {
		return true
	}
	apart, beside := c.overlapPrice(s, b)
	return beside < apart
}

// overlapNote says what two streams take and save; "" and nothing where there are no prices.
func (c *Context) overlapNote(g *ir.Graph, s besideSite) (note string, saves Saves) {
	if c.Options.Device == nil {
		return "", Saves{}
	}
	var parts []string
	for _, phase := range []string{ir.Decode, ir.Prefill} {
		size, ok := largest(g, phase)
		if !ok {
			continue
		}
		b := ir.Bucket{Phase: phase, Max: size}
		apart, beside := c.overlapPrice(s, b)
		parts = append(parts, fmt.Sprintf("one behind the other %s, side by side %s at %s", cost.Text(apart), cost.Text(beside), b))
		if saved := nanoseconds(apart - beside); phase == ir.Decode {
			saves.Decode = saved
		} else {
			saves.Prefill = saved
		}
	}
	if len(parts) == 0 {
		return "", Saves{}
	}
	return fmt.Sprintf("%s on %s: %s", Priced, c.Options.Device.Name, strings.Join(parts, "; ")), saves
}
