package format

import (
	"slices"
	"strings"
)

// group is what begins a line of its own: a comment, or a piece (or the end of a body) with the comments on its
// first and its last line.
type group struct {
	from, to int // items
	indent   int
	kind     pieceKind
	name     string       // of a setting
	cols     map[int]int  // the columns at which items of the first line stand, or right of
	fixed    map[int]bool // items in front of which it is not broken
	run      *run         // of configuration keys, for the comments behind them
}

// groups cuts the file at the breaks between pieces.
func (f *formatter) groups() []*group {
	var list []*group
	depth := 0
	for i, t := range f.items {
		if i == 0 || t.inGap && t.brk > 0 {
			list = append(list, &group{from: i, indent: depth * indentation})
		}
		g := list[len(list)-1]
		g.to = i + 1
		switch {
		case t.start != noPiece && t.inGap:
			g.kind, g.name = t.start, t.Text
		case t.bodyOpen:
			depth++
		case t.bodyClose:
			depth--
			if t.inGap {
				g.indent = depth * indentation
			}
		}
	}
	return list
}

// bracket is an open one.
type bracket struct {
	indent  int  // of its line
	col     int  // behind it
	hanging bool // nothing stands behind it on its line
}

// line is a line of the result, or several where a comment has them.
type line struct {
	indent  int
	text    string
	comment string // at its end
	empty   bool   // an empty line comes before it
	run     *run   // that the comment is aligned with; nil where it goes by its neighbours
	lonely  bool   // the comment is not aligned at all
}

// state is how far a group is laid out.
type state struct {
	*group
	brackets []bracket
	indent   int  // of the present line
	first    bool // it is the first line of the group
}

// layOut appends the lines of a group and breaks those that are too long.
func (f *formatter) layOut(g *group) {
	s := &state{group: g, indent: g.indent, first: true}
	for i := g.from; i < g.to; {
		end := f.lineEnd(s, i)
		f.put(s, i, end)
		if end < g.to {
			s.indent = f.indentAt(s, end)
		}
		s.first = false
		i = end
	}
}

// start is the column at which item k stands, where the one before it ends at col.
func (f *formatter) start(s *state, i, k, col int) int {
	if k > i {
		col += f.space(k)
	}
	if at, ok := s.cols[k]; ok && s.first {
		col = max(col, at)
	}
	return col
}

// lineEnd finds where the line that begins with item i ends: at the next break, or at one that it adds because the
// line would be too long: at the best place in front of what is too much, or else at the first one behind it.
func (f *formatter) lineEnd(s *state, i int) int {
	open := slices.Clone(s.brackets)
	best, bestCost := 0, 0
	over := false
	col := s.indent
	for k := i; k < s.to; k++ {
		t := f.items[k]
		if k > i && t.brk > 0 {
			return k
		}
		begin := f.start(s, i, k, col)
		if c := f.class(k); c != 0 && !s.fixed[k] && !t.target {
			if at := f.continuation(s, open, k); at < begin {
				cost := int(c) + len(open)*deeper
				if at > width*2/3 {
					cost += 2 * deeper // there is little room
				}
				if best == 0 || cost <= bestCost {
					best, bestCost = k, cost
				}
			}
		}
		if over && best > 0 {
			break
		}
		col = advance(begin, t.Text)
		if !t.comment() && col > width {
			over = true
			if best > 0 {
				break
			}
		}
		open = push(open, t, s.indent, col)
	}
	if over && best > 0 {
		f.items[best].brk = 1
		return best
	}
	return s.to
}

// push is the brackets that are open behind t, which ends at col.
func push(open []bracket, t *item, indent, col int) []bracket {
	switch {
	case t.opens() && t.is("{"):
		return append(open, bracket{indent: indent, col: col + 1})
	case t.opens():
		return append(open, bracket{indent: indent, col: col})
	case t.closes() && len(open) > 0:
		return open[:len(open)-1]
	}
	return open
}

// continuation is the column at which item k, a token, would begin a line.
func (f *formatter) continuation(s *state, open []bracket, k int) int {
	if len(open) == 0 {
		if t := f.items[k]; t.elseWord || t.bodyOpen {
			return s.group.indent
		}
		return s.group.indent + continuation
	}
	b := open[len(open)-1]
	hanging := b.hanging || f.items[k-1].opens()
	switch {
	case hanging && f.items[k].closes():
		return b.indent
	case hanging:
		return b.indent + indentation
	case f.items[k].closes():
		return b.col - 1
	}
	return b.col
}

// indentAt is the indentation of the line that begins with item k. A comment there is indented like the token
// behind it, but not like a bracket that closes.
func (f *formatter) indentAt(s *state, k int) int {
	next := k
	for next < s.to-1 && f.items[next].comment() {
		next++
	}
	t := f.items[next]
	if next > k && (t.closes() || t.bodyOpen) {
		next = k
	}
	if t.elseWord {
		return s.group.indent
	}
	return f.continuation(s, s.brackets, next)
}

// put appends the line of the items from i up to, not including, j.
func (f *formatter) put(s *state, i, j int) {
	tail := j // where the comments at the end of the line begin
	for tail > i && f.items[tail-1].comment() {
		tail--
	}
	if tail == i {
		tail = j // nothing but comments
	}
	l := line{indent: s.indent, empty: f.items[i].brk == 2, run: s.run, lonely: s.run != nil && !s.first}
	var text, comment strings.Builder
	col := s.indent
	for k := i; k < tail; k++ {
		t := f.items[k]
		begin := f.start(s, i, k, col)
		word := t.Text
		if k == i && t.multiline() {
			word = shift(word, begin-(t.Pos.Column-1))
		}
		if k > i {
			text.WriteString(spaces(begin - col))
		}
		text.WriteString(word)
		col = advance(begin, word)
		s.brackets = push(s.brackets, t, s.indent, col)
	}
	for k := tail; k < j; k++ {
		if k > tail {
			comment.WriteByte(' ')
		}
		comment.WriteString(f.items[k].Text)
	}
	l.text, l.comment = text.String(), comment.String()
	if n := len(s.brackets); n > 0 && f.items[tail-1].opens() {
		s.brackets[n-1].hanging = true
	}
	f.lines = append(f.lines, l)
}
