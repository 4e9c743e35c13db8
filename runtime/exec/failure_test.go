package exec

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
)

// TestOneRankFails makes every kernel of every rank fail in turn. Every rank returns, the step gives the error of
// the rank that failed, no goroutine stays, and the next step works as if nothing had been.
func TestOneRankFails(t *testing.T) {
	for _, device := range DeviceNames() {
		for _, ranks := range []int{1, 2, 4} {
			t.Run(fmt.Sprintf("%s on %d ranks", device, ranks), func(t *testing.T) {
				e := start(t, toy(t, ranks, dtype.F32), Options{Device: device})
				in := toyInputs(5, 2, 1)
				want := runStep(t, e, in)
				running := goleak.IgnoreCurrent()
				for rank := range ranks {
					steps := e.ranks[rank].programs["forward"][0].steps
					for i := range steps {
						broken := fmt.Errorf("rank %d is broken", rank)
						run := steps[i].run
						steps[i].run = func(*kernels.Call) error { return broken }
						_, err := e.Step(context.Background(), "forward", in)
						steps[i].run = run
						if !errors.Is(err, broken) {
							t.Fatalf("step %d of rank %d failed, the error is %v", i, rank, err)
						}
						if text := fmt.Sprintf("%s of model (toy.glm:1:1): rank %d is broken", steps[i].node.Op.Name, rank); err.Error() != text {
							t.Errorf("the error is %q, want %q", err, text)
						}
						if diff := cmp.Diff(want, runStep(t, e, in)); diff != "" {
							t.Fatalf("the step after a failure (-before +after):\n%s", diff)
						}
					}
				}
				if err := goleak.Find(running); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// TestKernelPanics makes every kernel of every rank panic in turn: that is the error of the step, which says where, and the next
// one works.
func TestKernelPanics(t *testing.T) {
	for _, ranks := range []int{1, 2} {
		e := start(t, toy(t, ranks, dtype.F32), Options{Device: "cpu", Threads: 2})
		in := toyInputs(5, 2, 1)
		want := runStep(t, e, in)
		for rank := range ranks {
			steps := e.ranks[rank].programs["forward"][0].steps
			for i := range steps {
				run := steps[i].run
				steps[i].run = func(*kernels.Call) error { panic(fmt.Sprintf("rank %d is broken", rank)) }
				_, err := e.Step(context.Background(), "forward", in)
				steps[i].run = run
				var p *Panic
				if !errors.As(err, &p) || p.Reason != fmt.Sprintf("rank %d is broken", rank) || !strings.Contains(p.Stack, "TestKernelPanics") ||
					!strings.HasPrefix(err.Error(), steps[i].node.Op.Name+" of model (toy.glm:1:1) panicked: ") {
					t.Fatalf("step %d of rank %d panicked, the error is %v", i, rank, err)
				}
				if diff := cmp.Diff(want, runStep(t, e, in)); diff != "" {
					t.Fatalf("the step after a panic (-before +after):\n%s", diff)
				}
			}
		}
	}
}

// TestCancelMidStep cancels from within a step, on one rank and at any place.
func TestCancelMidStep(t *testing.T) {
	for _, ranks := range []int{1, 2, 4} {
		var at atomic.Int64 // how many more steps of any rank until the context is cancelled
		var cancel context.CancelFunc
		trace := func(int, *ir.Node, *kernels.Call) {
			if at.Add(-1) == 0 {
				cancel()
			}
		}
		e := start(t, toy(t, ranks, dtype.F32), Options{Trace: trace})
		in := toyInputs(3, 1, 1)
		at.Store(1 << 40)
		want := runStep(t, e, in)
		steps := len(e.ranks[0].programs["forward"][0].steps)
		for n := 1; n < steps; n++ {
			var ctx context.Context
			ctx, cancel = context.WithCancel(context.Background())
			at.Store(int64(n))
			_, err := e.Step(ctx, "forward", in)
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%d ranks, cancelled after %d steps: error %v", ranks, n, err)
			}
			cancel()
			at.Store(1 << 40)
			if diff := cmp.Diff(want, runStep(t, e, in)); diff != "" {
				t.Fatalf("the step after a cancelled one (-before +after):\n%s", diff)
			}
		}
	}
}

func TestCancelledBeforeTheStep(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	e := start(t, toy(t, 2, dtype.F32), Options{})
	if _, err := e.Step(ctx, "forward", toyInputs(1, 1, 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if _, err := New(ctx, toy(t, 2, dtype.F32), toyCheckpoint(t), Options{Device: "cpu", Pages: 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("loading with a cancelled context: %v", err)
	}
}

// TestBadInputsOfAllRanks: what every rank refuses is one error.
func TestBadInputsOfAllRanks(t *testing.T) {
	for _, device := range DeviceNames() {
		e := start(t, toy(t, 4, dtype.F32), Options{Device: device})
		in := toyInputs(2, 1, 1)
		want := runStep(t, e, in)
		for _, bad := range []struct {
			name  string
			value int32
			texts []string
		}{
			{"tokens", toyVocab, []string{"embed of model (toy.glm:1:1)", "16"}},
			{"tokens", -1, []string{"embed", "-1"}},
			{"rows", 2, []string{"gather.rows", "2"}},
		} {
			wrong := toyInputs(2, 1, 1)
			wrong[bad.name].I32[0] = bad.value
			_, err := e.Step(context.Background(), "forward", wrong)
			wantError(t, err, bad.texts...)
			if diff := cmp.Diff(want, runStep(t, e, in)); diff != "" {
				t.Fatalf("the step after a refused one (-before +after):\n%s", diff)
			}
		}
	}
}

func TestCloseTwice(t *testing.T) {
	for _, device := range DeviceNames() {
		e := start(t, toy(t, 2, dtype.F32), Options{Device: device, Threads: 8})
		runStep(t, e, toyInputs(1, 1, 1))
		e.Close()
		e.Close()
		if err := goleak.Find(); err != nil {
			t.Errorf("%s: %v", device, err)
		}
	}
}
