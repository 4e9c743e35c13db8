package synth

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/runtime/compressed"
)

// Preset is a model that exists for its dimensions.
type Preset struct {
	Name string
	Doc  string // what it is for, in one line
}

// Presets are the models that there are, in the order of their sizes. Their configurations lie in the folder presets.
var Presets = []Preset{
	{"tiny", "a dense and an MoE layer and an MTP layer, all small: for tests"},
	{"bench-0.7b", "12 layers, hidden size 1024, 32 experts of which 4 run: 0.7 B parameters, 0.2 B for a token"},
	{"air-layers", "4 layers as wide as GLM-4.5-Air's, with 32 experts of which 8 run: 2.6 B parameters, 1.2 B for a token"},
	{"glm-4.7-layer", "one MoE layer of GLM-4.7 with its 160 experts, and a vocabulary of 4096: 4 B parameters"},
}

//go:embed presets/*.json
var presets embed.FS

// ignored are the Linears that Z.ai's own fp8 checkpoints leave in bf16.
var ignored = []string{"lm_head", `re:.*mlp\.gate$`, `re:.*\.eh_proj$`, `re:.*\.shared_head\.head$`}

// Config is the config.json of a preset whose weights are stored as d: bf16, fp8 e4m3, int8 or int4. In fp8 the inputs of
// Linears are quantised as well. In int4 experts stay in bf16 where their width is no multiple of the group. It is the same
// every time.
func Config(preset string, d dtype.DType) ([]byte, error) {
	fields, err := fieldsOf(preset)
	if err != nil {
		return nil, err
	}
	switch {
	case d.Scaled():
		ignore := ignored
		if width, _ := fields["moe_intermediate_size"].(json.Number).Int64(); d == dtype.I4 && width%dtype.Group != 0 {
			ignore = append(slices.Clone(ignore), `re:.*experts\..*`)
		}
		if fields["quantization_config"], err = compressed.Config(d, d == dtype.F8E4M3, ignore); err != nil {
			return nil, err
		}
	case d != dtype.BF16:
		return nil, fmt.Errorf("checkpoints are made in %s, %s, %s and %s, not in %s", dtype.BF16, dtype.F8E4M3, dtype.I8, dtype.I4, d)
	}
	fields["torch_dtype"] = "bfloat16" // of what is not quantised
	return indented(fields)
}

// textFiles are the files that make text of a preset's ids, by name: generation_config.json, the tokenizer's and the chat
// template.
func textFiles(preset string) ([]textFile, error) {
	fields, err := fieldsOf(preset)
	if err != nil {
		return nil, err
	}
	size, err := number(fields, "vocab_size")
	if err != nil {
		return nil, err
	}
	positions, err := number(fields, "max_position_embeddings")
	if err != nil {
		return nil, err
	}
	generation, err := indented(map[string]any{"_from_model_config": true, "do_sample": false,
		"eos_token_id": fields["eos_token_id"], "pad_token_id": fields["pad_token_id"]})
	if err != nil {
		return nil, err
	}
	tokens, err := tokenizerFile(size)
	if err != nil {
		return nil, fmt.Errorf("preset %s: %w", preset, err)
	}
	config, err := tokenizerConfig(size, positions)
	if err != nil {
		return nil, err
	}
	return []textFile{{"generation_config.json", generation}, {"tokenizer.json", tokens}, {"tokenizer_config.json", config},
		{"chat_template.jinja", chatTemplate}}, nil
}

// textFile is a file beside the weights.
type textFile struct {
	name string
	data []byte
}

func fieldsOf(preset string) (map[string]any, error) {
	data, err := presets.ReadFile("presets/" + preset + ".json")
	if err != nil {
		return nil, fmt.Errorf("there is no preset %q", preset)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber() // 1e-05 stays what it is
	var fields map[string]any
	if err := dec.Decode(&fields); err != nil {
		panic("synth: presets/" + preset + ".json: " + err.Error()) // the file is part of the binary
	}
	size, err := number(fields, "vocab_size")
	if err != nil {
		return nil, err
	}
	fields["eos_token_id"], fields["pad_token_id"] = endIDs(size), markupID(size, ends[0])
	return fields, nil
}

func number(fields map[string]any, name string) (int, error) {
	v, ok := fields[name].(json.Number)
	if !ok {
		return 0, fmt.Errorf("the preset has no number %s", name)
	}
	return strconv.Atoi(v.String())
}

// indented writes JSON as transformers does: sorted keys, two spaces.
func indented(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(v)
	return b.Bytes(), err
}
