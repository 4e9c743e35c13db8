package passes

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/lower/lowertest"
	"github.com/glmc/glmc/kernels/dtype"
)

func TestTableSaysWhy(t *testing.T) {
	for _, p := range Table {
		if p.Doc == "" || p.Run == nil || !slices.Contains([]Numeric{Exact, Reassociates, ChangesDType}, p.Numeric) {
			t.Errorf("pass %s lacks a description, a numeric class or what it does", p.Name)
		}
		for _, o := range p.After {
			if o.Why == "" {
				t.Errorf("pass %s must run after %s and does not say why", p.Name, o.Pass)
			}
		}
	}
}

func TestCheckOrder(t *testing.T) {
	a, b := &Pass{Name: "a"}, &Pass{Name: "b", After: []Order{{"a", "b reads what a wrote"}}}
	for _, c := range []struct {
		table []*Pass
		want  string
	}{
		{[]*Pass{a, b}, "<nil>"},
		{[]*Pass{b, a}, "b must run after a: b reads what a wrote"},
		{[]*Pass{b}, "b must run after a: b reads what a wrote"},
		{[]*Pass{a, b, a}, "a stands in the table twice"},
	} {
		if got := fmt.Sprint(checkOrder(c.table)); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
	reversed := slices.Clone(Table)
	slices.Reverse(reversed)
	if checkOrder(reversed) == nil {
		t.Error("the table the wrong way round is taken")
	}
}

func TestOptions(t *testing.T) {
	known := fmt.Sprint(Names())
	for _, c := range []struct {
		options Options
		want    string
	}{
		{Options{}, "<nil>"},
		{Options{Disabled: []string{"quantise"}, Require: []string{"fold_shared_expert"}, StopAfter: "quantise"}, "<nil>"},
		{Options{Disabled: []string{"fold"}}, `there is no pass "fold": the passes are ` + known},
		{Options{Require: []string{"fold"}}, `there is no pass "fold": the passes are ` + known},
		{Options{StopAfter: "fold"}, `there is no pass "fold": the passes are ` + known},
		{Options{Disabled: []string{"quantise"}, Require: []string{"quantise"}},
			"pass quantise is required by the pipeline and disabled on the command line: drop one of the two"},
		{Options{TensorParallel: -1}, "-1 tensor-parallel ranks: wants 1 to 64"},
		{Options{TensorParallel: 65}, "65 tensor-parallel ranks: wants 1 to 64"},
	} {
		m := &ir.Module{Name: "m", Ranks: 1}
		if got := fmt.Sprint(c.options.check()); got != c.want {
			t.Errorf("%+v: got %s, want %s", c.options, got, c.want)
		}
		if results, err := Run(m, &c.options); c.want != "<nil>" && (err == nil || results != nil) {
			t.Errorf("%+v: Run does not stop at the options", c.options)
		}
	}
}

func small(t testing.TB, pairs ...string) *ir.Module {
	t.Helper()
	return lowertest.Lower(t, lowertest.Setup{Set: lowertest.With(lowertest.Small, pairs...)}).Module
}

func TestStopAfterAndDisabled(t *testing.T) {
	// With activations in f32 the router's cast is one to the dtype at hand.
	m := lowertest.Lower(t, lowertest.Setup{Set: lowertest.Small, Activation: dtype.F32}).Module
	var seen []string
	last := ""
	results, err := Run(m, &Options{
		Disabled:  []string{"remove_dead", "fold_shared_expert"},
		StopAfter: "gather_last_token",
		Observe: func(name string, seenModule *ir.Module) {
			seen = append(seen, name)
			if text := seenModule.String(); seenModule != m || text == last {
				t.Errorf("pass %s: the observer does not see what the pass did", name)
			} else {
				last = text
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range results {
		names = append(names, r.Pass.Name)
		if r.Disabled != (r.Pass.Name == "fold_shared_expert" || r.Pass.Name == "remove_dead") {
			t.Errorf("pass %s: disabled is %t", r.Pass.Name, r.Disabled)
		}
		if r.Disabled && (r.Applied+r.Missed != 0 || r.NodesBefore != r.NodesAfter || r.NodesBefore == 0) {
			t.Errorf("pass %s did something although it is disabled: %+v", r.Pass.Name, r)
		}
		if !r.Disabled && (r.NodesBefore == 0 || r.NodesAfter == r.NodesBefore || r.Applied == 0 || r.Applied+r.Missed != len(r.Remarks)) {
			t.Errorf("pass %s counted wrongly: %+v", r.Pass.Name, r)
		}
	}
	if diff := cmp.Diff([]string{"remove_dead", "remove_identities", "fold_shared_expert", "fuse_qknorm_rope_kv", "fuse_route", "fuse_swiglu", "gather_last_token"}, names); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"", "remove_identities", "fuse_qknorm_rope_kv", "fuse_route", "fuse_swiglu", "gather_last_token"}, seen); diff != "" {
		t.Error(diff)
	}
	results, err = Run(small(t), &Options{Disabled: []string{"remove_dead"}, StopAfter: "remove_dead"})
	if err != nil || len(results) != 1 || !results[0].Disabled {
		t.Errorf("stopping after a disabled pass: %v, %v", results, err)
	}
}

func TestRequire(t *testing.T) {
	for _, c := range []struct {
		name  string
		pairs []string
		pass  string
		want  string
	}{
		{"applied everywhere", nil, "fold_shared_expert", "<nil>"},
		{"no site", []string{"first_k_dense_replace", "3", "num_nextn_predict_layers", "0"}, "fold_shared_expert",
			"required pass fold_shared_expert found nothing to apply to in this model"},
		{"missed", []string{"n_shared_experts", "0", "num_hidden_layers", "2"}, "fold_shared_expert",
			`required pass fold_shared_expert was missed at 2 sites:
  model.glm:L:C: forward, layer 1: what is added to the routed experts' sum is no gated MLP with SiLU, without bias and without other readers [fold_shared_expert.no_shared_expert]
  model.glm:L:C: draft, layer 2: what is added to the routed experts' sum is no gated MLP with SiLU, without bias and without other readers [fold_shared_expert.no_shared_expert]`},
		{"missed often", []string{"n_shared_experts", "0", "num_hidden_layers", "9"}, "fold_shared_expert",
			`required pass fold_shared_expert was missed at 9 sites:
  model.glm:L:C: forward, layers 1..8, 8 x: what is added to the routed experts' sum is no gated MLP with SiLU, without bias and without other readers [fold_shared_expert.no_shared_expert]
  model.glm:L:C: draft, layer 9: what is added to the routed experts' sum is no gated MLP with SiLU, without bias and without other readers [fold_shared_expert.no_shared_expert]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			results, err := Run(small(t, c.pairs...), &Options{Require: []string{c.pass}})
			got := regexp.MustCompile(`:\d+:\d+:`).ReplaceAllString(fmt.Sprint(err), ":L:C:")
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			if len(results) != len(Table) {
				t.Errorf("%d results: what the passes did is to be seen whatever was missed", len(results))
			}
		})
	}
}

func TestRunRefusesAnInvalidModule(t *testing.T) {
	m := small(t)
	m.Weights = m.Weights[1:]
	_, err := Run(m, &Options{})
	if err == nil || !strings.HasPrefix(err.Error(), "the lowered module is not valid: graph forward: node ") {
		t.Errorf("got error %v", err)
	}
}

func TestPassesThatBreakTheModuleAreNamed(t *testing.T) {
	m := small(t)
	p := &Pass{Name: "break_things", Run: func(c *Context) error { c.Module.Graphs[0].Nodes[0].Attrs = nil; return nil }}
	_, err := runOne(p, nil, m, &Options{})
	if err == nil || !strings.HasPrefix(err.Error(), "pass break_things left a module that is not valid (a bug in the pass): graph forward: ") {
		t.Errorf("got error %v", err)
	}
	p = &Pass{Name: "give_up", Run: func(*Context) error { return fmt.Errorf("no") }}
	if _, err := runOne(p, nil, m, &Options{}); err == nil || err.Error() != "pass give_up: no" {
		t.Errorf("got error %v", err)
	}
}

func TestShardingTwiceIsRefused(t *testing.T) {
	m := small(t)
	if _, err := Run(m, &Options{TensorParallel: 2}); err != nil {
		t.Fatal(err)
	}
	_, err := Run(m, &Options{TensorParallel: 2})
	if want := "pass shard_tensor_parallel: the module is already written for 2 ranks"; err == nil || err.Error() != want {
		t.Errorf("got error %v, want %s", err, want)
	}
}

func TestUnknownSplitPanics(t *testing.T) {
	defer func() {
		if r := fmt.Sprint(recover()); r != "passes: shard_tensor_parallel: a split that no projection began: x wants it whole" {
			t.Errorf("recovered %s", r)
		}
	}()
	(&flow{parts: map[*ir.Node]int{}}).takeBack(&conflict{want: 1, why: "x wants it whole"})
}

// runOne runs a pass by itself.
func runOne(p *Pass, rest []*Pass, m *ir.Module, o *Options) (Result, error) {
	return runPass(p, rest, m, o, &splits{})
}
