package ref

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/kernels/kerneltest"
)

var nan, inf = float32(math.NaN()), float32(math.Inf(1))

// run1 runs an operator with one result.
func run1(t testing.TB, name string, a kernels.Attrs, out kernels.Tensor, in ...kernels.Tensor) kernels.Tensor {
	t.Helper()
	kerneltest.Run(t, Kernels(), name, a, &kernels.Call{In: in, Out: []kernels.Tensor{out}})
	return out
}

// near compares float32 results with float64 formulas.
func near(t testing.TB, got []float32, want []float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %d values, want %d", len(got), len(want))
	}
	for i := range got {
		if d := math.Abs(float64(got[i]) - want[i]); !(d <= tolerance*max(1, math.Abs(want[i]))) {
			t.Fatalf("value %d is %g, want %g", i, got[i], want[i])
		}
	}
}

func equal(t testing.TB, got, want []float32) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateNaNs(), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func wantError(t testing.TB, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", parts)
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("error %q does not mention %q", err, p)
		}
	}
}

func TestEmbed(t *testing.T) {
	w := kernels.FromF32([]float32{0, 1, 10, 11, 20, 21}, 3, 2)
	ids := kernels.FromI32([]int32{2, 0, 2}, 3)
	equal(t, run1(t, "embed", nil, kernels.New(dtype.F32, 3, 2), ids, w).F32, []float32{20, 21, 0, 1, 20, 21})
	run1(t, "embed", nil, kernels.New(dtype.F32, 0, 2), kernels.New(dtype.I32, 0), w)

	for _, bad := range []int32{3, -1} {
		err := kerneltest.Build(t, Kernels(), "embed", nil)(&kernels.Call{
			In:  []kernels.Tensor{kernels.FromI32([]int32{bad}, 1), w},
			Out: []kernels.Tensor{kernels.New(dtype.F32, 1, 2)},
		})
		wantError(t, err, "token id", "[0, 3)")
	}
}

func TestGatherRows(t *testing.T) {
	x := kernels.FromF32([]float32{0, 1, 10, 11, 20, 21}, 3, 2)
	rows := kernels.FromI32([]int32{2, 2, 0, 1}, 4)
	equal(t, run1(t, "gather.rows", nil, kernels.New(dtype.F32, 4, 2), x, rows).F32, []float32{20, 21, 20, 21, 0, 1, 10, 11})
	run1(t, "gather.rows", nil, kernels.New(dtype.F32, 0, 2), x, kernels.New(dtype.I32, 0))
	err := kerneltest.Build(t, Kernels(), "gather.rows", nil)(&kernels.Call{
		In: []kernels.Tensor{x, kernels.FromI32([]int32{3}, 1)}, Out: []kernels.Tensor{kernels.New(dtype.F32, 1, 2)}})
	wantError(t, err, "row 3", "[0, 3)")
}

func TestLinear(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := kerneltest.NewRand(rapid.Uint64().Draw(t, "seed"))
		rows, n, k := rapid.IntRange(0, 4).Draw(t, "rows"), rapid.IntRange(1, 9).Draw(t, "n"), rapid.IntRange(1, 40).Draw(t, "k")
		x, w, bias := r.F32(rows, k), r.F32(n, k), r.F32(n)
		if rapid.Bool().Draw(t, "bare") {
			bias = kernels.Tensor{}
		}
		out := kernels.New(dtype.F32, rows, n)
		kerneltest.Run(t, Kernels(), "linear", nil, &kernels.Call{In: []kernels.Tensor{x, w, bias}, Out: []kernels.Tensor{out}})
		for i := range rows {
			for o := range n {
				var want float64
				if bias.Present() {
					want = float64(bias.F32[o])
				}
				for j := range k {
					want += float64(x.F32[i*k+j]) * float64(w.F32[o*k+j])
				}
				if got := float64(out.F32[i*n+o]); math.Abs(got-want) > 1e-5*float64(k) {
					t.Fatalf("[%d,%d] is %g, want %g", i, o, got, want)
				}
			}
		}
	})
}

// The row is made of values that e4m3 does not hold: 448 sets the scale 1, so the others round to e4m3 directly.
func TestLinearQuantisesEachRow(t *testing.T) {
	x := kernels.FromF32([]float32{448, 1.06, -17.1, 0.001, 0, 0, 0, 0}, 2, 4)
	w := kernels.FromF32([]float32{1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1}, 4, 4)
	out := run1(t, "linear", kernels.Attrs{"act": "fp8_e4m3"}, kernels.New(dtype.F32, 2, 4), x, w)
	equal(t, out.F32, []float32{448, 1, -18, 0x1p-9, 0, 0, 0, 0})
}

func TestLinearRejectsUnknownActivationFormat(t *testing.T) {
	for _, name := range []string{"linear", "moe.experts"} {
		_, err := Kernels()[name](kernels.Attrs{"act": "int8", "activation": "silu"})
		wantError(t, err, "act", "int8", "fp8_e4m3")
		_, err = Kernels()[name](kernels.Attrs{"act": 8.5, "activation": "silu"})
		wantError(t, err, "act", "string")
	}
}

func TestNormRMS(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := kerneltest.NewRand(rapid.Uint64().Draw(t, "seed"))
		shape := rapid.SliceOfN(rapid.IntRange(0, 4), 1, 2).Draw(t, "shape")
		d := rapid.IntRange(1, 33).Draw(t, "d")
		x, w := r.F32(append(shape, d)...), r.F32(d)
		out := kernels.New(dtype.F32, x.Shape...)
		kerneltest.Run(t, Kernels(), "norm.rms", kernels.Attrs{"eps": 1e-5},
			&kernels.Call{In: []kernels.Tensor{x, w}, Out: []kernels.Tensor{out}})
		for at := 0; at < len(x.F32); at += d {
			var squares float64
			for _, v := range x.F32[at : at+d] {
				squares += float64(v) * float64(v)
			}
			for i := range d {
				want := float64(x.F32[at+i]) / math.Sqrt(squares/float64(d)+1e-5) * float64(w.F32[i])
				if got := float64(out.F32[at+i]); math.Abs(got-want) > 1e-5 {
					t.Fatalf("row at %d, value %d: %g, want %g", at, i, got, want)
				}
			}
		}
	})
}

func TestNormRMSOfZerosIsZero(t *testing.T) {
	out := run1(t, "norm.rms", kernels.Attrs{"eps": 1e-5}, kernels.New(dtype.F32, 1, 4), kernels.New(dtype.F32, 1, 4),
		kernels.FromF32([]float32{1, 1, 1, 1}, 4))
	equal(t, out.F32, make([]float32, 4))
}

func TestBinaryBroadcasts(t *testing.T) {
	a := kernels.FromF32([]float32{1, 2, 3, 4, 5, 6}, 2, 3)
	same := kernels.FromF32([]float32{6, 5, 4, 3, 2, 1}, 2, 3)
	column := kernels.FromF32([]float32{2, 4}, 2, 1)
	row := kernels.FromF32([]float32{1, 2, 4}, 3)
	for _, tc := range []struct {
		op   string
		b    kernels.Tensor
		want []float32
	}{
		{"add", same, []float32{7, 7, 7, 7, 7, 7}},
		{"sub", column, []float32{-1, 0, 1, 0, 1, 2}},
		{"mul", row, []float32{1, 4, 12, 4, 10, 24}},
		{"div", row, []float32{1, 1, 0.75, 4, 2.5, 1.5}},
		{"div", column, []float32{0.5, 1, 1.5, 1, 1.25, 1.5}},
		{"mul", kernels.FromF32([]float32{2, 3, 5}, 3), []float32{2, 6, 15, 8, 15, 30}},
	} {
		equal(t, run1(t, tc.op, nil, kernels.New(dtype.F32, 2, 3), a, tc.b).F32, tc.want)
	}
	// Square: [2] is a row, [2,1] a column.
	square := kernels.FromF32([]float32{1, 2, 3, 4}, 2, 2)
	equal(t, run1(t, "mul", nil, kernels.New(dtype.F32, 2, 2), square, kernels.FromF32([]float32{10, 100}, 2)).F32,
		[]float32{10, 200, 30, 400})
	equal(t, run1(t, "mul", nil, kernels.New(dtype.F32, 2, 2), square, kernels.FromF32([]float32{10, 100}, 2, 1)).F32,
		[]float32{10, 20, 300, 400})

	err := kerneltest.Build(t, Kernels(), "add", nil)(&kernels.Call{
		In: []kernels.Tensor{a, kernels.New(dtype.F32, 2, 2)}, Out: []kernels.Tensor{kernels.New(dtype.F32, 2, 3)}})
	wantError(t, err, "[2 2]", "[2 3]")
}

func TestUnary(t *testing.T) {
	x := []float32{-100, -3, -0.5, 0, 0.5, 3, 100}
	in := kernels.FromF32(x, len(x))
	silu, sigmoid := make([]float64, len(x)), make([]float64, len(x))
	for i, v := range x {
		sigmoid[i] = 0.5 + 0.5*math.Tanh(float64(v)/2)
		silu[i] = float64(v) * sigmoid[i]
	}
	near(t, run1(t, "act.silu", nil, kernels.New(dtype.F32, len(x)), in).F32, silu, 1e-6)
	near(t, run1(t, "act.sigmoid", nil, kernels.New(dtype.F32, len(x)), in).F32, sigmoid, 1e-6)
	equal(t, run1(t, "cast", nil, kernels.New(dtype.F32, len(x)), in).F32, x)
	equal(t, run1(t, "scale", kernels.Attrs{"by": 2.5}, kernels.New(dtype.F32, 2), kernels.FromF32([]float32{2, -4}, 2)).F32, []float32{5, -10})
	equal(t, run1(t, "shift", kernels.Attrs{"by": 1e-20}, kernels.New(dtype.F32, 2), kernels.FromF32([]float32{0, -4}, 2)).F32, []float32{1e-20, -4})
	equal(t, run1(t, "act.silu", nil, kernels.New(dtype.F32, 3), kernels.FromF32([]float32{nan, inf, -1000}, 3)).F32, []float32{nan, inf, 0})
}

func TestReduceSum(t *testing.T) {
	out := run1(t, "reduce.sum", nil, kernels.New(dtype.F32, 2, 1), kernels.FromF32([]float32{1, 2, 3, -1, -2, 3.5}, 2, 3))
	equal(t, out.F32, []float32{6, 0.5})
}

func TestConcat(t *testing.T) {
	out := run1(t, "concat", nil, kernels.New(dtype.F32, 2, 3),
		kernels.FromF32([]float32{1, 2}, 2, 1), kernels.FromF32([]float32{3, 4, 5, 6}, 2, 2))
	equal(t, out.F32, []float32{1, 3, 4, 2, 5, 6})
}

func TestMissingAttributes(t *testing.T) {
	for name, want := range map[string]string{
		"norm.rms": "eps", "rope.apply": "dims", "scale": "by", "shift": "by", "moe.top_k": "k",
		"moe.append_shared": "first", "moe.experts": "activation", "attn.paged": "scale", "attn.qknorm_rope_kv": "dims",
	} {
		_, err := Kernels()[name](nil)
		wantError(t, err, want)
	}
	_, err := Kernels()["rope.apply"](kernels.Attrs{"dims": int64(3), "theta": 1e6})
	wantError(t, err, "dims 3")
	_, err = Kernels()["rope.apply"](kernels.Attrs{"dims": int64(4), "theta": -1.0})
	wantError(t, err, "theta -1")
	_, err = Kernels()["rope.apply"](kernels.Attrs{"dims": int64(4)})
	wantError(t, err, "theta")
}

func TestCollectives(t *testing.T) {
	x := kernels.FromF32([]float32{1, 2, 3, 4}, 2, 2)
	for _, tc := range []struct {
		op   string
		comm kernels.Comm
		cols int
		want []float32
	}{
		{"comm.all_reduce", nil, 2, []float32{1, 2, 3, 4}},
		{"comm.all_reduce", kerneltest.Peers{Ranks: 3}, 2, []float32{3, 6, 9, 12}},
		{"comm.all_gather", nil, 2, []float32{1, 2, 3, 4}},
		{"comm.all_gather", kerneltest.Peers{Ranks: 2}, 4, []float32{0, 0, 1, 2, 0, 0, 3, 4}},
	} {
		out := kernels.New(dtype.F32, 2, tc.cols)
		kerneltest.Run(t, Kernels(), tc.op, nil, &kernels.Call{In: []kernels.Tensor{x}, Out: []kernels.Tensor{out}, Comm: tc.comm})
		equal(t, out.F32, tc.want)
		equal(t, x.F32, []float32{1, 2, 3, 4})
	}
}
