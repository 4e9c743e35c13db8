package cpu

import (
	"math"
	"sync/atomic"
	"unsafe"

	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
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
	workers []attnPanelWorker
	tiles   []attnTile
	items   []attnItem
	splits  []*attnSplit

	// Of the call in progress.
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
	softmax      func(p *uint16, s, largest, sum, shrink *float32, seen *int64, rows int, scale float32)
	shrink       func(out *float32, stride, n int, shrink *float32, rows int)
	fold         func(out, part *float32, n int, a, b float32)
	divide       func(dst, src *float32, n int, by float32)
	round        func(dst *uint16, src *float32, n int, flip uint32)
	finite       func(p *uint16, n int) bool
	fetch, touch func(rows unsafe.Pointer, at *int64, bytes, n int)
	products     *panelKernels
}

const (
	// attnChunk is the positions of a chunk: what a thread takes of a sequence in generation.
	attnChunk = 512
	// attnRows is about how many rows of one KV head make a tile: 16 times panelRows. Then bringing a block into
	// panels costs one or two hundredths of multiplying with it, and what a tile keeps of its rows stays in
	// the second-level cache.
	attnRows = 16 * panelRows
	// attnFewRows is how many rows of a KV head a tile has at most whose chunks threads take one by one: their
	// states wait in memory to be folded.
	attnFewRows = 2 * panelRows
	// attnWeightStride is the values from a row of weights to the next (kernels/cpu/gen/attention.go).
	attnWeightStride = attnBlock + 32
	// attnItems is how many items a thread has at least, before chunks become items.
	attnItems = 4
	// attnLoads is in how many parts keys and values are brought into panels.
	attnLoads = 2
	// attnAtOnce is how many bytes are fetched ahead at once.
	attnAtOnce = 32 * 64
	// attnSums is the number of sums of weights that a row has.
	attnSums = 16
	// attnPair is the bytes of a pair of a panel. Panels are one pair more than they hold apart, which keeps them
	// out of each other's sets of the first-level cache.
	attnPair        = 2 * 2 * panel.Channels
	attnValueStride = (attnBlock/2 + 1) * attnPair
)

// attnItem is an item of work: a tile, some KV heads, and all chunks of its positions or one of them.
type attnItem struct {
	tile           attnTile
	headLo, headHi int
	last           int        // the last position that a row sees
	split          *attnSplit // nil: all chunks
	chunk          int
}

// attnSplit is a tile's rows of some heads whose chunks are items of their own.
type attnSplit struct {
	chunks int
	left   atomic.Int32 // chunks that are not done
	states []attnState  // one for each chunk
}

// attnState is the softmax of some rows over the positions of a chunk, or of all chunks up to one: out is the sum of
// 2^(t - largest) * v over the positions, sum that of 2^(t - largest), t the score in units of log2.
type attnState struct {
	out     []float32 // [rows, V padded]
	largest []float32 // [rows]
	sum     []float32 // [rows, attnSums]; the first is the sum of all when the chunk is done
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
	a := &attnPanels{dev: d, kernels: k, workers: make([]attnPanelWorker, d.threads)}
	for i := range a.workers {
		w := &a.workers[i]
		w.scores = aligned(w.scores, panelRows*attnBlock)
		w.weights = aligned(w.weights, panelRows*attnWeightStride)
	}
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
	a.width = (cache.ValueDim + panel.Channels - 1) / panel.Channels * panel.Channels
	a.keyStride = ((cache.HeadDim+63)/64*32 + 1) * attnPair
	a.plan()
	a.dev.pool.run(len(a.items), 1, a.body)
}

// plan makes the items of a call. How they are cut does not show in the results. The last tile comes first: in a prefill
// it has the longest context, and the pool ends evenly when the short ones are left for the end.
func (a *attnPanels) plan() {
	a.tiles = appendTiles(a.tiles[:0], a.c, max(attnRows/a.group, 1))
	a.items, a.splits = a.items[:0], a.splits[:0]
	heads := a.c.Cache.Heads
	want := attnItems * a.dev.threads
	few := a.dev.threads > 1 && len(a.tiles)*heads < want
	for i := len(a.tiles) - 1; i >= 0; i-- {
		item := attnItem{tile: a.tiles[i]}
		for _, p := range a.c.In[1].I32[item.tile.lo:item.tile.hi] {
			item.last = max(item.last, int(p))
		}
		rows := (item.tile.hi - item.tile.lo) * a.group
		split := few && item.last >= attnChunk && rows <= attnFewRows
		parts := len(a.tiles)
		if split {
			parts *= item.last/attnChunk + 1
		}
		per := a.headsPerItem(rows, parts, want)
		for h := 0; h < heads; h += per {
			item.headLo, item.headHi = h, min(h+per, heads)
			if split {
				a.planChunks(item)
			} else {
				a.items = append(a.items, item)
			}
		}
	}
}

// headsPerItem is how many KV heads an item takes of a tile that has rows rows a head, where about parts other items
// have the same heads. A position's heads lie side by side: taking all of them reads the cache in one
// stream. But there have to be as many items as are wanted, and their rows have to fit where those of a prefill do.
func (a *attnPanels) headsPerItem(rows, parts, want int) int {
	heads := a.c.Cache.Heads
	per := min(max(attnRows/rows, 1), heads)
	for per > 1 && a.dev.threads > 1 && parts*((heads+per-1)/per) < want {
		per /= 2
	}
	return per
}

// planChunks makes an item of each of an item's chunks.
func (a *attnPanels) planChunks(item attnItem) {
	n := len(a.splits)
	if n < cap(a.splits) && a.splits[:n+1][n] != nil {
		a.splits = a.splits[:n+1] // with the memory of an earlier call
	} else {
		a.splits = append(a.splits, &attnSplit{})
	}
	s := a.splits[n]
	s.chunks = item.last/attnChunk + 1
	s.left.Store(int32(s.chunks))
	for len(s.states) < s.chunks {
		s.states = append(s.states, attnState{})
	}
	item.split = s
	for item.chunk = range s.chunks {
		a.items = append(a.items, item)
	}
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
		a.look(w, item.tile, &b)
		w.ahead.next = &w.places[1-i]
		a.locate(w.ahead.next, item.tile.seq, first+attnBlock, end)
		a.startAhead(w, item)
		for h := item.headLo; h < item.headHi; h++ {
			b.row = (h - item.headLo) * len(w.seen)
			a.block(w, item, s, h, &b)
		}
		if all := 2 * w.ahead.next.n; w.ahead.done < all {
			w.ahead.done = 0
			a.ahead(w, a.kernels.touch, all)
		}
	}
	for r := range rows {
		sums := s.sum[r*attnSums : (r+1)*attnSums]
		for n := attnSums / 2; n > 0; n /= 2 {
			for i := range n {
				sums[i] += sums[i+n]
			}
		}
	}
}

// attnBlockOf is a block of positions, of which rows may see fewer than n, and the first row of a head in the item.
type attnBlockOf struct {
	first, n int
	at       *attnPlaces
	more     bool // the state holds earlier blocks
	edge     bool // some row sees a part of the block only
	row      int
}

// attnPlaces is where the keys and values of a block begin in the cache, in bytes, for the first head.
type attnPlaces struct {
	n            int
	keys, values [attnBlock]int64
}

// locate finds the places of the positions from first on, none from end on. Behind the last, keys repeat up to a
// multiple of 16: their scores are masked.
func (a *attnPanels) locate(at *attnPlaces, seq, first, end int) {
	cache, pages := a.c.Cache, &a.c.In[3]
	table := pages.I32[seq*pages.Last() : (seq+1)*pages.Last()]
	size := int64(cache.Heads * cache.DType.Size())
	key, value := size*int64(cache.HeadDim), size*int64(cache.ValueDim)
	at.n = max(min(attnBlock, end-first), 0)
	page, in := first/cache.PageSize, first%cache.PageSize
	for j := 0; j < at.n; page, in = page+1, 0 {
		slot := int64(table[page])*int64(cache.PageSize) + int64(in)
		for end := min(at.n, j+cache.PageSize-in); j < end; j++ {
			at.keys[j], at.values[j] = slot*key, slot*value
			slot++
		}
	}
	for j := at.n; j%16 != 0; j++ {
		at.keys[j] = at.keys[at.n-1]
	}
}

// attnAhead brings the next block's keys and values into the second-level cache, some rows between every two steps of the
// block at hand: what is scattered over pages no processor fetches ahead by itself. A processor drops what it is asked to
// fetch when too much is under way, so a step asks for little. Where the steps are too few
// for everything, as in generation, all of it is read at the end of the block, in the order of memory: what
// was dropped too. That is better than to wait where keys are transposed, 16 rows at a time.
//
// Zen 5, one KV head in four, context 8192, generation: without any of it 8.2 GB/s, all asked for at once 10.4, in steps
// 11.5, in short steps and the rest read 15.6, where reading memory from end to end gives 29.
type attnAhead struct {
	next  *attnPlaces
	done  int // rows, of the keys first
	share int // rows a step
	head  int // the item's first
	heads int
}

// startAhead shares the rows of the next block among the steps of this one.
func (a *attnPanels) startAhead(w *attnPanelWorker, item *attnItem) {
	f := &w.ahead
	f.head, f.heads, f.done = item.headLo, item.headHi-item.headLo, 0
	rows := len(w.seen)
	products := func(n int) int {
		return a.products(n, attnBlock/panel.Channels) + a.products(n, a.width/panel.Channels)
	}
	steps := 2*attnLoads + rows/panelRows*(1+products(panelRows))
	if rest := rows % panelRows; rest > 0 {
		steps += 1 + products(rest)
	}
	steps *= f.heads
	row := f.heads * a.c.Cache.HeadDim * a.c.Cache.DType.Size()
	f.share = min((2*f.next.n+steps-1)/steps, max(attnAtOnce/row, 1))
}

// fetchAhead asks for a step's share.
func (a *attnPanels) fetchAhead(w *attnPanelWorker) {
	a.ahead(w, a.kernels.fetch, min(w.ahead.done+w.ahead.share, 2*w.ahead.next.n))
}

// ahead brings the next block's rows up to end, keys first.
func (a *attnPanels) ahead(w *attnPanelWorker, bring func(rows unsafe.Pointer, at *int64, bytes, n int), end int) {
	f, cache := &w.ahead, a.c.Cache
	n := f.next.n
	if to := min(end, n); f.done < to {
		k := cache.DType.Size() * cache.HeadDim
		bring(unsafe.Add(elements(&cache.K), f.head*k), &f.next.keys[f.done], f.heads*k, to-f.done)
		f.done = to
	}
	if f.done < end {
		v := cache.DType.Size() * cache.ValueDim
		bring(unsafe.Add(elements(&cache.V), f.head*v), &f.next.values[f.done-n], f.heads*v, end-f.done)
		f.done = end
	}
}

// elements is where the elements of a tensor of BF16 or F8E4M3 begin.
func elements(t *kernels.Tensor) unsafe.Pointer {
	if t.DType == dtype.BF16 {
		return unsafe.Pointer(&t.U16[0])
	}
	return unsafe.Pointer(&t.U8[0])
}

// look finds how many positions of the block each row of a head sees.
func (a *attnPanels) look(w *attnPanelWorker, tile attnTile, b *attnBlockOf) {
	w.seen = kernels.Resize(w.seen, (tile.hi-tile.lo)*a.group)
	for t, p := range a.c.In[1].I32[tile.lo:tile.hi] {
		seen := min(b.n, int(p)+1-b.first) // causal
		b.edge = b.edge || seen > 0 && seen < b.n
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

func (a *attnPanels) loadKeys(w *attnPanelWorker, at *attnPlaces, head, n int) {
	d := a.c.Cache.HeadDim
	w.keys = aligned(w.keys, attnBlock/panel.Channels*a.keyStride/2)
	k := &a.c.Cache.K
	const part = attnBlock / attnLoads
	for j := 0; j < n; j += part {
		a.fetchAhead(w)
		to, groups := &w.keys[j/panel.Channels*a.keyStride/2], (min(n-j, part)+15)/16
		if k.DType == dtype.BF16 {
			a.kernels.keysBF16(to, &k.U16[head*d], &at.keys[j], d, groups, a.keyStride)
		} else {
			a.kernels.keysF8(to, &k.U8[head*d], &at.keys[j], d, groups, a.keyStride)
		}
	}
}

func (a *attnPanels) loadValues(w *attnPanelWorker, at *attnPlaces, head, n int) {
	d := a.c.Cache.ValueDim
	w.values = aligned(w.values, a.width/panel.Channels*attnValueStride/2)
	v := &a.c.Cache.V
	const part = attnBlock / attnLoads
	for j := 0; j < n; j += part {
		a.fetchAhead(w)
		to := &w.values[j/2*attnPair/2]
		if v.DType == dtype.BF16 {
			a.kernels.valuesBF16(to, &v.U16[head*d], &at.values[j], d, min(n-j, part), attnValueStride)
		} else {
			a.kernels.valuesF8(to, &v.U8[head*d], &at.values[j], d, min(n-j, part), attnValueStride)
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
	most := 0
	for _, seen := range w.seen[r : r+n] {
		most = max(most, int(seen))
	}
	if most == 0 {
		return
	}
	at := b.row + r
	a.multiply(w, attnProduct{
		rows: n, panels: w.keys, stride: a.keyStride, count: (most + panel.Channels - 1) / panel.Channels,
		x: &w.q.data[at*w.q.stride], lda: 2 * w.q.stride, pairs: (a.c.Cache.HeadDim + 1) / 2,
		to: w.scores, ldc: 4 * attnBlock,
	})
	a.fetchAhead(w)
	a.kernels.softmax(&w.weights[0], &w.scores[0], &s.largest[at], &s.sum[at*attnSums], &w.shrink[0], &w.seen[r], n, a.scale)
	out := s.out[at*a.width:]
	if b.more {
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
		a.fetchAhead(w)
		side := a.side(p.rows, p.count-i)
		kernels[side](unsafe.Pointer(&p.panels[i*p.stride/2]), p.stride, p.x, p.lda, &p.to[i*panel.Channels], p.ldc, p.pairs, p.more)
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
	row := 0
	for range item.headHi - item.headLo {
		for _, p := range a.c.In[1].I32[item.tile.lo:item.tile.hi] {
			for range a.group {
				if chunk*attnChunk <= int(p) {
					a.foldRow(total, part, row)
				}
				row++
			}
		}
	}
}

func (a *attnPanels) foldRow(total, part *attnState, r int) {
	largest := max(total.largest[r], part.largest[r])
	// With nothing above minus infinity so far, everything is zero.
	finite := max(largest, -math.MaxFloat32)
	keep, add := exp2(total.largest[r]-finite), exp2(part.largest[r]-finite)
	a.kernels.fold(&total.out[r*a.width], &part.out[r*a.width], a.width, keep, add)
	total.sum[r*attnSums] = total.sum[r*attnSums]*keep + part.sum[r*attnSums]*add
	total.largest[r] = largest
}

func exp2(x float32) float32 { return float32(math.Exp2(float64(x))) }

// finish stores the results.
func (a *attnPanels) finish(item *attnItem, s *attnState) {
	heads, dv := a.c.In[0].Shape[1], a.c.Cache.ValueDim
	row := 0
	for h := item.headLo; h < item.headHi; h++ {
		for t := item.tile.lo; t < item.tile.hi; t++ {
			for g := range a.group {
				a.kernels.divide(&a.c.Out[0].F32[(t*heads+h*a.group+g)*dv], &s.out[row*a.width], dv, s.sum[row*attnSums])
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
