package cpu

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/kernels/kerneltest"
)

// panelDTypes are the formats that panels hold.
var panelDTypes = []dtype.DType{dtype.BF16, dtype.F8E4M3, dtype.I8, dtype.I4}

// fastDevice multiplies int8 rows.
func fastDevice(t interface {
	Cleanup(func())
	Fatal(...any)
}, threads int) *Device {
	d := device(t, threads)
	d.fast = d.panels != nil
	return d
}

// inPanels is the device's kernel set for callers that have row-major weights: those that are multiplied are brought into
// panels first, where the device wants them so.
func inPanels(d *Device) kernels.Set {
	set := d.Kernels()
	for _, name := range []string{"linear", "linear.f32", "linear.split", "linear.w8a8", "linear.split_w8a8", "moe.experts", "moe.experts_w8a8"} {
		build := set[name]
		set[name] = func(a kernels.Attrs) (kernels.Func, error) {
			f, err := build(a)
			return func(c *kernels.Call) error {
				packed := *c
				packed.In = slices.Clone(c.In)
				for i := range packed.In {
					if w := &packed.In[i]; len(w.Shape) > 1 && i > 0 && d.Panels(w.DType) && (w.DType != dtype.F32 || !strings.HasSuffix(name, "w8a8") && name != "moe.experts") && (len(w.Shape) == 3 || i < 3) {
						*w = w.InPanels()
					}
				}
				return f(&packed)
			}, err
		}
	}
	return set
}

// bf16Products is the sum of the products of a row of activations, rounded to bfloat16, with a row of weights, and the sum
// of their absolute values.
func bf16Products(x, w []float32) (sum, scale float64) {
	for i, v := range x {
		p := float64(dtype.RoundBF16(v)) * float64(w[i])
		sum, scale = sum+p, scale+math.Abs(p)
	}
	return sum, scale
}

// evenFor is k, or the next even number: rows of I4 are whole bytes.
func evenFor(format dtype.DType, k int) int {
	if format == dtype.I4 {
		return k + k%2
	}
	return k
}

// drawRows draws a number of rows around the borders of kernels, tiles and blocks.
func drawRows(t *rapid.T, k int) int {
	block := panelRowBlock(k)
	return rapid.OneOf(rapid.IntRange(1, 30), rapid.SampledFrom([]int{block - 1, block, block + 13})).Draw(t, "rows")
}

// Error bound of a product in panels: each of the K float32 additions of the chain rounds by 2^-24 of a partial sum, which
// is at most the sum of the absolute products; 2^-22 beside it covers scale and bias.
func TestPanelsAgainstFloat64(t *testing.T) {
	d := device(t, 2)
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 100).Draw(t, "n")
		k := rapid.OneOf(rapid.IntRange(1, 9), rapid.IntRange(1, 300), rapid.IntRange(500, 1100)).Draw(t, "k")
		rows := drawRows(t, k)
		if rows > 30 {
			n = min(n, 40)
		}
		r := kerneltest.NewRand(rapid.Uint64().Draw(t, "seed"))
		for _, format := range panelDTypes {
			if !d.Panels(format) {
				continue
			}
			k := evenFor(format, k)
			x, w, bias := r.F32(rows, k), r.Weights(format, n, k), r.F32(n)
			wide := kerneltest.Dequantise(w)
			got := run(t, inPanels(d), "linear", nil, []int{rows, n}, x, w, bias)
			for i, v := range got.F32 {
				row, col := i/n, i%n
				want, scale := bf16Products(x.F32[row*k:(row+1)*k], wide.F32[col*k:(col+1)*k])
				want += float64(bias.F32[col])
				bound := scale*(float64(k)*math.Ldexp(1, -24)+math.Ldexp(1, -21)) + math.Abs(want)*math.Ldexp(1, -22)
				if !(math.Abs(float64(v)-want) <= bound) {
					t.Fatalf("%v [%d, %d] is %g, want %g", format, row, col, v, want)
				}
			}
		}
	})
}

// Every number of rows, of threads and of panels side by side gives the same bits.
func TestPanelRowsAreIndependent(t *testing.T) {
	rowsAreIndependent(t, device(t, 1), device(t, 3))
}

func TestFastRowsAreIndependent(t *testing.T) {
	rowsAreIndependent(t, fastDevice(t, 1), fastDevice(t, 3))
}

func rowsAreIndependent(t *testing.T, one, three *Device) {
	r := kerneltest.NewRand(1)
	for _, format := range append(panelDTypes, dtype.F32) {
		for _, act := range []string{"", "fp8_e4m3"} {
			const k, n = 1100, 333
			rows := panelRowBlock(k) + 30
			attrs := kernels.Attrs{"act": act}
			x, w, bias := r.F32(rows, k), r.Weights(format, n, k), r.F32(n)
			want := run(t, inPanels(one), "linear", attrs, []int{rows, n}, x, w, bias)
			sameBits(t, "three threads", run(t, inPanels(three), "linear", attrs, []int{rows, n}, x, w, bias), want)
			for first, count := 0, 1; first+count <= rows; first, count = first+count, count+1 {
				some := kernels.FromF32(x.F32[first*k:(first+count)*k], count, k)
				got := run(t, inPanels(three), "linear", attrs, []int{count, n}, some, w, bias)
				sameBits(t, fmt.Sprintf("%v: %d rows from %d on", format, count, first), got, kernels.FromF32(want.F32[first*n:(first+count)*n]))
			}
		}
	}
}

// Products in F32 are chains of fused multiplications and additions: the same bits for any number of rows, and near the exact
// ones.
func TestPanelsOfF32(t *testing.T) {
	d, three := device(t, 1), device(t, 3)
	rapid.Check(t, func(t *rapid.T) {
		n, k := rapid.IntRange(1, 70).Draw(t, "n"), rapid.OneOf(rapid.IntRange(1, 9), rapid.IntRange(500, 1100)).Draw(t, "k")
		rows := drawRows(t, k)
		r := kerneltest.NewRand(rapid.Uint64().Draw(t, "seed"))
		x, w := r.F32(rows, k), r.F32(n, k)
		got := run(t, inPanels(three), "linear.f32", nil, []int{rows, n}, x, w)
		for i, v := range got.F32 {
			var want, scale float64
			for j, a := range x.F32[i/n*k : (i/n+1)*k] {
				p := float64(a) * float64(w.F32[i%n*k+j])
				want, scale = want+p, scale+math.Abs(p)
			}
			if bound := scale * float64(k) * math.Ldexp(1, -24); !(math.Abs(float64(v)-want) <= bound) {
				t.Fatalf("[%d, %d] is %g, want %g", i/n, i%n, v, want)
			}
		}
		last := rows - 1
		sameBits(t, "the last row alone", run(t, inPanels(d), "linear.f32", nil, []int{1, n}, row(x, last), w), row(got, last))
	})
}

// The results of linear.split are columns of linear's, wherever panels are cut.
func TestPanelsSplit(t *testing.T) { splitsAreColumns(t, device(t, 2)) }

func TestFastSplit(t *testing.T) { splitsAreColumns(t, fastDevice(t, 2)) }

func splitsAreColumns(t *testing.T, d *Device) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawLinear(t)
		c.n = rapid.IntRange(1, 150).Draw(t, "wide")
		r := kerneltest.NewRand(rapid.Uint64().Draw(t, "seed2"))
		c.w, c.bias = r.Weights(c.w.DType, c.n, c.x.Last()), r.F32(c.n)
		sizes := drawSizes(t, c.n)
		out := make([]kernels.Tensor, len(sizes))
		for i, n := range sizes {
			out[i] = kernels.New(dtype.F32, c.rows, n)
		}
		set := inPanels(d)
		kerneltest.Run(t, set, "linear.split", c.attrs, &kernels.Call{In: []kernels.Tensor{c.x, c.w, c.bias}, Out: out})
		whole, from := c.run(t, set), 0
		for i, n := range sizes {
			a := kernels.Attrs{"from": int64(from), "to": int64(from + n)}
			sameBits(t, fmt.Sprint("columns of result ", i), out[i], run(t, d.Kernels(), "slice", a, out[i].Shape, whole))
			from += n
		}
	})
}

// Experts in panels are linear layers in panels, added in the order of the experts' numbers.
func TestPanelExpertsAreLinearLayers(t *testing.T) { expertsAreLinearLayers(t, device(t, 2)) }

func TestFastExpertsAreLinearLayers(t *testing.T) { expertsAreLinearLayers(t, fastDevice(t, 2)) }

func expertsAreLinearLayers(t *testing.T, d *Device) {
	if d.panels == nil {
		return // the tier multiplies rows, which other tests do
	}
	set := inPanels(d)
	rapid.Check(t, func(t *rapid.T) {
		c := drawExperts(t)
		if format := rapid.SampledFrom(append(panelDTypes, dtype.F32)).Draw(t, "panels"); format != dtype.F32 &&
			evenFor(format, c.in[3].Last()) == c.in[3].Last() && evenFor(format, c.in[5].Last()) == c.in[5].Last() {
			r := kerneltest.NewRand(rapid.Uint64().Draw(t, "seed2"))
			for i := 3; i < 6; i++ {
				c.in[i] = r.Weights(format, c.in[i].Shape...)
			}
		}
		got := c.run(t, set)
		x, ids, weight, gate, up, down := c.in[0], c.in[1], c.in[2], c.in[3], c.in[4], c.in[5]
		if !slices.Contains(panelDTypes, gate.DType) {
			return
		}
		want, scale := kernels.New(dtype.F32, c.t, c.h), kernels.New(dtype.F32, c.t, c.h)
		width := gate.Shape[1]
		a := kernels.Attrs{"act": c.attrs["act"]}
		for r := range c.t {
			for e := range gate.Shape[0] {
				for j := range c.k {
					if int(ids.I32[r*c.k+j]) != e {
						continue
					}
					g := run(t, set, "linear", a, []int{1, width}, row(x, r), expert(gate, e))
					u := run(t, set, "linear", a, []int{1, width}, row(x, r), expert(up, e))
					inner := run(t, set, "act.swiglu", nil, []int{1, width}, g, u)
					y := run(t, set, "linear", a, []int{1, c.h}, inner, expert(down, e))
					for i, v := range y.F32 {
						p := weight.F32[r*c.k+j] * v
						want.F32[r*c.h+i] += p
						scale.F32[r*c.h+i] += float32(math.Abs(float64(p)))
					}
				}
			}
		}
		if c.attrs["act"] == "" {
			sameBits(t, "experts", got, want)
			return
		}
		// Quantised inner rows have a scale that meets the weight of the slot first: one rounding elsewhere.
		for i, v := range got.F32 {
			if diff := math.Abs(float64(v - want.F32[i])); diff > 1e-5*float64(scale.F32[i]) {
				t.Fatalf("value %d is %g, want %g", i, v, want.F32[i])
			}
		}
	})
}

func TestPanelExpertsRowsAreIndependent(t *testing.T) {
	expertsRowsAreIndependent(t, device(t, 1), device(t, 3))
}

func TestFastExpertsRowsAreIndependent(t *testing.T) {
	expertsRowsAreIndependent(t, fastDevice(t, 1), fastDevice(t, 3))
}

func expertsRowsAreIndependent(t *testing.T, one, three *Device) {
	for _, format := range panelDTypes {
		c := newExpertsCase(kerneltest.NewRand(2), format, "", 43, 96, 80, 7, 3)
		want := c.run(t, inPanels(one))
		sameBits(t, "three threads", c.run(t, inPanels(three)), want)
		for r := range c.t {
			alone := c
			alone.t = 1
			alone.in = append([]kernels.Tensor{row(c.in[0], r), kernels.FromI32(c.in[1].I32[r*c.k:(r+1)*c.k], 1, c.k), row(c.in[2], r)}, c.in[3:]...)
			sameBits(t, fmt.Sprint("row ", r), alone.run(t, inPanels(three)), row(want, r))
		}
	}
}

// All codes of e4m3, NaN included, decode to their values in every kernel.
func TestPanelsKnowEveryCode(t *testing.T) {
	d := device(t, 1)
	const k = 256
	w := kernels.New(dtype.F8E4M3, 1, k)
	for i := range w.U8 {
		w.U8[i] = byte(i)
	}
	for _, rows := range []int{1, 2, 8, 9, 30} {
		for i := range k {
			x := kernels.New(dtype.F32, rows, k)
			for r := range rows {
				x.F32[r*k+i] = 1
			}
			w.U8[i], w.U8[0x7f], w.U8[0xff] = byte(i), 0, 0
			want := dtype.F8E4M3ToF32(byte(i))
			if want != want {
				w.U8[i] = byte(i)
			}
			for _, v := range run(t, inPanels(d), "linear", nil, []int{rows, 1}, x, w).F32 {
				if v != want && want == want || want != want && v == v {
					t.Fatalf("code %#x in %d rows is %g, want %g", i, rows, v, want)
				}
			}
		}
	}
}

// By definition, a fast product is one with rows whose groups are rounded to 127 steps of the largest absolute value up
// and down, and with e4m3 weights rounded likewise over the whole format: exact sums of those, but for a rounding of
// each group's.
func TestFastAgainstFloat64(t *testing.T) {
	d := fastDevice(t, 2)
	if !d.fast {
		return // the tier has no int8 products
	}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 70).Draw(t, "n")
		k := rapid.OneOf(rapid.IntRange(1, 9), rapid.IntRange(1, 300), rapid.IntRange(500, 1100)).Draw(t, "k")
		rows := rapid.IntRange(1, 30).Draw(t, "rows")
		r := kerneltest.NewRand(rapid.Uint64().Draw(t, "seed"))
		for _, format := range panelDTypes[1:] {
			k := evenFor(format, k)
			x, w, bias := r.F32(rows, k), r.Weights(format, n, k), r.F32(n)
			got := run(t, inPanels(d), "linear", nil, []int{rows, n}, x, w, bias)
			f := d.panels.formats[format].bytes
			rounded := roundedInGroups(x, f.group)
			wide := kerneltest.Dequantise(w)
			if format == dtype.F8E4M3 {
				for i, code := range w.U8 {
					v := math.RoundToEven(float64(dtype.F8E4M3ToF32(code)) * 127 / 448)
					wide.F32[i] = float32(v * 448 / 127 * float64(w.Scale[i/k]))
				}
			}
			for i, v := range got.F32 {
				row, col := i/n, i%n
				want, scale := float64(bias.F32[col]), math.Abs(float64(bias.F32[col]))
				for j := range k {
					p := float64(rounded.F32[row*k+j]) * float64(wide.F32[col*k+j])
					want, scale = want+p, scale+math.Abs(p)
				}
				if bound := scale * math.Ldexp(1, -20); !(math.Abs(float64(v)-want) <= bound) {
					t.Fatalf("%v [%d, %d] is %g, want %g", format, row, col, v, want)
				}
			}
		}
	})
}

// roundedInGroups rounds groups of a row to 127 steps up and down.
func roundedInGroups(x kernels.Tensor, group int) kernels.Tensor {
	out := kernels.New(dtype.F32, x.Shape...)
	k := x.Last()
	for r := range x.Rows() {
		for g := r * k; g < (r+1)*k; g += group {
			part := x.F32[g:min(g+group, (r+1)*k)]
			var most float32
			for _, v := range part {
				most = max(most, float32(math.Abs(float64(v))))
			}
			for i, v := range part {
				if most > 0 {
					out.F32[g+i] = float32(math.RoundToEven(float64(v*(127/most)))) * most / 127
				}
			}
		}
	}
	return out
}

// A value that is not finite reaches its row, and no other one.
func TestFastDamagedValues(t *testing.T) {
	d := fastDevice(t, 2)
	r := kerneltest.NewRand(1)
	for _, format := range panelDTypes {
		for _, bad := range []float32{nan, inf, -inf} {
			x, w := r.F32(15, 300), r.Weights(format, 40, 300)
			clean := run(t, inPanels(d), "linear", nil, []int{15, 40}, x, w)
			x.F32[3*300+170] = bad
			got := run(t, inPanels(d), "linear", nil, []int{15, 40}, x, w)
			for i, v := range got.F32 {
				if i/40 == 3 && v-v == 0 || i/40 != 3 && v != clean.F32[i] {
					t.Fatalf("%v, %g: value [%d, %d] is %g", format, bad, i/40, i%40, v)
				}
			}
		}
	}
}

// A NaN among e4m3 weights reaches every result of its channel, and no other one, in both precisions.
func TestNaNAmongWeights(t *testing.T) {
	for _, d := range []*Device{device(t, 2), fastDevice(t, 2)} {
		for _, rows := range []int{1, 5, 30} {
			r := kerneltest.NewRand(1)
			x, w := r.F32(rows, 300), r.Weights(dtype.F8E4M3, 40, 300)
			clean := run(t, inPanels(d), "linear", nil, []int{rows, 40}, x, w)
			w.U8[33*300+170] = 0xff
			for i, v := range run(t, inPanels(d), "linear", nil, []int{rows, 40}, x, w).F32 {
				if damaged := i%40 == 33; damaged && v == v || !damaged && v != clean.F32[i] {
					t.Fatalf("fast %v, %d rows: value [%d, %d] is %g, without the NaN %g", d.fast, rows, i/40, i%40, v, clean.F32[i])
				}
			}
		}
	}
}

// -128 is a code that symmetric quantisation does not make and other tools do.
func TestPanelsKnowEveryInteger(t *testing.T) {
	for _, d := range []*Device{device(t, 1), fastDevice(t, 1)} {
		w := kernels.New(dtype.I8, 256, 1)
		for i := range w.U8 {
			w.U8[i] = byte(i)
		}
		for _, rows := range []int{1, 3, 8, 20} {
			x := kernels.New(dtype.F32, rows, 1)
			for i := range x.F32 {
				x.F32[i] = 2
			}
			for i, v := range run(t, inPanels(d), "linear", nil, []int{rows, 256}, x, w).F32 {
				if want := 2 * float32(int8(i%256)); math.Abs(float64(v-want)) > 1e-4 {
					t.Fatalf("%d rows: code %#x is %g, want %g", rows, i%256, v, want)
				}
			}
		}
	}
}
