package serve

import (
	"sync"
	"testing"

	"github.com/glmc/glmc/runtime/service"
	"github.com/glmc/glmc/runtime/service/servicetest"
)

// TestCloseBesideNext: a generation may be closed while another goroutine reads it, as streams do whose client went. The race
// detector sees whether what is told of it is read safely.
func TestCloseBesideNext(t *testing.T) {
	script, err := servicetest.Parse(say)
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(Options{LogPrompts: true})
	if err != nil {
		t.Fatal(err)
	}
	backend := s.Observe(&servicetest.Backend{Describe: servicetest.Model(), Script: func(service.Request) servicetest.Script { return script }})
	s.metrics.Serve(backend.Model(), Cache{}, nil)
	text := "Hello"
	for range 50 {
		g, err := backend.Start(t.Context(), service.Request{Text: &text})
		if err != nil {
			t.Fatal(err)
		}
		var reader sync.WaitGroup
		reader.Go(func() {
			for {
				if _, err := g.Next(t.Context()); err != nil {
					return
				}
			}
		})
		g.Close()
		reader.Wait()
	}
	if n := len(s.live.list); n != 0 {
		t.Errorf("%d generations are live", n)
	}
}
