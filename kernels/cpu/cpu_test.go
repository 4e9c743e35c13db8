package cpu

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/kernels/kerneltest"
	"github.com/glmc/glmc/kernels/ref"
)

var (
	dotFormats    = []dtype.DType{dtype.F32, dtype.BF16, dtype.F16, dtype.F8E4M3} // that tables of inner kernels know
	weightFormats = []dtype.DType{dtype.F32, dtype.BF16, dtype.F16, dtype.F8E4M3, dtype.I8, dtype.I4}
	cacheFormats  = []dtype.DType{dtype.F32, dtype.F16, dtype.BF16, dtype.F8E4M3}
	nan, inf      = float32(math.NaN()), float32(math.Inf(1))
)

// device returns a device that is closed at the end of the test.
func device(t interface {
	Cleanup(func())
	Fatal(...any)
}, threads int) *Device {
	d, err := New(threads)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

// run runs an operator with one result of that shape.
func run(t kerneltest.TB, set kernels.Set, name string, a kernels.Attrs, shape []int, in ...kernels.Tensor) kernels.Tensor {
	t.Helper()
	out := kernels.New(dtype.F32, shape...)
	kerneltest.Run(t, set, name, a, &kernels.Call{In: in, Out: []kernels.Tensor{out}})
	return out
}

// sameBits compares results that have to be equal, NaN with NaN.
func sameBits(t kerneltest.TB, what string, got, want kernels.Tensor) {
	t.Helper()
	same := func(a, b float32) bool { return a == b || a != a && b != b }
	if !slices.EqualFunc(got.F32, want.F32, same) {
		t.Fatalf("%s (-want +got)\n%s", what, cmp.Diff(want.F32, got.F32, cmpopts.EquateNaNs()))
	}
}

// absolute returns |t|.
func absolute(t kernels.Tensor) kernels.Tensor {
	if !t.Present() {
		return t
	}
	out := kernels.New(dtype.F32, t.Shape...)
	for i, v := range t.F32 {
		out.F32[i] = float32(math.Abs(float64(v)))
	}
	return out
}

// row returns row i of a matrix, as a matrix of one row.
func row(t kernels.Tensor, i int) kernels.Tensor {
	d := t.Last()
	return kernels.FromF32(t.F32[i*d:(i+1)*d], 1, d)
}

func TestEveryOperatorIsThere(t *testing.T) {
	got := device(t, 1).Kernels()
	for name := range ref.Kernels() {
		if got[name] == nil {
			t.Errorf("no %s", name)
		}
	}
}

func TestThreads(t *testing.T) {
	if n := device(t, 3).Threads(); n != 3 {
		t.Errorf("%d threads, want 3", n)
	}
	if n := device(t, 0).Threads(); n < 1 {
		t.Errorf("%d threads by default", n)
	}
}

// linearCase is a random call of linear.
type linearCase struct {
	x, w, bias kernels.Tensor
	attrs      kernels.Attrs
	rows, n    int
}

// wholeBytes is a number of values, n or one more, that fills whole bytes, as rows of weights do.
func wholeBytes(d dtype.DType, n int) int {
	if d == dtype.I4 {
		return n + n%2
	}
	return n
}

func drawLinear(t *rapid.T) linearCase {
	c := linearCase{rows: rapid.IntRange(0, 9).Draw(t, "rows"), n: rapid.IntRange(1, 40).Draw(t, "n")}
	k := rapid.OneOf(rapid.IntRange(1, 9), rapid.IntRange(1, 300)).Draw(t, "k")
	r := kerneltest.NewRand(rapid.Uint64().Draw(t, "seed"))
	format := rapid.SampledFrom(weightFormats).Draw(t, "format")
	k = wholeBytes(format, k)
	c.x, c.w = r.F32(c.rows, k), r.Weights(format, c.n, k)
	if rapid.Bool().Draw(t, "biased") {
		c.bias = r.Weights(rapid.SampledFrom(weightFormats[:3]).Draw(t, "bias format"), c.n)
	}
	c.attrs = kernels.Attrs{"act": rapid.SampledFrom([]string{"", "fp8_e4m3"}).Draw(t, "act")}
	return c
}

func (c linearCase) run(t kerneltest.TB, set kernels.Set) kernels.Tensor {
	return run(t, set, "linear", c.attrs, []int{c.rows, c.n}, c.x, c.w, c.bias)
}

// roundsInputs reports whether products with such weights round their inputs to bfloat16.
func roundsInputs(w kernels.Tensor) bool { return w.DType == dtype.BF16 || w.DType == dtype.F8E4M3 }

// Against the reference with the same inputs, rounded where the weights' format asks for it, and the weights
// widened. Error bound: 1e-5 of the sum of the absolute products, which is what reordering a float32 sum of 300
// can do.
func TestLinearAgainstRef(t *testing.T) {
	d := device(t, 2)
	rapid.Check(t, func(t *rapid.T) {
		c := drawLinear(t)
		got := c.run(t, d.Kernels())

		wide := c
		wide.w, wide.bias = kerneltest.Dequantise(c.w), kerneltest.Dequantise(c.bias)
		if c.attrs["act"] == "" && roundsInputs(c.w) {
			wide.x = kerneltest.RoundBF16(c.x)
		}
		want := wide.run(t, ref.Kernels())
		wide.x, wide.w, wide.bias = absolute(wide.x), absolute(wide.w), absolute(wide.bias)
		scale := wide.run(t, ref.Kernels())
		for i := range want.F32 {
			if diff := math.Abs(float64(got.F32[i]) - float64(want.F32[i])); diff > 1e-5*float64(scale.F32[i]) {
				t.Fatalf("value %d is %g, want %g: off by %g of %g", i, got.F32[i], want.F32[i], diff, scale.F32[i])
			}
		}
	})
}

// A bias does not outlive its call.
func TestLinearForgetsTheBias(t *testing.T) {
	f := kerneltest.Build(t, device(t, 1).Kernels(), "linear", nil)
	x, w := kernels.FromF32([]float32{2}, 1, 1), kernels.FromF32([]float32{3}, 1, 1)
	for _, tc := range []struct {
		bias kernels.Tensor
		want float32
	}{{kernels.FromF32([]float32{10}, 1), 16}, {kernels.Tensor{}, 6}} {
		out := kernels.New(dtype.F32, 1, 1)
		if err := f(&kernels.Call{In: []kernels.Tensor{x, w, tc.bias}, Out: []kernels.Tensor{out}}); err != nil {
			t.Fatal(err)
		}
		if out.F32[0] != tc.want {
			t.Errorf("got %g, want %g", out.F32[0], tc.want)
		}
	}
}

// Each row alone gives the bits that it has among others, on any number of threads. The shape is large enough
// for several chunks and several blocks of rows.
func TestLinearRowsAreIndependent(t *testing.T) {
	one, three := device(t, 1), device(t, 3)
	for _, format := range weightFormats {
		for _, act := range []string{"", "fp8_e4m3"} {
			t.Run(fmt.Sprint(format, act), func(t *testing.T) {
				r := kerneltest.NewRand(1)
				const k, n = 18001, 37
				rows := rowBlock(k) + 3
				attrs := kernels.Attrs{"act": act}
				x, w, bias := r.F32(rows, k), r.Weights(format, n, k), r.F32(n)
				want := run(t, one.Kernels(), "linear", attrs, []int{rows, n}, x, w, bias)
				sameBits(t, "three threads", run(t, three.Kernels(), "linear", attrs, []int{rows, n}, x, w, bias), want)
				for i := range rows {
					alone := run(t, three.Kernels(), "linear", attrs, []int{1, n}, row(x, i), w, bias)
					sameBits(t, fmt.Sprint("row ", i), alone, row(want, i))
				}
			})
		}
	}
}

// The property that lets multiplier widen a row or not: both ways give the same bits.
func TestInnerKernelsAgree(t *testing.T) {
	for name, table := range dotTables() {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				r := kerneltest.NewRand(rapid.Uint64().Draw(t, "seed"))
				k, rows := rapid.IntRange(0, 200).Draw(t, "k"), rapid.IntRange(1, tileRows).Draw(t, "rows")
				x := kerneltest.RoundBF16(r.F32(rows, k))
				tile := make([][]float32, rows)
				for i := range tile {
					tile[i] = row(x, i).F32
				}
				for _, format := range []dtype.DType{dtype.BF16, dtype.F8E4M3} {
					w := r.Weights(format, k)
					wide := make([]float32, k)
					w.Load(wide, 0)
					direct, widened, alone := make([]float32, rows), make([]float32, rows), make([]float32, rows)
					if format == dtype.BF16 {
						table.bf16(direct, w.U16, tile)
					} else {
						table.f8(direct, w.U8, tile)
					}
					table.f32(widened, wide, tile)
					for i := range tile {
						table.f32(alone[i:i+1], wide, tile[i:i+1])
					}
					if !slices.Equal(direct, widened) || !slices.Equal(widened, alone) {
						t.Fatalf("%v: direct %v, widened %v, row by row %v", format, direct, widened, alone)
					}
				}
			})
		})
	}
}

// dotTables lists the tables that this processor can run.
func dotTables() map[string]*dots {
	tables := map[string]*dots{}
	for _, t := range tiers() {
		if t.runs {
			tables[t.dots.name] = t.dots
		}
	}
	return tables
}

func TestAxpy(t *testing.T) {
	for name, table := range dotTables() {
		t.Run(name, func(t *testing.T) {
			r := kerneltest.NewRand(3)
			for n := 1; n <= tileRows; n++ {
				y, p, v := r.F32(19), r.F32(n), r.F32(n, 19)
				tile := make([][]float32, n)
				want := slices.Clone(y.F32)
				for j := range tile {
					tile[j] = row(v, j).F32
					for i := range want {
						want[i] += p.F32[j] * tile[j][i]
					}
				}
				table.axpy(y.F32, p.F32, tile)
				for i := range want {
					if math.Abs(float64(y.F32[i]-want[i])) > 1e-5 {
						t.Errorf("%d rows, value %d: %g, want %g", n, i, y.F32[i], want[i])
					}
				}
			}
		})
	}
}

func TestEmbed(t *testing.T) {
	d := device(t, 2)
	for _, format := range weightFormats {
		r := kerneltest.NewRand(5)
		w, ids := r.Weights(format, 50, 600), r.IDs(50, 70)
		shape := []int{70, 600}
		sameBits(t, format.String(), run(t, d.Kernels(), "embed", nil, shape, ids, w),
			run(t, ref.Kernels(), "embed", nil, shape, ids, kerneltest.Dequantise(w)))
	}
}

func TestNormRMSAgainstRef(t *testing.T) {
	d := device(t, 2)
	rapid.Check(t, func(t *rapid.T) {
		r := kerneltest.NewRand(rapid.Uint64().Draw(t, "seed"))
		rows, heads, dim := rapid.IntRange(0, 40).Draw(t, "rows"), rapid.IntRange(1, 3).Draw(t, "heads"), rapid.IntRange(1, 300).Draw(t, "D")
		x, w := r.F32(rows, heads, dim), r.Weights(rapid.SampledFrom(weightFormats[:3]).Draw(t, "format"), dim)
		a := kernels.Attrs{"eps": 1e-5}
		got := run(t, d.Kernels(), "norm.rms", a, x.Shape, x, w)
		want := run(t, ref.Kernels(), "norm.rms", a, x.Shape, x, kerneltest.Dequantise(w))
		for i := range want.F32 {
			if math.Abs(float64(got.F32[i]-want.F32[i])) > 1e-5*math.Abs(float64(want.F32[i])) {
				t.Fatalf("value %d is %g, want %g", i, got.F32[i], want.F32[i])
			}
		}
	})
}

// The table holds the reference's angles, inside of its bounds and beyond them.
func TestRopeApply(t *testing.T) {
	d := device(t, 3)
	r := kerneltest.NewRand(11)
	const rows, heads, dim = 200, 4, 40
	x, pos := r.F32(rows, heads, dim), r.IDs(ropePositions, rows)
	copy(pos.I32, []int32{0, 1, 255, 256, 199_999, 200_000, ropePositions - 1, ropePositions, 1 << 30, -1})
	a := kernels.Attrs{"dims": int64(32), "theta": 1e6}
	want := run(t, ref.Kernels(), "rope.apply", a, x.Shape, x, pos)
	for range 2 { // the second time from the table
		sameBits(t, "rope", run(t, d.Kernels(), "rope.apply", a, x.Shape, x, pos), want)
	}
	none := kernels.Attrs{"dims": int64(0), "theta": 1e6}
	sameBits(t, "no dims", run(t, d.Kernels(), "rope.apply", none, x.Shape, x, pos), x)
}

func TestElementwiseAgainstRef(t *testing.T) {
	d := device(t, 2)
	r := kerneltest.NewRand(13)
	x, y := r.F32(300, 130), r.F32(300, 130)
	for _, tc := range []struct {
		op string
		in []kernels.Tensor
	}{
		{"add", []kernels.Tensor{x, y}},
		{"mul", []kernels.Tensor{x, y}},
		{"add", []kernels.Tensor{x, r.F32(130)}},
		{"mul", []kernels.Tensor{x, r.F32(300, 1)}},
		{"mul", []kernels.Tensor{x, r.Weights(dtype.BF16, 130)}},
		{"mul", []kernels.Tensor{x, r.Weights(dtype.BF16, 300, 130)}},
		{"sub", []kernels.Tensor{x, r.Weights(dtype.F16, 130)}},
		{"act.sigmoid", []kernels.Tensor{x}},
	} {
		wide := make([]kernels.Tensor, len(tc.in))
		for i := range wide {
			wide[i] = kerneltest.Dequantise(tc.in[i])
		}
		sameBits(t, tc.op, run(t, d.Kernels(), tc.op, nil, x.Shape, tc.in...), run(t, ref.Kernels(), tc.op, nil, x.Shape, wide...))
	}
}

// Operators that the reference runs take weights in storage formats too.
func TestTopKWithStoredBias(t *testing.T) {
	d := device(t, 1)
	r := kerneltest.NewRand(17)
	scores, bias := r.F32(5, 16), r.Weights(dtype.BF16, 16)
	a := kernels.Attrs{"k": int64(4), "groups": int64(1), "keep": int64(1)}
	result := func(set kernels.Set, bias kernels.Tensor) []kernels.Tensor {
		out := []kernels.Tensor{kernels.New(dtype.I32, 5, 4), kernels.New(dtype.F32, 5, 4)}
		kerneltest.Run(t, set, "moe.top_k", a, &kernels.Call{In: []kernels.Tensor{scores, bias}, Out: out})
		return out
	}
	if diff := cmp.Diff(result(ref.Kernels(), kerneltest.Dequantise(bias)), result(d.Kernels(), bias)); diff != "" {
		t.Errorf("(-ref +cpu)\n%s", diff)
	}
}
