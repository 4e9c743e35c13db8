package cpu

import (
	"math"

	"github.com/glmc/glmc/kernels"
)

// route is moe.route, token by token: a pass over the logits for the scores, one for the choice. All of it is
// float32, and in the order of ref, so that both sets choose the same experts with the same weights.
type route struct {
	dev *Device
	kernels.Routing
	bias    []float32 // [E], or empty
	workers []routeScratch

	// Of the call in progress.
	c    *kernels.Call
	body func(worker, lo, hi int)
}

// routeScratch is what one worker needs for a token.
type routeScratch struct {
	scores, choice []float32 // [E]
	groups, chosen ranking
	open           []bool // [groups]
}

func (d *Device) route(a kernels.Attrs) (kernels.Func, error) {
	routing, err := kernels.ReadRouting(a)
	if err != nil {
		return nil, err
	}
	r := &route{dev: d, Routing: routing, workers: make([]routeScratch, d.threads)}
	for i := range r.workers {
		r.workers[i] = routeScratch{groups: newRanking(r.Keep), chosen: newRanking(r.K), open: make([]bool, r.Groups)}
	}
	r.body = r.rows
	return r.run, nil
}

func (r *route) run(c *kernels.Call) error {
	logits := &c.In[0]
	experts := logits.Last()
	if err := r.Check(experts); err != nil {
		return err
	}
	r.c, r.bias = c, weightRow(r.bias, c.Optional(1))
	rows := logits.Shape[0]
	r.dev.pool.run(rows, r.dev.grain(rows, (4+r.dev.vectors.expCost)*experts), r.body)
	return nil
}

func (r *route) rows(worker, lo, hi int) {
	w := &r.workers[worker]
	experts, n := r.c.In[0].Last(), r.K+r.Count
	w.scores, w.choice = kernels.Resize(w.scores, experts), kernels.Resize(w.choice, experts)
	for t := lo; t < hi; t++ {
		r.score(w, r.c.In[0].F32[t*experts:(t+1)*experts])
		if r.Groups > 1 {
			w.openGroups()
		}
		w.choose()
		ids, weights := r.c.Out[0].I32[t*n:(t+1)*n], r.c.Out[1].F32[t*n:(t+1)*n]
		for j, e := range w.chosen.ids {
			ids[j], weights[j] = e, w.scores[e]
		}
		r.Weigh(ids, weights)
	}
}

// score fills in scores, and in choice the scores plus bias, NaN as -Inf.
func (r *route) score(w *routeScratch, logits []float32) {
	if r.Softmax {
		r.dev.softmaxExact(w.scores, logits)
	} else {
		r.dev.vectors.sigmoid(w.scores, logits)
	}
	copy(w.choice, w.scores)
	for e, b := range r.bias {
		w.choice[e] += b
	}
	for e, v := range w.choice {
		w.choice[e] = lowestNaN(v)
	}
}

// softmaxExact is ref.Softmax, with its bits.
func (d *Device) softmaxExact(dst, x []float32) {
	largest := float32(math.Inf(-1))
	for _, v := range x {
		largest = max(largest, v)
	}
	d.vectors.expExact(dst, x, largest)
	var sum float32
	for _, v := range dst {
		sum += v
	}
	for i := range dst {
		dst[i] /= sum
	}
}

func lowestNaN(x float32) float32 {
	if x != x {
		return float32(math.Inf(-1))
	}
	return x
}

// openGroups opens the groups whose two best choices have the largest sums.
func (w *routeScratch) openGroups() {
	size := len(w.choice) / len(w.open)
	w.groups.reset()
	for g := range w.open {
		w.open[g] = false
		first, second := float32(math.Inf(-1)), float32(math.Inf(-1))
		for _, v := range w.choice[g*size : (g+1)*size] {
			if v > first {
				first, second = v, first
			} else if v > second {
				second = v
			}
		}
		if size > 1 {
			first = lowestNaN(first + second)
		}
		w.groups.offer(first, int32(g))
	}
	for _, g := range w.groups.ids {
		w.open[g] = true
	}
}

// choose ranks the experts, those of open groups where there are several.
func (w *routeScratch) choose() {
	w.chosen.reset()
	size := len(w.choice) / len(w.open)
	for g, open := range w.open {
		if !open && len(w.open) > 1 {
			continue
		}
		for e := g * size; e < (g+1)*size; e++ {
			w.chosen.offer(w.choice[e], int32(e))
		}
	}
}

// ranking keeps the largest values that it was offered, descending, and of equal ones those that came first.
// Most values of a long row are below the least that is kept, so that one comparison is all that they cost;
// nothing depends on the length being a power of two.
type ranking struct {
	most   int
	ids    []int32
	values []float32
}

func newRanking(most int) ranking {
	return ranking{most: most, ids: make([]int32, 0, most), values: make([]float32, 0, most)}
}

func (r *ranking) reset() { r.ids, r.values = r.ids[:0], r.values[:0] }

// offer takes a value that is no NaN, with its index.
func (r *ranking) offer(v float32, id int32) {
	n := len(r.ids)
	if n == r.most {
		if v <= r.values[n-1] {
			return
		}
		n--
	} else {
		r.ids, r.values = r.ids[:n+1], r.values[:n+1]
	}
	for n > 0 && v > r.values[n-1] {
		r.ids[n], r.values[n] = r.ids[n-1], r.values[n-1]
		n--
	}
	r.ids[n], r.values[n] = id, v
}
