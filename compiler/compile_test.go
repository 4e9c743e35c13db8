package compiler_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/passes"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/dsl/config"
	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/dsl/syntax"
	"github.com/glmc/glmc/kernels/dtype"
)

const glm4moe = "../models/glm4moe/model.glm"

// source parses a .glm file that has to be right.
func source(t testing.TB, name string, src []byte) *syntax.File {
	t.Helper()
	f, list := syntax.Parse(name, src)
	if list.HasErrors() {
		t.Fatal(list.Err())
	}
	return f
}

func sourceFile(t testing.TB, path string) *syntax.File {
	t.Helper()
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return source(t, path, src)
}

func configFile(t testing.TB, path string) *config.Document {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := config.Parse(path, data)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// compile compiles what has to compile, without warnings.
func compile(t testing.TB, f *syntax.File, o compiler.Options) *compiler.Result {
	t.Helper()
	r, list, err := compiler.Compile(f, o)
	if err != nil {
		t.Fatalf("%v\n%v", err, list.Err())
	}
	for _, d := range list.All() {
		t.Errorf("unexpected: %s", d)
	}
	return r
}

func encode(t testing.TB, p *plan.Plan) []byte {
	t.Helper()
	file, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// published are the configurations of testdata/configs, with what the passes have to do to them.
var published = []struct {
	name          string
	layers, dense int
	fp8           bool
	positions     int
}{
	{"glm-4.5-air", 46, 1, false, 131072},
	{"glm-4.5", 92, 3, false, 131072},
	{"glm-4.6", 92, 3, false, 202752},
	{"glm-4.7", 92, 3, false, 202752},
	{"glm-4.7-fp8", 92, 3, true, 202752},
}

// TestPublishedConfigs compiles every published member of the family for every target. Both fusions have to apply
// to all layers that have something to fuse, the MTP layer included: other systems lost them silently when a model
// had another number of experts, or in the draft layer.
func TestPublishedConfigs(t *testing.T) {
	f := sourceFile(t, glm4moe)
	for _, c := range published {
		for _, target := range []string{"cpu", "h200"} {
			t.Run(c.name+" "+target, func(t *testing.T) {
				p := compile(t, f, compiler.Options{Target: target, Config: configFile(t, "../testdata/configs/"+c.name+".json")}).Plan

				ranks := map[string]int{"cpu": 1, "h200": 8}[target]
				if p.Model != "glm4_moe" || p.Pipeline != target || p.Target != target || p.Module.Ranks != ranks {
					t.Errorf("model %s, pipeline %s, target %s, %d ranks", p.Model, p.Pipeline, p.Target, p.Module.Ranks)
				}
				if p.Facts.MaxPositions != c.positions || p.Facts.VocabSize != 151552 {
					t.Errorf("facts are %+v", p.Facts)
				}
				wantSites(t, p, "fold_shared_expert", c.dense, c.layers)
				wantSites(t, p, "fuse_qknorm_rope_kv", 0, c.layers)
				wantSites(t, p, "fuse_route", c.dense, c.layers)
				wantGates(t, p, c.dense)
				wantResiduals(t, p, c.layers, true)
				for _, x := range p.Passes {
					wantCounts(t, p, x)
				}
				wantDTypes(t, p, c.layers-1, c.fp8 || target == "h200")
				if _, err := plan.Decode(encode(t, p)); err != nil {
					t.Errorf("its file cannot be read: %v", err)
				}
			})
		}
	}
}

// wantSites holds the remarks of a fusion against the layers from first on and the MTP layer behind them.
func wantSites(t *testing.T, p *plan.Plan, pass string, first, layers int) {
	t.Helper()
	want := map[string][]int{"draft": {layers}}
	for n := first; n < layers; n++ {
		want["forward"] = append(want["forward"], n)
	}
	applied := map[string][]int{}
	for _, r := range p.Remarks {
		if r.Pass != pass {
			continue
		}
		if !r.Applied {
			t.Errorf("%s was missed in layer %d of %s: %s", pass, r.Layer, r.Entry, r.Reason)
			continue
		}
		applied[r.Entry] = append(applied[r.Entry], r.Layer)
		if r.SavesLaunches < 1 || r.SavesBytes < 1 {
			t.Errorf("%s in layer %d of %s saves %d launches and %d bytes", pass, r.Layer, r.Entry, r.SavesLaunches, r.SavesBytes)
		}
	}
	if diff := cmp.Diff(want, applied); diff != "" {
		t.Errorf("layers of %s, -want +got:\n%s", pass, diff)
	}
}

// wantGates wants the gates of the dense layers, which are the first ones, fused and none missed. Everywhere else
// the shared expert was folded or there is none.
func wantGates(t *testing.T, p *plan.Plan, dense int) {
	t.Helper()
	var want, got []string
	for n := range dense {
		want = append(want, fmt.Sprintf("true forward %d", n))
	}
	for _, r := range p.Remarks {
		if r.Pass == "fuse_swiglu" {
			got = append(got, fmt.Sprintf("%t %s %d", r.Applied, r.Entry, r.Layer))
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("layers of fuse_swiglu, -want +got:\n%s", diff)
	}
}

// wantResiduals wants both residuals of every layer fused with the norms behind them, those of the MTP layer too,
// and none missed.
func wantResiduals(t *testing.T, p *plan.Plan, layers int, mtp bool) {
	t.Helper()
	want, applied := map[string][]int{}, map[string][]int{}
	for n := range layers {
		if n > 0 { // the norm behind the MLP of the layer before
			want["forward"] = append(want["forward"], n)
		}
		want["forward"] = append(want["forward"], n)
	}
	want["forward"] = append(want["forward"], -1) // the final norm
	if mtp {
		want["draft"] = []int{layers, layers}
	}
	for _, r := range p.Remarks {
		if r.Pass != "fuse_add_norm" {
			continue
		}
		applied[r.Entry] = append(applied[r.Entry], r.Layer)
		if !r.Applied || r.SavesLaunches != 1 || r.SavesBytes < 1 {
			t.Errorf("layer %d of %s: %+v", r.Layer, r.Entry, r)
		}
	}
	if diff := cmp.Diff(want, applied); diff != "" {
		t.Errorf("layers of fuse_add_norm, -want +got:\n%s", diff)
	}
}

// wantCounts holds a row of the pass table against the remarks.
func wantCounts(t *testing.T, p *plan.Plan, row plan.Pass) {
	t.Helper()
	applied, missed := 0, 0
	for _, r := range p.Remarks {
		switch {
		case r.Pass != row.Name:
		case r.Applied:
			applied++
		default:
			missed++
		}
		if r.Pass == row.Name && !strings.HasPrefix(r.ID, row.Name+".") {
			t.Errorf("a remark of %s has the ID %s", row.Name, r.ID)
		}
	}
	if row.Applied != applied || row.Missed != missed {
		t.Errorf("%s counts %d applied and %d missed, its remarks %d and %d", row.Name, row.Applied, row.Missed, applied, missed)
	}
}

// wantDTypes looks at the weights of one layer of experts: where Linears are in fp8, the router and the output
// projection are not.
func wantDTypes(t *testing.T, p *plan.Plan, layer int, fp8 bool) {
	t.Helper()
	linear := dtype.BF16
	if fp8 {
		linear = dtype.F8E4M3
	}
	at := fmt.Sprintf("model.layers.%d.", layer)
	want := map[string]dtype.DType{
		at + "self_attn.o_proj.weight": linear,
		at + "mlp.gate.weight":         dtype.F32,
		at + "input_layernorm.weight":  dtype.BF16,
		"lm_head.weight":               dtype.BF16,
		"model.embed_tokens.weight":    dtype.BF16,
	}
	got := map[string]dtype.DType{}
	for _, w := range p.Module.Weights {
		name := strings.Split(w.Name, " @")[0] // without a rank's part
		if _, ok := want[name]; ok {
			got[name] = w.DType
		}
		if strings.HasPrefix(w.Name, at+"mlp.experts.") && w.DType != linear {
			t.Errorf("%s is held in %s, want %s", w.Name, w.DType, linear)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("dtypes -want +got:\n%s", diff)
	}
}

func TestSameInputSameBytes(t *testing.T) {
	for _, target := range []string{"cpu", "h200"} {
		o := compiler.Options{Target: target, Config: configFile(t, "../testdata/configs/glm-4.7.json")}
		first := encode(t, compile(t, sourceFile(t, glm4moe), o).Plan)
		for range 2 {
			if !bytes.Equal(first, encode(t, compile(t, sourceFile(t, glm4moe), o).Plan)) {
				t.Fatalf("%s: compiled again, the plan has other bytes", target)
			}
		}
	}
}

// TestDefaultsAreGLM47: without a config.json the model is GLM-4.7, as model.glm says.
func TestDefaultsAreGLM47(t *testing.T) {
	f := sourceFile(t, glm4moe)
	defaults := compile(t, f, compiler.Options{Target: "h200"}).Plan
	given := compile(t, f, compiler.Options{Target: "h200", Config: configFile(t, "../testdata/configs/glm-4.7.json")}).Plan
	given.Source = defaults.Source // which tells how each came about
	if !bytes.Equal(encode(t, defaults), encode(t, given)) {
		t.Error("the plan of the defaults is not the one of testdata/configs/glm-4.7.json")
	}
}

func TestDisableAndStopAfter(t *testing.T) {
	f := sourceFile(t, glm4moe)
	small := map[string]string{"num_hidden_layers": "4"}
	names := passes.Names()
	for i, name := range names {
		var observed []string
		r := compile(t, f, compiler.Options{Set: small, StopAfter: name, Observe: func(pass string, m *ir.Module) {
			observed = append(observed, pass)
			if len(m.Graphs) == 0 {
				t.Errorf("no graph behind %s", pass)
			}
		}})
		if diff := cmp.Diff(append([]string{""}, names[:i+1]...), observed); diff != "" {
			t.Errorf("passes up to %s, -want +got:\n%s", name, diff)
		}
		if len(r.Plan.Passes) != i+1 {
			t.Errorf("the plan lists %d passes up to %s", len(r.Plan.Passes), name)
		}

		r = compile(t, f, compiler.Options{Set: small, Disable: []string{name}})
		row := r.Plan.Passes[i]
		if !row.Disabled || row.Applied+row.Missed > 0 || row.NodesBefore != row.NodesAfter {
			t.Errorf("the disabled pass is %+v", row)
		}
		if slices.ContainsFunc(r.Plan.Remarks, func(k plan.Remark) bool { return k.Pass == name }) {
			t.Errorf("the disabled pass %s has remarks", name)
		}
	}
}

func TestCheck(t *testing.T) {
	f := sourceFile(t, glm4moe)
	for _, c := range published {
		if list := compiler.Check(f, configFile(t, "../testdata/configs/"+c.name+".json")); list.Len() > 0 {
			t.Errorf("%s: %v", c.name, list.All()[0])
		}
	}
	wrong := source(t, "m.glm", []byte(`
model m {
  config { hidden_size int = 8 }
  entry forward(tokens: i32[T], pos: i32[T]) -> f32[T, 16] {
    x = embed(tokens, embed_tokens, 16, hidden_size)
    return f32(linear(y, lm_head, 16))
  }
}
pipeline cpu for n { target cpu { tensor_parallel = 0 } }
`))
	var ids []string
	for _, d := range compiler.Check(wrong, nil).All() {
		ids = append(ids, fmt.Sprintf("%d %s %s", d.Start.Line, d.Severity, d.ID))
	}
	if len(ids) < 3 || !slices.Contains(ids, "6 error unknown-name") {
		t.Errorf("of several mistakes it reports %v", ids)
	}
}

func TestDiagnosticsAreReturned(t *testing.T) {
	f := sourceFile(t, glm4moe)
	doc, err := config.Parse("config.json", []byte("{\n  \"hidden_size\": \"64\"\n}"))
	if err != nil {
		t.Fatal(err)
	}
	r, list, err := compiler.Compile(f, compiler.Options{Config: doc})
	if !errors.Is(err, compiler.ErrDiagnostics) || r != nil {
		t.Fatalf("result %v, error %v", r, err)
	}
	i := slices.IndexFunc(list.All(), func(d *diag.Diagnostic) bool { return d.ID == "wrong-config-type" })
	if i < 0 || list.All()[i].Span.String() != "config.json:2:3" {
		t.Errorf("diagnostics: %v", list.Err())
	}
}
