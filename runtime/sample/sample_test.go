package sample

import (
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestGreedyTakesTheFirstOfEqualLogits(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	long := make([]float32, 300)
	long[130], long[131], long[290] = 1, 1, 1
	for _, c := range []struct {
		logits []float32
		mask   []uint64
		want   int32
	}{
		{[]float32{1, 3, 3, 2}, nil, 1},
		{[]float32{nan, -5, -4, inf}, nil, 2},
		{[]float32{-1}, nil, 0},
		{[]float32{float32(math.Copysign(0, -1)), 0}, nil, 0},
		{[]float32{-math.MaxFloat32, -nan}, nil, 0},
		{long, nil, 130},
		{long, []uint64{math.MaxUint64, math.MaxUint64, ^(uint64(1) << 2), 0, math.MaxUint64}, 131},
		{long, []uint64{0, 0, 0, 0, math.MaxUint64}, 290},
		{long, []uint64{1}, 0},
	} {
		got, err := New(Params{}, nil).Pick(c.logits, c.mask)
		if err != nil || got.ID != c.want {
			t.Errorf("Pick(%v, %x) = %d, %v, want %d", c.logits, c.mask, got.ID, err, c.want)
		}
	}
}

func TestRowsThatNothingCanBePickedFrom(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, c := range []struct {
		name   string
		logits []float32
		mask   []uint64
		want   error
	}{
		{"not finite", []float32{nan, inf, -inf}, nil, ErrNotFinite},
		{"not finite and masked", []float32{nan, inf, -inf}, []uint64{0}, ErrNotFinite},
		{"no logits", nil, nil, ErrNotFinite},
		{"all masked", []float32{1, 2, 3}, []uint64{0}, ErrMasked},
		{"mask of no tokens", []float32{1, 2, 3}, []uint64{}, ErrMasked},
		{"mask of others", []float32{1, 2, 3}, []uint64{1 << 3}, ErrMasked},
		{"mask of one that is not finite", []float32{1, nan, 3}, []uint64{1 << 1}, ErrMasked},
	} {
		for _, p := range []Params{{}, {Temperature: 1}, {Temperature: 1, TopK: 2, TopP: 0.5, Logprobs: true, Alternatives: 3}, {Presence: 1}} {
			s := New(p, nil)
			s.Accept(1)
			if _, err := s.Pick(c.logits, c.mask); !errors.Is(err, c.want) {
				t.Errorf("%s, %+v: error %v, want %v", c.name, p, err, c.want)
			}
		}
	}
	if _, err := New(Params{}, nil).Score([]float32{nan}, 0); !errors.Is(err, ErrNotFinite) {
		t.Errorf("score of a row that is not finite: %v", err)
	}
}

func TestSameSeedSameTokens(t *testing.T) {
	logits := []float32{0.1, 0.2, 0.3, 0.4, 0.5}
	draw := func(seed uint64) (out [32]int32) {
		s := New(Params{Temperature: 1, Seed: seed}, nil)
		for i := range out {
			token, err := s.Pick(logits, nil)
			if err != nil {
				t.Fatal(err)
			}
			out[i] = token.ID
			s.Accept(token.ID)
		}
		return out
	}
	if first, again := draw(7), draw(7); first != again {
		t.Error("one seed gave two sequences")
	}
	if draw(7) == draw(8) {
		t.Error("two seeds gave one sequence of 32 tokens")
	}
}

// TestPositionAloneMovesTheDraw: a sampler that comes to a position by other tokens, or made anew, picks as one that went there.
func TestPositionAloneMovesTheDraw(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := Params{Temperature: 1, Seed: rapid.Uint64().Draw(t, "seed"), TopP: rapid.SampledFrom([]float64{0, 0.9}).Draw(t, "top p")}
		logits := rapid.SliceOfN(rapid.Float32Range(-3, 3), 2, 100).Draw(t, "logits")
		straight, detour := New(p, nil), New(p, []int32{1, 2, 3})
		for range rapid.IntRange(0, 20).Draw(t, "tokens") {
			picked, err := straight.Pick(logits, nil)
			if err != nil {
				t.Fatal(err)
			}
			straight.Accept(picked.ID)
			detour.Accept(0)
		}
		want, _ := straight.Pick(logits, nil)
		all := make([]uint64, 2)
		for i := range all {
			all[i] = math.MaxUint64
		}
		for _, mask := range [][]uint64{nil, all} {
			if got, err := detour.Pick(logits, mask); err != nil || got.ID != want.ID {
				t.Fatalf("token %d, %v, want %d", got.ID, err, want.ID)
			}
		}
	})
}

// TestSamplersAtOnce: samplers share memory, and each picks at the same time as others what it picks alone.
func TestSamplersAtOnce(t *testing.T) {
	logits := make([]float32, 500)
	for i := range logits {
		logits[i] = float32(i*7919%500) / 100
	}
	pick := func(seed uint64) (ids [50]int32, err error) {
		s := New(Params{Temperature: 1, TopP: 0.9, Presence: 1, Seed: seed, Logprobs: true, Alternatives: 2}, nil)
		for i := range ids {
			token, err := s.Pick(logits, nil)
			if err != nil {
				return ids, err
			}
			ids[i] = token.ID
			s.Accept(token.ID)
		}
		return ids, nil
	}
	var together [8][50]int32
	var failed [8]error
	var all sync.WaitGroup
	for i := range together {
		all.Go(func() { together[i], failed[i] = pick(uint64(i)) })
	}
	all.Wait()
	for i := range together {
		if alone, err := pick(uint64(i)); err != nil || failed[i] != nil || alone != together[i] {
			t.Errorf("seed %d: %v, %v; alone %v, %v", i, together[i], failed[i], alone, err)
		}
	}
}

// TestAlternativesReuseMemory: PickInto gives what Pick gives, in the memory of the last token.
func TestAlternativesReuseMemory(t *testing.T) {
	p := Params{Temperature: 1, Logprobs: true, Alternatives: 3}
	s := New(p, nil)
	var token Token
	for i, logits := range [][]float32{{1, 2, 3, 4}, {1, 2}, {4, 3, 2, 1, 0}} {
		want, err := s.Pick(logits, nil)
		if err != nil {
			t.Fatal(err)
		}
		before := token.Top
		if err := s.PickInto(&token, logits, nil); err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(want, token); diff != "" {
			t.Errorf("row %d (-Pick +PickInto):\n%s", i, diff)
		}
		if i > 0 && &before[:1][0] != &token.Top[0] {
			t.Errorf("row %d: the alternatives have new memory", i)
		}
	}
}

// A bias for a token far beyond the vocabulary costs no memory, and the token is passed over.
func TestBiasBeyondTheVocabulary(t *testing.T) {
	s := New(Params{Bias: map[int32]float32{math.MaxInt32: 100, 1: 2}}, nil)
	got, err := s.Pick([]float32{1, 0, 0}, nil)
	if err != nil || got.ID != 1 {
		t.Errorf("token %d, %v, want 1", got.ID, err)
	}
	if n := len(s.changes.set); n != 1 {
		t.Errorf("the mask of changed tokens has %d words, want 1", n)
	}
}

func TestCheckNamesTheParameter(t *testing.T) {
	nan := math.NaN()
	for name, params := range map[string][]Params{
		"temperature":        {{Temperature: -1}, {Temperature: nan}, {Temperature: math.Inf(1)}},
		"top_p":              {{TopP: 1.5}, {TopP: nan}},
		"min_p":              {{MinP: -0.1}, {MinP: nan}},
		"top_k":              {{TopK: -1}},
		"presence_penalty":   {{Presence: 2.1}, {Presence: nan}},
		"frequency_penalty":  {{Frequency: -2.1}, {Frequency: nan}},
		"repetition_penalty": {{Repetition: -1}, {Repetition: math.Inf(1)}, {Repetition: nan}},
		"logit_bias":         {{Bias: map[int32]float32{1: 101}}, {Bias: map[int32]float32{-1: 1}}, {Bias: map[int32]float32{1: float32(nan)}}},
		"top_logprobs":       {{Logprobs: true, Alternatives: 21}, {Logprobs: true, Alternatives: -1}, {Alternatives: 1}},
	} {
		for _, p := range params {
			if err := p.Check(); err == nil || !strings.HasPrefix(err.Error(), name) {
				t.Errorf("%+v: %v, want an error about %s", p, err, name)
			}
		}
	}
	all := Params{Temperature: 1, TopP: 0.95, TopK: 40, MinP: 0.1, Presence: -2, Frequency: 2, Repetition: 1.1, Bias: map[int32]float32{5: -100}, Logprobs: true, Alternatives: 20}
	if err := all.Check(); err != nil {
		t.Error(err)
	}
}

// TestExpMinus: the exponential is within 2 units in the last place of math.Exp, which is within 1 of the truth.
func TestExpMinus(t *testing.T) {
	expMinus := func(x float64) float64 {
		v := []float64{x}
		expMinus(v, v)
		return v[0]
	}
	draw := rand.New(rand.NewPCG(1, 2))
	for i := range 2_000_000 {
		x := draw.Float64() * []float64{1e-6, 1, 40, 707}[i%4]
		got, want := expMinus(x), math.Exp(-x)
		if units := math.Abs(got-want) / (math.Nextafter(want, 2) - want); units > 2 {
			t.Fatalf("e^-%g = %g, want %g: off by %g units in the last place", x, got, want, units)
		}
	}
	for x, want := range map[float64]float64{0: 1, 708: 0, 1e300: 0, math.Inf(1): 0} {
		if got := expMinus(x); got != want {
			t.Errorf("e^-%g = %g, want %g", x, got, want)
		}
	}
}

// TestTokensAllocateNothing: in the steady state a token takes no new memory, whatever is asked of it.
func TestTokensAllocateNothing(t *testing.T) {
	logits := make([]float32, 1000)
	for i := range logits {
		logits[i] = float32(i * 7919 % 1000)
	}
	mask := []uint64{0, 0xff, math.MaxUint64, 5}
	for name, p := range map[string]Params{
		"greedy":    {},
		"sampled":   {Temperature: 1},
		"cut":       {Temperature: 100, TopP: 0.9, MinP: 0.01},
		"top_k":     {Temperature: 100, TopK: 50, TopP: 0.9},
		"penalties": {Presence: 1, Frequency: 1, Repetition: 1.1, Bias: map[int32]float32{3: 1}},
		"logprobs":  {Logprobs: true, Alternatives: 20},
	} {
		for _, mask := range [][]uint64{nil, mask} {
			s := New(p, []int32{1, 2, 3})
			var token Token
			id := int32(0)
			step := func() {
				if err := s.PickInto(&token, logits, mask); err != nil {
					t.Fatal(err)
				}
				id = (id + 1) % 200
				s.Accept(id)
			}
			for range 300 {
				step()
			}
			if n := testing.AllocsPerRun(20, step); n != 0 {
				t.Errorf("%s, mask %t: %g allocations a token", name, mask != nil, n)
			}
		}
	}
}
