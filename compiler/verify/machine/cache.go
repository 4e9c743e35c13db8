package machine

import (
	"fmt"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
)

// newCache makes a rank's part of a cache, with what it holds before the first step.
func (x *Machine) newCache(c *ir.Cache, store *Store, rank int) (*kernels.Cache, error) {
	cache := kernels.NewCache(dtype.F32, PageSize, Pages, c.Heads, c.HeadDim, c.ValueSize())
	whole, ok := x.options.Heads[c.Name]
	if !ok {
		return cache, nil
	}
	first, err := x.firstHead(c, whole, rank)
	if err != nil {
		return nil, err
	}
	keys := store.Normal("keys of "+c.Name, cache.Slots()*whole*c.HeadDim, 0, 0.5)
	values := store.Normal("values of "+c.Name, cache.Slots()*whole*c.ValueSize(), 0, 0.5)
	cache.K.F32 = cut([]int{cache.Slots(), whole, c.HeadDim}, keys, 1, first, c.Heads)
	cache.V.F32 = cut([]int{cache.Slots(), whole, c.ValueSize()}, values, 1, first, c.Heads)
	return cache, nil
}

// firstHead is the first of a cache's heads that a rank holds: heads are dealt out in order, and where there are
// fewer of them than ranks, neighbours hold the same.
func (x *Machine) firstHead(c *ir.Cache, whole, rank int) (int, error) {
	ranks := x.Module.Ranks
	if c.Heads < 1 || whole%c.Heads != 0 || ranks%(whole/c.Heads) != 0 {
		return 0, fmt.Errorf("cache %s: %d heads a rank on %d ranks are no split of %d", c.Name, c.Heads, ranks, whole)
	}
	parts := whole / c.Heads
	return rank / (ranks / parts) * c.Heads, nil
}

// Cached is the whole of a cache, put together from the ranks: keys [slots, heads, D] and values [slots, heads, V].
type Cached struct {
	Name         string
	Keys, Values []float32
}

// Caches returns every cache of the module. Ranks that should hold the same heads and do not are an error.
func (x *Machine) Caches() ([]Cached, error) {
	var all []Cached
	for _, c := range x.Module.Caches {
		whole, ok := x.options.Heads[c.Name]
		if !ok {
			return nil, fmt.Errorf("cache %s is none of the module that this one is compared with", c.Name)
		}
		slots := PageSize * Pages
		out := Cached{c.Name, make([]float32, slots*whole*c.HeadDim), make([]float32, slots*whole*c.ValueSize())}
		filled := map[int]bool{}
		for rank, r := range x.ranks {
			first, err := x.firstHead(c, whole, rank)
			if err != nil {
				return nil, err
			}
			part := r.caches[c]
			if filled[first] && !(samePart(out.Keys, part.K.F32, whole*c.HeadDim, first*c.HeadDim, c.Heads*c.HeadDim) &&
				samePart(out.Values, part.V.F32, whole*c.ValueSize(), first*c.ValueSize(), c.Heads*c.ValueSize())) {
				return nil, fmt.Errorf("cache %s: rank %d holds other keys or values than its neighbour with the same heads", c.Name, rank)
			}
			filled[first] = true
			put(out.Keys, part.K.F32, whole*c.HeadDim, first*c.HeadDim, c.Heads*c.HeadDim)
			put(out.Values, part.V.F32, whole*c.ValueSize(), first*c.ValueSize(), c.Heads*c.ValueSize())
		}
		all = append(all, out)
	}
	return all, nil
}

// put copies rows of width values into rows of another length, from column at on.
func put(dst, src []float32, row, at, width int) {
	for i := range len(src) / width {
		copy(dst[i*row+at:][:width], src[i*width:])
	}
}

// samePart reports whether put would change nothing.
func samePart(dst, src []float32, row, at, width int) bool {
	for i := range len(src) / width {
		if !SameBits(dst[i*row+at:][:width], src[i*width:][:width]) {
			return false
		}
	}
	return true
}

// Heads gives the whole number of heads of each cache, of a module that is not split over ranks.
func Heads(m *ir.Module) map[string]int {
	heads := map[string]int{}
	for _, c := range m.Caches {
		heads[c.Name] = c.Heads
	}
	return heads
}
