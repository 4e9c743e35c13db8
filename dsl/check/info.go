package check

import (
	"cmp"
	"slices"
	"strings"

	"github.com/glmc/glmc/dsl/builtin"
	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/dsl/syntax"
)

// Info is what a check finds out about a program beside its mistakes, for tools that show it to people.
type Info struct {
	Refs  []Ref   // every declaration and every use of a name, in the order of files and places
	Types []Typed // of the expressions that have one
}

// Ref is a use of a name, or with Use == Def its declaration.
type Ref struct {
	Use, Def syntax.Span
	What     string // "configuration key", "let", "parameter", "dimension", "variable", "loop variable", "block", "model", ...
	Name     string
	Type     string // at the use: "int", "[T, num_attention_heads, head_dim]"; "" where it is not known
}

// Typed is an expression with what it is.
type Typed struct {
	Span syntax.Span
	Type string
}

// Inspect is File for tools: it returns what is known of the program as well.
func Inspect(f *syntax.File, builtins builtin.Table) (*Info, *diag.List) {
	c := newChecker(builtins)
	c.info = &Info{}
	c.file(f)
	c.diags.Sort()
	order := func(a, b syntax.Span) int {
		return cmp.Or(strings.Compare(a.Pos.Filename, b.Pos.Filename), a.Pos.Offset-b.Pos.Offset, a.End.Offset-b.End.Offset)
	}
	slices.SortStableFunc(c.info.Refs, func(a, b Ref) int { return order(a.Use, b.Use) })
	slices.SortStableFunc(c.info.Types, func(a, b Typed) int { return order(a.Span, b.Span) })
	return c.info, c.diags
}

// At returns the reference whose name stands at an offset of a file, nil if there is none.
func (i *Info) At(file string, offset int) *Ref {
	for k := range i.Refs {
		r := &i.Refs[k]
		if r.Use.Pos.Filename == file && r.Use.Pos.Offset <= offset && offset <= r.Use.End.Offset {
			return r
		}
	}
	return nil
}

// TypeAt returns the smallest expression around an offset of a file; false if there is none.
func (i *Info) TypeAt(file string, offset int) (Typed, bool) {
	var best Typed
	found := false
	for _, t := range i.Types {
		if t.Span.Pos.Filename != file || offset < t.Span.Pos.Offset || t.Span.End.Offset < offset {
			continue
		}
		if size := t.Span.End.Offset - t.Span.Pos.Offset; !found || size < best.Span.End.Offset-best.Span.Pos.Offset {
			best, found = t, true
		}
	}
	return best, found
}

// ref notes a use of a symbol.
func (c *checker) ref(use syntax.Node, s *symbol, typ string) {
	if c.info == nil {
		return
	}
	def := s.name.Span()
	if s.target != nil {
		def = s.target.Span()
	}
	c.info.Refs = append(c.info.Refs, Ref{Use: use.Span(), Def: def, What: s.what, Name: s.name.Name, Type: typ})
}

// typed notes what an expression is.
func (c *checker) typed(x syntax.Expr, v value) {
	if c.info == nil {
		return
	}
	if text := v.String(); text != "" {
		c.info.Types = append(c.info.Types, Typed{x.Span(), text})
	}
}

// String is the value's type as .glm files write it; "" where nothing is known.
func (v value) String() string {
	if v.kind != tensor {
		return typeNames[v.kind]
	}
	var list []string
	for _, t := range v.types {
		if t == nil {
			list = append(list, "tensor")
			continue
		}
		list = append(list, t.String())
	}
	if len(list) == 0 {
		return "tensor"
	}
	return strings.Join(list, ", ")
}

// typeNames are the names of the compile-time types.
var typeNames = map[kind]string{
	integer: "int", float: "float", numeric: "int or float", boolean: "bool", text: "string", list: "ints",
}

// signature is a block's declaration without its body.
func signature(b *syntax.Block) string {
	end := b.Body.Pos.Offset
	if b.Pos.Offset < 0 || end > len(b.File.Source) || end < b.Pos.Offset {
		return ""
	}
	return strings.Join(strings.Fields(string(b.File.Source[b.Pos.Offset:end])), " ")
}
