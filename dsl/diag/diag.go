// Package diag holds the diagnostics of .glm files and of what is read with them: what is wrong, exactly
// where, which other place has to do with it, and what to write instead.
//
// Diagnostics accumulate in a List, so that one run reports everything that it found. IDs are stable
// kebab-case names; scripts and tests rely on them.
package diag

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Severity says whether a diagnostic stops the compilation.
type Severity int

const (
	Error   Severity = iota // the file means nothing, or not what it should
	Warning                 // the file is valid, but something in it has no effect
)

// String returns "error" or "warning".
func (s Severity) String() string {
	if s == Warning {
		return "warning"
	}
	return "error"
}

// Pos is a place in a file. Line and Column count from 1, Column in bytes; a Line of 0 means that the place
// is not known. Offset counts bytes from 0.
type Pos struct {
	Offset, Line, Column int
}

// Span is a stretch of a file: from Start up to, not including, End. A span without lines means the whole
// file, or, with an empty File, something that stands in no file (a command-line flag).
type Span struct {
	File       string
	Start, End Pos
}

// String returns "file:line:column", without what is not known.
func (s Span) String() string {
	switch {
	case s.Start.Line == 0:
		return s.File
	case s.File == "":
		return fmt.Sprintf("%d:%d", s.Start.Line, s.Start.Column)
	}
	return fmt.Sprintf("%s:%d:%d", s.File, s.Start.Line, s.Start.Column)
}

// ParseSpan is the place that Span.String wrote as "file:line:column": one character. Source returns a file's text, for
// the offset; without it the offset is the column's. What is no such text becomes a span of the file of that name.
func ParseSpan(text string, source func(file string) []byte) Span {
	rest, column, ok1 := cutNumber(text)
	file, line, ok2 := cutNumber(rest)
	if !ok1 || !ok2 || line < 1 || column < 1 {
		return Span{File: text}
	}
	at, src := 0, source(file)
	for l := line; l > 1 && at < len(src); at++ {
		if src[at] == '\n' {
			l--
		}
	}
	start := Pos{Offset: at + column - 1, Line: line, Column: column}
	end := start
	end.Column, end.Offset = end.Column+1, end.Offset+1
	return Span{File: file, Start: start, End: end}
}

// ParseRange is the stretch from a place, "file:line:column", up to an end, "line:column"; one character where the end
// is empty. Offsets are not known.
func ParseRange(start, end string) Span {
	none := func(string) []byte { return nil }
	s := ParseSpan(start, none)
	if e := ParseSpan(":"+end, none); end != "" && s.Start.Line > 0 && e.Start.Line > 0 {
		s.End = e.Start
	}
	s.Start.Offset, s.End.Offset = 0, 0
	return s
}

// cutNumber cuts the number behind the last colon; a file's name may have colons of its own.
func cutNumber(s string) (rest string, n int, ok bool) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return s, 0, false
	}
	n, err := strconv.Atoi(s[i+1:])
	return s[:i], n, err == nil
}

// Note explains a diagnostic at a second place. A note without a place belongs to the diagnostic's own.
type Note struct {
	Span
	Message string
}

// Diagnostic is one finding.
type Diagnostic struct {
	ID       string // stable, kebab-case: "unknown-name"
	Severity Severity
	Span
	Message    string
	Notes      []Note
	Suggestion string // what to write instead, as a sentence without a full stop; may be empty
	Fix        Fix    // the suggestion as an edit, where it is one
}

// Fix replaces a name by another one. It holds where the diagnostic's own place has that name and nothing else, in
// quotes or without; the zero value is no fix.
type Fix struct{ Old, New string }

// Note adds a note at another place and returns d.
func (d *Diagnostic) Note(span Span, format string, args ...any) *Diagnostic {
	d.Notes = append(d.Notes, Note{span, fmt.Sprintf(format, args...)})
	return d
}

// Suggest sets the suggestion and returns d.
func (d *Diagnostic) Suggest(format string, args ...any) *Diagnostic {
	d.Suggestion = fmt.Sprintf(format, args...)
	return d
}

// DidYouMean suggests the candidate that looks most like name, if one does, and returns d.
func (d *Diagnostic) DidYouMean(name string, candidates []string) *Diagnostic {
	if near := Nearest(name, candidates); near != "" {
		d.Suggest("did you mean %q?", near)
		d.Fix = Fix{name, near}
	}
	return d
}

// String returns the diagnostic in one line: "file:line:column: error: message [id]".
func (d *Diagnostic) String() string {
	place := d.Span.String()
	if place != "" {
		place += ": "
	}
	return fmt.Sprintf("%s%s: %s [%s]", place, d.Severity, d.Message, d.ID)
}

// maxKept bounds the diagnostics of each severity that a list keeps. Nobody reads the hundred-and-first,
// and a hostile file must not fill the memory.
const maxKept = 100

// List collects diagnostics. The zero value is an empty list. A list is not safe for concurrent use.
type List struct {
	kept    []*Diagnostic
	count   [2]int // of each severity, kept or not
	dropped int
}

// Add appends d, or only counts it where the list has enough of its severity.
func (l *List) Add(d *Diagnostic) {
	l.count[d.Severity]++
	if l.count[d.Severity] > maxKept {
		l.dropped++
		return
	}
	l.kept = append(l.kept, d)
}

// Append adds the diagnostics of another list, but for those that are there already: two stages may find the
// same mistake.
func (l *List) Append(other *List) {
	if other == nil {
		return
	}
	for _, d := range other.kept {
		if !slices.ContainsFunc(l.kept, d.same) {
			l.Add(d)
		}
	}
	l.dropped += other.dropped
	for s := range other.count {
		l.count[s] += max(0, other.count[s]-maxKept)
	}
}

// same reports whether two diagnostics say the same about the same place.
func (d *Diagnostic) same(e *Diagnostic) bool {
	return d.ID == e.ID && d.Span == e.Span && d.Message == e.Message
}

// Errorf adds an error and returns it, for notes and a suggestion to be added.
func (l *List) Errorf(span Span, id, format string, args ...any) *Diagnostic {
	return l.add(Error, span, id, format, args)
}

// Warnf adds a warning and returns it.
func (l *List) Warnf(span Span, id, format string, args ...any) *Diagnostic {
	return l.add(Warning, span, id, format, args)
}

func (l *List) add(s Severity, span Span, id, format string, args []any) *Diagnostic {
	d := &Diagnostic{ID: id, Severity: s, Span: span, Message: fmt.Sprintf(format, args...)}
	l.Add(d)
	return d
}

// HasErrors reports whether an error was added.
func (l *List) HasErrors() bool { return l.count[Error] > 0 }

// Full reports whether further errors would only be counted: there is no point in making them helpful.
func (l *List) Full() bool { return l.count[Error] >= maxKept }

// Len is the number of diagnostics that the list keeps.
func (l *List) Len() int { return len(l.kept) }

// Dropped is the number of diagnostics that were counted but not kept.
func (l *List) Dropped() int { return l.dropped }

// All returns the diagnostics that the list keeps, in their present order.
func (l *List) All() []*Diagnostic { return l.kept }

// Sort orders the diagnostics by file (in the order of first mention), then by place.
func (l *List) Sort() {
	rank := map[string]int{}
	for _, d := range l.kept {
		if _, ok := rank[d.File]; !ok {
			rank[d.File] = len(rank)
		}
	}
	slices.SortStableFunc(l.kept, func(a, b *Diagnostic) int {
		if c := rank[a.File] - rank[b.File]; c != 0 {
			return c
		}
		return a.Start.Offset - b.Start.Offset
	})
}

// Err returns nil if the list has no errors, and otherwise an error whose text is the first few of them, one
// a line.
func (l *List) Err() error {
	if !l.HasErrors() {
		return nil
	}
	return &listError{l}
}

// listError is a list as an error.
type listError struct{ list *List }

// maxErrorLines bounds the text of a list's error.
const maxErrorLines = 5

// Error implements error.
func (e *listError) Error() string {
	var lines []string
	for _, d := range e.list.kept {
		if d.Severity != Error {
			continue
		}
		if len(lines) == maxErrorLines {
			break
		}
		line := d.String()
		if d.Suggestion != "" {
			line += "; " + d.Suggestion
		}
		lines = append(lines, line)
	}
	if more := e.list.count[Error] - len(lines); more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more %s", more, plural("error", more)))
	}
	return strings.Join(lines, "\n")
}

// Count is a number with what it counts: "1 reader", "2 readers".
func Count(n int, noun string) string { return fmt.Sprintf("%d %s", n, plural(noun, n)) }

func plural(word string, n int) string {
	if n == 1 {
		return word
	}
	return word + "s"
}
