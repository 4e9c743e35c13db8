package service_test

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/runtime/engine"
	"github.com/glmc/glmc/runtime/service"
	"github.com/glmc/glmc/runtime/service/modeltest"
)

// TestGivenUpAtAnyMoment: requests of several choices are refused, cancelled and closed at any moment, and steps fail, on a server that has
// room for few. Each ends with its reply or with an error that says why, and afterwards all is as it was.
func TestGivenUpAtAnyMoment(t *testing.T) {
	broken := errors.New("broken")
	var sound atomic.Bool
	s := scripted(t, modeltest.Options{Pages: 24, Engine: engine.Options{MaxRunning: 3, MaxWaiting: 10}, Before: func(step int) error {
		if step%97 == 96 && !sound.Load() {
			return broken
		}
		return nil
	}})
	say := "\n<think>Let me see.</think>\n" + strings.Repeat("word ", 12)
	want := reply{Reasoning: "Let me see.", Text: strings.Repeat("word ", 12), Finish: service.FinishStop}
	var mu sync.Mutex
	outcomes := map[string]int{}
	try := func(r *rand.Rand) string {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		q := told(say)
		q.Choices = 1 + r.IntN(5)
		g, err := s.Start(ctx, q)
		var fault *service.Error
		if errors.As(err, &fault) && fault.Kind == service.Busy {
			time.Sleep(time.Duration(r.IntN(5000)) * time.Microsecond)
			return "busy"
		}
		if err != nil {
			t.Errorf("a request is refused: %v", err)
			return "refused"
		}
		defer g.Close()
		switch r.IntN(4) {
		case 0:
			time.AfterFunc(time.Duration(r.IntN(3000))*time.Microsecond, cancel)
		case 1:
			time.AfterFunc(time.Duration(r.IntN(3000))*time.Microsecond, g.Close)
		}
		replies := make([]reply, q.Choices)
		for {
			e, err := g.Next(t.Context())
			switch {
			case errors.Is(err, io.EOF):
				for _, got := range replies {
					if diff := cmp.Diff(want, got); diff != "" {
						t.Errorf("another reply: %s", diff)
					}
				}
				return "whole"
			case errors.Is(err, broken):
				return "broken"
			case errors.Is(err, context.Canceled):
				return "given up"
			case err != nil:
				t.Errorf("it ends with %v", err)
				return "failed"
			}
			at := &replies[e.Choice]
			switch e.Kind {
			case service.Reasoning:
				at.Reasoning += e.Text
			case service.Text:
				at.Text += e.Text
			case service.Done:
				at.Finish = e.Finish
			}
			_ = g.Usage()
		}
	}
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			r := rand.New(rand.NewPCG(1, uint64(i)))
			for range 40 {
				outcome := try(r)
				mu.Lock()
				outcomes[outcome]++
				mu.Unlock()
			}
		})
	}
	all.Wait()
	sound.Store(true)
	t.Log(outcomes)
	for _, outcome := range []string{"whole", "busy", "given up"} {
		if outcomes[outcome] == 0 {
			t.Errorf("no request was %s", outcome)
		}
	}
	// Nothing is held any more: a request that takes nearly all pages runs.
	large := told(strings.Repeat("word ", 30))
	n := 24*16 - 200
	large.MaxTokens = &n
	if got, _ := collect(t, s, large); got[0].Text != strings.Repeat("word ", 30) {
		t.Errorf("afterwards: %+v", got)
	}
}
