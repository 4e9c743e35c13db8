package engine_test

import (
	"context"
	"fmt"
	"sync"
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

// BenchmarkStreams generates 32 tokens in each of some streams of a loop, with the trained small model.
func BenchmarkStreams(b *testing.B) {
	g := smallModel(b)
	m := g.start(b, g.compile(b, compiler.Options{}), "cpu", 0)
	for _, n := range []int{1, 8} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			e, err := engine.New(m.exec, engine.Options{})
			if err != nil {
				b.Fatal(err)
			}
			l := engine.NewLoop(e)
			defer l.Close()
			b.ReportAllocs()
			for b.Loop() {
				var all sync.WaitGroup
				for i := range n {
					s, err := l.Submit(b.Context(), engine.Request{Prompt: []int32{int32(i), 5, 6, 7}, MaxTokens: 32})
					if err != nil {
						b.Fatal(err)
					}
					all.Go(func() {
						if _, err := readAll(context.Background(), s); err != nil {
							b.Error(err)
						}
					})
				}
				all.Wait()
			}
			b.ReportMetric(float64(32*n*b.N)/b.Elapsed().Seconds(), "tokens/s")
		})
	}
}
