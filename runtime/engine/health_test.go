package engine_test

import (
	"context"
	"errors"
	"io"
	"math"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/runtime/engine"
	"github.com/glmc/glmc/runtime/engine/enginetest"
	"github.com/glmc/glmc/runtime/exec"
	"github.com/glmc/glmc/runtime/sample"
)

// submitted runs a request in a loop to its end.
func submitted(t *testing.T, l *engine.Loop, r engine.Request) error {
	t.Helper()
	s, err := l.Submit(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	_, err = readAll(t.Context(), s)
	return err
}

// awaitHealth asks until the loop is well, or is not.
func awaitHealth(t *testing.T, l *engine.Loop, well bool) error {
	t.Helper()
	for range 1000 {
		if err := l.Healthy(); (err == nil) == well {
			return err
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("well: %t; still %v", well, l.Healthy())
	return nil
}

// TestADeadDeviceIsTold, and that it lives again.
func TestADeadDeviceIsTold(t *testing.T) {
	var dead atomic.Bool
	log := &recorder{}
	l, _ := startLoop(t, enginetest.Options{Before: func(int, exec.Inputs) error {
		if dead.Load() {
			return errBroken
		}
		return nil
	}}, engine.Options{Observe: log})
	request := engine.Request{Prompt: []int32{1, 2, 3}, MaxTokens: 4}
	if err := submitted(t, l, request); err != nil || l.Healthy() != nil {
		t.Fatalf("%v, %v", err, l.Healthy())
	}
	dead.Store(true)
	for range 3 {
		if err := submitted(t, l, request); !errors.Is(err, errBroken) {
			t.Errorf("a request: %v", err)
		}
	}
	if err := awaitHealth(t, l, false); !errors.Is(err, errBroken) || !strings.Contains(err.Error(), "a single token") {
		t.Errorf("of a dead device: %v", err)
	}
	if st := l.Stats(); st.Failed != 3 || st.Length != 1 || log.ended.Load() != 4 {
		t.Errorf("trials are counted as requests: %+v, %d ended", st, log.ended.Load())
	}
	dead.Store(false)
	awaitHealth(t, l, true)
	if err := submitted(t, l, request); err != nil || l.Healthy() != nil {
		t.Errorf("afterwards: %v, %v", err, l.Healthy())
	}
}

// recorder counts requests that ended.
type recorder struct{ ended atomic.Int64 }

func (r *recorder) Stepped(engine.StepStats) {}
func (r *recorder) Ended(engine.Result)      { r.ended.Add(1) }

// TestBadRequestsAreNoDeadDevice: however many requests fail one after the other, and side by side, the engine is well as long as it can do
// anything at all.
func TestBadRequestsAreNoDeadDevice(t *testing.T) {
	l, _ := startLoop(t, enginetest.Options{Before: poisoned}, engine.Options{})
	for range 4 {
		var all []*engine.Stream
		for i := range 6 {
			s, err := l.Submit(t.Context(), engine.Request{Prompt: []int32{int32(i), poison}, MaxTokens: 2})
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, s)
		}
		for _, s := range all {
			if _, err := readAll(t.Context(), s); !errors.Is(err, errBroken) {
				t.Errorf("%v", err)
			}
			if err := l.Healthy(); err != nil {
				t.Errorf("bad requests make the engine ill: %v", err)
			}
		}
	}
	if err := submitted(t, l, engine.Request{Prompt: []int32{1, 2}, MaxTokens: 2}); err != nil || l.Healthy() != nil {
		t.Errorf("%v, %v", err, l.Healthy())
	}
}

// sinking is a model whose logits are no numbers from some time on, as when its weights were written over.
type sinking struct {
	*enginetest.Executor
	sunk *atomic.Bool
}

func (s sinking) Step(ctx context.Context, entry string, in exec.Inputs) ([]kernels.Tensor, error) {
	out, err := s.Executor.Step(ctx, entry, in)
	if err == nil && s.sunk.Load() {
		for i := range out[0].F32 {
			out[0].F32[i] = float32(math.NaN())
		}
	}
	return out, err
}

// TestLogitsThatAreNoNumbersAreTold although no step fails.
func TestLogitsThatAreNoNumbersAreTold(t *testing.T) {
	var sunk atomic.Bool
	e, err := engine.New(sinking{enginetest.New(enginetest.Options{}), &sunk}, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	l := engine.NewLoop(e)
	defer func() { _ = l.Close() }()
	sunk.Store(true)
	for range 3 {
		if err := submitted(t, l, engine.Request{Prompt: []int32{1, 2}, MaxTokens: 2}); !errors.Is(err, sample.ErrNotFinite) {
			t.Errorf("%v", err)
		}
	}
	if err := awaitHealth(t, l, false); !errors.Is(err, sample.ErrNotFinite) {
		t.Errorf("%v", err)
	}
}

// collapsing panics where no request can be to blame, some steps behind the time when all are there.
type collapsing struct {
	recorder
	there chan struct{} // closed then
	steps atomic.Int64
}

func (c *collapsing) Stepped(engine.StepStats) {
	<-c.there
	if c.steps.Add(1) == 5 {
		panic("the engine is broken")
	}
}

// TestALoopThatPanics ends its requests with the reason and takes no others; the process goes on, and says that it is ill.
func TestALoopThatPanics(t *testing.T) {
	there := make(chan struct{})
	e, err := engine.New(enginetest.New(enginetest.Options{}), engine.Options{Observe: &collapsing{there: there}})
	if err != nil {
		t.Fatal(err)
	}
	l := engine.NewLoop(e)
	var all []*engine.Stream
	for i := range 3 {
		s, err := l.Submit(t.Context(), engine.Request{Prompt: []int32{int32(i), 2}, MaxTokens: 30})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	close(there)
	for _, s := range all {
		var p *exec.Panic
		if _, err := readAll(t.Context(), s); !errors.As(err, &p) || p.Reason != "the engine is broken" || !strings.Contains(p.Stack, "Stepped") {
			t.Errorf("%v", err)
		}
		if _, err := s.Next(t.Context()); err == nil || errors.Is(err, io.EOF) {
			t.Errorf("read again: %v", err)
		}
	}
	if err := l.Healthy(); err == nil || err.Error() != "the engine panicked: the engine is broken" {
		t.Errorf("%v", err)
	}
	if _, err := l.Submit(t.Context(), engine.Request{Prompt: []int32{1}, MaxTokens: 1}); err == nil || err != l.Ready() || errors.Is(err, engine.ErrClosed) {
		t.Errorf("a request afterwards: %v", err)
	}
	if err := errors.Join(l.Drain(t.Context()), l.Close()); err != nil {
		t.Error(err)
	}
}
