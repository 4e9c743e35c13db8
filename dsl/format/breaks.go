package format

// boundaries decides what comes between pieces: every piece, and the brace that ends a list of them, begins a line.
// Comments there stay on the line on which they are, and one empty line stays where there are some.
func (f *formatter) boundaries() {
	last := -1 // the token before
	for i, t := range f.items {
		if t.comment() {
			continue
		}
		if t.start != noPiece || t.bodyClose {
			f.boundary(last, i)
		}
		last = i
	}
	f.boundary(last, len(f.items))
}

// boundary sets the breaks behind the token last, up to the one in front of the token next.
func (f *formatter) boundary(last, next int) {
	if next == last+1 && next < len(f.items) && next > 0 && f.items[next].bodyClose && f.items[last].bodyOpen {
		return // {}
	}
	broken := false
	for i := last + 1; i <= next && i < len(f.items); i++ {
		t := f.items[i]
		t.inGap = true
		switch {
		case i == 0:
			continue
		case t.newlines > 1 && !f.items[i-1].bodyOpen && !t.bodyClose:
			t.brk = 2
		case t.newlines > 0 || f.items[i-1].lineComment():
			t.brk = 1
		}
		broken = broken || t.brk > 0
	}
	if !broken && next > 0 && next < len(f.items) {
		f.items[next].brk = 1
	}
}

// keepBreaks keeps the lines that a person broke inside of pieces, where a break makes sense.
func (f *formatter) keepBreaks() {
	var broken []bool // for each open bracket, whether a new line follows it directly
	opened := false   // the last token was a bracket
	for k, t := range f.items {
		if k > 0 && !t.inGap {
			t.brk = f.keep(k, broken)
		}
		if n := len(broken); n > 0 && opened && t.brk > 0 {
			broken[n-1] = true
		}
		switch {
		case t.comment():
			continue
		case t.opens():
			broken = append(broken, false)
		case t.closes() && len(broken) > 0:
			broken = broken[:len(broken)-1]
		}
		opened = t.opens()
	}
}

// keep is the break in front of item k, which is not the first of its piece.
func (f *formatter) keep(k int, broken []bool) int {
	prev, t := f.items[k-1], f.items[k]
	switch {
	case prev.lineComment():
		return 1
	case t.newlines == 0:
		return 0
	case prev.comment(), t.comment():
		return 1
	case t.closes():
		if prev.opens() || len(broken) == 0 || !broken[len(broken)-1] {
			return 0
		}
		return 1
	case f.class(k) != 0, t.op != 0:
		return 1
	}
	return 0
}

// class says how good a place the one in front of item k is for a break, 0 where none can be.
func (f *formatter) class(k int) class {
	if k == 0 {
		return 0
	}
	prev, t := f.items[k-1], f.items[k]
	switch {
	case prev.comment(), t.comment(), t.tight, t.closes(), prev.unary:
		return 0
	case prev.opens():
		return openClass
	case t.clause != 0:
		return t.clause
	case prev.is(","):
		return commaClass
	case prev.op != 0:
		return prev.op
	case prev.assign:
		return assignClass
	}
	return 0
}

// oneLiners leaves bodies of one plain statement on the line of their declaration where the source has them so, no
// comment is among them, and they fit.
func (f *formatter) oneLiners(bodies []oneLineBody) {
	depth, k := 0, 0 // of open bodies, in front of item k
	for _, b := range bodies {
		for ; k < b.piece; k++ {
			switch t := f.items[k]; {
			case t.bodyOpen:
				depth++
			case t.bodyClose:
				depth--
			}
		}
		if !f.oneLine(b, depth*indentation) {
			continue
		}
		for _, i := range []int{b.open, b.stmt, b.close} {
			t := f.items[i]
			t.start, t.bodyOpen, t.bodyClose = noPiece, false, false
			if i != b.open {
				t.inGap, t.brk = false, 0
			}
		}
	}
}

func (f *formatter) oneLine(b oneLineBody, indent int) bool {
	if b.piece > 0 && f.items[b.piece].brk == 0 {
		return false // a comment is in front of it
	}
	for _, t := range f.items[b.piece+1 : b.close+1] {
		if t.newlines > 0 || t.comment() {
			return false
		}
	}
	return indent+f.width(b.piece, b.close+1) <= width
}

// flat is the width of the items from i up to, not including, j on one line; -1 where they do not stand on one.
func (f *formatter) flat(i, j int) int {
	for k := i; k < j; k++ {
		if t := f.items[k]; k > i && t.brk > 0 || t.multiline() {
			return -1
		}
	}
	return f.width(i, j)
}

// width is how wide the items from i up to, not including, j would be on one line.
func (f *formatter) width(i, j int) int {
	col := 0
	for k := i; k < j; k++ {
		if k > i {
			col += f.space(k)
		}
		col = advance(col, f.items[k].Text)
	}
	return col
}
