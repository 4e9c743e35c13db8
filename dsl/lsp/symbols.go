package lsp

import (
	"context"

	"github.com/glmc/glmc/dsl/syntax"
)

// documentSymbol lists the declarations of a document, those inside of others below them.
func (s *server) documentSymbol(p *DocumentParams) (work, error) {
	d, err := s.document(p.Document.URI)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	hierarchical := s.client.TextDocument.DocumentSymbol.Hierarchical
	s.mu.Unlock()
	return func(context.Context) (any, error) {
		f, _ := syntax.Parse(d.path, []byte(d.text.src))
		l := lister{d.text}
		symbols := []DocumentSymbol{}
		for _, n := range f.Decls() {
			switch n := n.(type) {
			case *syntax.Import:
				symbols = append(symbols, l.symbol(n, n.Path.Value, "import", symbolNamespace, n.Path))
			case *syntax.Block:
				symbols = append(symbols, l.block(n))
			case *syntax.Model:
				symbols = append(symbols, l.model(n))
			case *syntax.Pipeline:
				symbols = append(symbols, l.pipeline(n))
			}
		}
		if hierarchical {
			return symbols, nil
		}
		return flat([]SymbolInformation{}, symbols, d.uri, ""), nil
	}, nil
}

// lister makes symbols of the declarations in a text.
type lister struct{ *text }

// symbol describes a declaration; at is its name.
func (l lister) symbol(n syntax.Node, name, detail string, kind int, at syntax.Node) DocumentSymbol {
	if name == "" {
		name = detail // the protocol wants one
	}
	return DocumentSymbol{Name: name, Detail: detail, Kind: kind, Range: l.diag(n.Span().Diag()), SelectionRange: l.diag(at.Span().Diag())}
}

func (l lister) block(b *syntax.Block) DocumentSymbol {
	return l.symbol(b, b.Name.Name, "block", symbolFunction, b.Name)
}

func (l lister) model(m *syntax.Model) DocumentSymbol {
	s := l.symbol(m, m.Name.Name, "model", symbolClass, m.Name)
	for _, member := range m.Members {
		switch {
		case member.Config != nil:
			s.Children = append(s.Children, l.config(member.Config))
		case member.Let != nil:
			s.Children = append(s.Children, l.symbol(member.Let, member.Let.Name.Name, "let", symbolConstant, member.Let.Name))
		case member.Block != nil:
			s.Children = append(s.Children, l.block(member.Block))
		case member.Entry != nil:
			e := member.Entry
			s.Children = append(s.Children, l.symbol(e, e.Name.Name, "entry", symbolMethod, e.Name))
		case member.Checkpoint != nil:
			c := l.symbol(member, "checkpoint", "", symbolObject, start(member, "checkpoint"))
			for _, r := range member.Checkpoint.Rules {
				if r.Alias != nil {
					c.Children = append(c.Children, l.symbol(r, r.Alias.Name.Value, "alias", symbolEvent, r.Alias.Name))
				} else if r.Ignore != nil {
					c.Children = append(c.Children, l.symbol(r, r.Ignore.Name.Value, "ignore", symbolEvent, r.Ignore.Name))
				}
			}
			s.Children = append(s.Children, c)
		}
	}
	return s
}

func (l lister) config(c *syntax.Config) DocumentSymbol {
	s := l.symbol(c, "config", "", symbolObject, start(c, "config"))
	for _, f := range c.Fields {
		s.Children = append(s.Children, l.symbol(f, f.Name.Name, f.Type.Name, symbolField, f.Name))
	}
	return s
}

func (l lister) pipeline(p *syntax.Pipeline) DocumentSymbol {
	s := l.symbol(p, p.Name.Name, "pipeline for "+p.Model.Name, symbolModule, p.Name)
	for _, x := range p.Settings {
		detail := ""
		for i, a := range x.Args {
			if i > 0 {
				detail += ", "
			}
			detail += a.Name
		}
		s.Children = append(s.Children, l.symbol(x, x.Name.Name, detail, symbolProperty, x.Name))
	}
	return s
}

// start is the word that a node begins with.
func start(n syntax.Node, word string) syntax.Node {
	at := n.Span().Pos
	end := at
	end.Offset, end.Column = end.Offset+len(word), end.Column+len(word)
	return &syntax.Ident{Pos: at, EndPos: end, Name: word}
}

// flat lists symbols without their levels.
func flat(list []SymbolInformation, symbols []DocumentSymbol, uri, container string) []SymbolInformation {
	for _, s := range symbols {
		list = append(list, SymbolInformation{s.Name, s.Kind, Location{uri, s.Range}, container})
		list = flat(list, s.Children, uri, s.Name)
	}
	return list
}
