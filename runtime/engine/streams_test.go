package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/dsl/config"
	"github.com/glmc/glmc/dsl/syntax"
	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/runtime/exec"
	"github.com/glmc/glmc/runtime/kv"
	"github.com/glmc/glmc/runtime/safetensors"
)

// streamsPipeline is for a device with several streams, in dtypes that let every device compute the same, and
// with transfers.
const streamsPipeline = `
pipeline streams for glm4_moe {
  target   h200 { tensor_parallel = 1 }
  weights  f32
  cache    f32 { page = 4 }
  prefill  { chunk = 16, rows = 16 }
  decode   { capture = [1, 2, 4] }
  transfer { async, per = layer }
}
`

// compileStreams compiles a configuration with shared experts on a stream of their own, and transfers on another.
func compileStreams(t *rapid.T, s settings, ranks int) *plan.Plan {
	src, err := os.ReadFile(modelFile)
	if err != nil {
		t.Fatal(err)
	}
	file, list := syntax.Parse("model.glm", append(src, streamsPipeline...))
	if err := list.Err(); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	o := compiler.Options{Pipeline: "streams", TensorParallel: ranks, Disable: []string{"fold_shared_expert"}}
	if o.Config, err = config.Parse("config.json", text); err != nil {
		t.Fatal(err)
	}
	r, list, err := compiler.Compile(file, o)
	if err != nil {
		t.Fatalf("%v\n%v", err, list.Err())
	}
	return r.Plan
}

// TestStreamsInAnyOrder: with the places that the plan gives results, every order of the operators that streams
// and waits allow computes the same bits. The compiler proves it; this runs it.
func TestStreamsInAnyOrder(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "random.safetensors")
	moved := 0
	rapid.Check(t, func(t *rapid.T) {
		s := drawSettings(t)
		p := compileStreams(t, s, rapid.SampledFrom([]int{1, 1, 2}).Draw(t, "ranks"))
		writeRandom(t, path, p, drawAbsent(t, s), rapid.Uint64().Draw(t, "seed of the weights"))
		prompt := rapid.SliceOfN(rapid.Int32Range(0, int32(s["vocab_size"].(int))-1), 1, 16).Draw(t, "prompt")
		chunk := rapid.IntRange(1, len(prompt)).Draw(t, "chunk")
		want := runPlan(t, p, path, prompt, chunk)
		for _, g := range p.Module.Graphs {
			order := drawInterleaving(t, g)
			for i, n := range order {
				if n != g.Nodes[i] {
					moved++
				}
			}
			g.Nodes = order
		}
		want.same(t, runPlan(t, p, path, prompt, chunk))
	})
	if moved == 0 {
		t.Error("no operator changed its place: the test says nothing")
	}
}

// drawInterleaving draws an order in which the streams of a graph may run its nodes.
func drawInterleaving(t *rapid.T, g *ir.Graph) []*ir.Node {
	queues := make([][]*ir.Node, g.Streams())
	for _, n := range g.Nodes {
		queues[n.Stream] = append(queues[n.Stream], n)
	}
	// Often one stream runs as far ahead as it can: that is where it meets what others still need.
	eager := rapid.IntRange(0, len(queues)-1).Draw(t, "eager stream")
	done := map[*ir.Node]bool{}
	var out []*ir.Node
	for len(out) < len(g.Nodes) {
		var ready []int
		for i, q := range queues {
			if len(q) > 0 && waited(q[0], done) {
				ready = append(ready, i)
			}
		}
		next := ready[0]
		if len(ready) > 1 {
			next = rapid.SampledFrom(append(ready, eager)).Draw(t, "stream")
			if len(queues[next]) == 0 || !waited(queues[next][0], done) {
				next = ready[0]
			}
		}
		n := queues[next][0]
		queues[next] = queues[next][1:]
		done[n] = true
		out = append(out, n)
	}
	return out
}

func waited(n *ir.Node, done map[*ir.Node]bool) bool {
	for _, w := range n.Waits {
		if !done[w] {
			return false
		}
	}
	return true
}

// TestPagesLeaveAsTheyAreWritten: a step of prefill hands every layer's cache, in order and on each rank, with the
// slots of the step's tokens, and finds in them what attention reads; a step that decodes hands nothing.
func TestPagesLeaveAsTheyAreWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "random.safetensors")
	rapid.Check(t, func(t *rapid.T) {
		s := drawSettings(t)
		p := compileStreams(t, s, rapid.SampledFrom([]int{1, 2}).Draw(t, "ranks"))
		writeRandom(t, path, p, drawAbsent(t, s), 1)
		ckpt, err := safetensors.OpenFile(path)
		if err != nil {
			t.Fatal(err)
		}
		defer ckpt.Close()
		var mu sync.Mutex
		sent := map[int][]string{} // by rank: the cache and its slots
		e, err := exec.New(context.Background(), p, ckpt, exec.Options{Device: "ref", Pages: 16, Entries: []string{"forward"},
			Send: func(rank int, c *ir.Cache, kept *kernels.Cache, slots []int32) error {
				mu.Lock()
				defer mu.Unlock()
				sent[rank] = append(sent[rank], fmt.Sprint(c.Name, slots))
				for _, slot := range slots {
					row := kernels.New(dtype.F32, kept.Heads*kept.HeadDim)
					kept.K.Load(row.F32, int(slot)*len(row.F32))
					if !slices.ContainsFunc(row.F32, func(x float32) bool { return x != 0 }) {
						t.Errorf("slot %d of %s has no keys yet", slot, c.Name)
					}
				}
				return nil
			}})
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		seq := kv.NewPool(e.Pages(), p.Cache.PageSize).NewSequence()
		if err := seq.Grow(6); err != nil {
			t.Fatal(err)
		}
		x := &session{t: t, exec: e, seq: seq}
		x.step("forward", []int32{1, 2, 3, 4, 5}, 0, nil) // more tokens than any captured batch
		var slots []int32
		for pos := range 5 {
			slots = append(slots, seq.Slot(pos))
		}
		var want []string
		for i := range s["num_hidden_layers"].(int) {
			want = append(want, fmt.Sprintf("model.layers.%d.self_attn%v", i, slots))
		}
		for rank := range p.Module.Ranks {
			if diff := cmp.Diff(want, sent[rank]); diff != "" {
				t.Errorf("rank %d sent (-want +got):\n%s", rank, diff)
			}
		}
		clear(sent)
		x.step("forward", []int32{6}, 5, nil)
		if len(sent) > 0 {
			t.Errorf("a step that decodes sent %v", sent)
		}
	})
}
