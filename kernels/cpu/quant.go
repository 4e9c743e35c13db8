package cpu

import (
	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
)

// rowQuantiser turns rows into fp8 codes with a scale for each.
type rowQuantiser struct {
	dev *Device

	// Of the call in progress.
	x             []float32
	codes, scales *kernels.Tensor
	body          func(worker, lo, hi int)
}

func newRowQuantiser(d *Device) *rowQuantiser {
	q := &rowQuantiser{dev: d}
	q.body = func(_, lo, hi int) {
		n := q.codes.Last()
		for r := lo; r < hi; r++ {
			q.scales.F32[r] = q.dev.vectors.f8RowCodes(q.codes.U8[r*n:(r+1)*n], q.x[r*n:(r+1)*n])
		}
	}
	return q
}

func (q *rowQuantiser) run(x []float32, codes, scales *kernels.Tensor) {
	q.x, q.codes, q.scales = x, codes, scales
	rows := codes.Rows()
	q.dev.pool.run(rows, q.dev.grain(rows, 4*codes.Last()), q.body)
}

func (d *Device) quantRows(kernels.Attrs) (kernels.Func, error) {
	q := newRowQuantiser(d)
	return func(c *kernels.Call) error {
		q.run(c.In[0].F32, &c.Out[0], &c.Out[1])
		return nil
	}, nil
}

// thenQuantised is the operator that build makes, with quant.rows of its last result behind it. Where the attribute
// plain is not set that result is scratch.
func (d *Device) thenQuantised(build kernels.Builder) kernels.Builder {
	return func(a kernels.Attrs) (kernels.Func, error) {
		f, err := build(a)
		if err != nil {
			return nil, err
		}
		plain, err := a.OptionalInt("plain", 0)
		if err != nil {
			return nil, err
		}
		q := newRowQuantiser(d)
		var last []float32
		var call kernels.Call
		return func(c *kernels.Call) error {
			n := len(c.Out) - 2
			codes, scales := &c.Out[n], &c.Out[n+1]
			out := append(call.Out[:0], c.Out[:n]...)
			if plain == 0 {
				last = kernels.Resize(last, codes.Elems())
				out = append(out, kernels.Tensor{DType: dtype.F32, Shape: codes.Shape, F32: last})
			}
			call = kernels.Call{In: c.In, Out: out, Cache: c.Cache, Comm: c.Comm}
			if err := f(&call); err != nil {
				return err
			}
			q.run(out[len(out)-1].F32, codes, scales)
			return nil
		}, nil
	}
}

// linearW8A8 is linear, or linear.split, of rows that are quantised already.
func (d *Device) linearW8A8(kernels.Attrs) (kernels.Func, error) {
	l := d.newLinear(true)
	return func(c *kernels.Call) error {
		x, scale := &c.In[0], &c.In[1]
		if c.In[2].Layout == kernels.Panels {
			l.panelIn.prepareCodes(x.U8, scale.F32, x.Rows(), x.Last())
		} else {
			l.in.prepareCodes(x.U8, scale.F32, x.Rows(), x.Last())
		}
		l.product(&c.In[2], x.Rows(), c.Optional(3), c.Out)
		return nil
	}, nil
}

// expertsW8A8 is moe.experts of rows that are quantised already.
func (d *Device) expertsW8A8(a kernels.Attrs) (kernels.Func, error) {
	if err := a.CheckActivation(); err != nil {
		return nil, err
	}
	m := d.newExperts(true)
	m.codes = true
	return func(c *kernels.Call) error { return m.mix(c, c.In[2:]) }, nil
}
