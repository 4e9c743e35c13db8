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
	"github.com/glmc/glmc/kernels/ref"
)

// spoil puts values that break careless arithmetic into some places of a tensor.
func spoil(t *rapid.T, x kernels.Tensor) {
	for range rapid.IntRange(0, 3).Draw(t, "spoilt values") {
		if n := x.Elems(); n > 0 {
			at := rapid.IntRange(0, n-1).Draw(t, "at")
			x.F32[at] = rapid.SampledFrom([]float32{nan, inf, -inf, 3e38, -3e38, 1e-45, float32(math.Copysign(0, -1)), 0}).Draw(t, "value")
		}
	}
}

// like makes results of the shapes that x has.
func like(x kernels.Tensor, n int) []kernels.Tensor {
	out := make([]kernels.Tensor, n)
	for i := range out {
		out[i] = kernels.New(dtype.F32, x.Shape...)
	}
	return out
}

// A sum with its norm has the bits that add and norm.rms give, in both kernel sets; between the sets the norm
// differs by the order in which squares are added.
func TestAddNormRMSIsAddThenNorm(t *testing.T) {
	d := device(t, 3)
	rapid.Check(t, func(t *rapid.T) {
		r := kerneltest.NewRand(rapid.Uint64().Draw(t, "seed"))
		rows, heads, dim := rapid.IntRange(0, 40).Draw(t, "rows"), rapid.IntRange(1, 3).Draw(t, "heads"), rapid.IntRange(1, 300).Draw(t, "D")
		x, y := r.F32(rows, heads, dim), r.F32(rows, heads, dim)
		w := r.Weights(rapid.SampledFrom(weightFormats[:3]).Draw(t, "format"), dim)
		spoil(t, x)
		spoil(t, y)
		attrs := kernels.Attrs{"eps": 1e-5}
		both := func(set kernels.Set, w kernels.Tensor) []kernels.Tensor {
			fused := like(x, 2)
			kerneltest.Run(t, set, "norm.add_rms", attrs, &kernels.Call{In: []kernels.Tensor{x, y, w}, Out: fused})
			sum := run(t, set, "add", nil, x.Shape, x, y)
			sameBits(t, "sum", fused[0], sum)
			sameBits(t, "norm", fused[1], run(t, set, "norm.rms", attrs, x.Shape, sum, w))
			return fused
		}
		got, want := both(d.Kernels(), w), both(ref.Kernels(), kerneltest.Dequantise(w))
		sameBits(t, "sum of both sets", got[0], want[0])
		for i, v := range want[1].F32 {
			if g := got[1].F32[i]; !(math.Abs(float64(g-v)) <= 1e-5*math.Abs(float64(v)) || g == v || g != g && v != v) {
				t.Fatalf("value %d is %g, want %g", i, g, v)
			}
		}
	})
}

// A sum over ranks with a residual and its norm has the bits that comm.all_reduce and norm.add_rms give, which are
// held against the reference above.
func TestAllReduceAddRMSIsAllReduceThenAddNorm(t *testing.T) {
	set := device(t, 3).Kernels()
	rapid.Check(t, func(t *rapid.T) {
		r := kerneltest.NewRand(rapid.Uint64().Draw(t, "seed"))
		rows, dim := rapid.IntRange(0, 40).Draw(t, "rows"), rapid.IntRange(1, 600).Draw(t, "D")
		x, residual := r.F32(rows, dim), r.F32(rows, dim)
		w := r.Weights(rapid.SampledFrom(weightFormats[:3]).Draw(t, "format"), dim)
		spoil(t, x)
		spoil(t, residual)
		comm := kerneltest.Peers{Ranks: rapid.IntRange(1, 4).Draw(t, "ranks")}
		apply := func(name string, results int, in ...kernels.Tensor) []kernels.Tensor {
			out := like(x, results)
			kerneltest.Run(t, set, name, kernels.Attrs{"eps": 1e-5}, &kernels.Call{In: in, Out: out, Comm: comm})
			return out
		}
		want := apply("norm.add_rms", 2, residual, apply("comm.all_reduce", 1, x)[0], w)
		got := apply("comm.all_reduce_add_rms", 2, x, residual, w)
		sameBits(t, "sum", got[0], want[0])
		sameBits(t, "norm", got[1], want[1])
	})
}

// The same experts with the same bits as the reference, whatever the numbers of experts and groups, with ties,
// damaged logits and a bias in any format, and on any number of threads.
func TestRouteAgainstRef(t *testing.T) {
	d := device(t, 3)
	rapid.Check(t, func(t *rapid.T) {
		groups := rapid.SampledFrom([]int{1, 1, 2, 5, 8}).Draw(t, "groups")
		keep := rapid.IntRange(1, groups).Draw(t, "keep")
		size := rapid.SampledFrom([]int{1, 2, 3, 20, 32, 160}).Draw(t, "experts of a group")
		experts, k := groups*size, rapid.IntRange(1, min(keep*size, 9)).Draw(t, "k")
		a := kernels.Attrs{"k": int64(k), "groups": int64(groups), "keep": int64(keep), "score": rapid.SampledFrom([]string{"sigmoid", "softmax"}).Draw(t, "score")}
		if rapid.Bool().Draw(t, "normalise") {
			a["normalise"], a["shift"] = int64(1), rapid.SampledFrom([]float64{0, 1e-20}).Draw(t, "shift")
		}
		if rapid.Bool().Draw(t, "scale") {
			a["scale"] = 2.5
		}
		count := rapid.IntRange(0, 2).Draw(t, "count")
		a["first"], a["count"] = int64(experts), int64(count)
		rows := rapid.IntRange(0, 70).Draw(t, "rows")
		r := kerneltest.NewRand(rapid.Uint64().Draw(t, "seed"))
		logits := r.F32(rows, experts)
		if rapid.Bool().Draw(t, "ties") {
			for i := range logits.F32 {
				logits.F32[i] = float32(r.IntN(5) - 2)
			}
		}
		spoil(t, logits)
		bias := kernels.Tensor{}
		if rapid.Bool().Draw(t, "bias") {
			bias = r.Weights(rapid.SampledFrom(weightFormats[:3]).Draw(t, "format"), experts)
		}
		route := func(set kernels.Set, bias kernels.Tensor) *kernels.Call {
			c := &kernels.Call{In: []kernels.Tensor{logits, bias},
				Out: []kernels.Tensor{kernels.New(dtype.I32, rows, k+count), kernels.New(dtype.F32, rows, k+count)}}
			kerneltest.Run(t, set, "moe.route", a, c)
			return c
		}
		want, got := route(ref.Kernels(), kerneltest.Dequantise(bias)), route(d.Kernels(), bias)
		sameBits(t, "ids and weights", values(got, 0, 1, 1), values(want, 0, 1, 1))
	})
}

// A linear whose columns are cut has the bits of the whole one's columns, and of one linear for each part of the
// weight, in both kernel sets.
func TestLinearSplitIsLinears(t *testing.T) {
	d := device(t, 3)
	rapid.Check(t, func(t *rapid.T) {
		c := drawLinear(t)
		sizes := drawSizes(t, c.n)
		spoil(t, c.x)
		split := func(set kernels.Set, c linearCase) {
			out := make([]kernels.Tensor, len(sizes))
			for i, n := range sizes {
				out[i] = kernels.New(dtype.F32, c.rows, n)
			}
			kerneltest.Run(t, set, "linear.split", c.attrs, &kernels.Call{In: []kernels.Tensor{c.x, c.w, c.bias}, Out: out})
			whole, from := c.run(t, set), 0
			for i, n := range sizes {
				a := kernels.Attrs{"from": int64(from), "to": int64(from + n)}
				sameBits(t, fmt.Sprint("columns of result ", i), out[i], run(t, set, "slice", a, out[i].Shape, whole))
				part := c
				part.n, part.w, part.bias = n, rowsOf(c.w, from, n), rowsOf(c.bias, from, n)
				sameBits(t, fmt.Sprint("part ", i), out[i], part.run(t, set))
				from += n
			}
		}
		split(d.Kernels(), c)
		wide := c
		wide.w, wide.bias = kerneltest.Dequantise(c.w), kerneltest.Dequantise(c.bias)
		split(ref.Kernels(), wide)
	})
}

// drawSizes cuts n columns into parts.
func drawSizes(t *rapid.T, n int) []int {
	var sizes []int
	for n > 0 {
		size := rapid.IntRange(1, n).Draw(t, "size")
		sizes, n = append(sizes, size), n-size
	}
	return sizes
}

// rowsOf copies n rows of a weight, or elements of a bias, from one on.
func rowsOf(w kernels.Tensor, from, n int) kernels.Tensor {
	if !w.Present() {
		return w
	}
	shape := append([]int{n}, w.Shape[1:]...)
	part := kernels.New(w.DType, shape...)
	at, end := from*w.Elems()/w.Shape[0], (from+n)*w.Elems()/w.Shape[0]
	switch w.DType {
	case dtype.F32:
		copy(part.F32, w.F32[at:end])
	case dtype.BF16, dtype.F16:
		copy(part.U16, w.U16[at:end])
	default:
		copy(part.U8, w.U8[w.DType.Bytes(at):w.DType.Bytes(end)])
		scales := len(w.Scale) / w.Shape[0]
		part.Scale = w.Scale[from*scales : (from+n)*scales]
	}
	return part
}

// BenchmarkQKV has one of eight ranks' projections of GLM-4.7's attention: what one product saves over three.
func BenchmarkQKV(b *testing.B) {
	const hidden, q, kv = 5120, 1536, 128
	for _, rows := range []int{1, 64} {
		r := kerneltest.NewRand(1)
		x, w := r.F32(rows, hidden), r.Weights(dtype.BF16, q+2*kv, hidden)
		out := []kernels.Tensor{kernels.New(dtype.F32, rows, q), kernels.New(dtype.F32, rows, kv), kernels.New(dtype.F32, rows, kv)}
		b.Run(fmt.Sprintf("merged/rows=%d", rows), func(b *testing.B) {
			bench(b, "linear.split", nil, &kernels.Call{In: []kernels.Tensor{x, w}, Out: out}, 2*rows*hidden*(q+2*kv), 2*hidden*(q+2*kv))
		})
		b.Run(fmt.Sprintf("apart/rows=%d", rows), func(b *testing.B) {
			d := device(b, 2)
			f := kerneltest.Build(b, d.Kernels(), "linear", nil)
			var calls []*kernels.Call
			for i, from := range []int{0, q, q + kv} {
				calls = append(calls, &kernels.Call{In: []kernels.Tensor{x, rowsOf(w, from, out[i].Last())}, Out: out[i : i+1]})
			}
			for b.Loop() {
				for _, c := range calls {
					if err := f(c); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

// BenchmarkRoute has GLM-4.7's routing, fused and operator by operator.
func BenchmarkRoute(b *testing.B) {
	const experts, k = 160, 8
	a := kernels.Attrs{"score": "sigmoid", "k": int64(k), "groups": int64(1), "keep": int64(1), "normalise": int64(1), "shift": 1e-20, "scale": 2.5,
		"first": int64(experts), "count": int64(1)}
	for _, rows := range []int{1, 64} {
		r := kerneltest.NewRand(1)
		logits, bias := r.F32(rows, experts), r.F32(experts)
		ids, weights := kernels.New(dtype.I32, rows, k+1), kernels.New(dtype.F32, rows, k+1)
		b.Run(fmt.Sprintf("fused/rows=%d", rows), func(b *testing.B) {
			bench(b, "moe.route", a, &kernels.Call{In: []kernels.Tensor{logits, bias}, Out: []kernels.Tensor{ids, weights}}, 20*rows*experts, 4*rows*experts)
		})
		b.Run(fmt.Sprintf("unfused/rows=%d", rows), func(b *testing.B) {
			d := device(b, 2)
			set := d.Kernels()
			scores, sum := kernels.New(dtype.F32, rows, experts), kernels.New(dtype.F32, rows, 1)
			chosen, w := kernels.New(dtype.I32, rows, k), kernels.New(dtype.F32, rows, k)
			type step struct {
				f kernels.Func
				c *kernels.Call
			}
			var steps []step
			add := func(name string, attrs kernels.Attrs, out []kernels.Tensor, in ...kernels.Tensor) {
				steps = append(steps, step{kerneltest.Build(b, set, name, attrs), &kernels.Call{In: in, Out: out}})
			}
			add("act.sigmoid", nil, []kernels.Tensor{scores}, logits)
			add("moe.top_k", a, []kernels.Tensor{chosen, w}, scores, bias)
			add("reduce.sum", nil, []kernels.Tensor{sum}, w)
			add("shift", kernels.Attrs{"by": 1e-20}, []kernels.Tensor{sum}, sum)
			add("div", nil, []kernels.Tensor{w}, w, sum)
			add("scale", kernels.Attrs{"by": 2.5}, []kernels.Tensor{w}, w)
			add("moe.append_shared", a, []kernels.Tensor{ids, weights}, chosen, w)
			for b.Loop() {
				for _, s := range steps {
					if err := s.f(s.c); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

// BenchmarkAddNorm has GLM-4.7's residual: what one kernel saves over two.
func BenchmarkAddNorm(b *testing.B) {
	const hidden = 5120
	for _, rows := range []int{1, 64} {
		r := kerneltest.NewRand(1)
		x, y, w := r.F32(rows, hidden), r.F32(rows, hidden), r.F32(hidden)
		attrs := kernels.Attrs{"eps": 1e-5}
		b.Run(fmt.Sprintf("fused/rows=%d", rows), func(b *testing.B) {
			bench(b, "norm.add_rms", attrs, &kernels.Call{In: []kernels.Tensor{x, y, w}, Out: like(x, 2)}, 6*rows*hidden, 16*rows*hidden)
		})
		b.Run(fmt.Sprintf("unfused/rows=%d", rows), func(b *testing.B) {
			d := device(b, 2)
			add, norm := kerneltest.Build(b, d.Kernels(), "add", nil), kerneltest.Build(b, d.Kernels(), "norm.rms", attrs)
			out := like(x, 2)
			for b.Loop() {
				if add(&kernels.Call{In: []kernels.Tensor{x, y}, Out: out[:1]}) != nil ||
					norm(&kernels.Call{In: []kernels.Tensor{out[0], w}, Out: out[1:]}) != nil {
					b.Fatal("a kernel failed")
				}
			}
		})
	}
}

// A gate has the bits that act.silu and mul give, in both kernel sets, whose SiLU differs by 3 units in the last place.
func TestSwiGLUIsSiLUThenMul(t *testing.T) {
	d := device(t, 3)
	rapid.Check(t, func(t *rapid.T) {
		r := kerneltest.NewRand(rapid.Uint64().Draw(t, "seed"))
		rows, dim := rapid.IntRange(0, 40).Draw(t, "rows"), rapid.IntRange(1, 600).Draw(t, "D")
		gate, up := r.F32(rows, dim), r.F32(rows, dim)
		for i := range gate.F32 {
			gate.F32[i] *= 40 // as far as SiLU is 0 or the identity
		}
		spoil(t, gate)
		spoil(t, up)
		want := run(t, ref.Kernels(), "act.silu", nil, gate.Shape, gate)
		for name, set := range map[string]kernels.Set{"cpu": d.Kernels(), "ref": ref.Kernels()} {
			silu := run(t, set, "act.silu", nil, gate.Shape, gate)
			for i, v := range want.F32 {
				if !(ulps(silu.F32[i], float64(v)) <= 3) {
					t.Fatalf("%s: SiLU of %g is %g, want %g", name, gate.F32[i], silu.F32[i], v)
				}
			}
			sameBits(t, name, run(t, set, "act.swiglu", nil, gate.Shape, gate, up), run(t, set, "mul", nil, gate.Shape, silu, up))
		}
	})
}

// Products of rows that quant.rows quantised have the bits of products that quantise their rows themselves, which are
// held against the reference elsewhere; and operators that quantise what they give, those of the two in a row.
func TestQuantisedRows(t *testing.T) {
	set := device(t, 3).Kernels()
	rapid.Check(t, func(t *rapid.T) {
		r := kerneltest.NewRand(rapid.Uint64().Draw(t, "seed"))
		rows, dim, n := rapid.IntRange(0, 40).Draw(t, "rows"), rapid.IntRange(1, 300).Draw(t, "D"), rapid.IntRange(1, 50).Draw(t, "N")
		x, y, w := r.F32(rows, dim), r.F32(rows, dim), r.F32(dim)
		spoil(t, x)
		call := func(name string, a kernels.Attrs, out []kernels.Tensor, in ...kernels.Tensor) []kernels.Tensor {
			kerneltest.Run(t, set, name, a, &kernels.Call{In: in, Out: out, Comm: kerneltest.Peers{Ranks: 2}})
			return out
		}
		codes := func() []kernels.Tensor {
			return []kernels.Tensor{kernels.New(dtype.F8E4M3, rows, dim), kernels.New(dtype.F32, rows, 1)}
		}
		same := func(what string, got, want []kernels.Tensor) {
			sameBits(t, what, values(&kernels.Call{Out: got}, 0, 1, 1), values(&kernels.Call{Out: want}, 0, 1, 1))
		}
		wide := func(n int) []kernels.Tensor { return []kernels.Tensor{kernels.New(dtype.F32, rows, n)} }
		q := call("quant.rows", nil, codes(), x)
		same("quant.rows", q, func() []kernels.Tensor { c := codes(); kerneltest.Quantise(x, c[0], c[1]); return c }())

		weight, bias := r.Weights(dtype.F8E4M3, n, dim), r.F32(n)
		same("linear", call("linear.w8a8", nil, wide(n), q[0], q[1], weight, bias), call("linear", kernels.Attrs{"act": "fp8_e4m3"}, wide(n), x, weight, bias))
		cut := func() []kernels.Tensor { return slices.Concat(wide(n), wide(1)) }
		weight, bias = r.Weights(dtype.F8E4M3, n+1, dim), r.F32(n+1)
		same("linear.split", call("linear.split_w8a8", nil, cut(), q[0], q[1], weight, bias), call("linear.split", kernels.Attrs{"act": "fp8_e4m3"}, cut(), x, weight, bias))
		mlp := []kernels.Tensor{r.Distinct(4, rows, 2), r.F32(rows, 2), r.Weights(dtype.F8E4M3, 4, n, dim), r.Weights(dtype.F8E4M3, 4, n, dim), r.Weights(dtype.F8E4M3, 4, dim, n)}
		a := kernels.Attrs{"activation": "silu", "act": "fp8_e4m3"}
		same("experts", call("moe.experts_w8a8", a, wide(dim), slices.Concat(q, mlp)...), call("moe.experts", a, wide(dim), slices.Concat([]kernels.Tensor{x}, mlp)...))

		for name, in := range map[string][]kernels.Tensor{"norm.rms": {x, w}, "norm.add_rms": {x, y, w}, "act.swiglu": {x, y}, "comm.all_reduce_add_rms": {x, y, w}} {
			results := 1
			if strings.HasSuffix(name, "add_rms") {
				results = 2
			}
			base := call(name, kernels.Attrs{"eps": 1e-5}, like(x, results), in...)
			want := slices.Concat(base, call("quant.rows", nil, codes(), base[results-1]))
			same(name+", plain", call(name+"_quant", kernels.Attrs{"eps": 1e-5, "plain": int64(1)}, slices.Concat(like(x, results), codes()), in...), want)
			want = slices.Delete(want, results-1, results)
			same(name, call(name+"_quant", kernels.Attrs{"eps": 1e-5}, slices.Concat(like(x, results-1), codes()), in...), want)
		}
	})
}
