package serve

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/glmc/glmc/runtime/engine"
	"github.com/glmc/glmc/runtime/serve/anthropic"
	"github.com/glmc/glmc/runtime/serve/openai"
	"github.com/glmc/glmc/runtime/serve/route"
	"github.com/glmc/glmc/runtime/service"
	"github.com/glmc/glmc/runtime/service/servicetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Keys of the tests.
const (
	keyA = "sk-alice-0123456789abcdef"
	keyB = "sk-bob-0123456789abcdef"
)

// trial is a server that runs for a test, with a scripted model behind it.
type trial struct {
	*Server
	t       *testing.T
	addr    string
	scheme  string
	client  *http.Client
	backend *servicetest.Backend
	log     *lines
	healthy func() error       // of the model
	stop    context.CancelFunc // begins its end
	done    chan error
}

// lines collects a log.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// say is a script of a short reply.
const say = `
text "Hel"
text "lo"
done stop
usage prompt=9 cached=4 output=2`

// start runs a server. The script of each request is the one that its text asks for by beginning with @, else say.
func start(t *testing.T, o Options, more ...route.Route) *trial {
	t.Helper()
	return startLoading(t, o, nil, more...)
}

// startLoading is start of a server whose model is there when loading is closed.
func startLoading(t *testing.T, o Options, loading chan struct{}, more ...route.Route) *trial {
	t.Helper()
	return startWith(t, o, loading, nil, more...)
}

// startWith is startLoading of a server whose model is as well as healthy says.
func startWith(t *testing.T, o Options, loading chan struct{}, healthy func() error, more ...route.Route) *trial {
	t.Helper()
	x := &trial{healthy: healthy, t: t, scheme: "http", log: &lines{}, done: make(chan error, 1)}
	x.backend = &servicetest.Backend{Describe: servicetest.Model(), Script: func(r service.Request) servicetest.Script {
		text := say
		if r.Text != nil && strings.HasPrefix(*r.Text, "@") {
			text = (*r.Text)[1:]
		}
		s, err := servicetest.Parse(text)
		if err != nil {
			t.Error(err)
		}
		return s
	}}
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	if o.Limits == (Limits{}) {
		o.Limits = DefaultLimits()
	}
	if o.Log == nil {
		var err error
		if o.Log, err = NewLog(x.log, "json", slog.LevelDebug); err != nil {
			t.Fatal(err)
		}
	}
	listening := make(chan net.Addr, 1)
	o.Listening = func(a net.Addr) { listening <- a }
	var err error
	if x.Server, err = New(o); err != nil {
		t.Fatal(err)
	}
	if o.Certificate != nil {
		x.scheme = "https"
	}
	ctx, stop := context.WithCancel(context.Background())
	x.stop = stop
	go func() { x.done <- x.Run(ctx, x.load(loading, more)) }()
	select {
	case a := <-listening:
		x.addr = a.String()
	case err := <-x.done:
		t.Fatal(err)
	}
	x.client = &http.Client{Transport: &http.Transport{}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	t.Cleanup(func() {
		stop()
		x.client.CloseIdleConnections()
		if err := <-x.done; err != nil {
			t.Error(err)
		}
	})
	if loading == nil {
		x.await("/ready", http.StatusOK)
	}
	return x
}

// load gives the routes of the scripted model.
func (x *trial) load(loading chan struct{}, more []route.Route) func(context.Context) (*Loaded, error) {
	return func(ctx context.Context) (*Loaded, error) {
		if loading != nil {
			select {
			case <-loading:
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		b := x.Observe(x.backend)
		x.metrics.Serve(b.Model(), Cache{PageSize: 16, Pages: 64}, func() engine.Stats {
			return engine.Stats{Running: 1, FreePages: 48, Pages: 64,
				Drafts: [engine.Origins]engine.DraftStats{{Steps: 4, Proposed: 13, Checked: 12, Accepted: 6}, {Steps: 2, Proposed: 9, Checked: 8, Accepted: 4}}}
		})
		return &Loaded{Healthy: x.healthy, Routes: slices.Concat(openai.Routes(b, openai.Options{}), anthropic.Routes(b, anthropic.Options{}), []route.Route{
			{Method: "POST", Pattern: "/v1/say", Handler: talk(b)},
			{Method: "POST", Pattern: "/v1/ask", API: route.Anthropic, Handler: talk(b)},
			{Method: "GET", Pattern: "/{$}", Access: route.Public, Control: true, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				fmt.Fprint(w, "console")
			})},
		}, more)}, nil
	}
}

// talk is a handler that asks the model to continue the body, and sends its text as it comes. Errors are lines.
func talk(b service.Backend) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(err) // the server read it before
		}
		text := string(body)
		g, err := b.Start(r.Context(), service.Request{Text: &text})
		if err != nil {
			fault := route.Fault(r.Context(), err)
			http.Error(w, fault.Message, route.Status(fault))
			return
		}
		defer g.Close()
		for {
			e, err := g.Next(r.Context())
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				fmt.Fprintf(w, "\nerror: %v\n", err)
				return
			}
			fmt.Fprint(w, e.Text)
			if err := http.NewResponseController(w).Flush(); err != nil {
				return
			}
		}
	})
}

// answer is a response that was read.
type answer struct {
	status int
	header http.Header
	body   string
}

// ask sends a request. Headers are "Name: value".
func (x *trial) ask(method, path, body string, headers ...string) answer {
	x.t.Helper()
	a, err := x.try(method, path, body, headers...)
	if err != nil {
		x.t.Fatal(err)
	}
	return a
}

func (x *trial) try(method, path, body string, headers ...string) (answer, error) {
	var in io.Reader
	if body != "" {
		in = strings.NewReader(body)
	}
	r, err := http.NewRequest(method, x.scheme+"://"+x.addr+path, in)
	if err != nil {
		return answer{}, err
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Host" {
			r.Host = value
			continue
		}
		r.Header.Add(name, value)
	}
	res, err := x.client.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, res.Header, string(got)}, err
}

// await asks until the status is that.
func (x *trial) await(path string, status int) {
	x.t.Helper()
	for range 500 {
		if a, err := x.try("GET", path, ""); err == nil && a.status == status {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	x.t.Fatalf("GET %s does not become %d", path, status)
}

// dial opens a connection for requests that no client library would send.
func (x *trial) dial() net.Conn {
	x.t.Helper()
	c, err := net.Dial("tcp", x.addr)
	if err != nil {
		x.t.Fatal(err)
	}
	x.t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		x.t.Fatal(err)
	}
	return c
}

// raw sends text as it is and returns all that comes back.
func (x *trial) raw(text string) string {
	x.t.Helper()
	c := x.dial()
	if _, err := io.WriteString(c, text); err != nil {
		x.t.Fatal(err)
	}
	got, _ := io.ReadAll(c) // a reset is an answer as well
	return string(got)
}

// logged waits for a text in the log.
func (x *trial) logged(text string) {
	x.t.Helper()
	for range 1500 {
		if strings.Contains(x.log.String(), text) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	x.t.Errorf("the log has no %s:\n%s", text, x.log)
}

func newKeys(t *testing.T, keys ...string) *Keys {
	t.Helper()
	k, err := NewKeys(keys, nil)
	if err != nil {
		t.Fatal(err)
	}
	return k
}
