package engine_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/runtime/divergence"
	"github.com/glmc/glmc/runtime/text/tokenizer"
)

// evaluation are the tokens on which `glmc quantize` compares models: the first of a text, as many as it takes.
func evaluation(t *testing.T) []int32 {
	t.Helper()
	tok, err := tokenizer.Load("../../models/tiny/tokenizer.json")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../../cmd/glmc/evaluation.txt")
	if err != nil {
		t.Fatal(err)
	}
	return tok.Encode(string(text))[:2048]
}

// compared is a model that is run in several ways on a text.
type compared struct {
	name string
	*golden
	text    []int32
	formats []string // in which its weights can be
	run     map[way]*machine
}

// measure compares two ways to run the model.
func (c *compared) measure(t *testing.T, a, b way) divergence.Result {
	t.Helper()
	for _, w := range []way{a, b} {
		if c.run[w] == nil {
			c.run[w] = c.startWith(t, c.compile(t, compiler.Options{Set: w.set()}), w.options(), 0)
		}
	}
	const window = 512
	r, err := divergence.Measure(t.Context(), c.run[a].engine, c.run[b].engine, c.text, min(window, len(c.text)))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestPrecisionCosts: fast products move the logits of a model, in every format, but less than it moves them to have its
// weights in fp8 instead of bf16. With -v it prints the table of docs/performance.md.
//
// The checkpoints beside the small model have random weights, whose routers and logits are as good as undecided: there
// everything moves them more.
func TestPrecisionCosts(t *testing.T) {
	if len(precisions(t)) < 2 || testing.Short() {
		t.Skip("these inner products have no int8, or this run is to be short")
	}
	t.Parallel()
	models := []compared{{name: "small model", golden: smallModel(t), text: evaluation(t), formats: narrowWeights},
		{name: "with outliers", golden: outlierModel(t), text: evaluation(t), formats: narrowWeights}}
	for _, dir := range []string{"c1-bias-untied", "c2-qknorm-bf16", "c3-groups-tied", "g2-glm4moe"} {
		g := openGolden(t, dir, "") // their experts are too narrow for groups of int4
		models = append(models, compared{name: dir, golden: g, text: g.prompt(t, "p130"), formats: narrowWeights[:2]})
	}
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "model\twhat changes\ttokens\tKL mean\tKL max\tsame top\tperplexity")
	for _, m := range models {
		m.run = map[way]*machine{}
		row := func(what string, a, b way) float64 {
			r := m.measure(t, a, b)
			fmt.Fprintf(w, "%s\t%s\t%d\t%.1e\t%.1e\t%.1f %%\t%.2f, %.2f\n", m.name, what, r.Tokens, r.MeanKL, r.MaxKL, 100*r.SameTop, r.PerplexityA, r.PerplexityB)
			return r.MeanKL
		}
		exact := func(weights string) way { return way{device: "cpu", weights: weights} }
		row("exact products, bf16 weights, from float32", exact("f32"), exact("bf16"))
		limit := row("fp8 weights, from bf16", exact("bf16"), exact("fp8_e4m3"))
		row("fp8 activations, fp8 weights", exact("fp8_e4m3"), way{device: "cpu", weights: "fp8_e4m3", activations: "fp8_e4m3"})
		for _, d := range m.formats {
			if d != "fp8_e4m3" {
				row(d+" weights, from bf16", exact("bf16"), exact(d))
			}
			if kl := row("fast, "+d+" weights", exact(d), way{device: "cpu", precision: plan.Fast, weights: d}); !(kl > 0 && kl < limit) {
				t.Errorf("%s, %s weights: the mean KL divergence of fast products is %g, wants more than 0 and less than %g, that of fp8 weights", m.name, d, kl, limit)
			}
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	t.Logf("KL divergence of the next token in nats, perplexity before and behind\n%s", table.String())
}
