package cpu_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/kernels/kerneltest"
	"github.com/glmc/glmc/runtime/hugepages"
)

// pageTokens is the size of a page in the pipeline for this device.
const pageTokens = 16

// caches are copies of one, ringBytes of them or one, in huge pages: the layers of a model.
func caches(b *testing.B, c *kernels.Cache) []*kernels.Cache {
	b.Helper()
	bytes := func(t *kernels.Tensor) int64 { return hugepages.Room(int64(t.Elems() * t.DType.Size())) }
	size := bytes(&c.K) + bytes(&c.V)
	copies := max(1, int((ringBytes+size-1)/size))
	region, err := hugepages.New(int64(copies) * size)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := region.Close(); err != nil {
			b.Error(err)
		}
	})
	ring := make([]*kernels.Cache, copies)
	for i := range ring {
		one := *c
		for _, t := range []*kernels.Tensor{&one.K, &one.V} {
			switch t.DType {
			case dtype.F32:
				t.F32 = append(hugepages.Make[float32](region, len(t.F32))[:0], t.F32...)
			case dtype.BF16:
				t.U16 = append(hugepages.Make[uint16](region, len(t.U16))[:0], t.U16...)
			default:
				t.U8 = append(hugepages.Make[byte](region, len(t.U8))[:0], t.U8...)
			}
		}
		ring[i] = &one
	}
	return ring
}

// BenchmarkAttentionTrees has 16 drafts behind a token of one sequence: a path, and a tree of which half of the rows lie beside the
// first branch.
func BenchmarkAttentionTrees(b *testing.B) {
	const heads, group, dim, drafts = 8, 12, 128, 16
	for _, context := range []int{512, 8192} {
		for _, tree := range []bool{false, true} {
			b.Run(fmt.Sprintf("context=%d/tree=%v", context, tree), func(b *testing.B) {
				r := kerneltest.NewRand(1)
				batch := r.Batch(dtype.BF16, pageTokens, heads, dim, 0, kerneltest.Sequence{Cached: context, Rows: 1 + drafts})
				batch.Parents = kernels.New(dtype.I32, 1+drafts)
				for i := range batch.Parents.I32 {
					batch.Parents.I32[i] = kernels.NoParent
					if beside := i - drafts/2; tree && beside > 0 { // a second branch as long as the first
						batch.Pos.I32[i] = int32(context + beside)
						batch.Parents.I32[i] = int32(i - 1)
						if beside == 1 {
							batch.Parents.I32[i] = 0
						}
					}
				}
				q := r.F32(1+drafts, heads*group, dim)
				var calls []*kernels.Call
				for _, cache := range caches(b, batch.Cache) {
					calls = append(calls, &kernels.Call{In: []kernels.Tensor{q, batch.Pos, batch.Starts, batch.Pages, batch.Parents},
						Out: []kernels.Tensor{kernels.New(dtype.F32, q.Shape...)}, Cache: cache})
				}
				measure(b, newDevice(b), "attn.paged", kernels.Attrs{"scale": 0.088}, work{4 * float64((1+drafts)*context*heads*group*dim), float64(2 * context * heads * dim * 2)}, calls...)
			})
		}
	}
}

// BenchmarkAttention has a token at a context, eight sequences with a token each, and chunks of a prompt at its beginning and
// behind what was processed before.
func BenchmarkAttention(b *testing.B) {
	one := func(cached, rows int) []kerneltest.Sequence {
		return []kerneltest.Sequence{{Cached: cached, Rows: rows}}
	}
	for _, s := range []struct {
		model             string
		heads, group, dim int // KV heads, and heads that share one
	}{{"bench-0.7b", 4, 4, 128}, {"glm-4.7", 8, 12, 128}} {
		for _, format := range []dtype.DType{dtype.F32, dtype.BF16, dtype.F8E4M3} {
			for _, load := range []struct {
				name string
				seqs []kerneltest.Sequence
			}{
				{"context=512/rows=1", one(511, 1)}, {"context=8192/rows=1", one(8191, 1)},
				{"context=512/rows=8x1", slices.Repeat(one(511, 1), 8)},
				{"context=512/rows=512", one(0, 512)}, {"context=8192/rows=512", one(7680, 512)},
			} {
				b.Run(fmt.Sprintf("%s/%v/%s", s.model, format, load.name), func(b *testing.B) {
					r := kerneltest.NewRand(1)
					batch := r.Batch(format, pageTokens, s.heads, s.dim, 0, load.seqs...)
					rows, pairs, keys := 0, 0, 0
					for _, q := range load.seqs {
						rows, keys = rows+q.Rows, keys+q.Cached+q.Rows
						pairs += q.Rows*q.Cached + q.Rows*(q.Rows+1)/2
					}
					q := r.F32(rows, s.heads*s.group, s.dim)
					var calls []*kernels.Call
					for _, cache := range caches(b, batch.Cache) {
						calls = append(calls, &kernels.Call{In: []kernels.Tensor{q, batch.Pos, batch.Starts, batch.Pages},
							Out: []kernels.Tensor{kernels.New(dtype.F32, q.Shape...)}, Cache: cache})
					}
					measure(b, newDevice(b), "attn.paged", kernels.Attrs{"scale": 0.088},
						work{4 * float64(pairs*s.heads*s.group*s.dim), float64(2 * keys * s.heads * s.dim * format.Size())}, calls...)
				})
			}
		}
	}
}
