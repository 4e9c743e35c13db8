package ref

import (
	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
)

func embed(kernels.Attrs) (kernels.Func, error) {
	return func(c *kernels.Call) error {
		ids, w, out := &c.In[0], &c.In[1], &c.Out[0]
		rows := ids.I32[:ids.Elems()]
		if err := kernels.CheckIDs("token id", rows, w.Shape[0]); err != nil {
			return err
		}
		h := w.Last()
		for t, id := range rows {
			copy(out.F32[t*h:(t+1)*h], w.F32[int(id)*h:])
		}
		return nil
	}, nil
}

// Dot is the float32 sum of the products in ascending order. b has at least len(a) elements.
func Dot(a, b []float32) float32 {
	b = b[:len(a)]
	var sum float32
	for i, v := range a {
		sum += v * b[i]
	}
	return sum
}

// quantise replaces each value of src by what its fp8 quantisation means.
func quantise(dst, src []float32) {
	scale := dtype.QuantizeF8E4M3(dst, src)
	for i := range dst {
		dst[i] *= scale
	}
}

func linear(a kernels.Attrs) (kernels.Func, error) {
	quant, err := a.QuantisesRows()
	if err != nil {
		return nil, err
	}
	var scratch []float32 // one quantised row
	return func(c *kernels.Call) error {
		x, w, bias := &c.In[0], &c.In[1], c.Optional(2)
		k := w.Shape[1]
		for r := range x.Rows() {
			row := x.F32[r*k : (r+1)*k]
			if quant {
				scratch = kernels.Resize(scratch, k)
				quantise(scratch, row)
				row = scratch
			}
			project(c.Out, r, row, w, bias)
		}
		return nil
	}, nil
}

// project stores w row + bias in the rows r of the results, side by side.
func project(out []kernels.Tensor, r int, row []float32, w, bias *kernels.Tensor) {
	o := 0 // row of w
	for i := range out {
		n := out[i].Last()
		for j := range n {
			y := Dot(row, w.F32[o*len(row):])
			if bias.Present() {
				y += bias.F32[o]
			}
			out[i].F32[r*n+j] = y
			o++
		}
	}
}
