package passes

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/compiler/cost"
	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/lower/lowertest"
	"github.com/glmc/glmc/kernels/dtype"
)

// skipList is what the h200 pipeline of models/glm4moe skips.
func skipList(module string) bool {
	return module == "lm_head" || strings.HasSuffix(module, ".mlp.gate") || strings.HasSuffix(module, ".eh_proj")
}

// h200 is that pipeline.
func h200() *Options {
	return &Options{TensorParallel: 8, Weights: dtype.F8E4M3, Activations: dtype.F8E4M3, KeepWeight: skipList,
		Require: []string{"fold_shared_expert", "fuse_qknorm_rope_kv"}}
}

func glm(t testing.TB, set map[string]string, o *Options) (*ir.Module, map[string]Result) {
	t.Helper()
	m := lowertest.Lower(t, lowertest.Setup{Set: set}).Module
	results, err := Run(m, o)
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]Result{}
	for _, r := range results {
		byName[r.Pass.Name] = r
	}
	return m, byName
}

// TestFusionsFireOnEveryLayer: on each layer of the main model and on the MTP layer, once.
func TestFusionsFireOnEveryLayer(t *testing.T) {
	for _, c := range []struct {
		name          string
		set           map[string]string
		layers, dense int
		experts       string
		fused         string
	}{
		{"GLM-4.5-Air", lowertest.GLM45Air, 46, 1, "1 shared expert(s) of width 1408 became expert 128 of 129",
			"rotary embedding and cache write in one; there is no head-wise norm"},
		{"GLM-4.5", lowertest.GLM45, 92, 3, "1 shared expert(s) of width 1536 became expert 160 of 161",
			"norm, rotary embedding and cache write in one"},
		{"GLM-4.6", lowertest.GLM46, 92, 3, "1 shared expert(s) of width 1536 became expert 160 of 161",
			"norm, rotary embedding and cache write in one"},
		{"GLM-4.7", lowertest.GLM47, 92, 3, "1 shared expert(s) of width 1536 became expert 160 of 161",
			"norm, rotary embedding and cache write in one"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, results := glm(t, c.set, h200())
			checkSites(t, results["fold_shared_expert"], c.dense, c.layers, c.experts)
			checkSites(t, results["fuse_qknorm_rope_kv"], 0, c.layers, c.fused)
			checkSites(t, results["merge_qkv"], 0, c.layers, "3 projections, to 1536, 128 and 128 values a token, in one")
			if r := results["merge_gate_up"]; r.Applied != c.dense || r.Missed != 0 {
				t.Errorf("merge_gate_up: applied %d, missed %d, want the %d dense layers", r.Applied, r.Missed, c.dense)
			}
			checkCollectives(t, m, c.layers)
		})
	}
}

// checkSites wants one applied site for each layer from first on in the entry forward, and one in draft.
func checkSites(t *testing.T, r Result, first, layers int, reason string) {
	t.Helper()
	var want, got []string
	for layer := first; layer < layers; layer++ {
		want = append(want, fmt.Sprintf("true forward %d: %s", layer, reason))
	}
	want = append(want, fmt.Sprintf("true draft %d: %s", layers, reason))
	for _, k := range r.Remarks {
		got = append(got, fmt.Sprintf("%t %s %d: %s", k.Applied, k.Entry, k.Layer, k.Reason))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: %s", r.Pass.Name, diff)
	}
	if r.Applied != layers-first+1 || r.Missed != 0 {
		t.Errorf("%s: applied %d, missed %d", r.Pass.Name, r.Applied, r.Missed)
	}
}

// checkCollectives wants two all-reduces in every layer, whatever its MLP, and one all-gather of the logits.
func checkCollectives(t *testing.T, m *ir.Module, layers int) {
	t.Helper()
	for _, g := range m.Graphs {
		got, want := map[string]int{}, map[string]int{}
		for _, n := range g.Nodes {
			if name, ok := strings.CutPrefix(n.Op.Name, "comm."); ok {
				// A fused sum belongs to its norm's layer, which may be the next: what is reduced tells its own.
				got[fmt.Sprintf("%s in layer %d", strings.TrimSuffix(strings.TrimSuffix(name, "_quant"), "_add_rms"), n.In[0].Def.Origin.Layer)]++
			}
		}
		first, last, head := 0, layers-1, -1
		if g.Name == "draft" {
			first, last, head = layers, layers, layers
		}
		for layer := first; layer <= last; layer++ {
			want[fmt.Sprintf("all_reduce in layer %d", layer)] = 2
		}
		want[fmt.Sprintf("all_gather in layer %d", head)] = 1
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("entry %s: %s", g.Name, diff)
		}
	}
}

// TestLaunchesOfALayer: what one of eight ranks launches for a layer of GLM-4.7, in order.
func TestLaunchesOfALayer(t *testing.T) {
	elementwise := []string{"fuse_route", "fuse_swiglu", "fuse_add_norm", "fuse_quantise"}
	merges := []string{"merge_qkv", "merge_gate_up"}
	reduce := []string{"comm.all_reduce_add_rms_quant"}
	attention := []string{"linear.split_w8a8", "attn.qknorm_rope_kv", "attn.paged", "quant.rows", "linear.w8a8"}
	unmerged := slices.Concat([]string{"linear.w8a8", "linear.w8a8", "linear.w8a8"}, attention[1:])
	experts := []string{"linear.f32", "moe.route", "moe.experts_w8a8"}
	unfused := slices.Concat([]string{"quantise_rows", "remove_identities", "fold_shared_expert", "fuse_qknorm_rope_kv"}, elementwise, merges)
	for _, c := range []struct {
		name     string
		layer    int
		disabled []string
		want     []string
	}{
		{"experts", 50, nil, slices.Concat(reduce, attention, reduce, experts)},
		{"experts, collectives unfused", 50, []string{"fuse_allreduce_add_norm"}, slices.Concat([]string{"norm.add_rms_quant"}, attention,
			[]string{"comm.all_reduce", "norm.add_rms_quant"}, experts, []string{"comm.all_reduce"})},
		{"experts, quantisation unfused", 50, []string{"fuse_quantise"}, slices.Concat([]string{"comm.all_reduce_add_rms", "quant.rows"}, attention,
			[]string{"comm.all_reduce_add_rms", "linear.f32", "moe.route", "quant.rows", "moe.experts_w8a8"})},
		{"experts, rows quantised inside", 50, []string{"quantise_rows"}, []string{"comm.all_reduce_add_rms", "linear.split", "attn.qknorm_rope_kv", "attn.paged",
			"linear", "comm.all_reduce_add_rms", "linear.f32", "moe.route", "moe.experts"}},
		{"experts, element-wise operators unfused", 50, elementwise, slices.Concat([]string{"norm.rms", "quant.rows"}, attention, []string{"comm.all_reduce", "add", "norm.rms", "cast", "linear",
			"act.sigmoid", "moe.top_k", "reduce.sum", "shift", "div", "scale", "moe.append_shared", "quant.rows", "moe.experts_w8a8", "comm.all_reduce", "add"})},
		{"experts, nothing merged", 50, merges, slices.Concat(reduce, unmerged, reduce, experts)},
		{"experts, nothing fused", 50, unfused, []string{"norm.rms", "linear", "linear", "linear", "norm.rms", "norm.rms", "rope.apply", "rope.apply", "kv.write",
			"attn.paged", "linear", "comm.all_reduce", "add", "norm.rms", "cast", "linear", "act.sigmoid", "moe.top_k", "reduce.sum", "shift", "div", "scale",
			"moe.experts", "linear", "act.silu", "linear", "mul", "linear", "add", "comm.all_reduce", "add"}},
		{"dense", 1, nil, slices.Concat(reduce, attention, reduce, []string{"linear.split_w8a8", "act.swiglu_quant", "linear.w8a8"})},
		{"dense, nothing merged", 1, merges, slices.Concat(reduce, unmerged, reduce, []string{"linear.w8a8", "linear.w8a8", "act.swiglu_quant", "linear.w8a8"})},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := h200()
			o.Require, o.Disabled = nil, c.disabled
			m, _ := glm(t, lowertest.GLM47, o)
			var got []string
			for _, n := range m.Graph("forward").Nodes {
				if n.Origin.Layer == c.layer && !n.Op.View {
					got = append(got, n.Op.Name)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			t.Logf("%d launches", len(got))
		})
	}
}

// TestCollectivesWithoutFolding: the routed sum and the shared expert's are added before the one all-reduce.
func TestCollectivesWithoutFolding(t *testing.T) {
	m, _ := glm(t, lowertest.GLM47, &Options{TensorParallel: 8, Disabled: []string{"fold_shared_expert"}})
	checkCollectives(t, m, 92)
}

// TestShapesOfEightRanks: what one of eight ranks holds of GLM-4.7 is 12 query heads and one KV head (1792 rows
// of q, k and v together) and 192 of each expert's 1536 channels.
func TestShapesOfEightRanks(t *testing.T) {
	m, _ := glm(t, lowertest.GLM47, h200())
	shapes := map[string]string{}
	for _, w := range m.Weights {
		shapes[w.Name] = fmt.Sprintf("%s%v = %s", w.DType, w.Shape, w.Recipe)
	}
	const dense, moe, mtp = "model.layers.0.", "model.layers.3.", "model.layers.92."
	for name, want := range map[string]string{
		"model.embed_tokens.weight": `bf16[151552 5120] = tensor("model.embed_tokens.weight" [151552, 5120])`,
		"lm_head.weight @0/8":       `bf16[18944 5120] = shard(tensor("lm_head.weight" [151552, 5120]), 0, 8, 1)`,
		"model.norm.weight":         `bf16[5120] = tensor("model.norm.weight" [5120])`,
		mergedName(dense+"self_attn.", "%s_proj.weight", "q", "k", "v") + " @0/8": `fp8_e4m3[1792 5120] = concat(shard(tensor("model.layers.0.self_attn.q_proj.weight" [12288, 5120]), 0, 8, 1), ` +
			`shard(tensor("model.layers.0.self_attn.k_proj.weight" [1024, 5120]), 0, 8, 1), shard(tensor("model.layers.0.self_attn.v_proj.weight" [1024, 5120]), 0, 8, 1), 0)`,
		mergedName(dense+"self_attn.", "%s_proj.bias", "q", "k", "v") + " @0/8": `bf16[1792] = concat(shard(tensor("model.layers.0.self_attn.q_proj.bias" [12288]), 0, 8, 1), ` +
			`shard(tensor("model.layers.0.self_attn.k_proj.bias" [1024]), 0, 8, 1), shard(tensor("model.layers.0.self_attn.v_proj.bias" [1024]), 0, 8, 1), 0)`,
		dense + "self_attn.q_norm.weight":      `bf16[128] = tensor("model.layers.0.self_attn.q_norm.weight" [128])`,
		dense + "self_attn.o_proj.weight @1/8": `fp8_e4m3[5120 1536] = shard(tensor("model.layers.0.self_attn.o_proj.weight" [5120, 12288]), 1, 8, 1)`,
		mergedName(dense+"mlp.", "%s_proj.weight", "gate", "up") + " @0/8": `fp8_e4m3[3072 5120] = concat(shard(tensor("model.layers.0.mlp.gate_proj.weight" [12288, 5120]), 0, 8, 1), ` +
			`shard(tensor("model.layers.0.mlp.up_proj.weight" [12288, 5120]), 0, 8, 1), 0)`,
		dense + "mlp.down_proj.weight @1/8":          `fp8_e4m3[5120 1536] = shard(tensor("model.layers.0.mlp.down_proj.weight" [5120, 12288]), 1, 8, 1)`,
		moe + "mlp.gate.weight":                      `f32[160 5120] = tensor("model.layers.3.mlp.gate.weight" [160, 5120])`,
		moe + "mlp.gate.e_score_correction_bias":     `f32[160] = tensor("model.layers.3.mlp.gate.e_score_correction_bias" [160])`,
		mtp + "eh_proj.weight":                       `bf16[5120 10240] = tensor("model.layers.92.eh_proj.weight" [5120, 10240])`,
		mtp + "shared_head.head.weight @0/8":         `fp8_e4m3[18944 5120] = shard(tensor("model.layers.92.shared_head.head.weight" [151552, 5120]), 0, 8, 1)`,
		stacked(moe, "gate_proj") + " @1/8":          stackedRecipe(moe, "gate_proj", "[161 192 5120]", "[1536, 5120]", 1),
		stacked(moe, "up_proj") + " @1/8":            stackedRecipe(moe, "up_proj", "[161 192 5120]", "[1536, 5120]", 1),
		stacked(moe, "down_proj") + " @2/8":          stackedRecipe(moe, "down_proj", "[161 5120 192]", "[5120, 1536]", 2),
		stacked(mtp, "down_proj") + " @2/8":          stackedRecipe(mtp, "down_proj", "[161 5120 192]", "[5120, 1536]", 2),
		"model.layers.91.input_layernorm.weight":     `bf16[5120] = tensor("model.layers.91.input_layernorm.weight" [5120])`,
		"model.layers.91.self_attn.o_proj.bias @1/8": "",
	} {
		if shapes[name] != want {
			t.Errorf("%s:\n got %s\nwant %s", name, shapes[name], want)
		}
	}
	for _, c := range m.Caches {
		if c.Heads != 1 || c.HeadDim != 128 {
			t.Errorf("cache %s holds %d heads of %d", c.Name, c.Heads, c.HeadDim)
		}
	}
	if len(m.Caches) != 93 {
		t.Errorf("%d caches, want one for each layer and one for the MTP layer", len(m.Caches))
	}
}

// mergedName is the name of a merged weight, of parts whose names differ in one word.
func mergedName(block, format string, words ...string) string {
	var names []string
	for _, w := range words {
		names = append(names, block+fmt.Sprintf(format, w))
	}
	return strings.Join(names, " + ")
}

func stacked(layer, proj string) string {
	return layer + "mlp.experts.{e}." + proj + ".weight + " + layer + "mlp.shared_experts." + proj + ".weight"
}

func stackedRecipe(layer, proj, shape, stored string, dim int) string {
	return fmt.Sprintf(`fp8_e4m3%s = shard(concat(each("%smlp.experts.{e}.%s.weight" %s, 160), stack(tensor("%smlp.shared_experts.%s.weight" %s)), 0), %d, 8, 1)`,
		shape, layer, proj, stored, layer, proj, stored, dim)
}

// TestRanksAndHeads: how far the 96 query heads and 8 KV heads of GLM-4.7 split over other numbers of ranks.
func TestRanksAndHeads(t *testing.T) {
	for _, c := range []struct {
		ranks          int
		q, k, o        string // weights of layer 0 on one rank
		heads          int    // in the cache
		why            string // k stays whole
		expertsApplied bool
	}{
		{2, "@0/2 [6144 5120]", "@0/2 [512 5120]", "@1/2 [5120 6144]", 4, "", true},
		{4, "@0/4 [3072 5120]", "@0/4 [256 5120]", "@1/4 [5120 3072]", 2, "", true},
		{16, "@0/16 [768 5120]", "@0/8 [128 5120]", "@1/16 [5120 768]", 1, "", true},
		{32, "@0/32 [384 5120]", "@0/8 [128 5120]", "@1/32 [5120 384]", 1, "", true},
		{3, " [12288 5120]", " [1024 5120]", " [5120 12288]", 8, "its width 1024 does not divide by 3 ranks", true},
		{5, " [12288 5120]", " [1024 5120]", " [5120 12288]", 8, "its width 1024 does not divide by 5 ranks", false},
		{64, " [12288 5120]", " [1024 5120]", " [5120 12288]", 8, "query and key heads do not split over 64 ranks together", true},
	} {
		t.Run(fmt.Sprint(c.ranks, " ranks"), func(t *testing.T) {
			m, results := glm(t, lowertest.With(lowertest.GLM47, "num_hidden_layers", "4"), &Options{TensorParallel: c.ranks, Disabled: []string{"merge_qkv"}})
			for name, want := range map[string]string{"q_proj": c.q, "k_proj": c.k, "v_proj": c.k, "o_proj": c.o} {
				prefix := "model.layers.0.self_attn." + name + ".weight"
				i := slices.IndexFunc(m.Weights, func(w *ir.Weight) bool { return strings.HasPrefix(w.Name, prefix) })
				if i < 0 {
					t.Fatalf("there is no %s", prefix)
				}
				w := m.Weights[i]
				if got := fmt.Sprint(strings.TrimPrefix(strings.TrimPrefix(w.Name, prefix), " "), " ", w.Shape); strings.TrimSpace(got) != strings.TrimSpace(want) {
					t.Errorf("%s is %s, want %s", name, got, want)
				}
			}
			if got := m.Caches[0].Heads; got != c.heads {
				t.Errorf("the cache holds %d heads, want %d", got, c.heads)
			}
			why, experts := "", false
			for _, r := range results["shard_tensor_parallel"].Remarks {
				if _, reason, ok := strings.Cut(r.Reason, "model.layers.0.self_attn.k_proj.weight stays whole on every rank: "); ok {
					why = reason
				}
				experts = experts || r.ID == "shard_tensor_parallel.experts"
			}
			if why != c.why || experts != c.expertsApplied {
				t.Errorf("k_proj stays whole because %q, want %q; experts split: %t, want %t", why, c.why, experts, c.expertsApplied)
			}
		})
	}
}

func BenchmarkPasses(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		m := lowertest.Lower(b, lowertest.Setup{}).Module
		b.StartTimer()
		if _, err := Run(m, h200()); err != nil {
			b.Fatal(err)
		}
	}
}

// TestRequireAtSomeSizes: what a price decides against at some step sizes is there where it is required, as long as it
// applies to the same place at others.
func TestRequireAtSomeSizes(t *testing.T) {
	small := ir.Bucket{Phase: ir.Decode, Max: ir.Sizes{Tokens: 1, Seqs: 1, Rows: 1}}
	large := ir.Bucket{Phase: ir.Prefill, Max: ir.Sizes{Tokens: 16384, Seqs: 4, Rows: 4}}
	for _, c := range []struct {
		buckets []ir.Bucket
		want    string
	}{
		{[]ir.Bucket{small, large}, ""},
		{[]ir.Bucket{large}, "required pass fuse_allreduce_add_norm was missed at 186 sites:"},
	} {
		m := lowertest.Lower(t, lowertest.Setup{Set: lowertest.GLM47}).Module
		for _, g := range m.Graphs {
			g.Buckets = c.buckets
		}
		o := h200()
		o.Device, o.Require = cost.Devices["h200"], []string{"fuse_allreduce_add_norm"}
		_, err := Run(m, o)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("buckets %v: %v", c.buckets, err)
		case c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want) || !strings.Contains(err.Error(), "[fuse_allreduce_add_norm.unprofitable]")):
			t.Errorf("buckets %v: got error %v, want %s", c.buckets, err, c.want)
		}
	}
}
