package compiler_test

import (
	"testing"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/compiler/memory"
)

// TestArenas compiles every family at full size: in every bucket the arena is within a tenth of what is alive at once
// where all that can be computed in place is.
func TestArenas(t *testing.T) {
	for _, c := range []struct{ model, config string }{
		{"glm4moe", "glm-4.7"}, {"glm4moe", "glm-4.6"}, {"glm4moe", "glm-4.5"}, {"glm4moe", "glm-4.5-air"},
		{"glm4moelite", "glm-4.7-flash"}, {"deepseekv3", "deepseek-v3"},
		{"qwen3moe", "qwen3-30b-a3b"}, {"qwen3", "qwen3-8b"}, {"llama3", "llama-3.1-8b"},
	} {
		f := sourceFile(t, "../models/"+c.model+"/model.glm")
		doc := unquantised(t, "../testdata/configs/"+c.config+".json")
		for _, o := range []compiler.Options{
			{Target: "cpu", Config: doc},
			{Target: "cpu", Config: doc, Disable: []string{"fuse_add_norm", "fuse_swiglu", "fuse_qknorm_rope_kv"}},
			{Target: "h200", Config: doc, TensorParallel: 8},
			{Target: "h200", Config: doc, TensorParallel: 1},
		} {
			worst := 0.0
			p := compile(t, f, o).Plan
			missed := map[string]int{} // by entry, remarks of plan_memory that say that an arena is above the bound
			above := map[string]int{}
			for _, r := range p.Remarks {
				if r.Pass == "plan_memory" && !r.Applied {
					missed[r.Entry]++
				}
			}
			for _, q := range p.Programs {
				for _, l := range q.Layouts {
					buffers, err := q.Buffers(l.Max)
					if err != nil {
						t.Fatal(err)
					}
					low := memory.Bound(buffers, q.Shares())
					ratio := float64(l.Arena) / float64(low)
					worst = max(worst, ratio)
					if ratio > 1 {
						above[q.Graph.Name]++
					}
					if ratio > 1.1 || ratio < 1 {
						t.Errorf("%s on %s, %s, %s %d: the arena takes %d bytes, at least %d are needed", c.config, o.Target, q.Graph.Name, l.Phase, l.Max.Tokens, l.Arena, low)
					}
				}
			}
			for _, entry := range []string{"forward", "draft"} {
				if missed[entry] > above[entry] || missed[entry] == 0 && above[entry] > 0 {
					t.Errorf("%s on %s, %s: %d arenas are above the bound, and %d remarks say so", c.config, o.Target, entry, above[entry], missed[entry])
				}
			}
			t.Logf("%s on %s, %d ranks, without %v: at worst %.4f of the bound", c.config, o.Target, max(o.TensorParallel, 1), o.Disable, worst)
		}
	}
}
