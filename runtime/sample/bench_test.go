package sample_test

import (
	"math/rand/v2"
	"testing"

	"github.com/glmc/glmc/runtime/sample"
)

// BenchmarkPick picks from logits over GLM-4.7's vocabulary: what each sequence of each step costs beside the model.
func BenchmarkPick(b *testing.B) {
	const vocab = 151552
	logits := make([]float32, vocab)
	draw := rand.New(rand.NewPCG(1, 2))
	for i := range logits {
		logits[i] = float32(draw.NormFloat64())
	}
	for name, p := range map[string]sample.Params{"greedy": {}, "temperature": {Temperature: 1}} {
		b.Run(name, func(b *testing.B) {
			s := sample.New(p)
			for b.Loop() {
				if _, err := s.Pick(logits); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(4*vocab*float64(b.N)/b.Elapsed().Seconds()/1e9, "GB/s")
		})
	}
}
