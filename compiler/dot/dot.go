// Package dot draws the graph of an entry in Graphviz's language.
//
// Operators are nodes in the order of the data flow, with the types of what flows on the edges. The weights of an
// operator stand in a box beside it, KV caches and their states are dashed, collectives have a double border.
// Layers that are alike are drawn once.
package dot

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/layers"
)

// Options say what of an entry is drawn.
type Options struct {
	Title string // above the drawing
	Layer *int   // only this layer, -1 for what is outside of the layers; nil: one layer of each kind
}

// Write draws a graph. The text is the same for the same graph. It fails where there is no such layer.
func Write(w io.Writer, g *ir.Graph, o Options) error {
	d := newDrawing(g, o.Layer)
	if o.Layer != nil && d.byNumber[*o.Layer] == nil {
		return fmt.Errorf("entry %s has no layer %d: %s", g.Name, *o.Layer, d.has())
	}
	d.header(o.Title)
	for _, l := range d.layers {
		if d.drawn(l) {
			d.layer(l)
		}
	}
	d.ends()
	d.b.WriteString(d.edges.String())
	d.b.WriteString("}\n")
	_, err := io.WriteString(w, d.b.String())
	return err
}

// drawing is the text in the making.
type drawing struct {
	graph    *ir.Graph
	layers   []*layers.Layer
	byNumber map[int]*layers.Layer
	only     *int
	weighted map[stream]int   // operators with weights
	place    map[*ir.Node]int // in the order of execution
	b, edges strings.Builder
	outer    map[string]bool // ends of the drawing that were written
}

func newDrawing(g *ir.Graph, only *int) *drawing {
	d := &drawing{graph: g, layers: layers.Split(g), only: only, weighted: map[stream]int{},
		byNumber: map[int]*layers.Layer{}, place: map[*ir.Node]int{}, outer: map[string]bool{}}
	for _, l := range d.layers {
		d.byNumber[l.Number] = l
	}
	for i, n := range g.Nodes {
		d.place[n] = i
		if slices.ContainsFunc(n.In, func(v *ir.Value) bool { return v != nil && v.Weight != nil }) {
			d.weighted[stream{n.In[0], n.Origin.Layer}]++
		}
	}
	return d
}

// has says which layers there are.
func (d *drawing) has() string {
	var numbers []int
	for _, l := range d.layers {
		if l.Number >= 0 {
			numbers = append(numbers, l.Number)
		}
	}
	if len(numbers) == 0 {
		return "it has none"
	}
	return "it has " + layers.Where(numbers)
}

// drawn reports whether a layer is drawn itself.
func (d *drawing) drawn(l *layers.Layer) bool {
	if d.only != nil {
		return l.Number == *d.only
	}
	return l.Like == l
}

// shown is the node that stands for a node in the drawing; nil where there is none.
func (d *drawing) shown(n *ir.Node) *ir.Node {
	l := d.byNumber[n.Origin.Layer]
	switch {
	case d.drawn(l):
		return n
	case d.only != nil:
		return nil
	}
	at, _ := l.Index(n)
	return l.Like.Nodes[at]
}

func (d *drawing) header(title string) {
	fmt.Fprintf(&d.b, "digraph %s {\n", quote(d.graph.Name))
	d.b.WriteString(`  graph [rankdir=TB, nodesep=0.3, ranksep=0.3, fontname="Helvetica", fontsize=12, labelloc=t, labeljust=l, ` +
		`compound=true, pad=0.3, bgcolor=white];
  node [fontname="Helvetica", fontsize=11, margin="0.12,0.06", color="#5f6b7a", penwidth=1];
  edge [fontname="Helvetica", fontsize=9, fontcolor="#5f6b7a", color="#5f6b7a", arrowsize=0.6];
`)
	var lines []string
	if title != "" { // Graphviz takes no empty element
		lines = append(lines, `<B><FONT POINT-SIZE="16">`+html(title)+`</FONT></B>`)
	}
	var inputs []string
	for _, v := range d.graph.Inputs {
		inputs = append(inputs, v.Input+" "+v.Type.String())
	}
	if len(inputs) > 0 {
		lines = append(lines, small("inputs: "+strings.Join(inputs, ", ")))
	}
	lines = append(lines, small("square: weights; dashed: KV cache; double border: collective; grey italics: inputs of the step that an operator reads"))
	fmt.Fprintf(&d.b, "  label=<%s<BR ALIGN=\"LEFT\"/>>;\n", strings.Join(lines, `<BR ALIGN="LEFT"/>`))
}

// layer writes a layer as a box with its operators; what is outside of the layers has no box.
func (d *drawing) layer(l *layers.Layer) {
	indent := "  "
	if l.Number >= 0 {
		indent = "    "
		numbers := l.Alike
		if d.only != nil {
			numbers = []int{l.Number}
		}
		slices.Sort(numbers)
		name := layers.Where(numbers)
		fmt.Fprintf(&d.b, "  subgraph cluster_layer_%d {\n    label=<<B>%s</B>>; style=\"rounded,filled\"; color=\"#c3cad4\"; fillcolor=\"#f6f8fa\"; margin=14;\n",
			l.Number, html(name))
	}
	for _, n := range l.Nodes {
		d.node(indent, n)
	}
	if l.Number >= 0 {
		d.b.WriteString("  }\n")
	}
}

// node writes an operator, its weights and caches, and the edges to it.
func (d *drawing) node(indent string, n *ir.Node) {
	look := lookOf(n)
	fmt.Fprintf(&d.b, "%sn%d [label=<%s>, tooltip=%s, %s];\n", indent, n.ID, nodeLabel(n), quote(n.Origin.Path+" "+n.Origin.Source), look)
	var weights []string
	for i, v := range n.In {
		switch {
		case v == nil:
		case v.Weight != nil:
			weights = append(weights, weightRow(n.Op.Operands[i].Name, v.Weight, n.Origin.Layer))
		case v.Cache != nil:
			fmt.Fprintf(&d.b, "%sc%d_%d [label=<%s>, shape=cylinder, style=\"dashed,filled\", fillcolor=white, color=\"#0f766e\"];\n",
				indent, n.ID, i, html("KV cache")+"<BR/>"+small(fmt.Sprintf("%d x %d keys, %d values", v.Cache.Heads, v.Cache.HeadDim, v.Cache.ValueSize())))
			fmt.Fprintf(&d.edges, "  c%d_%d -> n%d [style=dashed, color=\"#0f766e\"];\n", n.ID, i, n.ID)
		case v.Def != nil:
			d.edge(n, i, v)
		case n.Origin.Layer < 0 || n.Op.Operands[i].Kind != ir.IndexOperand:
			d.outside(inputID(v), inputLabel(v), n, i, v)
		}
	}
	if len(weights) > 0 {
		d.weights(indent, n, weights)
	}
}

// weights writes the box with an operator's weights: to the left of the operator, or above it where operators with
// weights stand side by side, as the projections of an attention do.
func (d *drawing) weights(indent string, n *ir.Node, rows []string) {
	fmt.Fprintf(&d.b, `%sw%d [shape=box, style=filled, fillcolor="#fffbe6", color="#b8a14a", margin="0.04,0.02", `+
		"label=<<TABLE BORDER=\"0\" CELLBORDER=\"0\" CELLSPACING=\"0\" CELLPADDING=\"1\">%s</TABLE>>];\n", indent, n.ID, strings.Join(rows, ""))
	edge := fmt.Sprintf("w%d -> n%d [color=\"#b8a14a\", arrowhead=none", n.ID, n.ID)
	if d.sideBySide(n) {
		fmt.Fprintf(&d.b, "%s%s];\n", indent, edge)
	} else {
		fmt.Fprintf(&d.b, "%s{ rank=same; %s, weight=5]; }\n", indent, edge)
	}
}

// stream is a value as the operators of a layer take it first.
type stream struct {
	value *ir.Value
	layer int
}

// sideBySide reports whether another operator with weights takes the same operand.
func (d *drawing) sideBySide(n *ir.Node) bool {
	return n.In[0] != nil && d.weighted[stream{n.In[0], n.Origin.Layer}] > 1
}

// edge draws where an operand comes from.
func (d *drawing) edge(n *ir.Node, operand int, v *ir.Value) {
	from := d.shown(v.Def)
	if from == nil { // another layer than the one that is drawn
		d.outside(fmt.Sprintf("from%d", v.ID), outsideLabel(v.Def.Op.Name, v.Def.Origin.Layer), n, operand, v)
		return
	}
	attrs := edgeAttrs(n, operand, v)
	if d.place[from] > d.place[n] { // layers may take their operands from a kind of layer that is drawn further down
		attrs += ", constraint=false"
	}
	fmt.Fprintf(&d.edges, "  n%d -> n%d [%s];\n", from.ID, n.ID, attrs)
}

// outside draws an operand that no operator of the drawing makes.
func (d *drawing) outside(id, label string, n *ir.Node, operand int, v *ir.Value) {
	d.end(id, label)
	fmt.Fprintf(&d.edges, "  %s -> n%d [%s];\n", id, n.ID, edgeAttrs(n, operand, v))
}

// end writes a node at the border of the drawing, once.
func (d *drawing) end(id, label string) {
	if d.outer[id] {
		return
	}
	d.outer[id] = true
	fmt.Fprintf(&d.edges, "  %s [label=<%s>, shape=oval, style=filled, fillcolor=white];\n", id, label)
}

// ends draws what leaves the drawing: the entry's results, and what other layers take from the one that is drawn.
func (d *drawing) ends() {
	for i, v := range d.graph.Outputs {
		if v.Def == nil || d.shown(v.Def) == nil {
			continue
		}
		id := fmt.Sprintf("output%d", i)
		d.end(id, html(fmt.Sprintf("output %d", i)))
		fmt.Fprintf(&d.edges, "  n%d -> %s [label=<%s>];\n", d.shown(v.Def).ID, id, edgeLabel(v.Type.String()))
	}
	if d.only == nil {
		return
	}
	for _, n := range d.graph.Nodes {
		for _, v := range n.In {
			if v == nil || v.Def == nil || n.Origin.Layer == *d.only || v.Def.Origin.Layer != *d.only {
				continue
			}
			id := fmt.Sprintf("to%d_%d", v.ID, n.ID)
			d.end(id, outsideLabel(n.Op.Name, n.Origin.Layer))
			fmt.Fprintf(&d.edges, "  n%d -> %s [label=<%s>];\n", v.Def.ID, id, edgeLabel(v.Type.String()))
		}
	}
}
