package diff

import (
	"fmt"
	"slices"
	"strings"

	"github.com/glmc/glmc/compiler/align"
	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/layers"
)

// Operator is an operator that only one plan has, or that differs.
type Operator struct {
	Entry   string `json:"entry"`
	Buckets string `json:"buckets"` // sizes of steps, where an entry has several programs; else ""
	Pair[Site]
	Passes  []string `json:"passes"`  // that did something there in one plan only, as remarks tell
	Details []Detail `json:"details"` // empty where only one side has the operator
}

// Site is an operator and where it comes from.
type Site struct {
	Op     string `json:"op"`
	Layer  int    `json:"layer"`  // -1: outside of any layer
	Source string `json:"source"` // file:line:col
	End    string `json:"end"`    // line:col behind the last character there; "": not known
	Path   string `json:"path"`   // weight path of the block that wrote it
	Type   string `json:"type"`   // of its results, with commas between them
}

// Detail is one thing in which an operator differs.
type Detail struct {
	Kind string `json:"kind"` // "attribute", "operand" or "result" (types), "from" (what it reads), "source", "path", "stream", "waits" or "position"
	Name string `json:"name"` // of the attribute, the operand or the result's number; "" for the others
	Pair[string]
}

func (c *comparison) operators() []Operator {
	out := []Operator{}
	made := c.provenance()
	for _, e := range c.entries {
		moved := movedNodes(e.matches)
		for _, m := range e.matches {
			o := Operator{Entry: e.name, Buckets: e.buckets, Pair: Pair[Site]{site(m.a), site(m.b)}, Passes: made.by(e, m), Details: []Detail{}}
			if m.a != nil && m.b != nil {
				o.Details = c.details(e, m, moved)
				if len(o.Details) == 0 {
					continue
				}
			}
			out = append(out, o)
		}
	}
	return out
}

func site(n *ir.Node) *Site {
	if n == nil {
		return nil
	}
	var types []string
	for _, v := range n.Out {
		types = append(types, v.Type.String())
	}
	return &Site{n.Op.Name, n.Origin.Layer, n.Origin.Source, n.Origin.End, n.Origin.Path, strings.Join(types, ", ")}
}

// details lists in what two operators of one row of the table differ.
func (c *comparison) details(e *entry, m match, moved map[*ir.Node]align.Pair) []Detail {
	out := []Detail{}
	add := func(kind, name string, a, b *string) {
		if p, differs := pairOf(a, b); differs {
			out = append(out, Detail{kind, name, p})
		}
	}
	for _, spec := range m.a.Op.Attrs {
		add("attribute", spec.Key, attrText(m.a, spec.Key), attrText(m.b, spec.Key))
	}
	for i, o := range m.a.Op.Operands {
		x, y := m.a.In[i], m.b.In[i]
		add("operand", o.Name, typeText(x), typeText(y))
		if x != nil && y != nil && !c.sameOrigin(e, x, y) {
			// Unlike the others it counts even where both texts are one: they may stand for operators that are not alike.
			out = append(out, Detail{"from", o.Name, Pair[string]{originText(x, m.a.Origin.Layer), originText(y, m.b.Origin.Layer)}})
		}
	}
	for i := range m.a.Out {
		add("result", fmt.Sprint(i), typeText(m.a.Out[i]), typeText(m.b.Out[i]))
	}
	if !c.sources.same(m.a.Origin, m.b.Origin) {
		x, y := c.sources.differing(m.a.Origin, m.b.Origin)
		add("source", "", &x, &y)
	}
	pathA, pathB := m.a.Origin.Path, m.b.Origin.Path
	if generic(pathA) != generic(pathB) {
		add("path", "", &pathA, &pathB)
	}
	streamA, streamB := fmt.Sprint(m.a.Stream), fmt.Sprint(m.b.Stream)
	add("stream", "", &streamA, &streamB)
	if !sameWaits(e, m.a, m.b) {
		out = append(out, Detail{"waits", "", Pair[string]{waitsText(m.a), waitsText(m.b)}})
	}
	if p, ok := moved[m.a]; ok {
		a, b := fmt.Sprint(p.A), fmt.Sprint(p.B)
		add("position", "", &a, &b)
	}
	return out
}

// sameWaits reports whether two operators wait for operators that belong together.
func sameWaits(e *entry, a, b *ir.Node) bool {
	return len(a.Waits) == len(b.Waits) && !slices.ContainsFunc(a.Waits, func(w *ir.Node) bool { return !slices.Contains(b.Waits, e.partner[w]) })
}

// waitsText says which operators an operator waits for.
func waitsText(n *ir.Node) *string {
	var parts []string
	for _, w := range n.Waits {
		parts = append(parts, w.Op.Name+ofLayer(w.Origin.Layer, n.Origin.Layer)+" at "+w.Origin.Source)
	}
	text := strings.Join(parts, ", ")
	return &text
}

// sameOrigin reports whether two operands come from what belongs together.
func (c *comparison) sameOrigin(e *entry, x, y *ir.Value) bool {
	switch {
	case x.Def != nil && y.Def != nil:
		return e.partner[x.Def] == y.Def && slices.Index(x.Def.Out, x) == slices.Index(y.Def.Out, y)
	case x.Weight != nil && y.Weight != nil:
		return c.sameStored(e, x.Weight, y.Weight)
	case x.Cache != nil && y.Cache != nil:
		return e.sameName(x.Cache.Name, y.Cache.Name)
	}
	return x.Def == nil && y.Def == nil && x.Weight == nil && y.Weight == nil && x.Cache == nil && y.Cache == nil && x.Input == y.Input
}

// originText says what a value is, for an operator of a layer.
func originText(v *ir.Value, layer int) *string {
	text := "input " + v.Input
	switch {
	case v.Def != nil:
		text = v.Def.Op.Name + ofLayer(v.Def.Origin.Layer, layer) + " at " + v.Def.Origin.Source
		if len(v.Def.Out) > 1 {
			text = fmt.Sprintf("result %d of %s", slices.Index(v.Def.Out, v), text)
		}
	case v.Weight != nil:
		text = "weight " + v.Weight.Name
	case v.Cache != nil:
		text = "cache " + v.Cache.Name
	}
	return &text
}

// ofLayer names a layer as another one sees it, so that layers that are alike are told in the same words.
func ofLayer(layer, from int) string {
	switch {
	case layer == from:
		return ""
	case layer < 0:
		return " outside of the layers"
	case layer == from-1:
		return " of the layer before"
	}
	return fmt.Sprintf(" of layer %d", layer)
}

func attrText(n *ir.Node, key string) *string {
	v := n.Attrs.Get(key)
	if v == nil {
		return nil
	}
	text := fmt.Sprint(v)
	return &text
}

func typeText(v *ir.Value) *string {
	if v == nil {
		return nil
	}
	text := v.Type.String()
	return &text
}

// movedNodes finds the operators that run in another order: those outside of the longest rising chain of pairs.
func movedNodes(matches []match) map[*ir.Node]align.Pair {
	var both []match
	for _, m := range matches {
		if m.a != nil && m.b != nil {
			both = append(both, m)
		}
	}
	slices.SortFunc(both, func(x, y match) int { return x.ia - y.ia })
	forward := make([]align.Pair, len(both))
	for i, m := range both {
		forward[i] = align.Pair{A: m.ia, B: m.ib}
	}
	backward := make([]align.Pair, len(both))
	for i, p := range forward {
		backward[i] = align.Pair{A: p.B, B: p.A}
	}
	slices.SortFunc(backward, func(x, y align.Pair) int { return x.A - y.A })
	kept := map[int]bool{} // places in A
	// Of several longest chains, the same one for both directions.
	if slices.CompareFunc(forward, backward, func(x, y align.Pair) int { return x.B - y.B }) <= 0 {
		for _, p := range align.LongestRise(forward) {
			kept[p.A] = true
		}
	} else {
		for _, p := range align.LongestRise(backward) {
			kept[p.B] = true
		}
	}
	moved := map[*ir.Node]align.Pair{}
	for _, m := range both {
		if !kept[m.ia] {
			moved[m.a] = align.Pair{A: m.ia, B: m.ib}
		}
	}
	return moved
}

func generic(name string) string {
	out, _ := layers.Generic(name)
	return out
}
