package passes

import (
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/glmc/glmc/compiler/lower/lowertest"
	"github.com/glmc/glmc/kernels/dtype"
)

// family draws small members of a family of models.
type family struct {
	model string
	draw  func(d *draws)
}

var otherFamilies = []family{
	{"models/deepseekv3/model.glm", drawLatent},
	{"models/glm4moelite/model.glm", drawLatent},
	{"models/qwen3moe/model.glm", drawQwen3MoE},
	{"models/qwen3/model.glm", drawDense},
	{"models/llama3/model.glm", drawDense},
}

// draws collects drawn configuration keys.
type draws struct {
	t   *rapid.T
	set map[string]string
}

func (d *draws) pick(key string, from ...int) int {
	n := rapid.SampledFrom(from).Draw(d.t, key)
	d.set[key] = strconv.Itoa(n)
	return n
}

func (d *draws) flag(key string) { d.set[key] = strconv.FormatBool(rapid.Bool().Draw(d.t, key)) }

// drawFamily draws a configuration of a family.
func drawFamily(t *rapid.T, f family) map[string]string {
	d := &draws{t, map[string]string{"max_position_embeddings": "64", "rope_theta": "10000.0"}}
	d.pick("vocab_size", 10, 12, 16)
	d.pick("hidden_size", 8, 12, 16)
	d.pick("intermediate_size", 6, 8, 12)
	d.pick("num_hidden_layers", 1, 2, 3)
	d.flag("attention_bias")
	d.flag("tie_word_embeddings")
	f.draw(d)
	return d.set
}

// drawLatent draws heads of keys and values of different sizes, which may not divide by the ranks.
func drawLatent(d *draws) {
	d.pick("moe_intermediate_size", 4, 6, 8)
	d.pick("first_k_dense_replace", 0, 1, 3)
	d.pick("num_attention_heads", 1, 2, 3, 4, 6, 8)
	d.pick("q_lora_rank", 0, 4, 8)
	d.pick("kv_lora_rank", 4, 6, 8)
	d.pick("qk_nope_head_dim", 2, 4, 6)
	d.pick("qk_rope_head_dim", 2, 4)
	d.pick("v_head_dim", 2, 4, 6, 8)
	d.flag("rope_interleave")
	groups := d.pick("n_group", 1, 1, 2, 3)
	keep := rapid.IntRange(1, groups).Draw(d.t, "topk_group")
	d.set["topk_group"] = strconv.Itoa(keep)
	size := rapid.IntRange(2, 4).Draw(d.t, "experts of a group")
	d.set["n_routed_experts"] = strconv.Itoa(groups * size)
	d.set["num_experts_per_tok"] = strconv.Itoa(rapid.IntRange(1, keep*size).Draw(d.t, "num_experts_per_tok"))
	d.pick("n_shared_experts", 0, 1, 1, 2)
	d.pick("num_nextn_predict_layers", 0, 1)
	d.flag("norm_topk_prob")
}

func drawQwen3MoE(d *draws) {
	drawHeads(d)
	d.pick("moe_intermediate_size", 4, 6, 8)
	experts := d.pick("num_experts", 2, 4, 6)
	d.set["num_experts_per_tok"] = strconv.Itoa(rapid.IntRange(1, experts).Draw(d.t, "num_experts_per_tok"))
	d.pick("decoder_sparse_step", 1, 1, 2)
	d.set["mlp_only_layers"] = rapid.SampledFrom([]string{"0", "1", "0,2"}).Draw(d.t, "mlp_only_layers")
	d.flag("norm_topk_prob")
}

func drawDense(d *draws) { drawHeads(d) }

func drawHeads(d *draws) {
	kv := d.pick("num_key_value_heads", 1, 2, 3, 4)
	d.set["num_attention_heads"] = strconv.Itoa(kv * rapid.IntRange(1, 3).Draw(d.t, "heads of a group"))
	d.pick("head_dim", 4, 8)
	d.set["rope_type"] = rapid.SampledFrom([]string{"default", "linear"}).Draw(d.t, "rope_type")
	d.set["factor"] = "4.0"
}

// TestRandomFamiliesCompile is TestRandomConfigurationsCompile for the other families.
func TestRandomFamiliesCompile(t *testing.T) {
	for _, f := range otherFamilies {
		t.Run(f.model, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				setup := lowertest.Setup{Model: f.model, Set: drawFamily(rt, f), Stored: dtype.BF16,
					Activation: rapid.SampledFrom([]dtype.DType{dtype.F32, dtype.BF16}).Draw(rt, "activation")}
				o := &Options{
					TensorParallel: rapid.SampledFrom([]int{1, 2, 3, 4, 6, 8}).Draw(rt, "tp"),
					Weights:        rapid.SampledFrom([]dtype.DType{dtype.Invalid, dtype.F8E4M3, dtype.I8, dtype.I4}).Draw(rt, "weights"),
					Disabled:       drawDisabled(rt),
				}
				m := lowertest.Lower(t, setup).Module
				if _, err := Run(m, o); err != nil {
					rt.Fatal(err)
				}
			})
		})
	}
}

// TestPassesKeepTheirNumericClassInOtherFamilies is TestPassesKeepTheirNumericClass for the other families.
func TestPassesKeepTheirNumericClassInOtherFamilies(t *testing.T) {
	for _, f := range otherFamilies {
		t.Run(f.model, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				base := newScenarioOf(t, f.model, drawFamily(rt, f), &Options{})
				if base.margin < 1e-4 {
					rt.Skip("two experts are so close that rounding decides between them")
				}
				o := &Options{TensorParallel: rapid.SampledFrom([]int{1, 2, 3, 4, 6}).Draw(rt, "tp"), Disabled: drawDisabled(rt)}
				if err := base.compare(t, o); err != nil {
					rt.Fatal(err)
				}
			})
		})
	}
}
