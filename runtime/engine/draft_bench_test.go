package engine_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/runtime/draft/suffix"
	"github.com/glmc/glmc/runtime/engine"
)

// BenchmarkDrafts generates 64 tokens behind prompts of the trained small model's goldens, in one stream and in eight, with drafts of each kind and
// without in turn, so that a busy machine is as busy for all. It reports tokens/s of generation for each, and how many tokens a
// sequence gets from a step that checks drafts. Suffix trees have nothing but the prompt and the output of each sequence.
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
	cache, err := suffix.NewCache(suffix.Config{})
	if err != nil {
		b.Fatal(err)
	}
	defer cache.Close()
	ways := []struct {
		name string
		o    engine.Options
	}{
		{"none", engine.Options{}}, {"mtp1", engine.Options{MTP: 1}}, {"mtp2", engine.Options{MTP: 2}}, {"mtp3", engine.Options{MTP: 3}},
		{"suffix", engine.Options{Drafter: cache}}, {"hybrid", engine.Options{MTP: 3, Drafter: cache}},
	}
	const tokens = 64
	for _, streams := range []int{1, 8} {
		b.Run(fmt.Sprintf("%d streams", streams), func(b *testing.B) {
			var engines []*engine.Engine
			for _, w := range ways {
				e, err := engine.New(m.exec, w.o)
				if err != nil {
					b.Fatal(err)
				}
				engines = append(engines, e)
			}
			prompts := make([][]int32, streams)
			for s := range prompts {
				prompts[s] = cases[[]int{0, 4}[s%2]].IDs
			}
			took := make([]time.Duration, len(ways))
			for b.Loop() {
				for i, e := range engines {
					out, err := e.Together(b.Context(), prompts, tokens)
					if err != nil {
						b.Fatal(err)
					}
					took[i] += out[0].Generate
				}
			}
			for i, w := range ways {
				b.ReportMetric(float64(streams*(tokens-1)*b.N)/took[i].Seconds(), "tokens/s-"+w.name)
				s := engines[i].Stats()
				if d := s.AllDrafts(); d.Steps > 0 {
					b.ReportMetric(d.Length(), "length-"+w.name)
				}
			}
		})
	}
}
