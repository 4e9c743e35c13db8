package sse

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/glmc/glmc/runtime/service"
)

// KeepAlive is after how long without events a comment is due. Proxies cut connections on which nothing happens after a minute,
// some after half of one.
const KeepAlive = 10 * time.Second

// Follow hands the events of generations to on, in the order in which they come, with the generation's number, and calls idle
// whenever nothing came for so long as every says. It returns nil after the end of all of them, and otherwise the first error: of
// a generation, of on, of idle or of ctx. The generations are closed then.
func Follow(ctx context.Context, generations []service.Generation, every time.Duration, on func(int, service.Event) error, idle func() error) error {
	ctx, cancel := context.WithCancel(ctx)
	arrivals := make(chan arrival, 16)
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
				err = on(a.generation, a.event)
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

type arrival struct {
	generation int
	event      service.Event
	err        error
}

// read passes on what a generation gives, its end included, until nobody wants it.
func read(ctx context.Context, i int, g service.Generation, arrivals chan<- arrival) {
	for {
		event, err := g.Next(ctx)
		select {
		case arrivals <- arrival{i, event, err}:
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}
