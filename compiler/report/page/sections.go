package page

import (
	"fmt"
	"slices"
	"strings"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/report"
)

// Numbers of what is outside of the layers. Operators there stand before all layers or behind them.
const (
	before = -1
	behind = -2
)

// layering is the operators of a graph by layer.
type layering struct {
	graph *ir.Graph
	of    map[*ir.Node]int // the layer
	index map[*ir.Node]int // place in the layer
	nodes map[int][]*ir.Node
	order []int // layers in the order in which they begin
}

func newLayering(g *ir.Graph) *layering {
	l := &layering{graph: g, of: map[*ir.Node]int{}, index: map[*ir.Node]int{}, nodes: map[int][]*ir.Node{}}
	outside := before
	for _, n := range g.Nodes {
		number := n.Origin.Layer
		if number < 0 {
			number = outside
		} else {
			outside = behind
		}
		if l.nodes[number] == nil {
			l.order = append(l.order, number)
		}
		l.of[n], l.index[n] = number, len(l.nodes[number])
		l.nodes[number] = append(l.nodes[number], n)
	}
	return l
}

// kind is the same text for layers that are alike: the same operators at the same places of the source, with operands
// of the same types, connected in the same way. What comes from outside of a layer counts by its type.
func (l *layering) kind(number int) string {
	var b strings.Builder
	for _, n := range l.nodes[number] {
		fmt.Fprintf(&b, "%s %v %s", n.Op.Name, n.Attrs, n.Origin.Source)
		for _, v := range n.In {
			l.operandKind(&b, v, number)
		}
		for _, v := range n.Out {
			fmt.Fprintf(&b, " %s", v.Type)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func (l *layering) operandKind(b *strings.Builder, v *ir.Value, number int) {
	switch {
	case v == nil:
		b.WriteString(" none")
	case v.Weight != nil:
		fmt.Fprintf(b, " weight %s %s", v.Type, ownName(v.Weight.Name, number))
	case v.Cache != nil:
		fmt.Fprintf(b, " cache %d %d %d", v.Cache.Heads, v.Cache.HeadDim, v.Cache.ValueDim)
	case v.Def == nil:
		fmt.Fprintf(b, " input %q", v.Input)
	case l.of[v.Def] != number:
		fmt.Fprintf(b, " from outside %s", v.Type)
	default:
		fmt.Fprintf(b, " %d.%d", l.index[v.Def], slices.Index(v.Def.Out, v))
	}
}

// ownName is a weight's name below its layer: "model.layers.3.mlp.gate.weight" is "mlp.gate.weight" in layer 3.
func ownName(name string, number int) string {
	layer := fmt.Sprintf(".%d.", number)
	parts := strings.Split(name, " + ")
	for i, p := range parts {
		if _, below, ok := strings.Cut(p, layer); ok {
			parts[i] = below
		}
	}
	return strings.Join(parts, " + ")
}

// section is layers that are alike in every stage.
type section struct {
	shown  int // the layer that stands for all
	layers []int
}

// sections groups the layers of a track. Two layers are in one section where they are alike at every stage: so every
// stage has the same sections, and a value can be followed through them under one number.
func sections(stages []*layering) ([]section, map[int]int) {
	kinds := map[string]int{} // each text once, so that keys are short
	keys := map[int]string{}
	var numbers []int
	for _, l := range stages {
		for _, n := range l.order {
			if _, ok := keys[n]; !ok {
				keys[n] = ""
				numbers = append(numbers, n)
			}
		}
	}
	for number := range keys {
		var key strings.Builder
		for _, l := range stages {
			text := l.kind(number)
			if _, ok := kinds[text]; !ok {
				kinds[text] = len(kinds)
			}
			fmt.Fprintf(&key, "%d ", kinds[text])
		}
		keys[number] = key.String()
	}
	slices.SortFunc(numbers, func(a, b int) int { return place(a) - place(b) })
	byKey, of := map[string]int{}, map[int]int{}
	var out []section
	for _, n := range numbers {
		at, ok := byKey[keys[n]]
		if !ok || n < 0 {
			at = len(out)
			byKey[keys[n]] = at
			out = append(out, section{shown: n})
		}
		of[n] = at
		out[at].layers = append(out[at].layers, n)
	}
	return out, of
}

// place sorts what is outside of the layers to where it stands.
func place(number int) int {
	if number == behind {
		return 1 << 30
	}
	return number
}

// label names a section.
func (s section) label() string {
	switch s.shown {
	case before:
		return "before the layers"
	case behind:
		return "behind the layers"
	}
	return strings.TrimPrefix(report.Where(s.layers), ", ")
}
