package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/glmc/glmc/runtime/engine"
	"github.com/glmc/glmc/runtime/exec"
	"github.com/glmc/glmc/runtime/service"
)

// Observe returns a backend that counts, logs and traces what goes through another one, keeps the prefix caches of keys apart,
// and ends generations when the server's time to end has come. The routes of Loaded are made over it.
func (s *Server) Observe(b service.Backend) service.Backend { return &observed{b, s} }

type observed struct {
	service.Backend
	server *Server
}

// Start implements service.Backend.
func (o *observed) Start(ctx context.Context, r service.Request) (service.Generation, error) {
	s, x := o.server, exchangeOf(ctx)
	g := &observedGeneration{server: s, exchange: x, began: time.Now(), choices: max(r.Choices, 1)}
	if x != nil {
		if r.ID == "" {
			r.ID = x.id
		}
		if !s.o.SharePrefixes {
			r.Salt = saltOf(x.key, r.Salt)
		}
		if !s.o.Urgent {
			r.Priority = max(r.Priority, 0) // else whoever asks for it goes before everybody
		}
	}
	r.ID = s.live.add(r.ID, g)
	g.id = r.ID
	ctx, g.cancel = context.WithCancel(ctx)
	g.unhook = context.AfterFunc(s.ending, g.cancel)
	g.ctx = ctx
	inner, err := o.Backend.Start(ctx, r)
	if err != nil {
		g.release()
		s.metrics.rejected(err)
		var fault *service.Error
		if errors.As(err, &fault) && fault.Kind == service.Internal && s.ending.Err() == nil { // of others the handler tells (route.Fault)
			s.logFailed(r.ID, err)
		}
		return nil, s.told(err)
	}
	g.Generation = inner
	s.metrics.asked(&r)
	if s.o.LogPrompts {
		s.logPrompt(&r)
		g.said = &strings.Builder{}
	}
	return g, nil
}

// saltOf separates the prefix caches of keys. Without it the time of an answer would tell the holder of one key how others'
// prompts begin.
func saltOf(key, salt string) string {
	if key == "" {
		return salt
	}
	return key + "\x00" + salt
}

// told is an error as clients are told of it: where the server ended a request, it says so.
func (s *Server) told(err error) error {
	if err == nil || errors.Is(err, io.EOF) || s.ending.Err() == nil {
		return err
	}
	return &service.Error{Kind: service.Unavailable, Message: context.Cause(s.ending).Error(), Err: err}
}

// observedGeneration is a generation that is counted, logged and traced.
type observedGeneration struct {
	service.Generation
	server   *Server
	exchange *exchange // nil: not of an HTTP request
	ctx      context.Context
	cancel   context.CancelFunc
	unhook   func() bool
	id       string
	choices  int
	began    time.Time
	once     sync.Once

	// What is known of the reply. Whoever closes a generation need not be the one who reads it: then nothing is added any more.
	mu        sync.Mutex
	told      bool
	first     time.Time // event
	finish    string
	said      *strings.Builder // nil: replies are not logged
	sequences []engine.Result  // as they end
}

// Next implements service.Generation.
func (g *observedGeneration) Next(ctx context.Context) (service.Event, error) {
	e, err := g.Generation.Next(ctx)
	if err != nil {
		if ctx.Err() != nil && g.ctx.Err() == nil {
			return e, err // only the wait ended
		}
		err = g.server.told(err)
		g.over(err)
		return e, err
	}
	g.saw(&e)
	return e, nil
}

// saw takes what an event says of the generation.
func (g *observedGeneration) saw(e *service.Event) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.told {
		return
	}
	if g.first.IsZero() {
		g.first = time.Now()
	}
	if e.Kind == service.Done {
		g.finish = string(e.Finish)
	}
	if g.said != nil {
		g.said.WriteString(e.Text)
	}
}

// Close implements service.Generation.
func (g *observedGeneration) Close() {
	g.Generation.Close()
	g.over(context.Canceled)
}

func (g *observedGeneration) release() {
	g.unhook()
	g.cancel()
	g.server.live.remove(g.id)
}

// over tells of the generation, once. Its reason is io.EOF where it came to its end.
func (g *observedGeneration) over(reason error) {
	g.once.Do(func() {
		ended := time.Now()
		g.release()
		g.mu.Lock()
		g.told = true
		sequences := g.sequences
		g.mu.Unlock()
		usage := g.Usage()
		finish := g.reason(reason)
		if g.exchange != nil {
			g.exchange.add(usage, g.first, finish)
		}
		g.server.metrics.generated(g, usage, finish, ended)
		g.server.traces.generated(g.ctx, g.id, usage, finish, sequences)
		if finish == reasonError {
			g.server.logFailed(g.id, reason)
		}
		if g.said != nil {
			g.server.log.Info("reply", "request_id", g.id, "text", g.said.String())
		}
	})
}

// reason is why a generation ended, as logs and traces name it.
func (g *observedGeneration) reason(err error) string {
	switch {
	case errors.Is(err, io.EOF):
		return g.finish
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), g.server.ending.Err() != nil:
		return reasonAbort
	}
	return reasonError
}

// logFailed logs why a request failed, of which the access log says only that it did.
func (s *Server) logFailed(id string, err error) {
	reason := err
	var told *service.Error // whose own text is for clients
	if errors.As(err, &told) && told.Err != nil {
		reason = told.Err
	}
	s.log.Error("a request failed", append([]any{"request_id", id, "error", reason}, stackOf(err)...)...)
}

// stackOf is where an error that is a panic of ours came from, for logs; nothing of others.
func stackOf(err error) []any {
	var p *exec.Panic
	if errors.As(err, &p) {
		return []any{"stack", p.Stack}
	}
	return nil
}

// logPrompt logs what a request asks, of servers that log prompts.
func (s *Server) logPrompt(r *service.Request) {
	attrs := []slog.Attr{slog.String("request_id", r.ID)}
	switch {
	case r.Conversation != nil:
		attrs = append(attrs, slog.Any("conversation", r.Conversation))
	case r.Text != nil:
		attrs = append(attrs, slog.String("text", *r.Text))
	default:
		attrs = append(attrs, slog.Any("tokens", r.Tokens))
	}
	s.log.LogAttrs(context.Background(), slog.LevelInfo, "prompt", attrs...)
}

// live are the generations that are under way, by the ids that the engine knows them by.
type live struct {
	mu   sync.Mutex
	list map[string]*observedGeneration
	next uint64
}

// add puts a generation in, and returns the id that it has from now on: clients may give several requests the same.
func (l *live) add(id string, g *observedGeneration) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.list == nil {
		l.list = map[string]*observedGeneration{}
	}
	unique := id
	for l.list[unique] != nil || unique == "" {
		l.next++
		unique = fmt.Sprintf("%s#%d", id, l.next)
	}
	l.list[unique] = g
	return unique
}

func (l *live) remove(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.list, id)
}

func (l *live) find(id string) *observedGeneration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.list[id]
}
