package engine_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/compiler/ir"
)

// TestQuantisedRows: a model served in w8a8 gives the same bits whether projections quantise their rows, an operator
// does so for all of them, or whatever makes the rows: on both devices, on several ranks, with and without the
// collectives fused, and with rows in f32 and in bf16, where codes and wider values share an arena.
func TestQuantisedRows(t *testing.T) {
	g := goldenCase{model: "glm4moe", dir: "c6-fp8", prefix: "w8a8."}.open(t)
	for _, target := range []string{"cpu", "h200"} {
		for _, tp := range []int{1, 2, 4} {
			t.Run(fmt.Sprintf("%s plan, tp %d", target, tp), func(t *testing.T) {
				t.Parallel()
				for _, device := range []string{"ref", "cpu"} {
					var want []float32
					for _, without := range [][]string{{"quantise_rows"}, {"fuse_quantise"}, nil, {"fuse_allreduce_add_norm"}, {"fuse_add_norm", "fuse_swiglu"}} {
						p := g.compile(t, compiler.Options{Target: target, TensorParallel: tp, Disable: without, Set: map[string]string{"activations": "fp8_e4m3"}})
						if codes := holdsCodes(p.Module); codes == slices.Contains(without, "quantise_rows") {
							t.Fatalf("without %v: there are codes: %t", without, codes)
						}
						got := g.start(t, p, device, 3).promptLogits(t, g.prompt(t, "p7"))
						if want == nil {
							want = got
						}
						if !slices.EqualFunc(want, got, func(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }) {
							t.Errorf("%s, without %v (-each projection for itself):\n%s", device, without, cmp.Diff(want, got))
						}
					}
				}
			})
		}
	}
}

func holdsCodes(m *ir.Module) bool {
	for _, g := range m.Graphs {
		for _, n := range g.Nodes {
			if n.Op.Name == "linear.w8a8" {
				return true
			}
		}
	}
	return false
}
