package ir

import (
	"fmt"
	"strconv"
	"strings"
)

// String is the module's text form. It holds everything that the module holds: Parse(m.String()) prints the
// same text again.
func (m *Module) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "module %q ranks=%d\n", m.Name, m.Ranks)
	for _, c := range m.Caches {
		fmt.Fprintf(&b, "cache @%q heads=%d dim=%d", c.Name, c.Heads, c.HeadDim)
		if c.ValueDim != 0 {
			fmt.Fprintf(&b, " values=%d", c.ValueDim)
		}
		b.WriteByte('\n')
	}
	for _, w := range m.Weights {
		fmt.Fprintf(&b, "weight @%q: %s%s = %s\n", w.Name, w.DType, intList(w.Shape), w.Recipe)
	}
	for _, g := range m.Graphs {
		b.WriteByte('\n')
		g.print(&b)
	}
	return b.String()
}

// String is the graph's part of the text form.
func (g *Graph) String() string {
	var b strings.Builder
	g.print(&b)
	return b.String()
}

func (g *Graph) print(b *strings.Builder) {
	fmt.Fprintf(b, "graph %s(", g.Name)
	for i, v := range g.Inputs {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(b, "%%%d %s: %s", v.ID, v.Input, v.Type)
	}
	b.WriteString(")")
	for i, x := range g.Buckets {
		lead := ","
		if i == 0 {
			lead = " buckets"
		}
		fmt.Fprintf(b, "%s %s(%d, %d, %d)", lead, x.Phase, x.Max.Tokens, x.Max.Seqs, x.Max.Rows)
	}
	b.WriteString(" {\n")
	for _, n := range g.Nodes {
		b.WriteString("  ")
		b.WriteString(n.String())
		b.WriteByte('\n')
	}
	b.WriteString("  return ")
	for i, v := range g.Outputs {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(v.ref())
	}
	b.WriteString("\n}\n")
}

// String is the node's line of the text form, for example
// `%9: f32[T, 64] = norm.rms[8](%7, @"model.norm.weight") {eps: 1e-05} "model.glm:80:9" "model" -1`.
// The number behind the operator is the node's own.
func (n *Node) String() string {
	var b strings.Builder
	for i, v := range n.Out {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%%%d: %s", v.ID, v.Type)
	}
	if len(n.Out) > 0 {
		b.WriteString(" = ")
	}
	fmt.Fprintf(&b, "%s[%d](", n.Op.Name, n.ID)
	for i, v := range n.In {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(v.ref())
	}
	b.WriteString(")")
	if len(n.Attrs) > 0 {
		b.WriteString(" {")
		for i, a := range n.Attrs {
			if i > 0 {
				b.WriteString(", ")
			}
			fmt.Fprintf(&b, "%s: %s", a.Key, AttrText(a.Value))
		}
		b.WriteString("}")
	}
	b.WriteString(n.scheduleText())
	fmt.Fprintf(&b, " %q %q %d", n.Origin.Range(), n.Origin.Path, n.Origin.Layer)
	return b.String()
}

// ref is how an operand is written: a value by its number, a weight or a cache by its name and the number
// that stands for it in this graph.
func (v *Value) ref() string {
	switch {
	case v == nil:
		return "none"
	case v.Weight != nil:
		return fmt.Sprintf("weight %%%d @%q", v.ID, v.Weight.Name)
	case v.Cache != nil:
		return fmt.Sprintf("cache %%%d @%q", v.ID, v.Cache.Name)
	}
	return fmt.Sprintf("%%%d", v.ID)
}

// AttrText is the text form of the value of an attribute. It writes floats so that they cannot be taken for integers.
func AttrText(v any) string {
	switch v := v.(type) {
	case float64:
		s := strconv.FormatFloat(v, 'g', -1, 64)
		if !strings.ContainsAny(s, ".eIN") {
			s += ".0"
		}
		return s
	case string:
		return strconv.Quote(v)
	}
	return fmt.Sprint(v)
}
