package engine_test

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/runtime/quantise"
	"github.com/glmc/glmc/runtime/safetensors"
)

// TestIntegerWeights quantises checkpoints of every family and runs them on both kernel sets. The reference widens the codes
// that are stored, the CPU's kernels multiply them: dense models differ by no more than the rounding of rows to bfloat16,
// and where experts are random a router chooses another one now and then. Beside Hugging Face's results for the
// checkpoint as it was, int8 is held to the mean of bf16.
func TestIntegerWeights(t *testing.T) {
	for _, c := range goldens {
		if c.prefix != "" {
			continue // stored in fp8, and kept so
		}
		for _, d := range []dtype.DType{dtype.I8, dtype.I4} {
			g := c.open(t)
			t.Run(g.name+d.String(), func(t *testing.T) {
				t.Parallel()
				hf := g.floats(t, "p33.logits")
				prompt := g.prompt(t, "p33")
				g := g.quantised(t, d)
				most := 0.01
				if _, routes := g.facts["min_router_gap"]; routes {
					most = 0.25
				}
				ref := g.start(t, g.compile(t, compiler.Options{}), "ref", 0).promptLogits(t, prompt)
				for _, tp := range []int{1, 2} {
					if tp > 1 && d == dtype.I4 {
						continue // rows of these small models are no whole groups on two ranks
					}
					got := g.start(t, g.compile(t, compiler.Options{TensorParallel: tp}), "cpu", 0).promptLogits(t, prompt)
					if e := relative(got, ref); !(e <= most) {
						t.Errorf("%d ranks on cpu and one on ref: off by %.3g, more than %.2g", tp, e, most)
					} else {
						t.Logf("%d ranks on cpu and one on ref: off by %.3g; ref from before: %.3g", tp, e, relative(ref, hf))
					}
				}
				if e := relative(ref, hf); e == 0 {
					t.Error("quantisation changed nothing")
				}
				if d == dtype.I8 {
					g.checkLoosely(t, "p33", ref, loose{looseBF16.mean, 0.7})
				}
			})
		}
	}
}

// quantised is the case with a checkpoint that was quantised.
func (g *golden) quantised(t *testing.T, d dtype.DType) *golden {
	t.Helper()
	p := g.compile(t, compiler.Options{Set: map[string]string{"weights": d.String()}})
	c, err := quantise.Plan(t.Context(), p, g.ckpt, d, func(string) bool { return false })
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(g.dir, "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	out := *g
	out.dir = filepath.Join(t.TempDir(), "out")
	if err := c.Write(t.Context(), out.dir, os.DirFS(t.TempDir()), text, false); err != nil {
		t.Fatal(err)
	}
	if out.ckpt, err = safetensors.Open(out.dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = out.ckpt.Close() }) // nothing was written
	return &out
}

// relative is the root mean square of a difference, relative to that of the values.
func relative(got, want []float32) float64 {
	errors, squares := 0.0, 0.0
	for i, v := range want {
		errors += math.Pow(float64(got[i]-v), 2)
		squares += math.Pow(float64(v), 2)
	}
	return math.Sqrt(errors / squares)
}
