package serve

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/glmc/glmc/runtime/engine"
	"github.com/glmc/glmc/runtime/serve/route"
)

// receiver is a collector of a test.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	spans  []*tracepb.Span
	name   string // of the service
	key    string
	answer int // status; 0: 200
	asked  int
}

func newReceiver(t *testing.T) *receiver {
	c := &receiver{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.asked++
		body, err := io.ReadAll(r.Body)
		var data tracepb.TracesData
		if err != nil || r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/x-protobuf" || proto.Unmarshal(body, &data) != nil {
			t.Errorf("%s %v: %v", r.URL, r.Header, err)
		}
		if c.answer != 0 {
			w.WriteHeader(c.answer)
			return
		}
		c.key = r.Header.Get("X-Key")
		for _, rs := range data.ResourceSpans {
			for _, a := range rs.Resource.Attributes {
				if a.Key == "service.name" {
					c.name = a.Value.GetStringValue()
				}
			}
			for _, s := range rs.ScopeSpans {
				c.spans = append(c.spans, s.Spans...)
			}
		}
	}))
	t.Cleanup(c.Close)
	return c
}

// TestTraces: the spans of a request stand in the client's trace, one below the other, and tell no text.
func TestTraces(t *testing.T) {
	c := newReceiver(t)
	traces, err := NewTraces(context.Background(), c.URL, map[string]string{"X-Key": "secret"}, "glm", "test", func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	at := time.Unix(1000, 0)
	var x *trial
	x = start(t, Options{Traces: traces}, route.Route{Method: "POST", Pattern: "/v1/ended", Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		// The engine tells of the sequence while its generation is under way.
		for x.backend.Open() == 0 {
			time.Sleep(time.Millisecond)
		}
		x.Observer().Ended(engine.Result{ID: "r1", Arrived: at, Scheduled: at.Add(time.Second), First: at.Add(2 * time.Second), Ended: at.Add(4 * time.Second), Output: 2})
	})})
	done := make(chan answer)
	go func() {
		a, _ := x.try("POST", "/v1/say", "@text \"a\"\nwait 300ms\ndone stop\nusage prompt=9 output=2", "X-Request-Id: r1",
			"Traceparent: 00-0123456789abcdef0123456789abcdef-0123456789abcdef-01")
		done <- a
	}()
	x.ask("POST", "/v1/ended", "")
	<-done
	x.ask("GET", "/health", "")
	if err := traces.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	byID := map[string]*tracepb.Span{}
	for _, s := range c.spans {
		byID[string(s.SpanId)] = s
	}
	for _, s := range c.spans {
		if s.Name == "POST /v1/ended" {
			continue
		}
		parent := "the client's"
		if p := byID[string(s.ParentSpanId)]; p != nil {
			parent = p.Name
		}
		took := ""
		if parent != "the client's" {
			took = " " + time.Duration(s.EndTimeUnixNano-s.StartTimeUnixNano).String()
		}
		got[s.Name] = parent + took
		for _, a := range s.Attributes {
			if strings.Contains(a.Value.GetStringValue(), "text") {
				t.Errorf("%s has attribute %s: %v", s.Name, a.Key, a.Value)
			}
		}
	}
	want := map[string]string{"POST /v1/say": "the client's", "queue": "POST /v1/say 1s", "prefill": "POST /v1/say 1s", "decode": "POST /v1/say 2s"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if c.name != "glm" || c.key != "secret" {
		t.Errorf("service %q, header %q", c.name, c.key)
	}
}

// TestCollectorFails: a collector that has its hands full is asked again, another failure is told.
func TestCollectorFails(t *testing.T) {
	for status, wantTries := range map[int]int{http.StatusForbidden: 1, http.StatusServiceUnavailable: 2} {
		c := newReceiver(t)
		c.answer = status
		var told error
		client, err := newCollector(c.URL+"/v1/traces", nil, func(err error) { told = err })
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithTimeout(context.Background(), 1500*time.Millisecond) // one second between the first two tries
		err = client.UploadTraces(ctx, []*tracepb.ResourceSpans{{}})
		stop()
		if err == nil || c.asked != wantTries || wantTries == 1 && !errors.Is(err, told) {
			t.Errorf("%d: %v after %d tries, told %v", status, err, c.asked, told)
		}
		_ = client.Stop(context.Background())
	}
	for _, bad := range []string{"localhost:4318", "", "ftp://x", "http://"} {
		if _, err := newCollector(bad, nil, nil); err == nil {
			t.Errorf("%q is taken for a collector", bad)
		}
	}
}
