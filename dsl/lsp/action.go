package lsp

import (
	"context"
	"fmt"
	"regexp"
	"slices"

	"github.com/glmc/glmc/dsl/diag"
)

var (
	didYouMean = regexp.MustCompile(`^did you mean "(.+)"\?$`)
	dotted     = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$`)
	named      = regexp.MustCompile(`^([A-Za-z_][A-Za-z0-9_]*)\s*=[^=]`)
)

// repair is the edit that a "did you mean" stands for: another name for the one that the diagnostic points at. Of a
// named argument it replaces the name.
func repair(t *text, d *diag.Diagnostic) *fix {
	m := didYouMean.FindStringSubmatch(d.Suggestion)
	if m == nil || !dotted.MatchString(m[1]) || d.Start.Line == 0 {
		return nil
	}
	start, end := d.Start.Offset, d.End.Offset
	if start < 0 || end > len(t.src) || start >= end {
		return nil
	}
	wrong := t.src[start:end]
	if n := named.FindStringSubmatch(wrong); n != nil {
		wrong, end = n[1], start+len(n[1])
	}
	if !dotted.MatchString(wrong) {
		return nil
	}
	return &fix{TextEdit{t.span(start, end), m[1]}, wrong}
}

// fix is an edit with the text that it replaces.
type fix struct {
	TextEdit
	wrong string
}

// fits reports whether the edit still stands where it was made for: the document may have changed since.
func (f *fix) fits(t *text) bool {
	start, end := t.offset(f.Range.Start), t.offset(f.Range.End)
	return start <= end && t.src[start:end] == f.wrong
}

// codeAction offers the repairs of what is wrong in a range.
func (s *server) codeAction(p *CodeActionParams) (work, error) {
	d, err := s.document(p.Document.URI)
	if err != nil {
		return nil, err
	}
	return func(context.Context) (any, error) {
		actions := []CodeAction{}
		if len(p.Context.Only) > 0 && !slices.Contains(p.Context.Only, quickFix) {
			return actions, nil
		}
		for _, f := range s.board.about(d.path) {
			r := f.diagnostic.Range
			if f.fix == nil || !f.fix.fits(d.text) || before(r.End, p.Range.Start) || before(p.Range.End, r.Start) {
				continue
			}
			actions = append(actions, CodeAction{
				Title: fmt.Sprintf("Write %q", f.fix.NewText), Kind: quickFix, IsPreferred: true,
				Diagnostics: []Diagnostic{f.diagnostic},
				Edit:        WorkspaceEdit{map[string][]TextEdit{d.uri: {f.fix.TextEdit}}},
			})
		}
		return actions, nil
	}, nil
}

func before(a, b Position) bool {
	return a.Line < b.Line || a.Line == b.Line && a.Character < b.Character
}
