package cpu

import (
	"math"

	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/ref"
)

// normalise is RMSNorm of one row: x / sqrt(mean(x^2) + eps) times w. dst may be x.
func (d *Device) normalise(dst, x, w []float32, eps float32) {
	mean := d.dots.squares(x) / float32(len(x))
	d.vectors.scale(dst[:len(x)], x, w, float32(1/math.Sqrt(float64(mean+eps))))
}

// rotate rotates one head in place.
func (d *Device) rotate(rope *kernels.Rope, head, cos, sin []float32) {
	if rope.Interleaved {
		rope.Rotate(head, cos, sin)
		return
	}
	half := rope.Dims / 2
	d.vectors.rotate(head[:half], head[half:rope.Dims], cos, sin)
}

// weightRow widens an optional weight [D] into scratch; it is empty where the weight is absent.
func weightRow(scratch []float32, w *kernels.Tensor) []float32 {
	if !w.Present() {
		return scratch[:0]
	}
	scratch = kernels.Resize(scratch, w.Elems())
	w.Load(scratch, 0)
	return scratch
}

func (d *Device) normRMS(a kernels.Attrs) (kernels.Func, error) {
	eps, err := a.Float("eps")
	if err != nil {
		return nil, err
	}
	var c *kernels.Call
	var w []float32
	body := func(_, lo, hi int) {
		for r := lo; r < hi; r++ {
			at := r * len(w)
			d.normalise(c.Out[0].F32[at:], c.In[0].F32[at:at+len(w)], w, float32(eps))
		}
	}
	return func(call *kernels.Call) error {
		c, w = call, weightRow(w, &call.In[1])
		rows := c.In[0].Rows()
		d.pool.run(rows, d.grain(rows, 2*len(w)), body)
		return nil
	}, nil
}

// addNormRMS takes a row while it is in the first-level cache: its sum, and the norm of that.
func (d *Device) addNormRMS(a kernels.Attrs) (kernels.Func, error) {
	eps, err := a.Float("eps")
	if err != nil {
		return nil, err
	}
	var c *kernels.Call
	var w []float32
	body := func(_, lo, hi int) {
		n := len(w)
		for at := lo * n; at < hi*n; at += n {
			x, y, sum := c.In[0].F32[at:at+n], c.In[1].F32[at:at+n], c.Out[0].F32[at:at+n]
			d.vectors.add(sum, x, y)
			d.normalise(c.Out[1].F32[at:at+n], sum, w, float32(eps))
		}
	}
	return func(call *kernels.Call) error {
		c, w = call, weightRow(w, &call.In[2])
		rows := c.In[0].Rows()
		d.pool.run(rows, d.grain(rows, 3*len(w)), body)
		return nil
	}, nil
}

// allReduceAddRMS adds the residual to a row that was summed over ranks, and takes its norm, while it is in the
// first-level cache.
func (d *Device) allReduceAddRMS(a kernels.Attrs) (kernels.Func, error) {
	eps, err := a.Float("eps")
	if err != nil {
		return nil, err
	}
	var c *kernels.Call
	var w []float32
	body := func(_, lo, hi int) {
		n := len(w)
		for at := lo * n; at < hi*n; at += n {
			sum := c.Out[0].F32[at : at+n]
			d.vectors.add(sum, c.In[1].F32[at:at+n], sum)
			d.normalise(c.Out[1].F32[at:at+n], sum, w, float32(eps))
		}
	}
	return func(call *kernels.Call) error {
		c, w = call, weightRow(w, &call.In[2])
		if _, err := ref.Reduced(c); err != nil {
			return err
		}
		rows := c.In[0].Rows()
		d.pool.run(rows, d.grain(rows, 3*len(w)), body)
		return nil
	}, nil
}

func (d *Device) ropeApply(a kernels.Attrs) (kernels.Func, error) {
	table, err := d.rope(a)
	if err != nil {
		return nil, err
	}
	scratch := perWorker(d, table.rope.Dims)
	var c *kernels.Call
	body := func(worker, lo, hi int) {
		heads, dim := c.In[0].Shape[1], c.In[0].Shape[2]
		for t := lo; t < hi; t++ {
			row := c.Out[0].F32[t*heads*dim : (t+1)*heads*dim]
			copy(row, c.In[0].F32[t*heads*dim:])
			cos, sin := table.at(c.In[1].I32[t], scratch[worker])
			for h := range heads {
				d.rotate(table.rope, row[h*dim:(h+1)*dim], cos, sin)
			}
		}
	}
	return func(call *kernels.Call) error {
		c = call
		rows, heads, dim := c.In[0].Shape[0], c.In[0].Shape[1], c.In[0].Shape[2]
		d.pool.run(rows, d.grain(rows, heads*dim), body)
		return nil
	}, nil
}

// perWorker makes a row of n values for each worker.
func perWorker(d *Device, n int) [][]float32 {
	rows := make([][]float32, d.threads)
	for i := range rows {
		rows[i] = make([]float32, n)
	}
	return rows
}
