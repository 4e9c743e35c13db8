package history

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"github.com/glmc/glmc/compiler/align"
	"github.com/glmc/glmc/compiler/layers"
)

// History is what was recorded so far.
func (r *Recorder) History() *History {
	b := &builder{r: r, out: &History{Model: r.model, Nodes: []Node{}, Steps: []Step{}}, places: map[string]int{},
		lists: map[*part][]int{}, shown: r.shown()}
	for i, s := range r.steps {
		var last *step
		if i > 0 {
			last = r.steps[i-1]
		}
		b.out.Steps = append(b.out.Steps, b.step(s, last))
	}
	return b.out
}

// builder makes a history of what was recorded.
type builder struct {
	r      *Recorder
	out    *History
	places map[string]int  // of nodes, by what they are
	lists  map[*part][]int // places of the nodes of parts
	shown  map[string]map[partKey]*group
}

// group is the layers of an entry that are alike in every step.
type group struct {
	first  partKey // the one that is shown
	layers []int
}

// shown says of each entry's layers which one stands for it. Layers belong together that have one kind in each step,
// in every variant of the entry.
func (r *Recorder) shown() map[string]map[partKey]*group {
	type entryPart struct {
		entry string
		key   partKey
	}
	kinds := map[entryPart][]byte{}
	var order []entryPart
	for i, s := range r.steps {
		for j, g := range s.graphs {
			for _, p := range g.parts {
				k := entryPart{g.entry, p.partKey}
				if kinds[k] == nil {
					order = append(order, k)
				}
				sig := binary.AppendUvarint(kinds[k], uint64(i)) // a layer may lack in some steps
				sig = binary.AppendUvarint(sig, uint64(j))
				kinds[k] = binary.AppendUvarint(sig, uint64(p.kind))
			}
		}
	}
	slices.SortStableFunc(order, func(a, b entryPart) int { return a.key.layer - b.key.layer })
	groups := map[string]*group{}
	out := map[string]map[partKey]*group{}
	for _, k := range order {
		sig := k.entry + "\x00" + string(kinds[k])
		g := groups[sig]
		if g == nil || k.key.layer < 0 {
			g = &group{first: k.key}
			groups[sig] = g
		}
		if k.key.layer >= 0 {
			g.layers = append(g.layers, k.key.layer)
			if k.key.layer == r.layer {
				g.first = k.key
			}
		}
		if out[k.entry] == nil {
			out[k.entry] = map[partKey]*group{}
		}
		out[k.entry][k.key] = g
	}
	return out
}

func (b *builder) step(s, last *step) Step {
	out := Step{Pass: s.pass, Ranks: s.ranks, Changed: s.changed, Graphs: []Graph{}}
	for _, g := range s.graphs {
		var before *graph
		if last != nil && g.before >= 0 {
			before = last.graphs[g.before]
		}
		out.Graphs = append(out.Graphs, b.graph(g, before))
	}
	return out
}

func (b *builder) graph(g, before *graph) Graph {
	out := Graph{Entry: g.entry, Variant: g.variant, Before: g.before, Operators: g.operators, Launches: g.launches,
		Inputs: slices.Concat([]Result{}, g.inputs), Outputs: slices.Concat([]int{}, g.outputs), Parts: []Part{}, Replaced: [][2]int{}}
	replaced := map[int]int{}
	if before != nil && g.like == nil {
		replaced = b.replaced(g, before)
	}
	for _, from := range slices.Sorted(maps.Keys(replaced)) {
		out.Replaced = append(out.Replaced, [2]int{from, replaced[from]})
	}
	add := func(k partKey, p, old *part) {
		shown := b.shown[g.entry][k]
		if shown.first != k {
			return
		}
		x := Part{Key: k.String(), Where: where(k, shown.layers), Layers: slices.Concat([]int{}, shown.layers),
			Nodes: slices.Concat([]int{}, b.nodes(g, p)), Changes: []Change{}}
		if before != nil && old != p {
			x.Changes = b.changes(b.nodes(before, old), x.Nodes, replaced)
		}
		out.Parts = append(out.Parts, x)
	}
	for _, p := range g.parts {
		var old *part
		if before != nil {
			old = before.byKey[p.partKey]
		}
		add(p.partKey, p, old)
	}
	if before == nil || g.like != nil {
		return out
	}
	for _, old := range before.parts { // of which nothing is left
		if g.byKey[old.partKey] == nil {
			add(old.partKey, nil, old)
		}
	}
	return out
}

func where(k partKey, numbers []int) string {
	switch {
	case k.layer >= 0:
		return layers.Where(numbers)
	case k.behind:
		return "behind the layers"
	}
	return "before the layers"
}

// nodes gives the operators of a part their places in the history.
func (b *builder) nodes(g *graph, p *part) []int {
	if p == nil {
		return nil
	}
	if list, done := b.lists[p]; done {
		return list
	}
	out := []int{}
	for _, n := range b.r.nodes(p) {
		for i := range n.Operands {
			n.Operands[i].Shown = b.standsFor(g, &n.Operands[i])
		}
		key := fmt.Sprint(n)
		at, known := b.places[key]
		if !known {
			at = len(b.out.Nodes)
			b.places[key] = at
			b.out.Nodes = append(b.out.Nodes, n)
		}
		out = append(out, at)
	}
	b.lists[p] = out
	return out
}

// standsFor is the value that is shown for one that a layer makes that is not; 0 where the value is shown itself.
func (b *builder) standsFor(g *graph, o *Operand) int {
	if o.Kind != OperandValue || o.From < 0 {
		return 0
	}
	key := partKey{layer: o.From}
	shown := b.shown[g.entry][key]
	if shown == nil || shown.first == key || g.byKey[key] == nil || g.byKey[shown.first] == nil {
		return 0
	}
	at := slices.Index(b.r.results(g.byKey[key]), o.Value)
	first := b.r.results(g.byKey[shown.first])
	if at < 0 || at >= len(first) {
		return 0
	}
	return first[at]
}

// changes aligns the operators of a part before and behind a pass by their numbers.
func (b *builder) changes(before, after []int, replaced map[int]int) []Change {
	out := []Change{}
	lastA, lastB := 0, 0
	gap := func(toA, toB int) {
		for _, at := range before[lastA:toA] {
			out = append(out, Change{Removed, at, -1})
		}
		for _, at := range after[lastB:toB] {
			out = append(out, Change{Added, -1, at})
		}
	}
	for _, p := range align.Common(b.ids(before), b.ids(after)) {
		gap(p.A, p.B)
		c := Change{Kept, before[p.A], after[p.B]}
		if c.Before != c.After {
			c.Kind = b.difference(&b.out.Nodes[c.Before], &b.out.Nodes[c.After], replaced)
		}
		out = append(out, c)
		lastA, lastB = p.A+1, p.B+1
	}
	gap(len(before), len(after))
	if !slices.ContainsFunc(out, func(c Change) bool { return c.Kind != Kept }) {
		return []Change{}
	}
	return out
}

// difference says how two states of an operator differ.
func (b *builder) difference(before, after *Node, replaced map[int]int) ChangeKind {
	renamed := *before
	renamed.Operands = slices.Clone(before.Operands)
	if len(after.Operands) != len(before.Operands) {
		return Changed
	}
	for i := range renamed.Operands {
		o, now := &renamed.Operands[i], &after.Operands[i]
		if to := replaced[o.Value]; to != 0 {
			o.Value, o.From, o.Shown, o.Kind = to, now.From, now.Shown, now.Kind
		}
	}
	if fmt.Sprint(renamed) == fmt.Sprint(*after) {
		return Renamed
	}
	return Changed
}

func (b *builder) ids(places []int) []int {
	out := make([]int, len(places))
	for i, at := range places {
		out[i] = b.out.Nodes[at].ID
	}
	return out
}

// replaced finds the values that parts which are shown make or take, and in whose place operators take another one
// that the pass made.
func (b *builder) replaced(g, before *graph) map[int]int {
	wanted := map[int]bool{}
	for _, p := range before.parts {
		if b.shown[before.entry][p.partKey].first != p.partKey {
			continue
		}
		for _, v := range b.r.results(p) {
			wanted[v] = true
		}
		takes := map[int32][]int32{}
		b.r.operands(p, takes)
		for _, list := range takes {
			for i := 0; i < len(list); i += 2 {
				wanted[int(list[i])] = true
			}
		}
	}
	old := map[int32][]int32{}
	for _, p := range before.parts {
		b.r.operands(p, old)
	}
	left := map[int]bool{}
	for _, p := range g.parts {
		for _, v := range b.r.results(p) {
			left[v] = true
		}
	}
	found := map[int]int{}
	note := func(from, to int) {
		if from != to && to != 0 && wanted[from] && !left[from] && found[from] == 0 {
			found[from] = to
		}
	}
	for _, p := range g.parts {
		now := map[int32][]int32{}
		b.r.operands(p, now)
		for _, id := range slices.Sorted(maps.Keys(now)) {
			was := old[id]
			if len(was) != len(now[id]) {
				continue
			}
			for i := 0; i < len(was); i += 2 {
				note(int(was[i]), int(now[id][i]))
			}
		}
	}
	for i := range min(len(g.outputs), len(before.outputs)) {
		note(before.outputs[i], g.outputs[i])
	}
	for from, to := range g.replaced { // what took it may be gone too
		if left[to] {
			note(from, to)
		}
	}
	return found
}
