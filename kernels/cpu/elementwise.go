package cpu

import (
	"slices"

	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/ref"
)

// add and mul take the common case, two activations of one shape; ref does the rest.

func (d *Device) add(a kernels.Attrs) (kernels.Func, error) {
	return d.pairwise(a, "add", d.vectors.add)
}

func (d *Device) mul(a kernels.Attrs) (kernels.Func, error) {
	return d.pairwise(a, "mul", d.vectors.mul)
}

func (d *Device) pairwise(a kernels.Attrs, name string, f func(dst, a, b []float32)) (kernels.Func, error) {
	general, err := widened(ref.Kernels()[name])(a)
	if err != nil {
		return nil, err
	}
	var c *kernels.Call
	body := func(_, lo, hi int) {
		f(c.Out[0].F32[lo:hi], c.In[0].F32[lo:hi], c.In[1].F32[lo:hi])
	}
	return func(call *kernels.Call) error {
		c = call
		x, y := &c.In[0], &c.In[1]
		if !slices.Equal(x.Shape, y.Shape) || x.DType != y.DType {
			return general(c)
		}
		d.pool.run(x.Elems(), d.grain(x.Elems(), 1), body)
		return nil
	}, nil
}

func (d *Device) silu(kernels.Attrs) (kernels.Func, error) {
	var c *kernels.Call
	body := func(_, lo, hi int) { d.vectors.silu(c.Out[0].F32[lo:hi], c.In[0].F32[lo:hi]) }
	return func(call *kernels.Call) error {
		c = call
		n := c.In[0].Elems()
		d.pool.run(n, d.grain(n, d.vectors.expCost), body)
		return nil
	}, nil
}

func (d *Device) swiglu(kernels.Attrs) (kernels.Func, error) {
	var c *kernels.Call
	body := func(_, lo, hi int) {
		d.vectors.swiglu(c.Out[0].F32[lo:hi], c.In[0].F32[lo:hi], c.In[1].F32[lo:hi])
	}
	return func(call *kernels.Call) error {
		c = call
		n := c.In[0].Elems()
		d.pool.run(n, d.grain(n, d.vectors.expCost), body)
		return nil
	}, nil
}
