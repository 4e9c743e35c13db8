package pipeline

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/dsl/config"
	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/dsl/diag/diagtest"
	"github.com/glmc/glmc/dsl/pattern"
	"github.com/glmc/glmc/dsl/syntax"
	"github.com/glmc/glmc/kernels/dtype"
)

var passes = []string{"fold_shared_expert", "fuse_qknorm_rope_kv", "fuse_gate_up"}

func parse(t *testing.T, name string, src []byte) *syntax.File {
	t.Helper()
	f, diags := syntax.Parse(name, src)
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestDiagnostics(t *testing.T) {
	seen := diagtest.Seen{}
	diagtest.Dir(t, "testdata", seen, func(name string, src []byte) *diag.List {
		all := &diag.List{}
		for _, p := range parse(t, name, src).Pipelines {
			_, diags := Resolve(p, passes)
			all.Append(diags)
		}
		return all
	})
	t.Run("every ID", func(t *testing.T) { diagtest.Covered(t, seen, "../../docs/language.md") })
}

func resolve(t *testing.T, f *syntax.File, name string) Settings {
	t.Helper()
	s, diags := Resolve(f.Pipeline(name), passes)
	if diags.Len() > 0 {
		t.Fatal(diags.All())
	}
	s.RequiredAt = nil
	return s
}

// comparePatterns compares patterns as they are written.
var comparePatterns = cmp.Comparer(func(a, b pattern.Pattern) bool { return a.String() == b.String() })

func parsePattern(s string) pattern.Pattern {
	p, err := pattern.Parse(s)
	if err != nil {
		panic(err)
	}
	return p
}

const pipelines = `
pipeline cpu for glm4_moe { target cpu }
pipeline h200 for glm4_moe {
  target      h200 { tensor_parallel = 8 }
  weights     fp8_e4m3 { scale = channel, skip = ["lm_head", "{layer...}.mlp.gate"] }
  activations fp8_e4m3
  cache       fp8_e4m3 { page = 64 }
  prefill     { chunk = 16384, rows = 64 }
  decode      { capture = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512] }
  require     fold_shared_expert, fuse_qknorm_rope_kv
  transfer    { async, per = layer }
  draft       mtp    { steps = 3 }
  draft       suffix { max_depth = 32, min_token_prob = 0.2 }
}
`

func TestResolve(t *testing.T) {
	f := parse(t, "p.glm", []byte(pipelines))
	want := Settings{
		Name: "h200", Model: "glm4_moe", Target: "h200", TensorParallel: 8,
		Weights: Weights{DType: dtype.F8E4M3, Scale: "channel",
			Skip: []pattern.Pattern{parsePattern("lm_head"), parsePattern("{layer...}.mlp.gate")}},
		Activations: dtype.F8E4M3,
		Cache:       Cache{DType: dtype.F8E4M3, Page: 64},
		Prefill:     Prefill{Chunk: 16384, Rows: 64},
		Decode:      Decode{Capture: []int{1, 2, 4, 8, 16, 32, 64, 128, 256, 512}},
		Require:     []string{"fold_shared_expert", "fuse_qknorm_rope_kv"},
		Drafts: []Draft{
			{Kind: "mtp", Options: map[string]config.Value{"steps": config.Int(3)}},
			{Kind: "suffix", Options: map[string]config.Value{
				"max_depth": config.Int(32), "max_spec_factor": config.Float(1), "max_spec_offset": config.Float(0),
				"min_token_prob": config.Float(0.2), "tree": config.Bool(false)}},
		},
		Transfer: Transfer{Enabled: true, Async: true, Per: "layer"},
	}
	if diff := cmp.Diff(want, resolve(t, f, "h200"), comparePatterns); diff != "" {
		t.Errorf("h200 (-want +got):\n%s", diff)
	}
	cpu, err := Default("cpu")
	if err != nil {
		t.Fatal(err)
	}
	cpu.Name, cpu.Model = "cpu", "glm4_moe"
	if diff := cmp.Diff(cpu, resolve(t, f, "cpu"), comparePatterns); diff != "" {
		t.Errorf("cpu (-want +got):\n%s", diff)
	}
}

// TestResolveModel resolves the pipelines of the repository's model.
func TestResolveModel(t *testing.T) {
	src, err := os.ReadFile("../../models/glm4moe/model.glm")
	if err != nil {
		t.Fatal(err)
	}
	f := parse(t, "model.glm", src)
	for name, ranks := range map[string]int{"cpu": 1, "h200": 8} {
		s, diags := Resolve(f.Pipeline(name), nil)
		if diags.Len() > 0 || s.Target != name || s.TensorParallel != ranks {
			t.Errorf("%s: target %s, %d ranks, %v", name, s.Target, s.TensorParallel, diags.All())
		}
	}
}

func TestResolveKeepsTheOrder(t *testing.T) {
	src := "pipeline p for m {\n  target h100\n  decode { capture = [8, 1, 4] }\n  require a, b\n  draft suffix { max_spec_factor = 2, tree }\n}"
	s, diags := Resolve(parse(t, "p.glm", []byte(src)).Pipelines[0], nil)
	if diags.Len() > 0 {
		t.Fatal(diags.All())
	}
	if diff := cmp.Diff([]int{1, 4, 8}, s.Decode.Capture); diff != "" {
		t.Errorf("capture (-want +got):\n%s", diff)
	}
	if s.RequiredAt[1].String() != "p.glm:4:14" || s.Require[1] != "b" {
		t.Errorf("the second requirement is %s at %s", s.Require[1], s.RequiredAt[1])
	}
	d := s.Drafts[0]
	if d.Options["max_spec_factor"] != config.Float(2) || d.Options["tree"] != config.Bool(true) || d.Int("max_depth") != 64 {
		t.Errorf("draft options %v", d.Options)
	}
}

func TestDefault(t *testing.T) {
	caches := map[string]dtype.DType{"cpu": dtype.Invalid, "h100": dtype.BF16, "h200": dtype.BF16}
	for _, target := range targets {
		s, err := Default(target)
		if err != nil || s.Target != target || s.TensorParallel != 1 || s.Cache.DType != caches[target] || len(s.Decode.Capture) == 0 {
			t.Errorf("%s: %+v, %v", target, s, err)
		}
	}
	if _, err := Default("h20"); err == nil || !strings.Contains(err.Error(), `one of cpu, h100, h200; did you mean "h200"?`) {
		t.Errorf("unknown target: %v", err)
	}
}

func TestSet(t *testing.T) {
	tests := []struct {
		key, value string
		get        func(s Settings) any
		want       any // an error if it is one
	}{
		{"tensor_parallel", "4", func(s Settings) any { return s.TensorParallel }, 4},
		{"weights", "bf16", func(s Settings) any { return s.Weights.DType }, dtype.BF16},
		{"weights", "int4", func(s Settings) any { return s.Weights.Scale }, "group"},
		{"weights", "stored", func(s Settings) any { return s.Weights.DType }, dtype.Invalid},
		{"activations", "fp8_e4m3", func(s Settings) any { return s.Activations }, dtype.F8E4M3},
		{"activations", "none", func(s Settings) any { return s.Activations }, dtype.Invalid},
		{"cache", "f32", func(s Settings) any { return s.Cache.DType }, dtype.F32},
		{"cache", "computed", func(s Settings) any { return s.Cache.DType }, dtype.Invalid},
		{"cache.page", "1024", func(s Settings) any { return s.Cache.Page }, 1024},
		{"precision", "fast", func(s Settings) any { return s.Precision }, "fast"},
		{"prefill.chunk", "1048576", func(s Settings) any { return s.Prefill.Chunk }, 1 << 20},
		{"prefill.rows", "32", func(s Settings) any { return s.Prefill.Rows }, 32},
		{"decode.capture", "4, 1,2", func(s Settings) any { return fmt.Sprint(s.Decode.Capture) }, "[1 2 4]"},
		{"draft", "none", func(s Settings) any { return len(s.Drafts) }, 0},
		{"draft", "mtp", func(s Settings) any { return s.Drafts[0].Int("steps") }, 3}, // the file's
		{"draft", "hybrid", func(s Settings) any { return s.Drafts[1].Int("max_depth") }, 64},

		{"tensor_parallel", "0", nil, fmt.Errorf("tensor_parallel=0: 0 is not between 1 and 64; it takes 1 to 64")},
		{"tensor_parallel", "x", nil, fmt.Errorf(`tensor_parallel=x: "x" is not an int; it takes 1 to 64`)},
		{"weights", "i8", nil, fmt.Errorf(`weights=i8: "i8" is not one of f32, bf16, f16, fp8_e4m3, int8, int4; it takes a dtype, or "stored"`)},
		{"cache", "", nil, fmt.Errorf(`cache=: "" is not one of f32, bf16, f16, fp8_e4m3; it takes a dtype, or "computed"`)},
		{"activations", "bf16", nil, fmt.Errorf(`activations=bf16: "bf16" is not allowed here: only fp8_e4m3 is; it takes fp8_e4m3, or "none"`)},
		{"precision", "quick", nil, fmt.Errorf(`precision=quick: "quick" is not one of exact, fast; it takes exact or fast`)},
		{"cache.page", "3", nil, fmt.Errorf("cache.page=3: 3 is not a power of two; it takes a power of two, 1 to 1024")},
		{"decode.capture", "", nil, fmt.Errorf(`decode.capture=: "" is not an int; it takes batch sizes, "1,2,4"`)},
		{"decode.capture", "1,1", nil, fmt.Errorf(`decode.capture=1,1: 1 is there twice; it takes batch sizes, "1,2,4"`)},
		{"draft", "tree", func(s Settings) any { return s.Drafts[0].Options["tree"] }, config.Bool(true)},
		{"draft", "eagle", nil, fmt.Errorf(`draft=eagle: "eagle" is not one of none, mtp, suffix, tree, hybrid; it takes none, mtp, suffix, tree or hybrid`)},
		{"cache.pages", "3", nil, fmt.Errorf(`unknown setting "cache.pages": one of activations, cache, cache.page, decode.capture, draft, precision, prefill.chunk, prefill.rows, tensor_parallel, weights; did you mean "cache.page"?`)},
	}
	seen := map[string]bool{}
	for _, tt := range tests {
		s, err := Default("cpu")
		if err != nil {
			t.Fatal(err)
		}
		s.Drafts = []Draft{{Kind: "mtp", Options: map[string]config.Value{"steps": config.Int(3)}}}
		before := fmt.Sprintf("%+v", s)
		err = s.Set(tt.key, tt.value)
		if want, ok := tt.want.(error); ok {
			if err == nil || err.Error() != want.Error() {
				t.Errorf("%s=%s: %v, want %v", tt.key, tt.value, err, want)
			}
			if after := fmt.Sprintf("%+v", s); after != before {
				t.Errorf("%s=%s failed, and changed the settings", tt.key, tt.value)
			}
			continue
		}
		seen[tt.key] = true
		if err != nil {
			t.Errorf("%s=%s: %v", tt.key, tt.value, err)
		} else if got := tt.get(s); got != tt.want {
			t.Errorf("%s=%s gives %v, want %v", tt.key, tt.value, got, tt.want)
		}
	}
	for _, key := range Keys() {
		if !seen[key] {
			t.Errorf("the key %s is not tested", key)
		}
	}
}

// TestPrecision: only the cpu leaves a choice, to a file and to a flag.
func TestPrecision(t *testing.T) {
	f := parse(t, "p.glm", []byte("pipeline p for m {\n  precision fast\n  target cpu\n}"))
	if s := resolve(t, f, "p"); s.Precision != "fast" {
		t.Errorf("precision %q, want fast", s.Precision)
	}
	for target, want := range map[string]string{"cpu": "exact", "h100": "", "h200": ""} {
		s, err := Default(target)
		if err != nil || s.Precision != want {
			t.Errorf("%s: precision %q, error %v", target, s.Precision, err)
		}
		err = s.Set("precision", "exact")
		if (err == nil) != (target == "cpu") || s.Precision != want {
			t.Errorf("%s: set to exact: precision %q, error %v", target, s.Precision, err)
		}
	}
}

func TestTooManySizes(t *testing.T) {
	var list []string
	for i := range maxCaptures + 1 {
		list = append(list, fmt.Sprint(i+1))
	}
	s := Settings{}
	if err := s.Set("decode.capture", strings.Join(list[:maxCaptures], ",")); err != nil {
		t.Error(err)
	}
	if err := s.Set("decode.capture", strings.Join(list, ",")); err == nil || !strings.Contains(err.Error(), "more than 64 sizes") {
		t.Errorf("%d sizes: %v", len(list), err)
	}
}
