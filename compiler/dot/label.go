package dot

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/layers"
	"github.com/glmc/glmc/compiler/report"
)

// lookOf is how an operator is drawn: by what kind of work it is.
func lookOf(n *ir.Node) string {
	fill := "#ffffff"
	switch family, _, _ := strings.Cut(n.Op.Name, "."); {
	case n.Op.View:
		return `shape=plain, fontcolor="#5f6b7a"`
	case family == "comm":
		return `shape=box, style="rounded,filled", peripheries=2, fillcolor="#ffd9b3", color="#c2570c"`
	case family == "linear" || strings.HasPrefix(n.Op.Name, "moe.experts"):
		fill = "#d6e6ff"
	case family == "attn" || family == "kv" || family == "rope":
		fill = "#e4dcff"
	case family == "moe":
		fill = "#d8f3dc"
	}
	return fmt.Sprintf(`shape=box, style="rounded,filled", fillcolor="%s"`, fill)
}

// nodeLabel is an operator's name, with its attributes and the step's inputs that it reads below.
func nodeLabel(n *ir.Node) string {
	if n.Op.View {
		return html(n.Op.Name)
	}
	lines := []string{"<B>" + html(n.Op.Name) + "</B>"}
	var attrs []string
	for _, a := range n.Attrs {
		attrs = append(attrs, fmt.Sprintf("%s: %s", a.Key, attrText(a.Value)))
	}
	if len(attrs) > 0 {
		lines = append(lines, small(strings.Join(attrs, ", ")))
	}
	var reads []string
	for i, v := range n.In {
		if v != nil && v.Input != "" && n.Origin.Layer >= 0 && n.Op.Operands[i].Kind == ir.IndexOperand {
			reads = append(reads, v.Input)
		}
	}
	if len(reads) > 0 {
		lines = append(lines, "<I>"+small(strings.Join(reads, ", "))+"</I>")
	}
	return strings.Join(lines, "<BR/>")
}

// attrText writes a number in as many digits as one reads.
func attrText(v any) string {
	if f, ok := v.(float64); ok {
		return fmt.Sprintf("%.4g", f)
	}
	return fmt.Sprint(v)
}

// weightRow is one weight in the table beside an operator. A weight that is made of several stored tensors has a
// line for each.
func weightRow(operand string, w *ir.Weight, layer int) string {
	var names []string
	for name := range strings.SplitSeq(layers.Below(w.Name, layer), " + ") {
		names = append(names, html(name))
	}
	return fmt.Sprintf(`<TR><TD ALIGN="LEFT">%s</TD><TD ALIGN="LEFT">%s</TD></TR>`,
		smallHTML(html(operand)), smallHTML(strings.Join(names, ` +<BR ALIGN="LEFT"/>`)+`<BR ALIGN="LEFT"/>`+
			html(w.Type().String()+", "+report.Bytes(w.Bytes()))+`<BR ALIGN="LEFT"/>`))
}

// edgeAttrs is how the edge to an operand looks: the type, with the operand's name where there are several.
func edgeAttrs(n *ir.Node, operand int, v *ir.Value) string {
	if v.Type.State {
		return `style=dashed, color="#0f766e"`
	}
	label := v.Type.String()
	flowing := 0
	for _, x := range n.In {
		if x != nil && x.Def != nil && !x.Type.State {
			flowing++
		}
	}
	if flowing > 1 {
		label = n.Op.Operands[operand].Name + ": " + label
	}
	return "label=<" + edgeLabel(label) + ">"
}

// edgeLabel keeps a label off the line that it stands beside.
func edgeLabel(text string) string { return "&#160;" + html(text) }

func inputID(v *ir.Value) string    { return fmt.Sprintf("input%d", v.ID) }
func inputLabel(v *ir.Value) string { return html(v.Input) + "&#160;" } // no label may be empty

// outsideLabel names an operator that is not drawn.
func outsideLabel(op string, layer int) string {
	if layer < 0 {
		return html(op)
	}
	return html(op) + "<BR/>" + small(fmt.Sprintf("of layer %d", layer))
}

func small(text string) string { return smallHTML(html(text)) }

func smallHTML(text string) string {
	return `<FONT POINT-SIZE="9" COLOR="#5f6b7a">` + text + `</FONT>`
}

// maxText bounds a name in a drawing, in runes.
const maxText = 400

// html escapes a text for a label in angle brackets, which is XML: what XML cannot hold is replaced.
func html(text string) string {
	var b strings.Builder
	for _, r := range clean(text) {
		switch r {
		case '&':
			b.WriteString("&amp;")
		case '<':
			b.WriteString("&lt;")
		case '>':
			b.WriteString("&gt;")
		case '"':
			b.WriteString("&quot;")
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// quote writes a string in double quotes. Graphviz gives backslashes and entities in it a meaning.
func quote(text string) string {
	text = strings.ReplaceAll(clean(text), "&", "&amp;")
	text = strings.ReplaceAll(text, `\`, `\\`)
	return `"` + strings.ReplaceAll(text, `"`, `\"`) + `"`
}

// clean replaces what is no character of XML 1.0, and line breaks, and cuts what is too long to be read.
func clean(text string) string {
	var b strings.Builder
	n := 0
	for _, r := range text {
		if n++; n > maxText {
			b.WriteString("...")
			break
		}
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			r = ' '
		case r < 0x20 || r >= 0x7f && r < 0xa0 || r == 0xfffe || r == 0xffff:
			r = utf8.RuneError
		}
		b.WriteRune(r)
	}
	return b.String()
}
