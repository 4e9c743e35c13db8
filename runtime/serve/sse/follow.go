package sse

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/glmc/glmc/runtime/sample"
	"github.com/glmc/glmc/runtime/service"
)

// KeepAlive is after how long without events a comment is due. Proxies cut connections on which nothing happens after a minute,
// some after half of one.
const KeepAlive = 10 * time.Second

// Arrival is an event that came, with what was known of its generation then: a generation that another goroutine reads must not
// be asked.
type Arrival struct {
	Generation int // its number
	Event      service.Event
	Usage      service.Usage
	Prompt     []sample.Token // with the first event: tokens of the prompt, of Request.PromptLogprobs
	err        error
}

// Follow hands the events of generations to on, in the order in which they come, and calls idle whenever nothing came for so long
// as every says. It returns nil after the end of all of them, and otherwise the first error: of
// a generation, of on, of idle or of ctx. The generations are closed then.
func Follow(ctx context.Context, generations []service.Generation, every time.Duration, on func(Arrival) error, idle func() error) error {
	ctx, cancel := context.WithCancel(ctx)
	arrivals := make(chan Arrival, 16)
	var readers sync.WaitGroup
	defer readers.Wait()
	defer func() {
		cancel()
		for _, g := range generations {
			g.Close()
		}
	}()
	for i, g := range generations {
		readers.Go(func() { read(ctx, i, g, arrivals) })
	}
	silence := time.NewTicker(every)
	defer silence.Stop()
	for left := len(generations); left > 0; {
		var err error
		select {
		case a := <-arrivals:
			silence.Reset(every)
			switch {
			case a.err == nil:
				err = on(a)
			case errors.Is(a.err, io.EOF):
				left--
			default:
				err = a.err
			}
		case <-silence.C:
			err = idle()
		case <-ctx.Done():
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// read passes on what a generation gives, its end included, until nobody wants it.
func read(ctx context.Context, i int, g service.Generation, arrivals chan<- Arrival) {
	for first := true; ; first = false {
		event, err := g.Next(ctx)
		a := Arrival{Generation: i, Event: event, Usage: g.Usage(), err: err}
		if first && err == nil {
			a.Prompt = g.Prompt()
		}
		select {
		case arrivals <- a:
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}
