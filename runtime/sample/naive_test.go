package sample

import (
	"cmp"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// slowly picks as Pick does, by the definitions: it writes out every changed logit, sorts all tokens and adds up their weights.
type slowly struct {
	params         Params
	prompt, output []int32
}

// changed returns the logits behind bias, penalties and mask, -Inf for tokens that are out.
func (s *slowly) changed(logits []float32, mask []uint64) []float32 {
	out := make([]float32, len(logits))
	p := s.params
	for i, v := range logits {
		id, count := int32(i), float32(0)
		for _, o := range s.output {
			if o == id {
				count++
			}
		}
		seen := count > 0 || slices.Contains(s.prompt, id)
		switch {
		case v-v != 0 || mask != nil && (i/64 >= len(mask) || mask[i/64]>>(i%64)&1 == 0):
			out[i] = float32(math.Inf(-1))
			continue
		}
		v += p.Bias[id]
		if seen && p.Repetition != 0 && v > 0 {
			v /= float32(p.Repetition)
		} else if seen && p.Repetition != 0 {
			v *= float32(p.Repetition)
		}
		v -= float32(float32(p.Frequency) * count)
		if count > 0 {
			v -= float32(p.Presence)
		}
		out[i] = min(max(v, -math.MaxFloat32), math.MaxFloat32)
	}
	return out
}

// left are the tokens that are left to be picked from, in order, with their weights.
func (s *slowly) left(changed []float32) (order []int32, weights []float64) {
	for i, v := range changed {
		if v-v == 0 {
			order = append(order, int32(i))
		}
	}
	if len(order) == 0 {
		return nil, nil
	}
	slices.SortStableFunc(order, func(a, b int32) int { return cmp.Compare(changed[b], changed[a]) })
	p := s.params
	weight := func(i int32) float64 {
		return math.Exp((float64(changed[i]) - float64(changed[order[0]])) / p.Temperature)
	}
	if p.Temperature < 1e-5 {
		return order[:1], []float64{1}
	}
	most := float64(changed[order[0]])
	order = slices.DeleteFunc(order, func(i int32) bool { // weight(i) < p.MinP, without the exponential's rounding
		return p.MinP > 0 && float64(changed[i])-most < p.Temperature*math.Log(p.MinP)
	})
	if p.TopK > 0 && p.TopK < len(order) {
		order = order[:p.TopK]
	}
	total := 0.0
	for _, i := range order {
		weights = append(weights, weight(i))
		total += weight(i)
	}
	if p.TopP > 0 && p.TopP < 1 {
		sum := 0.0
		for i, v := range weights {
			if sum += v; sum >= p.TopP*total {
				return order[:i+1], weights[:i+1]
			}
		}
	}
	return order, weights
}

func (s *slowly) pick(logits []float32, mask []uint64) (int32, error) {
	order, weights := s.left(s.changed(logits, mask))
	if order == nil {
		if slices.ContainsFunc(logits, func(v float32) bool { return v-v == 0 }) {
			return 0, ErrMasked
		}
		return 0, ErrNotFinite
	}
	total := 0.0
	for _, v := range weights {
		total += v
	}
	target, sum := uniform(s.params.Seed, len(s.output))*total, 0.0
	for i, v := range weights {
		if sum += v; target < sum {
			return order[i], nil
		}
	}
	return order[len(order)-1], nil
}

// think is what the model thinks of tokens: log-softmax of the finite logits.
func think(logits []float32) []float64 {
	high, sum := math.Inf(-1), 0.0
	for _, v := range logits {
		if v-v == 0 {
			high = max(high, float64(v))
		}
	}
	for _, v := range logits {
		if v-v == 0 {
			sum += math.Exp(float64(v) - high)
		}
	}
	out := make([]float64, len(logits))
	for i, v := range logits {
		if out[i] = math.Inf(-1); v-v == 0 {
			out[i] = float64(v) - high - math.Log(sum)
		}
	}
	return out
}

// score is the token that Pick should return for an id.
func (s *slowly) score(logits []float32, id int32) Token {
	if !s.params.Logprobs {
		return Token{ID: id}
	}
	thought := think(logits)
	t := Token{ID: id, Logprob: float32(thought[id])}
	var order []int32
	for i, v := range logits {
		if v-v == 0 {
			order = append(order, int32(i))
		}
	}
	slices.SortStableFunc(order, func(a, b int32) int { return cmp.Compare(logits[b], logits[a]) })
	for _, i := range order[:min(len(order), s.params.Alternatives)] {
		t.Top = append(t.Top, Alternative{i, float32(thought[i])})
	}
	return t
}

// nearly takes log probabilities for equal that rounding set apart.
var nearly = gocmp.Comparer(func(a, b float32) bool { return a == b || math.Abs(float64(a-b)) <= 1e-12+1e-6*math.Abs(float64(a)) })

func drawParams(t *rapid.T) Params {
	p := Params{Temperature: rapid.SampledFrom([]float64{0, 1e-6, 1e-4, 0.1, 1, 3, 1000}).Draw(t, "temperature"), Seed: rapid.Uint64().Draw(t, "seed"),
		TopK: rapid.SampledFrom([]int{0, 0, 1, 3, 100}).Draw(t, "top k"), TopP: rapid.SampledFrom([]float64{0, 1e-9, 0.5, 0.95, 1}).Draw(t, "top p"),
		MinP: rapid.SampledFrom([]float64{0, 0, 1e-9, 0.05, 0.3, 1}).Draw(t, "min p")}
	if rapid.Bool().Draw(t, "penalties") {
		p.Presence, p.Frequency = rapid.Float64Range(-2, 2).Draw(t, "presence"), rapid.SampledFrom([]float64{0, 0.7, -1.5}).Draw(t, "frequency")
		p.Repetition = rapid.SampledFrom([]float64{0, 1, 1.3, 0.4}).Draw(t, "repetition")
	}
	if rapid.Bool().Draw(t, "biased") {
		p.Bias = rapid.MapOfN(rapid.Int32Range(0, 300), rapid.Float32Range(-100, 100), 0, 5).Draw(t, "bias")
	}
	if rapid.Bool().Draw(t, "logprobs") {
		p.Logprobs, p.Alternatives = true, rapid.IntRange(0, MaxAlternatives).Draw(t, "alternatives")
	}
	return p
}

// TestPickAgainstDefinition: tokens, one after the other, with log probabilities, are those of the definitions, ties, masks, penalties and
// numbers that are none included.
func TestPickAgainstDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawParams(t)
		if err := p.Check(); err != nil {
			t.Fatal(err)
		}
		values := rapid.OneOf(rapid.Float32Range(-4, 4), rapid.Float32Range(-90, 30), rapid.SampledFrom([]float32{0, 1, 2, -3e38, 3e38, float32(math.Copysign(0, -1)),
			float32(math.NaN()), -float32(math.NaN()), float32(math.Inf(-1)), float32(math.Inf(1))}))
		row := rapid.SliceOfN(values, 1, rapid.SampledFrom([]int{3, 64, 260}).Draw(t, "most"))
		ids := rapid.SliceOfN(rapid.Int32Range(0, 300), 0, 8)
		slow := slowly{params: p, prompt: ids.Draw(t, "prompt")}
		s := New(p, slow.prompt)
		for range rapid.IntRange(1, 5).Draw(t, "tokens") {
			logits := row.Draw(t, "logits")
			var mask []uint64
			if rapid.Bool().Draw(t, "masked") {
				mask = rapid.SliceOfN(rapid.OneOf(rapid.Uint64(), rapid.SampledFrom([]uint64{0, 1, math.MaxUint64})), 0, 6).Draw(t, "mask")
				if mask == nil {
					mask = []uint64{}
				}
			}
			got, err := s.Pick(logits, mask)
			want, wantErr := slow.pick(logits, mask)
			if !errors.Is(err, wantErr) {
				t.Fatalf("error %v, want %v", err, wantErr)
			}
			if err == nil {
				if diff := gocmp.Diff(slow.score(logits, want), got, nearly); diff != "" {
					t.Fatalf("token (-want +got):\n%s", diff)
				}
			}
			if again, _ := s.Pick(logits, mask); gocmp.Diff(got, again) != "" {
				t.Fatalf("the second pick is %v, the first one was %v", again, got)
			}
			if got, want := s.Best(logits, mask), Argmax(slow.changed(logits, mask)); got != want {
				t.Fatalf("the best token is %d, want %d", got, want)
			}
			next := got.ID
			if rapid.Bool().Draw(t, "forced") {
				next = rapid.Int32Range(0, 300).Draw(t, "next")
			}
			s.Accept(next)
			slow.output = append(slow.output, next)
		}
	})
}

// TestLargeTopKAgainstDefinition: so many tokens that they are counted in bins, and not sorted.
func TestLargeTopKAgainstDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "logits"), 1))
		wide := rapid.SampledFrom([]float64{0.001, 1, 30, 300}).Draw(t, "wide")
		grid := rapid.SampledFrom([]float64{0, 1, 64}).Draw(t, "grid") // 0: few logits are equal
		logits := make([]float32, 3000)
		for i := range logits {
			v := random.NormFloat64() * wide
			if grid > 0 {
				v = math.Round(v*grid) / grid
			}
			logits[i] = float32(v)
		}
		p := Params{Temperature: rapid.SampledFrom([]float64{0.3, 1, 5}).Draw(t, "temperature"), Seed: rapid.Uint64().Draw(t, "seed"),
			TopK: rapid.IntRange(1000, 3001).Draw(t, "top k"), TopP: rapid.SampledFrom([]float64{0, 0.5, 0.999}).Draw(t, "top p"),
			MinP: rapid.SampledFrom([]float64{0, 1e-6}).Draw(t, "min p")}
		s, slow := New(p, nil), slowly{params: p}
		for range 5 {
			got, err := s.Pick(logits, nil)
			if err != nil {
				t.Fatal(err)
			}
			if want, _ := slow.pick(logits, nil); got.ID != want {
				t.Fatalf("token %d of the output is %d, want %d", len(slow.output), got.ID, want)
			}
			s.Accept(got.ID)
			slow.output = append(slow.output, got.ID)
		}
	})
}

// TestScoreAgainstDefinition: a prompt's token has the model's log probability.
func TestScoreAgainstDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := Params{Logprobs: true, Alternatives: rapid.IntRange(0, MaxAlternatives).Draw(t, "alternatives"), Bias: map[int32]float32{0: 5}, Temperature: 3}
		values := rapid.OneOf(rapid.Float32Range(-4, 4), rapid.SampledFrom([]float32{0, 1, float32(math.NaN()), float32(math.Inf(-1))}))
		logits := append(rapid.SliceOfN(values, 0, 200).Draw(t, "logits"), 0.25)
		id := int32(rapid.IntRange(0, len(logits)-1).Draw(t, "id"))
		got, err := New(p, nil).Score(logits, id)
		if err != nil {
			t.Fatal(err)
		}
		want := (&slowly{params: p}).score(logits, id)
		want.Rank = 1
		for i, v := range logits {
			if int32(i) != id && v-v == 0 && (v >= logits[id] || logits[id]-logits[id] != 0) {
				want.Rank++
			}
		}
		if diff := gocmp.Diff(want, got, nearly); diff != "" {
			t.Errorf("token (-want +got):\n%s", diff)
		}
	})
}
