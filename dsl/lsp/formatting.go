package lsp

import (
	"context"
	"strings"

	"github.com/glmc/glmc/dsl/format"
)

// formatting lays a document out in the canonical way. One with syntax errors stays as it is; its diagnostics say why.
func (s *server) formatting(p *DocumentParams) (work, error) {
	d, err := s.document(p.Document.URI)
	if err != nil {
		return nil, err
	}
	return func(context.Context) (any, error) {
		out, _ := format.Source(d.path, []byte(d.text.src))
		if out == nil {
			return nil, nil
		}
		return d.text.edits(string(out)), nil
	}, nil
}

// edits are the edits that turn the text into another one: whole lines, each run of different ones for itself, so that
// an editor keeps its cursors and marks in what stays. Where a line of one stands several lines away in the other is
// looked for within a window; behind a larger difference everything is one edit.
func (t *text) edits(other string) []TextEdit {
	edits := []TextEdit{}
	a, b := strings.SplitAfter(t.src, "\n"), strings.SplitAfter(other, "\n")
	for i, j, at := 0, 0, 0; i < len(a) || j < len(b); {
		if i < len(a) && j < len(b) && a[i] == b[j] {
			at += len(a[i])
			i, j = i+1, j+1
			continue
		}
		skipA, skipB := meet(a[i:], b[j:])
		old, replacement := strings.Join(a[i:i+skipA], ""), strings.Join(b[j:j+skipB], "")
		edits = append(edits, TextEdit{t.span(at, at+len(old)), replacement})
		at += len(old)
		i, j = i+skipA, j+skipB
	}
	return edits
}

// window is how many lines ahead meet looks.
const window = 40

// meet returns how many lines of a and b differ in front of the nearest one that both have; all, if there is none
// within the window. Empty lines say nothing about where one is.
func meet(a, b []string) (skipA, skipB int) {
	for sum := 1; sum <= window; sum++ {
		for i := max(0, sum-len(b)+1); i <= min(sum, len(a)-1); i++ {
			if j := sum - i; a[i] == b[j] && strings.TrimSpace(a[i]) != "" {
				return i, j
			}
		}
	}
	return len(a), len(b)
}
