package verify

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/lower/lowertest"
	"github.com/glmc/glmc/compiler/passes"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/dsl/syntax"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func subject(t testing.TB, model string, o compiler.Options) Subject {
	t.Helper()
	src, err := os.ReadFile(filepath.Join(lowertest.Root(t), model))
	if err != nil {
		t.Fatal(err)
	}
	file, list := syntax.Parse(filepath.Base(model), src)
	if err := list.Err(); err != nil {
		t.Fatal(err)
	}
	return Subject{File: file, Options: o}
}

// TestModels: every pass is right on every family, as its pipelines compile it and on the CPU, and the small model lacks
// nothing of the large one. A pass that changes the large model is proven.
func TestModels(t *testing.T) {
	if testing.Short() {
		t.Skip("whole models")
	}
	for _, c := range []struct {
		model string
		o     compiler.Options
	}{
		{"glm4moe", compiler.Options{Target: "h200"}},
		{"glm4moe", compiler.Options{Target: "cpu", Set: lowertest.GLM45Air}},
		{"glm4moe", compiler.Options{Target: "h100", TensorParallel: 4, Set: lowertest.GLM45Air}},
		{"glm4moelite", compiler.Options{Target: "h200", TensorParallel: 4}},
		{"deepseekv3", compiler.Options{Target: "cpu"}},
		{"deepseekv3", compiler.Options{Target: "h200"}}, // its arena is above the bound, which is no reason to keep it large
		{"qwen3moe", compiler.Options{Target: "h200"}},
		{"qwen3", compiler.Options{Target: "h200"}},
		{"llama3", compiler.Options{Target: "h100", TensorParallel: 8}},
	} {
		t.Run(c.model+" "+c.o.Target, func(t *testing.T) {
			r, err := Verify(t.Context(), subject(t, "models/"+c.model+"/model.glm", c.o), 1)
			if err != nil {
				t.Fatal(err)
			}
			var text bytes.Buffer
			if err := r.Text(&text); err != nil {
				t.Fatal(err)
			}
			proven := 0
			for _, x := range r.Results {
				if x.Status == Proven {
					proven++
				}
				if x.Status == Uncovered {
					t.Errorf("pass %s is not covered", x.Pass.Name)
				}
			}
			if r.Failed() != nil || len(r.Lost) > 0 || proven < 3 {
				t.Errorf("%d passes are proven:\n%s", proven, text.String())
			}
		})
	}
}

// TestShrinkKeepsWhatDivides: GLM-4.7 on eight ranks.
func TestShrinkKeepsWhatDivides(t *testing.T) {
	s := subject(t, "models/glm4moe/model.glm", compiler.Options{Target: "h200"})
	large, err := s.compile(false)
	if err != nil {
		t.Fatal(err)
	}
	small, err := shrink(s, large)
	if err != nil {
		t.Fatal(err)
	}
	now := map[string]int{}
	for _, k := range small.keys {
		now[k.name] = k.now
		if k.value > 8 && k.now*3 > k.value {
			t.Errorf("%s is %d, of %d", k.name, k.now, k.value)
		}
	}
	for what, ok := range map[string]bool{
		"heads divide by the ranks and the key heads":          now["num_attention_heads"]%8 == 0 && now["num_key_value_heads"] == 8,
		"experts are no power of two":                          now["n_routed_experts"]&(now["n_routed_experts"]-1) != 0,
		"there are more experts than a token takes":            now["n_routed_experts"] > now["num_experts_per_tok"],
		"an expert's width divides by the ranks":               now["moe_intermediate_size"]%8 == 0,
		"the dense layers' width is a multiple of an expert's": now["intermediate_size"]%now["moe_intermediate_size"] == 0,
		"two dense layers and two of experts follow each other": now["first_k_dense_replace"] >= 2 &&
			now["num_hidden_layers"] >= now["first_k_dense_replace"]+2,
		"there is an MTP layer": now["num_nextn_predict_layers"] == 1,
	} {
		if !ok {
			t.Errorf("not so: %s, in %s", what, small)
		}
	}
	again, err := shrink(s, large)
	if err != nil || again.String() != small.String() {
		t.Errorf("the second time it is %s: %v", again, err)
	}
}

// TestAblation: subsets of the passes in other orders compute the same.
func TestAblation(t *testing.T) {
	set := lowertest.With(lowertest.Small, "first_k_dense_replace", "1")
	s := subject(t, "models/glm4moe/model.glm", compiler.Options{Target: "h200", TensorParallel: 2, Set: set})
	runs, err := Ablate(t.Context(), s, 1, 20)
	if err != nil {
		t.Fatal(err)
	}
	orders := map[string]bool{}
	for _, a := range runs {
		orders[a.String()] = true
		if a.Outcome.Wrong != "" {
			t.Errorf("with %s: %s", &a, a.Outcome.Wrong)
		}
	}
	if len(runs) != 20 || len(orders) < 15 {
		t.Errorf("%d runs in %d orders", len(runs), len(orders))
	}
}

func TestText(t *testing.T) {
	r, err := Verify(t.Context(), subject(t, "models/qwen3/model.glm", compiler.Options{Target: "cpu", Disable: []string{"fuse_swiglu"}}), 1)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := r.Text(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"qwen3 for cpu, ranks: 1, seed 1\nsmall configuration: ", "fuse_swiglu ", "disabled\n", " 0          0      proven\n"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is missing in\n%s", want, b.String())
		}
	}
}

// TestEvidence: what Verify found makes a plan's evidence complete, on file as in memory.
func TestEvidence(t *testing.T) {
	s := subject(t, "models/qwen3moe/model.glm", compiler.Options{Target: "h200"})
	r, err := Verify(t.Context(), s, 1)
	if err != nil {
		t.Fatal(err)
	}
	c, err := s.compile(false)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Plan.Unproven(); !errors.Is(err, plan.ErrNoEvidence) {
		t.Errorf("a plan without evidence: %v", err)
	}
	c.Plan.Evidence = r.Evidence()
	file, err := c.Plan.Encode()
	if err != nil {
		t.Fatal(err)
	}
	back, err := plan.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := back.Unproven(); err != nil {
		t.Error(err)
	}
}

// TestCompareLooksAtCaches: a key that is written to another value, and that no result of the run depends on, is found.
func TestCompareLooksAtCaches(t *testing.T) {
	s := subject(t, "models/qwen3/model.glm", compiler.Options{Set: map[string]string{"vocab_size": "16", "hidden_size": "8", "intermediate_size": "12",
		"num_hidden_layers": "1", "num_attention_heads": "2", "num_key_value_heads": "2", "head_dim": "4"}})
	c, err := s.compile(true)
	if err != nil {
		t.Fatal(err)
	}
	m, err := c.behind("fuse_swiglu")
	if err != nil {
		t.Fatal(err)
	}
	g := m.Graph("forward")
	g.Outputs = g.Outputs[:0] // the run returns nothing
	text := m.String()
	before, err := ir.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range g.Nodes {
		if n.Op.Name == "attn.qknorm_rope_kv" {
			n.Attrs = n.Attrs.With("theta", 77.0)
		}
	}
	out, err := NewChecker(c.lowered, 1).Compare(before, m, passes.Exact)
	if err != nil || !strings.HasPrefix(out.Wrong, "keys of model.layers.0.self_attn differs by ") || out.Cases != 2 {
		t.Errorf("found %+v, error %v", out, err)
	}
	before.Graph("forward").Nodes[1].Attrs = nil
	if _, err := NewChecker(c.lowered, 1).Compare(before, m, passes.Exact); err == nil || !strings.HasPrefix(err.Error(), "before: entry forward, step 1: ") {
		t.Errorf("the first module cannot be executed: %v", err)
	}
	if _, err := NewChecker(c.lowered, 1).Compare(m, m, "vague"); err == nil {
		t.Error("an unknown class is taken")
	}
}

// TestFormats: the bound of a change of dtypes grows with the operands that change, and only with them.
func TestFormats(t *testing.T) {
	s := subject(t, "models/qwen3/model.glm", compiler.Options{Target: "h200", Set: map[string]string{"num_hidden_layers": "2"}})
	c, err := s.compile(true)
	if err != nil {
		t.Fatal(err)
	}
	before, err := c.behind("gather_last_token")
	if err != nil {
		t.Fatal(err)
	}
	after, err := c.behind("quantise")
	if err != nil {
		t.Fatal(err)
	}
	if same, fp8 := formats(before, before), formats(before, after); same != 0 || fp8 < 0.2 || fp8 > 0.6 {
		t.Errorf("nothing changed: %g; fp8: %g", same, fp8)
	}
}

// TestSizesInTheModel: a model without integers to make small runs as it is, unless it is too large.
func TestSizesInTheModel(t *testing.T) {
	for width, want := range map[string]string{"8": "", "9000": "the smallest configuration of model m that was found has 81"} {
		file, list := syntax.Parse("m.glm", []byte(`model m {
  entry forward(tokens: i32[T]) -> [T, `+width+`] {
    return linear(embed(tokens, embed, 16, `+width+`), w, `+width+`)
  }
}
`))
		if err := list.Err(); err != nil {
			t.Fatal(err)
		}
		r, err := Verify(t.Context(), Subject{File: file}, 1)
		if got := ""; err != nil {
			got = err.Error()
			if want == "" || !strings.HasPrefix(got, want) {
				t.Errorf("width %s: %s", width, got)
			}
		} else if want != "" || r.Config != "as it is" {
			t.Errorf("width %s: it runs with the configuration %q", width, r.Config)
		}
	}
}

// TestPricesOfTheLargeModel: a pass that pays for large dimensions only is covered, because the small model follows what was
// decided for the large one.
func TestPricesOfTheLargeModel(t *testing.T) {
	table := slices.Clone(passes.Table)
	i := slices.IndexFunc(table, func(p *passes.Pass) bool { return p.Name == "fuse_swiglu" })
	priced := *table[i]
	priced.Run = func(c *passes.Context) error {
		if c.Options.Device != nil && c.Module.Weights[0].Shape[1] < 1000 {
			return nil
		}
		return passes.Table[i].Run(c)
	}
	table[i] = &priced
	r, err := Verify(t.Context(), subject(t, "models/qwen3/model.glm", compiler.Options{Target: "h200", Table: table}), 1)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Lost) > 0 || r.Results[i].Status != Proven {
		t.Errorf("%s is %s; lost: %v", priced.Name, r.Results[i].Status, r.Lost)
	}
}

// TestInterrupted: the search for a small model ends as the validation does when somebody does not want it any more.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := subject(t, "models/glm4moe/model.glm", compiler.Options{})
	if _, err := Verify(ctx, s, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("Verify: %v", err)
	}
	if _, _, err := Bisect(ctx, s, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("Bisect: %v", err)
	}
	large, err := s.compile(false)
	if err != nil {
		t.Fatal(err)
	}
	s.ctx = ctx
	if _, err := shrink(s, large); !errors.Is(err, context.Canceled) {
		t.Errorf("shrink: %v", err)
	}
}
