package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/dsl/diag/diagtest"
	"github.com/glmc/glmc/dsl/syntax"
	"github.com/glmc/glmc/kernels/dtype"
)

func parseModel(t *testing.T, name, src string) *syntax.Model {
	t.Helper()
	f, diags := syntax.Parse(name, []byte(src))
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	return f.Models[0]
}

func readModel(t *testing.T) *syntax.Model {
	t.Helper()
	src, err := os.ReadFile("../../models/glm4moe/model.glm")
	if err != nil {
		t.Fatal(err)
	}
	return parseModel(t, "model.glm", string(src))
}

func readDocument(t *testing.T, file string) *Document {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := Parse("config.json", data)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// TestBindGolden binds the configurations of the reference checkpoints.
func TestBindGolden(t *testing.T) {
	type want = map[string]Value
	tests := []struct {
		file  string
		want  want
		dtype dtype.DType
	}{
		{"../../testdata/golden/c1-bias-untied/config.json", want{
			"vocab_size": Int(320), "use_qk_norm": Bool(false), "rms_norm_eps": Float(1e-5), "rope_theta": Float(1e6),
			"rope_type": String("default"), "rotary": Int(8), "partial_rotary_factor": Float(0.5),
		}, dtype.F32},
		{"../../testdata/golden/c2-qknorm-bf16/config.json", want{
			"rope_theta": Float(10000), "routed_scaling_factor": Float(2.5), "rotary": Int(16), "n_routed_experts": Int(16),
		}, dtype.BF16},
		{"../../testdata/golden/c3-groups-tied/config.json", want{
			"rope_theta": Float(500000), "partial_rotary_factor": Float(1), "rotary": Int(16), "rope_type": String("default"),
			"tie_word_embeddings": Bool(true), "n_group": Int(4), "topk_group": Int(2), "norm_topk_prob": Bool(false),
			"num_nextn_predict_layers": Int(0), "attention_bias": Bool(false), "rms_norm_eps": Float(1e-6),
		}, dtype.F32},
		{"../../testdata/golden/c6-fp8/config.json", want{"hidden_size": Int(128), "rotary": Int(16)}, dtype.BF16},
		{"../../testdata/golden/g2-glm4moe/config.json", want{
			"partial_rotary_factor": Float(0.5), "rotary": Int(12), "n_group": Int(3), "use_qk_norm": Bool(true),
		}, dtype.F32},
		{"../../models/tiny/config.json", want{"vocab_size": Int(4096), "num_hidden_layers": Int(6)}, dtype.BF16},
	}
	model := readModel(t)
	for _, tt := range tests {
		t.Run(filepath.Base(filepath.Dir(tt.file)), func(t *testing.T) {
			doc := readDocument(t, tt.file)
			values, diags := Bind(model, doc, nil)
			if diags.Len() > 0 {
				t.Fatal(diags.All())
			}
			for name, want := range tt.want {
				if got, _ := values.Get(name); got != want {
					t.Errorf("%s = %v, want %v", name, got, want)
				}
			}
			if got := doc.WeightDType(); got != tt.dtype {
				t.Errorf("weights have dtype %v, want %v", got, tt.dtype)
			}
			if diff := cmp.Diff([]string{"Glm4MoeForCausalLM"}, doc.Architectures()); diff != "" {
				t.Errorf("architectures (-want +got):\n%s", diff)
			}
		})
	}
	files, err := filepath.Glob("../../testdata/golden/*/config.json")
	files = slices.DeleteFunc(files, func(file string) bool {
		return !slices.Contains(readDocument(t, file).Architectures(), "Glm4MoeForCausalLM") // another family's
	})
	if err != nil || len(files) != len(tests)-1 {
		t.Errorf("%d golden configurations, %d tested (%v)", len(files), len(tests)-1, err)
	}
}

func TestBindDefaults(t *testing.T) {
	values, diags := Bind(readModel(t), nil, map[string]string{"hidden_size": "64", "rope_theta": "5", "use_qk_norm": "false", "hidden_act": "silu"})
	if diags.Len() > 0 {
		t.Fatal(diags.All())
	}
	want := map[string]Value{
		"hidden_size": Int(64), "rope_theta": Float(5), "use_qk_norm": Bool(false), "hidden_act": String("silu"),
		"vocab_size": Int(151552), "rotary": Int(64),
	}
	for name, want := range want {
		if got, _ := values.Get(name); got != want {
			t.Errorf("%s = %v, want %v", name, got, want)
		}
	}
	if _, ok := values.Place("hidden_size"); ok {
		t.Error("a value from a flag has a place in config.json")
	}
	if _, ok := values.Get("no_such_key"); ok {
		t.Error("an unknown name has a value")
	}
}

func TestKnown(t *testing.T) {
	m := parseModel(t, "m.glm", "model m { config { a int b bool } let c = 1 config { d int } }")
	if diff := cmp.Diff([]string{"a", "b", "d"}, Known(m)); diff != "" {
		t.Errorf("known keys (-want +got):\n%s", diff)
	}
}

const declarations = `model m {
  config {
    width int = 8
    depth int = 2 * width
    eps   float = 1 from "norm.eps" or "norm.epsilon"
    act   string = "silu" optional
    bias  bool = true
    free  int optional
  }
  let half = width / 2
  let next = half + 1
  assert act == "silu", "only SiLU"
  assert half * 2 == width and next > 1, "an even width"
}
`

const classes = `model m for "A" or "B" {}`

// TestBindDiagnostics compares the diagnostics of small configurations, with their notes and suggestions.
// TestBindElse: what stands behind else is for a config.json without the key, the default for none at all.
func TestBindElse(t *testing.T) {
	m := parseModel(t, "m.glm", "model m { config { a int = 1 else 0  b int = a + 1 else a + 10  c int else 7  d bool = true from \"x\" optional } }")
	for _, tt := range []struct {
		doc  string
		a, b Value
	}{
		{"", Int(1), Int(2)},
		{`{"c": 3}`, Int(0), Int(10)},
		{`{"a": null, "b": null}`, Int(0), Int(10)},
		{`{"a": 5}`, Int(5), Int(15)},
		{`{"a": 5, "b": 6}`, Int(5), Int(6)},
	} {
		var doc *Document
		var sets map[string]string
		if tt.doc != "" {
			doc, _ = Parse("config.json", []byte(tt.doc))
		} else {
			sets = map[string]string{"c": "1"} // it has no default
		}
		v, diags := Bind(m, doc, sets)
		if err := diags.Err(); err != nil {
			t.Errorf("%s: %v", tt.doc, err)
		}
		a, _ := v.Get("a")
		b, _ := v.Get("b")
		if a != tt.a || b != tt.b {
			t.Errorf("%s: a is %v and b %v, want %v and %v", tt.doc, a, b, tt.a, tt.b)
		}
	}
}

func TestBindLists(t *testing.T) {
	m := parseModel(t, "m.glm", "model m { config { l ints = [7] } }")
	for text, want := range map[string]Value{
		"": Ints{}, "[]": Ints{}, "3": Ints{3}, "1,2": Ints{1, 2}, "[1, 2]": Ints{1, 2}, "1,,2": nil, "a": nil, "1.5": nil,
	} {
		v, diags := Bind(m, nil, map[string]string{"l": text})
		got, _ := v.Get("l")
		if diff := cmp.Diff(want, got); diff != "" || diags.HasErrors() != (want == nil) {
			t.Errorf("--set l=%s (%v) (-want +got):\n%s", text, diags.Err(), diff)
		}
	}
	doc, err := Parse("config.json", []byte(`{"l": [0, -5, 9223372036854775807]}`))
	if err != nil {
		t.Fatal(err)
	}
	v, diags := Bind(m, doc, nil)
	got, _ := v.Get("l")
	if diff := cmp.Diff(Value(Ints{0, -5, 9223372036854775807}), got); diff != "" || diags.HasErrors() {
		t.Errorf("%v (-want +got):\n%s", diags.Err(), diff)
	}
	for _, text := range []string{`{"l": [1, 2.5]}`, `{"l": 3}`, `{"l": [[1]]}`, `{"l": ["a"]}`} {
		doc, err := Parse("config.json", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if _, diags := Bind(m, doc, nil); !diags.HasErrors() {
			t.Errorf("%s is taken for a list of ints", text)
		}
	}
}

func TestBindDiagnostics(t *testing.T) {
	seen := diagtest.Seen{}
	complete := `{"width": 4, "depth": 1, "norm": {"eps": 1e-6}, "act": null, "bias": false, "free": 0}`
	tests := []struct {
		name, model, doc string
		sets             map[string]string
		want             string
	}{
		{name: "all is well", doc: complete},
		{name: "defaults", want: `
m.glm:8:5: error: "free" has no value: there is no default [no-config-value]
  help: give a config.json, or the flag --set free=...`},
		{name: "missing", doc: `{"widht": 4, "depth": 1, "bias": false}`, want: `
config.json: error: the key "width" is missing [missing-config-key]
  note m.glm:3:5: declared here, and not optional
  help: did you mean "widht"?
config.json: error: the key "eps" is missing, and so is "norm.eps" and "norm.epsilon" [missing-config-key]
  note m.glm:5:5: declared here, and not optional
m.glm:8:5: error: "free" has no value: there is no default [no-config-value]
  note config.json: the key is not in this file`},
		{name: "missing, and deeper", doc: `{"size": {"width": 4}, "depth": 1, "eps": 1, "bias": false, "free": 1}`, want: `
config.json: error: the key "width" is missing [missing-config-key]
  note m.glm:3:5: declared here, and not optional
  help: config.json has "size.width": write from "size.width" behind the declaration`},
		{name: "wrong types", doc: "{\n\"width\": 3.5, \"depth\": true,\n \"eps\": \"1\",\n\"act\": [], \"bias\": {}, \"free\": 9223372036854775808}", want: `
config.json:2:1: error: "width" has to be an int, and 3.5 is no whole number [wrong-config-type]
  note m.glm:3:5: declared here
config.json:2:15: error: "depth" has to be an int, and is true [wrong-config-type]
  note m.glm:4:5: declared here
config.json:3:2: error: "eps" has to be a float, and is "1" [wrong-config-type]
  note m.glm:5:5: declared here
config.json:4:1: error: "act" has to be a string, and is a list [wrong-config-type]
  note m.glm:6:5: declared here
config.json:4:12: error: "bias" has to be true or false, and is an object [wrong-config-type]
  note m.glm:7:5: declared here
config.json:4:24: error: "free" has to be an int, and 9223372036854775808 does not fit into 64 bits [wrong-config-type]
  note m.glm:8:5: declared here`},
		{name: "huge float", doc: strings.Replace(complete, "1e-6", "1e999", 1), want: `
config.json:1:35: error: "norm.eps" has to be a float, and 1e999 is no finite number [wrong-config-type]
  note m.glm:5:5: declared here`},
		{name: "flags", doc: complete, sets: map[string]string{"width": "x", "bias": "yes", "eps": "nan", "act": "silu", "depth": "1.0"}, want: `
error: --set width=x: "width" has to be an int, and x is no whole number [bad-config-flag]
  note m.glm:3:5: declared here
error: --set depth=1.0: "depth" has to be an int, and 1.0 is a float: write 1 [bad-config-flag]
  note m.glm:4:5: declared here
error: --set eps=nan: "eps" has to be a float, and nan is no finite number [bad-config-flag]
  note m.glm:5:5: declared here
error: --set bias=yes: "bias" has to be true or false, and it is neither true nor false [bad-config-flag]
  note m.glm:7:5: declared here`},
		{name: "assertion", doc: "{\"width\": 4, \"depth\": 1, \"eps\": 1, \"bias\": true, \"free\": 1,\n  \"act\": \"gelu\"}", want: `
m.glm:12:10: error: only SiLU [assertion-failed]
  note config.json:2:3: act is "gelu" (from config.json)`},
		{name: "assertion on a flag", doc: complete, sets: map[string]string{"act": "relu"}, want: `
m.glm:12:10: error: only SiLU [assertion-failed]
  note m.glm:6:5: act is "relu" (--set act=relu)`},
		{name: "evaluation", doc: complete, sets: map[string]string{"width": "7"}, want: `
m.glm:10:14: error: 7 / 2 is not a whole number [cannot-evaluate]
  note m.glm:3:5: width is 7 (--set width=7)
  help: write float(...) / ... for the fraction, int(float(...) / ...) to cut it off`},
		{name: "default of another type", model: "model m {\n  config { a int = 1.5 }\n}", want: `
m.glm:2:20: error: the default of "a" is not of its type, int [wrong-config-type]`},
		{name: "assertion that is a number", model: "model m {\n  assert 1 + 1, \"x\"\n}", want: `
m.glm:2:10: error: an assertion is true or false, but this is 2 [cannot-evaluate]`},
		{name: "name without a value", model: "model m {\n  let a = b + 1\n  let c = a\n}", want: `
m.glm:2:11: error: b has no value at compile time [cannot-evaluate]`},
		{name: "architecture", model: classes, doc: "{\n  \"architectures\": [\"C\", \"D\"]}", want: `
config.json:2:3: warning: the checkpoint is for C, D, and model m describes A, B [architecture-mismatch]
  note m.glm:1:13: it says so here
  note m.glm:1:20: it says so here`},
		{name: "one architecture of several", model: classes, doc: `{"architectures": ["C", "B"]}`},
		{name: "no architectures", model: classes, doc: `{"architectures": []}`},
		{name: "architectures of no type", model: classes, doc: `{"architectures": "C"}`},
		{name: "a model that says nothing", model: "model m {}", doc: `{"architectures": ["C"]}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.model == "" {
				tt.model = declarations
			}
			var doc *Document
			if tt.doc != "" {
				var err error
				if doc, err = Parse("config.json", []byte(tt.doc)); err != nil {
					t.Fatal(err)
				}
			}
			_, diags := Bind(parseModel(t, "m.glm", tt.model), doc, tt.sets)
			seen.Note(diags)
			if diff := cmp.Diff(strings.TrimPrefix(tt.want, "\n"), listing(diags)); diff != "" {
				t.Errorf("diagnostics (-want +got):\n%s", diff)
			}
		})
	}
	t.Run("dtype", func(t *testing.T) {
		for _, tt := range []struct{ doc, dtype, want string }{
			{`{"dtype": "float32"}`, "f32", ""},
			{`{"torch_dtype": "torch.float16"}`, "f16", ""},
			{`{"dtype": null}`, "invalid", ""},
			{`{}`, "invalid", ""},
			{`{"dtype": "flot16", "torch_dtype": "bfloat16"}`, "bf16", `
config.json:1:2: warning: dtype is "flot16", which is no dtype that weights can have: one of float32, bfloat16, float16 [unknown-config-dtype]
  help: did you mean "float16"?`},
			{`{"torch_dtype": "int32"}`, "invalid", `
config.json:1:2: warning: torch_dtype is "int32", which is no dtype that weights can have: one of float32, bfloat16, float16 [unknown-config-dtype]`},
			{`{"dtype": 16}`, "invalid", `
config.json:1:2: warning: dtype is 16, which is no dtype that weights can have: one of float32, bfloat16, float16 [unknown-config-dtype]`},
		} {
			doc, err := Parse("config.json", []byte(tt.doc))
			if err != nil {
				t.Fatal(err)
			}
			diags := doc.CheckDType()
			seen.Note(diags)
			if diff := cmp.Diff(strings.TrimPrefix(tt.want, "\n"), listing(diags)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.doc, diff)
			}
			if d := doc.WeightDType(); d.String() != tt.dtype {
				t.Errorf("%s: dtype %s, want %s", tt.doc, d, tt.dtype)
			}
		}
	})
	t.Run("every ID", func(t *testing.T) { diagtest.Covered(t, seen, "../../docs/language.md") })
}

func listing(diags *diag.List) string {
	var lines []string
	for _, d := range diags.All() {
		lines = append(lines, d.String())
		for _, n := range d.Notes {
			lines = append(lines, "  note "+n.Span.String()+": "+n.Message)
		}
		if d.Suggestion != "" {
			lines = append(lines, "  help: "+d.Suggestion)
		}
	}
	return strings.Join(lines, "\n")
}
