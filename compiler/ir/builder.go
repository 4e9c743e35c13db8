package ir

import "slices"

// Builder makes nodes one behind the other, for passes and expansions. The first error sticks and is
// returned by Err; until then, and after it, calls are safe.
type Builder struct {
	Graph  *Graph
	Origin Origin
	Nodes  []*Node
	err    error
}

// Emit makes a node and returns its results. Where it cannot be made, now or because of an error before, there are
// stand-ins for as many results as any operator has.
func (b *Builder) Emit(op string, in []*Value, attrs ...Attr) []*Value {
	if b.err != nil {
		return failed()
	}
	n, err := b.Graph.NewNode(op, in, attrs, b.Origin)
	if err != nil {
		b.err = err
		return failed()
	}
	b.Nodes = append(b.Nodes, n)
	return n.Out
}

// One is Emit for operators with one result.
func (b *Builder) One(op string, in []*Value, attrs ...Attr) *Value {
	return b.Emit(op, in, attrs...)[0]
}

// Err is the first error, if any.
func (b *Builder) Err() error { return b.err }

// MaxResults is how many results an operator has at most: as many as linear.split can have sizes.
const MaxResults = MaxRank

// failed stands in for the results of a node that could not be made.
func failed() []*Value {
	out := make([]*Value, MaxResults)
	for i := range out {
		out[i] = &Value{}
	}
	return out
}

// Rewrite collects changes to a graph and applies them in one sweep, so that a pass costs time linear in
// the graph however many sites it rewrites.
type Rewrite struct {
	graph   *Graph
	replace map[*Value]*Value
	remove  map[*Node]bool
	before  map[*Node][]*Node
	after   map[*Node][]*Node
}

// NewRewrite starts a set of changes to g.
func NewRewrite(g *Graph) *Rewrite {
	return &Rewrite{graph: g, replace: map[*Value]*Value{}, remove: map[*Node]bool{}, before: map[*Node][]*Node{}, after: map[*Node][]*Node{}}
}

// Replace makes every use of old, outputs included, a use of new.
func (r *Rewrite) Replace(old, new *Value) { r.replace[old] = new }

// Remove takes a node out. Its results must be unused or replaced.
func (r *Rewrite) Remove(nodes ...*Node) {
	for _, n := range nodes {
		r.remove[n] = true
	}
}

// Before and After put nodes next to one that is in the graph, removed or not.
func (r *Rewrite) Before(at *Node, nodes ...*Node) { r.before[at] = append(r.before[at], nodes...) }

// After puts nodes behind one that is in the graph.
func (r *Rewrite) After(at *Node, nodes ...*Node) { r.after[at] = append(r.after[at], nodes...) }

// Apply carries the changes out. Uses inside the nodes that were put in by After are left as they are:
// they name the value that they were built on.
func (r *Rewrite) Apply() {
	g := r.graph
	inserted := map[*Node]bool{}
	out := make([]*Node, 0, len(g.Nodes))
	for _, n := range g.Nodes {
		out = append(out, r.before[n]...)
		if !r.remove[n] {
			out = append(out, n)
		}
		out = append(out, r.after[n]...)
		for _, m := range r.after[n] {
			inserted[m] = true
		}
	}
	g.Nodes = out
	for _, n := range g.Nodes {
		if inserted[n] {
			continue
		}
		for i, v := range n.In {
			n.In[i] = r.resolve(v)
		}
	}
	for i, v := range g.Outputs {
		g.Outputs[i] = r.resolve(v)
	}
	for old, v := range r.replace {
		if g.replaced == nil {
			g.replaced = map[int]int{}
		}
		g.replaced[old.ID] = v.ID
	}
}

// Replacement is the number of the value that is used in place of another one since a Rewrite replaced it, and of what
// replaced that one in turn; the number itself where nothing did. It is what this process knows: a graph that was
// parsed or decoded knows of no replacement.
func (g *Graph) Replacement(id int) int {
	for range len(g.replaced) { // a chain has no more links
		next, ok := g.replaced[id]
		if !ok {
			break
		}
		id = next
	}
	return id
}

func (r *Rewrite) resolve(v *Value) *Value {
	for v != nil {
		next, ok := r.replace[v]
		if !ok {
			return v
		}
		v = next
	}
	return v
}

// RemoveDead drops nodes whose results nobody uses and returns them, the last one first. In that order it asks may for
// each: a node that is to stay uses its operands. Writes to a cache are kept,
// because a later step reads them, and so is what has an effect.
func (g *Graph) RemoveDead(may func(n *Node) bool) []*Node {
	live := map[*Value]bool{}
	for _, v := range g.Outputs {
		live[v] = true
	}
	var kept, removed []*Node
	for _, n := range slices.Backward(g.Nodes) {
		used := n.Op.Effect || slices.ContainsFunc(n.Out, func(v *Value) bool { return live[v] || v.Type.State })
		if !used && may(n) {
			removed = append(removed, n)
			continue
		}
		kept = append(kept, n)
		for _, v := range n.In {
			if v != nil {
				live[v] = true
			}
		}
	}
	slices.Reverse(kept)
	g.Nodes = kept
	return removed
}
