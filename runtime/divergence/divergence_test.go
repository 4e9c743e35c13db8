package divergence

import (
	"io/fs"
	"math"
	"strings"
	"testing"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/dsl/config"
	"github.com/glmc/glmc/dsl/source"
	"github.com/glmc/glmc/models"
	"github.com/glmc/glmc/runtime/engine"
	"github.com/glmc/glmc/runtime/exec"
	"github.com/glmc/glmc/runtime/safetensors"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestAdd holds the sums against the definition, in the same precision.
func TestAdd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 20).Draw(t, "vocabulary")
		draw := func(name string) []float32 { return rapid.SliceOfN(rapid.Float32Range(-30, 30), n, n).Draw(t, name) }
		a, b, next := draw("a"), draw("b"), rapid.IntRange(0, n-1).Draw(t, "next")
		var s sums
		if err := s.add(a, b, next, 0); err != nil {
			t.Fatal(err)
		}
		p, q := softmax(a), softmax(b)
		want := 0.0
		for i := range p {
			want += p[i] * math.Log(p[i]/q[i])
		}
		r := s.result()
		if math.Abs(r.MeanKL-want) > 1e-9*(1+want) || r.MeanKL < 0 || r.MaxKL != r.MeanKL {
			t.Fatalf("KL is %g, at most %g, want %g", r.MeanKL, r.MaxKL, want)
		}
		if math.Abs(r.PerplexityA*p[next]-1) > 1e-9 || math.Abs(r.PerplexityB*q[next]-1) > 1e-9 {
			t.Fatalf("perplexities %g and %g of tokens with probabilities %g and %g", r.PerplexityA, r.PerplexityB, p[next], q[next])
		}
	})
}

func softmax(x []float32) []float64 {
	p, sum := make([]float64, len(x)), 0.0
	for i, v := range x {
		p[i] = math.Exp(float64(v))
		sum += p[i]
	}
	for i := range p {
		p[i] /= sum
	}
	return p
}

func TestAddRefuses(t *testing.T) {
	var s sums
	nan := float32(math.NaN())
	for want, err := range map[string]error{
		"token 8 of the text is 2, and the vocabulary has 2": s.add([]float32{1, 2}, []float32{1, 2}, 2, 7),
		"no numbers": s.add([]float32{1, nan}, []float32{1, 2}, 0, 7),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// engineFor runs the small model with weights in that format.
func engineFor(t *testing.T, weights string) *engine.Engine {
	t.Helper()
	const name = source.Carried + "glm4moe/model.glm"
	src, err := models.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	program, list := source.Load(name, src, models.Open)
	if err := list.Err(); err != nil {
		t.Fatal(err)
	}
	data, err := fs.ReadFile(models.Tiny(), "config.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := config.Parse("config.json", data)
	if err != nil {
		t.Fatal(err)
	}
	r, list, err := compiler.Compile(program.Root, compiler.Options{Config: doc, Set: map[string]string{"weights": weights, "prefill.rows": "32"}})
	if list.HasErrors() || err != nil {
		t.Fatal(list.Err(), err)
	}
	ckpt, err := safetensors.FromMemory("tiny", models.TinyWeights)
	if err != nil {
		t.Fatal(err)
	}
	ex, err := exec.New(t.Context(), r.Plan, ckpt, exec.Options{Device: "cpu", Pages: 8, Entries: []string{"forward"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ex.Close)
	e, err := engine.New(ex, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestMeasure(t *testing.T) {
	a, b := engineFor(t, "stored"), engineFor(t, "int4")
	text := make([]int32, 90)
	for i := range text {
		text[i] = int32(i*37%4000 + 1)
	}
	same, err := Measure(t.Context(), a, engineFor(t, "stored"), text, 40)
	if err != nil {
		t.Fatal(err)
	}
	// Each piece of 40, 40 and 10 predicts one token less than it has.
	if same.Tokens != 87 || same.MeanKL != 0 || same.MaxKL != 0 || same.SameTop != 1 || same.PerplexityA != same.PerplexityB {
		t.Errorf("of a model with itself: %+v", same)
	}
	r, err := Measure(t.Context(), a, b, text, 40)
	if err != nil {
		t.Fatal(err)
	}
	if r.PerplexityA != same.PerplexityA || !(r.MeanKL > 0) || r.MaxKL < r.MeanKL || r.MaxAt < 0 || r.MaxAt >= len(text)-1 || r.PerplexityB == r.PerplexityA {
		t.Errorf("with int4: %+v", r)
	}
	for _, bad := range []struct {
		text   []int32
		window int
		want   string
	}{{text[:1], 40, "1 token(s)"}, {text, 1, "pieces of 1"}, {[]int32{1, 5000}, 40, "vocabulary"}} {
		if _, err := Measure(t.Context(), a, b, bad.text, bad.window); err == nil || !strings.Contains(err.Error(), bad.want) {
			t.Errorf("got %v, want %q", err, bad.want)
		}
	}
}
