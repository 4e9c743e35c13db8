package engine_test

import (
	"context"
	"runtime"
	"testing"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/runtime/exec"
)

// smallModel is the trained small model that the binary carries.
func smallModel(t testing.TB) *golden {
	t.Helper()
	g := &golden{name: "tiny", model: modelFile, dir: "../../models/tiny"}
	g.openFiles(t)
	return g
}

// shapeOf is a step of so many sequences, each with so many tokens behind what it has already.
type shapeOf struct{ seqs, tokens, context int }

// inputs are those of the step. Every sequence has pages of its own, one behind the other, and wants the logits of its
// last token.
func (s shapeOf) inputs(pageSize, vocab int) exec.Inputs {
	pages := (s.context + s.tokens + pageSize - 1) / pageSize
	var tokens, pos, slots, table, rows []int32
	starts := []int32{0}
	for seq := range s.seqs {
		first := int32(seq * pages)
		for i := range pages {
			table = append(table, first+int32(i))
		}
		for i := range s.tokens {
			at := s.context + i
			tokens = append(tokens, int32((seq*31+i*61)%vocab))
			pos = append(pos, int32(at))
			slots = append(slots, first*int32(pageSize)+int32(at))
		}
		starts = append(starts, int32(len(tokens)))
		rows = append(rows, int32(len(tokens)-1))
	}
	list := func(v []int32) kernels.Tensor { return kernels.FromI32(v, len(v)) }
	return exec.Inputs{"tokens": list(tokens), "pos": list(pos), "slots": list(slots), "seq_start": list(starts),
		"pages": kernels.FromI32(table, s.seqs, pages), "rows": list(rows)}
}

// steadyShapes are steps of generation, for one sequence and for several, and a chunk of a prompt.
var steadyShapes = map[string]shapeOf{
	"decode":       {1, 1, 100},
	"decode batch": {8, 1, 60},
	"prefill":      {1, 64, 20},
}

// startSteady makes an executor of the small model on two threads.
func startSteady(t testing.TB, g *golden, o compiler.Options) *exec.Executor {
	t.Helper()
	e, err := exec.New(context.Background(), g.compile(t, o), g.ckpt, exec.Options{Device: "cpu", Threads: 2, Pages: 64})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

// TestSteadyStepsAllocateNothing: steps of the small model, on two threads, of generation and of prompts. Threads make
// their scratch when they first have a part of a loop, which may be late; so one of some rounds has to be without any
// allocation. A step that always makes one, or now and then, fails in all of them.
func TestSteadyStepsAllocateNothing(t *testing.T) {
	e := startSteady(t, smallModel(t), compiler.Options{})
	for name, shape := range steadyShapes {
		in, ctx := shape.inputs(e.Plan().Cache.PageSize, e.Plan().Facts.VocabSize), context.Background()
		const rounds, steps = 20, 30
		least := ^uint64(0)
		for i := 0; i < rounds && least > 0; i++ {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			for range steps {
				if _, err := e.Step(ctx, "forward", in); err != nil {
					t.Fatal(err)
				}
			}
			runtime.ReadMemStats(&after)
			least = min(least, after.Mallocs-before.Mallocs)
		}
		if least > 0 {
			t.Errorf("%s: %d allocations in %d steps, in each of %d rounds", name, least, steps, rounds)
		}
	}
}

// BenchmarkSteadyStep is a step of the small model on two threads.
func BenchmarkSteadyStep(b *testing.B) {
	e := startSteady(b, smallModel(b), compiler.Options{})
	for _, name := range []string{"decode", "decode batch", "prefill"} {
		in, ctx := steadyShapes[name].inputs(e.Plan().Cache.PageSize, e.Plan().Facts.VocabSize), context.Background()
		b.Run(name, func(b *testing.B) {
			step := func() {
				if _, err := e.Step(ctx, "forward", in); err != nil {
					b.Fatal(err)
				}
			}
			for range 10 {
				step()
			}
			b.ReportAllocs()
			for b.Loop() {
				step()
			}
		})
	}
}
