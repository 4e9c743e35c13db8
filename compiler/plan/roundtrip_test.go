package plan_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/lower/lowertest"
	"github.com/glmc/glmc/compiler/memory"
	"github.com/glmc/glmc/compiler/passes"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/kernels/dtype"
)

// checkRoundTrip decodes what a plan encodes to and compares all of it.
func checkRoundTrip(t *testing.T, p *plan.Plan) {
	t.Helper()
	file := encode(t, p)
	back, err := plan.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(p.Module.String(), back.Module.String()); diff != "" {
		t.Errorf("the module: %s", diff)
	}
	if diff := cmp.Diff(p, back, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(plan.Plan{}, "Module"),
		cmp.Comparer(func(a, b *plan.Program) bool { return cmp.Equal(a.Layouts, b.Layouts) && a.Storages() == b.Storages() })); diff != "" {
		t.Errorf("the rest: %s", diff)
	}
	if again := encode(t, back); !bytes.Equal(file, again) {
		t.Error("the decoded plan encodes to other bytes")
	}
	for _, q := range back.Programs {
		if back.Program(q.Graph.Name) != q || back.Module.Graph(q.Graph.Name) != q.Graph {
			t.Errorf("program %s is not found by name", q.Graph.Name)
		}
	}
	if back.Program("no such entry") != nil {
		t.Error("a program of no entry")
	}
}

func TestRoundTrip(t *testing.T) {
	h200 := &passes.Options{TensorParallel: 8, Weights: dtype.F8E4M3, Activations: dtype.F8E4M3}
	for name, p := range map[string]*plan.Plan{
		"by hand":        hand(t),
		"small":          small(t),
		"small, lowered": compile(t, lowertest.Setup{Set: lowertest.Small}, &passes.Options{Disabled: passes.Names()}, 1),
		"tiny":           compile(t, lowertest.Setup{Config: "models/tiny/config.json"}, &passes.Options{}, 512, 1, 2, 4, 8, 16),
		"two shared experts, tied, no MTP": compile(t, lowertest.Setup{Set: lowertest.With(lowertest.Small, "n_shared_experts", "2",
			"tie_word_embeddings", "true", "num_nextn_predict_layers", "0")}, &passes.Options{TensorParallel: 4}, 16, 1),
		"sizes whose product is no shape's": compile(t, lowertest.Setup{Set: lowertest.With(lowertest.Small, "head_dim", "128",
			"num_attention_heads", "4096", "num_key_value_heads", "4096")}, &passes.Options{}, 16, 1),
		"GLM-4.5-Air": compile(t, lowertest.Setup{Set: lowertest.GLM45Air}, &passes.Options{TensorParallel: 2}, 512, 1),
		"GLM-4.7":     compile(t, lowertest.Setup{Set: lowertest.GLM47}, h200, 16384, 1, 256),
	} {
		t.Run(name, func(t *testing.T) { checkRoundTrip(t, p) })
	}
}

// TestDeterminism: the same model, configuration and options give the same bytes.
func TestDeterminism(t *testing.T) {
	p := small(t)
	file := encode(t, p)
	if !bytes.Equal(file, encode(t, p)) {
		t.Error("the same plan encodes to other bytes the second time")
	}
	if !bytes.Equal(file, encode(t, small(t))) {
		t.Error("the same model compiles to other bytes the second time")
	}
	if plan.Digest(file) == "" || plan.Digest(file) != plan.Digest(encode(t, small(t))) || plan.Digest(file[:headerSize-1]) != "" {
		t.Errorf("the digest is %q", plan.Digest(file))
	}
}

// TestStorages: results that rename another's elements share its storage, states and what the caller provides
// have none, and a storage lives from its step to the last reader of any of its names.
func TestStorages(t *testing.T) {
	p := hand(t)
	q := p.Programs[0]
	number := map[string]int{}
	for _, n := range q.Graph.Nodes {
		for _, v := range n.Out {
			s, ok := q.Storage(v)
			if ok == v.Type.State {
				t.Errorf("%s has a storage: %t", n.Op.Name, ok)
			}
			number[n.Op.Name] = s
		}
	}
	if q.Storages() != 4 || number["reshape"] != number["comm.all_reduce"] {
		t.Errorf("%d storages: %v", q.Storages(), number)
	}
	for _, v := range q.Graph.Inputs {
		if _, ok := q.Storage(v); ok {
			t.Errorf("input %s has a storage", v.Input)
		}
	}
	got, err := q.Buffers(ir.Sizes{Tokens: 3, Seqs: 1, Rows: 1})
	if err != nil {
		t.Fatal(err)
	}
	want := []memory.Buffer{{Bytes: 48, First: 0, Last: 1}, {Bytes: 24, First: 1, Last: 2}, {Bytes: 24, First: 2, Last: 5}, {Bytes: 24, First: 5, Last: 6}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestBuffersWithoutBound: no layout can hold a value whose size depends on the number of pages.
func TestBuffersWithoutBound(t *testing.T) {
	m, err := ir.Parse("module \"m\" ranks=1\ngraph g(%1 x: f32[T, P]) {\n  %3: f32[T, P] = act.silu[2](%1) \"\" \"\" -1\n  return %3\n}\n")
	if err != nil {
		t.Fatal(err)
	}
	err = plan.NewProgram(m.Graphs[0]).AddLayout("decode", ir.Sizes{Tokens: 1, Seqs: 1, Rows: 1})
	if want := "value %3: f32[T, P] is not bounded by a layout"; err == nil || err.Error() != want {
		t.Errorf("got error %v, want %s", err, want)
	}
}

func glm47(b *testing.B) *plan.Plan {
	return compile(b, lowertest.Setup{}, &passes.Options{TensorParallel: 8, Weights: dtype.F8E4M3, Activations: dtype.F8E4M3}, 16384,
		1, 2, 4, 8, 16, 32, 64, 128, 256)
}

func BenchmarkPlanEncode(b *testing.B) {
	p := glm47(b)
	b.ReportAllocs()
	for b.Loop() {
		b.SetBytes(int64(len(encode(b, p))))
	}
}

func BenchmarkPlanDecode(b *testing.B) {
	file := encode(b, glm47(b))
	b.ReportAllocs()
	b.SetBytes(int64(len(file)))
	for b.Loop() {
		if _, err := plan.Decode(file); err != nil {
			b.Fatal(err)
		}
	}
}
