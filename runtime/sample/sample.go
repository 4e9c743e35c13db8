// Package sample picks tokens from logits.
package sample

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
)

// Params say how tokens are picked. The zero value is greedy.
type Params struct {
	Temperature float64 // 0: greedy
	TopP        float64 // keep the fewest tokens that hold this much probability; 0 or 1: all
	TopK        int     // keep this many tokens; 0: all
	Seed        uint64  // the same seed gives the same tokens
}

// Check says which parameter is out of range.
func (p Params) Check() error {
	switch {
	case !(p.Temperature >= 0) || math.IsInf(p.Temperature, 0):
		return fmt.Errorf("temperature is %g: wants a number from 0 (greedy) on", p.Temperature)
	case !(p.TopP >= 0 && p.TopP <= 1):
		return fmt.Errorf("top_p is %g: wants a number from 0 to 1", p.TopP)
	case p.TopK < 0:
		return fmt.Errorf("top_k is %d: wants a number from 0 (all) on", p.TopK)
	}
	return nil
}

// ErrNotFinite says that the logits hold no number that could be picked.
var ErrNotFinite = errors.New("the model's logits are not finite: damaged weights, or a precision that overflows")

// Sampler picks the tokens of one sequence.
type Sampler struct {
	params Params
	random *rand.Rand
	rank   ranking
	order  []int32   // the tokens that were taken from rank
	prob   []float64 // their parts of the sum
}

// New returns a sampler. The parameters must have been checked.
func New(p Params) *Sampler {
	return &Sampler{params: p, random: rand.New(rand.NewPCG(p.Seed, 0x9e3779b97f4a7c15))}
}

// Argmax returns the index of the largest logit, the first of equal ones; -1 where none is a finite number.
func Argmax(logits []float32) int32 {
	best, highest := int32(-1), float32(math.Inf(-1))
	for i, v := range logits {
		if v > highest && v <= math.MaxFloat32 { // false for NaN; once behind the first few, the first condition decides
			best, highest = int32(i), v
		}
	}
	return best
}

// Pick returns the next token for one row of logits.
func (s *Sampler) Pick(logits []float32) (int32, error) {
	best := Argmax(logits)
	if best < 0 {
		return 0, ErrNotFinite
	}
	if s.params.Temperature == 0 {
		return best, nil
	}
	return s.draw(logits, float64(logits[best])), nil
}

// draw samples from the softmax of the finite logits at the temperature, of which TopK and TopP keep the first by falling logit. The
// tokens' parts of the sum stand in that order, so that the same number drawn means the same token whatever the vocabulary's.
func (s *Sampler) draw(logits []float32, highest float64) int32 {
	weight := func(i int32) float64 { return math.Exp((float64(logits[i]) - highest) / s.params.Temperature) }
	s.rank.reset(logits)
	s.order, s.prob = s.order[:0], s.prob[:0]
	left := len(s.rank.heap)
	if k := s.params.TopK; k > 0 && k < left {
		left = k
	}
	next := func() float64 {
		i := s.rank.next()
		s.order, s.prob = append(s.order, i), append(s.prob, weight(i))
		return s.prob[len(s.prob)-1]
	}
	total := 0.0
	if left < len(s.rank.heap) {
		for range left {
			total += next()
		}
		left = 0
	} else {
		for _, i := range s.rank.heap {
			total += weight(i)
		}
	}
	if p := s.params.TopP; p > 0 && p < 1 {
		total, left = s.cut(p*total, left, next)
	}
	u := s.random.Float64() * total
	for i := 0; ; i++ {
		if i == len(s.prob) {
			if left == 0 {
				return s.order[i-1] // rounding left something of u
			}
			next()
			left--
		}
		if u -= s.prob[i]; u < 0 {
			return s.order[i]
		}
	}
}

// cut keeps the first tokens that have that much of the sum, and returns theirs. There are left more behind those that were taken
// already; none is left then.
func (s *Sampler) cut(most float64, left int, next func() float64) (sum float64, none int) {
	for i := 0; ; i++ {
		if i == len(s.prob) {
			if left == 0 {
				return sum, 0
			}
			next()
			left--
		}
		if sum += s.prob[i]; sum >= most {
			s.order, s.prob = s.order[:i+1], s.prob[:i+1]
			return sum, 0
		}
	}
}
