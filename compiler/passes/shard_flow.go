package passes

import (
	"fmt"
	"slices"

	"github.com/glmc/glmc/compiler/ir"
)

// shardKind says what each rank holds of a value.
type shardKind byte

const (
	replicated shardKind = iota // all of it
	split                       // the rank's part of one dimension
	partial                     // a term of the sum over ranks
)

// shardState is what each rank holds of a value. from lists the projections that began the split.
type shardState struct {
	kind  shardKind
	dim   int
	parts int
	from  []*ir.Node
}

// flow is how splits travel through one graph.
type flow struct {
	ranks  int
	parts  map[*ir.Node]int // how many parts a projection, the experts or a repeated head split into; 1: whole
	why    map[*ir.Node]string
	odd    map[*ir.Node]bool // why is a matter of numbers: more or fewer ranks would split it
	states map[*ir.Value]shardState
	whole  map[*ir.Cache]bool // caches that another entry does not split

	outputs []*ir.Value // that the graph returned when the splits were settled

	contracts    map[*ir.Node]bool // projections over a split dimension
	keepsPartial map[*ir.Node]bool // nodes that take partial operands as they are
	caches       map[*ir.Cache]int
}

// settleFlows finds the splits of every graph of a module, such that entries agree on the caches they share:
// where one keeps a cache whole, the others do too. Every round keeps another cache whole in some graph, so
// that this ends.
func settleFlows(m *ir.Module, ranks int) []*flow {
	flows, whole := make([]*flow, len(m.Graphs)), make([]map[*ir.Cache]bool, len(m.Graphs))
	for agreed := false; !agreed; {
		agreed = true
		fewest := map[*ir.Cache]int{}
		for i, g := range m.Graphs {
			flows[i] = settleFlow(g, ranks, whole[i])
			for cache, parts := range flows[i].caches {
				if old, ok := fewest[cache]; !ok || parts < old {
					fewest[cache] = parts
				}
			}
		}
		for i := range flows {
			for cache, parts := range flows[i].caches {
				if parts > fewest[cache] {
					if whole[i] == nil {
						whole[i] = map[*ir.Cache]bool{}
					}
					whole[i][cache], agreed = true, false
				}
			}
		}
	}
	return flows
}

// settleFlow finds the splits of a graph: it starts with every split that divides and takes back those that
// meet an operator which cannot work on a part, until none does.
func settleFlow(g *ir.Graph, ranks int, whole map[*ir.Cache]bool) *flow {
	f := &flow{ranks: ranks, parts: map[*ir.Node]int{}, why: map[*ir.Node]string{}, odd: map[*ir.Node]bool{}, whole: whole, outputs: slices.Clone(g.Outputs),
		states: map[*ir.Value]shardState{}, contracts: map[*ir.Node]bool{}, keepsPartial: map[*ir.Node]bool{}, caches: map[*ir.Cache]int{}}
	at := make(map[*ir.Node]int, len(g.Nodes))
	for i, n := range g.Nodes {
		at[n] = i
		switch n.Op.Name {
		case "linear", "linear.f32":
			f.begin(n, n.Arg("w").Weight.Shape[0])
		case "moe.experts":
			f.begin(n, n.Arg("gate").Weight.Shape[1])
		case "repeat.heads":
			f.begin(n, n.Attrs.Int("heads"))
		}
	}
	for i := 0; ; {
		c := f.pass(g, i)
		if c == nil {
			return f
		}
		f.takeBack(c)
		// What stands before the projections that lost parts is as it was.
		i = len(g.Nodes)
		for _, src := range c.from {
			i = min(i, at[src])
		}
	}
}

func (f *flow) begin(n *ir.Node, width int) {
	f.parts[n] = 1
	if width%f.ranks == 0 {
		f.parts[n] = f.ranks
	} else {
		f.why[n] = fmt.Sprintf("its width %d does not divide by %d ranks", width, f.ranks)
		f.odd[n] = true
	}
}

func (f *flow) reason(n *ir.Node) string {
	if why := f.why[n]; why != "" {
		return why
	}
	return "nothing behind it can work on a part"
}

// conflict is a split that met an operator which cannot take it.
type conflict struct {
	from []*ir.Node
	want int // parts that the operator could take; 1: none
	why  string
	odd  bool // another number of ranks would do
}

// takeBack makes the projections that began a split have fewer parts: as many as the operator could take, or
// one where they have no more than that already. Some projection always loses parts, so that settling ends.
func (f *flow) takeBack(c *conflict) {
	if !f.limit(c, c.want) && !f.limit(c, 1) {
		panic("passes: shard_tensor_parallel: a split that no projection began: " + c.why)
	}
}

// limit reports whether a projection had more than want parts.
func (f *flow) limit(c *conflict, want int) bool {
	lost := false
	for _, src := range c.from {
		if f.parts[src] > want {
			f.parts[src], f.why[src], f.odd[src] = want, c.why, c.odd
			lost = true
		}
	}
	return lost
}

// pass walks the graph from a node on. It returns the first conflict, or nil when there is none.
func (f *flow) pass(g *ir.Graph, from int) *conflict {
	for _, n := range g.Nodes[from:] {
		f.forget(n)
		if c := f.visit(n); c != nil {
			return c
		}
	}
	for _, v := range g.Outputs {
		st := f.states[v]
		if st.kind == split && (st.dim != len(v.Type.Shape)-1 || st.parts != f.ranks) {
			return &conflict{from: st.from, want: 1, why: "the entry returns it and it cannot be gathered"}
		}
	}
	return nil
}

// forget drops what an earlier walk found out about a node.
func (f *flow) forget(n *ir.Node) {
	for _, v := range n.Out {
		delete(f.states, v)
	}
	delete(f.contracts, n)
	delete(f.keepsPartial, n)
}

// in is the state of an operand as the operator sees it: partial sums are added up first unless the operator
// keeps them.
func (f *flow) in(v *ir.Value) shardState {
	st := f.states[v]
	if v == nil || st.kind == partial {
		return shardState{}
	}
	return st
}

func (f *flow) visit(n *ir.Node) *conflict {
	switch n.Op.Name {
	case "linear", "linear.f32":
		return f.linear(n)
	case "reshape":
		return f.reshape(n)
	case "concat":
		return f.concat(n)
	case "repeat.heads":
		return f.repeat(n)
	case "moe.experts":
		return f.experts(n)
	case "kv.write":
		return f.write(n)
	case "attn.paged":
		return f.attention(n)
	case "attn.qknorm_rope_kv":
		return f.fusedWrite(n)
	}
	switch n.Op.Shard {
	case ir.ShardPointwise:
		return f.pointwise(n)
	case ir.ShardRows:
		return f.rows(n)
	}
	return f.wantWhole(n, 0)
}

// wantWhole is the conflict of the first operand from index i on that is split.
func (f *flow) wantWhole(n *ir.Node, i int) *conflict {
	for _, v := range n.In[i:] {
		if st := f.in(v); st.kind == split {
			return &conflict{from: st.from, want: 1, why: fmt.Sprintf("%s wants the whole value", n.Op.Name)}
		}
	}
	return nil
}

func (f *flow) linear(n *ir.Node) *conflict {
	x := n.Arg("x")
	st := f.in(x)
	if st.kind == replicated {
		if p := f.parts[n]; p > 1 {
			f.states[n.Out[0]] = shardState{split, len(n.Out[0].Type.Shape) - 1, p, []*ir.Node{n}}
		}
		return nil
	}
	if st.dim != len(x.Type.Shape)-1 || st.parts != f.ranks {
		return &conflict{from: st.from, want: 1, why: "a projection cannot contract over parts that ranks share"}
	}
	f.contracts[n] = true
	f.states[n.Out[0]] = shardState{kind: partial}
	return nil
}

func (f *flow) experts(n *ir.Node) *conflict {
	if c := f.wantWhole(n, 0); c != nil {
		return c
	}
	if f.parts[n] > 1 {
		f.states[n.Out[0]] = shardState{kind: partial}
	}
	return nil
}

// reshape lets a split through where the split dimension becomes heads or comes from heads.
func (f *flow) reshape(n *ir.Node) *conflict {
	st := f.in(n.In[0])
	if st.kind == replicated {
		return nil
	}
	from, to := n.In[0].Type.Shape, n.Out[0].Type.Shape
	if st.dim >= len(to) || !from[:st.dim].Equal(to[:st.dim]) || !to[st.dim].IsConst() {
		return &conflict{from: st.from, want: 1, why: "a reshape mixes the split dimension with others"}
	}
	units := to[st.dim].Add // heads, when [T, heads*D] becomes [T, heads, D]
	switch {
	case units%st.parts == 0:
	case f.ranks%units == 0:
		return &conflict{from: st.from, want: units, why: fmt.Sprintf("there are %d heads for %d ranks", units, f.ranks)}
	default:
		return &conflict{from: st.from, want: 1, why: fmt.Sprintf("%d heads do not divide by %d ranks", units, f.ranks), odd: true}
	}
	f.states[n.Out[0]] = st
	return nil
}

func (f *flow) pointwise(n *ir.Node) *conflict {
	a := n.In[0]
	if len(n.In) == 1 {
		if st := f.in(a); st.kind == split {
			f.states[n.Out[0]] = st
		}
		return nil
	}
	b := n.In[1]
	sa, sb := f.states[a], f.states[b]
	if sa.kind == partial && sb.kind == partial && (n.Op.Name == "add" || n.Op.Name == "sub") {
		f.keepsPartial[n] = true
		f.states[n.Out[0]] = shardState{kind: partial}
		return nil
	}
	sa, sb = f.in(a), f.in(b)
	if sa.kind == replicated && sb.kind == replicated {
		return nil
	}
	if sa.kind != sb.kind || sa.dim != sb.dim || sa.parts != sb.parts || !a.Type.Shape.Equal(b.Type.Shape) {
		want := 1
		if sa.kind == split && sb.kind == split {
			want = min(sa.parts, sb.parts)
			if sa.parts == sb.parts {
				want = 1
			}
		}
		return &conflict{from: slices.Concat(sa.from, sb.from), want: want,
			why: fmt.Sprintf("the other operand of %s is not split in the same way", n.Op.Name)}
	}
	sa.from = slices.Concat(sa.from, sb.from)
	f.states[n.Out[0]] = sa
	return nil
}

// concat lets a split of another dimension than the last through where both operands have it.
func (f *flow) concat(n *ir.Node) *conflict {
	a, b := f.in(n.In[0]), f.in(n.In[1])
	if a.kind == replicated && b.kind == replicated {
		return nil
	}
	both := slices.Concat(a.from, b.from)
	if a.kind != b.kind || a.dim != b.dim || a.parts != b.parts {
		return &conflict{from: both, want: 1, why: "the other operand of concat is not split in the same way"}
	}
	if a.dim == len(n.Out[0].Type.Shape)-1 {
		return &conflict{from: both, want: 1, why: "concat works along the dimension"}
	}
	a.from = both
	f.states[n.Out[0]] = a
	return nil
}

// repeat begins a split: each rank repeats the head for its own heads only.
func (f *flow) repeat(n *ir.Node) *conflict {
	if c := f.wantWhole(n, 0); c != nil {
		return c
	}
	if p := f.parts[n]; p > 1 {
		f.states[n.Out[0]] = shardState{split, 1, p, []*ir.Node{n}}
	}
	return nil
}

func (f *flow) rows(n *ir.Node) *conflict {
	st := f.in(n.In[0])
	if st.kind == split {
		if st.dim == len(n.In[0].Type.Shape)-1 {
			return &conflict{from: st.from, want: 1, why: fmt.Sprintf("%s works along the dimension", n.Op.Name)}
		}
		f.states[n.Out[0]] = st
	}
	return f.wantWhole(n, 1)
}

// write splits a cache by heads.
func (f *flow) write(n *ir.Node) *conflict {
	return f.writeHeads(n, f.in(n.Arg("k")), f.in(n.Arg("v")), n.Out[0])
}

func (f *flow) writeHeads(n *ir.Node, k, v shardState, out *ir.Value) *conflict {
	if k.kind != v.kind || k.kind == split && (k.dim != 1 || v.dim != 1 || k.parts != v.parts) {
		return &conflict{from: slices.Concat(k.from, v.from), want: 1, why: "keys and values are not split alike"}
	}
	parts := 1
	if k.kind == split {
		parts = k.parts
	}
	cache := n.Arg("cache").RootCache()
	if parts > 1 && f.whole[cache] {
		return &conflict{from: slices.Concat(k.from, v.from), want: 1, why: "another entry keeps the KV cache whole on every rank"}
	}
	f.caches[cache] = parts
	f.states[out] = shardState{kind: k.kind, dim: 1, parts: parts, from: slices.Concat(k.from, v.from)}
	return nil
}

// attention wants query heads and key heads split so that each rank has the keys of its queries.
func (f *flow) attention(n *ir.Node) *conflict {
	q, kv := f.in(n.Arg("q")), f.states[n.Arg("cache")]
	if q.kind == replicated && kv.kind == replicated {
		return nil
	}
	both := slices.Concat(q.from, kv.from)
	cache := n.Arg("cache").RootCache()
	aligned := kv.parts == f.ranks || cache != nil && kv.parts == cache.Heads
	if q.kind != split || kv.kind != split || q.dim != 1 || q.parts != f.ranks || !aligned {
		return &conflict{from: both, want: 1, why: fmt.Sprintf("query and key heads do not split over %d ranks together", f.ranks), odd: true}
	}
	q.from = both
	f.states[n.Out[0]] = q
	return nil
}

func (f *flow) fusedWrite(n *ir.Node) *conflict {
	q, k, v := f.in(n.Arg("q")), f.in(n.Arg("k")), f.in(n.Arg("v"))
	if q.kind == split {
		if q.dim != 1 {
			return &conflict{from: q.from, want: 1, why: "q is split inside its heads"}
		}
		f.states[n.Out[0]] = q
	}
	if c := f.writeHeads(n, k, v, n.Out[1]); c != nil {
		return c
	}
	return f.wantWhole(n, n.Op.Operand("pos"))
}
