package engine_test

import (
	"context"
	"testing"
	"time"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/runtime/engine"
	"github.com/glmc/glmc/runtime/exec"
)

// idle is an executor that computes nothing: every token is as likely as any other, and the first is picked.
type idle struct {
	plan   *plan.Plan
	seqs   int
	pages  int
	logits kernels.Tensor
	out    [1]kernels.Tensor
}

func newIdle(seqs, pages, pageSize int) *idle {
	const vocab = 8
	x := &idle{seqs: seqs, pages: pages, logits: kernels.New(dtype.F32, seqs, vocab)}
	x.plan = &plan.Plan{Programs: []*plan.Program{forward(ir.TensorType(dtype.F32, ir.Symbolic(ir.R), ir.Fixed(vocab)))},
		Facts: plan.Facts{VocabSize: vocab}, Cache: plan.CacheFormat{DType: dtype.F32, PageSize: pageSize}, Serving: plan.Serving{PrefillChunk: 16384}}
	return x
}

func (x *idle) Plan() *plan.Plan { return x.plan }
func (x *idle) Pages() int       { return x.pages }
func (x *idle) Max(string) (ir.Sizes, error) {
	return ir.Sizes{Tokens: 16384, Seqs: x.seqs, Rows: x.seqs}, nil
}

func (x *idle) Step(_ context.Context, _ string, in exec.Inputs) ([]kernels.Tensor, error) {
	rows := len(in["rows"].I32)
	x.out[0] = x.logits
	x.out[0].Shape[0], x.out[0].F32 = rows, x.logits.F32[:rows*x.logits.Shape[1]]
	return x.out[:], nil
}

// BenchmarkSchedule256 is what a step of 256 sequences that generate costs beside the model: scheduling, inputs, picking from a
// vocabulary of eight tokens, pages, and for the loop delivery to streams that somebody reads.
func BenchmarkSchedule256(b *testing.B) {
	const seqs, prompt, pageSize = 256, 8000, 16
	request := func(i, tokens int) engine.Request {
		r := engine.Request{Prompt: make([]int32, prompt), MaxTokens: tokens}
		for k := range r.Prompt {
			r.Prompt[k] = int32((i*(k+7) + k/3) % 8)
		}
		return r
	}
	b.Run("engine", func(b *testing.B) {
		e, err := engine.New(newIdle(seqs, 256*1000, pageSize), engine.Options{})
		if err != nil {
			b.Fatal(err)
		}
		for i := range seqs {
			if _, err := e.Add(request(i, 1<<20)); err != nil {
				b.Fatal(err)
			}
		}
		for range 100 {
			if _, err := e.Step(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportAllocs()
		for b.Loop() {
			if _, err := e.Step(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("loop", func(b *testing.B) {
		steps := &stepCount{}
		e, err := engine.New(newIdle(seqs, 256*1000, pageSize), engine.Options{Observe: steps})
		if err != nil {
			b.Fatal(err)
		}
		l := engine.NewLoop(e)
		defer l.Close()
		var streams []*engine.Stream
		for i := range seqs {
			s, err := l.Submit(b.Context(), request(i, b.N+200))
			if err != nil {
				b.Fatal(err)
			}
			streams = append(streams, s)
		}
		b.ReportAllocs()
		b.ResetTimer()
		for _, s := range streams {
			if _, err := readAll(b.Context(), s); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(steps.took.Nanoseconds())/float64(max(steps.full, 1)), "ns/full-step")
	})
}

// BenchmarkLoopStep is what a step of one sequence takes in a loop, beside the model: switches between goroutines for the most part.
func BenchmarkLoopStep(b *testing.B) {
	e, err := engine.New(newIdle(8, 256*1000, 16), engine.Options{})
	if err != nil {
		b.Fatal(err)
	}
	l := engine.NewLoop(e)
	defer l.Close()
	s, err := l.Submit(b.Context(), engine.Request{Prompt: []int32{1}, MaxTokens: b.N + 1})
	if err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	if _, err := readAll(b.Context(), s); err != nil {
		b.Fatal(err)
	}
}

// stepCount adds up steps of 256 sequences that generate, without the executor.
type stepCount struct {
	full int
	took time.Duration
}

func (c *stepCount) Stepped(s engine.StepStats) {
	if s.Decodes == 256 {
		c.full++
		c.took += s.Schedule + s.Host
	}
}
func (*stepCount) Ended(engine.Result) {}
