package lsp

import (
	"errors"
	"sort"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// text is a document's content at one moment, with the places where its lines begin. It never changes.
type text struct {
	src   string
	lines []int // offsets of the lines
	utf8  bool  // positions count bytes; otherwise UTF-16 units
	units []int // UTF-16 units in front of every block of the text
}

// block is how many bytes of a text are counted at most to find a position. A line may be as long as the text.
const block = 256

// newText indexes a document. Lines end with \n, \r\n or \r, as the protocol has it; the language's own line numbers
// know \n only, so that diagnostics are translated by their offsets.
func newText(src string, utf8 bool) *text {
	t := &text{src: src, lines: []int{0}, utf8: utf8}
	units := 0
	for i := 0; i < len(src); i++ {
		if i%block == 0 {
			t.units = append(t.units, units)
		}
		units += unitsOf(src[i])
		if src[i] == '\n' || src[i] == '\r' && (i+1 == len(src) || src[i+1] != '\n') {
			t.lines = append(t.lines, i+1)
		}
	}
	return t
}

// offset is the byte that a position means. Behind the end of a line there is the end of the line, and behind the last
// line the end of the text; inside a character, the character's beginning.
func (t *text) offset(p Position) int {
	if int64(p.Line) >= int64(len(t.lines)) {
		return len(t.src)
	}
	at, end := t.lines[p.Line], len(t.src)
	if int(p.Line)+1 < len(t.lines) {
		end = t.lines[p.Line+1]
	}
	end = at + len(strings.TrimRight(t.src[at:end], "\r\n"))
	for left := int64(p.Character); at < end; {
		c, size := utf8.DecodeRuneInString(t.src[at:end])
		units := int64(size)
		if !t.utf8 {
			units = int64(max(utf16.RuneLen(c), 1))
		}
		if left < units {
			break
		}
		left -= units
		at += size
	}
	return at
}

// position is the place of a byte.
func (t *text) position(offset int) Position {
	offset = min(max(offset, 0), len(t.src))
	line := sort.SearchInts(t.lines, offset+1) - 1
	if t.utf8 {
		return Position{uint32(line), uint32(offset - t.lines[line])}
	}
	return Position{uint32(line), uint32(t.unitsBefore(offset) - t.unitsBefore(t.lines[line]))}
}

// unitsBefore counts the UTF-16 units in front of an offset.
func (t *text) unitsBefore(offset int) int {
	if offset == 0 {
		return 0
	}
	from := (offset - 1) / block
	units := t.units[from]
	for i := from * block; i < offset; i++ {
		units += unitsOf(t.src[i])
	}
	return units
}

// unitsOf is the number of UTF-16 units of the character that a byte begins, and 0 for the bytes inside of one.
func unitsOf(b byte) int {
	switch {
	case b&0xc0 == 0x80:
		return 0
	case b >= 0xf0:
		return 2
	}
	return 1
}

// units16 is the length of a string in UTF-16 units.
func units16(s string) int {
	units := 0
	for _, c := range s {
		units += max(utf16.RuneLen(c), 1)
	}
	return units
}

// span is the range of the bytes from start up to end.
func (t *text) span(start, end int) Range {
	return Range{t.position(start), t.position(max(start, end))}
}

// Bounds of changes. A text may grow beyond what the parser takes, which then says so. maxWork bounds the bytes that
// the changes of one message move: a client's message must not stop the server for long.
const (
	maxText = 16 << 20
	maxWork = 512 << 20
)

// errTooLarge says that a document cannot be followed any more.
var errTooLarge = errors.New("the document is too large, or has too many changes at once: it is ignored until it is opened again")

// change applies changes one behind the other.
func (t *text) change(changes []ContentChange) (*text, error) {
	work := 0
	for _, c := range changes {
		src := c.Text
		if c.Range != nil {
			start, end := t.offset(c.Range.Start), t.offset(c.Range.End)
			src = t.src[:start] + c.Text + t.src[max(start, end):]
		}
		if work += len(src); len(src) > maxText || work > maxWork {
			return nil, errTooLarge
		}
		t = newText(src, t.utf8)
	}
	return t, nil
}
