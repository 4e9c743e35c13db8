package cpu

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/kernels/kerneltest"
	"github.com/glmc/glmc/kernels/ref"
)

// expertsCase is a random call of moe.experts.
type expertsCase struct {
	in    []kernels.Tensor // x, ids, weight, gate, up, down
	attrs kernels.Attrs
	t, h  int
	k     int
}

func newExpertsCase(r kerneltest.Rand, format dtype.DType, act string, tokens, h, i, e, k int) expertsCase {
	return expertsCase{
		in: []kernels.Tensor{r.F32(tokens, h), r.Distinct(e, tokens, k), r.F32(tokens, k),
			r.Weights(format, e, i, h), r.Weights(format, e, i, h), r.Weights(format, e, h, i)},
		attrs: kernels.Attrs{"activation": "silu", "act": act},
		t:     tokens, h: h, k: k,
	}
}

func drawExperts(t *rapid.T) expertsCase {
	e := rapid.IntRange(1, 9).Draw(t, "E")
	format := rapid.SampledFrom(weightFormats).Draw(t, "format")
	return newExpertsCase(
		kerneltest.NewRand(rapid.Uint64().Draw(t, "seed")), format,
		rapid.SampledFrom([]string{"", "fp8_e4m3"}).Draw(t, "act"),
		rapid.IntRange(0, 12).Draw(t, "T"), wholeBytes(format, rapid.IntRange(1, 150).Draw(t, "H")), wholeBytes(format, rapid.IntRange(1, 40).Draw(t, "I")),
		e, rapid.IntRange(0, e).Draw(t, "k"))
}

func (c expertsCase) run(t kerneltest.TB, set kernels.Set) kernels.Tensor {
	return run(t, set, "moe.experts", c.attrs, []int{c.t, c.h}, c.in...)
}

// expert takes one expert out of stacked weights.
func expert(w kernels.Tensor, e int) kernels.Tensor {
	out := rowsOf(w, e, 1)
	out.Shape = w.Shape[1:]
	return out
}

// By definition, each slot is three linear layers, and the slots are added in order. Linear is held against the
// reference elsewhere; here every bit has to be equal, in every format.
func TestExpertsAreLinearLayers(t *testing.T) {
	d := device(t, 2)
	set := d.Kernels()
	rapid.Check(t, func(t *rapid.T) {
		c := drawExperts(t)
		got := c.run(t, set)
		x, ids, weight, gate, up, down := c.in[0], c.in[1], c.in[2], c.in[3], c.in[4], c.in[5]
		want := kernels.New(dtype.F32, c.t, c.h)
		width := gate.Shape[1]
		a := kernels.Attrs{"act": c.attrs["act"]}
		for r := range c.t {
			for j := range c.k {
				e := int(ids.I32[r*c.k+j])
				g := run(t, set, "act.silu", nil, []int{1, width}, run(t, set, "linear", a, []int{1, width}, row(x, r), expert(gate, e)))
				inner := run(t, set, "mul", nil, []int{1, width}, g, run(t, set, "linear", a, []int{1, width}, row(x, r), expert(up, e)))
				y := run(t, set, "linear", a, []int{1, c.h}, inner, expert(down, e))
				for i, v := range y.F32 {
					want.F32[r*c.h+i] += weight.F32[r*c.k+j] * v
				}
			}
		}
		sameBits(t, "experts", got, want)
	})
}

// Error bound for F32 weights: 1e-5 of the sums of absolute products, carried through both layers.
func TestExpertsAgainstRef(t *testing.T) {
	d := device(t, 2)
	rapid.Check(t, func(t *rapid.T) {
		c := drawExperts(t)
		for i := range c.in {
			c.in[i] = kerneltest.Dequantise(c.in[i])
		}
		c.attrs["act"] = "" // a quantised inner value may fall to the other side of a rounding border
		got, want := c.run(t, d.Kernels()), c.run(t, ref.Kernels())
		gate, up, down := c.in[3], c.in[4], c.in[5]
		width := gate.Shape[1]
		for r := range c.t {
			for h := range c.h {
				var bound float64
				for j := range c.k {
					e := int(c.in[1].I32[r*c.k+j])
					var sum float64
					for i := range width {
						var g, u float64
						for n := range c.h {
							x := math.Abs(float64(c.in[0].F32[r*c.h+n]))
							g += x * math.Abs(float64(gate.F32[(e*width+i)*c.h+n]))
							u += x * math.Abs(float64(up.F32[(e*width+i)*c.h+n]))
						}
						sum += g * u * math.Abs(float64(down.F32[(e*c.h+h)*width+i]))
					}
					bound += 1e-5 * sum * math.Abs(float64(c.in[2].F32[r*c.k+j]))
				}
				at := r*c.h + h
				if diff := math.Abs(float64(got.F32[at] - want.F32[at])); diff > bound {
					t.Fatalf("row %d, value %d: %g, want %g: off by %g > %g", r, h, got.F32[at], want.F32[at], diff, bound)
				}
			}
		}
	})
}

// Tokens alone, and other numbers of threads, give the same bits; the shape makes many chunks.
func TestExpertsRowsAreIndependent(t *testing.T) {
	one, three := device(t, 1), device(t, 3)
	for _, format := range weightFormats {
		t.Run(format.String(), func(t *testing.T) {
			c := newExpertsCase(kerneltest.NewRand(2), format, "", 23, 96, 80, 7, 3)
			want := c.run(t, one.Kernels())
			sameBits(t, "three threads", c.run(t, three.Kernels()), want)
			for r := range c.t {
				alone := c
				alone.t = 1
				alone.in = append([]kernels.Tensor{row(c.in[0], r), kernels.FromI32(c.in[1].I32[r*c.k:(r+1)*c.k], 1, c.k), row(c.in[2], r)}, c.in[3:]...)
				sameBits(t, fmt.Sprint("row ", r), alone.run(t, three.Kernels()), row(want, r))
			}
		})
	}
}

// More tokens than fit into one block give what one block gives.
func TestExpertsInBlocks(t *testing.T) {
	d := device(t, 2)
	c := newExpertsCase(kerneltest.NewRand(4), dtype.BF16, "fp8_e4m3", 23, 12, 10, 5, 2)
	want := c.run(t, d.Kernels())
	for _, d.maxInner = range []int{1, 10 * 2, 10 * 2 * 7, 10 * 2 * 23} {
		sameBits(t, fmt.Sprint("blocks of ", d.maxInner), c.run(t, d.Kernels()), want)
	}
}

// One expert may stand in several slots of a token: each slot counts.
func TestExpertTwiceInOneToken(t *testing.T) {
	c := newExpertsCase(kerneltest.NewRand(6), dtype.BF16, "", 2, 8, 8, 3, 2)
	copy(c.in[1].I32, []int32{1, 1, 2, 0})
	copy(c.in[2].F32, []float32{0.5, 0.25, 1, 1})
	got := c.run(t, device(t, 2).Kernels())
	single := c
	single.k = 1
	single.in = append([]kernels.Tensor{c.in[0], kernels.FromI32([]int32{1, 2}, 2, 1), kernels.FromF32([]float32{0.75, 0}, 2, 1)}, c.in[3:]...)
	want := single.run(t, device(t, 1).Kernels())
	for i := range c.h {
		if d := math.Abs(float64(got.F32[i] - want.F32[i])); d > 1e-5*math.Abs(float64(want.F32[i])) {
			t.Errorf("value %d is %g, want %g", i, got.F32[i], want.F32[i])
		}
	}
}
