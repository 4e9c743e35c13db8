package verify

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/compiler/lower/lowertest"
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
	return Subject{file, o}
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
