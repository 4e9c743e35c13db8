package sample

// ranking gives tokens by falling logit, ties by rising index, one after the other. It is a heap: a sampler mostly wants a few of
// a hundred thousand tokens, and to sort them all takes ten times as long as to find those.
type ranking struct {
	logits []float32
	heap   []int32
}

// reset ranks the finite logits.
func (r *ranking) reset(logits []float32) {
	r.logits, r.heap = logits, r.heap[:0]
	for i, v := range logits {
		if v-v == 0 {
			r.heap = append(r.heap, int32(i))
		}
	}
	for i := len(r.heap)/2 - 1; i >= 0; i-- {
		r.sink(i)
	}
}

// next takes the first token that is left. There must be one.
func (r *ranking) next() int32 {
	first, last := r.heap[0], len(r.heap)-1
	r.heap[0] = r.heap[last]
	r.heap = r.heap[:last]
	r.sink(0)
	return first
}

// sink moves the token at i down to where those below it come behind it.
func (r *ranking) sink(i int) {
	for {
		child := 2*i + 1
		if child >= len(r.heap) {
			return
		}
		if child+1 < len(r.heap) && r.before(r.heap[child+1], r.heap[child]) {
			child++
		}
		if !r.before(r.heap[child], r.heap[i]) {
			return
		}
		r.heap[i], r.heap[child] = r.heap[child], r.heap[i]
		i = child
	}
}

// before reports whether token a comes before token b.
func (r *ranking) before(a, b int32) bool {
	x, y := r.logits[a], r.logits[b]
	return x > y || x == y && a < b
}
