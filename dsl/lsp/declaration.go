package lsp

import (
	"strings"

	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/dsl/syntax"
)

// declaration is where a name is declared: the text to show for it, and what it is in the tree.
type declaration struct {
	text  string
	about string // comments in front of it, or behind it on its line
	field *syntax.Field
	model string // that a configuration key belongs to
}

// declarationOf finds what the name at a place declares; nil if the tree does not have it.
func declarationOf(f *syntax.File, name diag.Span) *declaration {
	is := func(n *syntax.Ident) bool { return n != nil && n.Pos.Offset == name.Start.Offset }
	for _, i := range f.Imports {
		for _, n := range i.Names {
			if is(n.Name) || is(n.As) {
				return imported(f, i, n)
			}
		}
	}
	for _, b := range f.Blocks {
		if d := inBlock(f, b, is); d != nil {
			return d
		}
	}
	for _, m := range f.Models {
		if is(m.Name) {
			return &declaration{text: "model " + m.Name.Name, about: commentOf(f.Source, m)}
		}
		if d := inModelOf(f, m, is); d != nil {
			return d
		}
	}
	for _, p := range f.Pipelines {
		if is(p.Name) {
			return &declaration{text: "pipeline " + p.Name.Name + " for " + p.Model.Name, about: commentOf(f.Source, p)}
		}
	}
	return nil
}

// imported shows what an import takes, or the import where that is not known.
func imported(f *syntax.File, i *syntax.Import, n *syntax.ImportName) *declaration {
	switch {
	case n.Block != nil:
		return declarationOf(i.File, n.Block.Name.Span().Diag())
	case n.Model != nil:
		return declarationOf(i.File, n.Model.Name.Span().Diag())
	}
	return &declaration{text: sourceOf(f.Source, i)}
}

func inModelOf(f *syntax.File, m *syntax.Model, is func(*syntax.Ident) bool) *declaration {
	for _, x := range m.Fields() {
		if is(x.Name) {
			return &declaration{text: sourceOf(f.Source, x), about: commentOf(f.Source, x), field: x, model: m.Name.Name}
		}
	}
	for _, x := range m.Lets() {
		if is(x.Name) {
			return &declaration{text: sourceOf(f.Source, x), about: commentOf(f.Source, x)}
		}
	}
	for _, b := range m.Blocks() {
		if d := inBlock(f, b, is); d != nil {
			return d
		}
	}
	for _, e := range m.Entries() {
		if is(e.Name) {
			return &declaration{text: between(f.Source, e.Pos.Offset, e.Body.Pos.Offset), about: commentOf(f.Source, e)}
		}
		if d := inFunction(f, e.Params, e.Body, is); d != nil {
			return d
		}
	}
	return nil
}

func inBlock(f *syntax.File, b *syntax.Block, is func(*syntax.Ident) bool) *declaration {
	header := between(f.Source, b.Pos.Offset, b.Body.Pos.Offset)
	if is(b.Name) {
		return &declaration{text: header, about: commentOf(f.Source, b)}
	}
	for _, d := range b.Dims {
		if is(d) {
			return &declaration{text: d.Name + ": int", about: "Each call binds it by the shapes of its arguments: `" + header + "`"}
		}
	}
	return inFunction(f, b.Params, b.Body, is)
}

func inFunction(f *syntax.File, params []*syntax.Param, body *syntax.Body, is func(*syntax.Ident) bool) *declaration {
	for _, p := range params {
		if is(p.Name) {
			return &declaration{text: sourceOf(f.Source, p)}
		}
	}
	return inStatements(f, body, is)
}

func inStatements(f *syntax.File, body *syntax.Body, is func(*syntax.Ident) bool) *declaration {
	if body == nil {
		return nil
	}
	for _, s := range body.Stmts {
		var d *declaration
		switch {
		case s.Assign != nil:
			for _, t := range s.Assign.Targets {
				if is(t) {
					return &declaration{text: sourceOf(f.Source, s.Assign), about: commentOf(f.Source, s)}
				}
			}
		case s.For != nil:
			if is(s.For.Var) {
				return &declaration{text: between(f.Source, s.For.Pos.Offset, s.For.Body.Pos.Offset)}
			}
			d = inStatements(f, s.For.Body, is)
		case s.If != nil:
			d = inIf(f, s.If, is)
		}
		if d != nil {
			return d
		}
	}
	return nil
}

func inIf(f *syntax.File, i *syntax.If, is func(*syntax.Ident) bool) *declaration {
	for i != nil {
		if d := inStatements(f, i.Then, is); d != nil {
			return d
		}
		if i.Else == nil {
			return nil
		}
		if i.Else.Body != nil {
			return inStatements(f, i.Else.Body, is)
		}
		i = i.Else.If
	}
	return nil
}

// maxSource bounds the text of a declaration that is shown.
const maxSource = 2000

func sourceOf(src []byte, n syntax.Node) string {
	return between(src, n.Span().Pos.Offset, n.Span().End.Offset)
}

func between(src []byte, from, to int) string {
	if from < 0 || to > len(src) || from > to {
		return ""
	}
	text := strings.TrimSpace(string(src[from:to]))
	if len(text) > maxSource {
		text = strings.ToValidUTF8(text[:maxSource], "") + " ..."
	}
	return text
}

// commentOf is what the comments say that stand in lines of their own directly above a declaration, or behind it on
// its last line.
func commentOf(src []byte, n syntax.Node) string {
	from, to := n.Span().Pos.Offset, n.Span().End.Offset
	if from < 0 || to > len(src) || from > to {
		return ""
	}
	rest, _, _ := strings.Cut(string(src[to:min(len(src), to+maxSource)]), "\n")
	if behind, ok := strings.CutPrefix(strings.TrimSpace(rest), "//"); ok {
		return strings.ToValidUTF8(strings.TrimSpace(behind), "")
	}
	var lines []string
	above := string(src[max(0, from-maxSource):from])
	at := strings.LastIndexByte(above, '\n')
	for at > 0 {
		above = above[:at]
		at = strings.LastIndexByte(above, '\n')
		line, ok := strings.CutPrefix(strings.TrimSpace(above[at+1:]), "//")
		if !ok {
			break
		}
		lines = append([]string{strings.TrimSpace(line)}, lines...)
	}
	return strings.ToValidUTF8(strings.Join(lines, "\n"), "")
}
