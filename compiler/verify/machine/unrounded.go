package machine

import (
	"strings"

	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/ref"
)

// unrounded is the kernel of an operator that quantises rows, or takes quantised ones, as it is without rounding:
// codes are the values themselves, in f32, and all scales are 1. It returns nil for operators that know no codes.
func unrounded(op string) kernels.Builder {
	switch base, quantises := strings.CutSuffix(op, "_quant"); {
	case op == "quant.rows":
		return func(kernels.Attrs) (kernels.Func, error) {
			return func(c *kernels.Call) error {
				codesOf(c, c.In[0].F32)
				return nil
			}, nil
		}
	case op == "moe.experts_w8a8":
		return func(a kernels.Attrs) (kernels.Func, error) {
			f, err := ref.Kernels()["moe.experts"](a)
			if err != nil {
				return nil, err
			}
			return func(c *kernels.Call) error {
				in := append([]kernels.Tensor{c.In[0]}, c.In[2:]...)
				return f(&kernels.Call{In: in, Out: c.Out})
			}, nil
		}
	case quantises:
		return func(a kernels.Attrs) (kernels.Func, error) {
			f, err := ref.Kernels()[base](a)
			if err != nil {
				return nil, err
			}
			return func(c *kernels.Call) error {
				out := c.Out[: len(c.Out)-2 : len(c.Out)-2]
				if a["plain"] == nil {
					out = append(out, c.Out[len(c.Out)-2])
				}
				if err := f(&kernels.Call{In: c.In, Out: out, Cache: c.Cache, Comm: c.Comm}); err != nil {
					return err
				}
				codesOf(c, out[len(out)-1].F32)
				return nil
			}, nil
		}
	}
	return nil
}

// codesOf stores rows as the codes and scales that are a call's last results.
func codesOf(c *kernels.Call, rows []float32) {
	n := len(c.Out)
	copy(c.Out[n-2].F32, rows)
	for i := range c.Out[n-1].F32 {
		c.Out[n-1].F32[i] = 1
	}
}
