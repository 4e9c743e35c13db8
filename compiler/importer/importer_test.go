package importer

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/dsl/config"
	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/dsl/format"
	"github.com/glmc/glmc/dsl/source"
	"github.com/glmc/glmc/models"
)

const root = "../../"

func parse(t *testing.T, text string) *config.Document {
	t.Helper()
	doc, err := config.Parse("config.json", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func read(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func families() []Family {
	var list []Family
	for _, f := range models.Families() {
		list = append(list, Family{f.Path, f.Model, f.Classes})
	}
	return list
}

func imported(t *testing.T, doc *config.Document, targets ...string) (*Result, *diag.List, error) {
	t.Helper()
	f, err := models.ForArchitectures(doc.Architectures())
	if err != nil {
		t.Fatal(err)
	}
	return Import(Input{Family: Family{f.Path, f.Model, f.Classes}, Open: models.Open, Config: doc, Title: "a model", Targets: targets})
}

// configs are the configurations of the repository whose family the binary carries, and those of more patterns.
func configs(t *testing.T, more ...string) []string {
	t.Helper()
	var list []string
	for _, glob := range append([]string{"testdata/configs/*.json", "testdata/golden/*/config.json", "models/tiny/config.json"}, more...) {
		found, err := filepath.Glob(root + glob)
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %v", glob, err)
		}
		for _, file := range found {
			if _, err := models.ForArchitectures(parse(t, read(t, file)).Architectures()); err == nil {
				list = append(list, file)
			}
		}
	}
	return list
}

// TestImport imports every configuration, but those whose quantisation is not supported, which it refuses. The text is
// in the canonical format and has no diagnostics, which takes that every pipeline keeps what it promises.
func TestImport(t *testing.T) {
	for _, file := range configs(t, "testdata/configs/saved/*.json") {
		t.Run(file, func(t *testing.T) {
			doc := parse(t, read(t, file))
			r, list, err := imported(t, doc, "cpu", "h200")
			if _, unsupported := doc.Quantization(); unsupported != nil {
				if err == nil || err.Error() != unsupported.Error() {
					t.Errorf("error %v, want %v", err, unsupported)
				}
				return
			}
			if err != nil || list.Len() > 0 {
				t.Fatal(err, list.All())
			}
			program, list := source.Load("m.glm", r.Text, models.Open)
			list.Append(compiler.Check(program.Root, doc))
			if list.Len() > 0 {
				t.Fatalf("%s\n%v", r.Text, list.All())
			}
			canonical, list := format.Source("m.glm", r.Text)
			if diff := cmp.Diff(string(canonical), string(r.Text)); diff != "" || list.Len() > 0 {
				t.Errorf("the text is not as glmc fmt writes it (-want +got): %v\n%s", list.All(), diff)
			}
		})
	}
}

func TestImportIsDeterministic(t *testing.T) {
	doc := parse(t, read(t, root+"models/tiny/config.json"))
	var texts [2]string
	for i := range texts {
		r, _, err := imported(t, doc, "cpu", "h100", "h200")
		if err != nil {
			t.Fatal(err)
		}
		texts[i] = string(r.Text)
	}
	if diff := cmp.Diff(texts[0], texts[1]); diff != "" {
		t.Error(diff)
	}
}

// TestChosen has what is chosen for published models. Weights of 2 bytes: GLM-4.7 has 358 thousand million, so that 8
// H200 of 141 GB hold it and 4 do not; FP8 takes half of that.
func TestChosen(t *testing.T) {
	tests := []struct {
		config string
		target string
		ranks  int
		fp8    bool
	}{
		{"glm-4.7", "cpu", 1, false},
		{"glm-4.7", "h200", 8, false},
		{"glm-4.7", "h100", 16, false},
		{"glm-4.7-fp8", "h200", 4, true},
		{"glm-4.7-fp8", "cpu", 1, false},
		{"glm-4.5-air", "h200", 2, false},
	}
	for _, tt := range tests {
		r, _, err := imported(t, parse(t, read(t, root+"testdata/configs/"+tt.config+".json")), tt.target)
		if err != nil {
			t.Fatal(err)
		}
		p := r.Pipelines[0]
		if p.TensorParallel != tt.ranks || p.Activations.Valid() != tt.fp8 || !p.Fits || (p.DraftSteps == 0) != (tt.target == "cpu") {
			t.Errorf("%s on %s: %+v, want %d ranks", tt.config, tt.target, p, tt.ranks)
		}
		require := []string{"fold_shared_expert", "fuse_qknorm_rope_kv", "fuse_route", "fuse_swiglu", "merge_qkv", "merge_gate_up", "fuse_add_norm"}
		if diff := cmp.Diff(require, p.Require); diff != "" {
			t.Errorf("%s on %s (-want +got):\n%s", tt.config, tt.target, diff)
		}
	}
}

// TestTooLong: what is too long for any number of ranks gets as many as hold the model.
func TestTooLong(t *testing.T) {
	for _, tt := range []struct {
		positions string
		ranks     int
		comment   string
	}{
		{"4611686018427387904", 8, "; a sequence of full length does not fit beside them.\n"},
		{"-5", 8, "on each of 8 ranks.\n"},
		{"1000", 8, "{ chunk = 1000 }"},
	} {
		text := read(t, root+"testdata/configs/glm-4.7.json")
		text = regexp.MustCompile(`"max_position_embeddings": \d+`).ReplaceAllString(text, `"max_position_embeddings": `+tt.positions)
		r, _, err := imported(t, parse(t, text), "h200")
		if err != nil {
			t.Fatal(err)
		}
		if r.Pipelines[0].TensorParallel != tt.ranks || !strings.Contains(string(r.Text), tt.comment) {
			t.Errorf("%s positions: want %d ranks and %q\n%s", tt.positions, tt.ranks, tt.comment, r.Text)
		}
	}
}

// TestWithoutDraft: no draft without an MTP layer, no required fusion without a site for it.
func TestWithoutDraft(t *testing.T) {
	text := read(t, root+"testdata/configs/glm-4.5-air.json")
	for _, edit := range [][2]string{{`"num_nextn_predict_layers": 1`, `"num_nextn_predict_layers": 0`}, {`"n_shared_experts": 1`, `"n_shared_experts": 0`}} {
		if !strings.Contains(text, edit[0]) {
			t.Fatalf("no %s", edit[0])
		}
		text = strings.Replace(text, edit[0], edit[1], 1)
	}
	r, _, err := imported(t, parse(t, text), "h200")
	if err != nil {
		t.Fatal(err)
	}
	if p := r.Pipelines[0]; p.DraftSteps != 0 || !slices.Equal(p.Require, []string{"fuse_qknorm_rope_kv", "fuse_route", "fuse_swiglu", "merge_qkv", "merge_gate_up", "fuse_add_norm"}) || strings.Contains(string(r.Text), "draft") {
		t.Errorf("%+v\n%s", p, r.Text)
	}
}

func TestRefused(t *testing.T) {
	good := read(t, root+"testdata/configs/glm-4.7.json")
	tests := []struct{ name, old, new, want string }{
		{"assertion", `"hidden_act": "silu"`, `"hidden_act": "gelu"`, "written with SiLU [assertion-failed]"},
		{"missing key", `"vocab_size"`, `"vocabulary"`, `the key "vocab_size" is missing`},
		{"quantisation", `"hidden_act"`, `"quantization_config": {"quant_method": "gptq"}, "hidden_act"`, `quant_method is "gptq"; supported is quant_method "compressed-tensors"`},
		{"no shape", `"num_experts_per_tok": 8`, `"num_experts_per_tok": 800`, "[shape-mismatch]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if !strings.Contains(good, tt.old) {
				t.Fatalf("the configuration has no %s", tt.old)
			}
			_, list, err := imported(t, parse(t, strings.Replace(good, tt.old, tt.new, 1)), "cpu", "h200")
			if errors.Is(err, compiler.ErrDiagnostics) {
				err = list.Err()
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

// TestTitle: what a configuration says of itself cannot leave its comment.
func TestTitle(t *testing.T) {
	doc := parse(t, read(t, root+"models/tiny/config.json"))
	in := Input{Family: families()[0], Open: models.Open, Config: doc, Targets: []string{"cpu"}}
	f, err := models.ForArchitectures(doc.Architectures())
	if err != nil {
		t.Fatal(err)
	}
	in.Family = Family{f.Path, f.Model, f.Classes}
	for _, title := range []string{"", "a\nmodel m {", "\x1b[2J\r\x00", strings.Repeat("é", 1000), "\u2028 \xff"} {
		in.Title = title
		r, _, err := Import(in)
		if err != nil {
			t.Errorf("%q: %v", title, err)
			continue
		}
		line, _, _ := strings.Cut(string(r.Text), "\n")
		if !strings.HasPrefix(line, "// ") || len(line) > maxTitle+10 || strings.ContainsAny(line, "\x1b\r\x00\u2028") {
			t.Errorf("%q became %q", title, line)
		}
	}
}

const mixtral = `{
  "architectures": ["MixtralForCausalLM"], "attention_dropout": 0.0, "hidden_act": "silu", "hidden_size": 4096,
  "intermediate_size": 14336, "max_position_embeddings": 32768, "model_type": "mixtral", "num_attention_heads": 32,
  "num_experts_per_tok": 2, "num_hidden_layers": 32, "num_key_value_heads": 8, "num_local_experts": 8, "rms_norm_eps": 1e-05,
  "rope_theta": 1000000.0, "sliding_window": null, "tie_word_embeddings": false, "torch_dtype": "bfloat16", "vocab_size": 32000
}`

const gemma = `{
  "architectures": ["Gemma9ForCausalLM"], "attention_bias": false, "final_logit_softcapping": 30.0, "head_dim": 256,
  "hidden_act": "gelu_pytorch_tanh", "hidden_size": 3584, "intermediate_size": 14336, "max_position_embeddings": 8192,
  "num_attention_heads": 16, "num_hidden_layers": 42, "num_key_value_heads": 8, "query_pre_attn_scalar": 256,
  "rms_norm_eps": 1e-06, "rope_scaling": {"rope_type": "llama3", "factor": 8.0}, "rope_theta": 10000.0, "vocab_size": 256000
}`

func candidate(t *testing.T, doc, class string) Candidate {
	t.Helper()
	for _, c := range Nearest(parse(t, doc), families()) {
		if slices.Contains(c.Family.Classes, class) {
			return c
		}
	}
	t.Fatalf("no family for %s", class)
	return Candidate{}
}

func TestNearest(t *testing.T) {
	c := candidate(t, mixtral, "Glm4MoeForCausalLM")
	if diff := cmp.Diff([]string{"num_local_experts"}, c.Unread); diff != "" {
		t.Errorf("unread (-want +got):\n%s", diff)
	}
	for _, key := range []string{"n_routed_experts", "moe_intermediate_size", "head_dim"} {
		if !slices.Contains(c.Missing, key) {
			t.Errorf("%s is not among the missing keys %v", key, c.Missing)
		}
	}
	if len(c.Refused) > 0 {
		t.Errorf("refused: %v", c.Refused)
	}
	c = candidate(t, gemma, "Glm4MoeForCausalLM")
	want := []config.Refusal{
		{Message: "the MLP and the experts are written with SiLU", Values: []string{`hidden_act is "gelu_pytorch_tanh" (from config.json)`}},
		{Message: "scaled rotary embeddings are not part of this family", Values: []string{`rope_type is "llama3" (from config.json)`}},
	}
	if diff := cmp.Diff(want, c.Refused); diff != "" {
		t.Errorf("refused (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"final_logit_softcapping", "query_pre_attn_scalar", "rope_scaling.factor"}, c.Unread); diff != "" {
		t.Errorf("unread (-want +got):\n%s", diff)
	}
}

// TestNearestIsItself: the configuration of a known family is nearest to that family.
func TestNearestIsItself(t *testing.T) {
	for _, file := range configs(t) {
		doc := parse(t, read(t, file))
		want, err := models.ForArchitectures(doc.Architectures())
		if err != nil {
			t.Fatal(err)
		}
		list := Nearest(doc, families())
		if list[0].Family.Path != want.Path || len(list) != len(families()) {
			t.Errorf("%s is nearest to %s, want %s", file, list[0].Family.Path, want.Path)
		}
	}
}

// TestNearestOfNothing: an empty configuration lacks everything and is as near to one family as to another.
func TestNearestOfNothing(t *testing.T) {
	for _, c := range Nearest(parse(t, "{}"), families()) {
		if c.Likeness() != 0 || len(c.Read) > 0 || len(c.Unread) > 0 || len(c.Missing) == 0 {
			t.Errorf("%s: %+v", c.Family.Path, c.Difference)
		}
	}
}
