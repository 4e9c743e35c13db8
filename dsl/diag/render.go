package diag

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// Render writes the diagnostics for people: a line for each, the source line with carets under the exact
// range, its notes in the same form, and the suggestion. Sources returns a file's text, or nil if there is
// none, in which case the source line is left out; it may be nil itself. Color adds terminal colours.
func Render(w io.Writer, list *List, sources func(file string) []byte, color bool) error {
	r := &renderer{sources: sources, lines: map[string][][]byte{}, color: color}
	for _, d := range list.All() {
		r.diagnostic(d)
	}
	if n := list.Dropped(); n > 0 {
		fmt.Fprintf(&r.out, "%d more %s not shown\n", n, plural("diagnostic", n))
	}
	_, err := w.Write(r.out.Bytes())
	return err
}

// renderer writes into a buffer: one write error to handle, and none half-way through a diagnostic.
type renderer struct {
	out     bytes.Buffer
	sources func(file string) []byte
	lines   map[string][][]byte
	color   bool
}

// Terminal colours (ECMA-48 "select graphic rendition").
const (
	reset  = "\x1b[0m"
	bold   = "\x1b[1m"
	red    = "\x1b[1;31m"
	yellow = "\x1b[1;33m"
	blue   = "\x1b[1;34m"
	green  = "\x1b[1;32m"
)

func (r *renderer) paint(style, text string) string {
	if !r.color {
		return text
	}
	return style + text + reset
}

func (r *renderer) diagnostic(d *Diagnostic) {
	style := red
	if d.Severity == Warning {
		style = yellow
	}
	if place := d.Span.String(); place != "" {
		r.out.WriteString(r.paint(bold, printable(place)+":") + " ")
	}
	fmt.Fprintf(&r.out, "%s %s [%s]\n", r.paint(style, d.Severity.String()+":"), printable(d.Message), d.ID)
	r.source(d.Span, style)
	for _, n := range d.Notes {
		r.out.WriteString("  " + r.paint(blue, "note:") + " ")
		if place := n.Span.String(); place != "" {
			r.out.WriteString(printable(place) + ": ")
		}
		r.out.WriteString(printable(n.Message) + "\n")
		r.source(n.Span, blue)
	}
	if d.Suggestion != "" {
		r.out.WriteString("  " + r.paint(green, "help:") + " " + printable(d.Suggestion) + "\n")
	}
}

// source writes the first line of span with carets under it.
func (r *renderer) source(span Span, style string) {
	line, ok := r.line(span.File, span.Start.Line)
	if !ok {
		return
	}
	from := min(max(span.Start.Column-1, 0), len(line))
	to := len(line)
	if span.End.Line == span.Start.Line {
		to = min(max(span.End.Column-1, from), len(line))
	}
	text, indent, carets := excerpt(line, from, to)
	number := strconv.Itoa(span.Start.Line)
	fmt.Fprintf(&r.out, "%6s | %s\n", number, text)
	fmt.Fprintf(&r.out, "%6s | %s%s\n", "", indent, r.paint(style, carets))
}

func (r *renderer) line(file string, number int) ([]byte, bool) {
	lines, ok := r.lines[file]
	if !ok {
		if r.sources != nil {
			if src := r.sources(file); src != nil {
				lines = bytes.Split(src, []byte("\n"))
			}
		}
		r.lines[file] = lines
	}
	if number < 1 || number > len(lines) {
		return nil, false
	}
	return bytes.TrimRight(lines[number-1], "\r"), true
}

// maxExcerpt bounds how much of a line is shown on either side of the range's start, in bytes.
const maxExcerpt = 100

// excerpt returns line (shortened around the range where it is very long), the white space that brings a
// caret under byte from, and the carets for [from, to): at least one. Tabs are kept in both, so that they line
// up whatever the terminal makes of them; a wide character takes two columns.
func excerpt(line []byte, from, to int) (text, indent, carets string) {
	var t, in, ca strings.Builder
	start := 0
	if from > maxExcerpt {
		start = from - maxExcerpt
		for start < from && !utf8.RuneStart(line[start]) {
			start++
		}
		t.WriteString("...")
		in.WriteString("   ")
	}
	for i := start; i < len(line); {
		if i > from+maxExcerpt {
			t.WriteString("...")
			break
		}
		c, size := utf8.DecodeRune(line[i:])
		t.WriteRune(visible(c))
		switch {
		case i < from && c == '\t':
			in.WriteByte('\t')
		case i < from:
			in.WriteString(strings.Repeat(" ", columns(c)))
		case i < to:
			ca.WriteString(strings.Repeat("^", columns(c)))
		}
		i += size
	}
	if ca.Len() == 0 {
		ca.WriteByte('^')
	}
	return t.String(), in.String(), ca.String()
}

// columns is the number of terminal columns that c takes.
func columns(c rune) int {
	if unicode.Is(unicode.Mn, c) || unicode.Is(unicode.Me, c) {
		return 0
	}
	switch width.LookupRune(c).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// visible replaces what would disturb a terminal: a source file must not be able to send escape sequences.
func visible(c rune) rune {
	if c != '\t' && (unicode.IsControl(c) || unicode.Is(unicode.Bidi_Control, c)) {
		return '\uFFFD'
	}
	return c
}

func printable(s string) string { return strings.Map(visible, s) }

// Printable is a text of several lines without what would disturb a terminal: names in a file that nobody trusts must
// not steer it.
func Printable(text string) string {
	return strings.Map(func(c rune) rune {
		if c == '\n' {
			return c
		}
		return visible(c)
	}, text)
}
