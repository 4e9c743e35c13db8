package lsp

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// applied is the text behind edits, none of which may touch another.
func applied(t interface{ Fatalf(string, ...any) }, src string, edits []TextEdit) string {
	text := newText(src, false)
	var changes []ContentChange
	for i, e := range slices.Backward(edits) {
		if i > 0 && before(e.Range.Start, edits[i-1].Range.End) {
			t.Fatalf("the edits overlap: %+v", edits)
		}
		changes = append(changes, ContentChange{&e.Range, e.NewText})
	}
	text, err := text.change(changes)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return text.src
}

func TestFormatting(t *testing.T) {
	c := connect(t)
	p := c.open("file:///m.glm", "model  m {\n  let a = 1  // 😀\n      let b=2\n  let c = 3\n}\n")
	params := DocumentParams{DocumentID{URI: p.uri}}
	edits := call[[]TextEdit](c, "textDocument/formatting", params)
	want := "model m {\n  let a = 1  // 😀\n  let b = 2\n  let c = 3\n}\n"
	if diff := cmp.Diff(want, applied(t, p.text, edits)); diff != "" {
		t.Errorf("formatted (-want +got):\n%s", diff)
	}
	if len(edits) != 2 {
		t.Errorf("two lines are different, and the edits are %+v", edits)
	}
	p.change(want)
	if edits := call[[]TextEdit](c, "textDocument/formatting", params); edits == nil || len(edits) > 0 {
		t.Errorf("of a formatted file: %+v", edits)
	}
	p.change("model m {\n let a = \n")
	if edits := call[[]TextEdit](c, "textDocument/formatting", params); edits != nil {
		t.Errorf("of a broken file: %+v", edits)
	}
}

// TestEdits: edits turn any text into any other.
func TestEdits(t *testing.T) {
	lines := rapid.SliceOfN(rapid.SampledFrom([]string{"a\n", "b\n", "\n", "ü\r\n", "c"}), 0, 12)
	rapid.Check(t, func(t *rapid.T) {
		a, b := strings.Join(lines.Draw(t, "a"), ""), strings.Join(lines.Draw(t, "b"), "")
		if diff := cmp.Diff(b, applied(t, a, newText(a, false).edits(b))); diff != "" {
			t.Fatalf("edited (-want +got):\n%s", diff)
		}
	})
}
