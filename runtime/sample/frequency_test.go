package sample

import (
	"fmt"
	"math"
	"testing"
)

// draws is how many tokens a test of frequencies picks; fewer where only races are looked for.
func draws() int {
	if testing.Short() {
		return 20_000
	}
	return 200_000
}

// quantile999 are the 0.999 quantiles of chi-squared, by degrees of freedom.
var quantile999 = []float64{0, 10.83, 13.82, 16.27, 18.47, 20.52, 22.46, 24.32, 26.12, 27.88, 29.59}

// follows fails where counts are not those of draws from a distribution: chi-squared at p = 0.001.
func follows(t *testing.T, counts []int, probabilities []float64) {
	t.Helper()
	n, chi, freedom := 0, 0.0, -1
	for _, c := range counts {
		n += c
	}
	for i, p := range probabilities {
		if p == 0 {
			if counts[i] > 0 {
				t.Errorf("token %d is out but was picked %d times", i, counts[i])
			}
			continue
		}
		want := p * float64(n)
		chi += (float64(counts[i]) - want) * (float64(counts[i]) - want) / want
		freedom++
	}
	if chi > quantile999[freedom] {
		t.Errorf("chi-squared %.2f > %.2f for counts %v, probabilities %.4f", chi, quantile999[freedom], counts, probabilities)
	}
}

// softmax is the distribution of logits at a temperature; NaN stands for tokens that are out.
func softmax(temperature float64, logits ...float64) []float64 {
	p, sum := make([]float64, len(logits)), 0.0
	for i, v := range logits {
		if v == v {
			p[i] = math.Exp(v / temperature)
			sum += p[i]
		}
	}
	for i := range p {
		p[i] /= sum
	}
	return p
}

// TestFrequencies: tokens come as often as each option says. What is expected was computed by hand from the logits below, the prompt
// [0] and the output [1, 1, 4].
func TestFrequencies(t *testing.T) {
	out := math.NaN()
	logits := []float32{2, 1, 0.5, 0, -0.5, -1}
	for _, c := range []struct {
		name   string
		params Params
		mask   []uint64
		want   []float64
	}{
		{"plain", Params{Temperature: 1}, nil, softmax(1, 2, 1, 0.5, 0, -0.5, -1)},
		{"temperature", Params{Temperature: 0.7}, nil, softmax(0.7, 2, 1, 0.5, 0, -0.5, -1)},
		{"hot", Params{Temperature: 1000}, nil, softmax(1000, 2, 1, 0.5, 0, -0.5, -1)},
		{"top_k", Params{Temperature: 1, TopK: 2}, nil, softmax(1, 2, 1, out, out, out, out)},
		{"top_p", Params{Temperature: 1, TopP: 0.8}, nil, softmax(1, 2, 1, 0.5, out, out, out)}, // 0.544, 0.200, 0.121, ...
		{"top_p of top_k", Params{Temperature: 1, TopP: 0.8, TopK: 3}, nil, softmax(1, 2, 1, out, out, out, out)},
		{"min_p", Params{Temperature: 1, MinP: 0.2}, nil, softmax(1, 2, 1, 0.5, out, out, out)},
		{"min_p at a temperature", Params{Temperature: 2, MinP: 0.2}, nil, softmax(2, 2, 1, 0.5, 0, -0.5, -1)},
		{"presence", Params{Temperature: 1, Presence: 1}, nil, softmax(1, 2, 0, 0.5, 0, -1.5, -1)},
		{"frequency", Params{Temperature: 1, Frequency: 0.5}, nil, softmax(1, 2, 0, 0.5, 0, -1, -1)},
		{"repetition", Params{Temperature: 1, Repetition: 2}, nil, softmax(1, 1, 0.5, 0.5, 0, -1, -1)},
		{"all penalties", Params{Temperature: 1, Presence: 0.25, Frequency: 0.5, Repetition: 2}, nil, softmax(1, 1, -0.75, 0.5, 0, -1.75, -1)},
		{"bias", Params{Temperature: 1, Bias: map[int32]float32{5: 3, 0: -100}}, nil, softmax(1, out, 1, 0.5, 0, -0.5, 2)},
		{"bias before repetition", Params{Temperature: 1, Repetition: 2, Bias: map[int32]float32{0: -4}}, nil, softmax(1, -4, 0.5, 0.5, 0, -1, -1)},
		{"mask", Params{Temperature: 1}, []uint64{0b101010}, softmax(1, out, 1, out, 0, out, -1)},
		{"mask of all", Params{Temperature: 1}, []uint64{math.MaxUint64}, softmax(1, 2, 1, 0.5, 0, -0.5, -1)},
		{"mask before top_p", Params{Temperature: 1, TopP: 0.6}, []uint64{0b111110}, softmax(1, out, 1, 0.5, out, out, out)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			counts := make([]int, len(logits))
			s := New(c.params, []int32{0})
			for _, id := range []int32{1, 1, 4} {
				s.Accept(id)
			}
			for seed := range uint64(draws()) {
				s.params.Seed = seed
				token, err := s.Pick(logits, c.mask)
				if err != nil {
					t.Fatal(err)
				}
				counts[token.ID]++
			}
			follows(t, counts, c.want)
		})
	}
}

// TestFrequenciesOfPositions: the tokens of one sequence are independent draws, those side by side and those of seeds side by side too.
func TestFrequenciesOfPositions(t *testing.T) {
	logits := []float32{1, 0, 0}
	one := softmax(1, 1, 0, 0)
	var pairs []float64
	for _, p := range one {
		for _, q := range one {
			pairs = append(pairs, p*q)
		}
	}
	for _, c := range []struct {
		name string
		next func(seed uint64, position int) (uint64, int)
	}{
		{"positions", func(seed uint64, position int) (uint64, int) { return seed, position + 1 }},
		{"seeds", func(seed uint64, position int) (uint64, int) { return seed + 1, position }},
		{"seeds and positions", func(seed uint64, position int) (uint64, int) { return seed + 1, position + 1 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			counts := make([]int, len(pairs))
			s := New(Params{Temperature: 1}, nil)
			pick := func(seed uint64, position int) int32 {
				s.params.Seed, s.position = seed, position
				token, err := s.Pick(logits, nil)
				if err != nil {
					t.Fatal(err)
				}
				return token.ID
			}
			for i := range draws() {
				seed, position := uint64(i/1000)*7, i%1000*2
				counts[3*pick(seed, position)+pick(c.next(seed, position))]++
			}
			follows(t, counts, pairs)
		})
	}
}

// TestFrequenciesInALargeVocabulary: 10 groups of 1,000 tokens that are alike come as often as they should, cut by nothing, top_p or top_k.
func TestFrequenciesInALargeVocabulary(t *testing.T) {
	logits := make([]float32, 10_000)
	for i := range logits {
		logits[i] = float32(i%10) / 4
	}
	all := []float64{0, .25, .5, .75, 1, 1.25, 1.5, 1.75, 2, 2.25}
	upper := softmax(1, math.NaN(), math.NaN(), math.NaN(), math.NaN(), math.NaN(), 1.25, 1.5, 1.75, 2, 2.25)
	for _, c := range []struct {
		params Params
		want   []float64
	}{
		{Params{Temperature: 1}, softmax(1, all...)},
		{Params{Temperature: 1, TopK: 5000}, upper},
		{Params{Temperature: 1, MinP: math.Exp(-1.1)}, upper},
		{Params{Temperature: 1, TopP: 0.7}, nil},
	} {
		t.Run(fmt.Sprintf("%+v", c.params), func(t *testing.T) {
			t.Parallel()
			if c.want == nil { // whole groups and a part of the next one
				order, weights := (&slowly{params: c.params}).left(logits)
				c.want = make([]float64, 10)
				sum := 0.0
				for i, id := range order {
					c.want[id%10] += weights[i]
					sum += weights[i]
				}
				for i := range c.want {
					c.want[i] /= sum
				}
			}
			counts := make([]int, 10)
			s := New(c.params, nil)
			for range draws() / 50 {
				token, err := s.Pick(logits, nil)
				if err != nil {
					t.Fatal(err)
				}
				counts[token.ID%10]++
				s.Accept(token.ID)
			}
			follows(t, counts, c.want)
		})
	}
}
