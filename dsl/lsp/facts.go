package lsp

import (
	"strings"

	"github.com/glmc/glmc/dsl/builtin"
	"github.com/glmc/glmc/dsl/check"
	"github.com/glmc/glmc/dsl/syntax"
)

// facts are what is known about the names of a program: what the checker found out, and the places where a name
// stands that are no names for the checker, which are found by what it said about others.
type facts struct{ *check.Info }

// inspect collects the facts about a file and those that it imports. Where the file has syntax errors, the tree lacks
// their pieces and the checker complains about what is missing; what it says about the rest is as good.
func inspect(files []*syntax.File, functions builtin.Table) *facts {
	info, _ := check.Inspect(files[0], functions)
	f := &facts{info}
	declared := map[syntax.Pos]check.Ref{}
	for _, r := range info.Refs {
		if isDeclaration(&r) {
			declared[r.Def.Pos] = r
		}
	}
	for _, file := range files {
		for _, m := range file.Models {
			f.patterns(file, m, declared)
		}
	}
	return f
}

// isDeclaration reports whether the name is declared where it stands.
func isDeclaration(r *check.Ref) bool { return r.Use == r.Def }

// sameAs returns the places where the name of r stands, in all files, its declaration first.
func (f *facts) sameAs(r *check.Ref) []check.Ref {
	list := []check.Ref{{Use: r.Def, Def: r.Def, What: r.What, Name: r.Name}}
	if r.Def.Pos.Line == 0 { // no file declares it: it is a name of the language
		list[0] = *r
		return list
	}
	seen := map[syntax.Pos]bool{r.Def.Pos: true}
	for _, other := range f.Refs {
		if other.Def == r.Def && !seen[other.Use.Pos] {
			seen[other.Use.Pos] = true
			list = append(list, other)
		}
	}
	return list
}

// patterns adds the holes of checkpoint rules that stand for keys and lets of the model.
func (f *facts) patterns(file *syntax.File, m *syntax.Model, declared map[syntax.Pos]check.Ref) {
	known := map[string]check.Ref{}
	for _, x := range m.Fields() {
		known[x.Name.Name] = declared[x.Name.Pos]
	}
	for _, x := range m.Lets() {
		known[x.Name.Name] = declared[x.Name.Pos]
	}
	for _, rule := range m.Rules() {
		switch {
		case rule.Alias != nil:
			f.holes(file, rule.Alias.Name, known)
			f.holes(file, rule.Alias.Target, known)
		case rule.Ignore != nil:
			f.holes(file, rule.Ignore.Name, known)
		}
	}
}

func (f *facts) holes(file *syntax.File, s *syntax.Str, known map[string]check.Ref) {
	text := string(file.Source[s.Pos.Offset:s.EndPos.Offset])
	for at := 0; ; {
		open := strings.IndexByte(text[at:], '{')
		if open < 0 {
			return
		}
		at += open + 1
		name, _, closed := strings.Cut(text[at:], "}")
		if closed {
			pos := s.Pos
			pos.Offset, pos.Column = pos.Offset+at, pos.Column+at
			f.add(pos, known[name])
		}
	}
}

// add adds a place where the name of a declaration stands, if there is a declaration.
func (f *facts) add(at syntax.Pos, declaration check.Ref) {
	if declaration.Name == "" {
		return
	}
	end := at
	end.Offset, end.Column = end.Offset+len(declaration.Name), end.Column+len(declaration.Name)
	declaration.Use = syntax.Span{Pos: at, End: end}
	f.Refs = append(f.Refs, declaration)
}
