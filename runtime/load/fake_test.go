package load

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"
)

// pipes are connections in memory, which a test's clock of its own knows of.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.done) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
		return ours, nil
	case <-p.done:
		return nil, &net.OpError{Op: "dial", Err: net.ErrClosed}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// seen is a request as a fake server saw it.
type seen struct {
	path   string
	header http.Header
	at     time.Time
	body   map[string]json.RawMessage
}

// fake is a server whose replies are scripts.
type fake struct {
	mu   sync.Mutex
	seen []seen
	// reply answers the i-th request.
	reply func(i int, s seen, w http.ResponseWriter, r *http.Request)
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	data, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	s := seen{path: r.URL.Path, header: r.Header, at: time.Now()}
	if len(data) > 0 {
		if err := json.Unmarshal(data, &s.body); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
	}
	f.mu.Lock()
	i := len(f.seen)
	f.seen = append(f.seen, s)
	f.mu.Unlock()
	f.reply(i, s, w, r)
}

// serve starts a fake server and gives options that lead to it. The test's end stops it.
func serve(t *testing.T, f *fake, o Options) (Options, func()) {
	t.Helper()
	p := newPipes()
	server := &http.Server{Handler: f}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(p)
	}()
	transport := &http.Transport{DialContext: p.dial, MaxIdleConnsPerHost: 1 << 10, DisableCompression: true}
	o.URL, o.Transport = "http://fake", transport
	return o, func() {
		transport.CloseIdleConnections()
		_ = server.Close()
		<-ended
	}
}

// stream writes events with pauses before them.
type stream struct {
	w http.ResponseWriter
}

func newStream(w http.ResponseWriter) stream {
	w.Header().Set("Content-Type", "text/event-stream")
	return stream{w}
}

func (s stream) send(pause time.Duration, format string, args ...any) {
	time.Sleep(pause)
	fmt.Fprintf(s.w, "data: "+format+"\n\n", args...)
	s.w.(http.Flusher).Flush()
}

// completion is a reply of /v1/completions: after a time the first token, then more, each after a gap, then the usage.
func (s stream) completion(first, gap time.Duration, prompt, tokens int) {
	for i := range tokens {
		pause := gap
		if i == 0 {
			pause = first
		}
		s.send(pause, `{"choices":[{"index":0,"text":"x","finish_reason":null}]}`)
	}
	s.send(0, `{"choices":[],"usage":{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d}}`, prompt, tokens, prompt+tokens)
	s.send(0, "[DONE]")
}

// sessionsOf makes sessions of one turn each.
func sessionsOf(outputs ...int) []Session {
	var out []Session
	for _, n := range outputs {
		out = append(out, Session{Turns: []Turn{{Tokens: []int32{1, 2, 3}, Input: 3, Output: n}}})
	}
	return out
}
