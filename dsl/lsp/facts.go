package lsp

import (
	"slices"

	"github.com/glmc/glmc/dsl/builtin"
	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/dsl/syntax"
)

// ref is a place where a name stands: a use of it, or its declaration, which is a use of itself.
type ref struct {
	use, def diag.Span
	what     string // "configuration key", "let", "parameter", "variable", "block", ...
	name     string
	typ      string // in words of the language; empty where it has none
}

// isDeclaration reports whether the name is declared here.
func (r *ref) isDeclaration() bool { return r.use == r.def }

// typed is an expression with its type.
type typed struct {
	span diag.Span
	text string
}

// facts are what is known about the names and the expressions of a program. They are the checker's, but for those
// that follow from the syntax alone.
type facts struct {
	refs  []ref
	types []typed
}

// inspect collects the facts about a file and those that it imports.
func inspect(f *syntax.File, functions builtin.Table) *facts {
	a := &facts{}
	for _, p := range f.Pipelines {
		a.declare(p.Name, "pipeline")
		if m := f.Model(p.Model.Name); m != nil {
			a.add(p.Model, m.Name, "model")
		}
	}
	for _, m := range f.Models {
		a.declare(m.Name, "model")
	}
	return a
}

func (a *facts) declare(name *syntax.Ident, what string) { a.add(name, name, what) }

func (a *facts) add(use, def *syntax.Ident, what string) {
	a.refs = append(a.refs, ref{use.Span().Diag(), def.Span().Diag(), what, use.Name, ""})
}

// at finds the name at an offset of a file; nil if none that is known stands there. The end of a name belongs to it:
// a cursor behind the last letter is at the name.
func (a *facts) at(file string, offset int) *ref {
	for i := range a.refs {
		if r := &a.refs[i]; covers(r.use, file, offset) {
			return r
		}
	}
	return nil
}

func covers(s diag.Span, file string, offset int) bool {
	return s.File == file && s.Start.Line > 0 && s.Start.Offset <= offset && offset <= s.End.Offset
}

// sameAs returns the places where the name of r stands, in all files, its declaration first.
func (a *facts) sameAs(r *ref) []ref {
	list := []ref{{r.def, r.def, r.what, r.name, r.typ}}
	for _, other := range a.refs {
		if other.def == r.def && !slices.ContainsFunc(list, func(x ref) bool { return x.use == other.use }) {
			list = append(list, other)
		}
	}
	return list
}

// typeOf is the type of the expression that is exactly a stretch of a file; "" where it is not known.
func (a *facts) typeOf(file string, start, end int) string {
	for _, t := range a.types {
		if t.span.File == file && t.span.Start.Offset == start && t.span.End.Offset == end {
			return t.text
		}
	}
	return ""
}
