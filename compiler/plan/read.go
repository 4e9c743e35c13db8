package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan/planpb"
	"github.com/glmc/glmc/kernels/dtype"
)

// The functions of this file turn single messages into what they stand for, or say what is out of range.

func readDType(w planpb.DType) (dtype.DType, error) {
	for d, v := range wireDTypes {
		if v == w {
			return d, nil
		}
	}
	return dtype.Invalid, fmt.Errorf("unknown dtype %d", w)
}

// readInts reads the shape of a tensor.
func readInts(v []uint64) ([]int, error) {
	if len(v) > ir.MaxRank {
		return nil, fmt.Errorf("%d dimensions", len(v))
	}
	out := make([]int, len(v))
	total := uint64(1)
	for i, n := range v {
		if n < 1 || n > ir.MaxDim || total > ir.MaxElems/n {
			return nil, fmt.Errorf("shape %s is out of range", strings.ReplaceAll(fmt.Sprint(v), " ", ", "))
		}
		total *= n
		out[i] = int(n)
	}
	return out, nil
}

// readShape reads the shape of an operand or a result.
func readShape(dims []*planpb.Dim) (ir.Shape, error) {
	s, err := readDims(dims)
	if err != nil {
		return nil, err
	}
	return s, s.Check()
}

// readDims reads dimensions one by one. What they mean together is for an operator's row to say.
func readDims(dims []*planpb.Dim) (ir.Shape, error) {
	if len(dims) > ir.MaxRank {
		return nil, fmt.Errorf("%d dimensions", len(dims))
	}
	s := make(ir.Shape, len(dims))
	for i, w := range dims {
		symbol, mul, add := w.GetSymbol(), w.GetMul(), w.GetAdd()
		if symbol < planpb.Dim_CONST || symbol > planpb.Dim_ROWS || mul < 0 || mul > ir.MaxDim || add < 0 || add > ir.MaxDim {
			return nil, fmt.Errorf("dimension %d is %d * symbol %d + %d", i, mul, symbol, add)
		}
		s[i] = ir.Dim{Sym: ir.Sym(symbol), Mul: int(mul), Add: int(add)}
	}
	return s, nil
}

func readWeight(w *planpb.Weight) (*ir.Weight, error) {
	t, err := readDType(w.GetDtype())
	if err != nil {
		return nil, err
	}
	shape, err := readInts(w.GetShape())
	if err != nil {
		return nil, err
	}
	recipe, err := readRecipe(w.GetRecipe(), 1)
	if err != nil {
		return nil, err
	}
	return &ir.Weight{Name: w.GetName(), DType: t, Shape: shape, Recipe: recipe}, nil
}

// readRecipe reads a recipe; depth is that of the recipe itself, the outermost one having 1.
func readRecipe(w *planpb.Recipe, depth int) (*ir.Recipe, error) {
	if w == nil {
		return nil, fmt.Errorf("a recipe is missing")
	}
	if depth > ir.MaxRecipeDepth {
		return nil, fmt.Errorf("its recipe is nested deeper than %d", ir.MaxRecipeDepth)
	}
	if w.Start > ir.MaxDim || w.Size > ir.MaxDim || w.Count > maxStoredParts || w.Parts > ir.MaxRanks || w.Group > ir.MaxRanks || w.Dim >= ir.MaxRank || len(w.Args) > maxStoredParts {
		return nil, fmt.Errorf("a number in its recipe is out of range")
	}
	shape, err := readInts(w.Shape)
	if err != nil {
		return nil, err
	}
	r := &ir.Recipe{Kind: ir.RecipeKind(w.Kind), Name: w.Name, Shape: shape, Count: int(w.Count), Dim: int(w.Dim), Start: int(w.Start),
		Size: int(w.Size), Parts: int(w.Parts), Group: int(w.Group)}
	stored := r.Kind == ir.RecipeTensor || r.Kind == ir.RecipeEach
	if w.Kind < planpb.Recipe_TENSOR || w.Kind > planpb.Recipe_LEAD || stored != (len(w.Args) == 0) || stored && r.Name == "" {
		return nil, fmt.Errorf("recipe kind %d with %d parts and name %q", w.Kind, len(w.Args), w.Name)
	}
	for _, a := range w.Args {
		arg, err := readRecipe(a, depth+1)
		if err != nil {
			return nil, err
		}
		r.Args = append(r.Args, arg)
	}
	return r, nil
}

func readAttrs(list []*planpb.Attr) (ir.Attrs, error) {
	if len(list) > maxAttrs {
		return nil, fmt.Errorf("%d attributes: at most %d are possible", len(list), maxAttrs)
	}
	var out ir.Attrs
	for _, w := range list {
		a := ir.Attr{Key: w.GetKey()}
		switch v := w.GetValue().(type) {
		case *planpb.Attr_Int:
			a.Value = v.Int
		case *planpb.Attr_Float:
			a.Value = v.Float
		case *planpb.Attr_Str:
			a.Value = v.Str
		case *planpb.Attr_Bool:
			a.Value = v.Bool
		case *planpb.Attr_Shape:
			s, err := readDims(v.Shape.GetDims())
			if err != nil {
				return nil, fmt.Errorf("attribute %q: %w", a.Key, err)
			}
			a.Value = s
		default:
			return nil, fmt.Errorf("attribute %q has no value", a.Key)
		}
		if slices.ContainsFunc(out, func(b ir.Attr) bool { return b.Key == a.Key }) {
			return nil, fmt.Errorf("attribute %q stands there twice", a.Key)
		}
		out = append(out, a)
	}
	return out, nil
}
