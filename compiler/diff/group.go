package diff

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/glmc/glmc/compiler/layers"
)

// groups collects lines that are alike but for the entry and the layer, and puts those of the same entries and
// layers under one heading.
type groups struct {
	order []string // keys of lines, by first appearance
	lines map[string]string
	at    map[string]*whereabouts
}

// whereabouts are the layers of the entries at which a line was said.
type whereabouts struct {
	entries []string
	layers  map[string][]int
	renamed map[string][]string // layers that have another number in B
}

// add puts a line that an entry has at a layer; a and b are its numbers, which differ where the layers of two
// models do.
func (g *groups) add(line, entry string, a, b int) {
	if g.lines == nil {
		g.lines, g.at = map[string]string{}, map[string]*whereabouts{}
	}
	w := g.at[line]
	if w == nil {
		w = &whereabouts{layers: map[string][]int{}, renamed: map[string][]string{}}
		g.order = append(g.order, line)
		g.at[line] = w
	}
	if _, ok := w.layers[entry]; !ok {
		w.entries = append(w.entries, entry)
	}
	w.layers[entry] = append(w.layers[entry], a)
	if a != b {
		w.renamed[entry] = append(w.renamed[entry], fmt.Sprint(b))
	}
}

func (w *whereabouts) String() string {
	var parts []string
	for _, entry := range w.entries {
		numbers := slices.Clone(w.layers[entry])
		slices.Sort(numbers)
		text := layers.At(entry, slices.Compact(numbers))
		if r := slices.Compact(w.renamed[entry]); len(r) > 0 {
			text += " (" + strings.Join(r, ", ") + " in B)"
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, "; ")
}

// heading is lines that belong to the same entries and layers, in the order in which they were added.
type heading struct {
	text  string
	lines []string
}

func (g *groups) headings() []heading {
	var out []heading
	index := map[string]int{}
	for _, line := range g.order {
		w := g.at[line]
		text := w.String()
		i, ok := index[text]
		if !ok {
			i = len(out)
			index[text] = i
			out = append(out, heading{text: text})
		}
		out[i].lines = append(out[i].lines, line)
	}
	return out
}

// writeHeadings writes headings with their lines in columns, each heading with its own widths.
func writeHeadings(b *strings.Builder, g *groups) {
	for _, h := range g.headings() {
		fmt.Fprintf(b, "  %s\n", h.text)
		t := tabwriter.NewWriter(b, 0, 8, 2, ' ', 0)
		for _, line := range h.lines {
			for part := range strings.SplitSeq(line, "\n") {
				fmt.Fprintf(t, "    %s\n", part)
			}
		}
		t.Flush()
	}
}
