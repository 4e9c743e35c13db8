package lsp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.lsp.dev/jsonrpc2"
	"go.uber.org/goleak"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/passes"
	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/dsl/syntax"
	"github.com/glmc/glmc/models"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what has to come.
const patience = 30 * time.Second

// client is the other end of a server: an editor.
type client struct {
	t      *testing.T
	ctx    context.Context
	conn   jsonrpc2.Conn
	log    *logBuffer
	served chan error
	left   bool

	mu        sync.Mutex
	published map[string]PublishDiagnosticsParams // the last of each URI
	arrived   chan struct{}
}

// logBuffer takes the server's log.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// realOptions are those of `glmc lsp`, with a short delay.
func realOptions() Options {
	o := Options{
		Version: "test", Functions: ir.Surfaces(), Delay: 5 * time.Millisecond,
		Check: func(f *syntax.File) *diag.List { return compiler.Check(f, nil) },
		Open:  models.Open, Carried: models.Names(),
	}
	for _, p := range passes.Table {
		o.Passes = append(o.Passes, Pass{p.Name, p.Doc})
	}
	return o
}

// dial starts a server and a client of it. Both have ended when the test has.
func dial(t *testing.T, o Options) *client {
	t.Helper()
	here, there := pipes(t)
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	c := &client{
		t: t, ctx: ctx, log: &logBuffer{}, served: make(chan error, 1),
		published: map[string]PublishDiagnosticsParams{}, arrived: make(chan struct{}, 1),
	}
	o.Log = c.log
	go func() { c.served <- Serve(ctx, there, o) }()
	c.conn = jsonrpc2.NewConn(newFrames(here), jsonrpc2.WithCodec(codec{}))
	c.conn.Go(ctx, c.handle)
	t.Cleanup(func() {
		if !c.left {
			c.leave()
		}
		cancel()
		<-c.conn.Done()
		if t.Failed() {
			t.Logf("the server's log:\n%s", c.log)
		}
	})
	return c
}

// pipes are the ends of a connection that holds some bytes in between, as those of an operating system do.
func pipes(t *testing.T) (a, b io.ReadWriteCloser) {
	t.Helper()
	type end struct {
		io.Reader
		io.WriteCloser
	}
	r1, w1, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r2, w2, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r1.Close(); r2.Close() })
	return end{r1, w2}, end{r2, w1}
}

// handle takes what the server sends of itself.
func (c *client) handle(_ context.Context, req *jsonrpc2.Request) (any, error) {
	if req.Method() == "textDocument/publishDiagnostics" {
		var p PublishDiagnosticsParams
		if err := json.Unmarshal(req.Params(), &p); err != nil {
			return nil, err
		}
		c.mu.Lock()
		c.published[p.URI] = p
		c.mu.Unlock()
		select {
		case c.arrived <- struct{}{}:
		default:
		}
	}
	return nil, nil
}

// leave ends the conversation as the protocol wants it, and waits for the server.
func (c *client) leave() error {
	c.left = true
	_, _ = c.conn.Call(c.ctx, "shutdown", nil, nil)
	_ = c.conn.Notify(c.ctx, "exit", nil)
	select {
	case err := <-c.served:
		_ = c.conn.Close()
		return err
	case <-time.After(patience):
		return errors.New("the server does not end")
	}
}

// call makes a request that has to succeed.
func call[R any](c *client, method string, params any) R {
	c.t.Helper()
	var result R
	if _, err := c.conn.Call(c.ctx, method, params, &result); err != nil {
		c.t.Fatalf("%s: %v\n%s", method, err, c.log)
	}
	return result
}

// refused makes a request that has to fail, and returns the code.
func (c *client) refused(method string, params any) jsonrpc2.Code {
	c.t.Helper()
	var result json.RawMessage
	_, err := c.conn.Call(c.ctx, method, params, &result)
	var e *jsonrpc2.Error
	if !errors.As(err, &e) {
		c.t.Fatalf("%s: %v and %s, want an error", method, err, result)
	}
	return e.Code
}

func (c *client) notify(method string, params any) {
	c.t.Helper()
	if err := c.conn.Notify(c.ctx, method, params); err != nil {
		c.t.Fatalf("%s: %v", method, err)
	}
}

// initialize begins a conversation with the abilities of an editor.
func (c *client) initialize(encodings ...string) InitializeResult {
	c.t.Helper()
	var p InitializeParams
	p.Capabilities.General.PositionEncodings = encodings
	p.Capabilities.TextDocument.DocumentSymbol.Hierarchical = true
	p.Capabilities.TextDocument.Completion.CompletionItem.SnippetSupport = true
	p.Capabilities.Workspace.DidChangeWatchedFiles.DynamicRegistration = true
	r := call[InitializeResult](c, "initialize", p)
	c.notify("initialized", struct{}{})
	return r
}

// connect is dial and initialize, with the real options.
func connect(t *testing.T) *client {
	t.Helper()
	c := dial(t, realOptions())
	c.initialize()
	return c
}

// page is a document that a test has open. A "|" in a text that a test gives is the cursor.
type page struct {
	c       *client
	uri     string
	version int32
	text    string
	cursor  Position
}

// open opens a document.
func (c *client) open(uri, text string) *page {
	c.t.Helper()
	p := &page{c: c, uri: uri, version: 1}
	p.take(text)
	c.notify("textDocument/didOpen", map[string]any{"textDocument": map[string]any{
		"uri": uri, "languageId": "glm", "version": 1, "text": p.text,
	}})
	return p
}

func (p *page) take(text string) {
	front, back, _ := strings.Cut(text, "|")
	p.text = front + back
	p.cursor = newText(p.text, false).position(len(front))
}

// change replaces the text.
func (p *page) change(text string) {
	p.c.t.Helper()
	p.take(text)
	p.version++
	p.c.notify("textDocument/didChange", DidChangeParams{DocumentID{p.uri, p.version}, []ContentChange{{Text: p.text}}})
}

func (p *page) at() PositionParams { return PositionParams{DocumentID{URI: p.uri}, p.cursor} }

// diagnostics waits for those of the page's present version.
func (p *page) diagnostics() []Diagnostic {
	p.c.t.Helper()
	return p.c.await(p.uri, func(d PublishDiagnosticsParams) bool { return d.Version != nil && *d.Version == p.version })
}

// await waits for diagnostics of a document that are as wanted.
func (c *client) await(uri string, want func(PublishDiagnosticsParams) bool) []Diagnostic {
	c.t.Helper()
	limit := time.After(patience)
	for {
		c.mu.Lock()
		d, ok := c.published[uri]
		c.mu.Unlock()
		if ok && want(d) {
			return d.Diagnostics
		}
		select {
		case <-c.arrived:
		case <-limit:
			c.t.Fatalf("no such diagnostics of %s; the last are %v\n%s", uri, d, c.log)
		}
	}
}

// lines renders diagnostics: "line:column-line:column severity code: message", counted from 1 as people do.
func lines(list []Diagnostic) []string {
	out := []string{}
	for _, d := range list {
		severity := map[int]string{severityError: "error", severityWarning: "warning"}[d.Severity]
		out = append(out, fmt.Sprintf("%s %s %s: %s", rangeText(d.Range), severity, d.Code, d.Message))
	}
	return out
}

func rangeText(r Range) string {
	return fmt.Sprintf("%d:%d-%d:%d", r.Start.Line+1, r.Start.Character+1, r.End.Line+1, r.End.Character+1)
}

// write makes files in a new directory, and returns their URIs by name.
func write(t *testing.T, files map[string]string) map[string]string {
	t.Helper()
	dir := t.TempDir()
	uris := map[string]string{}
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		uris[name] = uriOf(filepath.ToSlash(path))
	}
	return uris
}
