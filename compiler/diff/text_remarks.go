package diff

import (
	"fmt"
	"strings"

	"github.com/glmc/glmc/compiler/layers"
	"github.com/glmc/glmc/compiler/report"
)

// writeRemarks lists, pass by pass, what was said in one plan only, and what saves something else. Of a pass without
// a word in the other plan, and of an entry that one plan lacks, the pass table says enough.
func (d *Diff) writeRemarks(b *strings.Builder) {
	silent := map[string]bool{}
	for _, p := range d.Passes {
		silent[p.Name] = saysNothing(p.A) || saysNothing(p.B)
	}
	whole := d.wholeEntries()
	var order []string
	byPass := map[string]*groups{}
	for _, r := range d.Remarks {
		line := r.line()
		if _, lacking := whole[r.Entry]; lacking || silent[r.Pass] || line == "" {
			continue
		}
		if byPass[r.Pass] == nil {
			byPass[r.Pass] = &groups{}
			order = append(order, r.Pass)
		}
		a, bb := r.A, r.B
		if a == nil {
			a = bb
		}
		if bb == nil {
			bb = a
		}
		byPass[r.Pass].add(line, r.Entry, a.Layer, bb.Layer)
	}
	for _, pass := range order {
		fmt.Fprintf(b, "\nremarks of %s\n", pass)
		writeHeadings(b, byPass[pass])
	}
}

func saysNothing(p *PassSide) bool { return p == nil || p.Applied+p.Missed == 0 }

// line renders a remark without its layer; "" for one that only stands elsewhere in the source.
func (r *Remark) line() string {
	switch {
	case r.A == nil:
		return "+ " + r.B.text()
	case r.B == nil:
		return "- " + r.A.text()
	case r.A.savings() == r.B.savings():
		return ""
	}
	return fmt.Sprintf("~ %s\tsaves %s -> %s", r.A.text(), r.A.savings(), r.B.savings())
}

func (r *RemarkSide) text() string {
	return fmt.Sprintf("%s\t%s\t%s", r.Status, r.Source, layers.Replace(report.Readable(report.Unpriced(r.Reason)), fmt.Sprint(r.Layer)))
}

func (r *RemarkSide) savings() string {
	if text := report.Savings(r.SavesLaunches, r.SavesBytes); text != "" {
		return text
	}
	return "nothing"
}
