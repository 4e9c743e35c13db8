package verify

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/dsl/syntax"
)

// TestRandomPrograms: every pass is right on random models, on random numbers of ranks and with random dtypes, and so
// are random subsets of the passes in random orders.
func TestRandomPrograms(t *testing.T) {
	programs, proven := 0, map[string]int{}
	rapid.Check(t, func(rt *rapid.T) {
		g := &randomModel{t: rt}
		src := g.source()
		file, list := syntax.Parse("random.glm", []byte(src))
		if err := list.Err(); err != nil {
			rt.Fatalf("%v\n%s", err, src)
		}
		s := Subject{File: file, Options: compiler.Options{
			Target:         rapid.SampledFrom([]string{"cpu", "h200"}).Draw(rt, "target"),
			TensorParallel: rapid.SampledFrom([]int{1, 1, 2, 3, 4, 8}).Draw(rt, "ranks"),
			Set:            map[string]string{"decode.capture": "1,4", "prefill.chunk": rapid.SampledFrom([]string{"16", "1048576"}).Draw(rt, "chunk")},
		}}
		if rapid.Bool().Draw(rt, "fp8") {
			s.Options.Set["weights"] = "fp8_e4m3"
			s.Options.Set["activations"] = rapid.SampledFrom([]string{"none", "fp8_e4m3"}).Draw(rt, "activations")
		}
		seed := rapid.Uint64().Draw(rt, "seed")
		c, err := s.compile(true)
		if err != nil {
			rt.Fatalf("%v\n%s", err, src)
		}
		results, err := c.validate(t.Context(), seed)
		if err != nil {
			rt.Fatalf("%v\n%s", err, src)
		}
		for _, r := range results {
			if r.Status == Proven {
				proven[r.Pass.Name]++
			}
			if r.Status == Wrong {
				rt.Fatalf("%s is wrong: %s\n%s", r.Pass.Name, r.Outcome.Wrong, src)
			}
		}
		runs, err := Ablate(t.Context(), s, seed, 1)
		if err != nil {
			rt.Fatalf("%v\n%s", err, src)
		}
		if wrong := runs[0].Outcome.Wrong; wrong != "" {
			rt.Fatalf("with %s: %s\n%s", &runs[0], wrong, src)
		}
		programs++
	})
	t.Logf("%d programs; how often each pass changed one and was right: %v", programs, proven)
}
