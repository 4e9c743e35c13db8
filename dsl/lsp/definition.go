package lsp

import (
	"context"
	"strings"

	"github.com/glmc/glmc/dsl/syntax"
)

// definition finds where the name at the cursor is declared, or the file that the import at the cursor names.
func (s *server) definition(p *PositionParams) (work, error) {
	d, err := s.document(p.Document.URI)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (any, error) {
		a, err := s.analyse(ctx, d)
		if err != nil {
			return nil, err
		}
		offset := d.text.offset(p.Position)
		locations := []Location{}
		if r := a.facts.At(d.path, offset); r != nil {
			if at, ok := s.location(a, r.Def.Diag()); ok {
				locations = append(locations, at)
			}
			return locations, nil
		}
		w, _ := wordAt(d, offset)
		if w == nil || w.Kind != syntax.StringToken {
			return locations, nil
		}
		for _, i := range a.program.Root.Imports {
			if i.File != nil && i.Path.Pos.Offset == w.Pos.Offset {
				if uri := s.uri(i.File.Name); uri != "" {
					locations = append(locations, Location{URI: uri})
				}
			}
		}
		return append(locations, s.hole(d, w, offset)...), nil
	}, nil
}

// hole finds the declaration of the name in a hole of a weight's path.
func (s *server) hole(d *document, w *syntax.Token, offset int) []Location {
	name := holeAt(w, offset)
	if name == "" {
		return nil
	}
	visible := read(d.text.src, offset).visible()
	for i := len(visible) - 1; i >= 0; i-- {
		if n := visible[i]; n.name == name {
			return []Location{{d.uri, d.text.span(n.offset, n.offset+len(n.name))}}
		}
	}
	return nil
}

// holeAt is the name in the hole of a string that an offset lies in, "" if it lies in none.
func holeAt(w *syntax.Token, offset int) string {
	at := offset - w.Pos.Offset
	if at < 0 || at > len(w.Text) {
		return ""
	}
	open := strings.LastIndexByte(w.Text[:at], '{')
	if open < 0 || strings.IndexByte(w.Text[open:at], '}') >= 0 {
		return ""
	}
	name, _, closed := strings.Cut(w.Text[open+1:], "}")
	if !closed {
		return ""
	}
	return strings.TrimSuffix(name, "...")
}
