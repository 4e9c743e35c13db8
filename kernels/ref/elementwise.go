package ref

import (
	"fmt"
	"math"
	"slices"

	"github.com/glmc/glmc/kernels"
)

// Sigmoid is 1 / (1 + e^-x), evaluated in float64.
func Sigmoid(x float32) float32 { return float32(1 / (1 + math.Exp(-float64(x)))) }

// SiLU is x * sigmoid(x), evaluated in float64.
func SiLU(x float32) float32 { return float32(float64(x) / (1 + math.Exp(-float64(x)))) }

func copied(kernels.Attrs) (kernels.Func, error) {
	return func(c *kernels.Call) error {
		copy(c.Out[0].F32, c.In[0].F32[:c.In[0].Elems()])
		return nil
	}, nil
}

func unary(f func(x float32) float32) kernels.Builder {
	return func(kernels.Attrs) (kernels.Func, error) {
		return func(c *kernels.Call) error {
			for i, v := range c.In[0].F32[:c.In[0].Elems()] {
				c.Out[0].F32[i] = f(v)
			}
			return nil
		}, nil
	}
}

// swiglu is SiLU of the gate, and the product of that with up.
func swiglu(kernels.Attrs) (kernels.Func, error) {
	return func(c *kernels.Call) error {
		for i, v := range c.In[0].F32[:c.In[0].Elems()] {
			c.Out[0].F32[i] = SiLU(v) * c.In[1].F32[i]
		}
		return nil
	}, nil
}

func unaryBy(f func(x, by float32) float32) kernels.Builder {
	return func(a kernels.Attrs) (kernels.Func, error) {
		v, err := a.Float("by")
		if err != nil {
			return nil, err
		}
		by := float32(v)
		return func(c *kernels.Call) error {
			for i, x := range c.In[0].F32[:c.In[0].Elems()] {
				c.Out[0].F32[i] = f(x, by)
			}
			return nil
		}, nil
	}
}

func binary(f func(a, b float32) float32) kernels.Builder {
	return func(kernels.Attrs) (kernels.Func, error) {
		return func(c *kernels.Call) error {
			a, b, out := &c.In[0], &c.In[1], &c.Out[0]
			row, col, err := broadcast(a, b)
			if err != nil {
				return err
			}
			d := a.Last()
			for r := range a.Rows() {
				for i := range d {
					out.F32[r*d+i] = f(a.F32[r*d+i], b.F32[r*row+i*col])
				}
			}
			return nil
		}, nil
	}
}

// broadcast returns the distance in b between neighbouring rows and between neighbouring columns of a.
func broadcast(a, b *kernels.Tensor) (row, col int, err error) {
	switch {
	case slices.Equal(a.Shape, b.Shape):
		return a.Last(), 1, nil
	case len(b.Shape) == len(a.Shape) && b.Last() == 1 && slices.Equal(a.Shape[:len(a.Shape)-1], b.Shape[:len(b.Shape)-1]):
		return 1, 0, nil
	case len(b.Shape) == 1 && b.Last() == a.Last():
		return 0, 1, nil
	}
	return 0, 0, fmt.Errorf("cannot broadcast %v to %v", b.Shape, a.Shape)
}

func reduceSum(kernels.Attrs) (kernels.Func, error) {
	return func(c *kernels.Call) error {
		x, d := &c.In[0], c.In[0].Last()
		for r := range x.Rows() {
			var sum float32
			for _, v := range x.F32[r*d : (r+1)*d] {
				sum += v
			}
			c.Out[0].F32[r] = sum
		}
		return nil
	}, nil
}

func concat(kernels.Attrs) (kernels.Func, error) {
	return func(c *kernels.Call) error {
		a, b, out := &c.In[0], &c.In[1], c.Out[0].F32
		na, nb := a.Last(), b.Last()
		for r := range a.Rows() {
			dst := out[r*(na+nb):]
			copy(dst[:na], a.F32[r*na:])
			copy(dst[na:na+nb], b.F32[r*nb:])
		}
		return nil
	}, nil
}

// softmaxRows is exp(x) / sum(exp(x)) of each row, less its largest value first.
func softmaxRows(kernels.Attrs) (kernels.Func, error) {
	return func(c *kernels.Call) error {
		x, out, d := &c.In[0], c.Out[0].F32, c.In[0].Last()
		copy(out, x.F32[:x.Elems()])
		for r := range x.Rows() {
			Softmax(out[r*d : (r+1)*d])
		}
		return nil
	}, nil
}

func slice(a kernels.Attrs) (kernels.Func, error) {
	from, err := a.Int("from")
	if err != nil {
		return nil, err
	}
	to, err := a.Int("to")
	if err != nil {
		return nil, err
	}
	return func(c *kernels.Call) error {
		x, out, d, n := &c.In[0], c.Out[0].F32, c.In[0].Last(), to-from
		if from < 0 || n < 1 || to > d {
			return fmt.Errorf("values %d to %d are not within rows of %d", from, to-1, d)
		}
		for r := range x.Rows() {
			copy(out[r*n:(r+1)*n], x.F32[r*d+from:])
		}
		return nil
	}, nil
}

func repeatHeads(kernels.Attrs) (kernels.Func, error) {
	return func(c *kernels.Call) error {
		x, out := &c.In[0], &c.Out[0]
		heads, d := out.Shape[1], out.Shape[2]
		for t := range out.Shape[0] {
			for h := range heads {
				copy(out.F32[(t*heads+h)*d:][:d], x.F32[t*d:])
			}
		}
		return nil
	}, nil
}
