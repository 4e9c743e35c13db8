package ref

import "github.com/glmc/glmc/kernels"

func experts(a kernels.Attrs) (kernels.Func, error) {
	quant, err := a.QuantisesRows()
	if err != nil {
		return nil, err
	}
	if err := a.CheckActivation(); err != nil {
		return nil, err
	}
	e := &mixture{quant: quant}
	return func(c *kernels.Call) error {
		return e.run(func(dst []float32, t int) {
			c.In[0].LoadRow(dst, t)
			if quant {
				quantise(dst, dst)
			}
		}, c.In[1:], &c.Out[0])
	}, nil
}

// mixture is what the forms of the experts share.
type mixture struct {
	quant    bool      // the rows between the products
	x, inner []float32 // a row [H], and what lies between the products [I]
}

// run computes the experts of every token. load stores token t's row, as it enters the first product; in are ids,
// weights, gate, up and down.
func (m *mixture) run(load func(dst []float32, t int), in []kernels.Tensor, out *kernels.Tensor) error {
	ids, weight := &in[0], &in[1]
	gate, up, down := &in[2], &in[3], &in[4]
	k, hidden, width := ids.Last(), down.Shape[1], down.Shape[2]
	if err := kernels.CheckIDs("expert id", ids.I32[:ids.Elems()], gate.Shape[0]); err != nil {
		return err
	}
	m.x, m.inner = kernels.Resize(m.x, hidden), kernels.Resize(m.inner, width)
	x, inner := m.x, m.inner
	for t := range ids.Shape[0] {
		load(x, t)
		y := out.F32[t*hidden : (t+1)*hidden]
		clear(y)
		for j, e := range ids.I32[t*k : (t+1)*k] {
			at := int(e) * width * hidden
			for i := range inner {
				inner[i] = SiLU(Dot(x, gate.F32[at+i*hidden:])) * Dot(x, up.F32[at+i*hidden:])
			}
			if m.quant {
				quantise(inner, inner)
			}
			for h := range y {
				y[h] += weight.F32[t*k+j] * Dot(inner, down.F32[at+h*width:])
			}
		}
	}
	return nil
}
