package ir

import (
	"fmt"
	"strings"

	"github.com/glmc/glmc/kernels/dtype"
)

// Weight is one operand that is loaded from the checkpoint before the first step. Name is unique in the
// module; it is the checkpoint name where the weight is a single stored tensor.
type Weight struct {
	Name   string
	Shape  []int       // of one rank
	DType  dtype.DType // what the device holds; the scaled formats come with scales: see Bytes
	Recipe *Recipe
}

// Type is the weight's type as an operand.
func (w *Weight) Type() Type { return Type{DType: w.DType, Shape: FixedShape(w.Shape)} }

// FixedShape is the shape of a tensor whose dimensions are numbers. Messages write it as "[256, 768]".
func FixedShape(dims []int) Shape {
	s := make(Shape, len(dims))
	for i, n := range dims {
		s[i] = Fixed(n)
	}
	return s
}

// Bytes is the memory that one rank needs for the weight, scales included: an f32 for each row of F8E4M3 and I8, a
// bfloat16 for each dtype.Group values of a row of I4.
func (w *Weight) Bytes() int64 {
	rows, width := int64(1), int64(1)
	for i, d := range w.Shape {
		if i == len(w.Shape)-1 {
			width = int64(d)
		} else {
			rows *= int64(d)
		}
	}
	n := (rows*width*int64(w.DType.Bits()) + 7) / 8
	switch {
	case w.DType == dtype.I4:
		n += 2 * rows * ((width + dtype.Group - 1) / dtype.Group)
	case w.DType.Scaled():
		n += 4 * rows
	}
	return n
}

// weightBytes is the memory of a weight as an operand has it. The weight itself may have another dtype by now, where a
// graph was kept from before a pass gave it one.
func weightBytes(v *Value) float64 {
	w := *v.Weight
	w.DType = v.Type.DType
	return float64(w.Bytes())
}

// RecipeKind says how a recipe node makes its tensor.
type RecipeKind byte

const (
	RecipeTensor RecipeKind = iota + 1 // the stored tensor Name, of shape Shape
	RecipeEach                         // Count stored tensors Name with "{e}" = 0.., stacked in a new first dimension
	RecipeConcat                       // Args one behind the other along Dim
	RecipeSlice                        // Size elements of dimension Dim of Args[0], from Start on
	RecipeStack                        // Args stacked in a new first dimension
	RecipeShard                        // of Parts equal parts along Dim the one that belongs to the rank: rank / Group
	RecipeLead                         // Args[0] on rank 0, zeros on the others: a bias that the sum over ranks counts once
)

// Recipe is how a weight is made from stored tensors. It is a tree of data, evaluated by the loader for one
// rank; nothing in it is executed.
type Recipe struct {
	Kind  RecipeKind
	Name  string
	Shape []int // of the stored tensor: RecipeTensor and RecipeEach
	Count int
	Dim   int
	Start int
	Size  int
	Parts int
	Group int
	Args  []*Recipe
}

// Stored is the recipe for one stored tensor.
func Stored(name string, shape ...int) *Recipe {
	return &Recipe{Kind: RecipeTensor, Name: name, Shape: shape}
}

// Each is the recipe for count stored tensors whose names differ in "{e}".
func Each(pattern string, count int, shape ...int) *Recipe {
	return &Recipe{Kind: RecipeEach, Name: pattern, Count: count, Shape: shape}
}

// Concat joins recipes along a dimension.
func Concat(dim int, args ...*Recipe) *Recipe {
	return &Recipe{Kind: RecipeConcat, Dim: dim, Args: args}
}

// Stack joins recipes of one shape in a new first dimension.
func Stack(args ...*Recipe) *Recipe { return &Recipe{Kind: RecipeStack, Args: args} }

// Slice takes size elements of a dimension.
func Slice(r *Recipe, dim, start, size int) *Recipe {
	return &Recipe{Kind: RecipeSlice, Dim: dim, Start: start, Size: size, Args: []*Recipe{r}}
}

// Shard takes the rank's part of a dimension. With group > 1, that many neighbouring ranks share a part.
func Shard(r *Recipe, dim, parts, group int) *Recipe {
	return &Recipe{Kind: RecipeShard, Dim: dim, Parts: parts, Group: group, Args: []*Recipe{r}}
}

// Lead keeps a tensor on rank 0 and gives zeros to the others.
func Lead(r *Recipe) *Recipe { return &Recipe{Kind: RecipeLead, Args: []*Recipe{r}} }

// MaxRecipeDepth bounds how deep recipes nest, in texts and plans; real ones are four deep.
const MaxRecipeDepth = 64

// OutShape is the shape that the recipe yields on one rank. An error says what does not fit.
func (r *Recipe) OutShape() ([]int, error) { return r.outShape(1) }

func (r *Recipe) outShape(depth int) ([]int, error) {
	if depth > MaxRecipeDepth {
		return nil, fmt.Errorf("recipe nested deeper than %d", MaxRecipeDepth)
	}
	args := make([][]int, len(r.Args))
	for i, a := range r.Args {
		s, err := a.outShape(depth + 1)
		if err != nil {
			return nil, err
		}
		args[i] = s
	}
	out, err := r.applied(args)
	if err != nil {
		return nil, err
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s has no dimensions", r.Kind)
	}
	return out, FixedShape(out).Check()
}

// applied is the shape that one recipe makes of its parts' shapes.
func (r *Recipe) applied(args [][]int) ([]int, error) {
	switch r.Kind {
	case RecipeTensor, RecipeEach:
		if len(args) != 0 {
			return nil, fmt.Errorf("%s takes no recipe, has %d", r.Kind, len(args))
		}
		if r.Kind == RecipeEach {
			return append([]int{r.Count}, r.Shape...), nil
		}
		return r.Shape, nil
	case RecipeStack, RecipeConcat:
		return r.joinShape(args)
	case RecipeLead, RecipeSlice, RecipeShard:
		if len(args) != 1 {
			return nil, fmt.Errorf("%s takes 1 recipe, has %d", r.Kind, len(args))
		}
		return r.partShape(args[0])
	}
	return nil, fmt.Errorf("unknown recipe kind %d", r.Kind)
}

// partShape is the shape of a part of one tensor.
func (r *Recipe) partShape(s []int) ([]int, error) {
	if r.Kind == RecipeLead {
		return s, nil
	}
	if r.Dim < 0 || r.Dim >= len(s) {
		return nil, fmt.Errorf("%s along dimension %d of shape %s", r.Kind, r.Dim, FixedShape(s))
	}
	if r.Kind == RecipeSlice {
		if r.Start < 0 || r.Size < 1 || r.Start > s[r.Dim]-r.Size {
			return nil, fmt.Errorf("slice of %d from %d on is outside of dimension %d of shape %s", r.Size, r.Start, r.Dim, FixedShape(s))
		}
		return withDim(s, r.Dim, r.Size), nil
	}
	if r.Parts < 1 || r.Group < 1 || s[r.Dim]%r.Parts != 0 {
		return nil, fmt.Errorf("dimension %d of shape %s does not divide into %d parts for groups of %d ranks", r.Dim, FixedShape(s), r.Parts, r.Group)
	}
	return withDim(s, r.Dim, s[r.Dim]/r.Parts), nil
}

// checkRanks asks every shard of the recipe to have a part for each rank: the rank's is rank / Group.
func (r *Recipe) checkRanks(ranks int) error {
	if r.Kind == RecipeShard && (r.Parts > ranks || r.Group > ranks || r.Parts*r.Group != ranks) {
		return fmt.Errorf("shard into %d parts for groups of %d ranks does not cover %d ranks", r.Parts, r.Group, ranks)
	}
	for _, a := range r.Args {
		if err := a.checkRanks(ranks); err != nil {
			return err
		}
	}
	return nil
}

func (r *Recipe) joinShape(args [][]int) ([]int, error) {
	if len(args) == 0 {
		return nil, fmt.Errorf("%s of nothing", r.Kind)
	}
	if r.Kind == RecipeStack {
		for _, s := range args[1:] {
			if !equalInts(s, args[0]) {
				return nil, fmt.Errorf("stack of different shapes %s and %s", FixedShape(args[0]), FixedShape(s))
			}
		}
		return append([]int{len(args)}, args[0]...), nil
	}
	out := append([]int(nil), args[0]...)
	if r.Dim < 0 || r.Dim >= len(out) {
		return nil, fmt.Errorf("concat along dimension %d of shape %s", r.Dim, FixedShape(out))
	}
	for _, s := range args[1:] {
		if len(s) != len(out) || !equalInts(withDim(s, r.Dim, 0), withDim(out, r.Dim, 0)) {
			return nil, fmt.Errorf("concat of shapes %s and %s along dimension %d", FixedShape(args[0]), FixedShape(s), r.Dim)
		}
		out[r.Dim] += s[r.Dim]
	}
	return out, nil
}

var recipeNames = [...]string{RecipeTensor: "tensor", RecipeEach: "each", RecipeConcat: "concat", RecipeSlice: "slice",
	RecipeStack: "stack", RecipeShard: "shard", RecipeLead: "lead"}

// String returns the name that the text form uses.
func (k RecipeKind) String() string {
	if int(k) < len(recipeNames) && recipeNames[k] != "" {
		return recipeNames[k]
	}
	return fmt.Sprintf("recipe(%d)", byte(k))
}

// String is the recipe's text form, for example
// `shard(each("model.layers.3.mlp.experts.{e}.up_proj.weight" [1536, 5120], 160), 1, 8, 1)`.
func (r *Recipe) String() string {
	var b strings.Builder
	r.print(&b)
	return b.String()
}

func (r *Recipe) print(b *strings.Builder) {
	b.WriteString(r.Kind.String())
	b.WriteByte('(')
	switch r.Kind {
	case RecipeTensor, RecipeEach:
		fmt.Fprintf(b, "%q %s", r.Name, intList(r.Shape))
		if r.Kind == RecipeEach {
			fmt.Fprintf(b, ", %d", r.Count)
		}
	default:
		for i, a := range r.Args {
			if i > 0 {
				b.WriteString(", ")
			}
			a.print(b)
		}
		switch r.Kind {
		case RecipeConcat:
			fmt.Fprintf(b, ", %d", r.Dim)
		case RecipeSlice:
			fmt.Fprintf(b, ", %d, %d, %d", r.Dim, r.Start, r.Size)
		case RecipeShard:
			fmt.Fprintf(b, ", %d, %d, %d", r.Dim, r.Parts, r.Group)
		}
	}
	b.WriteByte(')')
}

func intList(v []int) string {
	s := make([]string, len(v))
	for i, n := range v {
		s[i] = fmt.Sprint(n)
	}
	return "[" + strings.Join(s, ", ") + "]"
}

func withDim(s []int, dim, n int) []int {
	out := append([]int(nil), s...)
	out[dim] = n
	return out
}

func equalInts(a, b []int) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
