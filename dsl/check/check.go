// Package check finds the mistakes in a syntax tree that can be found without a configuration: names, the
// arguments of calls, types, control flow, and shapes that are wrong for every configuration, or right for some by
// chance only. What it reports of a shape is wrong; what it does not know is left to the lowering, which looks at one
// configuration.
package check

import (
	"strings"

	"github.com/glmc/glmc/dsl/builtin"
	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/dsl/pipeline"
	"github.com/glmc/glmc/dsl/syntax"
)

// File checks a file that parsed without errors, and the files that it imports. Builtins are the functions that
// they can call.
func File(f *syntax.File, builtins builtin.Table) *diag.List {
	c := newChecker(builtins)
	c.file(f)
	c.diags.Sort()
	return c.diags
}

func newChecker(builtins builtin.Table) *checker {
	return &checker{builtins: builtins, diags: &diag.List{}, shared: map[*syntax.Block]*block{}, seen: map[*syntax.File]bool{}}
}

// file checks a file behind the ones that it imports: what they declare has been looked at when it is used.
func (c *checker) file(f *syntax.File) {
	if c.seen[f] {
		return
	}
	c.seen[f] = true
	for _, i := range f.Imports {
		if i.File != nil {
			c.file(i.File)
		}
	}
	top := c.top(f)
	for _, m := range f.Models {
		c.model(m, top)
	}
	for _, p := range f.Pipelines {
		c.pipeline(p, top)
	}
	for _, n := range top.imports {
		if !n.used {
			c.unused(n)
		}
	}
}

func (c *checker) pipeline(p *syntax.Pipeline, top *top) {
	top.pipelines.declare(&symbol{what: "pipeline", name: p.Name})
	if s := top.models.symbols[p.Model.Name]; s != nil {
		s.used = true
		c.ref(p.Model, s, "")
	} else {
		c.unknown(p.Model, "model", top.models.list)
	}
	_, diags := pipeline.Resolve(p, nil)
	c.diags.Append(diags)
}

// checker holds what all checks of a file share.
type checker struct {
	builtins builtin.Table
	diags    *diag.List
	shared   map[*syntax.Block]*block // the blocks outside of models
	seen     map[*syntax.File]bool    // files that have been checked, or are being checked
	info     *Info                    // nil where nobody wants it
}

func (c *checker) errorf(at syntax.Node, id, format string, args ...any) *diag.Diagnostic {
	return c.diags.Errorf(at.Span().Diag(), id, format, args...)
}

// unknown reports a name that nothing has, and suggests one of the candidates.
func (c *checker) unknown(name *syntax.Ident, what string, candidates []string) {
	full := c.diags.Full()
	d := c.errorf(name, idUnknownName, "unknown %s %q", what, name.Name)
	if !full {
		d.DidYouMean(name.Name, candidates)
	}
}

// symbol is something with a name.
type symbol struct {
	what string // "configuration key", "let", "parameter", ...
	name *syntax.Ident
	kind kind
	used bool
	// block is what a block's name, or an import's, means.
	block *syntax.Block
	// target is the name that an import leads to; nil for what is declared here.
	target *syntax.Ident
	// number is the value of a configuration key or a let, for every configuration; nil where it is none.
	number *number
}

// names are the symbols of one namespace in the order of their declaration.
type names struct {
	*checker
	symbols map[string]*symbol
	list    []string
}

func newNames(c *checker) *names { return &names{checker: c, symbols: map[string]*symbol{}} }

// declare adds a symbol, or reports that its name is taken.
func (n *names) declare(s *symbol) {
	name := s.name.Name
	if first := n.symbols[name]; first != nil {
		n.errorf(s.name, idDuplicateName, "there is %s %q already", article(first.what), name).
			Note(first.name.Span().Diag(), "first declared here")
		return
	}
	n.symbols[name] = s
	n.ref(s.name, s, s.typeText())
	n.list = append(n.list, name)
}

// typeText is the symbol's type, as far as its declaration has it.
func (s *symbol) typeText() string {
	if s.block != nil {
		return signature(s.block)
	}
	return typeNames[s.kind]
}

func article(noun string) string {
	if strings.ContainsRune("aeiou", rune(noun[0])) {
		return "an " + noun
	}
	return "a " + noun
}

// warnUnused reports the symbols that nothing uses.
func (n *names) warnUnused() {
	for _, name := range n.list {
		if s := n.symbols[name]; !s.used {
			n.unused(s)
		}
	}
}

func (c *checker) unused(s *symbol) {
	c.diags.Warnf(s.name.Span().Diag(), idUnused, "the %s %q is never used", s.what, s.name.Name)
}
