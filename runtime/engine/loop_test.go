package engine_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/runtime/engine"
	"github.com/glmc/glmc/runtime/engine/enginetest"
	"github.com/glmc/glmc/runtime/exec"
	"github.com/glmc/glmc/runtime/sample"
)

// readAll reads a stream to its end.
func readAll(ctx context.Context, s *engine.Stream) ([]int32, error) {
	var out []int32
	for {
		tokens, err := s.Next(ctx)
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		for _, t := range tokens {
			out = append(out, t.ID)
		}
	}
}

// startLoop starts a loop over a model of enginetest.
func startLoop(t testing.TB, m enginetest.Options, o engine.Options) (*engine.Loop, *enginetest.Executor) {
	t.Helper()
	x := enginetest.New(m)
	e, err := engine.New(x, o)
	if err != nil {
		t.Fatal(err)
	}
	l := engine.NewLoop(e)
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if p := x.Problems(); len(p) > 0 {
			t.Errorf("wrong steps: %q", p)
		}
		if s := l.Stats(); s.FreePages+s.CachedPages != s.Pages || s.Running+s.Waiting > 0 {
			t.Errorf("after Close: %+v", s)
		}
	})
	return l, x
}

// alone is what a request is answered by an engine that has nothing else to do.
func alone(t rapid.TB, m enginetest.Options, r engine.Request) []int32 {
	t.Helper()
	e, err := engine.New(enginetest.New(m), engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	out, err := e.Generate(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	return out.Output
}

// TestLoopManyAtOnce: requests from many goroutines, of which many begin alike, on a cache too small for all of them.
func TestLoopManyAtOnce(t *testing.T) {
	m := enginetest.Options{Pages: 24}
	l, _ := startLoop(t, m, engine.Options{})
	var all sync.WaitGroup
	for i := range 40 {
		r := engine.Request{ID: fmt.Sprint(i), Prompt: append([]int32{1, 2, 3, 4, 5, 6, 7, 8, 9}, int32(i%5), int32(i%3)), MaxTokens: 5 + i%20}
		want := alone(t, m, r)
		all.Go(func() {
			s, err := l.Submit(context.Background(), r)
			if err != nil {
				t.Error(err)
				return
			}
			got, err := readAll(context.Background(), s)
			if err != nil {
				t.Error(err)
			}
			if !slices.Equal(got, want) {
				t.Errorf("request %d: %v, alone %v", i, got, want)
			}
			if res := s.Result(); res.Finish != engine.FinishLength || res.Output != len(want) || res.Prompt != len(r.Prompt) || res.ID != r.ID {
				t.Errorf("request %d: %+v", i, res)
			}
		})
	}
	all.Wait()
	if s := l.Stats(); s.Length != 40 || s.HitTokens == 0 {
		t.Errorf("%+v", s)
	}
}

// TestLoopScript: the model says what the prompt asks for.
func TestLoopScript(t *testing.T) {
	l, _ := startLoop(t, enginetest.Options{Script: func(p []int32) []int32 { return append(p[1:], 9) }}, engine.Options{})
	s, err := l.Submit(t.Context(), engine.Request{Prompt: []int32{5, 6, 7}, MaxTokens: 10, Stop: []int32{9}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := readAll(t.Context(), s)
	if diff := cmp.Diff([]int32{6, 7, 9}, got); err != nil || diff != "" || s.Result().Finish != engine.FinishStop {
		t.Errorf("%v %s, %+v", err, diff, s.Result())
	}
}

// slowModel makes steps that take a millisecond.
func slowModel() enginetest.Options {
	return enginetest.Options{Delay: func(ir.Sizes) time.Duration { return time.Millisecond }}
}

// TestLoopCancel ends requests by their contexts and by Cancel, while they wait and while they run. What came until then can be read.
func TestLoopCancel(t *testing.T) {
	m := slowModel()
	m.Sequences, m.Pages = 2, 512
	l, _ := startLoop(t, m, engine.Options{})
	reason := errors.New("the client went away")
	for name, end := range map[string]func(*engine.Stream, context.CancelCauseFunc){
		"cancel":  func(s *engine.Stream, _ context.CancelCauseFunc) { s.Cancel(); s.Cancel() },
		"context": func(_ *engine.Stream, cancel context.CancelCauseFunc) { cancel(reason) },
	} {
		ctx, cancel := context.WithCancelCause(context.Background())
		defer cancel(nil)
		var streams []*engine.Stream
		for i := range 4 { // two run, two wait
			s, err := l.Submit(ctx, engine.Request{Prompt: distinct(i, 5), MaxTokens: 800})
			if err != nil {
				t.Fatal(err)
			}
			streams = append(streams, s)
		}
		if _, err := streams[1].Next(t.Context()); err != nil {
			t.Fatal(err)
		}
		for i, s := range streams {
			end(s, cancel)
			_, err := readAll(t.Context(), s)
			want := context.Canceled
			if name == "context" {
				want = reason
			}
			if r := s.Result(); !errors.Is(err, want) || !errors.Is(r.Err, want) || r.Finish != "" || r.Ended.IsZero() {
				t.Errorf("%s, request %d: %v, %+v", name, i, err, r)
			}
		}
	}
	if _, err := l.Submit(canceled(), engine.Request{Prompt: []int32{1}, MaxTokens: 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("submitted with a context that is done: %v", err)
	}
}

// TestLoopInterrupts: a step that only requests are in which nobody wants any more is broken off; one with others is not.
func TestLoopInterrupts(t *testing.T) {
	m := enginetest.Options{Pages: 512, Delay: func(s ir.Sizes) time.Duration {
		if s.Tokens > 8 {
			return time.Hour
		}
		return time.Millisecond
	}}
	l, x := startLoop(t, m, engine.Options{})
	for i := range 3 {
		ctx, cancel := context.WithCancel(t.Context())
		s, err := l.Submit(ctx, engine.Request{Prompt: distinct(i, 20), MaxTokens: 5})
		if err != nil {
			t.Fatal(err)
		}
		for x.Steps() == 2*i+i { // it runs, and would for an hour
			time.Sleep(time.Millisecond)
		}
		cancel()
		if _, err := readAll(t.Context(), s); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		short, err := l.Submit(t.Context(), engine.Request{Prompt: distinct(i+20, 3), MaxTokens: 2})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := readAll(t.Context(), short); err != nil || len(got) != 2 {
			t.Errorf("%d tokens, %v", len(got), err)
		}
	}
	if s := l.Stats(); s.Failed+s.FailedSteps > 0 || s.Cancelled != 3 {
		t.Errorf("%+v", s)
	}
}

func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// TestLoopBusy: as many may wait as are allowed, beside those that run.
func TestLoopBusy(t *testing.T) {
	m := slowModel()
	m.Sequences, m.Pages = 2, 512
	l, _ := startLoop(t, m, engine.Options{MaxWaiting: 3})
	var streams []*engine.Stream
	for i := range 5 {
		s, err := l.Submit(t.Context(), engine.Request{Prompt: distinct(i, 5), MaxTokens: 800})
		if err != nil {
			t.Fatalf("request %d: %v", i, err)
		}
		streams = append(streams, s)
	}
	if _, err := l.Submit(t.Context(), engine.Request{Prompt: distinct(9, 5), MaxTokens: 1}); !errors.Is(err, engine.ErrBusy) {
		t.Errorf("got %v", err)
	}
	if _, err := l.Submit(t.Context(), engine.Request{Prompt: distinct(9, 5), MaxTokens: 8000}); !errors.Is(err, engine.ErrTooLong) {
		t.Errorf("got %v", err)
	}
	for _, s := range streams {
		s.Cancel()
		if _, err := readAll(t.Context(), s); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
	if _, err := l.Submit(t.Context(), engine.Request{Prompt: distinct(9, 5), MaxTokens: 1}); err != nil {
		t.Errorf("when all have gone: %v", err)
	}
}

// TestLoopDrain: what runs ends well, and nothing is taken any more.
func TestLoopDrain(t *testing.T) {
	l, _ := startLoop(t, slowModel(), engine.Options{})
	s, err := l.Submit(t.Context(), engine.Request{Prompt: distinct(1, 5), MaxTokens: 50})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Drain(canceled()); !errors.Is(err, context.Canceled) {
		t.Errorf("drained within no time: %v", err)
	}
	if _, err := l.Submit(t.Context(), engine.Request{Prompt: distinct(1, 5), MaxTokens: 50}); !errors.Is(err, engine.ErrClosed) {
		t.Errorf("submitted while it drains: %v", err)
	}
	if err := l.Drain(t.Context()); err != nil {
		t.Error(err)
	}
	if got, err := readAll(t.Context(), s); err != nil || len(got) != 50 {
		t.Errorf("%d tokens, %v", len(got), err)
	}
	if err := l.Drain(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestLoopClose ends what runs and what waits, and a second Close does nothing.
func TestLoopClose(t *testing.T) {
	m := slowModel()
	m.Sequences, m.Pages = 2, 512
	l, _ := startLoop(t, m, engine.Options{})
	var streams []*engine.Stream
	for i := range 6 {
		s, err := l.Submit(t.Context(), engine.Request{Prompt: distinct(i, 5), MaxTokens: 800})
		if err != nil {
			t.Fatal(err)
		}
		streams = append(streams, s)
	}
	if _, err := streams[0].Next(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(l.Close(), l.Close()); err != nil {
		t.Error(err)
	}
	for _, s := range streams {
		if _, err := readAll(t.Context(), s); !errors.Is(err, engine.ErrClosed) {
			t.Error(err)
		}
		s.Cancel()
	}
	if err := l.Drain(t.Context()); err != nil {
		t.Errorf("drained after Close: %v", err)
	}
}

// TestASlowReaderHoldsNobodyUp: the tokens of a stream that nobody reads wait for its reader, all of them.
func TestASlowReaderHoldsNobodyUp(t *testing.T) {
	l, _ := startLoop(t, enginetest.Options{Pages: 256, MaxPositions: 1000}, engine.Options{})
	slow, err := l.Submit(t.Context(), engine.Request{Prompt: distinct(1, 5), MaxTokens: 300})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		s, err := l.Submit(t.Context(), engine.Request{Prompt: distinct(i, 6), MaxTokens: 40})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := readAll(t.Context(), s); err != nil || len(got) != 40 {
			t.Errorf("%d tokens, %v", len(got), err)
		}
	}
	if got, err := readAll(t.Context(), slow); err != nil || len(got) != 300 {
		t.Errorf("%d tokens, %v", len(got), err)
	}
}

// TestLoopUnderAll: many goroutines submit, cancel, read slowly or not at all, while steps fail now and then, on a small cache. In
// the end every request has ended and every page is there.
func TestLoopUnderAll(t *testing.T) {
	m := enginetest.Options{Pages: 40, Before: func(n int, in exec.Inputs) error {
		if n%17 == 0 {
			return errBroken
		}
		return poisoned(n, in)
	}}
	l, _ := startLoop(t, m, engine.Options{MaxWaiting: 30, Patience: 10})
	var all sync.WaitGroup
	for g := range 8 {
		draw := rand.New(rand.NewPCG(uint64(g), 1))
		all.Go(func() {
			for range 60 {
				ctx, cancel := context.WithCancel(context.Background())
				s, err := l.Submit(ctx, engine.Request{Prompt: distinct(draw.IntN(6), 1+draw.IntN(30)), MaxTokens: draw.IntN(40), Priority: draw.IntN(3)})
				switch {
				case errors.Is(err, engine.ErrBusy):
				case err != nil:
					t.Error(err)
				case draw.IntN(4) == 0:
					s.Cancel()
				case draw.IntN(4) == 0:
					_, _ = s.Next(ctx)
				default:
					_, err := readAll(ctx, s)
					if r := s.Result(); r.Ended.IsZero() || err != nil && !errors.Is(err, errBroken) || (r.Err == nil) != (r.Finish != "") {
						t.Errorf("%v, %+v", err, r)
					}
				}
				cancel()
			}
		})
	}
	all.Wait()
	if err := l.Drain(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestLoopOfTheSmallModel: requests that come at once, of which some are given up in the middle, say in a loop what they say alone.
func TestLoopOfTheSmallModel(t *testing.T) {
	g := smallModel(t)
	m := g.start(t, g.compile(t, compiler.Options{}), "cpu", 0)
	vocab := m.exec.Plan().Facts.VocabSize
	var requests []engine.Request
	var want [][]int32
	for i := range 12 {
		r := engine.Request{Prompt: make([]int32, 5+i*9), MaxTokens: 4 + i, Sampling: sample.Params{Temperature: float64(i % 2), Seed: uint64(i)}}
		for k := range r.Prompt {
			r.Prompt[k] = int32((k*61 + k/16*(i%3)) % vocab)
		}
		out, err := m.engine.Generate(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		requests, want = append(requests, r), append(want, out.Output)
	}
	e, err := engine.New(m.exec, engine.Options{MixedChunk: 16})
	if err != nil {
		t.Fatal(err)
	}
	l := engine.NewLoop(e)
	defer l.Close()
	var all sync.WaitGroup
	for round := range 3 {
		for i, r := range requests {
			s, err := l.Submit(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			all.Go(func() {
				var got []int32
				if (i+round)%3 == 0 {
					if i%2 == 0 {
						first, _ := s.Next(t.Context())
						for _, token := range first {
							got = append(got, token.ID)
						}
					}
					s.Cancel() // which may be too late
				}
				rest, err := readAll(t.Context(), s)
				got = append(got, rest...)
				if err == nil && !slices.Equal(got, want[i]) || err != nil && !errors.Is(err, context.Canceled) {
					t.Errorf("request %d: %v, %v, alone %v", i, got, err, want[i])
				}
			})
		}
	}
	all.Wait()
	if s := l.Stats(); s.Failed+s.FailedSteps > 0 || s.Cancelled == 0 || s.HitTokens == 0 || s.FreePages+s.CachedPages != s.Pages {
		t.Errorf("%+v", s)
	}
}
