package ref

import (
	"math"

	"github.com/glmc/glmc/kernels"
)

func normRMS(a kernels.Attrs) (kernels.Func, error) {
	eps, err := a.Float("eps")
	if err != nil {
		return nil, err
	}
	return func(c *kernels.Call) error {
		x, w, out := &c.In[0], &c.In[1], &c.Out[0]
		rmsNorm(out.F32, x.F32[:x.Elems()], w.F32[:w.Elems()], float32(eps))
		return nil
	}, nil
}

// addNormRMS is add, and normRMS of what it gives.
func addNormRMS(a kernels.Attrs) (kernels.Func, error) {
	eps, err := a.Float("eps")
	if err != nil {
		return nil, err
	}
	return func(c *kernels.Call) error {
		x, y, w, n := c.In[0].F32, c.In[1].F32, &c.In[2], c.In[0].Elems()
		sum := c.Out[0].F32[:n]
		for i := range sum {
			sum[i] = x[i] + y[i]
		}
		rmsNorm(c.Out[1].F32, sum, w.F32[:w.Elems()], float32(eps))
		return nil
	}, nil
}

// rmsNorm normalises each row of len(w) values: x / sqrt(mean(x^2) + eps), rounded, times the weight
// (Zhang and Sennrich, arXiv:1910.07467). dst may be x.
func rmsNorm(dst, x, w []float32, eps float32) {
	d := len(w)
	for at := 0; at < len(x); at += d {
		row := x[at : at+d]
		mean := Dot(row, row) / float32(d)
		inv := float32(1 / math.Sqrt(float64(mean+eps)))
		for i, v := range row {
			dst[at+i] = v * inv * w[i]
		}
	}
}
