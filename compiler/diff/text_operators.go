package diff

import (
	"fmt"
	"slices"
	"strings"

	"github.com/glmc/glmc/compiler/layers"
)

// writeOperators lists operators that came, went or changed. Operators that are alike but for dtypes, or whose
// operands only follow from the results of others, are counted.
func (d *Diff) writeOperators(b *strings.Builder) {
	if len(d.Operators) == 0 {
		return
	}
	var g groups
	removed, added, changed, moved := 0, 0, 0, 0
	whole := d.wholeEntries()
	follow := map[string]int{} // by what follows
	var followOrder []string
	for _, o := range d.Operators {
		name := entryLabel(o.Entry, o.Buckets)
		_, lacking := whole[name]
		switch {
		case lacking:
			whole[name]++
		case o.A == nil:
			added++
			g.add("+ "+siteText(o.B)+o.by(), name, o.B.Layer, o.B.Layer)
		case o.B == nil:
			removed++
			g.add("- "+siteText(o.A)+o.by(), name, o.A.Layer, o.A.Layer)
		default:
			lines, follows, other := o.changes()
			switch {
			case len(lines) > 0:
				changed++
				g.add("~ "+siteOf(o.Pair)+join(lines, o.by()), name, o.A.Layer, o.B.Layer)
			case other:
				changed++
				if follow[follows] == 0 {
					followOrder = append(followOrder, follows)
				}
				follow[follows]++
			default:
				moved++
			}
		}
	}
	b.WriteString(countedTitle("operators", removed, added, changed))
	d.writeWhole(b, whole)
	writeHeadings(b, &g)
	for _, follows := range followOrder {
		fmt.Fprintf(b, "  %d more differ only %s\n", follow[follows], follows)
	}
	if moved > 0 {
		fmt.Fprintf(b, "  %d are alike but for their place in the source\n", moved)
	}
}

// wholeEntries are the entries, or the programs of entries that have several, that only one side has, for counting
// what belongs to them instead of listing it.
func (d *Diff) wholeEntries() map[string]int {
	out := map[string]int{}
	for _, l := range d.Launches {
		if l.A == nil || l.B == nil {
			out[entryLabel(l.Entry, l.Buckets)] = 0
		}
	}
	return out
}

// countedTitle heads a list; without counts where all of it belongs to entries that only one side has.
func countedTitle(title string, removed, added, changed int) string {
	if removed+added+changed == 0 {
		return "\n" + title + "\n"
	}
	return fmt.Sprintf("\n%s: %d only in A, %d only in B, %d changed\n", title, removed, added, changed)
}

// writeWhole writes such counts.
func (d *Diff) writeWhole(b *strings.Builder, counts map[string]int) {
	for _, l := range d.Launches {
		name := entryLabel(l.Entry, l.Buckets)
		switch n := counts[name]; {
		case n == 0:
		case l.A == nil:
			fmt.Fprintf(b, "  %s, which only B has: %d\n", name, n)
		case l.B == nil:
			fmt.Fprintf(b, "  %s, which only A has: %d\n", name, n)
		}
	}
}

// join puts one change behind the operator and several below it, and by whom they are at the end of the first line.
func join(lines []string, by string) string {
	if len(lines) == 1 {
		return "\t" + lines[0] + by
	}
	return by + "\n    " + strings.Join(lines, "\n    ")
}

// by says which passes made a difference, in a column of its own; "" where nothing tells.
func (o *Operator) by() string {
	if len(o.Passes) == 0 {
		return ""
	}
	return "\tby " + strings.Join(o.Passes, ", ")
}

func siteText(s *Site) string {
	return fmt.Sprintf("%s\t%s\t%s", s.Op, s.Source, s.Type)
}

func siteOf(p Pair[Site]) string {
	source := p.A.Source
	if p.B.Source != source {
		source += " | " + p.B.Source
	}
	return p.A.Op + "\t" + source
}

// changes renders the details that stand for themselves. Without any, it says in a few words what follows from
// other changes; other is false where nothing but the place in the source differs.
func (o *Operator) changes() (lines []string, summary string, other bool) {
	var dtypes []string
	for _, d := range o.Details {
		if d.Kind == "source" {
			continue
		}
		other = true
		if from, to, ok := dtypeChange(&d); ok {
			if pair := from + " -> " + to; !slices.Contains(dtypes, pair) {
				dtypes = append(dtypes, pair)
			}
			continue
		}
		if line := o.line(&d); line != "" {
			lines = append(lines, line)
		}
	}
	slices.Sort(dtypes)
	summary = "in the shapes of their operands"
	if len(dtypes) > 0 {
		summary = "in dtypes: " + strings.Join(dtypes, ", ")
	}
	return lines, summary, other
}

// line renders one detail; "" where it only follows from another one.
func (o *Operator) line(d *Detail) string {
	change := textOf(d.A) + " -> " + textOf(d.B)
	switch d.Kind {
	case "from":
		a, b := layers.Replace(*d.A, fmt.Sprint(o.A.Layer)), layers.Replace(*d.B, fmt.Sprint(o.B.Layer))
		if a == b {
			return d.Name + ": another " + a
		}
		return d.Name + ": " + a + " -> " + b
	case "result":
		if !strings.Contains(o.A.Type, "], ") {
			return change
		}
		return "result " + d.Name + ": " + change
	case "operand":
		if d.A != nil && d.B != nil {
			return "" // the operator that makes it, or the list of weights, says so
		}
	case "attribute":
		if d.Name == "shape" && o.A.Type != o.B.Type {
			return ""
		}
	case "position":
		return "runs as number " + change
	case "stream":
		return "stream " + change
	case "waits":
		return "waits for: " + change
	}
	if d.Name == "" {
		return change
	}
	return d.Name + ": " + change
}

// dtypeChange reports whether a detail is a change of dtype and nothing else.
func dtypeChange(d *Detail) (from, to string, ok bool) {
	if d.A == nil || d.B == nil {
		return "", "", false
	}
	if d.Kind == "attribute" && d.Name == "dtype" {
		return *d.A, *d.B, true
	}
	if d.Kind != "operand" && d.Kind != "result" {
		return "", "", false
	}
	from, shapeA, okA := strings.Cut(*d.A, "[")
	to, shapeB, okB := strings.Cut(*d.B, "[")
	return from, to, okA && okB && shapeA == shapeB
}
