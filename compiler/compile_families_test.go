package compiler_test

import (
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/dsl/config"
)

// families are the published configurations of the families beside GLM4-MoE, with the layers that each fusion has to
// apply to: [first, layers), and the MTP layer behind them where mtp.
var families = []struct {
	model, name string
	layers      int
	fuse        bool // fuse_qknorm_rope_kv on every layer
	fold        int  // first layer of fold_shared_expert; -1: there is no shared expert
	dense       int  // layers without experts, the first ones
	mtp         bool
	heads       int // of the KV cache on each of eight ranks
	key, values int // sizes of a head
}{
	{"llama3", "llama-3.1-8b", 32, true, -1, 32, false, 1, 128, 128},
	{"qwen3", "qwen3-8b", 36, true, -1, 36, false, 1, 128, 128},
	{"qwen3moe", "qwen3-30b-a3b", 48, true, -1, 0, false, 1, 128, 128}, // four heads of KV: two ranks hold each
	{"deepseekv3", "deepseek-v3", 61, false, 3, 3, true, 16, 192, 128},
	{"glm4moelite", "glm-4.7-flash", 47, false, 1, 1, true, 20, 256, 256}, // 20 heads do not divide by eight
}

// TestFamilies compiles a published model of every other family at full size for every target.
func TestFamilies(t *testing.T) {
	for _, c := range families {
		f := sourceFile(t, "../models/"+c.model+"/model.glm")
		doc := unquantised(t, "../testdata/configs/"+c.name+".json")
		for _, target := range []string{"cpu", "h200"} {
			t.Run(c.name+" "+target, func(t *testing.T) {
				o := compiler.Options{Target: target, Config: doc}
				if target == "h200" {
					o.TensorParallel = 8
				}
				p := compile(t, f, o).Plan
				want := map[string][]int{}
				for n := range c.layers {
					if c.fuse {
						want["fuse_qknorm_rope_kv forward"] = append(want["fuse_qknorm_rope_kv forward"], n)
					}
					if c.fold >= 0 && n >= c.fold {
						want["fold_shared_expert forward"] = append(want["fold_shared_expert forward"], n)
					}
					if n >= c.dense {
						want["fuse_route forward"] = append(want["fuse_route forward"], n)
					}
				}
				if c.mtp {
					want["fold_shared_expert draft"] = []int{c.layers}
					want["fuse_route draft"] = []int{c.layers}
				}
				if diff := cmp.Diff(want, fusedLayers(p)); diff != "" {
					t.Errorf("fused layers (-want +got):\n%s", diff)
				}
				wantGates(t, p, c.dense)
				wantResiduals(t, p, c.layers, c.mtp)
				if !c.fuse {
					wantReason(t, p, "fuse_qknorm_rope_kv.parts", "k is put together of a part that is rotated and one that is not")
				}
				if target == "h200" {
					cache := p.Module.Caches[0]
					if cache.Heads != c.heads || cache.HeadDim != c.key || cache.ValueSize() != c.values || p.Module.Ranks != 8 {
						t.Errorf("the KV cache has %d heads of %d and %d on each of %d ranks", cache.Heads, cache.HeadDim, cache.ValueSize(), p.Module.Ranks)
					}
				}
				if _, err := plan.Decode(encode(t, p)); err != nil {
					t.Errorf("its file cannot be read: %v", err)
				}
			})
		}
	}
}

// TestGLM47FlashOnFourRanks: its pipeline is for as many ranks as its heads divide by.
func TestGLM47FlashOnFourRanks(t *testing.T) {
	p := compile(t, sourceFile(t, "../models/glm4moelite/model.glm"),
		compiler.Options{Target: "h200", Config: configFile(t, "../testdata/configs/glm-4.7-flash.json")}).Plan
	if heads := p.Module.Caches[0].Heads; p.Module.Ranks != 4 || heads != 5 {
		t.Errorf("%d heads on each of %d ranks, want 5 on 4", heads, p.Module.Ranks)
	}
}

// fusedLayers lists the layers that the fusions were applied to, by pass and entry.
func fusedLayers(p *plan.Plan) map[string][]int {
	layers := map[string][]int{}
	for _, r := range p.Remarks {
		if r.Applied && slices.Contains([]string{"fuse_qknorm_rope_kv", "fold_shared_expert", "fuse_route"}, r.Pass) {
			layers[r.Pass+" "+r.Entry] = append(layers[r.Pass+" "+r.Entry], r.Layer)
		}
	}
	return layers
}

// wantReason asks for the same reason at every site that a fusion missed.
func wantReason(t *testing.T, p *plan.Plan, id, reason string) {
	t.Helper()
	sites := 0
	for _, r := range p.Remarks {
		if r.Pass == strings.Split(id, ".")[0] && !r.Applied {
			sites++
			if r.ID != id || r.Reason != reason {
				t.Errorf("layer %d of %s was missed as %s: %s", r.Layer, r.Entry, r.ID, r.Reason)
			}
		}
	}
	if sites != len(p.Module.Caches) {
		t.Errorf("%d sites were missed, there are %d caches", sites, len(p.Module.Caches))
	}
}

// unquantised reads a configuration without its quantization_config: as that of the checkpoint converted to bf16.
func unquantised(t *testing.T, path string) *config.Document {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(data, &keys); err != nil {
		t.Fatal(err)
	}
	delete(keys, "quantization_config")
	if data, err = json.Marshal(keys); err != nil {
		t.Fatal(err)
	}
	doc, err := config.Parse(path, data)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// TestScalesOfBlocksAreRefused: DeepSeek-V3 is published in fp8 with a scale for each block. Read as anything else its
// weights would be wrong.
func TestScalesOfBlocksAreRefused(t *testing.T) {
	f := sourceFile(t, "../models/deepseekv3/model.glm")
	_, list, err := compiler.Compile(f, compiler.Options{Config: configFile(t, "../testdata/configs/deepseek-v3.json")})
	if err == nil {
		t.Fatal("it compiled")
	}
	message := errors.Join(err, list.Err()).Error()
	for _, want := range []string{"quantization_config.weight_block_size", "convert the checkpoint to bf16", "deepseek-v3.json:"} {
		if !strings.Contains(message, want) {
			t.Errorf("error %q does not mention %q", message, want)
		}
	}
}
