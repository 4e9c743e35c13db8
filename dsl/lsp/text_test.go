package lsp

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestPositions(t *testing.T) {
	text := "a\r\nü😀b\rc\n\nd"
	tests := []struct {
		p         Position
		in8, in16 int // offsets
	}{
		{Position{0, 0}, 0, 0},
		{Position{0, 1}, 1, 1},
		{Position{0, 9}, 1, 1}, // behind the end of the line
		{Position{1, 0}, 3, 3},
		{Position{1, 1}, 3, 5}, // inside ü, behind it
		{Position{1, 2}, 5, 5}, // behind ü, inside the pair
		{Position{1, 3}, 5, 9},
		{Position{1, 4}, 5, 10},
		{Position{1, 7}, 10, 10},
		{Position{2, 0}, 11, 11},
		{Position{3, 5}, 13, 13},
		{Position{4, 1}, 15, 15},
		{Position{5, 0}, 15, 15}, // behind the last line
		{Position{4294967295, 4294967295}, 15, 15},
	}
	if got := newText(strings.Repeat("😀", 1000), false).position(4000); got != (Position{0, 2000}) {
		t.Errorf("the end of a long line is at %v", got)
	}
	for _, tt := range tests {
		if got := newText(text, true).offset(tt.p); got != tt.in8 {
			t.Errorf("%v is at %d in UTF-8, want %d", tt.p, got, tt.in8)
		}
		if got := newText(text, false).offset(tt.p); got != tt.in16 {
			t.Errorf("%v is at %d in UTF-16, want %d", tt.p, got, tt.in16)
		}
	}
}

// TestPositionsAreOffsets: an offset between characters survives the way to a position and back.
func TestPositionsAreOffsets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		src := rapid.StringOfN(rapid.SampledFrom([]rune("ab\r\n\tü漢😀\u2028")), 0, 40, -1).Draw(t, "text")
		src = strings.Repeat(src, rapid.IntRange(1, 40).Draw(t, "times")) // over several blocks
		text := newText(src, rapid.Bool().Draw(t, "utf8"))
		for at := range src {
			if at > 0 && src[at-1] == '\r' && src[at] == '\n' {
				continue // inside of the end of a line there is no place
			}
			if got := text.offset(text.position(at)); got != at {
				t.Fatalf("offset %d of %q is at %v, which is offset %d", at, src, text.position(at), got)
			}
		}
	})
}

// TestChanges: incremental changes give the text that an editor has, which counts UTF-16 units.
func TestChanges(t *testing.T) {
	word := rapid.StringOfN(rapid.SampledFrom([]rune("ab\nü😀")), 0, 10, -1)
	rapid.Check(t, func(t *rapid.T) {
		src := word.Draw(t, "text")
		editor, text := utf16.Encode([]rune(src)), newText(src, false)
		position := func(at int) Position {
			lines := strings.Split(string(utf16.Decode(editor[:at])), "\n")
			return Position{uint32(len(lines) - 1), uint32(units16(lines[len(lines)-1]))}
		}
		for range rapid.IntRange(1, 5).Draw(t, "changes") {
			// Editors do not cut characters in two.
			start := len(utf16.Encode(utf16.Decode(editor[:rapid.IntRange(0, len(editor)).Draw(t, "start")])))
			end := rapid.IntRange(start, len(editor)).Draw(t, "end")
			if cuts(editor, start) || cuts(editor, end) {
				continue
			}
			c := ContentChange{Range: &Range{position(start), position(end)}, Text: word.Draw(t, "new")}
			editor = append(append(append([]uint16{}, editor[:start]...), utf16.Encode([]rune(c.Text))...), editor[end:]...)
			var err error
			if text, err = text.change([]ContentChange{c}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(utf16.Decode(editor)), text.src); diff != "" {
				t.Fatalf("text (-editor +server):\n%s", diff)
			}
		}
	})
}

// cuts reports whether an index lies inside of a pair.
func cuts(s []uint16, at int) bool {
	return at > 0 && at < len(s) && utf16.IsSurrogate(rune(s[at-1])) && s[at-1] < 0xdc00
}

func TestLargeDocumentsAreGivenUp(t *testing.T) {
	c := connect(t)
	p := c.open("file:///m.glm", "model m { }")
	p.diagnostics()
	huge := ContentChange{Text: strings.Repeat("x", maxText+1)}
	c.notify("textDocument/didChange", DidChangeParams{DocumentID{p.uri, 2}, []ContentChange{huge}})
	if d := c.await(p.uri, func(p PublishDiagnosticsParams) bool { return p.Version == nil }); len(d) > 0 {
		t.Errorf("diagnostics %v", d)
	}
	c.refused("textDocument/hover", p.at())
	p = c.open("file:///m.glm", "model m { }")
	p.diagnostics()
	if testing.Short() {
		return // it moves half a gigabyte
	}
	many := make([]ContentChange, 200)
	for i := range many {
		many[i].Text = strings.Repeat("y", 5<<20)
	}
	if _, err := newText("", false).change(many); !errors.Is(err, errTooLarge) {
		t.Errorf("200 changes of 5 MB: %v", err)
	}
}

func TestURIs(t *testing.T) {
	tests := []struct{ uri, path, back string }{
		{"file:///home/a/m.glm", "/home/a/m.glm", "file:///home/a/m.glm"},
		{"file:///home/a%20b/%C3%BC.glm", "/home/a b/ü.glm", "file:///home/a%20b/%C3%BC.glm"},
		{"file:///home/../x/./m.glm", "/x/m.glm", "file:///x/m.glm"},
		{"file:///C%3A/a/m.glm", "c:/a/m.glm", "file:///c:/a/m.glm"},
		{"file:///c:/a/m.glm", "c:/a/m.glm", "file:///c:/a/m.glm"},
		{"file://server/share/m.glm", "file://server/share/m.glm", "file://server/share/m.glm"},
		{"untitled:Untitled-1", "untitled:Untitled-1", "untitled:Untitled-1"},
		{"", "", ""},
		{"%", "%", "%"},
		{"file:", "file:", "file:"},
	}
	for _, tt := range tests {
		path := pathOf(tt.uri)
		if path != tt.path {
			t.Errorf("%q is %q, want %q", tt.uri, path, tt.path)
		}
		if back := uriOf(path); back != tt.back {
			t.Errorf("%q is %q, want %q", path, back, tt.back)
		}
	}
}
