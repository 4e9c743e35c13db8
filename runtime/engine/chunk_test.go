package engine_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/runtime/engine"
	"github.com/glmc/glmc/runtime/exec"
)

// TestGenerationDoesNotDependOnChunks generates behind random prompts on the CPU kernels: however the prompt is
// cut, its logits have the same bits, and so the output is the same, greedy or sampled with one seed.
func TestGenerationDoesNotDependOnChunks(t *testing.T) {
	g := openGolden(t, "c2-qknorm-bf16", "")
	for _, w := range waysOfCPU(t) {
		t.Run(w.String(), func(t *testing.T) {
			chunksChangeNothing(t, g.startWith(t, g.compile(t, compiler.Options{TensorParallel: 2, Set: w.set()}), w.options(), 0))
		})
	}
}

func chunksChangeNothing(t *testing.T, m *machine) {
	facts := m.exec.Plan().Facts
	engines := map[int]*engine.Engine{}
	for _, chunk := range []int{1, 2, 3, 7, 16, 64, 160} {
		e, err := engine.New(m.exec, engine.Options{Chunk: chunk})
		if err != nil {
			t.Fatal(err)
		}
		engines[chunk] = e
	}
	generate := func(t *rapid.T, chunk int, r engine.Request) ([]int32, []uint32) {
		var bits []uint32
		r.OnPromptLogits = func(_ int, logits []float32) error {
			for _, v := range logits {
				bits = append(bits, math.Float32bits(v))
			}
			return nil
		}
		out, err := engines[chunk].Generate(context.Background(), r)
		if err != nil {
			t.Fatal(err)
		}
		return out.Output, bits
	}
	rapid.Check(t, func(t *rapid.T) {
		r := engine.Request{
			Prompt:    rapid.SliceOfN(rapid.Int32Range(0, int32(facts.VocabSize)-1), 1, 40).Draw(t, "prompt"),
			MaxTokens: rapid.IntRange(0, 6).Draw(t, "tokens"),
		}
		if rapid.Bool().Draw(t, "sampled") {
			r.Sampling.Temperature, r.Sampling.Seed = 0.8, rapid.Uint64().Draw(t, "seed")
		}
		wantOutput, wantBits := generate(t, 160, r)
		chunk := rapid.SampledFrom([]int{1, 2, 3, 7, 16, 64}).Draw(t, "chunk")
		output, bits := generate(t, chunk, r)
		if diff := cmp.Diff(wantOutput, output); diff != "" {
			t.Fatalf("output in chunks of %d (-whole +chunks):\n%s", chunk, diff)
		}
		if !slices.Equal(wantBits, bits) {
			t.Fatalf("prompt logits in chunks of %d have other bits than those of the whole prompt", chunk)
		}
	})
}

// TestCancelWhileGenerating cancels a real model in the middle of a step, on one rank of two: the generation ends
// with what it has before another step completes, and the engine serves the next request as if nothing had been.
func TestCancelWhileGenerating(t *testing.T) {
	g := openGolden(t, "c1-bias-untied", "")
	prompt := g.prompt(t, "p7")
	for _, device := range exec.DeviceNames() {
		t.Run(device, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancelCause(context.Background())
			defer cancel(nil)
			var left, behind atomic.Int64 // steps of rank 1 until the cancellation; steps of any rank after it
			left.Store(math.MaxInt64)
			p := g.compile(t, compiler.Options{TensorParallel: 2})
			launches := int64(len(p.Program("forward").Graph.Nodes))
			e, err := exec.New(context.Background(), p, g.ckpt, exec.Options{Device: device, Pages: 64, Trace: func(rank int, _ *ir.Node, _ *kernels.Call) {
				if ctx.Err() != nil {
					behind.Add(1)
				}
				if rank == 1 && left.Add(-1) == 0 {
					cancel(nil)
				}
			}})
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			eng, err := engine.New(e, engine.Options{})
			if err != nil {
				t.Fatal(err)
			}
			m := &machine{exec: e, engine: eng}
			want := m.greedy(t, prompt, 12)
			var once sync.Once
			out, err := eng.Generate(ctx, engine.Request{Prompt: prompt, MaxTokens: 12, OnToken: func(int32) error {
				once.Do(func() { left.Store(2*launches + launches/2) }) // some steps behind the first token
				return nil
			}})
			if !errors.Is(err, context.Canceled) || out.Finish != "" {
				t.Errorf("error %v, finish reason %q", err, out.Finish)
			}
			if n := len(out.Output); n < 3 || n > 5 || !slices.Equal(out.Output, want[:n]) {
				t.Errorf("output %v, want three to five tokens of %v", out.Output, want)
			}
			if n := behind.Load(); n > 2 {
				t.Errorf("%d kernels ran to their end after the cancellation, want one a rank at most", n)
			}
			left.Store(math.MaxInt64)
			if diff := cmp.Diff(want, m.greedy(t, prompt, 12)); diff != "" {
				t.Errorf("the next generation (-before +after):\n%s", diff)
			}
		})
	}
}
