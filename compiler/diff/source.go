package diff

import (
	"fmt"
	"slices"
	"strings"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
)

// sources says how places in the source are compared. Where each plan comes of one file these are taken for two
// states of it, however they are called; what they are called is one fact, and not one for each operator.
type sources struct{ a, b string } // the files; "" for either where one plan has several, or none

func newSources(a, b *plan.Plan) sources {
	x, y := filesOf(a), filesOf(b)
	if len(x) != 1 || len(y) != 1 {
		return sources{}
	}
	return sources{x[0], y[0]}
}

// filesOf lists the files that a plan's operators and remarks come from, sorted.
func filesOf(p *plan.Plan) []string {
	seen := map[string]bool{}
	var out []string
	note := func(source string) {
		if file, _ := splitSource(source); file != "" && !seen[file] {
			seen[file] = true
			out = append(out, file)
		}
	}
	for _, g := range p.Module.Graphs {
		for _, n := range g.Nodes {
			note(n.Origin.Source)
		}
	}
	for _, r := range p.Remarks {
		note(r.Source)
	}
	slices.Sort(out)
	return out
}

// place is what is compared of a place in a plan whose one file is given.
func place(file, source string) string {
	if rest, ok := strings.CutPrefix(source, file+":"); ok && file != "" {
		return rest
	}
	return source
}

// same reports whether two operators stand at the same place.
func (s sources) same(a, b ir.Origin) bool { return place(s.a, a.Range()) == place(s.b, b.Range()) }

// differing are the places of two operators: where these begin, or where that is the same, all of the place.
func (s sources) differing(a, b ir.Origin) (x, y string) {
	if place(s.a, a.Source) == place(s.b, b.Source) {
		return a.Range(), b.Range()
	}
	return a.Source, b.Source
}

// splitSource splits "file:line:col" into the file and the rest. What has another form has no file.
func splitSource(source string) (file, rest string) {
	i := strings.LastIndexByte(source, ':')
	if i < 0 {
		return "", source
	}
	if i = strings.LastIndexByte(source[:i], ':'); i < 0 {
		return "", source
	}
	return source[:i], source[i+1:]
}

// withoutFiles returns a diff for reading, in which places have no file name where each plan has one file. Those it
// writes once.
func (d *Diff) withoutFiles(b *strings.Builder) *Diff {
	s := d.sources
	switch {
	case s.a == "":
		return d
	case s.a == s.b:
		fmt.Fprintf(b, "places are lines and columns of %s\n", s.a)
	default:
		fmt.Fprintf(b, "places are lines and columns of %s in A and %s in B\n", s.a, s.b)
	}
	out := *d
	out.Facts = eachPair(d.Facts, func(f *Fact) {
		f.A, f.B = shortText(s.a, f.A), shortText(s.b, f.B)
	})
	out.Remarks = eachPair(d.Remarks, func(r *Remark) {
		r.A, r.B = shortSide(r.A), shortSide(r.B)
		if r.A != nil {
			r.A.Source = place(s.a, r.A.Source)
		}
		if r.B != nil {
			r.B.Source = place(s.b, r.B.Source)
		}
	})
	out.Operators = eachPair(d.Operators, func(o *Operator) {
		o.A, o.B = shortSide(o.A), shortSide(o.B)
		if o.A != nil {
			o.A.Source = place(s.a, o.A.Source)
		}
		if o.B != nil {
			o.B.Source = place(s.b, o.B.Source)
		}
		o.Details = eachPair(o.Details, func(x *Detail) { x.A, x.B = shortText(s.a, x.A), shortText(s.b, x.B) })
	})
	return &out
}

// eachPair copies a list and changes the copies.
func eachPair[T any](list []T, change func(*T)) []T {
	out := slices.Clone(list)
	for i := range out {
		change(&out[i])
	}
	return out
}

// shortSide copies a side, so that it can be changed.
func shortSide[T any](side *T) *T {
	if side == nil {
		return nil
	}
	out := *side
	return &out
}

// shortText takes the file out of a text that says where an operand comes from.
func shortText(file string, text *string) *string {
	if text == nil {
		return nil
	}
	out := place(file, strings.ReplaceAll(*text, " at "+file+":", " at "))
	return &out
}
