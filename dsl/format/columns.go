package format

// How wide what stands in front of a column may be to take part in it: one very long name must not push everything
// else off the screen. Cells that count are never broken, so that what a column depends on does not change when the
// result is formatted again.
var widest = map[pieceKind][]int{
	fieldPiece:   {60, 60, 16}, // name; type; default
	aliasPiece:   {80},         // pattern
	settingPiece: {40, 40},     // name; words behind it
}

// run is a stretch of configuration keys that are aligned.
type run struct {
	comments int // the column of the comments behind them
}

// align gives the pieces their columns, run by run.
func (f *formatter) align(groups []*group) {
	var list []*group // the present run
	flush := func() {
		if len(list) > 0 {
			f.alignRun(list)
		}
		list = nil
	}
	for _, g := range groups {
		if g.kind == noPiece || g.kind == otherPiece {
			// A comment on a line of its own ends a run, but not between configuration keys.
			comment := g.kind == noPiece && f.items[g.from].comment() && f.items[g.to-1].comment()
			if !comment || f.items[g.from].brk == 2 || len(list) > 0 && list[0].kind != fieldPiece {
				flush()
			}
			continue
		}
		if f.items[g.from].brk == 2 || len(list) > 0 && list[0].kind != g.kind {
			flush()
		}
		list = append(list, g)
	}
	flush()
}

// alignRun sets the columns of the pieces of one run, from left to right.
func (f *formatter) alignRun(list []*group) {
	rows := make([]*row, len(list))
	for i, g := range list {
		g.cols, g.fixed = map[int]int{}, map[int]bool{}
		rows[i] = f.row(g)
	}
	kind := list[0].kind
	for cell := 1; cell <= len(widest[kind]); cell++ {
		from := 0
		for i := range rows {
			// Options of settings stand below each other where the settings have the same name: draft, draft.
			if i == len(rows)-1 || kind == settingPiece && cell == 2 && list[i].name != list[i+1].name {
				f.alignCell(rows[from:i+1], cell)
				from = i + 1
			}
		}
	}
	if kind != fieldPiece {
		return
	}
	r := &run{}
	for _, row := range rows {
		row.run = r
		if at := row.at[3]; at != 0 {
			r.comments = max(r.comments, row.cols[at])
		}
	}
}

// row is a piece with its cells.
type row struct {
	*group
	at    [4]int // the item at which each cell begins, 0 where it is not there
	begin [4]int // the column of each cell, -1 where it depends on how lines are broken
}

func (f *formatter) row(g *group) *row {
	r := &row{group: g, begin: [4]int{g.indent, -1, -1, -1}}
	for k := g.from; k < g.to; k++ {
		if c := f.items[k].cell; c != 0 {
			r.at[c] = k
		}
	}
	return r
}

// alignCell sets the column of one cell for all rows: one to the right of the widest that stands in front of it.
func (f *formatter) alignCell(rows []*row, cell int) {
	col := 0
	for _, r := range rows {
		if r.at[cell] == 0 {
			continue
		}
		before := cell - 1
		for before > 0 && r.at[before] == 0 {
			before--
		}
		from := r.from
		if before > 0 {
			from = r.at[before]
		}
		w := f.flat(from, r.at[cell])
		if r.begin[before] < 0 || w < 0 || w > widest[r.kind][cell-1] {
			continue
		}
		col = max(col, r.begin[before]+w+1)
		for k := from + 1; k < r.at[cell]; k++ {
			r.fixed[k] = true
		}
		if f.items[r.at[cell]].brk == 0 {
			r.begin[cell] = 0 // is known
		}
	}
	for _, r := range rows {
		if r.at[cell] == 0 {
			continue
		}
		r.cols[r.at[cell]] = col
		if r.begin[cell] == 0 {
			r.begin[cell] = col
		}
	}
}
