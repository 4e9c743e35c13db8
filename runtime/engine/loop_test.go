package engine_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/runtime/engine"
	"github.com/glmc/glmc/runtime/engine/enginetest"
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
func alone(t testing.TB, m enginetest.Options, r engine.Request) []int32 {
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
