package passes

import (
	"math"
	"slices"
	"time"

	"github.com/glmc/glmc/compiler/cost"
	"github.com/glmc/glmc/compiler/ir"
)

// Saves is what an applied rewrite saves on each rank at each execution of the site. It is below zero where the
// rewrite costs something.
type Saves struct {
	Launches int           // kernel launches
	Bytes    int64         // bytes of activations that no longer go through memory, for each token
	Decode   time.Duration // of a step of the graph's largest decode bucket, as predicted for the device
	Prefill  time.Duration // of a step of its largest prefill bucket

	change *change // that the framework is yet to price
}

// change is what a site was and what it has become. An operator that was changed in place is in neither.
type change struct {
	gone, added []*ir.Node
}

// saved is what becomes of a site by the nodes that go and those that come instead. Passes name the nodes, and the
// framework counts: when the pass has run, because only then it is known how what it wrote splits over ranks.
func (c *Context) saved(gone, added []*ir.Node) Saves {
	return Saves{change: &change{slices.Clone(gone), slices.Clone(added)}}
}

// price fills in what the remarks of a pass save, once it has run.
func (c *Context) price() {
	if !slices.ContainsFunc(c.remarks, func(r Remark) bool { return r.Saves.change != nil }) {
		return
	}
	after := c.shares()
	for i := range c.remarks {
		r := &c.remarks[i]
		if r.Saves.change == nil {
			continue
		}
		p := &pricer{Context: c, graph: r.graph, returned: returns(r.graph, r.Saves.change.added)}
		was, is := p.sites(r.Saves.change.gone, c.before[r.graph]), p.sites(r.Saves.change.added, after[r.graph])
		r.Saves = Saves{
			Launches: was.launches - is.launches,
			Bytes:    int64(math.Round(was.bytes - is.bytes)),
			Decode:   nanoseconds(was.decode - is.decode),
			Prefill:  nanoseconds(was.prefill - is.prefill),
		}
	}
}

// nanoseconds rounds, so that layers that are alike save the same to the last digit.
func nanoseconds(seconds float64) time.Duration { return time.Duration(math.Round(seconds * 1e9)) }

// shares says how values will split over ranks, by graph; nil where nothing will: there is one rank, or the graphs
// are written for all of them already.
func (c *Context) shares() map[*ir.Graph]*flow {
	splits := slices.ContainsFunc(append([]*Pass{c.pass}, c.later...), func(p *Pass) bool { return p == shardTensorParallel })
	if c.Options.TensorParallel <= 1 || c.Module.Ranks > 1 || !splits {
		return nil
	}
	return c.splits.of(c.Module, c.Options.TensorParallel)
}

// splits remembers how the values of a module split, for as long as it has the same nodes.
type splits struct {
	nodes [2]int // their number and the sum of theirs
	flows map[*ir.Graph]*flow
}

func (s *splits) of(m *ir.Module, ranks int) map[*ir.Graph]*flow {
	var nodes [2]int
	for _, g := range m.Graphs {
		for _, n := range g.Nodes {
			nodes[0]++
			nodes[1] += n.ID
		}
	}
	if s.flows != nil && s.nodes == nodes {
		return s.flows
	}
	s.nodes, s.flows = nodes, map[*ir.Graph]*flow{}
	for i, f := range settleFlows(m, ranks) {
		s.flows[m.Graphs[i]] = f
	}
	return s.flows
}

// target is what prices are for; its device is nil where there are none.
func (c *Context) target() cost.Target {
	return cost.Target{Device: c.Options.Device, Ranks: max(c.Options.TensorParallel, c.Module.Ranks), Cache: c.Options.Cache, Fast: c.Options.Fast}
}

// largest is the graph's largest bucket of a phase.
func largest(g *ir.Graph, phase string) (ir.Sizes, bool) {
	var most ir.Sizes
	for _, b := range g.Buckets {
		if b.Phase == phase && b.Max.Tokens > most.Tokens {
			most = b.Max
		}
	}
	return most, most.Tokens > 0
}

// pricer prices nodes of one graph.
type pricer struct {
	*Context
	graph *ir.Graph
	// returned says that what came is returned in place of what went, and gathered in its place. Where nothing came, an
	// operand is, which no list of nodes has.
	returned bool
}

// returns reports whether the graph returns a result of one of the nodes.
func returns(g *ir.Graph, nodes []*ir.Node) bool {
	return slices.ContainsFunc(nodes, func(n *ir.Node) bool { return slices.ContainsFunc(n.Out, g.IsOutput) })
}

// priced is what some nodes take at one execution on one rank.
type priced struct {
	launches        int
	bytes           float64 // of activations, that another token adds
	decode, prefill float64 // seconds
}

// sites prices nodes, of which each rank has the share that the flow says.
func (p *pricer) sites(nodes []*ir.Node, f *flow) priced {
	var out priced
	var own []*ir.Node
	for _, n := range nodes {
		own = append(own, p.share(n, f))
		if f != nil && p.returned {
			own = append(own, f.gathers(n)...)
		}
	}
	for _, n := range own {
		if !n.Op.View {
			out.launches++
		}
		out.bytes += activations(n, 2) - activations(n, 1)
	}
	t := p.target()
	if t.Device == nil {
		return out
	}
	if s, ok := largest(p.graph, ir.Decode); ok {
		out.decode = cost.Sum(own, s, t).Seconds
	}
	if s, ok := largest(p.graph, ir.Prefill); ok {
		out.prefill = cost.Sum(own, s, t).Seconds
	}
	return out
}

// activations are the bytes that a node reads and writes for so many tokens of one sequence, without weights and
// without the KV cache.
func activations(n *ir.Node, tokens int) float64 {
	w := n.WorkOf(ir.Sizes{Tokens: tokens, Seqs: 1, Rows: 1})
	return w.ReadBytes + w.WriteBytes - w.WeightBytes
}

// share is the node as one rank will execute it, with weights as they will be held. It is for counting only.
func (p *pricer) share(n *ir.Node, f *flow) *ir.Node {
	out := *n
	out.In = slices.Clone(n.In)
	for i, v := range n.In {
		if v == nil {
			continue
		}
		w := *v
		if v.Weight != nil {
			held := *v.Weight
			held.Shape = slices.Clone(held.Shape)
			p.held(&out, n.Op.Operands[i], &held)
			if f != nil {
				f.part(n, n.Op.Operands[i].Name, &held)
			}
			w.Weight, w.Type = &held, held.Type()
		} else if f != nil {
			w.Type = f.in(v).of(v.Type)
		}
		out.In[i] = &w
	}
	out.Out = make([]*ir.Value, len(n.Out))
	for i, v := range n.Out {
		w := *v
		if f != nil {
			w.Type = f.states[v].of(v.Type)
		}
		out.Out[i] = &w
	}
	return &out
}

// held gives a weight the dtype that quantise will give it, and its rows the one that they will be quantised to.
func (p *pricer) held(n *ir.Node, o ir.Operand, w *ir.Weight) {
	if o.Kind != ir.LinearOperand || !slices.Contains(p.later, quantise) {
		return
	}
	q := &quantiser{Context: p.Context}
	if p.Options.Weights.Valid() && q.ownReason(w, n.Op, o) == "" {
		w.DType = p.Options.Weights
	}
	if a := p.Options.Activations; a.Valid() && w.DType == a && n.Attrs.Str("act") == "" {
		n.Attrs = n.Attrs.With("act", a.String())
	}
}

// gathers are the collectives that will put results of a node together which the graph returns and ranks have parts of.
func (f *flow) gathers(n *ir.Node) []*ir.Node {
	var out []*ir.Node
	for _, v := range n.Out {
		st := f.states[v]
		if st.kind != split || !slices.Contains(f.outputs, v) {
			continue
		}
		part := *v
		part.Type = st.of(v.Type)
		out = append(out, &ir.Node{Op: ir.Lookup("comm.all_gather"), In: []*ir.Value{&part}, Out: []*ir.Value{v},
			Attrs: ir.Attrs{{Key: "ranks", Value: int64(f.ranks)}}, Origin: n.Origin})
	}
	return out
}

// of is the type of a rank's part of a value.
func (s shardState) of(t ir.Type) ir.Type {
	if s.kind != split || t.State || s.dim >= len(t.Shape) || !t.Shape[s.dim].IsConst() {
		return t
	}
	t.Shape = t.Shape.With(s.dim, ir.Fixed(max(t.Shape[s.dim].Add/s.parts, 1)))
	return t
}

// part cuts a weight of a projection or of experts to what one rank has of it.
func (f *flow) part(n *ir.Node, operand string, w *ir.Weight) {
	dim, parts := -1, f.parts[n]
	projects := n.Op.Name == "linear" || n.Op.Name == "linear.f32"
	switch {
	case projects && f.contracts[n] && operand == "w":
		dim, parts = 1, f.ranks
	case projects && parts > 1:
		dim = 0
	case n.Op.Name == "moe.experts" && operand == "down":
		dim = 2
	case n.Op.Name == "moe.experts":
		dim = 1
	}
	if dim >= 0 && dim < len(w.Shape) && parts > 1 {
		w.Shape[dim] = max(w.Shape[dim]/parts, 1)
	}
}
