package weights

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/kernels/dtype"
)

// Leaf is a tensor that recipes are made of, as the checkpoint has it.
type Leaf struct {
	Name  string      // by which recipes call it
	Shape []int       // in the model
	DType dtype.DType // that the plan's weights made of it are held in; the first one without scales where they differ

	Stored     string      // the stored tensor that it is, or is a part of
	Whole      bool        // it is all of the stored tensor
	StoredAs   dtype.DType // its format in the file
	FileFormat string      // likewise, as the file spells it
	Weights    []*ir.Weight
	src        *source
}

// Leaves lists what the plan's weights are made of, each once, in the order of their first use.
func (l *Loader) Leaves() ([]*Leaf, error) {
	var list []*Leaf
	at := map[string]*Leaf{}
	for _, w := range l.plan.Module.Weights {
		err := eachLeaf(w.Recipe, func(name string, shape []int) error {
			f := at[name]
			if f == nil {
				s, err := l.find(name, shape)
				if err != nil {
					return err
				}
				f = &Leaf{Name: name, Shape: shape, DType: w.DType, Stored: s.Name, Whole: product(shape) == s.Elems(),
					StoredAs: s.DType, FileFormat: s.FileDType, src: s}
				at[name], list = f, append(list, f)
			}
			if f.DType.Scaled() && !w.DType.Scaled() {
				f.DType = w.DType
			}
			f.Weights = append(f.Weights, w)
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("weight %s: %w", w.Name, err)
		}
	}
	return list, nil
}

// eachLeaf visits the tensors that a recipe names.
func eachLeaf(r *ir.Recipe, visit func(name string, shape []int) error) error {
	switch r.Kind {
	case ir.RecipeTensor:
		return visit(r.Name, r.Shape)
	case ir.RecipeEach:
		for e := range r.Count {
			if err := visit(strings.ReplaceAll(r.Name, "{e}", strconv.Itoa(e)), r.Shape); err != nil {
				return err
			}
		}
		return nil
	}
	for _, part := range r.Args {
		if err := eachLeaf(part, visit); err != nil {
			return err
		}
	}
	return nil
}

// Width is the length of a row.
func (f *Leaf) Width() int { return f.src.rowLen() }

// Rows stores the values of rows [lo, hi), scales applied, in dst, one behind the other.
func (f *Leaf) Rows(dst []float32, lo, hi int) error {
	k := f.Width()
	t, err := block{rows: hi - lo, n: k, src: f.src, start: f.src.start + lo*k}.wholeRows()
	if err != nil {
		return err
	}
	for i := range hi - lo {
		t.LoadRow(dst[i*k:(i+1)*k], i)
	}
	return nil
}

// Bytes are the values as they are stored, without scales: the checkpoint's own memory.
func (f *Leaf) Bytes() []byte { return elements(f.src.Tensor, f.src.start, product(f.Shape)).Bytes }

// Release gives back the pages of the checkpoint's map that the leaf was read from.
func (f *Leaf) Release() { elements(f.src.Tensor, f.src.start, product(f.Shape)).Release() }
