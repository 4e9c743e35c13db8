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
