package sample

import (
	"cmp"
	"math"
	"slices"
)

// A draw has to know which tokens are the most probable ones, of more than a hundred thousand, and to sort them all takes milliseconds.
// So they are sorted into bins by their logit, in one pass, and only the bins where something is decided are put in order: the last one
// that is kept, and the one that the drawn number falls into. The result is that of sorting all.
const (
	binsPerUnit = 128 // bins of logits, at temperature 1, that are 1 apart
	binned      = 32  // what is less probable than the best token by more than e^32 is all in one bin, the last
	bins        = binned*binsPerUnit + 1
)

// scale turns logits into weights and bins.
type scale struct {
	high    float64 // the highest logit, which has weight 1
	inverse float64 // of the temperature
	floor   float64 // logits below it are out
}

// below is how far a logit lies below the highest one, at the temperature: its weight is e to the minus this.
func (s *scale) below(v float32) float64 { return (s.high - float64(v)) * s.inverse }

// bin is where a token lies that is that far below: bin 0 has the most probable ones.
func bin(below float64) int {
	if !(below < binned) {
		return bins - 1
	}
	return int(below * binsPerUnit)
}

// span is the middle and half the width of the logits that can lie in some bins: rounding makes it a little wider than they are.
func (s *scale) span(first, last int) (middle, half float64) {
	upper, lower := s.high-float64(first)/binsPerUnit/s.inverse, s.floor
	if last < bins-1 {
		lower = max(lower, s.high-float64(last+1)/binsPerUnit/s.inverse)
	}
	middle, half = (upper+lower)/2, (upper-lower)/2
	return middle, half + 1e-12*(math.Abs(s.high)+math.Abs(upper)+math.Abs(lower))
}

// belows is below for those logits of a block that count.
func (s *scale) belows(x *[blockSize]float64, block []float32) (n int) {
	for _, v := range block {
		if s.in(v) {
			x[n%blockSize] = s.below(v)
			n++
		}
	}
	return n
}

// in reports whether a logit counts: it is finite, and not below the floor.
func (s *scale) in(v float32) bool { return float64(v) >= s.floor && float64(v) <= s.high }

// found is a token of which the place in the order matters.
type found struct {
	id     int32
	logit  float32
	weight float64
}

// sorted is up to how many tokens top_k has sorted. More of them are counted in bins.
const sorted = 1024

// draw picks a token at random.
func (s *Sampler) draw(w *workspace, r *row, high float32) int32 {
	p := &s.params
	sc := scale{high: float64(high), inverse: 1 / p.Temperature, floor: -math.MaxFloat32}
	if p.MinP > 0 {
		sc.floor = max(sc.floor, sc.high+p.Temperature*math.Log(p.MinP))
	}
	u := uniform(p.Seed, s.position)
	if 0 < p.TopK && p.TopK <= sorted {
		w.top(r, &sc, p.TopK)
		return w.drawFound(p.TopP, u)
	}
	w.weigh(r, &sc)
	if 0 < p.TopK && p.TopK < len(r.logits) {
		w.keep(r, &sc, p.TopK)
	}
	return w.drawBins(r, &sc, p.TopP, u)
}

// drawBins picks one of the tokens in bins.
func (w *workspace) drawBins(r *row, sc *scale, topP, u float64) int32 {
	kept := w.total()
	end := w.used // bins before it are kept whole, and of it what is found
	before := 0.0 // weight before bin end
	if topP > 0 && topP < 1 {
		end, before, kept = w.cut(r, sc, topP*kept)
	}
	target, sum, some := u*kept, 0.0, -1
	for b := range end {
		if w.mass[b] > 0 {
			if some = b; target < sum+w.mass[b] {
				break
			}
			sum += w.mass[b]
		}
	}
	if end < w.used && (some < 0 || target >= before) {
		return walk(w.found, before, target)
	}
	w.bin(r, sc, some)
	return walk(w.found, sum, target)
}

// drawFound picks one of the tokens found, which are all that are left but for top_p.
func (w *workspace) drawFound(topP, u float64) int32 {
	total := 0.0
	for i := range w.found {
		total += w.found[i].weight
	}
	if topP > 0 && topP < 1 {
		w.found, total = shortest(w.found, 0, topP*total)
	}
	return walk(w.found, 0, u*total)
}

// weigh puts the weights of all tokens into bins, and counts them.
func (w *workspace) weigh(r *row, sc *scale) {
	clear(w.mass[:w.filled])
	clear(w.count[:])
	w.most = math.MaxInt
	last := 0
	var x, e [blockSize]float64
	for b, high := range w.high {
		if !sc.in(high) {
			continue
		}
		n := sc.belows(&x, r.at(b))
		expMinus(e[:n], x[:n])
		for i, x := range x[:n] {
			at := bin(x)
			w.mass[at] += e[i]
			w.count[at]++
			last = max(last, at)
		}
	}
	w.filled, w.used = last+1, last+1
}

// total is the weight of all tokens in bins.
func (w *workspace) total() (sum float64) {
	for _, m := range w.mass[:w.used] {
		sum += m
	}
	return sum
}

// keep keeps the k most probable tokens in bins.
func (w *workspace) keep(r *row, sc *scale, k int) {
	for b, n := range w.count[:w.used] {
		if int(n) < k {
			k -= int(n)
			continue
		}
		w.used, w.most = b+1, k
		w.bin(r, sc, b)
		w.mass[b] = 0
		for i := range w.found {
			w.mass[b] += w.found[i].weight
		}
		return
	}
}

// bin finds the tokens of a bin that are kept, in order.
func (w *workspace) bin(r *row, sc *scale, b int) {
	w.gather(r, sc, b, b)
	if b == w.used-1 {
		w.found = w.found[:min(w.most, len(w.found))]
	}
}

// cut keeps the first tokens that have this much weight: all bins before end, which have the weight before, and what is found of bin end.
func (w *workspace) cut(r *row, sc *scale, most float64) (end int, before, kept float64) {
	for b, m := range w.mass[:w.used] {
		if m == 0 {
			continue
		}
		if before+m >= most {
			w.bin(r, sc, b)
			w.found, kept = shortest(w.found, before, most)
			return b, before, kept
		}
		before += m
	}
	return w.used, before, before // rounding left something: all are kept
}

// shortest cuts tokens in order behind the first that makes the weight, counted from a sum on, reach most.
func shortest(tokens []found, sum, most float64) ([]found, float64) {
	for i := range tokens {
		if sum += tokens[i].weight; sum >= most {
			return tokens[:i+1], sum
		}
	}
	return tokens, sum
}

// walk returns the token in whose part of the weights, counted from a sum on, the target lies; the last one that has a part where rounding
// put it behind all.
func walk(tokens []found, sum, target float64) int32 {
	last := tokens[0].id
	for i := range tokens {
		if tokens[i].weight == 0 {
			break
		}
		last = tokens[i].id
		if sum += tokens[i].weight; target < sum {
			break
		}
	}
	return last
}

// top finds the k most probable tokens, in order. The tokens that are the highest of their block say in which bins those must be: so few
// blocks are looked at.
func (w *workspace) top(r *row, sc *scale, k int) {
	clear(w.count[:])
	for _, high := range w.high {
		if sc.in(high) {
			w.count[bin(sc.below(high))]++
		}
	}
	last, n := 0, int(w.count[0])
	for n < k && last < bins-1 {
		last++
		n += int(w.count[last])
	}
	w.gather(r, sc, 0, last)
	w.found = w.found[:min(k, len(w.found))]
}

// gather finds the tokens of bins, in order: by falling logit, ties by rising id.
func (w *workspace) gather(r *row, sc *scale, first, last int) {
	w.found = w.found[:0]
	middle, half := sc.span(first, last)
	for b, high := range w.high {
		if !sc.in(high) || float64(high) < middle-half {
			continue
		}
		for i, v := range r.at(b) {
			if !(math.Abs(float64(v)-middle) <= half && sc.in(v)) { // the first condition mostly decides, and is foretold well
				continue
			}
			x := [1]float64{sc.below(v)}
			if at := bin(x[0]); first <= at && at <= last {
				expMinus(x[:], x[:])
				w.found = append(w.found, found{int32(b*blockSize + i), v, x[0]})
			}
		}
	}
	slices.SortFunc(w.found, func(a, b found) int { return cmp.Or(cmp.Compare(b.logit, a.logit), cmp.Compare(a.id, b.id)) })
}
