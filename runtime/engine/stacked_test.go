package engine_test

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/runtime/safetensors"
)

// expertName is a tensor of one expert: its layer's prefix, the expert, the projection and what of it.
var expertName = regexp.MustCompile(`^(.*\.mlp\.experts)\.(\d+)\.(gate|up|down)_proj\.(weight|weight_scale)$`)

// stackExperts writes a checkpoint again as transformers 5 stores it: the experts of a layer in two tensors,
// mlp.experts.gate_up_proj [E, 2I, H] and mlp.experts.down_proj [E, H, I]. The scales of fp8 experts are stacked
// in the same way beside them, in <name>_scale [E, 2I, 1] and [E, H, 1]. It returns the new tensors' names.
func stackExperts(t *testing.T, from *safetensors.Checkpoint, dir string) []string {
	t.Helper()
	var tensors []safetensors.WriteTensor
	var stacked []string
	for _, name := range from.Names() {
		m := expertName.FindStringSubmatch(name)
		if m == nil {
			x := get(t, from, name)
			tensors = append(tensors, rewritten(name, x.Shape, x))
			continue
		}
		if m[2] != "0" || m[3] == "up" {
			continue // goes with the gate projection of expert 0, or with its down projection
		}
		var projections []string
		out := m[1] + ".down_proj"
		switch m[3] {
		case "gate":
			projections, out = []string{"gate", "up"}, m[1]+".gate_up_proj"
		case "down":
			projections = []string{"down"}
		}
		out += strings.TrimPrefix(m[4], "weight")
		var parts []safetensors.Tensor
		experts := 0
		for ; from.Has(fmt.Sprintf("%s.%d.%s_proj.%s", m[1], experts, m[3], m[4])); experts++ {
			for _, p := range projections {
				parts = append(parts, get(t, from, fmt.Sprintf("%s.%d.%s_proj.%s", m[1], experts, p, m[4])))
			}
		}
		shape := []int{experts, len(projections) * parts[0].Shape[0], parts[0].Shape[1]}
		tensors = append(tensors, rewritten(out, shape, parts...))
		stacked = append(stacked, out)
	}
	if err := safetensors.Write(filepath.Join(dir, "model.safetensors"), tensors, map[string]string{"format": "pt"}); err != nil {
		t.Fatal(err)
	}
	return stacked
}

func get(t *testing.T, c *safetensors.Checkpoint, name string) safetensors.Tensor {
	t.Helper()
	x, err := c.Tensor(name)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// rewritten is a tensor that holds the bytes of others one behind the other.
func rewritten(name string, shape []int, parts ...safetensors.Tensor) safetensors.WriteTensor {
	var readers []io.Reader
	for _, p := range parts {
		readers = append(readers, bytes.NewReader(p.Bytes))
	}
	return safetensors.WriteTensor{Name: name, DType: parts[0].DType, Shape: shape, Data: safetensors.FromReader(io.MultiReader(readers...))}
}

// TestStackedExpertsMatch loads the same weights from both layouts that experts are stored in: every logit of the
// model and of its MTP layer has the same bits.
func TestStackedExpertsMatch(t *testing.T) {
	for _, c := range []struct {
		goldenCase
		layers  int // with experts, the MTP layer included
		tensors int // stacked ones of a layer
	}{
		{goldenCase{model: "glm4moe", dir: "c1-bias-untied"}, 3, 2},
		{goldenCase{model: "glm4moe", dir: "c6-fp8", prefix: "w8a32."}, 3, 4},
		{goldenCase{model: "glm4moelite", dir: "g1-glm4moelite"}, 3, 2},
		{goldenCase{model: "deepseekv3", dir: "d1-deepseekv3"}, 3, 2},
		{goldenCase{model: "qwen3moe", dir: "q1-qwen3moe"}, 3, 2},
	} {
		single, stacked := c.open(t), c.open(t)
		dir := t.TempDir()
		if names := stackExperts(t, single.ckpt, dir); len(names) != c.layers*c.tensors {
			t.Fatalf("%s: stacked %q, want %d layers with %d tensors each", c.dir, names, c.layers, c.tensors)
		}
		ckpt, err := safetensors.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { ckpt.Close() })
		stacked.ckpt = ckpt
		for _, device := range []string{"ref", "cpu"} {
			for _, o := range []compiler.Options{{}, {TensorParallel: 2}, {Disable: []string{"fold_shared_expert"}}} {
				t.Run(fmt.Sprintf("%s/%s/%s", c.dir, device, variantName(o)), func(t *testing.T) {
					t.Parallel()
					p := single.compile(t, o)
					prompt := single.prompt(t, "p33")
					run := func(g *golden) [][]float32 {
						m := g.start(t, p, device, 0)
						all := [][]float32{m.promptLogits(t, prompt)}
						if single.facts[single.prefix+"mtp"] != nil {
							logits, _, chain, _ := newSession(t, m.exec, len(prompt)+3).drafts(prompt, 3)
							all = append(append(all, logits...), chain...)
						}
						return all
					}
					if diff := cmp.Diff(run(single), run(stacked)); diff != "" {
						t.Errorf("logits (-one tensor for each expert +stacked):\n%s", diff)
					}
				})
			}
		}
	}
}
