package ir

import (
	"fmt"
	"strings"

	"github.com/glmc/glmc/kernels/dtype"
)

// Sym is a size that is only known when a step runs.
type Sym byte

const (
	Const Sym = iota
	T         // tokens in the step
	B         // sequences in the step
	P         // pages in the longest page table of the step
	R         // rows whose logits are wanted
)

var symNames = [...]string{Const: "", T: "T", B: "B", P: "P", R: "R"}

// String returns the letter that the text form uses.
func (s Sym) String() string {
	if int(s) < len(symNames) {
		return symNames[s]
	}
	return fmt.Sprintf("sym(%d)", byte(s))
}

// Dim is one dimension: Mul*Sym + Add. A constant has Sym Const, Mul 0 and its value in Add.
type Dim struct {
	Sym      Sym
	Mul, Add int
}

// Fixed is a constant dimension.
func Fixed(n int) Dim { return Dim{Add: n} }

// Symbolic is a dimension that equals s.
func Symbolic(s Sym) Dim { return Dim{Sym: s, Mul: 1} }

// IsConst reports whether the dimension is known at compile time.
func (d Dim) IsConst() bool { return d.Sym == Const }

// Eval is the dimension's size for the given sizes of the symbols.
func (d Dim) Eval(n Sizes) int { return d.Mul*n.of(d.Sym) + d.Add }

func (d Dim) String() string {
	switch {
	case d.Sym == Const:
		return fmt.Sprint(d.Add)
	case d.Mul == 1 && d.Add == 0:
		return d.Sym.String()
	case d.Mul == 1:
		return fmt.Sprintf("%s%+d", d.Sym, d.Add)
	case d.Add == 0:
		return fmt.Sprintf("%d*%s", d.Mul, d.Sym)
	}
	return fmt.Sprintf("%d*%s%+d", d.Mul, d.Sym, d.Add)
}

// Bounds on shapes: far beyond any tensor, and so far below overflow that sizes of checked shapes can be
// multiplied by the size of an element.
const (
	MaxDim   = 1 << 31 // of one dimension, or of its factor and its offset
	MaxElems = 1 << 46 // of all dimensions together, symbols counted as one
	MaxRank  = 8       // dimensions
)

// check asks for a constant of at least one, or for at least one symbol and nothing taken away from it: a
// dimension is never empty, and never smaller than a step's sizes say.
func (d Dim) check() error {
	mul, add := int64(d.Mul), int64(d.Add)
	if d.Sym == Const && mul == 0 && add >= 1 && add <= MaxDim {
		return nil
	}
	if d.Sym > Const && d.Sym <= R && mul >= 1 && mul <= MaxDim && add >= 0 && add <= MaxDim {
		return nil
	}
	return fmt.Errorf("dimension %s is out of range", d)
}

// Sizes gives the symbols of one step their values.
type Sizes struct {
	Tokens, Seqs, Pages, Rows int
}

func (n Sizes) of(s Sym) int {
	switch s {
	case T:
		return n.Tokens
	case B:
		return n.Seqs
	case P:
		return n.Pages
	case R:
		return n.Rows
	}
	return 0
}

// Shape is a list of dimensions, outermost first.
type Shape []Dim

// Equal reports whether two shapes are the same for all sizes.
func (s Shape) Equal(o Shape) bool {
	if len(s) != len(o) {
		return false
	}
	for i := range s {
		if s[i] != o[i] {
			return false
		}
	}
	return true
}

// Check reports a dimension that is out of range, and a shape that is too large as a whole.
func (s Shape) Check() error {
	if len(s) > MaxRank {
		return fmt.Errorf("a shape of %d dimensions: at most %d are possible", len(s), MaxRank)
	}
	total := int64(1)
	for _, d := range s {
		if err := d.check(); err != nil {
			return fmt.Errorf("shape %s: %w", s, err)
		}
		factor := max(int64(d.Mul), int64(d.Add))
		if total > MaxElems/factor {
			return fmt.Errorf("shape %s is too large", s)
		}
		total *= factor
	}
	return nil
}

// checkSizes asks for two to MaxResults numbers that are possible as dimensions.
func (s Shape) checkSizes() error {
	if len(s) < 2 || len(s) > MaxResults {
		return fmt.Errorf("has %d sizes, wants 2 to %d", len(s), MaxResults)
	}
	for _, d := range s {
		if err := d.check(); err != nil || !d.IsConst() {
			return fmt.Errorf("has the size %s, wants a number from 1 to %d", d, MaxDim)
		}
	}
	return nil
}

// Elems is the number of elements as a dimension. It fails when more than one dimension is symbolic, which
// no activation has; page tables are never reshaped or planned.
func (s Shape) Elems() (Dim, error) {
	n := Fixed(1)
	for _, d := range s {
		switch {
		case d.IsConst():
			n.Mul *= d.Add
			n.Add *= d.Add
		case n.IsConst():
			n = Dim{Sym: d.Sym, Mul: d.Mul * n.Add, Add: d.Add * n.Add}
		default:
			return Dim{}, fmt.Errorf("shape %s has two symbolic dimensions", s)
		}
	}
	return n, nil
}

// Eval gives the concrete shape.
func (s Shape) Eval(n Sizes) []int { return s.AppendEval(make([]int, 0, len(s)), n) }

// AppendEval appends the dimensions at given sizes to a list.
func (s Shape) AppendEval(list []int, n Sizes) []int {
	for _, d := range s {
		list = append(list, d.Eval(n))
	}
	return list
}

// Last is the innermost dimension; 1 for a scalar.
func (s Shape) Last() Dim {
	if len(s) == 0 {
		return Fixed(1)
	}
	return s[len(s)-1]
}

// With returns a copy with dimension i replaced.
func (s Shape) With(i int, d Dim) Shape {
	out := append(Shape(nil), s...)
	out[i] = d
	return out
}

func (s Shape) String() string {
	parts := make([]string, len(s))
	for i, d := range s {
		parts[i] = d.String()
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// Type is what a value holds: a tensor, or (State) the KV cache of one attention layer after a write.
type Type struct {
	DType dtype.DType
	Shape Shape
	State bool
}

// TensorType is a tensor of that dtype and shape.
func TensorType(d dtype.DType, shape ...Dim) Type { return Type{DType: d, Shape: shape} }

// Equal reports whether two types are the same.
func (t Type) Equal(o Type) bool {
	return t.DType == o.DType && t.State == o.State && t.Shape.Equal(o.Shape)
}

func (t Type) String() string {
	if t.State {
		return "cache"
	}
	return t.DType.String() + t.Shape.String()
}
