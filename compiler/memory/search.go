package memory

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
)

// search looks for a layout whose arena is the bound, and gives the best that it found.
//
// Buffers are placed one after the other, each into the smallest gap that it fits in between those that are alive
// together with it (best fit). The largest goes first (greedy by size, Pisarchyk and Lee 2020), which for the long
// chains that decoders are is mostly at the bound. Where it is not, other orders follow. First, buffers of one size in
// the order of their last steps: where a residual and its norm are alive together, as behind a fused add and norm,
// greedy by size leaves gaps apart that the next larger buffer needs in one piece. Then what is small is searched for the
// best layout that there is, see exact, and otherwise the order is mended where it goes wrong, see mend.
func search(buffers []Buffer, bound int64) (offsets []int64, arena int64) {
	p := newPlacer(buffers)
	order := make([]int, len(buffers))
	for i := range order {
		order[i] = i
	}
	bySize := func(a, b int) int { return cmp.Compare(buffers[b].Bytes, buffers[a].Bytes) }
	lastFirst := func(a, b int) int { return cmp.Or(bySize(a, b), cmp.Compare(buffers[b].Last, buffers[a].Last)) }

	slices.SortStableFunc(order, bySize)
	p.try(order)
	if p.arena > bound {
		slices.SortStableFunc(order, lastFirst)
		p.try(order)
	}
	if p.arena > bound && (len(buffers) > exactBuffers || !p.exact(bound)) {
		p.mend(bound)
	}
	return p.best, p.arena
}

// mendWork bounds how often mend looks at a pair of buffers: some tens of milliseconds.
const mendWork = 1 << 20

// placer holds what placing needs, and the best layout so far.
type placer struct {
	buffers []Buffer
	near    [][]int32 // buffers that are alive together with each
	pairs   int       // all of them
	offsets []int64   // of the layout in the making; -1 where nothing is placed yet
	taken   []span    // scratch
	best    []int64
	arena   int64 // of best
}

// span is bytes from, ..., to-1 of the arena.
type span struct{ from, to int64 }

func newPlacer(buffers []Buffer) *placer {
	p := &placer{buffers: buffers, near: make([][]int32, len(buffers)), offsets: make([]int64, len(buffers)), arena: 1 << 62}
	byFirst := sorted(len(buffers), func(i int) int64 { return int64(buffers[i].First) })
	var alive []int
	for _, i := range byFirst {
		alive = slices.DeleteFunc(alive, func(j int) bool { return buffers[j].Last < buffers[i].First })
		for _, j := range alive {
			p.near[i], p.near[j] = append(p.near[i], int32(j)), append(p.near[j], int32(i))
			p.pairs += 2
		}
		alive = append(alive, i)
	}
	if len(buffers) == 0 {
		p.arena = 0
	}
	return p
}

// try places the buffers in that order and keeps the layout if it is the best so far.
func (p *placer) try(order []int) {
	if arena := p.layout(order); arena < p.arena {
		p.best, p.arena = slices.Clone(p.offsets), arena
	}
}

// layout places the buffers in that order.
func (p *placer) layout(order []int) (arena int64) {
	for i := range p.offsets {
		p.offsets[i] = -1
	}
	for _, i := range order {
		p.offsets[i] = p.gap(i)
		arena = max(arena, p.offsets[i]+aligned(p.buffers[i].Bytes))
	}
	return arena
}

// gap finds the smallest gap for buffer i between the placed buffers that are alive together with it, or the end of the
// last of them.
func (p *placer) gap(i int) int64 {
	size := aligned(p.buffers[i].Bytes)
	best, bestSize := int64(-1), int64(0)
	end := int64(0)
	for _, s := range p.spans(i) {
		if gap := s.from - end; gap >= size && (best < 0 || gap < bestSize) {
			best, bestSize = end, gap
		}
		end = max(end, s.to)
	}
	if best >= 0 {
		return best
	}
	return end
}

// spans are the bytes that buffer i cannot have, in ascending order.
func (p *placer) spans(i int) []span {
	p.taken = p.taken[:0]
	for _, j := range p.near[i] {
		if at := p.offsets[j]; at >= 0 {
			p.taken = append(p.taken, span{at, at + aligned(p.buffers[j].Bytes)})
		}
	}
	slices.SortFunc(p.taken, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	return p.taken
}

// classes puts buffers together that are alike: of one size and length of life, between neighbours of the same sizes that
// are there at the same steps of it. The layers of a model are alike, so that there are some dozens of classes however
// many layers there are, and what is found out for one layer holds for all.
func (p *placer) classes() [][]int {
	index := map[string]int{}
	var out [][]int
	var around [][3]int64
	for i, b := range p.buffers {
		around = append(around[:0], [3]int64{b.Bytes, int64(b.Last - b.First)})
		for _, j := range p.near[i] {
			n := p.buffers[j]
			around = append(around, [3]int64{n.Bytes, int64(max(n.First-b.First, -1)), int64(min(n.Last, b.Last+1) - b.First)})
		}
		slices.SortFunc(around[1:], func(a, b [3]int64) int { return slices.Compare(a[:], b[:]) })
		key := fmt.Sprint(around)
		c, ok := index[key]
		if !ok {
			c = len(out)
			index[key] = c
			out = append(out, nil)
		}
		out[c] = append(out[c], i)
	}
	return out
}

// mend starts from the classes in the order of their sizes and changes the order where it goes wrong: a class of which a
// buffer ended up above the bound, or one that it lives together with, goes to another place. What does not make it worse
// is kept. The choices are drawn, from the same numbers each time.
func (p *placer) mend(bound int64) {
	order := p.classes()
	of := make([]int, len(p.buffers))
	slices.SortStableFunc(order, func(a, b []int) int {
		x, y := p.buffers[a[0]], p.buffers[b[0]]
		return cmp.Or(cmp.Compare(y.Bytes, x.Bytes), cmp.Compare(y.Last-y.First, x.Last-x.First))
	})
	rng := rand.New(rand.NewPCG(1, 2))
	least := int64(1) << 62
	var kept [][]int
	for work := 0; work < mendWork; work += p.pairs + 2*len(p.buffers) {
		p.try(slices.Concat(order...))
		if p.arena <= bound {
			return
		}
		excess, high := p.excess(bound, rng)
		if excess <= least {
			least, kept = excess, slices.Clone(order)
		} else {
			order = slices.Clone(kept)
			p.layout(slices.Concat(order...))
			_, high = p.excess(bound, rng)
		}
		for c, members := range order {
			for _, i := range members {
				of[i] = c
			}
		}
		moved := of[high]
		if near := p.near[high]; len(near) > 0 && rng.IntN(2) == 0 {
			moved = of[near[rng.IntN(len(near))]]
		}
		class := order[moved]
		order = slices.Delete(order, moved, moved+1)
		order = slices.Insert(order, rng.IntN(len(order)+1), class)
	}
}

// excess adds up by how much buffers lie above the bound, and picks one that does.
func (p *placer) excess(bound int64, rng *rand.Rand) (sum int64, one int) {
	seen := 0
	for i, b := range p.buffers {
		if above := p.offsets[i] + aligned(b.Bytes) - bound; above > 0 {
			sum += above
			if seen++; rng.IntN(seen) == 0 {
				one = i
			}
		}
	}
	return sum, one
}

// exactBuffers and exactSteps bound the search for the best layout: as many buffers, and as many of them placed in
// all attempts together.
const (
	exactBuffers = 16
	exactSteps   = 1 << 15
)

// exact looks at all layouts, cutting off those that cannot be better than the best so far. Any layout can be pushed
// down until each buffer lies at 0 or on another one that is alive together with it, and then it is what comes of
// placing the buffers in ascending order of their offsets, each as low as it goes: above all placed ones that are alive
// together with it. A buffer that would come to lie below the one before it stands in another order, and is left out. It
// reports whether it came to the end, so that the best so far is the best.
func (p *placer) exact(bound int64) (complete bool) {
	for i := range p.offsets {
		p.offsets[i] = -1
	}
	steps := 0
	var place func(placed int, low, arena int64)
	place = func(placed int, low, arena int64) {
		if placed == len(p.buffers) {
			p.best, p.arena = slices.Clone(p.offsets), arena
			return
		}
		for i, b := range p.buffers {
			if p.offsets[i] >= 0 {
				continue
			}
			if steps++; steps > exactSteps || p.arena <= bound {
				return
			}
			at := int64(0)
			for _, j := range p.near[i] {
				if p.offsets[j] >= 0 {
					at = max(at, p.offsets[j]+aligned(p.buffers[j].Bytes))
				}
			}
			if next := max(arena, at+aligned(b.Bytes)); at >= low && next < p.arena {
				p.offsets[i] = at
				place(placed+1, at, next)
				p.offsets[i] = -1
			}
		}
	}
	place(0, 0, 0)
	return steps <= exactSteps
}
