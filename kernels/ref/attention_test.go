package ref

import (
	"errors"
	"math"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/kernels/kerneltest"
)

var cacheFormats = []dtype.DType{dtype.F32, dtype.BF16, dtype.F8E4M3}

func TestKVWrite(t *testing.T) {
	for _, d := range cacheFormats {
		t.Run(d.String(), func(t *testing.T) {
			cache := kernels.NewCache(d, 2, 2, 1, 2, 2)
			k := kernels.FromF32([]float32{1, -2, 3, 1e6, 5, nan}, 3, 1, 2)
			v := kernels.FromF32([]float32{10, 20, 30, 40, 50, 60}, 3, 1, 2)
			kerneltest.Run(t, Kernels(), "kv.write", nil, &kernels.Call{
				In: []kernels.Tensor{k, v, kernels.FromI32([]int32{3, -1, 0}, 3)}, Cache: cache})
			gotK, gotV := kerneltest.Dequantise(cache.K), kerneltest.Dequantise(cache.V)
			equal(t, gotK.F32, []float32{5, nan, 0, 0, 0, 0, 1, -2})
			fifty := float32(50)
			if d == dtype.F8E4M3 {
				fifty = 48 // 50 lies half way between 48 and 52
			}
			equal(t, gotV.F32, []float32{fifty, 60, 0, 0, 0, 0, 10, 20})

			kerneltest.Run(t, Kernels(), "kv.write", nil, &kernels.Call{
				In: []kernels.Tensor{k, v, kernels.FromI32([]int32{-1, 1, -1}, 3)}, Cache: cache})
			big := map[dtype.DType]float32{dtype.F32: 1e6, dtype.BF16: 999424, dtype.F8E4M3: 448}[d]
			equal(t, kerneltest.Dequantise(cache.K).F32[2:4], []float32{3, big})
		})
	}
}

func TestKVWriteRejects(t *testing.T) {
	write := kerneltest.Build(t, Kernels(), "kv.write", nil)
	in := func(slots ...int32) []kernels.Tensor {
		return []kernels.Tensor{kernels.New(dtype.F32, len(slots), 1, 1), kernels.New(dtype.F32, len(slots), 1, 1),
			kernels.FromI32(slots, len(slots))}
	}
	cache := kernels.NewCache(dtype.F32, 70, 1, 1, 1, 1)
	for _, tc := range []struct {
		slots []int32
		want  string
	}{
		{[]int32{0, 70}, "row 1: KV slot 70"},
		{[]int32{-2}, "KV slot -2"},
		{[]int32{69, -1, 69}, "row 2: KV slot 69 is written twice"},
	} {
		wantError(t, write(&kernels.Call{In: in(tc.slots...), Cache: cache}), tc.want)
	}
	// Nothing of a failed call is remembered.
	if err := write(&kernels.Call{In: in(0, 69, -1, -1), Cache: cache}); err != nil {
		t.Error(err)
	}
	if err := write(&kernels.Call{In: in(0)}); !errors.Is(err, kernels.ErrNoCache) {
		t.Errorf("without a cache: %v", err)
	}
}

// TestKVSend: the slots of rows that are no padding are handed on, with the cache that they lie in, and nothing is
// where nobody wants them.
func TestKVSend(t *testing.T) {
	send := kerneltest.Build(t, Kernels(), "kv.send", nil)
	cache := kernels.NewCache(dtype.F32, 2, 2, 1, 1, 1)
	var got [][]int32
	call := &kernels.Call{In: []kernels.Tensor{kernels.FromI32([]int32{3, -1, 0}, 3)}, Cache: cache,
		Send: func(c *kernels.Cache, slots []int32) error {
			if c != cache {
				t.Error("another cache")
			}
			got = append(got, slices.Clone(slots))
			return nil
		}}
	for range 2 {
		if err := send(call); err != nil {
			t.Fatal(err)
		}
	}
	if diff := gocmp.Diff([][]int32{{3, 0}, {3, 0}}, got); diff != "" {
		t.Errorf("the slots (-want +got):\n%s", diff)
	}
	full := errors.New("the link is down")
	call.Send = func(*kernels.Cache, []int32) error { return full }
	if err := send(call); !errors.Is(err, full) {
		t.Errorf("got error %v, want that of the transfer", err)
	}
	call.Send = nil
	if err := send(call); err != nil {
		t.Errorf("nobody to send to: %v", err)
	}
	call.In[0] = kernels.FromI32([]int32{4}, 1)
	wantError(t, send(call), "row 0: KV slot 4")
	call.Cache = nil
	if err := send(call); !errors.Is(err, kernels.ErrNoCache) {
		t.Errorf("without a cache: %v", err)
	}
}

// attend is the definition, in float64, of one head of one row.
func attend(q []float32, cache *kernels.Cache, pages []int32, h, pos int, scale float64) []float64 {
	k, v := kerneltest.Dequantise(cache.K).F32, kerneltest.Dequantise(cache.V).F32
	out := make([]float64, cache.ValueDim)
	var sum float64
	for p := 0; p <= pos; p++ {
		slot := int(pages[p/cache.PageSize])*cache.PageSize + p%cache.PageSize
		row := slot*cache.Heads + h
		var dot float64
		for i := range q {
			dot += float64(q[i]) * float64(k[row*cache.HeadDim+i])
		}
		w := math.Exp(dot * scale) // scores are small: no maximum subtracted
		sum += w
		for i := range out {
			out[i] += w * float64(v[row*cache.ValueDim+i])
		}
	}
	for i := range out {
		out[i] /= sum
	}
	return out
}

func TestAttnPaged(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := kerneltest.NewRand(rapid.Uint64().Draw(t, "seed"))
		heads, group, d := rapid.IntRange(1, 3).Draw(t, "heads"), rapid.IntRange(1, 3).Draw(t, "group"), rapid.IntRange(1, 8).Draw(t, "D")
		pageSize := rapid.IntRange(1, 5).Draw(t, "page size")
		seqs := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) kerneltest.Sequence {
			return kerneltest.Sequence{Cached: rapid.IntRange(0, 9).Draw(t, "cached"), Rows: rapid.IntRange(0, 4).Draw(t, "rows")}
		}), 0, 3).Draw(t, "sequences")
		format := rapid.SampledFrom(cacheFormats).Draw(t, "format")
		dv := rapid.IntRange(1, 8).Draw(t, "V")
		b := r.UnequalBatch(format, pageSize, heads, d, dv, rapid.IntRange(0, 2).Draw(t, "padding"), seqs...)
		q := r.F32(len(b.Pos.I32), heads*group, d)
		out := r.F32(len(b.Pos.I32), heads*group, dv) // left-overs of another step
		const scale = 0.3
		kerneltest.Run(t, Kernels(), "attn.paged", kernels.Attrs{"scale": scale}, &kernels.Call{
			In: []kernels.Tensor{q, b.Pos, b.Starts, b.Pages}, Out: []kernels.Tensor{out}, Cache: b.Cache})

		want := make([]float64, len(out.F32))
		for i := range seqs {
			table := b.Pages.I32[i*b.Pages.Last():]
			for row := int(b.Starts.I32[i]); row < int(b.Starts.I32[i+1]); row++ {
				for h := range heads * group {
					at := row*heads*group + h
					copy(want[at*dv:], attend(q.F32[at*d:(at+1)*d], b.Cache, table, h/group, int(b.Pos.I32[row]), scale))
				}
			}
		}
		for i := range want {
			if math.Abs(float64(out.F32[i])-want[i]) > 1e-4*max(1, math.Abs(want[i])) {
				t.Fatalf("value %d is %g, want %g", i, out.F32[i], want[i])
			}
		}
	})
}

// Scores of 1e4 would overflow without the subtraction of the maximum.
func TestAttnPagedSubtractsTheMaximum(t *testing.T) {
	cache := kernels.NewCache(dtype.F32, 4, 1, 1, 1, 1)
	copy(cache.K.F32, []float32{1e4, 1e4, 0, 7})
	copy(cache.V.F32, []float32{2, 4, 100, 7})
	out := kernels.New(dtype.F32, 1, 1, 1)
	kerneltest.Run(t, Kernels(), "attn.paged", kernels.Attrs{"scale": 1.0}, &kernels.Call{
		In: []kernels.Tensor{kernels.FromF32([]float32{1}, 1, 1, 1), kernels.FromI32([]int32{2}, 1), kernels.FromI32([]int32{0, 1}, 2),
			kernels.FromI32([]int32{0}, 1, 1)}, Out: []kernels.Tensor{out}, Cache: cache})
	equal(t, out.F32, []float32{3})
}

func TestAttnPagedRejects(t *testing.T) {
	cache := kernels.NewCache(dtype.F32, 2, 3, 1, 1, 1)
	for _, tc := range []struct {
		name               string
		pos, starts, pages []int32
		want               string
	}{
		{"page too large", []int32{3}, []int32{0, 1}, []int32{0, 3}, "KV page 3 (entry 1)"},
		{"page negative", []int32{0}, []int32{0, 1}, []int32{-1, 0}, "KV page -1"},
		{"position beyond the pages", []int32{4}, []int32{0, 1}, []int32{0, 1}, "position 4"},
		{"negative position", []int32{-1}, []int32{0, 1}, []int32{0, 1}, "position -1"},
		{"rows beyond the step", []int32{0}, []int32{0, 2}, []int32{0, 1}, "rows 0 to 2"},
		{"descending starts", []int32{0}, []int32{1, 0}, []int32{0, 1}, "rows 1 to 0"},
		{"negative start", []int32{0}, []int32{-1, 1}, []int32{0, 1}, "rows -1 to 1"},
		{"no starts", []int32{0}, nil, nil, "starts are missing"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := kerneltest.Build(t, Kernels(), "attn.paged", kernels.Attrs{"scale": 1.0})(&kernels.Call{
				In: []kernels.Tensor{kernels.New(dtype.F32, len(tc.pos), 1, 1), kernels.FromI32(tc.pos, len(tc.pos)),
					kernels.FromI32(tc.starts, len(tc.starts)), kernels.FromI32(tc.pages, len(tc.pages)/2, 2)},
				Out: []kernels.Tensor{kernels.New(dtype.F32, len(tc.pos), 1, 1)}, Cache: cache})
			wantError(t, err, tc.want)
		})
	}
	// A page that no position needs may be anything.
	kerneltest.Run(t, Kernels(), "attn.paged", kernels.Attrs{"scale": 1.0}, &kernels.Call{
		In: []kernels.Tensor{kernels.New(dtype.F32, 1, 1, 1), kernels.FromI32([]int32{1}, 1), kernels.FromI32([]int32{0, 1}, 2),
			kernels.FromI32([]int32{2, -7}, 1, 2)}, Out: []kernels.Tensor{kernels.New(dtype.F32, 1, 1, 1)}, Cache: cache})
	err := kerneltest.Build(t, Kernels(), "attn.paged", kernels.Attrs{"scale": 1.0})(&kernels.Call{
		In: make([]kernels.Tensor, 4), Out: make([]kernels.Tensor, 1)})
	if !errors.Is(err, kernels.ErrNoCache) {
		t.Errorf("without a cache: %v", err)
	}
}

// The fused operator against the steps that it stands for, bit by bit.
func TestQKNormRopeKV(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := kerneltest.NewRand(rapid.Uint64().Draw(t, "seed"))
		heads, group, half := rapid.IntRange(1, 2).Draw(t, "heads"), rapid.IntRange(1, 3).Draw(t, "group"), rapid.IntRange(0, 3).Draw(t, "half")
		d := 2*half + rapid.IntRange(1, 3).Draw(t, "rest")
		b := r.Batch(rapid.SampledFrom(cacheFormats).Draw(t, "format"), 4, heads, d, rapid.IntRange(0, 2).Draw(t, "padding"),
			kerneltest.Sequence{Cached: 3, Rows: 3}, kerneltest.Sequence{Rows: rapid.IntRange(0, 2).Draw(t, "rows")})
		rows := len(b.Pos.I32)
		q, k, v := r.F32(rows, heads*group, d), r.F32(rows, heads, d), r.F32(rows, heads, d)
		var qNorm, kNorm kernels.Tensor
		if rapid.Bool().Draw(t, "normed") {
			qNorm, kNorm = r.F32(d), r.F32(d)
		}
		attrs := kernels.Attrs{"eps": 1e-5, "dims": int64(2 * half), "theta": 1e6}
		if rapid.Bool().Draw(t, "interleaved") {
			attrs["interleaved"] = int64(1)
		}
		if rapid.Bool().Draw(t, "scaled") {
			attrs["scaling"], attrs["factor"], attrs["attention_factor"] = "yarn", 4.0, 1.25
			attrs["original_max_position_embeddings"], attrs["beta_fast"], attrs["beta_slow"] = int64(64), 32.0, 1.0
		}

		fused := kernels.New(dtype.F32, q.Shape...)
		cache := kerneltest.Clone(b.Cache)
		kerneltest.Run(t, Kernels(), "attn.qknorm_rope_kv", attrs, &kernels.Call{
			In: []kernels.Tensor{q, k, v, qNorm, kNorm, b.Pos, b.Slots}, Out: []kernels.Tensor{fused}, Cache: cache})

		step := func(name string, in ...kernels.Tensor) kernels.Tensor {
			out := kernels.New(dtype.F32, in[0].Shape...)
			kerneltest.Run(t, Kernels(), name, attrs, &kernels.Call{In: in, Out: []kernels.Tensor{out}, Cache: b.Cache})
			return out
		}
		if qNorm.Present() {
			q, k = step("norm.rms", q, qNorm), step("norm.rms", k, kNorm)
		}
		q, k = step("rope.apply", q, b.Pos), step("rope.apply", k, b.Pos)
		step("kv.write", k, v, b.Slots)
		if diff := gocmp.Diff(q.F32, fused.F32); diff != "" {
			t.Fatalf("q (-unfused +fused)\n%s", diff)
		}
		if diff := gocmp.Diff(b.Cache, cache); diff != "" {
			t.Fatalf("cache (-unfused +fused)\n%s", diff)
		}
	})
}

func TestQKNormRopeKVRejectsSlots(t *testing.T) {
	attrs := kernels.Attrs{"eps": 1e-5, "dims": int64(2), "theta": 1e6}
	one := kernels.New(dtype.F32, 1, 1, 2)
	err := kerneltest.Build(t, Kernels(), "attn.qknorm_rope_kv", attrs)(&kernels.Call{
		In:    []kernels.Tensor{one, one, one, {}, {}, kernels.FromI32([]int32{0}, 1), kernels.FromI32([]int32{4}, 1)},
		Out:   []kernels.Tensor{kernels.New(dtype.F32, 1, 1, 2)},
		Cache: kernels.NewCache(dtype.F32, 2, 2, 1, 2, 2)})
	wantError(t, err, "KV slot 4")
}
