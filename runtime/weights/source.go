package weights

import (
	"fmt"
	"strconv"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/runtime/safetensors"
)

// stored is a tensor of the checkpoint that some recipe needs.
type stored struct {
	safetensors.Tensor
	scale *safetensors.Tensor // of tensors in a format with scales: one for each row, of I4 for each group of a row
	parts map[part]bool       // what recipes need of it
}

// part is a run of elements of a stored tensor.
type part struct{ start, n int }

// rowLen is the size of the last dimension; 1 for a scalar.
func (s *stored) rowLen() int {
	if len(s.Shape) == 0 {
		return 1
	}
	return s.Shape[len(s.Shape)-1]
}

// groups is the number of scales of a row.
func (s *stored) groups() int {
	if s.DType == dtype.I4 {
		return s.rowLen() / dtype.Group
	}
	return 1
}

// covered counts the elements that recipes need. Parts that overlap count more than once.
func (s *stored) covered() int {
	n := 0
	for p := range s.parts {
		n += p.n
	}
	return n
}

// view gives n elements from element start on as the kernels see them, without their scales: the checkpoint's
// own memory where the file aligns the tensor, else a copy of that part.
func (s *stored) view(start, n int) (kernels.Tensor, error) {
	t := kernels.Tensor{DType: s.DType, Shape: []int{n}}
	p := elements(s.Tensor, start, n)
	var err error
	switch s.DType {
	case dtype.F32:
		t.F32, err = p.Float32s()
	case dtype.BF16, dtype.F16:
		t.U16, err = p.Uint16s()
	case dtype.F8E4M3, dtype.I8, dtype.I4:
		t.U8 = p.Bytes
	default:
		err = fmt.Errorf("tensor %q is stored as %s", s.Name, s.FileDType)
	}
	return t, err
}

// scales gives the scales of n rows from row first on: the checkpoint's own memory where that is possible.
func (s *stored) scales(first, n int) ([]float32, error) {
	first, n = first*s.groups(), n*s.groups()
	p := elements(*s.scale, first, n)
	if p.DType == dtype.F32 {
		return p.Float32s()
	}
	out := make([]float32, n)
	return out, p.ToF32(out)
}

// elements is a part of a tensor as a tensor of one dimension. A part of I4 begins and ends with a byte.
func elements(t safetensors.Tensor, start, n int) safetensors.Tensor {
	from, to := t.DType.Bytes(start), t.DType.Bytes(start+n)
	t.Shape, t.Bytes = []int{n}, t.Bytes[from:to:to]
	return t
}

// source is a contiguous part of a stored tensor that stands for one tensor that a recipe names. Its rows are
// rows of the stored tensor.
type source struct {
	*stored
	shape []int
	start int // first element
}

// index takes the part of a tensor that an alias speaks of: single elements of leading dimensions, then at
// most one range. The result is contiguous, and its rows are whole rows.
func (s *source) index(list []plan.Index, holes map[string]string) (*source, error) {
	out := &source{stored: s.stored, start: s.start, shape: s.shape}
	for i, x := range list {
		if len(out.shape) < 2 {
			return nil, fmt.Errorf("index %d is one too many for shape %s: the last dimension stays whole", i+1, ir.FixedShape(s.shape))
		}
		size := product(out.shape[1:])
		if !x.Range {
			at, err := element(x, holes, out.shape[0])
			if err != nil {
				return nil, err
			}
			out.start += at * size
			out.shape = out.shape[1:]
			continue
		}
		switch {
		case i != len(list)-1:
			return nil, fmt.Errorf("index %d is a range: only the last may be one", i+1)
		case x.From < 0 || x.From >= x.To || x.To > out.shape[0]:
			return nil, fmt.Errorf("range %d .. %d is empty or outside of shape %s", x.From, x.To, ir.FixedShape(out.shape))
		}
		out.start += x.From * size
		out.shape = append([]int{x.To - x.From}, out.shape[1:]...)
	}
	return out, nil
}

// element is the number of an element of a dimension of that size.
func element(x plan.Index, holes map[string]string, size int) (int, error) {
	at := x.From
	if x.Hole != "" {
		n, err := strconv.Atoi(holes[x.Hole])
		if err != nil {
			return 0, fmt.Errorf("hole {%s} matched %q, which is no number", x.Hole, holes[x.Hole])
		}
		at = n
	}
	if at < 0 || at >= size {
		return 0, fmt.Errorf("element %d is outside of a dimension of %d", at, size)
	}
	return at, nil
}
