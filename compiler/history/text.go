package history

import (
	"fmt"
	"strings"
)

// String is the operator's line of text, such as
// `%9: f32[T, 64] = norm.rms(%7, @model.layers.{n}.norm.weight: bf16[64]) {eps: 1e-05}  model.glm:80:9`.
func (n *Node) String() string {
	var b strings.Builder
	for i, v := range n.Results {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%%%d: %s", v.ID, v.Type)
	}
	if len(n.Results) > 0 {
		b.WriteString(" = ")
	}
	b.WriteString(n.Op + "(")
	for i, o := range n.Operands {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(o.String())
	}
	b.WriteByte(')')
	for i, a := range n.Attrs {
		b.WriteString(either(i == 0, " {", ", "))
		b.WriteString(a.Key + ": " + a.Value)
	}
	if len(n.Attrs) > 0 {
		b.WriteByte('}')
	}
	if n.Stream != 0 {
		fmt.Fprintf(&b, " stream %d", n.Stream)
	}
	for i, w := range n.Waits {
		b.WriteString(either(i == 0, " waits for ", ", "))
		if w.Result == 0 {
			fmt.Fprintf(&b, "operator %d", w.ID)
		} else {
			fmt.Fprintf(&b, "%%%d", w.Result)
		}
	}
	return b.String() + "  " + n.Source
}

// either is the first text on a condition, else the second.
func either(condition bool, a, b string) string {
	if condition {
		return a
	}
	return b
}

// String is how the operator's line writes the operand.
func (o *Operand) String() string {
	switch o.Kind {
	case OperandWeight:
		return "@" + o.Name + ": " + o.Type
	case OperandCache:
		return "cache @" + o.Name
	case OperandInput:
		return o.Name
	case OperandNone:
		return "none"
	}
	return fmt.Sprintf("%%%d", o.Value)
}
