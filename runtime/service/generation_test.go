package service_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/glmc/glmc/runtime/service"
	"github.com/glmc/glmc/runtime/service/modeltest"
)

// TestUsageOnTheWay: a stream tells what was used so far while all choices go on.
func TestUsageOnTheWay(t *testing.T) {
	s := scripted(t, modeltest.Options{Delay: 50 * time.Microsecond})
	r := told("\n<think>" + strings.Repeat("well ", 20) + "</think>\n" + strings.Repeat("word ", 50))
	r.Choices = 4
	g, err := s.Start(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	last := service.Usage{}
	for {
		_, err := g.Next(t.Context())
		u := g.Usage()
		if u.Output < last.Output || u.Reasoning < last.Reasoning || u.Reasoning > u.Output {
			t.Fatalf("usage is %+v behind %+v", u, last)
		}
		last = u
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if last.Reasoning == 0 || last.Output < 4*50 {
		t.Errorf("usage is %+v", last)
	}
}

// TestCloseEndsNext: whoever waits for the next event gets an error when the generation is closed, or its request given up,
// and so does whoever asks afterwards.
func TestCloseEndsNext(t *testing.T) {
	s := scripted(t, modeltest.Options{Delay: 20 * time.Millisecond})
	for _, choices := range []int{1, 3} {
		for name, end := range map[string]func(service.Generation, context.CancelFunc){
			"closed":   func(g service.Generation, _ context.CancelFunc) { g.Close() },
			"given up": func(_ service.Generation, cancel context.CancelFunc) { cancel() },
		} {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			r := told(strings.Repeat("word ", 500))
			r.Choices = choices
			g, err := s.Start(ctx, r)
			if err != nil {
				t.Fatal(err)
			}
			defer g.Close()
			ended := make(chan error, 1)
			go func() {
				for {
					if _, err := g.Next(t.Context()); err != nil {
						_, again := g.Next(t.Context())
						ended <- errors.Join(err, again)
						return
					}
				}
			}()
			time.Sleep(30 * time.Millisecond)
			end(g, cancel)
			select {
			case err := <-ended:
				var fault *service.Error
				if !errors.As(err, &fault) || !errors.Is(err, context.Canceled) {
					t.Errorf("%d choices, %s: the error is %v", choices, name, err)
				}
			case <-time.After(5 * time.Second):
				t.Fatalf("%d choices, %s: Next still waits", choices, name)
			}
		}
	}
}
