package engine_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/runtime/engine"
)

// BenchmarkDrafts generates 64 tokens behind prompts of the trained small model's goldens, in one stream and in eight, without drafts and with
// some lengths of them in turn, so that a busy machine is as busy for all. It reports tokens/s of generation for each length, and how many
// tokens a sequence gets from a step that checks drafts.
func BenchmarkDrafts(b *testing.B) {
	g := smallModel(b)
	var cases []struct {
		IDs []int32 `json:"prompt_ids"`
	}
	data, err := os.ReadFile(filepath.Join(g.dir, "golden.json"))
	if err != nil {
		b.Fatal(err)
	}
	if err := json.Unmarshal(data, &cases); err != nil {
		b.Fatal(err)
	}
	m := g.start(b, g.compile(b, compiler.Options{}), "cpu", 0)
	const tokens = 64
	for _, streams := range []int{1, 8} {
		b.Run(fmt.Sprintf("%d streams", streams), func(b *testing.B) {
			lengths := []int{0, 1, 2, 3}
			var engines []*engine.Engine
			for _, n := range lengths {
				e, err := engine.New(m.exec, engine.Options{MTP: n})
				if err != nil {
					b.Fatal(err)
				}
				engines = append(engines, e)
			}
			took := make([]time.Duration, len(lengths))
			for b.Loop() {
				for i, e := range engines {
					prompts := make([][]int32, streams)
					for s := range prompts {
						c := cases[[]int{0, 4}[s%2]]
						prompts[s] = c.IDs
					}
					out, err := e.Together(b.Context(), prompts, tokens)
					if err != nil {
						b.Fatal(err)
					}
					took[i] += out[0].Generate
				}
			}
			for i, n := range lengths {
				b.ReportMetric(float64(streams*(tokens-1)*b.N)/took[i].Seconds(), fmt.Sprintf("tokens/s-mtp%d", n))
				if s := engines[i].Stats().Drafts[engine.FromMTP]; n > 0 {
					b.ReportMetric(float64(s.Accepted+s.Steps)/float64(s.Steps), fmt.Sprintf("length-mtp%d", n))
				}
			}
		})
	}
}
