package cpu

import (
	"fmt"
	"math"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/kernels/kerneltest"
	"github.com/glmc/glmc/kernels/ref"
)

func attend(t kerneltest.TB, set kernels.Set, b kerneltest.Batch, q kernels.Tensor, scale float64) kernels.Tensor {
	t.Helper()
	out := kernels.New(dtype.F32, q.Shape[0], q.Shape[1], b.Cache.ValueDim)
	for i := range out.F32 {
		out.F32[i] = 12345 // left-overs of another step
	}
	kerneltest.Run(t, set, "attn.paged", kernels.Attrs{"scale": scale}, &kernels.Call{
		In: []kernels.Tensor{q, b.Pos, b.Starts, b.Pages, b.Parents}, Out: []kernels.Tensor{out}, Cache: b.Cache})
	return out
}

// attendCase is a random call of attention: batches of sequences over pages of any size, with rows of padding.
type attendCase struct {
	batch kerneltest.Batch
	q     kernels.Tensor
	scale float64
}

func drawAttend(t *rapid.T, cached *rapid.Generator[int]) attendCase {
	r := kerneltest.NewRand(rapid.Uint64().Draw(t, "seed"))
	heads := rapid.IntRange(1, 3).Draw(t, "heads")
	group := rapid.OneOf(rapid.IntRange(1, 14), rapid.SampledFrom([]int{24, 80})).Draw(t, "group")
	dims := rapid.OneOf(rapid.IntRange(1, 70), rapid.SampledFrom([]int{64, 80, 96, 128, 192, 256}))
	dim, values := dims.Draw(t, "D"), dims.Draw(t, "V")
	seqs := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) kerneltest.Sequence {
		return kerneltest.Sequence{Cached: cached.Draw(t, "cached"), Rows: rapid.IntRange(0, 9).Draw(t, "rows")}
	}), 0, 3).Draw(t, "sequences")
	format := rapid.SampledFrom(cacheFormats).Draw(t, "format")
	pageSize := rapid.SampledFrom([]int{1, 3, 16, 64, 128}).Draw(t, "page size")
	b := r.UnequalBatch(format, pageSize, heads, dim, values, rapid.IntRange(0, 2).Draw(t, "padding"), seqs...)
	sign := rapid.SampledFrom([]float64{1, 1, 1, -1}).Draw(t, "sign")
	return attendCase{b, r.F32(len(b.Pos.I32), heads*group, dim), sign / math.Sqrt(float64(dim))}
}

// rounds reports whether a device's attention over such a cache rounds queries and weights to bfloat16.
func (c attendCase) rounds(d *Device) bool {
	return d.panels != nil && attnReads(c.batch.Cache.DType)
}

// against holds a device's attention against the reference with the same queries, rounded where the device rounds them.
//
// Error bound: what each value contributes, weight times magnitude, times the error of a weight. A weight is rounded to
// bfloat16 (2^-8) where queries are, and carries the float32 noise of its score. A score is a sum of at most 256
// products, of size 13 at most, scaled: 256 * 2^-24 * 13 = 2^-12.3, twice, since the sum of weights has it too.
func (c attendCase) against(t kerneltest.TB, d *Device) {
	t.Helper()
	got := attend(t, d.Kernels(), c.batch, c.q, c.scale)
	q, bound := c.q, 0x1p-11
	if c.rounds(d) {
		q, bound = kerneltest.RoundBF16(q), 0x1p-8+0x1p-11
	}
	want := attend(t, ref.Kernels(), c.batch, q, c.scale)
	b := c.batch
	b.Cache = kerneltest.Clone(b.Cache)
	v := absolute(kerneltest.Dequantise(b.Cache.V))
	b.Cache.V.Store(0, v.F32)
	size := attend(t, ref.Kernels(), b, q, c.scale)
	for i := range want.F32 {
		if diff := math.Abs(float64(got.F32[i] - want.F32[i])); !(diff <= bound*float64(size.F32[i])) {
			t.Fatalf("value %d is %g, want %g: off by %g of %g", i, got.F32[i], want.F32[i], diff, size.F32[i])
		}
	}
}

func TestAttnPagedAgainstRef(t *testing.T) {
	d := device(t, 2)
	cached := rapid.OneOf(rapid.IntRange(0, 5), rapid.SampledFrom([]int{63, 64, 65, 127, 128, 200, 511, 512, 513}))
	rapid.Check(t, func(t *rapid.T) { drawAttend(t, cached).against(t, d) })
}

// Contexts of several chunks.
func TestAttnPagedLongAgainstRef(t *testing.T) {
	d := device(t, 3)
	r := kerneltest.NewRand(9)
	for _, format := range cacheFormats {
		b := r.UnequalBatch(format, 16, 2, 80, 48, 1, kerneltest.Sequence{Cached: 2900, Rows: 3}, kerneltest.Sequence{Cached: 1023, Rows: 1})
		attendCase{b, r.F32(len(b.Pos.I32), 6, 80), 0.1}.against(t, d)
	}
}

// A prefill at once, in pieces, and token by token gives the same bits, on any number of threads: blocks, chunks and the
// threads that share them do not show.
func TestAttnPagedChunksAreIndependent(t *testing.T) {
	one, three, eight := device(t, 1), device(t, 3), device(t, 8)
	for _, format := range cacheFormats {
		t.Run(format.String(), func(t *testing.T) {
			r := kerneltest.NewRand(21)
			const n, heads, group, dim = 1100, 2, 3, 24
			whole := r.Batch(format, 16, heads, dim, 0, kerneltest.Sequence{Rows: n})
			q := r.F32(n, heads*group, dim)
			want := attend(t, one.Kernels(), whole, q, 0.3)
			sameBits(t, "three threads", attend(t, three.Kernels(), whole, q, 0.3), want)
			size := heads * group * dim
			for chunk, ranges := range map[int][][2]int{1: {{0, 3}, {62, 67}, {126, 131}, {510, 514}, {1022, 1027}, {1098, n}}, 7: {{0, 70}, {500, 530}, {1000, 1060}},
				64: {{0, n}}, 300: {{0, n}}} {
				for _, within := range ranges {
					for lo := within[0]; lo < within[1]; lo += chunk {
						hi := min(lo+chunk, within[1])
						part := whole
						part.Pos = kernels.FromI32(whole.Pos.I32[lo:hi], hi-lo)
						part.Starts = kernels.FromI32([]int32{0, int32(hi - lo)}, 2)
						for _, d := range []*Device{three, eight} {
							got := attend(t, d.Kernels(), part, kernels.FromF32(q.F32[lo*size:hi*size], hi-lo, heads*group, dim), 0.3)
							sameBits(t, fmt.Sprintf("rows %d to %d, %d threads", lo, hi, d.Threads()), got, kernels.FromF32(want.F32[lo*size:hi*size]))
						}
					}
				}
			}
		})
	}
}

// A sequence gives the bits alone that it gives among others.
func TestAttnPagedSequencesAreIndependent(t *testing.T) {
	d := device(t, 2)
	rapid.Check(t, func(t *rapid.T) {
		c := drawAttend(t, rapid.SampledFrom([]int{0, 1, 63, 64, 500, 512, 600}))
		all := attend(t, d.Kernels(), c.batch, c.q, c.scale)
		size, width := c.q.Elems()/max(c.q.Shape[0], 1), all.Elems()/max(all.Shape[0], 1)
		starts, perSeq := c.batch.Starts.I32, c.batch.Pages.Last()
		for i := range len(starts) - 1 {
			lo, hi := int(starts[i]), int(starts[i+1])
			alone := c.batch
			alone.Pos = kernels.FromI32(c.batch.Pos.I32[lo:hi], hi-lo)
			alone.Starts = kernels.FromI32([]int32{0, int32(hi - lo)}, 2)
			alone.Pages = kernels.FromI32(c.batch.Pages.I32[i*perSeq:(i+1)*perSeq], 1, perSeq)
			q := kernels.FromF32(c.q.F32[lo*size:hi*size], hi-lo, c.q.Shape[1], c.q.Shape[2])
			sameBits(t, fmt.Sprint("sequence ", i), attend(t, d.Kernels(), alone, q, c.scale), kernels.FromF32(all.F32[lo*width:hi*width]))
		}
		for _, v := range all.F32[int(starts[len(starts)-1])*width:] {
			if v != 0 {
				t.Fatalf("a row of padding has %g", v)
			}
		}
	})
}

// Keys and values that are NaN or infinite reach the rows that see them and no others, though those share their blocks.
func TestAttnPagedDamageStaysWhereItIsSeen(t *testing.T) {
	d := device(t, 2)
	for _, format := range cacheFormats {
		for _, bad := range []float32{nan, inf, -inf} {
			if format == dtype.F8E4M3 && bad == bad {
				continue // it has no infinities
			}
			for _, values := range []bool{false, true} {
				// In the middle of a block, and alone in one that the rows beside it see nothing of.
				damageStays(t, d, format, bad, values, 100, 3, 71)
				damageStays(t, d, format, bad, values, 65, 2, 64)
				damageStays(t, d, format, bad, values, 129, 2, 128)
			}
		}
	}
}

// damageStays puts a bad number into the key or the value of position at of n, for query heads in groups of that size.
func damageStays(t *testing.T, d *Device, format dtype.DType, bad float32, values bool, n, group, at int) {
	t.Helper()
	const heads, dim = 2, 20
	r := kerneltest.NewRand(4)
	b := r.Batch(format, 16, heads, dim, 0, kerneltest.Sequence{Rows: n})
	q := r.F32(n, heads*group, dim)
	want := attend(t, d.Kernels(), b, q, 0.3)
	part := &b.Cache.K
	if values {
		part = &b.Cache.V
	}
	part.Store(int(b.Slots.I32[at])*heads*dim+3, []float32{bad})
	got := attend(t, d.Kernels(), b, q, 0.3)
	row := heads * group * dim
	sameBits(t, "rows before", kernels.FromF32(got.F32[:at*row]), kernels.FromF32(want.F32[:at*row]))
	if v := got.F32[at*row+3]; v == want.F32[at*row+3] {
		t.Errorf("%v, values %v: %g does not reach its own row, which has %g", format, values, bad, v)
	}
	// The other KV head has its own keys and values.
	other := at*row + group*dim
	sameBits(t, "other head", kernels.FromF32(got.F32[other:other+group*dim]), kernels.FromF32(want.F32[other:other+group*dim]))
}

// Positions that nothing is to be seen of, by scores of minus infinity, count for nothing, a whole chunk of them too; where
// there is nothing else the result is NaN, as the reference has it.
func TestAttnPagedMinusInfinity(t *testing.T) {
	d := device(t, 2)
	for _, format := range []dtype.DType{dtype.F32, dtype.BF16} {
		r := kerneltest.NewRand(8)
		const dim, hidden = 4, 600
		b := r.Batch(format, 16, 1, dim, 0, kerneltest.Sequence{Cached: 700, Rows: 1}, kerneltest.Sequence{Cached: 9, Rows: 1})
		hide := func(seq, p int) {
			slot := int(b.Pages.I32[seq*b.Pages.Last()+p/16])*16 + p%16
			b.Cache.K.Store(slot*dim, []float32{-inf, 0, 0, 0})
		}
		for p := range hidden {
			hide(0, p)
		}
		for p := range 10 {
			hide(1, p)
		}
		c := attendCase{b, kernels.FromF32([]float32{1, 0.5, 0.25, -1, 1, 1, 1, 1}, 2, 1, dim), 0.5}
		got, want := attend(t, d.Kernels(), b, c.q, c.scale), attend(t, ref.Kernels(), b, c.q, c.scale)
		for i, w := range want.F32 {
			if g := got.F32[i]; !(math.Abs(float64(g-w)) < 0.02) && (g == g || w == w) {
				t.Errorf("%v: value %d is %g, want %g", format, i, g, w)
			}
		}
	}
}

// Scores that would overflow an exponential, rising over several blocks.
func TestAttnPagedLargeScores(t *testing.T) {
	b := kerneltest.NewRand(1).Batch(dtype.F32, 64, 1, 1, 0, kerneltest.Sequence{Cached: 299, Rows: 1})
	for p := range 300 {
		at := int(b.Pages.I32[p/64])*64 + p%64
		b.Cache.K.F32[at], b.Cache.V.F32[at] = float32(p/10)*1000, float32(p)
	}
	got := attend(t, device(t, 1).Kernels(), b, kernels.FromF32([]float32{1}, 1, 1, 1), 1)
	if want := float32(294.5); got.F32[0] != want { // the mean of the last ten
		t.Errorf("got %g, want %g", got.F32[0], want)
	}
}

// The fused operator against this device's unfused ones, bit by bit.
func TestQKNormRopeKV(t *testing.T) {
	d := device(t, 2)
	set := d.Kernels()
	rapid.Check(t, func(t *rapid.T) {
		r := kerneltest.NewRand(rapid.Uint64().Draw(t, "seed"))
		heads, group, half := rapid.IntRange(1, 2).Draw(t, "heads"), rapid.IntRange(1, 3).Draw(t, "group"), rapid.IntRange(0, 30).Draw(t, "half")
		dim := 2*half + rapid.IntRange(1, 9).Draw(t, "rest")
		b := r.Batch(rapid.SampledFrom(cacheFormats).Draw(t, "format"), 16, heads, dim, rapid.IntRange(0, 2).Draw(t, "padding"),
			kerneltest.Sequence{Cached: 250, Rows: rapid.IntRange(0, 200).Draw(t, "rows")}, kerneltest.Sequence{Rows: 1})
		rows := len(b.Pos.I32)
		q, k, v := r.F32(rows, heads*group, dim), r.F32(rows, heads, dim), r.F32(rows, heads, dim)
		var qNorm, kNorm kernels.Tensor
		if rapid.Bool().Draw(t, "normed") {
			qNorm, kNorm = r.Weights(dtype.BF16, dim), r.F32(dim)
		}
		attrs := kernels.Attrs{"eps": 1e-5, "dims": int64(2 * half), "theta": 1e6}
		if rapid.Bool().Draw(t, "interleaved") {
			attrs["interleaved"] = int64(1)
		}
		if rapid.Bool().Draw(t, "scaled") {
			attrs["scaling"], attrs["factor"], attrs["attention_factor"] = "yarn", 4.0, 1.25
			attrs["original_max_position_embeddings"], attrs["beta_fast"], attrs["beta_slow"] = int64(64), 32.0, 1.0
		}

		fused, cache := kernels.New(dtype.F32, q.Shape...), kerneltest.Clone(b.Cache)
		kerneltest.Run(t, set, "attn.qknorm_rope_kv", attrs, &kernels.Call{
			In: []kernels.Tensor{q, k, v, qNorm, kNorm, b.Pos, b.Slots}, Out: []kernels.Tensor{fused}, Cache: cache})

		step := func(name string, in ...kernels.Tensor) kernels.Tensor {
			out := kernels.New(dtype.F32, in[0].Shape...)
			kerneltest.Run(t, set, name, attrs, &kernels.Call{In: in, Out: []kernels.Tensor{out}, Cache: b.Cache})
			return out
		}
		if qNorm.Present() {
			q, k = step("norm.rms", q, qNorm), step("norm.rms", k, kNorm)
		}
		q, k = step("rope.apply", q, b.Pos), step("rope.apply", k, b.Pos)
		step("kv.write", k, v, b.Slots)
		sameBits(t, "q", fused, q)
		if !reflect.DeepEqual(b.Cache, cache) {
			t.Fatalf("cache (-unfused +fused)\n%s", cmp.Diff(b.Cache, cache))
		}
	})
}
