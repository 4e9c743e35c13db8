package ref

import "github.com/glmc/glmc/kernels"

func allReduce(kernels.Attrs) (kernels.Func, error) {
	return func(c *kernels.Call) error {
		_, err := Reduced(c)
		return err
	}, nil
}

// Reduced stores the sum over ranks of the call's first operand in its first result, and returns that.
func Reduced(c *kernels.Call) ([]float32, error) {
	out := c.Out[0].F32[:c.In[0].Elems()]
	copy(out, c.In[0].F32)
	if c.Comm == nil {
		return out, nil
	}
	return out, c.Comm.AllReduce(out)
}

// allReduceAddRMS is allReduce, and addNormRMS of the residual and what it gives.
func allReduceAddRMS(a kernels.Attrs) (kernels.Func, error) {
	eps, err := a.Float("eps")
	if err != nil {
		return nil, err
	}
	return func(c *kernels.Call) error {
		sum, err := Reduced(c)
		if err != nil {
			return err
		}
		for i, v := range c.In[1].F32[:len(sum)] {
			sum[i] = v + sum[i]
		}
		w := &c.In[2]
		rmsNorm(c.Out[1].F32, sum, w.F32[:w.Elems()], float32(eps))
		return nil
	}, nil
}

func allGather(kernels.Attrs) (kernels.Func, error) {
	return func(c *kernels.Call) error {
		x := &c.In[0]
		if c.Comm == nil {
			copy(c.Out[0].F32, x.F32[:x.Elems()])
			return nil
		}
		return c.Comm.AllGather(c.Out[0].F32, x.F32[:x.Elems()], x.Rows(), x.Last())
	}, nil
}
