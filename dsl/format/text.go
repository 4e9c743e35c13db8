package format

import (
	"bytes"
	"strings"
)

// gap is how far a comment at the end of a line stands away from what it is about, at least.
const gap = 2

// text puts the lines together.
func (f *formatter) text() []byte {
	cols := f.commentColumns()
	var out bytes.Buffer
	for i, l := range f.lines {
		if l.empty {
			out.WriteByte('\n')
		}
		out.WriteString(spaces(l.indent))
		out.WriteString(l.text)
		if l.comment != "" {
			out.WriteString(spaces(max(gap, cols[i]-l.end())))
			out.WriteString(l.comment)
		}
		out.WriteByte('\n')
	}
	return out.Bytes()
}

// end is the column behind the text of a line.
func (l *line) end() int { return advance(l.indent, l.text) }

// commentColumns returns the column of the comment of each line. Comments stand below each other where lines that
// follow each other have them; in a run of configuration keys, all of them do.
func (f *formatter) commentColumns() []int {
	cols := make([]int, len(f.lines))
	for i := 0; i < len(f.lines); {
		if !f.lines[i].alignable() {
			i++
			continue
		}
		col, j := 0, i
		for j < len(f.lines) && f.lines[j].alignable() && (j == i || !f.lines[j].empty) {
			col = max(col, f.lines[j].end()+gap)
			j++
		}
		for ; i < j; i++ {
			cols[i] = col
		}
	}
	for i := range f.lines {
		if l := &f.lines[i]; l.run != nil && l.comment != "" && !l.lonely {
			l.run.comments = max(l.run.comments, l.end()+gap)
		}
	}
	for i := range f.lines {
		if l := &f.lines[i]; l.run != nil && l.comment != "" && !l.lonely {
			cols[i] = l.run.comments
		}
	}
	return cols
}

// alignable reports whether the line's comment goes by the comments of its neighbours.
func (l *line) alignable() bool {
	return l.comment != "" && l.run == nil && !strings.Contains(l.comment, "\n")
}

// shift moves the lines of a comment behind its first by as much as that one moved.
func shift(text string, by int) string {
	first, rest, _ := strings.Cut(text, "\n")
	lines := strings.Split(rest, "\n")
	for i, l := range lines {
		switch indent := len(l) - len(strings.TrimLeft(l, " ")); {
		case l == "":
		case by > 0:
			lines[i] = spaces(by) + l
		default:
			lines[i] = l[min(indent, -by):]
		}
	}
	return first + "\n" + strings.Join(lines, "\n")
}

func spaces(n int) string { return strings.Repeat(" ", max(0, n)) }
