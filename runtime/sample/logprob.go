package sample

import "math"

// score fills in what the model thought of a token: with the row's logits as the model gave them, whatever was changed or masked. They
// hold a finite number.
func (w *workspace) score(t *Token, r *row, alternatives int) {
	if !r.plain() {
		r.begin(r.logits, nil)
		w.scan(r)
	}
	sc := scale{high: float64(highest(w.high)), inverse: 1, floor: -math.MaxFloat32}
	logSum := math.Log(w.sum(r, &sc))
	logprob := func(v float32) float32 {
		if !sc.in(v) {
			return negInf
		}
		return float32(-sc.below(v) - logSum)
	}
	t.Logprob = logprob(r.logits[t.ID])
	if alternatives == 0 {
		return
	}
	w.top(r, &sc, alternatives)
	if cap(t.Top) < len(w.found) {
		t.Top = make([]Alternative, 0, len(w.found))
	}
	for _, f := range w.found {
		t.Top = append(t.Top, Alternative{f.id, logprob(f.logit)})
	}
}

// rankOf is how many logits are no lower than a token's, its own included. Those that are no finite numbers come behind all others.
func rankOf(logits []float32, id int32) int32 {
	own := logits[id]
	if own-own != 0 {
		own = -math.MaxFloat32
	}
	n := int32(0)
	for _, v := range logits {
		if v >= own && v <= math.MaxFloat32 {
			n++
		}
	}
	if logits[id]-logits[id] != 0 {
		n++
	}
	return n
}

// sum is the weight of all tokens.
func (w *workspace) sum(r *row, sc *scale) float64 {
	var x, e [blockSize]float64
	var sums [4]float64 // which do not have to wait for one another
	for b := range r.blocks() {
		n := sc.belows(&x, r.at(b))
		expMinus(e[:n], x[:n])
		for i, v := range e[:n] {
			sums[i%4] += v
		}
	}
	return sums[0] + sums[1] + (sums[2] + sums[3])
}
