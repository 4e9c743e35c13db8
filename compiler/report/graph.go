package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/glmc/glmc/compiler/history"
	"github.com/glmc/glmc/dsl/diag"
)

// GraphOptions say what of a graph is written, and how.
type GraphOptions struct {
	Entry  string // only this entry; "": all
	Layer  *int   // only the part that this layer belongs to, -1 for what is outside of the layers; nil: all
	Colour bool   // with the colours of a terminal
}

// context is how many operators around a change are written.
const context = 3

// Graph writes the graphs of a step, layers that are alike once.
func Graph(w io.Writer, h *history.History, s *history.Step, o GraphOptions) error {
	t := newGraphText(h, o)
	for i := range s.Graphs {
		g := &s.Graphs[i]
		if !t.wants(g) {
			continue
		}
		t.heading("%s: %d launches", name(g), g.Launches)
		t.line(' ', "  takes %s", inputs(g))
		for _, p := range t.parts(g.Parts) {
			t.blank()
			t.part("%s, %s", at(g, &p), diag.Count(len(p.Nodes), "operator"))
			for _, n := range p.Nodes {
				t.node(' ', n)
			}
		}
		t.blank()
		t.line(' ', "  returns %s", values(g.Outputs))
	}
	return t.write(w)
}

// GraphDiff writes what the pass of a step did to the graphs, as a unified diff. Layers that are alike are written
// once, and what is as it was is counted.
func GraphDiff(w io.Writer, h *history.History, step int, o GraphOptions) error {
	t := newGraphText(h, o)
	s := &h.Steps[step]
	var before *history.Step
	if step > 0 {
		before = &h.Steps[step-1]
	}
	for i := range s.Graphs {
		g := &s.Graphs[i]
		if !t.wants(g) {
			continue
		}
		if before == nil || g.Before < 0 {
			t.heading("%s: new, %d launches", name(g), g.Launches)
			continue
		}
		t.graph(g, &before.Graphs[g.Before])
	}
	return t.write(w)
}

// graphText is the text in the making.
type graphText struct {
	h        *history.History
	o        GraphOptions
	file     string      // that all operators come from; "" where there are several
	replaced map[int]int // of the graph that is written: from what was taken to what is taken now
	b        strings.Builder
}

func newGraphText(h *history.History, o GraphOptions) *graphText {
	t := &graphText{h: h, o: o}
	files := map[string]bool{}
	for i := range h.Nodes {
		t.file = fileOf(h.Nodes[i].Source)
		files[t.file] = true
	}
	if len(files) != 1 || t.file == "" {
		t.file = ""
		return t
	}
	t.blank()
	t.line(' ', "places are lines and columns of %s", t.file)
	return t
}

// fileOf is the file of a place that is written as "file:line:col"; "" for what has another form.
func fileOf(source string) string {
	span := diag.ParseSpan(source, func(string) []byte { return nil })
	if span.Start.Line == 0 {
		return ""
	}
	return span.File
}

// node writes an operator. Behind one that was added stands which values its results are taken in place of.
func (t *graphText) node(mark byte, at int) {
	n := t.h.Nodes[at]
	if t.file != "" {
		n.Source = strings.TrimPrefix(n.Source, t.file+":")
	}
	text := n.String()
	if mark == '+' {
		for _, r := range n.Results {
			for _, old := range t.places(r.ID) {
				text += fmt.Sprintf("  %%%d in place of %%%d", r.ID, old)
			}
		}
	}
	t.line(mark, "  %s", text)
}

// places are the values that another one is taken in place of.
func (t *graphText) places(id int) []int {
	var out []int
	for from, to := range t.replaced {
		if to == id {
			out = append(out, from)
		}
	}
	slices.Sort(out)
	return out
}

func (t *graphText) write(w io.Writer) error {
	_, err := io.WriteString(w, t.b.String())
	return err
}

// wants reports whether an entry is written.
func (t *graphText) wants(g *history.Graph) bool { return t.o.Entry == "" || t.o.Entry == g.Entry }

// parts are those that are written.
func (t *graphText) parts(list []history.Part) []history.Part {
	if t.o.Layer == nil {
		return list
	}
	return slices.DeleteFunc(slices.Clone(list), func(p history.Part) bool {
		return !slices.Contains(p.Layers, *t.o.Layer) && (len(p.Layers) > 0 || *t.o.Layer >= 0)
	})
}

// graph writes what became of a graph.
func (t *graphText) graph(g, before *history.Graph) {
	t.replaced = map[int]int{}
	for _, pair := range g.Replaced {
		t.replaced[pair[0]] = pair[1]
	}
	launches := fmt.Sprintf("%d launches", g.Launches)
	if before.Launches != g.Launches {
		launches = fmt.Sprintf("%d launches -> %d", before.Launches, g.Launches)
	}
	t.heading("%s: %s", name(g), launches)
	if !slices.Equal(before.Inputs, g.Inputs) {
		t.line('-', "  takes %s", inputs(before))
		t.line('+', "  takes %s", inputs(g))
	}
	for _, p := range t.parts(g.Parts) {
		t.blank()
		if !differs(&p) {
			t.part("%s: as before, %s", at(g, &p), diag.Count(len(p.Nodes), "operator"))
			continue
		}
		t.part("%s: %d operators -> %d", at(g, &p), len(p.Changes)-count(&p, history.Added), len(p.Nodes))
		t.changes(p.Changes)
	}
	if !slices.Equal(before.Outputs, g.Outputs) {
		t.blank()
		t.line('-', "  returns %s", values(before.Outputs))
		t.line('+', "  returns %s", values(g.Outputs))
	}
}

// changes writes a part operator by operator. What is as it was and not next to a change is counted.
func (t *graphText) changes(list []history.Change) {
	near := make([]bool, len(list))
	for i, c := range list {
		if c.Kind.Same() {
			continue
		}
		for j := max(0, i-context); j < min(len(list), i+context+1); j++ {
			near[j] = true
		}
	}
	for i := 0; i < len(list); {
		j := i
		switch {
		case !near[i]:
			for j < len(list) && !near[j] {
				j++
			}
			t.fold("    ... %s as before", diag.Count(j-i, "operator"))
		case list[i].Kind.Same():
			t.node(' ', list[i].After)
			j++
		default:
			for j < len(list) && !list[j].Kind.Same() {
				j++
			}
			t.run(list[i:j])
		}
		i = j
	}
}

// run writes what went, and then what came in its place.
func (t *graphText) run(list []history.Change) {
	for _, c := range list {
		if c.Before >= 0 {
			t.node('-', c.Before)
		}
	}
	for _, c := range list {
		if c.After >= 0 {
			t.node('+', c.After)
		}
	}
}

// differs reports whether a part is not as it was, but for the numbers of values that it takes.
func differs(p *history.Part) bool {
	return slices.ContainsFunc(p.Changes, func(c history.Change) bool { return !c.Kind.Same() })
}

func count(p *history.Part, kind history.ChangeKind) int {
	n := 0
	for _, c := range p.Changes {
		if c.Kind == kind {
			n++
		}
	}
	return n
}

// The colours of a terminal.
const (
	plain = "\x1b[0m"
	bold  = "\x1b[1m"
	faint = "\x1b[2m"
	red   = "\x1b[31m"
	green = "\x1b[32m"
)

func (t *graphText) blank() { t.b.WriteByte('\n') }

func (t *graphText) heading(format string, args ...any) {
	t.blank()
	t.colour(bold, format, args...)
}

func (t *graphText) part(format string, args ...any) { t.colour(bold, format, args...) }

func (t *graphText) fold(format string, args ...any) { t.colour(faint, format, args...) }

// line writes a line behind a mark: '+', '-' or a blank.
func (t *graphText) line(mark byte, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	switch mark {
	case '+':
		t.colour(green, "+ %s", text)
	case '-':
		t.colour(red, "- %s", text)
	default:
		t.colour("", "  %s", text)
	}
}

// colour writes a line in a colour, where colours are wanted. Names cannot steer a terminal.
func (t *graphText) colour(code, format string, args ...any) {
	text := diag.Printable(fmt.Sprintf(format, args...))
	if code != "" && t.o.Colour {
		text = code + text + plain
	}
	t.b.WriteString(text + "\n")
}

// name is how a graph is called: its entry, and the step sizes where there are several graphs of it.
func name(g *history.Graph) string {
	if g.Variant == "" {
		return g.Entry
	}
	return g.Entry + " (" + g.Variant + ")"
}

func at(g *history.Graph, p *history.Part) string { return name(g) + ", " + p.Where }

func inputs(g *history.Graph) string {
	var out []string
	for _, v := range g.Inputs {
		out = append(out, fmt.Sprintf("%%%d %s: %s", v.ID, v.Name, v.Type))
	}
	return strings.Join(out, ", ")
}

func values(list []int) string {
	var out []string
	for _, v := range list {
		out = append(out, fmt.Sprintf("%%%d", v))
	}
	return strings.Join(out, ", ")
}
