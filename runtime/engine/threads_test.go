package engine_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/runtime/engine"
	"github.com/glmc/glmc/runtime/exec"
)

// fp8Pipeline serves a model with its Linears in fp8.
const fp8Pipeline = `
pipeline test for glm4_moe {
  target cpu
  weights fp8_e4m3 { scale = channel, skip = ["lm_head", "{layer...}.mlp.gate", "{layer...}.eh_proj"] }
}
`

// TestResultsDoNotDependOnThreads runs the small model, with weights as they are and in fp8, on one, two, three and eight
// threads: the logits of a prompt in chunks and token by token, and the output of a batch, have the same bits.
func TestResultsDoNotDependOnThreads(t *testing.T) {
	g := smallModel(t)
	src, err := os.ReadFile(g.model)
	if err != nil {
		t.Fatal(err)
	}
	prompt := make([]int32, 70)
	for i := range prompt {
		prompt[i] = int32(i * 61 % 4000)
	}
	for name, p := range map[string]*plan.Plan{
		"stored": g.compile(t, compiler.Options{}),
		"fp8":    g.compileSource(t, append(slices.Clone(src), fp8Pipeline...), compiler.Options{Pipeline: "test"}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := onThreads(t, g, p, 1, prompt)
			for _, threads := range []int{2, 3, 8} {
				got := onThreads(t, g, p, threads, prompt)
				for what := range want {
					if !slices.EqualFunc(want[what], got[what], func(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }) {
						t.Errorf("%d threads: %s differ (-one thread +%d):\n%s", threads, what, threads, cmp.Diff(want[what], got[what]))
					}
				}
			}
		})
	}
}

// onThreads is what a plan gives for a prompt: logits bit by bit, and tokens.
func onThreads(t *testing.T, g *golden, p *plan.Plan, threads int, prompt []int32) map[string][]float32 {
	t.Helper()
	e, err := exec.New(context.Background(), p, g.ckpt, exec.Options{Device: "cpu", Threads: threads, Pages: 64})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	out := map[string][]float32{}
	for _, chunk := range []int{1, 33} {
		eng, err := engine.New(e, engine.Options{Chunk: chunk})
		if err != nil {
			t.Fatal(err)
		}
		out[fmt.Sprintf("logits in chunks of %d", chunk)] = (&machine{exec: e, engine: eng}).promptLogits(t, prompt)
		responses, err := eng.Together(context.Background(), [][]int32{prompt[:9], prompt[3:40], prompt[50:], prompt[60:61], prompt[2:4]}, 6)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range responses {
			for _, id := range r.Output {
				what := fmt.Sprintf("tokens behind chunks of %d", chunk)
				out[what] = append(out[what], float32(id))
			}
		}
	}
	return out
}
