package exec

import (
	"fmt"
	"math"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/runtime/hugepages"
)

// What a plan asks for is bounded by this machine's memory: asking the system for more ends the process, which a
// damaged plan, or a slip of the finger in the number of pages, must not be able to do.

// checkCaches refuses a KV cache of that many pages on all ranks that this machine cannot hold. kept is the dtype
// in which the device holds it.
func checkCaches(p *plan.Plan, caches []*ir.Cache, pages int, kept dtype.DType, memory float64) error {
	if pages < 1 {
		return fmt.Errorf("%d KV pages: wants at least one", pages)
	}
	if most := math.MaxInt32 / p.Cache.PageSize; pages > most {
		return fmt.Errorf("%d KV pages of %d tokens: at most %d can be told apart", pages, p.Cache.PageSize, most)
	}
	bytes := 0.0
	for _, c := range caches {
		bytes += float64(c.Heads) * float64(c.HeadDim+c.ValueSize()) * float64(kept.Size())
	}
	bytes *= float64(p.Cache.PageSize) * float64(pages) * float64(p.Module.Ranks)
	if bytes > memory {
		return fmt.Errorf("%d KV pages of %d tokens take %s in %d layers on %d rank(s), this machine has %s: ask for fewer pages",
			pages, p.Cache.PageSize, gibibytes(bytes), len(caches), p.Module.Ranks, gibibytes(memory))
	}
	return nil
}

// cacheRoom is memory for a rank's KV caches, which attention reads from end to end, and out of Go's heap for the same
// reasons as weights. It is nil, the heap, for caches that no huge page is worth, and where they are more than
// is free: not all of a cache is written to, so that may still do.
func cacheRoom(size int64) *hugepages.Region {
	const worth = 2 << 20
	if size < worth {
		return nil
	}
	r, err := hugepages.New(size)
	if err != nil {
		return nil
	}
	return r
}

// newCache makes a zeroed cache like kernels.NewCache, in that memory.
func newCache(r *hugepages.Region, d dtype.DType, pageSize, pages int, c *ir.Cache) *kernels.Cache {
	tensor := func(dim int) kernels.Tensor {
		t := kernels.Tensor{DType: d, Shape: []int{pageSize * pages, c.Heads, dim}}
		switch n := t.Elems(); d {
		case dtype.F32:
			t.F32 = hugepages.Make[float32](r, n)
		case dtype.BF16:
			t.U16 = hugepages.Make[uint16](r, n)
		case dtype.F8E4M3:
			t.U8 = hugepages.Make[byte](r, n)
		default:
			return kernels.New(d, t.Shape...)
		}
		return t
	}
	return &kernels.Cache{
		PageSize: pageSize, Pages: pages, Heads: c.Heads, HeadDim: c.HeadDim, ValueDim: c.ValueSize(), DType: d,
		K: tensor(c.HeadDim), V: tensor(c.ValueSize()),
	}
}

// checkArena refuses an arena of that many words that this machine cannot hold.
func checkArena(words int64, l *plan.Layout, memory float64) error {
	if bytes := 4 * float64(words); bytes > memory {
		return fmt.Errorf("the results of a step of up to %d tokens take %s, this machine has %s: compile for smaller prefill chunks",
			l.Max.Tokens, gibibytes(bytes), gibibytes(memory))
	}
	return nil
}

// unknownMemory is assumed where the system does not tell: a tebibyte.
const unknownMemory = 1 << 40

func gibibytes(n float64) string { return fmt.Sprintf("%.1f GiB", n/(1<<30)) }
