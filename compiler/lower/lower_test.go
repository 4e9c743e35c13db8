package lower

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/dsl/check"
	"github.com/glmc/glmc/dsl/config"
	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/dsl/diag/diagtest"
	"github.com/glmc/glmc/dsl/syntax"
	"github.com/glmc/glmc/kernels/dtype"
)

// diagnose lowers the first model of a file at its defaults.
func diagnose(t testing.TB, name string, src []byte, checked bool) (*Result, *diag.List) {
	t.Helper()
	file, diags := syntax.Parse(name, src)
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	if checked {
		if list := check.File(file, ir.Surfaces()); wrong(list) {
			return nil, list
		}
	}
	values, diags := config.Bind(file.Models[0], nil, nil)
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	return Model(Input{Model: file.Models[0], Values: values, Stored: dtype.BF16, Activation: dtype.BF16})
}

// wrong reports whether the checker found anything but shapes. It compares those for all configurations, before they
// come here: what the lowering says to a shape is said to numbers.
func wrong(list *diag.List) bool {
	return slices.ContainsFunc(list.All(), func(d *diag.Diagnostic) bool { return d.Severity == diag.Error && d.ID != idShapeMismatch })
}

// TestDiagnostics runs the files of testdata; dsl/diag/diagtest/README.md tells how to write one. Those in
// checked have nothing but shapes that the checker would find, those in unchecked have.
func TestDiagnostics(t *testing.T) {
	seen := diagtest.Seen{}
	for _, dir := range []string{"checked", "unchecked"} {
		t.Run(dir, func(t *testing.T) {
			diagtest.Dir(t, "testdata/"+dir, seen, func(name string, src []byte) *diag.List {
				_, list := diagnose(t, name, src, dir == "checked")
				return list
			})
		})
	}
	for _, id := range []string{idCannotEvaluate, idTypeMismatch, idArgumentType, idMissingArgument, idUnknownArgument, idUnknownName, idUnknownFunction, idUnknownType,
		idNotTensor, idResultCount, idMissingReturn, idRecursion, idBadPattern, idShapeMismatch, idWeightMismatch, idBadDimension,
		idTensorOperator, idAtWithoutCall, idExpertBody, idBadIndex, idReservedName, idModelTooLarge} {
		if !seen[id] {
			t.Errorf("no test expects a diagnostic with the ID %s", id)
		}
	}
}

var update = flag.Bool("update", false, "write testdata/graphs/*.txt")

// TestGraphs lowers testdata/graphs/*.glm at their defaults and compares module, aliases and ignores with the
// text beside them.
func TestGraphs(t *testing.T) {
	files, err := filepath.Glob("testdata/graphs/*.glm")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files (%v)", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".glm"), func(t *testing.T) {
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			r, list := diagnose(t, filepath.Base(file), src, true)
			if err := list.Err(); err != nil {
				t.Fatal(err)
			}
			if err := r.Module.Verify(); err != nil {
				t.Fatal(err)
			}
			got := describe(r)
			golden := strings.TrimSuffix(file, ".glm") + ".txt"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("-want +got, or run with -update:\n%s", diff)
			}
		})
	}
}

func describe(r *Result) string {
	var b strings.Builder
	b.WriteString(r.Module.String())
	for _, a := range r.Aliases {
		fmt.Fprintf(&b, "\nalias %q = %q", a.Name, a.Target)
		for _, x := range a.Index {
			fmt.Fprintf(&b, " %+v", x)
		}
	}
	for _, x := range r.Ignores {
		fmt.Fprintf(&b, "\nignore %q: %s", x.Name, x.Reason)
	}
	return b.String() + "\n"
}

// TestStoredDTypes: what the checkpoint's quantisation says decides what the weights of Linear modules are;
// the router computes in f32 whatever is stored.
func TestStoredDTypes(t *testing.T) {
	src, err := os.ReadFile("../../models/glm4moe/model.glm")
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile("../../testdata/golden/c6-fp8/config.json")
	if err != nil {
		t.Fatal(err)
	}
	file, diags := syntax.Parse("model.glm", src)
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	doc, err := config.Parse("config.json", data)
	if err != nil {
		t.Fatal(err)
	}
	values, diags := config.Bind(file.Models[0], doc, nil)
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	q, err := doc.Quantization()
	if err != nil || q == nil {
		t.Fatalf("the configuration is quantised: %v, %v", q, err)
	}
	r, diags := Model(Input{Model: file.Models[0], Values: values, Stored: dtype.BF16, Quantised: q, Activation: dtype.F32})
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, w := range r.Module.Weights {
		got[w.Name] = w.DType.String()
	}
	for name, want := range map[string]string{
		"model.embed_tokens.weight":                        "bf16",
		"model.layers.0.input_layernorm.weight":            "bf16",
		"model.layers.0.self_attn.q_proj.weight":           "fp8_e4m3",
		"model.layers.0.self_attn.q_proj.bias":             "bf16",
		"model.layers.0.mlp.down_proj.weight":              "fp8_e4m3",
		"model.layers.1.mlp.gate.weight":                   "f32",
		"model.layers.1.mlp.gate.e_score_correction_bias":  "f32",
		"model.layers.1.mlp.experts.{e}.up_proj.weight":    "fp8_e4m3",
		"model.layers.1.mlp.shared_experts.up_proj.weight": "fp8_e4m3",
		"lm_head.weight":                                   "bf16",
	} {
		if got[name] != want {
			t.Errorf("%s is %s, want %s", name, got[name], want)
		}
	}
}

func BenchmarkLowerGLM47(b *testing.B) {
	src, err := os.ReadFile("../../models/glm4moe/model.glm")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if r, list := diagnose(b, "model.glm", src, false); list.HasErrors() || len(r.Module.Graphs) != 2 {
			b.Fatal(list.Err())
		}
	}
}
