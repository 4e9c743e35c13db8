// Package lsp is the language server for .glm files: what `glmc lsp` speaks with editors.
//
// The server keeps the texts of the open documents and reads everything else from disk. A request works on the
// texts as they were when it arrived; a change throws away what was known about the program. Names and types are
// the checker's (package check): nothing here knows scoping rules. Only what has to work in text that does not
// parse, completion above all, goes by the words of the file (outline.go).
package lsp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"sync"
	"time"

	"go.lsp.dev/jsonrpc2"

	"github.com/glmc/glmc/dsl/builtin"
	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/dsl/source"
	"github.com/glmc/glmc/dsl/syntax"
)

// Options are what the server has to be told by the command, which knows the compiler.
type Options struct {
	Version   string                            // of glmc
	Functions builtin.Table                     // that files can call
	Passes    []Pass                            // that pipelines can require
	Check     func(*syntax.File) *diag.List     // reports all that is wrong with a file that parsed
	Open      source.Open                       // reads a file that the binary carries
	Carried   []string                          // their paths
	Copy      func(path string) (string, error) // puts a copy of one where editors can open it, and returns its place; may be nil
	Log       io.Writer                         // takes what went wrong, a line each
	Delay     time.Duration                     // between the last change and the check; 0: a fifth of a second
}

// Pass is a pass of the compiler.
type Pass struct{ Name, Doc string }

const defaultDelay = 200 * time.Millisecond

// ErrNoShutdown says that the client went away, or sent exit, without a shutdown before.
var ErrNoShutdown = errors.New("the client left without asking for a shutdown")

// grace is how long a server that has to end waits for what nothing interrupts: a read from stdin, which closing it
// does not end on every system, and a file system that hangs.
const grace = time.Second

// Serve answers a client until it sends exit or closes the stream, or until the context ends. It closes the stream.
// The error is nil where the client asked for a shutdown first, as the protocol wants it, and where it said nothing.
func Serve(ctx context.Context, stream io.ReadWriteCloser, o Options) error {
	within, stop := context.WithCancel(ctx)
	defer stop()
	s := newServer(within, o)
	s.stop = stop
	s.conn = jsonrpc2.NewConn(newFrames(stream), jsonrpc2.WithCodec(codec{}))
	var own sync.WaitGroup
	own.Go(func() { s.publishing(within) })
	s.conn.Go(within, s.handle)
	select {
	case <-s.conn.Done():
	case <-within.Done(): // exit was sent, or the caller wants an end
		own.Go(func() { _ = stream.Close() })
		select {
		case <-s.conn.Done():
		case <-time.After(grace):
			return s.ending(ctx)
		}
	}
	stop()
	own.Wait()
	return s.ending(ctx)
}

// ending is what Serve returns when the connection is done.
func (s *server) ending(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.conn.Err()
	switch {
	case s.phase == shutDown:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case s.phase == fresh && err == nil: // nothing was begun
		return nil
	case err == nil || errors.Is(err, errExit):
		return ErrNoShutdown
	}
	return err
}

// phase is where the conversation is.
type phase int

const (
	fresh    phase = iota // initialize is still to come
	serving               // between initialize and shutdown
	shutDown              // only exit is left
)

type server struct {
	o    Options
	log  *logger
	conn jsonrpc2.Conn
	ctx  context.Context // ends with the conversation
	stop func()          // ends it

	mu       sync.Mutex
	phase    phase
	client   ClientCapabilities
	utf8     bool
	docs     map[string]*document               // that are open, by path
	revision int                                // counts changes of anything that is read
	changed  time.Time                          // when the last one was
	running  map[jsonrpc2.ID]context.CancelFunc // requests that can be cancelled

	turn  chan struct{}        // holds a token while a program is being read
	known map[string]*analysis // by path of the root; belongs to whoever has the turn
	board *board               // belongs to the publisher; the fixes on it have a lock
	wake  chan struct{}        // tells the publisher that something has changed
}

func newServer(ctx context.Context, o Options) *server {
	if o.Delay == 0 {
		o.Delay = defaultDelay
	}
	return &server{
		o: o, log: &logger{w: o.Log}, ctx: ctx, docs: map[string]*document{}, running: map[jsonrpc2.ID]context.CancelFunc{},
		turn: make(chan struct{}, 1), known: map[string]*analysis{}, board: newBoard(), wake: make(chan struct{}, 1),
	}
}

// errExit ends the connection.
var errExit = errors.New("exit")

// handle takes one message. It is called in the order of the messages; requests go on beside each other.
func (s *server) handle(ctx context.Context, req *jsonrpc2.Request) (result any, err error) {
	name := req.Method()
	defer func() {
		if r := recover(); r != nil {
			s.log.printf("%s: panic: %v\n%s", name, r, debug.Stack())
			result, err = nil, jsonrpc2.Errorf(jsonrpc2.InternalError, "%s failed inside glmc: its output on stderr says where", name)
		}
		if err != nil && !req.IsCall() && !errors.Is(err, errExit) {
			s.log.printf("%s: %v", name, err)
			err = nil // it would end the connection
		}
	}()
	if name == "exit" {
		s.stop() // what is being worked on need not be finished
		return nil, errExit
	}
	m, known := methods[name]
	if err := s.allowed(name); err != nil {
		if !req.IsCall() {
			return nil, nil
		}
		return nil, err
	}
	switch {
	case !known && req.IsCall():
		return nil, jsonrpc2.Errorf(jsonrpc2.MethodNotFound, "there is no method %.100q", name)
	case !known:
		return nil, nil // the protocol says that notifications may be ignored
	case m.request == nil:
		return m.inline(s, req.Params())
	}
	work, err := m.request(s, req.Params())
	if err != nil {
		return nil, err
	}
	cancellable, done := s.run(req.ID())
	defer done()
	jsonrpc2.Async(ctx)
	result, err = work(cancellable)
	if cancellable.Err() != nil {
		return nil, jsonrpc2.NewError(requestCancelled, "cancelled")
	}
	return result, err
}

// run notes that a request is being worked on, and returns a context that ends when it is cancelled. It is none of
// the library's own: that one's are recycled with their requests, and nothing may be derived from them.
func (s *server) run(id jsonrpc2.ID) (ctx context.Context, done func()) {
	ctx, cancel := context.WithCancel(s.ctx)
	if !id.IsValid() {
		return ctx, cancel
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running[id] = cancel
	return ctx, func() {
		cancel()
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.running, id)
	}
}

// Codes of the protocol that JSON-RPC has not.
const (
	requestCancelled jsonrpc2.Code = -32800
	contentModified  jsonrpc2.Code = -32801
	requestFailed    jsonrpc2.Code = -32803
)

// allowed refuses what comes at the wrong time.
func (s *server) allowed(method string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.phase == fresh && method != "initialize":
		return jsonrpc2.NewError(jsonrpc2.ServerNotInitialized, "initialize comes first")
	case s.phase == serving && method == "initialize":
		return jsonrpc2.NewError(jsonrpc2.InvalidRequest, "initialize comes once")
	case s.phase == shutDown:
		return jsonrpc2.NewError(jsonrpc2.InvalidRequest, "after shutdown there is only exit")
	}
	return nil
}

// method is how a message is taken. Inline ones are done before the next message is read. Others are prepared so,
// and then done beside what follows.
type method struct {
	inline  func(*server, jsonrpc2.RawMessage) (any, error)
	request func(*server, jsonrpc2.RawMessage) (work, error)
}

type work func(context.Context) (any, error)

// methods are the messages that the server knows.
var methods map[string]method

func init() {
	methods = map[string]method{
		"initialize":                      inline((*server).initialize),
		"initialized":                     requested((*server).initialized),
		"shutdown":                        inline((*server).shutdown),
		"$/cancelRequest":                 inline((*server).cancel),
		"textDocument/didOpen":            inline((*server).didOpen),
		"textDocument/didChange":          inline((*server).didChange),
		"textDocument/didClose":           inline((*server).didClose),
		"textDocument/didSave":            inline((*server).didSave),
		"workspace/didChangeWatchedFiles": inline((*server).didChangeFiles),
		"textDocument/hover":              requested((*server).hover),
		"textDocument/definition":         requested((*server).definition),
		"textDocument/references":         requested((*server).references),
		"textDocument/documentHighlight":  requested((*server).highlight),
		"textDocument/prepareRename":      requested((*server).prepareRename),
		"textDocument/rename":             requested((*server).rename),
		"textDocument/completion":         requested((*server).completion),
		"textDocument/signatureHelp":      requested((*server).signatureHelp),
		"textDocument/documentSymbol":     requested((*server).documentSymbol),
		"textDocument/formatting":         requested((*server).formatting),
		"textDocument/codeAction":         requested((*server).codeAction),
	}
}

func inline[P any](do func(*server, *P) (any, error)) method {
	return method{inline: func(s *server, raw jsonrpc2.RawMessage) (any, error) {
		p, err := decode[P](raw)
		if err != nil {
			return nil, err
		}
		return do(s, p)
	}}
}

func requested[P any](prepare func(*server, *P) (work, error)) method {
	return method{request: func(s *server, raw jsonrpc2.RawMessage) (work, error) {
		p, err := decode[P](raw)
		if err != nil {
			return nil, err
		}
		return prepare(s, p)
	}}
}

// decode reads parameters; without any, they are all zero.
func decode[P any](raw jsonrpc2.RawMessage) (*P, error) {
	p := new(P)
	if len(raw) == 0 {
		return p, nil
	}
	if err := json.Unmarshal(raw, p); err != nil {
		return nil, jsonrpc2.Errorf(jsonrpc2.InvalidParams, "the parameters cannot be read: %v", err)
	}
	return p, nil
}

// codec reads and writes parameters and results by the rules of encoding/json, for which the tags in protocol.go are
// written. It takes half a surrogate pair, which editors send where a text has one, for U+FFFD.
type codec struct{}

func (codec) Marshal(v any) ([]byte, error) { return json.Marshal(v) }

func (codec) Unmarshal(data []byte, v any) error { return json.Unmarshal(data, v) }

// logger writes lines for people.
type logger struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *logger) printf(format string, args ...any) {
	if l.w == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(l.w, "glmc lsp: "+format+"\n", args...)
}
