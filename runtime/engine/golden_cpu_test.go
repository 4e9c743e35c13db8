package engine_test

import (
	"fmt"
	"maps"
	"math"
	"testing"

	"github.com/glmc/glmc/compiler"
)

// loose bounds compare where another expert may be chosen now and then: mean difference and how often the
// best token agrees.
type loose struct{ mean, agree float64 }

var (
	looseBF16 = loose{0.3, 0.90}
	looseW8A8 = loose{0.1, 0.95}
)

func (g *golden) checkLoosely(t *testing.T, name string, got []float32, l loose) {
	t.Helper()
	want := g.floats(t, name+".logits")
	if len(got) != len(want) {
		t.Fatalf("%s: %d logits, want %d", name, len(got), len(want))
	}
	positions := len(g.prompt(t, name))
	vocab := len(want) / positions
	sum, agree := 0.0, 0
	for p := range positions {
		a, b := got[p*vocab:(p+1)*vocab], want[p*vocab:(p+1)*vocab]
		for i := range a {
			sum += math.Abs(float64(a[i]) - float64(b[i]))
		}
		if argmax(a) == argmax(b) {
			agree++
		}
	}
	t.Logf("%s: mean %.4f, best token agrees at %.1f %%", name, sum/float64(len(got)), 100*float64(agree)/float64(positions))
	mean, share := sum/float64(len(got)), float64(agree)/float64(positions)
	if !(mean <= l.mean) || share < l.agree {
		t.Errorf("%s: mean difference %.3g (bound %.2g), best token agrees at %.1f %% (bound %.0f %%)", name, mean, l.mean, 100*share, 100*l.agree)
	}
}

func argmax(row []float32) int {
	best := 0
	for i, v := range row {
		if v > row[best] {
			best = i
		}
	}
	return best
}

// TestCPUMatchesHuggingFace holds the fast kernels to the looser bounds of bf16 arithmetic.
func TestCPUMatchesHuggingFace(t *testing.T) {
	for _, c := range goldens {
		c.checkCPU(t, way{device: "cpu"}, looseBF16)
	}
}

// checkCPU runs a case on the fast kernels, on one rank and on several, with prompts whole and cut.
func (c goldenCase) checkCPU(t *testing.T, w way, bounds loose) {
	g := c.open(t)
	for _, tp := range append([]int{1}, c.tp...) {
		t.Run(fmt.Sprintf("%s%s/tp%d", g.name, w, tp), func(t *testing.T) {
			t.Parallel()
			set := w.set()
			maps.Copy(set, c.set)
			p := g.compile(t, compiler.Options{TensorParallel: tp, Set: set})
			for _, chunk := range c.chunks() {
				m := g.startWith(t, p, w.options(), chunk)
				for _, name := range []string{"p7", "p33"} {
					g.checkLoosely(t, name, m.promptLogits(t, g.prompt(t, name)), bounds)
				}
			}
		})
	}
}
