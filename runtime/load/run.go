package load

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// Measure sends the sessions to a server and waits for all replies. When ctx ends it gives up what is under way, and says
// what it has. Its error is that nothing could be measured at all: a server that answers no warm-up request.
func Measure(ctx context.Context, sessions []Session, o Options) (*Run, error) {
	if len(sessions) == 0 {
		return nil, errors.New("there are no requests to send")
	}
	if !(o.Rate > 0) || o.Concurrency < 0 {
		return nil, fmt.Errorf("a rate of %v and a concurrency of %d: wants a rate above 0, and a concurrency from 0 on", o.Rate, o.Concurrency)
	}
	c, err := newClient(&o)
	if err != nil {
		return nil, err
	}
	defer c.close()
	if err := c.warmUp(ctx); err != nil {
		return nil, err
	}
	r := &runner{client: c, sessions: sessions}
	if o.Concurrency > 0 {
		r.free = make(chan struct{}, o.Concurrency)
	}
	return r.run(ctx), nil
}

// warmUp sends requests that do not count.
func (c *client) warmUp(ctx context.Context) error {
	for i := range c.o.WarmUp {
		if out := c.send(ctx, &c.o.WarmUp[i]); out.Err != nil {
			return fmt.Errorf("the server does not answer: %w", out.Err)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// arrivals are the times at which sessions arrive: of a Poisson process the gaps are exponentially distributed. The first
// one arrives at once.
func arrivals(n int, rate float64, seed uint64) []time.Duration {
	times := make([]time.Duration, n)
	if math.IsInf(rate, 1) {
		return times
	}
	draw := rand.New(rand.NewPCG(seed, 0x6172726976616c73)) // a stream of its own, so that lengths do not depend on the rate
	at := 0.0
	for i := 1; i < n; i++ {
		at += draw.ExpFloat64() / rate
		times[i] = time.Duration(at * float64(time.Second))
	}
	return times
}

// runner is one run.
type runner struct {
	client   *client
	sessions []Session
	free     chan struct{} // a place for each session that may be under way; nil: no bound

	mu       sync.Mutex
	outcomes []Outcome
}

func (r *runner) run(ctx context.Context) *Run {
	c := r.client
	due := arrivals(len(r.sessions), c.o.Rate, c.o.Seed)
	c.start = time.Now()
	var under sync.WaitGroup
	for i := range r.sessions {
		if !r.wait(ctx, due[i]) {
			break
		}
		under.Go(func() {
			if r.free != nil {
				defer func() { <-r.free }()
			}
			r.session(ctx, i)
		})
	}
	under.Wait()
	run := &Run{Outcomes: r.outcomes, Duration: c.now(), Interrupted: ctx.Err() != nil}
	slices.SortFunc(run.Outcomes, func(a, b Outcome) int {
		return cmp.Or(cmp.Compare(a.Session, b.Session), cmp.Compare(a.Turn, b.Turn))
	})
	return run
}

// wait waits until a session is due, and then for a place. It is false where ctx ended.
func (r *runner) wait(ctx context.Context, due time.Duration) bool {
	if left := due - r.client.now(); left > 0 {
		timer := time.NewTimer(left)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return false
		}
	}
	if r.free == nil {
		return ctx.Err() == nil
	}
	select {
	case r.free <- struct{}{}:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// session sends the turns of a session. One that fails ends it: what follows builds on it.
func (r *runner) session(ctx context.Context, i int) {
	for j := range r.sessions[i].Turns {
		out := r.client.send(ctx, &r.sessions[i].Turns[j])
		out.Session, out.Turn = i, j
		r.add(out)
		if out.Err != nil || out.Unfinished {
			return
		}
	}
}

func (r *runner) add(out Outcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.outcomes = append(r.outcomes, out)
	if r.client.o.Observe != nil {
		r.client.o.Observe(&out)
	}
}
