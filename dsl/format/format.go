// Package format lays .glm files out in the one canonical way.
//
// It changes white space and nothing else: tokens and comments stay as they are and in their order, so that a
// formatted file means what it meant. The tree says what every token is (marks.go); then it is decided where
// lines end (breaks.go), which tokens stand below each other (columns.go), and where what is still too long is
// broken (layout.go).
//
// Formatting is idempotent by construction. The breaks that stand in a result are exactly those that formatting it
// again keeps, columns depend on tokens and on breaks that the source has, and a line is only left too long where
// nothing in it can be broken.
package format

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/dsl/syntax"
)

const (
	width        = 120 // that lines should not exceed, in characters, their comments aside
	indentation  = 2   // of what stands in braces, and of lines behind a bracket that ends a line
	continuation = 4   // of further lines of a declaration or a statement
)

// Source returns src in canonical form, with "\n" at the end of every line. Where src has syntax errors, it
// returns them and no text: what is not understood is not touched. Name is what diagnostics call the file. A file that
// is so large that its canonical form could not be read again is returned as it is.
func Source(name string, src []byte) ([]byte, *diag.List) {
	file, diags := syntax.Parse(name, src)
	if diags.HasErrors() {
		return nil, diags
	}
	f := &formatter{items: items(name, src)}
	marker := newMarker(f.items)
	marker.file(file)
	f.boundaries()
	f.keepBreaks()
	f.oneLiners(marker.bodies)
	groups := f.groups()
	f.align(groups)
	for _, g := range groups {
		f.layOut(g)
	}
	out := f.text()
	if len(out) > syntax.MaxFileSize {
		return src, diags
	}
	return out, diags
}

// formatter holds one file on its way.
type formatter struct {
	items []*item
	lines []line
}

// item is a token or a comment.
type item struct {
	syntax.Token
	newlines int // in front of it, in the source
	role

	inGap bool // stands between two groups of tokens, or begins one
	brk   int  // what comes before it: 0 for space or nothing, 1 for a new line, 2 for an empty line too
}

func (t *item) comment() bool     { return t.Kind == syntax.CommentToken }
func (t *item) lineComment() bool { return t.comment() && t.Text[1] == '/' }
func (t *item) multiline() bool   { return strings.Contains(t.Text, "\n") }

// is reports whether the item is one of these symbols or words. Strings and comments never are.
func (t *item) is(texts ...string) bool {
	if t.Kind != syntax.SymbolToken && t.Kind != syntax.WordToken {
		return false
	}
	for _, text := range texts {
		if t.Text == text {
			return true
		}
	}
	return false
}

func (t *item) opens() bool  { return t.is("(", "[", "{") && !t.bodyOpen }
func (t *item) closes() bool { return t.is(")", "]", "}") && !t.bodyClose }

func items(name string, src []byte) []*item {
	tokens := syntax.Tokens(name, src)
	list := make([]*item, len(tokens))
	end := 0
	for i, t := range tokens {
		space := src[end:t.Pos.Offset]
		end = t.End.Offset
		if t.Kind == syntax.CommentToken {
			t.Text = trimLines(t.Text)
		}
		list[i] = &item{Token: t, newlines: bytes.Count(space, []byte("\n"))}
	}
	return list
}

// trimLines cuts white space off the ends of a comment's lines, carriage returns among it.
func trimLines(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " \t\r")
	}
	return strings.Join(lines, "\n")
}

// advance is the column behind text that begins in column col, both from 0.
func advance(col int, text string) int {
	if n := strings.LastIndexByte(text, '\n'); n >= 0 {
		col, text = 0, text[n+1:]
	}
	return col + utf8.RuneCountInString(text)
}

// space is how many spaces stand between the items k-1 and k where they are on one line.
func (f *formatter) space(k int) int {
	prev, next := f.items[k-1], f.items[k]
	switch {
	case prev.is("(", "["), next.is(")", "]", ",", ":"), prev.is("{") && next.is("}"):
		return 0
	case prev.comment(), next.comment():
		return 1
	case next.tight, prev.unary, prev.is("."), next.is("."):
		return 0
	}
	return 1
}
