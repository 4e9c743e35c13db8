package engine_test

import (
	"context"
	"maps"
	"runtime"
	"slices"
	"testing"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/runtime/engine"
	"github.com/glmc/glmc/runtime/exec"
	"github.com/glmc/glmc/runtime/sample"
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
		"pages": kernels.FromI32(table, s.seqs, pages), "rows": list(rows), "parents": list(slices.Repeat([]int32{-1}, len(tokens)))}
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
	for _, set := range []map[string]string{nil, {"weights": "fp8_e4m3", "precision": "fast"}} {
		e := startSteady(t, smallModel(t), compiler.Options{Set: set})
		for name, shape := range steadyShapes {
			if n := steadyAllocations(t, e, shape); n > 0 {
				t.Errorf("%s, %s products: %d allocations", name, e.Precision(), n)
			}
		}
		if n := steadyAllocations(t, e, slices.Collect(maps.Values(steadyShapes))...); n > 0 {
			t.Errorf("all in turn, %s products: %d allocations", e.Precision(), n)
		}
	}
}

// steadyAllocations runs rounds of steps of these shapes in turn, until one allocates nothing, and returns the number of
// allocations in the best.
func steadyAllocations(t *testing.T, e *exec.Executor, shapes ...shapeOf) uint64 {
	var ins []exec.Inputs
	for _, s := range shapes {
		ins = append(ins, s.inputs(e.Plan().Cache.PageSize, e.Plan().Facts.VocabSize))
	}
	ctx, least := context.Background(), ^uint64(0)
	for i := 0; i < 30 && least > 0; i++ {
		least = min(least, mallocs(func() {
			for step := range 15 {
				if _, err := e.Step(ctx, "forward", ins[step%len(ins)]); err != nil {
					t.Fatal(err)
				}
			}
		}))
	}
	return least
}

// TestTokensAllocateNothing: a request of many tokens makes as many allocations as one of few, greedy or sampled, and so
// do requests that run together.
func TestTokensAllocateNothing(t *testing.T) {
	e := startSteady(t, smallModel(t), compiler.Options{})
	eng, err := engine.New(e, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	prompt := []int32{5, 6, 7}
	generations := map[string]func(n int) error{
		"greedy": func(n int) error {
			_, err := eng.Generate(context.Background(), engine.Request{Prompt: prompt, MaxTokens: n})
			return err
		},
		"sampled": func(n int) error {
			_, err := eng.Generate(context.Background(), engine.Request{Prompt: prompt, MaxTokens: n, Sampling: sample.Params{Temperature: 1, TopK: 20}})
			return err
		},
		"together": func(n int) error {
			_, err := eng.Together(context.Background(), [][]int32{prompt, prompt[:2], prompt}, n)
			return err
		},
	}
	if raced {
		delete(generations, "sampled") // samplers take their memory from a pool
	}
	for name, generate := range generations {
		allocations := func(n int) uint64 {
			least := ^uint64(0)
			for range 10 {
				least = min(least, mallocs(func() {
					if err := generate(n); err != nil {
						t.Fatal(err)
					}
				}))
			}
			return least
		}
		page := e.Plan().Cache.PageSize
		few, many := page, 2*page-2 // both take two pages
		if m, f := allocations(many), allocations(few); m > f {
			t.Errorf("%s: %d tokens make %d allocations, %d make %d", name, few, f, many, m)
		}
	}
}

// TestLoopAllocatesNothingForTokens: nor do requests in a loop, on their way to their readers.
func TestLoopAllocatesNothingForTokens(t *testing.T) {
	e, err := engine.New(newIdle(8, 1000, 16), engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	l := engine.NewLoop(e)
	defer l.Close()
	generate := func(n int) {
		var streams [4]*engine.Stream
		for i := range streams {
			s, err := l.Submit(context.Background(), engine.Request{Prompt: []int32{int32(i), 1, 2}, MaxTokens: n})
			if err != nil {
				t.Fatal(err)
			}
			streams[i] = s
		}
		for _, s := range streams {
			for err := error(nil); err == nil; {
				_, err = s.Next(context.Background())
			}
		}
	}
	allocations := func(n int) uint64 {
		least := ^uint64(0)
		for range 20 {
			least = min(least, mallocs(func() { generate(n) }))
		}
		return least
	}
	// Both take as many pages, and as much memory for tokens that a reader has not come to yet.
	if few, many := allocations(600), allocations(1000); many > few+20 {
		t.Errorf("600 tokens make %d allocations, 1000 make %d", few, many)
	}
}

// mallocs is how many allocations the process makes in a call.
func mallocs(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.Mallocs - before.Mallocs
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
