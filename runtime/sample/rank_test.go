package sample

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// drawSlowly says what Pick draws, by sorting all tokens.
func drawSlowly(p Params, random *rand.Rand, logits []float32) int32 {
	var order []int32
	for i, v := range logits {
		if v-v == 0 {
			order = append(order, int32(i))
		}
	}
	slices.SortStableFunc(order, func(a, b int32) int { return cmp.Compare(logits[b], logits[a]) })
	if p.TopK > 0 && p.TopK < len(order) {
		order = order[:p.TopK]
	}
	highest, total := float64(logits[order[0]]), 0.0
	var prob []float64
	for _, i := range order {
		prob = append(prob, math.Exp((float64(logits[i])-highest)/p.Temperature))
		total += prob[len(prob)-1]
	}
	if p.TopP > 0 && p.TopP < 1 {
		sum := 0.0
		for i, v := range prob {
			if sum += v; sum >= p.TopP*total {
				prob, total = prob[:i+1], sum
				break
			}
		}
	}
	u := random.Float64() * total
	for i, v := range prob {
		if u -= v; u < 0 {
			return order[i]
		}
	}
	return order[len(prob)-1]
}

// TestPickAgainstSorting: tokens, one after the other, are those that a full sort finds, ties and numbers that are none included.
func TestPickAgainstSorting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := Params{Temperature: rapid.SampledFrom([]float64{0.1, 1, 3}).Draw(t, "temperature"), Seed: rapid.Uint64().Draw(t, "seed"),
			TopK: rapid.SampledFrom([]int{0, 1, 3, 100}).Draw(t, "top k"), TopP: rapid.SampledFrom([]float64{0, 1e-9, 0.5, 0.95, 1}).Draw(t, "top p")}
		values := rapid.OneOf(rapid.Float32Range(-4, 4), rapid.SampledFrom([]float32{0, 1, 2, float32(math.NaN()), float32(math.Inf(-1))}))
		logits := append(rapid.SliceOfN(values, 0, 60).Draw(t, "logits"), 0.25)
		s, random := New(p), New(p).random
		var got, want []int32
		for range 5 {
			id, err := s.Pick(logits)
			if err != nil {
				t.Fatal(err)
			}
			got, want = append(got, id), append(want, drawSlowly(p, random, logits))
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}
