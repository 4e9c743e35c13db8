package ref

import (
	"maps"
	"slices"
	"strings"
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

// TestAllReduceAddRMS: the same bits as comm.all_reduce, add and norm.rms, on one rank too.
func TestAllReduceAddRMS(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := kerneltest.NewRand(rapid.Uint64().Draw(t, "seed"))
		rows, d := rapid.IntRange(0, 4).Draw(t, "rows"), rapid.IntRange(1, 33).Draw(t, "d")
		x, residual, w := r.F32(rows, d), r.F32(rows, d), r.F32(d)
		if rows > 0 {
			x.F32[rapid.IntRange(0, d-1).Draw(t, "at")] = rapid.SampledFrom([]float32{1, 0, nan, inf, -inf, 3e38}).Draw(t, "value")
		}
		var comm kernels.Comm
		if ranks := rapid.IntRange(1, 4).Draw(t, "ranks"); ranks > 1 {
			comm = kerneltest.Peers{Ranks: ranks}
		}
		apply := func(name string, in ...kernels.Tensor) []kernels.Tensor {
			out := []kernels.Tensor{kernels.New(dtype.F32, rows, d), kernels.New(dtype.F32, rows, d)}
			kerneltest.Run(t, Kernels(), name, kernels.Attrs{"eps": 1e-5}, &kernels.Call{In: in, Out: out, Comm: comm})
			return out
		}
		sum := apply("add", residual, apply("comm.all_reduce", x)[0])[0]
		want := []kernels.Tensor{sum, apply("norm.rms", sum, w)[0]}
		if diff := gocmp.Diff(want, apply("comm.all_reduce_add_rms", x, residual, w), cmpopts.EquateNaNs()); diff != "" {
			t.Fatalf("(-unfused +fused)\n%s", diff)
		}
	})
}

// TestLinearSplit: the same bits as the columns of a linear, with and without bias, rows quantised or not.
func TestLinearSplit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := kerneltest.NewRand(rapid.Uint64().Draw(t, "seed"))
		rows, k := rapid.IntRange(0, 4).Draw(t, "rows"), rapid.IntRange(1, 33).Draw(t, "k")
		sizes := rapid.SliceOfN(rapid.IntRange(1, 9), 2, 8).Draw(t, "sizes")
		n := 0
		for _, size := range sizes {
			n += size
		}
		x, w, bias := r.F32(rows, k), r.F32(n, k), kernels.Tensor{}
		if rapid.Bool().Draw(t, "biased") {
			bias = r.F32(n)
		}
		attrs := kernels.Attrs{"act": rapid.SampledFrom([]string{"", "fp8_e4m3"}).Draw(t, "act")}
		whole, parts, want := kernels.New(dtype.F32, rows, n), make([]kernels.Tensor, len(sizes)), make([]kernels.Tensor, len(sizes))
		kerneltest.Run(t, Kernels(), "linear", attrs, &kernels.Call{In: []kernels.Tensor{x, w, bias}, Out: []kernels.Tensor{whole}})
		from := 0
		for i, size := range sizes {
			parts[i], want[i] = kernels.New(dtype.F32, rows, size), kernels.New(dtype.F32, rows, size)
			kerneltest.Run(t, Kernels(), "slice", kernels.Attrs{"from": int64(from), "to": int64(from + size)},
				&kernels.Call{In: []kernels.Tensor{whole}, Out: want[i : i+1]})
			from += size
		}
		kerneltest.Run(t, Kernels(), "linear.split", attrs, &kernels.Call{In: []kernels.Tensor{x, w, bias}, Out: parts})
		if diff := gocmp.Diff(want, parts); diff != "" {
			t.Fatalf("(-columns +split)\n%s", diff)
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

// drawRouting draws the attributes of moe.route for a number of experts: 160 is GLM-4.7's and no power of two.
func drawRouting(t *rapid.T) (a kernels.Attrs, experts int) {
	groups := rapid.SampledFrom([]int{1, 1, 2, 5, 8}).Draw(t, "groups")
	keep := rapid.IntRange(1, groups).Draw(t, "keep")
	size := rapid.SampledFrom([]int{1, 2, 3, 20, 32}).Draw(t, "experts of a group")
	if groups == 1 {
		size = rapid.SampledFrom([]int{1, 7, 64, 128, 160}).Draw(t, "experts")
	}
	a = kernels.Attrs{"k": int64(rapid.IntRange(1, min(keep*size, 9)).Draw(t, "k")), "groups": int64(groups), "keep": int64(keep)}
	a["score"] = rapid.SampledFrom([]string{"sigmoid", "softmax"}).Draw(t, "score")
	if rapid.Bool().Draw(t, "normalise") {
		a["normalise"] = int64(1)
		if rapid.Bool().Draw(t, "shift") {
			a["shift"] = 1e-20
		}
	}
	if rapid.Bool().Draw(t, "scale") {
		a["scale"] = 2.5
	}
	if rapid.Bool().Draw(t, "shared") {
		a["first"], a["count"] = int64(groups*size), int64(rapid.IntRange(1, 2).Draw(t, "count"))
	}
	return a, groups * size
}

// routed applies the expression that moe.route stands for, operator by operator.
func routed(t kerneltest.TB, a kernels.Attrs, logits, bias kernels.Tensor) []kernels.Tensor {
	rows, k := logits.Shape[0], int(a["k"].(int64))
	apply := func(name string, attrs kernels.Attrs, out []kernels.Tensor, in ...kernels.Tensor) {
		kerneltest.Run(t, Kernels(), name, attrs, &kernels.Call{In: in, Out: out})
	}
	one := func(name string, attrs kernels.Attrs, shape []int, in ...kernels.Tensor) kernels.Tensor {
		out := kernels.New(dtype.F32, shape...)
		apply(name, attrs, []kernels.Tensor{out}, in...)
		return out
	}
	scores := one("act."+a["score"].(string), nil, logits.Shape, logits)
	out := []kernels.Tensor{kernels.New(dtype.I32, rows, k), kernels.New(dtype.F32, rows, k)}
	apply("moe.top_k", a, out, scores, bias)
	if a["normalise"] != nil {
		sum := one("reduce.sum", nil, []int{rows, 1}, out[1])
		if a["shift"] != nil {
			sum = one("shift", kernels.Attrs{"by": a["shift"]}, sum.Shape, sum)
		}
		out[1] = one("div", nil, out[1].Shape, out[1], sum)
	}
	if a["scale"] != nil {
		out[1] = one("scale", kernels.Attrs{"by": a["scale"]}, out[1].Shape, out[1])
	}
	if a["count"] != nil {
		n := k + int(a["count"].(int64))
		wide := []kernels.Tensor{kernels.New(dtype.I32, rows, n), kernels.New(dtype.F32, rows, n)}
		apply("moe.append_shared", a, wide, out...)
		out = wide
	}
	return out
}

// TestRoute: the same experts with the same bits as operator by operator, with ties, NaN and infinity.
func TestRoute(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, experts := drawRouting(t)
		rows := rapid.IntRange(0, 4).Draw(t, "rows")
		r := kerneltest.NewRand(rapid.Uint64().Draw(t, "seed"))
		logits, bias := r.F32(rows, experts), r.F32(experts)
		coarse := rapid.Bool().Draw(t, "ties")
		edges := []float32{nan, inf, -inf, 0, 100, -100}
		for i := range logits.F32 {
			if coarse {
				logits.F32[i] = float32(int(2 * logits.F32[i]))
			}
			if r.IntN(20) == 0 {
				logits.F32[i] = edges[r.IntN(len(edges))]
			}
		}
		for i := range bias.F32 {
			if coarse {
				bias.F32[i] = float32(int(bias.F32[i]))
			}
		}
		if rapid.Bool().Draw(t, "without bias") {
			bias = kernels.Tensor{}
		}
		want := routed(t, a, logits, bias)
		got := []kernels.Tensor{kernels.New(dtype.I32, want[0].Shape...), kernels.New(dtype.F32, want[1].Shape...)}
		kerneltest.Run(t, Kernels(), "moe.route", a, &kernels.Call{In: []kernels.Tensor{logits, bias}, Out: got})
		if diff := gocmp.Diff(want, got, cmpopts.EquateNaNs()); diff != "" {
			t.Fatalf("%v (-unfused +fused)\n%s", a, diff)
		}
	})
}

func TestRouteRejects(t *testing.T) {
	good := kernels.Attrs{"score": "sigmoid", "k": int64(2), "groups": int64(1), "keep": int64(1)}
	for _, tc := range []struct {
		key   string
		value any
		want  string
	}{
		{"score", "relu", "\"relu\""}, {"score", 1.5, "score"}, {"k", nil, "\"k\""}, {"k", int64(0), "\"k\""}, {"keep", int64(2), "keep"},
		{"normalise", 1.5, "normalise"}, {"shift", "x", "shift"}, {"scale", int64(2), "scale"}, {"first", int64(-1), "negative"},
		{"first", 1.5, "first"}, {"count", int64(-1), "negative"}, {"count", 1.5, "count"},
	} {
		a := maps.Clone(good)
		a[tc.key] = tc.value
		_, err := Kernels()["moe.route"](a)
		wantError(t, err, tc.want)
	}
	for _, tc := range []struct {
		experts int
		groups  int64
		want    string
	}{{1, 1, "top 2 of the 1 experts"}, {7, 2, "7 experts do not divide into 2 groups"}} {
		a := maps.Clone(good)
		a["groups"] = tc.groups
		err := kerneltest.Build(t, Kernels(), "moe.route", a)(&kernels.Call{In: []kernels.Tensor{kernels.New(dtype.F32, 1, tc.experts), {}},
			Out: []kernels.Tensor{kernels.New(dtype.I32, 1, 2), kernels.New(dtype.F32, 1, 2)}})
		wantError(t, err, tc.want)
	}
}

// quantised runs quant.rows.
func quantised(t kerneltest.TB, x kernels.Tensor) []kernels.Tensor {
	shape := slices.Clone(x.Shape)
	shape[len(shape)-1] = 1
	out := []kernels.Tensor{kernels.New(dtype.F8E4M3, x.Shape...), kernels.New(dtype.F32, shape...)}
	kerneltest.Run(t, Kernels(), "quant.rows", nil, &kernels.Call{In: []kernels.Tensor{x}, Out: out})
	return out
}

// TestW8A8: products of rows that quant.rows quantised have the bits of products that quantise their rows themselves.
func TestW8A8(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := kerneltest.NewRand(rapid.Uint64().Draw(t, "seed"))
		rows, d, n := rapid.IntRange(0, 4).Draw(t, "rows"), rapid.IntRange(1, 33).Draw(t, "d"), rapid.IntRange(1, 9).Draw(t, "n")
		x := r.F32(rows, d)
		if rows > 0 {
			x.F32[rapid.IntRange(0, d-1).Draw(t, "at")] = rapid.SampledFrom([]float32{1, 0, nan, inf, -inf, 3e38}).Draw(t, "value")
		}
		run := func(name string, a kernels.Attrs, shape []int, in ...kernels.Tensor) kernels.Tensor {
			out := kernels.New(dtype.F32, shape...)
			kerneltest.Run(t, Kernels(), name, a, &kernels.Call{In: in, Out: []kernels.Tensor{out}})
			return out
		}
		q := quantised(t, x)
		w, bias := kerneltest.Dequantise(r.Weights(dtype.F8E4M3, n, d)), r.F32(n)
		want := run("linear", kernels.Attrs{"act": "fp8_e4m3"}, []int{rows, n}, x, w, bias)
		if diff := gocmp.Diff(want, run("linear.w8a8", nil, want.Shape, q[0], q[1], w, bias), cmpopts.EquateNaNs()); diff != "" {
			t.Fatalf("linear (-act +w8a8)\n%s", diff)
		}
		halves := func(name string, a kernels.Attrs, in ...kernels.Tensor) []kernels.Tensor {
			out := []kernels.Tensor{kernels.New(dtype.F32, rows, n), kernels.New(dtype.F32, rows, 1)}
			kerneltest.Run(t, Kernels(), name, a, &kernels.Call{In: in, Out: out})
			return out
		}
		long, longBias := kerneltest.Dequantise(r.Weights(dtype.F8E4M3, n+1, d)), r.F32(n+1)
		parts := halves("linear.split", kernels.Attrs{"act": "fp8_e4m3"}, x, long, longBias)
		if diff := gocmp.Diff(parts, halves("linear.split_w8a8", nil, q[0], q[1], long, longBias), cmpopts.EquateNaNs()); diff != "" {
			t.Fatalf("linear.split (-act +w8a8)\n%s", diff)
		}
		const experts, k = 4, 2
		ids, weights := r.Distinct(experts, rows, k), r.F32(rows, k)
		gate, up, down := r.F32(experts, n, d), r.F32(experts, n, d), r.F32(experts, d, n)
		a := kernels.Attrs{"activation": "silu"}
		got := run("moe.experts_w8a8", a, x.Shape, q[0], q[1], ids, weights, gate, up, down)
		want = run("moe.experts", kernels.Attrs{"activation": "silu", "act": "fp8_e4m3"}, x.Shape, x, ids, weights, gate, up, down)
		if diff := gocmp.Diff(want, got, cmpopts.EquateNaNs()); diff != "" {
			t.Fatalf("experts (-act +w8a8)\n%s", diff)
		}
	})
}

// TestThenQuantised: the same bits as the operator and quant.rows of its last result, which is there where it is wanted.
func TestThenQuantised(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := kerneltest.NewRand(rapid.Uint64().Draw(t, "seed"))
		rows, d := rapid.IntRange(0, 4).Draw(t, "rows"), rapid.IntRange(1, 33).Draw(t, "d")
		x, y, w := r.F32(rows, d), r.F32(rows, d), r.F32(d)
		ops := map[string][]kernels.Tensor{"norm.rms": {x, w}, "norm.add_rms": {x, y, w}, "act.swiglu": {x, y}, "comm.all_reduce_add_rms": {x, y, w}}
		for name, in := range ops {
			a, results := kernels.Attrs{"eps": 1e-5}, 1
			if strings.HasSuffix(name, "add_rms") {
				results = 2
			}
			call := func(results int) *kernels.Call {
				c := &kernels.Call{In: in, Comm: kerneltest.Peers{Ranks: 2}}
				for range results {
					c.Out = append(c.Out, kernels.New(dtype.F32, rows, d))
				}
				return c
			}
			base := call(results)
			kerneltest.Run(t, Kernels(), name, a, base)
			want := append(base.Out, quantised(t, base.Out[results-1])...)
			for _, plain := range []bool{true, false} {
				if !plain {
					delete(a, "plain")
					want, results = slices.Delete(want, results-1, results), results-1
				} else {
					a["plain"] = int64(1)
				}
				c := call(results)
				c.Out = append(c.Out, kernels.New(dtype.F8E4M3, rows, d), kernels.New(dtype.F32, rows, 1))
				kerneltest.Run(t, Kernels(), name+"_quant", a, c)
				if diff := gocmp.Diff(want, c.Out, cmpopts.EquateNaNs()); diff != "" {
					t.Fatalf("%s, plain %t (-unfused +fused)\n%s", name, plain, diff)
				}
			}
		}
	})
}
