package sample_test

import (
	"math/rand/v2"
	"testing"

	"github.com/glmc/glmc/runtime/sample"
)

// vocabulary is GLM-4.7's.
const vocabulary = 151552

// rows are logits: flat ones, of which 0.95 of the probability lies on most tokens, and ones as models give them, where it lies on a few.
func rows() map[string][]float32 {
	draw := rand.New(rand.NewPCG(1, 2))
	flat, peaked := make([]float32, vocabulary), make([]float32, vocabulary)
	for i := range flat {
		flat[i] = float32(draw.NormFloat64())
		peaked[i] = float32(2 * draw.NormFloat64())
	}
	for i := range 40 {
		peaked[(i*7919+17)%vocabulary] = 20 - float32(i)/4
	}
	return map[string][]float32{"flat": flat, "peaked": peaked}
}

// BenchmarkPick is what each sequence of each step costs beside the model.
func BenchmarkPick(b *testing.B) {
	logits := rows()
	mask := make([]uint64, vocabulary/64)
	for i := range mask {
		mask[i] = ^uint64(0) << (i % 3)
	}
	prompt := make([]int32, 4000)
	for i := range prompt {
		prompt[i] = int32(i * 31 % vocabulary)
	}
	for _, c := range []struct {
		name   string
		params sample.Params
		mask   []uint64
	}{
		{"greedy", sample.Params{}, nil},
		{"greedy masked", sample.Params{}, mask},
		{"temperature", sample.Params{Temperature: 1}, nil},
		{"top_p", sample.Params{Temperature: 1, TopP: 0.95}, nil},
		{"top_p masked", sample.Params{Temperature: 1, TopP: 0.95}, mask},
		{"top_k 50 top_p", sample.Params{Temperature: 1, TopP: 0.95, TopK: 50}, nil},
		{"top_k 20000", sample.Params{Temperature: 1, TopK: 20000}, nil},
		{"min_p", sample.Params{Temperature: 1, MinP: 0.05}, nil},
		{"penalties", sample.Params{Presence: 0.5, Frequency: 0.5, Repetition: 1.1}, nil},
		{"logprobs 20", sample.Params{Logprobs: true, Alternatives: 20}, nil},
	} {
		for _, shape := range []string{"flat", "peaked"} {
			b.Run(c.name+"/"+shape, func(b *testing.B) {
				s := sample.New(c.params, prompt)
				var token sample.Token
				b.ReportAllocs()
				for b.Loop() {
					if err := s.PickInto(&token, logits[shape], c.mask); err != nil {
						b.Fatal(err)
					}
					s.Accept(int32(b.N % 1000))
				}
			})
		}
	}
}
