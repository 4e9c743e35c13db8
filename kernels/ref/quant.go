package ref

import (
	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
)

// quantiseRows stores the fp8 codes of x's rows in codes, and their scales in scales.
func quantiseRows(codes, scales *kernels.Tensor, x []float32) {
	d := codes.Last()
	for r := range codes.Rows() {
		scales.F32[r] = dtype.QuantizeF8E4M3Codes(codes.U8[r*d:(r+1)*d], x[r*d:(r+1)*d])
	}
}

func quantRows(kernels.Attrs) (kernels.Func, error) {
	return func(c *kernels.Call) error {
		quantiseRows(&c.Out[0], &c.Out[1], c.In[0].F32)
		return nil
	}, nil
}

// thenQuantised is the operator that build makes, with quant.rows of its last result behind it. Where the attribute
// plain is not set that result is scratch.
func thenQuantised(build kernels.Builder) kernels.Builder {
	return func(a kernels.Attrs) (kernels.Func, error) {
		f, err := build(a)
		if err != nil {
			return nil, err
		}
		plain, err := a.OptionalInt("plain", 0)
		if err != nil {
			return nil, err
		}
		var last []float32
		return func(c *kernels.Call) error {
			n := len(c.Out) - 2
			codes, scales := &c.Out[n], &c.Out[n+1]
			out := c.Out[:n:n]
			if plain == 0 {
				last = kernels.Resize(last, codes.Elems())
				out = append(out, kernels.FromF32(last, codes.Shape...))
			}
			if err := f(&kernels.Call{In: c.In, Out: out, Cache: c.Cache, Comm: c.Comm}); err != nil {
				return err
			}
			quantiseRows(codes, scales, out[len(out)-1].F32)
			return nil
		}, nil
	}
}

// withScale is x, fp8 codes, with the scales of its rows.
func withScale(x, scale *kernels.Tensor) kernels.Tensor {
	t := *x
	t.Scale = scale.F32
	return t
}

func linearW8A8(kernels.Attrs) (kernels.Func, error) {
	var row []float32
	return func(c *kernels.Call) error {
		x, w, bias := withScale(&c.In[0], &c.In[1]), &c.In[2], c.Optional(3)
		row = kernels.Resize(row, x.Last())
		for r := range x.Rows() {
			x.LoadRow(row, r)
			project(c.Out, r, row, w, bias)
		}
		return nil
	}, nil
}

func expertsW8A8(a kernels.Attrs) (kernels.Func, error) {
	if err := a.CheckActivation(); err != nil {
		return nil, err
	}
	e := &mixture{quant: true}
	return func(c *kernels.Call) error {
		x := withScale(&c.In[0], &c.In[1])
		return e.run(x.LoadRow, c.In[2:], &c.Out[0])
	}, nil
}
