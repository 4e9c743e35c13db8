package ref

import (
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/kernels/kerneltest"
)

// TestAddNormRMS: the same bits as add and then norm.rms, NaN and infinity included.
func TestAddNormRMS(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := kerneltest.NewRand(rapid.Uint64().Draw(t, "seed"))
		rows, d := rapid.IntRange(0, 4).Draw(t, "rows"), rapid.IntRange(1, 33).Draw(t, "d")
		x, y, w := r.F32(rows, d), r.F32(rows, d), r.F32(d)
		if rows > 0 {
			x.F32[rapid.IntRange(0, d-1).Draw(t, "at")] = rapid.SampledFrom([]float32{1, 0, nan, inf, -inf, 3e38}).Draw(t, "value")
		}
		attrs := kernels.Attrs{"eps": 1e-5}
		apply := func(name string, out []kernels.Tensor, in ...kernels.Tensor) {
			kerneltest.Run(t, Kernels(), name, attrs, &kernels.Call{In: in, Out: out})
		}
		fused, plain := make([]kernels.Tensor, 2), make([]kernels.Tensor, 2)
		for i := range fused {
			fused[i], plain[i] = kernels.New(dtype.F32, rows, d), kernels.New(dtype.F32, rows, d)
		}
		apply("norm.add_rms", fused, x, y, w)
		apply("add", plain[:1], x, y)
		apply("norm.rms", plain[1:], plain[0], w)
		if diff := gocmp.Diff(plain, fused, cmpopts.EquateNaNs()); diff != "" {
			t.Fatalf("(-unfused +fused)\n%s", diff)
		}
	})
}

// TestSwiGLU: the same bits as act.silu and then mul, on the edges too.
func TestSwiGLU(t *testing.T) {
	edges := []float32{0, -0x1p-149, 1, -1, 88, -88, 1e4, -1e4, 3e38, -3e38, inf, -inf, nan}
	n := len(edges)
	gate, up := kernels.New(dtype.F32, n, n), kernels.New(dtype.F32, n, n)
	for i := range gate.F32 {
		gate.F32[i], up.F32[i] = edges[i/n], edges[i%n]
	}
	silu := run1(t, "act.silu", nil, kernels.New(dtype.F32, n, n), gate)
	want := run1(t, "mul", nil, kernels.New(dtype.F32, n, n), silu, up)
	equal(t, run1(t, "act.swiglu", nil, kernels.New(dtype.F32, n, n), gate, up).F32, want.F32)
	run1(t, "act.swiglu", nil, kernels.New(dtype.F32, 0, 3), kernels.New(dtype.F32, 0, 3), kernels.New(dtype.F32, 0, 3))
}
