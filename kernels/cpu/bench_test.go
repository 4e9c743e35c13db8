package cpu

import (
	"fmt"
	"testing"

	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/kernels/kerneltest"
)

// The benchmarks report the arithmetic in GFLOP/s and how fast weights (or keys and values) are read, in GB/s.
// Weight matrices are larger than second-level caches.

// bench runs one operator on two threads.
func bench(b *testing.B, name string, a kernels.Attrs, c *kernels.Call, flop, bytes int) {
	benchCalls(b, name, a, []*kernels.Call{c}, flop, bytes)
}

// benchCalls runs calls of one operator in turn, each of so much arithmetic and so many bytes.
func benchCalls(b *testing.B, name string, a kernels.Attrs, calls []*kernels.Call, flop, bytes int) {
	d := device(b, 2)
	f := kerneltest.Build(b, d.Kernels(), name, a)
	for i := 0; b.Loop(); i++ {
		if err := f(calls[i%len(calls)]); err != nil {
			b.Fatal(err)
		}
	}
	seconds := b.Elapsed().Seconds() / float64(b.N)
	b.ReportMetric(float64(flop)/seconds/1e9, "GFLOP/s")
	b.ReportMetric(float64(bytes)/seconds/1e9, "GB/s")
}

func BenchmarkLinear(b *testing.B) {
	const n, k = 4096, 4096
	for _, format := range weightFormats {
		for _, rows := range []int{1, 4, 64} {
			b.Run(fmt.Sprintf("%v/rows=%d", format, rows), func(b *testing.B) {
				r := kerneltest.NewRand(1)
				c := &kernels.Call{
					In:  []kernels.Tensor{r.F32(rows, k), r.Weights(format, n, k)},
					Out: []kernels.Tensor{kernels.New(dtype.F32, rows, n)},
				}
				bench(b, "linear", nil, c, 2*rows*n*k, format.Bytes(n*k))
			})
		}
	}
}

// BenchmarkExperts has 32 experts of width 512, of which each token takes 4.
func BenchmarkExperts(b *testing.B) {
	const h, i, e, k = 1024, 512, 32, 4
	for _, format := range []dtype.DType{dtype.BF16, dtype.F8E4M3} {
		for _, tokens := range []int{1, 8, 128} {
			b.Run(fmt.Sprintf("%v/tokens=%d", format, tokens), func(b *testing.B) {
				c := newExpertsCase(kerneltest.NewRand(1), format, "", tokens, h, i, e, k)
				used := map[int32]bool{}
				for _, id := range c.in[1].I32 {
					used[id] = true
				}
				call := &kernels.Call{In: c.in, Out: []kernels.Tensor{kernels.New(dtype.F32, tokens, h)}}
				bench(b, "moe.experts", c.attrs, call, 6*tokens*k*h*i, format.Bytes(3*len(used)*h*i))
			})
		}
	}
}

// BenchmarkAttention has 16 heads over 4 KV heads of 128 values: one token at contexts of 512 and 8192, and a chunk of 512 of
// a prompt that begins there, and one that ends at 8192. GFLOP/s counts what causality leaves. For one
// token there are as many caches in turn, as the layers of a model are, as fill more than a third-level cache.
func BenchmarkAttention(b *testing.B) {
	const heads, group, dim, memory = 4, 4, 128, 128 << 20
	for _, format := range cacheFormats {
		for _, seq := range []kerneltest.Sequence{{Cached: 511, Rows: 1}, {Cached: 8191, Rows: 1}, {Rows: 512}, {Cached: 7680, Rows: 512}} {
			b.Run(fmt.Sprintf("%v/cached=%d/rows=%d", format, seq.Cached, seq.Rows), func(b *testing.B) {
				r := kerneltest.NewRand(1)
				bytes := 2 * (seq.Cached + seq.Rows) * heads * dim * format.Size()
				caches := 1
				if seq.Rows == 1 {
					caches = memory / bytes
				}
				var calls []*kernels.Call
				for range caches {
					batch := r.Batch(format, 16, heads, dim, 0, seq)
					q := r.F32(seq.Rows, heads*group, dim)
					calls = append(calls, &kernels.Call{In: []kernels.Tensor{q, batch.Pos, batch.Starts, batch.Pages},
						Out: []kernels.Tensor{kernels.New(dtype.F32, q.Shape...)}, Cache: batch.Cache})
				}
				pairs := seq.Rows*seq.Cached + seq.Rows*(seq.Rows+1)/2
				benchCalls(b, "attn.paged", kernels.Attrs{"scale": 0.088}, calls, 4*pairs*heads*group*dim, bytes)
			})
		}
	}
}

func BenchmarkQKNormRopeKV(b *testing.B) {
	r := kerneltest.NewRand(1)
	const rows, heads, group, dim = 256, 4, 4, 128
	batch := r.Batch(dtype.F8E4M3, 64, heads, dim, 0, kerneltest.Sequence{Rows: rows})
	c := &kernels.Call{
		In: []kernels.Tensor{r.F32(rows, heads*group, dim), r.F32(rows, heads, dim), r.F32(rows, heads, dim), r.F32(dim), r.F32(dim),
			batch.Pos, batch.Slots},
		Out: []kernels.Tensor{kernels.New(dtype.F32, rows, heads*group, dim)}, Cache: batch.Cache}
	values := rows * heads * (group + 2) * dim
	bench(b, "attn.qknorm_rope_kv", kernels.Attrs{"eps": 1e-5, "dims": int64(64), "theta": 1e6}, c, 6*values, 4*values)
}
