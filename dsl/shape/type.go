package shape

import "strings"

// The atoms of the dimensions that only a step has.
var (
	T = Atom("T") // tokens
	B = Atom("B") // sequences
)

// Activation is the dtype of tensors of which a file names none: what the device computes in.
const Activation = ""

// Type is the type of a tensor.
type Type struct {
	DType string // as .glm files write it; Activation
	Dims  []Dim
}

// Dim is one dimension, with the words of the file for it.
type Dim struct {
	Poly
	Text    string
	unknown bool
}

// Unknown is a dimension of which no more is known than how it is written: it goes with everything.
func Unknown(text string) Dim {
	if text == "" {
		text = "?"
	}
	return Dim{Text: text, unknown: true}
}

// IsUnknown reports whether nothing is known of the dimension.
func (d Dim) IsUnknown() bool { return d.unknown }

// IsRuntime reports whether the dimension is one that only a step has.
func (d Dim) IsRuntime() bool { return !d.unknown && (d.has("T") || d.has("B")) }

// NewDim is a dimension that a file writes as text; its normal form where that is empty.
func NewDim(p Poly, text string) Dim {
	if text == "" {
		text = p.String()
	}
	return Dim{Poly: p, Text: text}
}

// String returns the type as .glm files write it.
func (t Type) String() string {
	var dims []string
	for _, d := range t.Dims {
		dims = append(dims, d.Text)
	}
	return t.DType + "[" + strings.Join(dims, ", ") + "]"
}

// Last is the last dimension; false where there is none.
func (t Type) Last() (Dim, bool) {
	if len(t.Dims) == 0 {
		return Dim{}, false
	}
	return t.Dims[len(t.Dims)-1], true
}

// Elems is the number of elements; false where it is not known.
func (t Type) Elems() (Poly, bool) {
	n := Int(1)
	for _, d := range t.Dims {
		if d.unknown {
			return Poly{}, false
		}
		n = n.Mul(d.Poly)
	}
	return n, true
}
