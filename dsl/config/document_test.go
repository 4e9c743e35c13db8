package config

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/kernels/dtype"
)

func TestParseErrors(t *testing.T) {
	tests := []struct{ name, src, want string }{
		{"empty", "", "c:1:1: this is no JSON: unexpected end of the file"},
		{"no object", "[1]", "c:1:1: expected a JSON object"},
		{"number", "1", "c:1:1: expected a JSON object"},
		{"cut off", "{\"a\":\n", "c:2:1: this is no JSON: unexpected end of the file"},
		{"cut off in a list", `{"a": [1, 2`, "c:1:12: this is no JSON: unexpected end of the file"},
		{"cut off in a string", `{"a": "x`, "this is no JSON"},
		{"trailing comma", `{"a": 1,}`, "this is no JSON"},
		{"no comma", `{"a": 1 "b": 2}`, "this is no JSON"},
		{"no quotes", `{a: 1}`, "this is no JSON"},
		{"leading zero", `{"a": 01}`, "this is no JSON"},
		{"not a number", `{"a": NaN}`, "this is no JSON"},
		{"something behind", "{}\n{}", "c:2:1: there is something behind the JSON object"},
		{"duplicate", "{\"a\": 1,\n \"b\": {\"a\": 2,  \"a\": 3}}", `c:2:17: the key "a" is there twice; first at c:2:8`},
		{"deep", strings.Repeat(`{"a":`, 1e5), "c:1:326: nested deeper than 64 levels"},
		{"deep list", `{"a":` + strings.Repeat(`[`, 1e5), "nested deeper than 64 levels"},
		{"not UTF-8", "{\"a\": \"\xff\"}", "c: the file is not UTF-8 text"},
		{"too large", strings.Repeat(" ", MaxDocumentSize+1), "c: the file has 4194305 bytes; the limit is 4194304"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse("c", []byte(tt.src))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestLookup(t *testing.T) {
	doc, err := Parse("c", []byte("{\"a\": {\"b\":\n  {\"c\": 12345678901234567890.5}}, \"n\": null, \"l\": [1, \"x\", true, {}]}"))
	if err != nil {
		t.Fatal(err)
	}
	item, ok := doc.Lookup("a.b.c")
	if !ok || item.Key.String() != "c:2:4" || item.Key.End.Column != 7 {
		t.Errorf("a.b.c: %v at %v", ok, item.Key)
	}
	if got := item.Value(); got != json.Number("12345678901234567890.5") {
		t.Errorf("the number is kept as %v", got)
	}
	if item, ok := doc.Lookup("n"); !ok || !item.Null() {
		t.Error("n is not null")
	}
	for _, path := range []string{"b", "a.x", "n.x", "l.0", "", "a.", "."} {
		if _, ok := doc.Lookup(path); ok {
			t.Errorf("%q is found", path)
		}
	}
	list, _ := doc.Lookup("l")
	if diff := cmp.Diff([]any{json.Number("1"), "x", true, map[string]any{}}, list.Value()); diff != "" {
		t.Errorf("list (-want +got):\n%s", diff)
	}
}

// TestPlaces checks the place of every key of a real file.
func TestPlaces(t *testing.T) {
	file := "../../testdata/golden/c6-fp8/config.json"
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	doc := readDocument(t, file)
	var visit func(n *node)
	visit = func(n *node) {
		for key, f := range n.fields {
			if got := string(data[f.key.Start.Offset:f.key.End.Offset]); got != `"`+key+`"` {
				t.Errorf("the key %q is said to be at %s, where %s is", key, f.key, got)
			}
			if line := strings.Count(string(data[:f.key.Start.Offset]), "\n") + 1; f.key.Start.Line != line {
				t.Errorf("the key %q is said to be in line %d, not %d", key, f.key.Start.Line, line)
			}
			visit(f.value)
		}
		for _, e := range n.elems {
			visit(e)
		}
	}
	visit(doc.root)
}

func TestQuantization(t *testing.T) {
	q, err := readDocument(t, "../../testdata/golden/c6-fp8/config.json").Quantization()
	if err != nil {
		t.Fatal(err)
	}
	if q.Weights != dtype.F8E4M3 || !q.Dynamic {
		t.Errorf("%s, dynamic %v", q.Weights, q.Dynamic)
	}
	for module, want := range map[string]bool{
		"lm_head": true, "model.layers.1.mlp.gate": true, "model.layers.3.eh_proj": true,
		"model.layers.1.mlp.experts.0.gate_proj": false, "model.layers.0.self_attn.q_proj": false,
	} {
		if got := q.Ignores(module); got != want {
			t.Errorf("ignores %s: %v", module, got)
		}
	}
	if q, err := readDocument(t, "../../models/tiny/config.json").Quantization(); q != nil || err != nil {
		t.Errorf("of a model that is not quantised: %v, %v", q, err)
	}
}

const quantized = `{"quantization_config": {"quant_method": "compressed-tensors", "format": "float-quantized",
  "ignore": ["lm_head", "re:.*gate$"], "kv_cache_scheme": null, "sparsity_config": {},
  "config_groups": {"group_0": {"targets": ["re:model[.]layers.*"], "format": null, "input_activations": null,
    "weights": {"num_bits": 8, "type": "float", "strategy": "channel", "dynamic": false, "symmetric": true}}}}}`

func TestQuantizationPatterns(t *testing.T) {
	doc, err := Parse("c", []byte(quantized))
	if err != nil {
		t.Fatal(err)
	}
	q, err := doc.Quantization()
	if err != nil {
		t.Fatal(err)
	}
	if q.Dynamic {
		t.Error("activations that are null are taken for dynamic")
	}
	for module, want := range map[string]bool{
		"lm_head": true, "model.layers.1.mlp.gate": true, "model.layers.1.mlp.gate_proj": false,
		"model.embed_tokens": true, "draft.model.layers.1.mlp.up_proj": true,
	} {
		if got := q.Ignores(module); got != want {
			t.Errorf("ignores %s: %v", module, got)
		}
	}
}

func TestQuantizationErrors(t *testing.T) {
	tests := []struct{ old, new, want string }{
		{`"compressed-tensors"`, `"fp8"`, `quantization_config.quant_method is "fp8"`},
		{`"compressed-tensors"`, `"fp8", "weight_block_size": [128, 128]`, `quantization_config.weight_block_size says that weights have one scale for each block`},
		{`"compressed-tensors"`, `"fp8", "weight_block_size": null`, `quantization_config.quant_method is "fp8"`},
		{`"float-quantized"`, `"naive-quantized"`, `quantization_config.format is "naive-quantized"`},
		{`"float-quantized"`, `"int-quantized"`, `weights.type is "float"`},
		{`"float-quantized"`, `"pack-quantized"`, `weights.num_bits is 8`},
		{`"quant_method": "compressed-tensors", `, ``, `quantization_config has no quant_method`},
		{`"format": null`, `"format": "pack-quantized"`, `group_0.format is "pack-quantized"`},
		{`"num_bits": 8`, `"num_bits": 4`, `weights.num_bits is 4`},
		{`"num_bits": 8, `, ``, `weights has no num_bits`},
		{`"type": "float"`, `"type": "int"`, `weights.type is "int"`},
		{`"channel"`, `"block"`, `weights.strategy is "block"`},
		{`"channel"`, `"channel", "block_structure": [128, 128]`, `weights.block_structure is a list`},
		{`"dynamic": false`, `"dynamic": true`, `weights.dynamic is true`},
		{`"symmetric": true`, `"symmetric": false`, `weights.symmetric is false`},
		{`"input_activations": null`, `"input_activations": {}`, `input_activations has no num_bits`},
		{`"input_activations": null`, `"input_activations": 1`, `has no input_activations`},
		{`"input_activations": null`, `"output_activations": {}`, `output_activations is an object`},
		{`"kv_cache_scheme": null`, `"kv_cache_scheme": {"num_bits": 8}`, `kv_cache_scheme is an object`},
		{`"sparsity_config": {}`, `"sparsity_config": {"format": "dense"}`, `sparsity_config is an object`},
		{`["re:model[.]layers.*"]`, `["Conv2d"]`, `the target "Conv2d"`},
		{`"re:.*gate$"`, `"re:(?=x)"`, `the pattern "(?=x)" of quantization_config.ignore cannot be compiled`},
		{`"re:.*gate$"`, `"re:` + strings.Repeat("a", 1001) + `"`, `a pattern of more than 1000 bytes`},
		{`"re:.*gate$"`, `3`, `ignore has 3 in it`},
		{`["lm_head", "re:.*gate$"]`, `"lm_head"`, `ignore is "lm_head", not a list`},
		{`"config_groups": {`, `"config_groups": {}, "x": {`, `has no config_groups`},
		{`{"quantization_config": {`, `{"quantization_config": 8, "x": {`, `quantization_config has no quant_method`},
	}
	for _, tt := range tests {
		src := strings.Replace(quantized, tt.old, tt.new, 1)
		if src == quantized {
			t.Fatalf("%s is not in the example", tt.old)
		}
		doc, err := Parse("c", []byte(src))
		if err != nil {
			t.Fatalf("%s: %v", tt.new, err)
		}
		_, err = doc.Quantization()
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "supported is") {
			t.Errorf("%s: %v, want %s", tt.new, err, tt.want)
		} else if !strings.HasPrefix(err.Error(), "c:") {
			t.Errorf("%s: the error has no place: %v", tt.new, err)
		}
	}
}

// integer is quantized in another format: what stands for the weights, and what for their inputs.
func integer(format, weights, inputs string) string {
	return `{"quantization_config": {"quant_method": "compressed-tensors", "format": "` + format + `", "config_groups": {"group_0": {
		"targets": ["Linear"], "weights": {` + weights + `}, "input_activations": ` + inputs + `}}}}`
}

func TestIntegerQuantization(t *testing.T) {
	const (
		int8   = `"num_bits": 8, "type": "int", "strategy": "channel", "group_size": null, "dynamic": false, "symmetric": true`
		int4   = `"num_bits": 4, "type": "int", "strategy": "group", "group_size": 64, "dynamic": false, "symmetric": true`
		tokens = `{"num_bits": 8, "type": "int", "strategy": "token", "dynamic": true, "symmetric": true}`
	)
	tests := []struct {
		name, src, wrong string
		want             dtype.DType
	}{
		{"int8", integer("int-quantized", int8, "null"), "", dtype.I8},
		{"int8 with inputs", integer("int-quantized", int8, tokens), "", dtype.I8},
		{"int4", integer("pack-quantized", int4, "null"), "", dtype.I4},
		{"int4 in the columns' order", integer("pack-quantized", int4+`, "actorder": "static"`, "null"), "", dtype.I4},
		{"int4 with inputs", integer("pack-quantized", int4, tokens), "input_activations is an object", 0},
		{"int4 in groups of 128", integer("pack-quantized", strings.Replace(int4, "64", "128", 1), "null"), "weights.group_size is 128", 0},
		{"int4 without groups", integer("pack-quantized", strings.Replace(int4, `"group_size": 64, `, "", 1), "null"), "weights has no group_size", 0},
		{"int4 in another order", integer("pack-quantized", int4+`, "actorder": "group"`, "null"), `weights.actorder is "group"`, 0},
		{"int4 that is not packed", integer("int-quantized", int4, "null"), "weights.num_bits is 4", 0},
		{"int8 in groups", integer("int-quantized", strings.Replace(int8, "null", "64", 1), "null"), "weights.group_size is 64", 0},
		{"int8 with a zero point", integer("int-quantized", strings.Replace(int8, `"symmetric": true`, `"symmetric": false`, 1), "null"), "weights.symmetric is false", 0},
		{"int8 with inputs of a fixed scale", integer("int-quantized", int8, strings.Replace(tokens, "true", "false", 1)), "input_activations.dynamic is false", 0},
		{"int8 with inputs in fp8", integer("int-quantized", int8, strings.Replace(tokens, `"int"`, `"float"`, 1)), `input_activations.type is "float"`, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			doc, err := Parse("c", []byte(tt.src))
			if err != nil {
				t.Fatal(err)
			}
			q, err := doc.Quantization()
			switch {
			case tt.wrong == "" && err != nil:
				t.Fatal(err)
			case tt.wrong == "" && (q.Weights != tt.want || q.Dynamic || q.Ignores("model.layers.0.mlp.up_proj")):
				t.Errorf("got %s, dynamic %v", q.Weights, q.Dynamic)
			case tt.wrong != "" && (err == nil || !strings.Contains(err.Error(), tt.wrong)):
				t.Errorf("got %v, want %s", err, tt.wrong)
			}
		})
	}
}

func TestWeightDType(t *testing.T) {
	for src, want := range map[string]string{
		`{}`: "invalid", `{"dtype": null}`: "invalid", `{"torch_dtype": "complex64"}`: "invalid",
		`{"torch_dtype": "torch.bfloat16"}`: "bf16", `{"dtype": "float16", "torch_dtype": "float32"}`: "f16",
	} {
		doc, err := Parse("c", []byte(src))
		if err != nil {
			t.Fatal(err)
		}
		if got := doc.WeightDType().String(); got != want {
			t.Errorf("%s: %s, want %s", src, got, want)
		}
	}
}

func FuzzConfig(f *testing.F) {
	files, err := filepath.Glob("../../testdata/golden/*/config.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range append(files, "../../models/tiny/config.json") {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(quantized))
	f.Add([]byte(integer("pack-quantized", `"num_bits": 4`, "null")))
	f.Add([]byte(`{"hidden_size": 1e3, "rope_parameters": {"rope_theta": "x"}, "dtype": []}`))
	model, err := os.ReadFile("../../models/glm4moe/model.glm")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		doc, err := Parse("config.json", data)
		if err != nil {
			return
		}
		if !json.Valid(data) {
			t.Fatalf("%q is no JSON, and was taken", data)
		}
		values, diags := Bind(parseModel(t, "model.glm", string(model)), doc, nil)
		if _, ok := values.Get("hidden_size"); !ok && !diags.HasErrors() {
			t.Fatal("a key without a value is no error")
		}
		doc.WeightDType()
		doc.Architectures()
		if q, err := doc.Quantization(); err == nil && q != nil {
			q.Ignores("model.layers.0.mlp.gate")
		}
	})
}
