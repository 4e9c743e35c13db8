package history

import (
	"slices"
	"strconv"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/layers"
)

// Recorder takes the states of one module. Its Observe is what passes.Options.Observe wants. It remembers of each
// layer what kind it is of and the numbers of its operators and values, a text only for each kind: of GLM-4.7 that
// takes a millisecond or two a pass.
type Recorder struct {
	model string
	kinds *layers.Kinds
	forms [][]form // by kind
	steps []*step
	layer int // that is shown where it is one of several
}

// New returns a recorder that has seen nothing.
func New() *Recorder { return &Recorder{kinds: layers.NewKinds(), layer: -1} }

// Prefer has a layer shown where it is like others, instead of the first of them. Nil prefers none.
func (r *Recorder) Prefer(layer *int) {
	if layer != nil {
		r.layer = *layer
	}
}

// step is the module behind a pass.
type step struct {
	pass    string
	ranks   int
	changed bool
	graphs  []*graph
}

type graph struct {
	entry, variant      string
	before              int
	operators, launches int
	inputs              []Result
	outputs             []int
	parts               []*part
	byKey               map[partKey]*part
	like                *graph      // the graph of the step before, where nothing has changed
	replaced            map[int]int // values of the step before that rewrites replaced
}

// partKey tells the parts of a graph apart: the number of a layer, or -1 and whether it comes behind the layers.
type partKey struct {
	layer  int
	behind bool
}

// part is a layer with all that distinguishes it from others of its kind: the numbers of operators and values in the
// order in which a form takes them. It is shared with the step before where nothing has changed.
type part struct {
	partKey
	kind int
	ids  []int32
}

// Observe records the module behind a pass, "" for the module as it was lowered. It keeps nothing of the module.
func (r *Recorder) Observe(pass string, m *ir.Module) {
	r.model = m.Name
	s := &step{pass: pass, ranks: m.Ranks}
	var last *step
	if len(r.steps) > 0 {
		last = r.steps[len(r.steps)-1]
		s.changed = last.ranks != s.ranks || len(last.graphs) != len(m.Graphs)
	}
	for _, g := range m.Graphs {
		x := r.graph(g, variant(m, g), last)
		s.changed = s.changed || last != nil && x.like == nil
		s.graphs = append(s.graphs, x)
	}
	r.steps = append(r.steps, s)
}

// variant names the step sizes that a graph is for, where the entry has several graphs.
func variant(m *ir.Module, g *ir.Graph) string {
	if len(m.Variants(g.Name)) < 2 {
		return ""
	}
	return ir.BucketNames(g.Buckets)
}

// graph records one entry.
func (r *Recorder) graph(g *ir.Graph, variant string, last *step) *graph {
	x := &graph{entry: g.Name, variant: variant, before: -1, operators: len(g.Nodes), byKey: map[partKey]*part{}}
	var before *graph
	if last != nil {
		x.before = origin(last, x)
		if x.before >= 0 {
			before = last.graphs[x.before]
		}
	}
	for _, v := range g.Inputs {
		x.inputs = append(x.inputs, Result{ID: v.ID, Type: v.Type.String(), Name: v.Input})
	}
	for _, v := range g.Outputs {
		x.outputs = append(x.outputs, v.ID)
	}
	same := before != nil && slices.Equal(before.inputs, x.inputs) && slices.Equal(before.outputs, x.outputs) && before.variant == x.variant
	for _, l := range split(g) {
		p := r.part(l)
		x.launches += l.launches
		if before != nil {
			if old := before.byKey[l.partKey]; old != nil && old.kind == p.kind && slices.Equal(old.ids, p.ids) {
				p = old
			}
		}
		same = same && before.byKey[l.partKey] == p
		x.parts = append(x.parts, p)
		x.byKey[l.partKey] = p
	}
	if same && len(before.parts) == len(x.parts) {
		x.like = before
	}
	if before != nil {
		x.replaced = r.rewritten(g, before, x)
	}
	return x
}

// rewritten lists what rewrites put in place of values of parts that have changed.
func (r *Recorder) rewritten(g *ir.Graph, before, now *graph) map[int]int {
	out := map[int]int{}
	for _, p := range before.parts {
		if now.byKey[p.partKey] == p {
			continue
		}
		for _, v := range r.results(p) {
			if to := g.Replacement(v); to != v {
				out[v] = to
			}
		}
	}
	return out
}

// origin is the place of the graph that another one was before a pass: the one of the same variant, or the one that
// was copied for several variants.
func origin(last *step, x *graph) int {
	same := func(g *graph) bool { return g.entry == x.entry && g.variant == x.variant }
	if at := slices.IndexFunc(last.graphs, same); at >= 0 {
		return at
	}
	return slices.IndexFunc(last.graphs, func(g *graph) bool { return g.entry == x.entry })
}

// layer is a part in the making.
type layer struct {
	partKey
	nodes    []*ir.Node
	launches int
	places   map[*ir.Node]place // of the whole graph
}

type place struct {
	key partKey
	at  int
}

func (l *layer) index(n *ir.Node) (int, bool) {
	p, ok := l.places[n]
	return p.at, ok && p.key == l.partKey
}

// split groups a graph's operators by layer. What is outside of the layers is split in two: what comes before the
// first layer begins, and the rest.
func split(g *ir.Graph) []*layer {
	byKey := map[partKey]*layer{}
	places := make(map[*ir.Node]place, len(g.Nodes))
	var out []*layer
	begun := false
	for _, n := range g.Nodes {
		key := partKey{layer: max(n.Origin.Layer, -1)}
		begun = begun || key.layer >= 0
		key.behind = begun && key.layer < 0
		l := byKey[key]
		if l == nil {
			l = &layer{partKey: key, places: places}
			byKey[key] = l
			out = append(out, l)
		}
		places[n] = place{key, len(l.nodes)}
		l.nodes = append(l.nodes, n)
		if !n.Op.View {
			l.launches++
		}
	}
	slices.SortStableFunc(out, func(a, b *layer) int { return a.rank() - b.rank() })
	return out
}

// rank orders what is outside of the layers around them; the layers stay in the order in which they begin.
func (k partKey) rank() int {
	switch {
	case k.layer >= 0:
		return 1
	case k.behind:
		return 2
	}
	return 0
}

func (k partKey) String() string {
	switch {
	case k.layer >= 0:
		return strconv.Itoa(k.layer)
	case k.behind:
		return "end"
	}
	return "begin"
}

// part takes down a layer's kind and numbers.
func (r *Recorder) part(l *layer) *part {
	p := &part{partKey: l.partKey, kind: r.kinds.Of(l.nodes, l.layer, l.index)}
	if p.kind == len(r.forms) {
		var forms []form
		for _, n := range l.nodes {
			forms = append(forms, r.form(n, l))
		}
		r.forms = append(r.forms, forms)
	}
	size := 0
	for _, n := range l.nodes {
		size += 1 + len(n.Out) + 2*(len(n.In)+len(n.Waits))
	}
	p.ids = make([]int32, 0, size)
	for _, n := range l.nodes {
		p.ids = append(p.ids, int32(n.ID))
		for _, v := range n.Out {
			p.ids = append(p.ids, int32(v.ID))
		}
		for _, v := range n.In {
			id, from := int32(0), int32(-1)
			if v != nil {
				id = int32(v.ID)
				if v.Def != nil {
					from = int32(v.Def.Origin.Layer)
				}
			}
			p.ids = append(p.ids, id, from)
		}
		for _, w := range n.Waits {
			result := int32(0)
			if len(w.Out) > 0 {
				result = int32(w.Out[0].ID)
			}
			p.ids = append(p.ids, int32(w.ID), result)
		}
	}
	return p
}
