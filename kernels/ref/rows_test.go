package ref

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/kernels/kerneltest"
)

func TestSoftmax(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := kerneltest.NewRand(rapid.Uint64().Draw(t, "seed"))
		rows, d := rapid.IntRange(0, 4).Draw(t, "rows"), rapid.IntRange(1, 20).Draw(t, "D")
		shift := rapid.SampledFrom([]float32{0, 1000, -1000}).Draw(t, "shift") // which softmax does not see
		x, out := r.F32(rows, d), kernels.New(dtype.F32, rows, d)
		for i := range x.F32 {
			x.F32[i] += shift
		}
		kerneltest.Run(t, Kernels(), "act.softmax", nil, &kernels.Call{In: []kernels.Tensor{x}, Out: []kernels.Tensor{out}})
		for at := 0; at < rows*d; at += d {
			var sum float64
			for _, v := range x.F32[at : at+d] {
				sum += math.Exp(float64(v - shift))
			}
			for i, v := range x.F32[at : at+d] {
				if want := math.Exp(float64(v-shift)) / sum; math.Abs(float64(out.F32[at+i])-want) > 1e-6 {
					t.Fatalf("value %d is %g, want %g", at+i, out.F32[at+i], want)
				}
			}
		}
	})
}

func TestSlice(t *testing.T) {
	x := kernels.FromF32([]float32{0, 1, 2, 10, 11, 12}, 2, 1, 3)
	for _, c := range []struct {
		from, to int64
		want     []float32
	}{{0, 1, []float32{0, 10}}, {1, 3, []float32{1, 2, 11, 12}}, {0, 3, x.F32}} {
		a := kernels.Attrs{"from": c.from, "to": c.to}
		equal(t, run1(t, "slice", a, kernels.New(dtype.F32, 2, 1, int(c.to-c.from)), x).F32, c.want)
	}
	run1(t, "slice", kernels.Attrs{"from": int64(0), "to": int64(1)}, kernels.New(dtype.F32, 0, 1), kernels.New(dtype.F32, 0, 3))

	for _, bad := range [][2]int64{{-1, 2}, {2, 2}, {1, 4}} {
		err := kerneltest.Build(t, Kernels(), "slice", kernels.Attrs{"from": bad[0], "to": bad[1]})(&kernels.Call{
			In: []kernels.Tensor{x}, Out: []kernels.Tensor{kernels.New(dtype.F32, 2, 1, 3)}})
		wantError(t, err, "not within rows of 3")
	}
	for _, a := range []kernels.Attrs{{"from": int64(0)}, {"to": int64(1)}} {
		_, err := Kernels()["slice"](a)
		wantError(t, err, "is missing")
	}
}

func TestRepeatHeads(t *testing.T) {
	x := kernels.FromF32([]float32{0, 1, 10, 11}, 2, 1, 2)
	out := run1(t, "repeat.heads", nil, kernels.New(dtype.F32, 2, 3, 2), x)
	equal(t, out.F32, []float32{0, 1, 0, 1, 0, 1, 10, 11, 10, 11, 10, 11})
	run1(t, "repeat.heads", nil, kernels.New(dtype.F32, 0, 3, 2), kernels.New(dtype.F32, 0, 1, 2))
}
