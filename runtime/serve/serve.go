// Package serve is the HTTP server around a model: keys, TLS, limits, request ids, logs, metrics, traces, health and an orderly
// end. What it serves are routes, which the packages below it implement over a service.Backend.
package serve

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/glmc/glmc/runtime/serve/route"
)

// Options say how a server behaves.
type Options struct {
	Addr        string       // to listen at, ":8000"
	DebugAddr   string       // to serve pprof at; "": nowhere
	Keys        *Keys        // nil: everybody may ask
	Certificate *Certificate // nil: HTTP without TLS
	Hosts       []string     // names by which the server is known; none: any name, on a loopback address without keys its own
	Origins     []string     // of pages that may ask, "https://chat.example.com"
	Limits      Limits
	Drain       time.Duration // how long requests may go on when the server ends

	OpenMetrics   bool // /metrics wants no key
	SharePrefixes bool // requests of different keys share pages of the prefix cache
	Urgent        bool // requests may ask to come before others; without, a priority below 0 is 0

	Log        *slog.Logger // nil: nothing is logged
	LogPrompts bool         // and so are prompts and replies

	Metrics *Metrics // nil: new ones
	Traces  *Traces  // nil: none

	Version string // of the program, for /version

	// Early are routes that are there until the model is: then those of Loaded take their place.
	Early []route.Route
	// Listening is called when the server answers, before the model is there. Nil: nobody is told.
	Listening func(net.Addr)
}

// Loaded is a model that is ready.
type Loaded struct {
	Routes []route.Route
	// Healthy says why the model cannot work; it is asked often, and may say later that it works again. Nil: it always does.
	Healthy func() error
	// Close ends the model, when the last request ended.
	Close func() error
}

// Server is an HTTP server. Run runs it.
type Server struct {
	o        Options
	log      *slog.Logger
	metrics  *Metrics
	traces   *Traces
	origins  *origins
	ownNames bool // only its own names reach it
	handler  atomic.Pointer[http.Handler]
	bodies   atomic.Int64 // bytes
	ending   context.Context
	abort    context.CancelCauseFunc // ends ending, and with it all generations
	live     live
	ill      atomic.Bool // the model failed when it was asked last

	mu       sync.Mutex
	running  int // requests that work on the model
	loaded   *Loaded
	draining bool
	idle     chan struct{} // closed when no request runs any more, while draining
}

// New makes a server.
func New(o Options) (*Server, error) {
	o.Log = cmp.Or(o.Log, slog.New(slog.DiscardHandler))
	if o.Limits == (Limits{}) {
		o.Limits = DefaultLimits()
	}
	origins, err := newOrigins(o.Origins)
	if err != nil {
		return nil, err
	}
	s := &Server{o: o, log: o.Log, metrics: cmp.Or(o.Metrics, NewMetrics()), traces: cmp.Or(o.Traces, noTraces), origins: origins, idle: make(chan struct{})}
	s.ending, s.abort = context.WithCancelCause(context.Background())
	s.mount(o.Early)
	s.watchFiles()
	return s, nil
}

// watchFiles has it logged when files that changed cannot be read again.
func (s *Server) watchFiles() {
	failed := func(err error) { s.log.Error("a file that changed is left out", "error", err) }
	if s.o.Certificate != nil {
		s.o.Certificate.failed = failed
	}
	if s.o.Keys != nil {
		for _, f := range s.o.Keys.files {
			f.failed = failed
		}
	}
}

// mount makes routes those of the server, beside its own.
func (s *Server) mount(routes []route.Route) {
	h := s.table(append(s.own(), routes...))
	s.handler.Store(&h)
}

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x, r := newExchange(w, r, s.o.Limits.WriteTime)
	h := w.Header()
	h.Set("X-Request-Id", x.id)
	h.Set("X-Content-Type-Options", "nosniff")
	defer s.ended(x, r)
	defer x.finish()
	defer s.recovered(x, r)
	if s.cors(x, r) {
		return
	}
	(*s.handler.Load()).ServeHTTP(x, r)
}

// recovered answers where a handler panicked: the request failed, and nothing else does.
func (s *Server) recovered(x *exchange, r *http.Request) {
	reason := recover()
	if reason == nil {
		return
	}
	if err, ok := reason.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(reason) // which is how handlers cut a connection
	}
	s.log.Error("a handler panicked", "request_id", x.id, "panic", fmt.Sprint(reason), "stack", string(debug.Stack()))
	s.metrics.panics.Inc()
	if x.status != 0 {
		panic(http.ErrAbortHandler) // the client must not take what it has for the whole
	}
	s.refuse(x, r, &refusal{status: http.StatusInternalServerError, message: "the server failed on this request; its log says why, beside request id " + x.id})
}

// Run listens, loads the model, and serves until ctx ends; then it drains. Load may take its time: until it is done the server
// says that it lives, and that it is not ready. Run returns when everything has ended that it started.
func (s *Server) Run(ctx context.Context, load func(context.Context) (*Loaded, error)) (err error) {
	listener, err := listen("--addr", s.o.Addr)
	if err != nil {
		return err
	}
	stopDebug, err := s.debug()
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer stopDebug()
	s.ownNames = s.o.Keys == nil && isLoopback(listener.Addr())
	hs := s.httpServer()
	failed := make(chan error, 1)
	go func() { failed <- s.serve(hs, limitListener(listener, s.o.Limits.Connections)) }()
	defer func() {
		_ = hs.Close() // it ends what is left
		if serveErr := <-failed; err == nil && !errors.Is(serveErr, http.ErrServerClosed) {
			err = serveErr
		}
	}()
	if s.o.Listening != nil {
		s.o.Listening(listener.Addr())
	}
	return s.work(ctx, hs, load, failed)
}

// work loads the model, waits for the end and drains.
func (s *Server) work(ctx context.Context, hs *http.Server, load func(context.Context) (*Loaded, error), failed chan error) (err error) {
	start := time.Now()
	loaded, err := load(ctx)
	if err != nil {
		return err
	}
	defer func() {
		if loaded.Close != nil {
			err = errors.Join(err, loaded.Close())
		}
	}()
	s.ready(loaded)
	s.log.Info("ready", "seconds", time.Since(start).Seconds())
	select {
	case err := <-failed:
		failed <- err
		return err
	case <-ctx.Done():
	}
	s.drain(hs)
	return nil
}

// ready mounts a model's routes.
func (s *Server) ready(loaded *Loaded) {
	s.mount(loaded.Routes)
	s.mu.Lock()
	s.loaded = loaded
	s.mu.Unlock()
}

func (s *Server) httpServer() *http.Server {
	l := s.o.Limits
	protocols := &http.Protocols{}
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true) // gateways speak it
	hs := &http.Server{
		Handler: s, MaxHeaderBytes: l.Header, ReadHeaderTimeout: l.HeaderTime, IdleTimeout: l.IdleTime, Protocols: protocols,
		HTTP2:                        &http.HTTP2Config{MaxConcurrentStreams: 250},
		DisableGeneralOptionsHandler: true, // OPTIONS * is as any other path
		ErrorLog:                     slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	if s.o.Certificate != nil {
		hs.TLSConfig = s.o.Certificate.config()
	}
	return hs
}

func (s *Server) serve(hs *http.Server, l net.Listener) error {
	if s.o.Certificate != nil {
		return hs.ServeTLS(l, "", "")
	}
	return hs.Serve(l)
}
