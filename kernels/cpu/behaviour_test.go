package cpu

import (
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/kernels/kerneltest"
	"github.com/glmc/glmc/kernels/ref"
)

// steps is one call of every operator that this package has its own kernel for, over x [T, 32].
func steps(r kerneltest.Rand, tokens int, format dtype.DType) map[string]struct {
	attrs kernels.Attrs
	call  *kernels.Call
} {
	const h, i, e, k, heads, dim = 32, 24, 6, 2, 2, 8
	b := r.Batch(dtype.BF16, 8, heads, dim, 1, kerneltest.Sequence{Cached: 70, Rows: tokens - 1})
	x, out := r.F32(tokens, h), kernels.New(dtype.F32, tokens, h)
	q, qOut := r.F32(tokens, 4, dim), kernels.New(dtype.F32, tokens, 4, dim)
	type step = struct {
		attrs kernels.Attrs
		call  *kernels.Call
	}
	call := func(out kernels.Tensor, in ...kernels.Tensor) *kernels.Call {
		return &kernels.Call{In: in, Out: []kernels.Tensor{out}, Cache: b.Cache}
	}
	rope := kernels.Attrs{"eps": 1e-5, "dims": int64(4), "theta": 1e6}
	quantised := func() (codes, scales kernels.Tensor) {
		return kernels.New(dtype.F8E4M3, tokens, h), kernels.New(dtype.F32, tokens, 1)
	}
	twice := func(in ...kernels.Tensor) *kernels.Call { // a plain result, and its codes
		codes, scales := quantised()
		return &kernels.Call{In: in, Out: []kernels.Tensor{out, codes, scales}}
	}
	once := func(in ...kernels.Tensor) *kernels.Call {
		c := twice(in...)
		c.Out = c.Out[1:]
		return c
	}
	codes, scales := quantised()
	kerneltest.Quantise(x, codes, scales)
	return map[string]step{
		"quant.rows":  {nil, once(x)},
		"linear.w8a8": {nil, call(kernels.New(dtype.F32, tokens, h), codes, scales, r.Weights(format, h, h), r.F32(h))},
		"linear.split_w8a8": {kernels.Attrs{"sizes": []int64{h, 3, 1}}, &kernels.Call{In: []kernels.Tensor{codes, scales, r.Weights(format, h+4, h), r.F32(h + 4)},
			Out: []kernels.Tensor{kernels.New(dtype.F32, tokens, h), kernels.New(dtype.F32, tokens, 3), kernels.New(dtype.F32, tokens, 1)}}},
		"moe.experts_w8a8": {kernels.Attrs{"activation": "silu"}, call(kernels.New(dtype.F32, tokens, h), codes, scales, r.Distinct(e, tokens, k), r.F32(tokens, k),
			r.Weights(format, e, i, h), r.Weights(format, e, i, h), r.Weights(format, e, h, i))},
		"norm.rms_quant":                {rope, once(x, r.F32(h))},
		"act.swiglu_quant":              {nil, once(x, r.F32(tokens, h))},
		"norm.add_rms_quant":            {rope, twice(x, r.F32(tokens, h), r.F32(h))},
		"comm.all_reduce_add_rms_quant": {rope, twice(x, r.F32(tokens, h), r.F32(h))},
		"embed":                         {nil, call(out, r.IDs(9, tokens), r.Weights(format, 9, h))},
		"linear.f32":                    {nil, call(out, x, r.Weights(format, h, h), kernels.Tensor{})},
		"linear":                        {kernels.Attrs{"act": "fp8_e4m3"}, call(out, x, r.Weights(format, h, h), r.F32(h))},
		"norm.rms":                      {rope, call(out, x, r.F32(h))},
		"linear.split": {kernels.Attrs{"sizes": []int64{h, 3, 1}}, &kernels.Call{In: []kernels.Tensor{x, r.Weights(format, h+4, h), r.F32(h + 4)},
			Out: []kernels.Tensor{out, kernels.New(dtype.F32, tokens, 3), kernels.New(dtype.F32, tokens, 1)}}},
		"norm.add_rms": {rope, &kernels.Call{In: []kernels.Tensor{x, r.F32(tokens, h), r.Weights(narrow(format), h)},
			Out: []kernels.Tensor{out, kernels.New(dtype.F32, tokens, h)}}},
		"comm.all_reduce_add_rms": {rope, &kernels.Call{In: []kernels.Tensor{x, r.F32(tokens, h), r.Weights(narrow(format), h)},
			Out: []kernels.Tensor{out, kernels.New(dtype.F32, tokens, h)}}},
		"rope.apply": {rope, call(qOut, q, b.Pos)},
		"add":        {nil, call(out, x, r.F32(tokens, h))},
		"mul":        {nil, call(out, x, r.Weights(dtype.BF16, h))},
		"act.silu":   {nil, call(out, x)},
		"act.swiglu": {nil, call(out, x, r.F32(tokens, h))},
		"moe.route": {kernels.Attrs{"score": "sigmoid", "k": int64(3), "groups": int64(4), "keep": int64(2), "normalise": int64(1), "shift": 1e-20, "scale": 2.5, "first": int64(32), "count": int64(1)},
			&kernels.Call{In: []kernels.Tensor{x, r.Weights(narrow(format), h)}, Out: []kernels.Tensor{kernels.New(dtype.I32, tokens, 4), kernels.New(dtype.F32, tokens, 4)}}},
		"moe.experts":         {kernels.Attrs{"activation": "silu"}, call(out, x, r.Distinct(e, tokens, k), r.F32(tokens, k), r.Weights(format, e, i, h), r.Weights(format, e, i, h), r.Weights(format, e, h, i))},
		"attn.paged":          {kernels.Attrs{"scale": 0.5}, call(qOut, q, b.Pos, b.Starts, b.Pages)},
		"attn.qknorm_rope_kv": {rope, call(qOut, q, r.F32(tokens, heads, dim), r.F32(tokens, heads, dim), r.F32(dim), r.F32(dim), b.Pos, b.Slots)},
	}
}

// narrow is the format for weights of operators that know no scales.
func narrow(format dtype.DType) dtype.DType {
	if format == dtype.F8E4M3 {
		return dtype.BF16
	}
	return format
}

// values copies all results, one behind the other, indices as numbers; of each those of rows lo to hi-1 out of n.
func values(c *kernels.Call, lo, hi, n int) kernels.Tensor {
	var all []float32
	for i := range c.Out {
		t := &c.Out[i]
		size := t.Elems() / n
		if t.DType == dtype.I32 {
			for _, v := range t.I32[lo*size : hi*size] {
				all = append(all, float32(v))
			}
			continue
		}
		part := make([]float32, (hi-lo)*size)
		t.Load(part, lo*size)
		all = append(all, part...)
	}
	return kernels.FromF32(all)
}

// One thread: with more, a worker that gets its first chunk late makes its scratch late. See
// TestPoolDoesNotAllocate for the rest.
func TestSteadyStateDoesNotAllocate(t *testing.T) {
	set := device(t, 1).Kernels()
	for _, format := range weightFormats {
		for name, s := range steps(kerneltest.NewRand(1), 40, format) {
			f := kerneltest.Build(t, set, name, s.attrs)
			if n := testing.AllocsPerRun(5, func() {
				if err := f(s.call); err != nil {
					t.Fatal(err)
				}
			}); n > 0 {
				t.Errorf("%s with %v weights: %g allocations a call", name, format, n)
			}
		}
	}
}

// A kernel may see steps of any size in turn: what is left in its scratch does not show.
func TestScratchIsReusable(t *testing.T) {
	set := device(t, 2).Kernels()
	for _, format := range weightFormats {
		used := map[string]kernels.Func{}
		for _, tokens := range []int{17, 1, 33, 2} {
			for name, s := range steps(kerneltest.NewRand(uint64(tokens)), tokens, format) {
				if used[name] == nil {
					used[name] = kerneltest.Build(t, set, name, s.attrs)
				}
				if err := used[name](s.call); err != nil {
					t.Fatal(err)
				}
				got := values(s.call, 0, tokens, tokens)
				kerneltest.Run(t, set, name, s.attrs, s.call)
				sameBits(t, name, got, values(s.call, 0, tokens, tokens))
			}
		}
	}
}

// Damaged values spread as they do; they neither crash a kernel nor reach other rows.
func TestDamagedValuesStayInTheirRow(t *testing.T) {
	set := device(t, 2).Kernels()
	for _, bad := range []float32{nan, inf, -inf, 3e38} {
		for _, format := range weightFormats {
			for name, s := range steps(kerneltest.NewRand(1), 5, format) {
				if name == "embed" {
					continue // its first operand is ids
				}
				kerneltest.Run(t, set, name, s.attrs, s.call)
				clean := map[int]kernels.Tensor{}
				for _, r := range []int{0, 1, 3, 4} {
					clean[r] = values(s.call, r, r+1, 5)
				}
				for i, out := range s.call.Out {
					s.call.Out[i] = kernels.New(out.DType, out.Shape...)
				}
				x := &s.call.In[0]
				n := x.Elems() / 5
				for i := 2 * n; i < 3*n; i++ {
					if x.DType == dtype.F8E4M3 {
						x.U8[i] = dtype.F32ToF8E4M3(bad)
					} else {
						x.F32[i] = bad
					}
				}
				kerneltest.Run(t, set, name, s.attrs, s.call)
				for r, want := range clean {
					sameBits(t, name, values(s.call, r, r+1, 5), want)
				}
			}
		}
	}
}

// Keys and values may be damaged too.
func TestDamagedCache(t *testing.T) {
	set := device(t, 2).Kernels()
	for _, bad := range []float32{nan, inf, -inf} {
		s := steps(kerneltest.NewRand(1), 5, dtype.F32)["attn.paged"]
		for i := range s.call.Cache.K.U16 {
			s.call.Cache.K.U16[i] = dtype.F32ToBF16(bad)
		}
		kerneltest.Run(t, set, "attn.paged", s.attrs, s.call)
		if v := s.call.Out[0].F32[0]; v == v {
			t.Errorf("attention over keys of %g is %g, want NaN", bad, v)
		}
	}
}

// The same words for the same mistakes as the reference.
func TestErrorsAreTheReferences(t *testing.T) {
	cpuSet, refSet := device(t, 2).Kernels(), ref.Kernels()
	for _, tc := range []struct {
		op    string
		spoil func(c *kernels.Call)
	}{
		{"embed", func(c *kernels.Call) { c.In[0].I32[3] = 9 }},
		{"moe.experts", func(c *kernels.Call) { c.In[1].I32[3] = -1 }},
		{"moe.experts_w8a8", func(c *kernels.Call) { c.In[2].I32[3] = -1 }},
		{"attn.paged", func(c *kernels.Call) { c.In[3].I32[1] = 1000 }},
		{"attn.paged", func(c *kernels.Call) { c.In[1].I32[2] = 1 << 20 }},
		{"attn.paged", func(c *kernels.Call) { c.Cache = nil }},
		{"attn.qknorm_rope_kv", func(c *kernels.Call) { c.In[6].I32[0] = 1 << 20 }},
		{"attn.qknorm_rope_kv", func(c *kernels.Call) { c.In[6].I32[0] = c.In[6].I32[1] }},
		{"attn.qknorm_rope_kv", func(c *kernels.Call) { c.Cache = nil }},
	} {
		s := steps(kerneltest.NewRand(1), 6, dtype.F32)[tc.op]
		tc.spoil(s.call)
		got, want := kerneltest.Build(t, cpuSet, tc.op, s.attrs)(s.call), kerneltest.Build(t, refSet, tc.op, s.attrs)(s.call)
		if want == nil || got == nil || got.Error() != want.Error() {
			t.Errorf("%s: %v, want %v", tc.op, got, want)
		}
	}
	for name := range steps(kerneltest.NewRand(1), 2, dtype.F32) {
		bad := kernels.Attrs{"act": 1.5, "plain": "x"}
		_, got := cpuSet[name](bad)
		_, want := refSet[name](bad)
		if (got == nil) != (want == nil) || got != nil && got.Error() != want.Error() {
			t.Errorf("attributes of %s: %v, want %v", name, got, want)
		}
	}
}

// Ranks of one process may share a device.
func TestConcurrentCallers(t *testing.T) {
	d := device(t, 2)
	var wg sync.WaitGroup
	for rank := range 3 {
		wg.Go(func() {
			set := d.Kernels()
			for name, s := range steps(kerneltest.NewRand(uint64(rank)), 60, dtype.BF16) {
				f, err := set[name](s.attrs)
				if err != nil {
					t.Error(err)
					return
				}
				var first []float32
				for range 20 {
					if err := f(s.call); err != nil {
						t.Error(err)
						return
					}
					if got := values(s.call, 0, 60, 60).F32; first == nil {
						first = got
					} else if diff := cmp.Diff(first, got); diff != "" {
						t.Errorf("%s changed its result\n%s", name, diff)
						return
					}
				}
			}
		})
	}
	wg.Wait()
}
