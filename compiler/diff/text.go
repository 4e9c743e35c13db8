package diff

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/glmc/glmc/compiler/report"
	"github.com/glmc/glmc/dsl/diag"
)

// Text writes a diff for people: what matters most first, layers that are alike together. What follows from
// something else is counted and not listed; JSON has all of it.
func Text(w io.Writer, d *Diff) error {
	var b strings.Builder
	t := tabwriter.NewWriter(&b, 0, 8, 2, ' ', 0)
	for _, s := range []struct {
		name string
		side Side
	}{{"A", d.A}, {"B", d.B}} {
		ranks := "ranks"
		if s.side.Ranks == 1 {
			ranks = "rank"
		}
		fmt.Fprintf(t, "%s\t%s\t%s for %s, %d %s\n", s.name, s.side.File, s.side.Model, s.side.Target, s.side.Ranks, ranks)
	}
	t.Flush()
	if d.Equal {
		b.WriteString("\nno differences\n")
	} else {
		d = d.withoutFiles(&b)
		d.writeFacts(&b)
		d.writeLaunches(&b)
		d.writeMemory(&b)
		d.writePasses(&b)
		d.writeRemarks(&b)
		d.writeOperators(&b)
		d.writeWeights(&b)
		d.writeCaches(&b)
	}
	_, err := io.WriteString(w, diag.Printable(b.String()))
	return err
}

// none is written for what a side lacks.
const none = "none"

func textOf(s *string) string {
	switch {
	case s == nil:
		return none
	case *s == "":
		return `""`
	}
	return *s
}

// table writes rows of cells under a title, indented.
func table(b *strings.Builder, title string, rows [][]string) {
	if len(rows) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s\n", title)
	t := tabwriter.NewWriter(b, 0, 8, 2, ' ', 0)
	for _, r := range rows {
		fmt.Fprintf(t, "  %s\n", strings.Join(r, "\t"))
	}
	t.Flush()
}

func (d *Diff) writeFacts(b *strings.Builder) {
	var rows [][]string
	for _, f := range d.Facts {
		rows = append(rows, []string{f.Name, textOf(f.A) + " -> " + textOf(f.B)})
	}
	table(b, "settings", rows)
}

func (d *Diff) writeLaunches(b *strings.Builder) {
	var rows [][]string
	for _, l := range d.Launches {
		row := []string{entryLabel(l.Entry, l.Buckets), countOf(l.A) + " -> " + countOf(l.B)}
		if l.A != nil && l.B != nil {
			row = append(row, fmt.Sprintf("%+d", *l.B-*l.A))
		}
		rows = append(rows, row)
	}
	table(b, "launches of an execution", rows)
}

func countOf(n *int) string {
	if n == nil {
		return none
	}
	return fmt.Sprint(*n)
}

func (d *Diff) writeMemory(b *strings.Builder) {
	var rows [][]string
	entries := map[string][]string{} // by what is said of a bucket
	var arenas []string
	elsewhere := 0
	for _, m := range d.Memory {
		change := "\t" + sizeOf(m.A) + " -> " + sizeOf(m.B)
		switch {
		case m.A == nil || m.B == nil:
		case m.A.Bytes != m.B.Bytes:
			change += "\t" + ratio(m.A.Bytes, m.B.Bytes)
		case limits(m.A) != limits(m.B):
			change = "\t" + limits(m.A) + " -> " + limits(m.B)
		default:
			elsewhere++
			continue
		}
		if m.Name != "arena" {
			name := map[string]string{"weights": "weights", "kv_per_token": "KV cache a token"}[m.Name]
			rows = append(rows, strings.Split(name+change, "\t"))
			continue
		}
		line := fmt.Sprintf("%s %d%s", m.Phase, m.Tokens, change)
		if entries[line] == nil {
			arenas = append(arenas, line)
		}
		entries[line] = append(entries[line], m.Entry)
	}
	for _, line := range arenas {
		name := "arena of " + strings.Join(entries[line], " and ") + ", "
		rows = append(rows, strings.Split(name+line, "\t"))
	}
	if elsewhere > 0 {
		rows = append(rows, []string{fmt.Sprintf("in %s of the same size results lie elsewhere", diag.Count(elsewhere, "arena"))})
	}
	table(b, "memory of a rank", rows)
}

func sizeOf(e *Extent) string {
	if e == nil {
		return none
	}
	return report.Bytes(e.Bytes)
}

func limits(e *Extent) string {
	return fmt.Sprintf("%d sequences, %d rows, %d pages", e.Seqs, e.Rows, e.Pages)
}

// ratio says by which factor a size changed, where that says more than the sizes.
func ratio(a, b int64) string {
	if a <= 0 || b <= 0 {
		return ""
	}
	return fmt.Sprintf("x %.2f", float64(b)/float64(a))
}

// writePasses leaves out passes that did the same to a graph of another size.
func (d *Diff) writePasses(b *strings.Builder) {
	var rows [][]string
	for _, p := range d.Passes {
		row := []string{p.Name, passText(p.A) + " -> " + passText(p.B)}
		switch {
		case p.A == nil || p.B == nil:
		case p.A.Numeric != p.B.Numeric || p.A.Doc != p.B.Doc:
			row = append(row, fmt.Sprintf("%s: %s | %s: %s", p.A.Numeric, p.A.Doc, p.B.Numeric, p.B.Doc))
		case passText(p.A) != passText(p.B):
		case p.A.NodesAfter-p.A.NodesBefore == p.B.NodesAfter-p.B.NodesBefore:
			continue
		default:
			row[1] = fmt.Sprintf("nodes %+d -> %+d", p.A.NodesAfter-p.A.NodesBefore, p.B.NodesAfter-p.B.NodesBefore)
		}
		rows = append(rows, row)
	}
	table(b, "passes", rows)
}

func passText(p *PassSide) string {
	switch {
	case p == nil:
		return none
	case p.Disabled:
		return "disabled"
	}
	return fmt.Sprintf("%d applied, %d missed", p.Applied, p.Missed)
}
