package engine_test

import (
	"context"
	"testing"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/runtime/engine"
	"github.com/glmc/glmc/runtime/exec"
)

// BenchmarkSmallModel generates 32 tokens behind a prompt of 64 with the trained small model.
func BenchmarkSmallModel(b *testing.B) {
	g := smallModel(b)
	prompt := make([]int32, 64)
	for i := range prompt {
		prompt[i] = int32(i * 61 % 4000)
	}
	for _, device := range exec.DeviceNames() {
		b.Run(device, func(b *testing.B) {
			m := g.start(b, g.compile(b, compiler.Options{}), device, 0)
			b.ReportAllocs()
			var response engine.Response
			for b.Loop() {
				var err error
				if response, err = m.engine.Generate(context.Background(), engine.Request{Prompt: prompt, MaxTokens: 32}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(64/response.Prompt.Seconds(), "prompt-tokens/s")
			b.ReportMetric(31/response.Generate.Seconds(), "tokens/s")
		})
	}
}
