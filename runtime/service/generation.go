package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/glmc/glmc/runtime/engine"
	"github.com/glmc/glmc/runtime/grammar"
	"github.com/glmc/glmc/runtime/sample"
	"github.com/glmc/glmc/runtime/text/stop"
)

// retryAfter is when a request may try again that found no room. Requests take seconds, and some end all the time.
const retryAfter = time.Second

// generation is a Generation. A single choice is read by whoever calls Next; several are read by a goroutine each, because
// they come in no order.
type generation struct {
	ctx     context.Context // done by cancel, and with the request's
	cancel  context.CancelFunc
	choices []*choice
	tokens  int // of the prompt

	arrived chan arrival   // of several choices
	readers sync.WaitGroup // of several choices
	running int            // choices that have not ended
	events  []Event        // of the last arrival, not told yet
	failed  error
}

// arrival is what came next of a choice.
type arrival struct {
	events []Event
	err    error // io.EOF: the choice ended
}

// generate hands the choices to the engine.
func (s *Service) generate(ctx context.Context, r *Request, p prompt, g *grammar.Grammar) (Generation, error) {
	ids := s.stops(r, g != nil)
	requests, err := s.requests(r, p, ids)
	if err != nil {
		return nil, err
	}
	stops, err := stop.Compile(r.Stop)
	if err != nil {
		return nil, &Error{Kind: Invalid, Param: "stop", Message: err.Error(), Err: err}
	}
	ctx, cancel := context.WithCancel(ctx)
	out := &generation{ctx: ctx, cancel: cancel, running: len(requests), tokens: len(p.ids)}
	for i := range requests {
		c := s.choose(r, p, ids, stops, i)
		if g != nil {
			c.minTokens = 0 // behind a complete form there is nothing but a token that ends it
		}
		if stops != nil {
			requests[i].Until = s.text(r, stops).Until
		}
		if g != nil {
			requests[i].Constraint = g.Start()
		}
		requests[i].PromptLogprobs = i == 0 && r.PromptLogprobs // the others find the prompt in the cache
		if c.stream, err = s.loop.Submit(ctx, requests[i]); err != nil {
			cancel()
			return nil, fault(err)
		}
		out.choices = append(out.choices, c)
	}
	if len(out.choices) > 1 {
		out.read()
	}
	return out, nil
}

// read begins to read all choices.
func (g *generation) read() {
	g.arrived = make(chan arrival)
	for _, c := range g.choices {
		g.readers.Go(func() {
			for {
				events, err := c.next(g.ctx)
				select {
				case g.arrived <- arrival{events, err}:
				case <-g.ctx.Done():
					return
				}
				if err != nil {
					return
				}
			}
		})
	}
}

// Next implements Generation.
func (g *generation) Next(ctx context.Context) (Event, error) {
	for len(g.events) == 0 {
		switch {
		case g.failed != nil:
			return Event{}, g.failed
		case g.running == 0:
			return Event{}, io.EOF
		}
		a, err := g.wait(ctx)
		if err != nil {
			return Event{}, err
		}
		g.events = a.events
		if errors.Is(a.err, io.EOF) {
			g.running--
		} else if a.err != nil {
			g.failed = fault(a.err)
			g.cancel()
		}
	}
	e := g.events[0]
	g.events = g.events[1:]
	return e, nil
}

func (g *generation) wait(ctx context.Context) (arrival, error) {
	if g.arrived == nil {
		events, err := g.choices[0].next(ctx)
		return arrival{events, err}, nil
	}
	select {
	case a := <-g.arrived:
		return a, nil
	case <-g.ctx.Done(): // nobody reads any more
		return arrival{err: g.ctx.Err()}, nil
	case <-ctx.Done():
		return arrival{}, fault(ctx.Err())
	}
}

// Usage implements Generation.
func (g *generation) Usage() Usage {
	var u Usage
	for i, c := range g.choices {
		r := c.stream.Result()
		if i == 0 {
			u.Prompt, u.Cached = g.tokens, r.Cached
		}
		u.Output += int(c.output.Load())
		u.Reasoning += int(c.reasoning.Load())
	}
	return u
}

// Prompt implements Generation.
func (g *generation) Prompt() []sample.Token { return g.choices[0].stream.Prompt() }

// Close implements Generation.
func (g *generation) Close() {
	g.cancel()
	g.readers.Wait()
}

// fault turns an error of the engine into one of the service.
func fault(err error) *Error {
	var known *Error
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, engine.ErrBusy):
		return &Error{Kind: Busy, Message: "the server has as many requests as it can hold: try again later", RetryAfter: retryAfter, Err: err}
	case errors.Is(err, engine.ErrTooLong):
		return &Error{Kind: TooLong, Param: "max_tokens", Message: err.Error(), Err: err}
	case errors.Is(err, engine.ErrClosed):
		return &Error{Kind: Unavailable, Message: "the server is ending: send the request to another one, or again later", Err: err}
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return &Error{Kind: Unavailable, Message: "the request was cancelled", Err: err}
	}
	return &Error{Kind: Internal, Message: fmt.Sprintf("the request failed: %v", err), Err: err}
}
