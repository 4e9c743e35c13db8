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

// Facts are equations that hold where a shape is looked at: assertions, and the conditions of branches.
type Facts struct {
	zero []Poly // each is 0
}

// Assume returns the facts with a == b added.
func (f Facts) Assume(a, b Poly) Facts {
	d := f.reduce(a.Sub(b))
	if len(d.terms) == 0 {
		return f
	}
	return Facts{append(f.zero[:len(f.zero):len(f.zero)], d)}
}

// reduce replaces the atoms that the facts solve.
func (f Facts) reduce(p Poly) Poly {
	for _, z := range f.zero {
		if atom, value, ok := z.Solve(); ok {
			p = p.Substitute(atom, value)
		}
	}
	return p
}

// Equal reports whether two numbers are the same for every configuration for which the facts hold, as far as this
// package can tell.
func (f Facts) Equal(a, b Poly) bool {
	if a.Equal(b) {
		return true
	}
	if len(f.zero) == 0 {
		return false
	}
	d := f.reduce(a.Sub(b))
	if len(d.terms) == 0 {
		return true
	}
	for _, z := range f.zero {
		if r := f.reduce(z); len(r.terms) > 0 && d.multipleOf(r) || d.multipleOf(z) {
			return true
		}
	}
	return false
}

// multipleOf reports whether p is q times a single term.
func (p Poly) multipleOf(q Poly) bool {
	if len(p.terms) == 0 || len(p.terms) != len(q.terms) {
		return false
	}
	ratio := Poly{p.terms[:1]}.Div(Poly{q.terms[:1]})
	return q.Mul(ratio).Equal(p)
}

// EqualTypes reports whether two types are the same.
func (f Facts) EqualTypes(a, b Type) bool {
	return a.DType == b.DType && f.EqualDims(a.Dims, b.Dims)
}

// EqualDims reports whether two lists of dimensions are the same.
func (f Facts) EqualDims(a, b []Dim) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !f.Same(a[i], b[i]) {
			return false
		}
	}
	return true
}

// Same reports whether two dimensions are the same, or one of them is not known.
func (f Facts) Same(a, b Dim) bool { return a.unknown || b.unknown || f.Equal(a.Poly, b.Poly) }
