package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/glmc/glmc/bench/peers/gguf"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/runtime/safetensors"
)

// config is what the conversion needs of a checkpoint's config.json, in Hugging Face's words.
type config struct {
	ModelType    string  `json:"model_type"`
	Hidden       int     `json:"hidden_size"`
	Layers       int     `json:"num_hidden_layers"`
	Intermediate int     `json:"intermediate_size"`
	Heads        int     `json:"num_attention_heads"`
	KVHeads      int     `json:"num_key_value_heads"`
	HeadDim      int     `json:"head_dim"`
	Rotary       float64 `json:"partial_rotary_factor"`
	Theta        float64 `json:"rope_theta"`
	Eps          float64 `json:"rms_norm_eps"`
	Positions    int     `json:"max_position_embeddings"`
	Vocab        int     `json:"vocab_size"`
	Dense        int     `json:"first_k_dense_replace"`
	Experts      int     `json:"n_routed_experts"`
	Shared       int     `json:"n_shared_experts"`
	TopK         int     `json:"num_experts_per_tok"`
	MoEWidth     int     `json:"moe_intermediate_size"`
	Scaling      float64 `json:"routed_scaling_factor"`
	Norm         bool    `json:"norm_topk_prob"`
	QKNorm       bool    `json:"use_qk_norm"`
	Bias         bool    `json:"attention_bias"`
	NextN        int     `json:"num_nextn_predict_layers"`
}

// convert writes a GLM4-MoE checkpoint as a GGUF file whose matrices are in q8_0: the same weights, so that both sides route
// the same tokens to the same experts. There is no vocabulary, only its size, which is all that benchmarks ask for.
func convert(dir, path string) error {
	data, err := os.ReadFile(filepath.Join(dir, "config.json"))
	if err != nil {
		return err
	}
	var c config
	if err := json.Unmarshal(data, &c); err != nil {
		return fmt.Errorf("%s: %w", filepath.Join(dir, "config.json"), err)
	}
	if c.ModelType != "glm4_moe" || c.NextN != 0 {
		return fmt.Errorf("%s: a model of type %q with %d MTP layers, not a glm4_moe without", dir, c.ModelType, c.NextN)
	}
	ckpt, err := safetensors.Open(dir)
	if err != nil {
		return err
	}
	defer ckpt.Close()
	s := source{ckpt: ckpt}
	tensors := s.tensors(&c)
	if s.err != nil {
		return s.err
	}
	return gguf.Write(path, c.metadata(), tensors)
}

// metadata has the keys that llama.cpp reads for the architecture glm4moe.
func (c *config) metadata() []gguf.Pair {
	const sigmoid = 2 // LLAMA_EXPERT_GATING_FUNC_TYPE_SIGMOID
	const arch = "glm4moe"
	pairs := []gguf.Pair{
		{Key: "general.architecture", Value: arch},
		{Key: "general.name", Value: "random weights"},
		{Key: "general.file_type", Value: uint32(7)}, // mostly q8_0
		{Key: "tokenizer.ggml.model", Value: "no_vocab"},
	}
	for _, p := range []gguf.Pair{
		{Key: "vocab_size", Value: c.Vocab}, {Key: "context_length", Value: c.Positions}, {Key: "embedding_length", Value: c.Hidden},
		{Key: "block_count", Value: c.Layers}, {Key: "feed_forward_length", Value: c.Intermediate},
		{Key: "attention.head_count", Value: c.Heads}, {Key: "attention.head_count_kv", Value: c.KVHeads},
		{Key: "attention.key_length", Value: c.HeadDim}, {Key: "attention.value_length", Value: c.HeadDim},
		{Key: "attention.layer_norm_rms_epsilon", Value: float32(c.Eps)},
		{Key: "rope.dimension_count", Value: int(float64(c.HeadDim) * c.Rotary)}, {Key: "rope.freq_base", Value: float32(c.Theta)},
		{Key: "leading_dense_block_count", Value: c.Dense}, {Key: "expert_count", Value: c.Experts},
		{Key: "expert_used_count", Value: c.TopK}, {Key: "expert_shared_count", Value: c.Shared},
		{Key: "expert_feed_forward_length", Value: c.MoEWidth}, {Key: "expert_weights_scale", Value: float32(c.Scaling)},
		{Key: "expert_weights_norm", Value: c.Norm}, {Key: "expert_gating_func", Value: sigmoid},
	} {
		if n, ok := p.Value.(int); ok {
			p.Value = uint32(n)
		}
		pairs = append(pairs, gguf.Pair{Key: arch + "." + p.Key, Value: p.Value})
	}
	return pairs
}

// source takes tensors out of a checkpoint. The first error stays.
type source struct {
	ckpt *safetensors.Checkpoint
	err  error
}

// tensors are all of the model's, by llama.cpp's names.
func (s *source) tensors(c *config) []gguf.Tensor {
	list := []gguf.Tensor{
		s.tensor("token_embd.weight", "model.embed_tokens.weight"),
		s.tensor("output_norm.weight", "model.norm.weight"),
		s.tensor("output.weight", "lm_head.weight"),
	}
	for layer := range c.Layers {
		add := func(to, from string) {
			list = append(list, s.tensor(fmt.Sprintf("blk.%d.%s", layer, to), fmt.Sprintf("model.layers.%d.%s", layer, from)))
		}
		add("attn_norm.weight", "input_layernorm.weight")
		add("post_attention_norm.weight", "post_attention_layernorm.weight")
		for _, p := range []string{"q", "k", "v"} {
			add("attn_"+p+".weight", "self_attn."+p+"_proj.weight")
			if c.Bias {
				add("attn_"+p+".bias", "self_attn."+p+"_proj.bias")
			}
			if c.QKNorm && p != "v" {
				add("attn_"+p+"_norm.weight", "self_attn."+p+"_norm.weight")
			}
		}
		add("attn_output.weight", "self_attn.o_proj.weight")
		if layer < c.Dense {
			for _, p := range []string{"gate", "up", "down"} {
				add("ffn_"+p+".weight", "mlp."+p+"_proj.weight")
			}
			continue
		}
		add("ffn_gate_inp.weight", "mlp.gate.weight")
		add("exp_probs_b.bias", "mlp.gate.e_score_correction_bias")
		for _, p := range []string{"gate", "up", "down"} {
			list = append(list, s.stacked(fmt.Sprintf("blk.%d.ffn_%s_exps.weight", layer, p),
				fmt.Sprintf("model.layers.%d.mlp.experts.%%d.%s_proj.weight", layer, p), c.Experts))
			if c.Shared > 0 {
				add("ffn_"+p+"_shexp.weight", "mlp.shared_experts."+p+"_proj.weight")
			}
		}
	}
	return list
}

// tensor is one of the checkpoint's.
func (s *source) tensor(to, from string) gguf.Tensor {
	shape := s.shape(from)
	kind := gguf.Q80
	// Vectors and the router's matrix are what llama.cpp never quantises.
	if len(shape) < 2 || strings.HasSuffix(to, "ffn_gate_inp.weight") {
		kind = gguf.F32
	}
	return gguf.Tensor{Name: to, Shape: shape, Type: kind, Data: func(w io.Writer) error { return s.write(w, kind, from) }}
}

// stacked are the matrices of a layer's experts, one behind the other.
func (s *source) stacked(to, pattern string, count int) gguf.Tensor {
	shape := append([]int{count}, s.shape(fmt.Sprintf(pattern, 0))...)
	return gguf.Tensor{Name: to, Shape: shape, Type: gguf.Q80, Data: func(w io.Writer) error {
		for e := range count {
			if err := s.write(w, gguf.Q80, fmt.Sprintf(pattern, e)); err != nil {
				return err
			}
		}
		return nil
	}}
}

func (s *source) shape(name string) []int {
	t, err := s.ckpt.Tensor(name)
	if err != nil && s.err == nil {
		s.err = err
	}
	return t.Shape
}

// write writes a tensor's values, with the scales of its rows where it is stored in fp8.
func (s *source) write(w io.Writer, kind gguf.Type, name string) error {
	t, err := s.ckpt.Tensor(name)
	if err != nil {
		return err
	}
	values := make([]float32, t.Elems())
	if err := t.ToF32(values); err != nil {
		return err
	}
	if t.DType == dtype.F8E4M3 {
		if err := s.scale(values, name+"_scale"); err != nil {
			return err
		}
	}
	var b []byte
	if kind == gguf.Q80 {
		b = gguf.AppendQ80(make([]byte, 0, len(values)*34/32), values)
	} else {
		b = appendF32(make([]byte, 0, 4*len(values)), values)
	}
	_, err = w.Write(b)
	return err
}

// scale multiplies every row by its scale.
func (s *source) scale(values []float32, name string) error {
	t, err := s.ckpt.Tensor(name)
	if err != nil {
		return err
	}
	scales := make([]float32, t.Elems())
	if err := t.ToF32(scales); err != nil {
		return err
	}
	if len(scales) == 0 || len(values)%len(scales) != 0 {
		return fmt.Errorf("%s has %d scales for %d values", name, len(scales), len(values))
	}
	width := len(values) / len(scales)
	for i, scale := range scales {
		for k := range width {
			values[i*width+k] *= scale
		}
	}
	return nil
}

func appendF32(b []byte, values []float32) []byte {
	for _, v := range values {
		bits := math.Float32bits(v)
		b = append(b, byte(bits), byte(bits>>8), byte(bits>>16), byte(bits>>24))
	}
	return b
}
