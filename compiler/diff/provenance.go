package diff

import (
	"slices"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/dsl/diag"
)

// provenance says what passes did in one plan and not in the other, as the remarks that only one plan has tell: that
// is why operators differ.
type provenance struct {
	sources sources
	byPlace map[spot][]string
	inA     map[spot][]rewrite // spots without a place
	inB     map[spot][]rewrite
}

// spot is a place in the source, or any, of a layer of an entry.
type spot struct {
	entry string
	layer int // place in the list of paired layers; -1 where it is no layer of the entry
	place string
}

// rewrite is what a pass did, and the stretch of the source that it did it to.
type rewrite struct {
	pass  string
	where diag.Span
}

func (c *comparison) provenance() *provenance {
	p := &provenance{sources: c.sources, byPlace: map[spot][]string{}, inA: map[spot][]rewrite{}, inB: map[spot][]rewrite{}}
	type said struct {
		id   string
		spot spot // without a place
	}
	more := map[said]int{} // remarks that A has more than B
	list := c.remarks()
	each := func(do func(inA bool, id string, s *RemarkSide, at spot)) {
		for _, r := range list {
			e := c.byName[r.Entry]
			switch {
			case e == nil || r.A != nil && r.B != nil:
			case r.A != nil && r.A.Status == "applied":
				do(true, r.Pass, r.A, spot{r.Entry, at(e.layers.a, r.A.Layer), place(c.sources.a, r.A.Source)})
			case r.B != nil && r.B.Status == "applied":
				do(false, r.Pass, r.B, spot{r.Entry, at(e.layers.b, r.B.Layer), place(c.sources.b, r.B.Source)})
			}
		}
	}
	each(func(inA bool, _ string, s *RemarkSide, at spot) {
		k := said{s.ID, spot{at.entry, at.layer, ""}}
		if more[k]--; inA {
			more[k] += 2
		}
	})
	each(func(inA bool, pass string, s *RemarkSide, at spot) {
		if more[said{s.ID, spot{at.entry, at.layer, ""}}] == 0 {
			return // the other plan has as many in other words: of other sizes, or elsewhere in the source
		}
		in := p.inB
		if inA {
			in = p.inA
		}
		p.add(in, pass, at, diag.ParseRange(s.Source, s.End))
	})
	return p
}

func (p *provenance) add(in map[spot][]rewrite, pass string, s spot, where diag.Span) {
	p.byPlace[s] = include(p.byPlace[s], pass)
	s.place = ""
	in[s] = append(in[s], rewrite{pass, where})
}

// by lists the passes that did something at the place of an operator in one plan only. An operator that the other plan
// lacks may also have gone into a rewrite of that plan, of a stretch of the source that it lies in.
func (p *provenance) by(e *entry, m match) []string {
	out := []string{}
	if !m.layer.inA || !m.layer.inB {
		return out // the whole layer is why
	}
	if m.a != nil {
		s := spot{e.name, at(e.layers.a, m.a.Origin.Layer), place(p.sources.a, m.a.Origin.Source)}
		out = include(out, p.byPlace[s]...)
		if m.b == nil {
			out = include(out, within(p.inB, s, m.a)...)
		}
	}
	if m.b != nil {
		s := spot{e.name, at(e.layers.b, m.b.Origin.Layer), place(p.sources.b, m.b.Origin.Source)}
		out = include(out, p.byPlace[s]...)
		if m.a == nil {
			out = include(out, within(p.inA, s, m.b)...)
		}
	}
	return out
}

// within lists the passes that rewrote a stretch of the source in which an operator lies.
func within(rewrites map[spot][]rewrite, s spot, n *ir.Node) []string {
	s.place = ""
	var out []string
	x := diag.ParseRange(n.Origin.Source, n.Origin.End)
	for _, r := range rewrites[s] {
		if x.Start.Line > 0 && !before(x.Start, r.where.Start) && !before(r.where.End, x.End) {
			out = append(out, r.pass)
		}
	}
	return out
}

// before compares two places of a file. Names of files are not compared: the plans may call theirs differently.
func before(a, b diag.Pos) bool {
	return a.Line < b.Line || a.Line == b.Line && a.Column < b.Column
}

// include appends what a list does not have.
func include(list []string, more ...string) []string {
	for _, x := range more {
		if !slices.Contains(list, x) {
			list = append(list, x)
		}
	}
	return list
}

// at is where a layer stands in a list of paired layers.
func at(places map[int]int, layer int) int {
	if i, ok := places[layer]; ok {
		return i
	}
	return -1
}
