package cpu

import (
	"math"

	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
)

// attnDots is attention by inner products of float32: of one query with the keys of a block, for caches of F32, and for
// processors without products with panels.
//
// An item of work is a tile and one KV head, with all the query heads of its group.
type attnDots struct {
	dev     *Device
	scale   float32
	workers []attnWorker
	tiles   []attnTile

	// Of the call in progress.
	c    *kernels.Call
	body func(worker, lo, hi int)
}

// attnWorker is one worker's scratch.
type attnWorker struct {
	k, v       []float32   // [attnDotBlock, D], [attnDotBlock, V]: widened keys and values of a block
	keys, vals [][]float32 // [attnDotBlock]: rows of k and v, or of the cache itself
	score      []float32   // [attnDotBlock]
	state      []softmax   // [rows, group]
}

// softmax is the state of one query over the positions seen so far: out = sum of exp(score - largest) * v.
type softmax struct {
	largest, sum float32
	out          []float32 // [V], in the result
}

// attnDotBlock is the number of positions between two updates of the running maximum; 64 keys and values of 128 values
// fill 64 KiB as float32.
const attnDotBlock = 64

// attnQueries is how many queries share the widening of a block.
const attnQueries = 64

func newAttnDots(d *Device, scale float32) *attnDots {
	a := &attnDots{dev: d, scale: scale, workers: make([]attnWorker, d.threads)}
	for i := range a.workers {
		w := &a.workers[i]
		w.keys, w.vals = make([][]float32, attnDotBlock), make([][]float32, attnDotBlock)
		w.score = make([]float32, attnDotBlock)
	}
	a.body = a.items
	return a
}

func (a *attnDots) run(c *kernels.Call) {
	a.c = c
	clear(c.Out[0].F32[:c.Out[0].Elems()])
	perTile := max(attnQueries*c.Cache.Heads/c.In[0].Shape[1], 1)
	a.tiles = appendTiles(a.tiles[:0], c, perTile)
	a.dev.pool.run(len(a.tiles)*c.Cache.Heads, 1, a.body)
}

// items computes items [lo, hi), numbered by tile and KV head. The last tile comes first: in a prefill it has
// the longest context, and the pool ends evenly when the short ones are left for the end.
func (a *attnDots) items(worker, lo, hi int) {
	heads := a.c.Cache.Heads
	for i := lo; i < hi; i++ {
		a.item(&a.workers[worker], a.tiles[len(a.tiles)-1-i/heads], i%heads)
	}
}

func (a *attnDots) item(w *attnWorker, tile attnTile, head int) {
	q, pos, out := &a.c.In[0], a.c.In[1].I32, a.c.Out[0].F32
	heads, d, dv := q.Shape[1], q.Shape[2], a.c.Cache.ValueDim
	group := heads / a.c.Cache.Heads
	w.state = kernels.Resize(w.state, (tile.hi-tile.lo)*group)
	last := 0
	for t := tile.lo; t < tile.hi; t++ {
		last = max(last, int(pos[t]))
		for g := range group {
			at := (t*heads + head*group + g) * dv
			w.state[(t-tile.lo)*group+g] = softmax{largest: float32(math.Inf(-1)), out: out[at : at+dv]}
		}
	}
	for first := 0; first <= last; first += attnDotBlock {
		n := min(attnDotBlock, last+1-first)
		a.load(w, tile.seq, head, first, n)
		for t := tile.lo; t < tile.hi; t++ {
			seen := min(n, int(pos[t])+1-first) // causal
			for g := 0; g < group && seen > 0; g++ {
				at := (t*heads + head*group + g) * d
				a.update(w, &w.state[(t-tile.lo)*group+g], q.F32[at:at+d], seen)
			}
		}
	}
	for i := range w.state {
		s := &w.state[i]
		for j := range s.out {
			s.out[j] /= s.sum
		}
	}
}

// load makes keys and vals the n positions from first on, of one head of a sequence.
func (a *attnDots) load(w *attnWorker, seq, head, first, n int) {
	cache, pages := a.c.Cache, &a.c.In[3]
	d, dv := cache.HeadDim, cache.ValueDim
	table := pages.I32[seq*pages.Last() : (seq+1)*pages.Last()]
	w.k, w.v = kernels.Resize(w.k, attnDotBlock*d), kernels.Resize(w.v, attnDotBlock*dv)
	for j := range n {
		p := first + j
		slot := int(table[p/cache.PageSize])*cache.PageSize + p%cache.PageSize
		row := slot*cache.Heads + head
		if cache.DType == dtype.F32 {
			w.keys[j], w.vals[j] = cache.K.F32[row*d:(row+1)*d], cache.V.F32[row*dv:(row+1)*dv]
			continue
		}
		w.keys[j], w.vals[j] = w.k[j*d:(j+1)*d], w.v[j*dv:(j+1)*dv]
		cache.K.Load(w.keys[j], row*d)
		cache.V.Load(w.vals[j], row*dv)
	}
}

// update folds the block's first n positions into a query's state.
func (a *attnDots) update(w *attnWorker, s *softmax, q []float32, n int) {
	score := w.score[:n]
	largest := s.largest
	for j := 0; j < n; j += tileRows {
		end := min(j+tileRows, n)
		a.dev.dots.f32(score[j:end], q, w.keys[j:end])
	}
	for j := range score {
		score[j] *= a.scale
		if score[j] > largest {
			largest = score[j]
		}
	}
	finite := max(largest, -math.MaxFloat32) // where all scores are -Inf, their weights are zero
	if largest != s.largest {
		shrink := exp(s.largest - finite) // 0 for the first block: its exponent is -Inf
		s.largest = largest
		s.sum *= shrink
		for i := range s.out {
			s.out[i] *= shrink
		}
	}
	s.sum += a.dev.vectors.expSum(score, score, finite)
	for j := 0; j < n; j += tileRows {
		end := min(j+tileRows, n)
		a.dev.dots.axpy(s.out, score[j:end], w.vals[j:end])
	}
}

func exp(x float32) float32 { return float32(math.Exp(float64(x))) }
