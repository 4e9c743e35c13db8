package cpu

import (
	"math"
	"sync"
	"unsafe"

	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/panel"
)

// attnPanels is attention by products with panels, for caches of BF16 and F8E4M3. Queries and the weights of the softmax
// are rounded to bfloat16; products are exact and summed in float32.
//
// A block's keys become panels of 32 positions and its values panels of 32 values, once for all rows of a tile and all
// query heads of a group, up to panelRows rows of which are multiplied at once. Every sum is one chain over the values of
// a key or the positions of a block, and goes on from block to block.
//
// Positions fall into chunks of attnChunk, each with a softmax of its own, which are folded in their order. That is so
// whoever computes them: where there are few rows, as in generation, threads take chunks of one
// sequence, and the last to finish folds them.
type attnPanels struct {
	dev     *Device
	kernels *attnKernels
	scale   float32 // of scores to powers of two, positive
	flip    uint32  // sign bit of the queries' factor

	// Of the call in progress.
	*attnScratch
	c         *kernels.Call
	group     int // query heads of a KV head
	width     int // V padded to whole panels
	keyStride int // bytes from panel to panel of a block's keys
	body      func(worker, lo, hi int)
}

// attnKernels is what attention needs of a tier: see kernels/cpu/gen/attention.go and softmax.go.
type attnKernels struct {
	keysBF16     func(panels, keys *uint16, at *int64, d, groups, stride int)
	keysF8       func(panels *uint16, keys *byte, at *int64, d, groups, stride int)
	valuesBF16   func(panels, values *uint16, at *int64, d, n, stride int)
	valuesF8     func(panels *uint16, values *byte, at *int64, d, n, stride int)
	softmax      func(p *uint16, s, largest, sum, shrink *float32, seen *int64, rows int, scale float32) (rose bool)
	softmaxAll   func(p *uint16, s, largest, sum, shrink *float32, seen *int64, rows int, scale float32) (rose bool)
	shrink       func(out *float32, stride, n int, shrink *float32, rows int)
	fold         func(out, part *float32, n int, largest, partLargest, sum, partSum *float32, rows int)
	divide       func(dst, src *float32, n int, sums *float32)
	round        func(dst *uint16, src *float32, n int, flip uint32)
	finite       func(p *uint16, n int) bool
	fetch, touch func(rows unsafe.Pointer, at *int64, bytes, n int)
	products     *panelKernels
}

const (
	// attnBlock is the positions of a block. 128 keys and values of 128 values fill 64 KiB as bfloat16: more than a
	// first-level cache holds, but a panel of them is one of eight, and comes from the second-level cache while the one
	// before is multiplied. Outputs are loaded and stored once a block.
	attnBlock = 128
	// attnChunk is the positions of a chunk: what a thread takes of a sequence in generation.
	attnChunk = 512
	// attnRows is about how many rows of one KV head make a tile: 32 times panelRows. Then bringing a block into
	// panels costs two or three hundredths of multiplying with it, and what a tile keeps of its rows stays in
	// the second-level cache.
	attnRows = 32 * panelRows
	// attnFewRows is how many rows of a KV head a tile has at most whose chunks threads take one by one, because
	// their states wait in memory to be folded; and for which a block is computed faster than it is read.
	attnFewRows = 2 * panelRows
	// attnWeightStride is the values from a row of weights to the next (kernels/cpu/gen/attention.go).
	attnWeightStride = attnBlock + 32
	// attnItems is how many items a thread has at least, before chunks become items.
	attnItems = 4
	// attnLoads is in how many parts keys and values are brought into panels.
	attnLoads = 2
	// attnAtOnce is how many bytes are fetched ahead at once.
	attnAtOnce = 32 * 64
	// attnSlack is how far scores rise above a row's reference, in powers of two, before it follows them: weights are 2^8 at
	// most, and what was summed is seldom scaled anew (kernels/cpu/gen/softmax.go).
	attnSlack = 8
	// attnSums is the number of sums of weights that a row has.
	attnSums = 16
	// attnPair is the bytes of a pair of a panel. Panels are one pair more than they hold apart, which keeps them
	// out of each other's sets of the first-level cache.
	attnPair        = 2 * 2 * panel.Channels
	attnValueStride = (attnBlock/2 + 1) * attnPair
)

// attnState is the softmax of some rows over the positions of a chunk, or of all chunks up to one: out is the sum of
// 2^(t - largest) * v over the positions, sum that of 2^(t - largest), t the score in units of log2.
type attnState struct {
	out     []float32 // [rows, V padded]
	largest []float32 // [rows]
	sum     []float32 // [rows, attnSums]
}

// attnScratch is what a call needs besides its operands. Layers are many, and no two of them run at once: they share it.
type attnScratch struct {
	workers []attnPanelWorker
	tiles   []attnTile
	items   []attnItem
	splits  []*attnSplit
}

// attnScratches holds the scratch that no call uses: of as many calls as ever ran at once.
type attnScratches struct {
	mu   sync.Mutex
	free []*attnScratch
}

func (s *attnScratches) take(threads int) *attnScratch {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.free); n > 0 {
		scratch := s.free[n-1]
		s.free = s.free[:n-1]
		return scratch
	}
	scratch := &attnScratch{workers: make([]attnPanelWorker, threads)}
	for i := range scratch.workers {
		w := &scratch.workers[i]
		w.scores = aligned(w.scores, panelRows*attnBlock)
		w.weights = aligned(w.weights, panelRows*attnWeightStride)
	}
	return scratch
}

func (s *attnScratches) give(scratch *attnScratch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free = append(s.free, scratch)
}

// attnPanelWorker is one worker's scratch.
type attnPanelWorker struct {
	keys, values []uint16      // panels of a block
	places       [2]attnPlaces // of the block and the next one
	ahead        attnAhead
	q            halfRows // the item's queries: for each head, each row of the tile, its group
	scores       []float32
	weights      []uint16
	shrink       [panelRows]float32
	seen         []int64 // [rows of a head]: how many positions of the block each sees
	total, state attnState
}

func newAttnPanels(d *Device, scale float32) *attnPanels {
	k := attnKernelsOf(d.dots)
	if k == nil {
		return nil
	}
	a := &attnPanels{dev: d, kernels: k}
	// Scores are compared before they are scaled. So the scale must not be negative, and because -Inf stands for
	// what a row does not see, it must not be zero.
	a.scale = max(float32(math.Abs(float64(scale)))*math.Log2E, 0x1p-126)
	a.flip = math.Float32bits(scale) & (1 << 31)
	a.body = a.some
	return a
}

func (a *attnPanels) run(c *kernels.Call) {
	a.c = c
	cache := c.Cache
	a.group = c.In[0].Shape[1] / cache.Heads
	a.width = panel.Count(cache.ValueDim) * panel.Channels
	a.keyStride = ((cache.HeadDim+63)/64*32 + 1) * attnPair
	a.attnScratch = a.dev.attention.take(a.dev.threads)
	a.plan()
	a.dev.pool.run(len(a.items), 1, a.body)
	a.dev.attention.give(a.attnScratch)
	a.attnScratch = nil
}

func (a *attnPanels) some(worker, lo, hi int) {
	w := &a.workers[worker]
	for i := lo; i < hi; i++ {
		item := &a.items[i]
		a.round(w, item)
		s := item.split
		if s == nil {
			a.all(w, item)
			continue
		}
		a.chunk(w, item, &s.states[item.chunk], item.chunk)
		if s.left.Add(-1) > 0 {
			continue
		}
		for chunk := 1; chunk < s.chunks; chunk++ {
			a.fold(item, &s.states[0], &s.states[chunk], chunk)
		}
		a.finish(item, &s.states[0])
	}
}

// all computes an item over all its positions.
func (a *attnPanels) all(w *attnPanelWorker, item *attnItem) {
	a.chunk(w, item, &w.total, 0)
	for chunk := 1; chunk <= item.last/attnChunk; chunk++ {
		a.chunk(w, item, &w.state, chunk)
		a.fold(item, &w.total, &w.state, chunk)
	}
	a.finish(item, &w.total)
}

// round makes the item's queries bfloat16 rows.
func (a *attnPanels) round(w *attnPanelWorker, item *attnItem) {
	q := &a.c.In[0]
	heads, d := q.Shape[1], q.Shape[2]
	w.q.resize((item.headHi-item.headLo)*(item.tile.hi-item.tile.lo)*a.group, d)
	row := 0
	for h := item.headLo; h < item.headHi; h++ {
		for t := item.tile.lo; t < item.tile.hi; t++ {
			for g := range a.group {
				a.kernels.round(&w.q.row(row)[0], &q.F32[(t*heads+h*a.group+g)*d], d, a.flip)
				row++
			}
		}
	}
}

// chunk makes s the state of the item's rows over the positions of a chunk.
func (a *attnPanels) chunk(w *attnPanelWorker, item *attnItem, s *attnState, chunk int) {
	rows := len(w.q.data) / w.q.stride
	s.out = aligned(s.out, rows*a.width)
	s.largest, s.sum = kernels.Resize(s.largest, rows), aligned(s.sum, rows*attnSums)
	clear(s.sum)
	for i := range s.largest {
		s.largest[i] = float32(math.Inf(-1))
	}
	lo := chunk * attnChunk
	hi, end := min(lo+attnChunk, item.last+1), item.last+1
	if item.split != nil {
		end = hi
	}
	a.locate(&w.places[0], item.tile.seq, lo, end)
	for first := lo; first < hi; first += attnBlock {
		i := first / attnBlock % 2
		b := attnBlockOf{first: first, n: w.places[i].n, at: &w.places[i], more: first > lo}
		a.look(w, item, &b)
		w.ahead.next = &w.places[1-i]
		a.locate(w.ahead.next, item.tile.seq, first+attnBlock, end)
		a.startAhead(w, item)
		for h := item.headLo; h < item.headHi; h++ {
			b.row = (h - item.headLo) * len(w.seen)
			a.block(w, item, s, h, &b)
		}
		if all := 2 * w.ahead.next.n; all > 0 && len(w.seen) <= attnFewRows {
			w.ahead.done = 0
			a.ahead(w, a.kernels.touch, all)
		}
	}
}

// attnBlockOf is a block of positions, of which rows may see fewer than n, and the first row of a head in the item.
type attnBlockOf struct {
	first, n int
	at       *attnPlaces
	more     bool // the state holds earlier blocks
	whole    bool // every row sees attnBlock positions
	edge     bool // some row does not see all n
	row      int
}

// look finds how many positions of the block each row of a head sees. Most blocks are seen whole, by all.
func (a *attnPanels) look(w *attnPanelWorker, item *attnItem, b *attnBlockOf) {
	tile := item.tile
	w.seen = kernels.Resize(w.seen, (tile.hi-tile.lo)*a.group)
	if b.whole = b.first+attnBlock <= item.all; b.whole {
		return
	}
	for t, p := range a.c.In[1].I32[tile.lo:tile.hi] {
		seen := min(b.n, int(p)+1-b.first) // causal
		b.edge = b.edge || seen < b.n
		for g := range a.group {
			w.seen[t*a.group+g] = int64(seen)
		}
	}
}

// block folds a block's positions into the states of one head's rows.
func (a *attnPanels) block(w *attnPanelWorker, item *attnItem, s *attnState, head int, b *attnBlockOf) {
	a.loadKeys(w, b.at, head, b.n)
	a.loadValues(w, b.at, head, b.n)
	if !b.edge || a.finite(w, b.n) {
		for r := 0; r < len(w.seen); r += panelRows {
			a.rows(w, s, b, r, min(panelRows, len(w.seen)-r))
		}
		return
	}
	// A weight of zero does not hide a value that is infinite or NaN: every row of the step gets the values that it
	// sees.
	for r := 0; r < len(w.seen); r += a.group {
		if w.seen[r] <= 0 {
			continue
		}
		a.loadValues(w, b.at, head, int(w.seen[r]))
		for g := 0; g < a.group; g += panelRows {
			a.rows(w, s, b, r+g, min(panelRows, a.group-g))
		}
	}
}

// finite reports whether all values of the block are.
func (a *attnPanels) finite(w *attnPanelWorker, n int) bool {
	for p := 0; p < len(w.values); p += attnValueStride / 2 {
		if !a.kernels.finite(&w.values[p], (n+1)/2*attnPair/2) {
			return false
		}
	}
	return true
}

// rows folds a block into the states of n rows, at most panelRows, from row r of the head on.
func (a *attnPanels) rows(w *attnPanelWorker, s *attnState, b *attnBlockOf, r, n int) {
	least, most := b.n, b.n
	if !b.whole {
		most = 0
		for _, seen := range w.seen[r : r+n] {
			least, most = min(least, int(seen)), max(most, int(seen))
		}
	}
	if most == 0 {
		return
	}
	at := b.row + r
	a.multiply(w, attnProduct{
		rows: n, panels: w.keys, stride: a.keyStride, count: panel.Count(most),
		x: &w.q.data[at*w.q.stride], lda: 2 * w.q.stride, pairs: (a.c.Cache.HeadDim + 1) / 2,
		to: w.scores, ldc: 4 * attnBlock,
	})
	a.fetchAhead(w)
	softmax := a.kernels.softmax
	if least >= attnBlock {
		softmax = a.kernels.softmaxAll
	}
	rose := softmax(&w.weights[0], &w.scores[0], &s.largest[at], &s.sum[at*attnSums], &w.shrink[0], &w.seen[r], n, a.scale)
	out := s.out[at*a.width:]
	if b.more && rose {
		a.kernels.shrink(&out[0], 4*a.width, a.width, &w.shrink[0], n)
	}
	a.multiply(w, attnProduct{
		rows: n, panels: w.values, stride: attnValueStride, count: a.width / panel.Channels,
		x: &w.weights[0], lda: 2 * attnWeightStride, pairs: (most + 1) / 2,
		to: out, ldc: 4 * a.width, more: b.more,
	})
}

// attnProduct is a product of some rows x, of so many pairs, lda bytes apart, with count panels, stride bytes apart: to,
// ldc bytes a row. With more it is added to what is there.
type attnProduct struct {
	rows, count, pairs int
	panels             []uint16
	x                  *uint16
	to                 []float32
	stride, lda, ldc   int
	more               bool
}

func (a *attnPanels) multiply(w *attnPanelWorker, p attnProduct) {
	kernels := &a.kernels.products[p.rows]
	for i := 0; i < p.count; {
		if p.rows < panelRows {
			a.fetchAhead(w)
		}
		side := a.side(p.rows, p.count-i)
		kernels[side](unsafe.Pointer(&p.panels[i*p.stride/2]), p.stride, p.x, p.lda, &p.to[i*panel.Channels], p.ldc, p.pairs, p.more, uintptr(unsafe.Pointer(p.x)), 0)
		i += side
	}
}

// side is how many panels a kernel takes side by side for n rows, with left panels to do.
func (a *attnPanels) side(n, left int) int {
	for _, side := range [...]int{4, 2} {
		if side <= left && a.kernels.products[n][side] != nil {
			return side
		}
	}
	return 1
}

// products is how many kernels run for n rows and count panels.
func (a *attnPanels) products(n, count int) int {
	side := a.side(n, count)
	return (count + side - 1) / side
}

// fold adds a chunk's state to that of the chunks before it, for the rows that see any of it.
func (a *attnPanels) fold(item *attnItem, total, part *attnState, chunk int) {
	tokens := a.c.In[1].I32[item.tile.lo:item.tile.hi]
	for h := range item.headHi - item.headLo {
		for t := 0; t < len(tokens); t++ {
			first := t
			for t < len(tokens) && chunk*attnChunk <= int(tokens[t]) {
				t++
			}
			if rows := (t - first) * a.group; rows > 0 {
				r := (h*len(tokens) + first) * a.group
				a.kernels.fold(&total.out[r*a.width], &part.out[r*a.width], a.width, &total.largest[r], &part.largest[r],
					&total.sum[r*attnSums], &part.sum[r*attnSums], rows)
			}
		}
	}
}

// finish stores the results.
func (a *attnPanels) finish(item *attnItem, s *attnState) {
	heads, dv := a.c.In[0].Shape[1], a.c.Cache.ValueDim
	row := 0
	for h := item.headLo; h < item.headHi; h++ {
		for t := item.tile.lo; t < item.tile.hi; t++ {
			for g := range a.group {
				a.kernels.divide(&a.c.Out[0].F32[(t*heads+h*a.group+g)*dv], &s.out[row*a.width], dv, &s.sum[row*attnSums])
				row++
			}
		}
	}
}

// aligned is kernels.Resize for scratch that begins at a multiple of 64 bytes, so that no load crosses a cache line.
func aligned[T any](s []T, n int) []T {
	if cap(s) >= n {
		return s[:n]
	}
	size := int(unsafe.Sizeof(*new(T)))
	s = make([]T, n+n/4+64/size)
	skip := -int(uintptr(unsafe.Pointer(&s[0]))) & 63 / size
	return s[skip:][:n]
}
