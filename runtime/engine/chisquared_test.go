package engine_test

import (
	"cmp"
	"math"
	"slices"
)

// pearson sums up how far counts are from what probabilities make expect, over groups of draws with one distribution each (Pearson, On the
// criterion, 1900).
type pearson struct {
	chi     float64
	freedom int
	draws   int // that were compared

	impossible int // draws of what has no probability
}

// leastExpected is what is expected of a cell at least. The least probable values of a group are taken together until it is.
const leastExpected = 5

// add takes a group of draws.
func (s *pearson) add(counts []int, law []float64) {
	var order []int
	n := 0
	for i, p := range law {
		n += counts[i]
		if p > 0 {
			order = append(order, i)
		} else {
			s.impossible += counts[i]
		}
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(law[a], law[b]) })
	cells, chi, count, expected := 0, 0.0, 0, 0.0
	for _, i := range order {
		count, expected = count+counts[i], expected+law[i]*float64(n)
		if expected >= leastExpected {
			chi += (float64(count) - expected) * (float64(count) - expected) / expected
			cells, count, expected = cells+1, 0, 0
		}
	}
	if cells < 2 {
		return
	}
	s.chi += chi
	s.freedom += cells - 1
	s.draws += n
}

// p is the probability that right draws are as far from what is expected, or further.
func (s *pearson) p() float64 {
	if s.impossible > 0 {
		return 0
	}
	if s.freedom == 0 {
		return 1
	}
	return gammaQ(float64(s.freedom)/2, s.chi/2)
}

// gammaQ is the upper incomplete gamma function, divided by the complete one: by its series below the bend, and its continued fraction above
// (Abramowitz and Stegun, Handbook of mathematical functions, 6.5.29 and 6.5.31).
func gammaQ(a, x float64) float64 {
	if x <= 0 {
		return 1
	}
	log, _ := math.Lgamma(a)
	scale := math.Exp(a*math.Log(x) - x - log)
	if x < a+1 {
		term, sum := 1/a, 1/a
		for n := 1.0; term > sum*1e-15; n++ {
			term *= x / (a + n)
			sum += term
		}
		return max(0, 1-scale*sum)
	}
	b := x + 1 - a // Lentz's method
	c, d := math.Inf(1), 1/b
	h := d
	for n := 1.0; n < 1e6; n++ {
		k := n * (a - n)
		b += 2
		d = 1 / (b + k*d)
		c = b + k/c
		h *= c * d
		if math.Abs(c*d-1) < 1e-14 {
			break
		}
	}
	return scale * h
}
