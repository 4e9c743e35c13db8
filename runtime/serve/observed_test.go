package serve

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

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

// TestCloseWhileReading: a generation may be closed while somebody waits for its next event, and is counted once.
func TestCloseWhileReading(t *testing.T) {
	x := start(t, Options{})
	b := x.Observe(x.backend)
	text := "@text \"a\"\nhang"
	g, err := b.Start(context.Background(), service.Request{Text: &text})
	if err != nil {
		t.Fatal(err)
	}
	reading := make(chan error)
	go func() {
		for {
			if _, err := g.Next(context.Background()); err != nil {
				reading <- err
				return
			}
		}
	}()
	time.Sleep(20 * time.Millisecond) // it hangs now, mostly
	g.Close()
	g.Close()
	select {
	case <-reading:
	case <-time.After(5 * time.Second):
		t.Fatal("nothing ends the wait")
	}
	if got := x.samples(`^vllm:request_success_total.*"abort"`); len(got) != 1 || got[0] != `vllm:request_success_total{finished_reason="abort",model_name="tiny"} 1` {
		t.Errorf("%q", got)
	}
	if len(x.live.list) != 0 {
		t.Errorf("%d generations are still live", len(x.live.list))
	}
}

// TestSameID: requests that come with the same id are told apart.
func TestSameID(t *testing.T) {
	var l live
	a, b := l.add("id", &observedGeneration{}), l.add("id", &observedGeneration{})
	if a != "id" || b == "id" || l.find(a) == l.find(b) {
		t.Errorf("%q, %q", a, b)
	}
	if c := l.add("", &observedGeneration{}); c == "" {
		t.Error("a generation without an id")
	}
}

// TestFailuresAreLogged: the log says why a request failed, beside its id, before its first token and behind it.
func TestFailuresAreLogged(t *testing.T) {
	x := start(t, Options{})
	for id, script := range map[string]string{
		"early": `refuse internal "there is no memory"`,
		"late":  "text \"a\"\nfail internal \"the step fell over\"",
	} {
		x.ask("POST", "/v1/say", "@"+script, "X-Request-Id: "+id)
	}
	x.logged(`"msg":"a request failed","request_id":"early","error":"there is no memory"`)
	x.logged(`"msg":"a request failed","request_id":"late","error":"the step fell over"`)
	x.ask("POST", "/v1/say", `@refuse invalid "not so"`, "X-Request-Id: wrong")
	if log := x.log.String(); strings.Contains(log, `failed","request_id":"wrong"`) {
		t.Errorf("a wrong request is logged as a failure:\n%s", log)
	}
}
