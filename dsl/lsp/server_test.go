package lsp

import (
	"context"
	"errors"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.lsp.dev/jsonrpc2"

	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/dsl/syntax"
)

func TestLifecycle(t *testing.T) {
	c := dial(t, realOptions())
	if code := c.refused("textDocument/hover", PositionParams{}); code != jsonrpc2.ServerNotInitialized {
		t.Errorf("a request in front of initialize: code %d", code)
	}
	r := c.initialize()
	if r.ServerInfo.Name != "glmc" || r.Capabilities.PositionEncoding != "utf-16" || r.Capabilities.TextDocumentSync.Change != 2 {
		t.Errorf("initialize gave %+v", r)
	}
	if code := c.refused("initialize", InitializeParams{}); code != jsonrpc2.InvalidRequest {
		t.Errorf("a second initialize: code %d", code)
	}
	if code := c.refused("textDocument/nonsense", nil); code != jsonrpc2.MethodNotFound {
		t.Errorf("an unknown method: code %d", code)
	}
	if code := c.refused("textDocument/hover", []int{1}); code != jsonrpc2.InvalidParams {
		t.Errorf("parameters of another form: code %d", code)
	}
	if code := c.refused("textDocument/hover", PositionParams{Document: DocumentID{URI: "file:///nowhere.glm"}}); code != jsonrpc2.InvalidParams {
		t.Errorf("a document that is not open: code %d", code)
	}
	c.notify("$/setTrace", map[string]string{"value": "off"})
	c.notify("textDocument/didChange", DidChangeParams{Document: DocumentID{URI: "file:///nowhere.glm"}})
	call[any](c, "shutdown", nil)
	if code := c.refused("textDocument/hover", PositionParams{}); code != jsonrpc2.InvalidRequest {
		t.Errorf("a request behind shutdown: code %d", code)
	}
	if err := c.leave(); err != nil {
		t.Errorf("Serve: %v", err)
	}
}

func TestNegotiatesUTF8(t *testing.T) {
	c := dial(t, realOptions())
	if r := c.initialize("utf-16", "utf-8"); r.Capabilities.PositionEncoding != "utf-8" {
		t.Errorf("the encoding is %s", r.Capabilities.PositionEncoding)
	}
	p := c.open("file:///m.glm", "// größe\nmodel m { let a = \"ü\" let a = 1 }\n")
	want := []string{`2:28-2:29 error duplicate-name: there is a let "a" already`}
	var got []string
	for _, l := range lines(p.diagnostics()) {
		if strings.Contains(l, "duplicate-name") {
			got = append(got, l)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("diagnostics (-want +got):\n%s", diff)
	}
}

// TestLeaving: the ways in which a client can go, and what Serve says to them.
func TestLeaving(t *testing.T) {
	tests := []struct {
		name string
		send string
		want error
	}{
		{"exit without shutdown", framed(`{"jsonrpc":"2.0","method":"exit"}`), ErrNoShutdown},
		{"nothing is said", "", nil},
		{"the stream ends", framed(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"capabilities":{}}}`), ErrNoShutdown},
		{"shutdown, then the end", framed(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"capabilities":{}}}`) +
			framed(`{"jsonrpc":"2.0","id":2,"method":"shutdown"}`), nil},
		{"the stream ends in a message", "Content-Length: 10\r\n\r\n{", io.ErrUnexpectedEOF},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := converse(tt.send); !errors.Is(err, tt.want) {
				t.Errorf("Serve: %v, want %v", err, tt.want)
			}
		})
	}
}

func framed(body string) string {
	return "Content-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body
}

// converse sends bytes to a server, closes the stream, and returns the answers.
func converse(send string) (string, error) {
	var out strings.Builder
	in := struct {
		io.Reader
		io.Writer
		io.Closer
	}{strings.NewReader(send), &out, io.NopCloser(nil)}
	o := realOptions()
	o.Check = func(*syntax.File) *diag.List { return &diag.List{} }
	err := Serve(context.Background(), in, o)
	return out.String(), err
}

func TestMalformedMessages(t *testing.T) {
	tests := []struct {
		name, send, answer, err string
	}{
		{"no JSON", framed("{"), `"code":-32700`, ""},
		{"no request", framed(`{"jsonrpc":"2.0"}`), `"code":-32600`, ""},
		{"a batch", framed(`[]`), `"code":-32600`, ""},
		{"nothing", framed(""), `"code":-32700`, ""},
		{"too large", "Content-Length: 99999999\r\n\r\n" + strings.Repeat(" ", 99999999) + framed("{"), `"code":-32600`, ""},
		{"a header without a colon", "Hello\r\n\r\n", "", "without a colon"},
		{"no length", "Content-Type: x\r\n\r\n", "", "without a Content-Length"},
		{"a length in words", "Content-Length: ten\r\n\r\n", "", "is no number"},
		{"a negative length", "Content-Length: -1\r\n\r\n", "", "is no number"},
		{"an endless header", strings.Repeat("x", 10000), "", "more than"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out, err := converse(tt.send)
			if !strings.Contains(out, tt.answer) {
				t.Errorf("the answer is %q, want %s in it", out, tt.answer)
			}
			if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("Serve: %v, want %q", err, tt.err)
			}
		})
	}
}

// TestPanicsAreContained: a request that breaks the server's code is answered, and the next one too.
func TestPanicsAreContained(t *testing.T) {
	o := realOptions()
	o.Open = func(string) ([]byte, error) { panic("a broken opener") }
	c := dial(t, o)
	c.initialize()
	p := c.open("file:///m.glm", `import x from "glmc:x.glm"`)
	if code := c.refused("textDocument/hover", p.at()); code != jsonrpc2.InternalError {
		t.Errorf("code %d", code)
	}
	if log := c.log.String(); !strings.Contains(log, "textDocument/hover: panic: a broken opener") {
		t.Errorf("the log is %q", log)
	}
	p.change("model m { }")
	call[any](c, "textDocument/hover", p.at())
	if d := p.diagnostics(); len(d) != 0 {
		t.Errorf("diagnostics %v", d)
	}
}

// TestCancel: a request that waits for another one can be withdrawn.
func TestCancel(t *testing.T) {
	entered, release := make(chan struct{}, 100), make(chan struct{})
	o := realOptions()
	o.Open = func(string) ([]byte, error) {
		entered <- struct{}{}
		<-release
		return []byte("block x(a: [T, 1]) -> [T, 1] { return a }"), nil
	}
	c := dial(t, o)
	c.initialize()
	p := c.open("file:///m.glm", `import x from "glmc:x.glm"`)
	<-entered
	result := make(chan error, 1)
	go func() {
		_, err := c.conn.Call(c.ctx, "textDocument/hover", p.at(), nil)
		result <- err
	}()
	// The number of the request is not known, nor when it arrives: all that it can have are cancelled until it ends.
	var err error
	for ended := false; !ended; {
		select {
		case err = <-result:
			ended = true
		case <-time.After(5 * time.Millisecond):
			for id := range 10 {
				c.notify("$/cancelRequest", map[string]any{"id": id})
			}
			c.notify("$/cancelRequest", map[string]any{"id": "a word"})
		}
	}
	var e *jsonrpc2.Error
	if !errors.As(err, &e) || e.Code != requestCancelled {
		t.Errorf("the request ended with %v", err)
	}
	close(release)
	p.diagnostics()
}

// TestContextEnds: a server whose context ends goes, with all that it started.
func TestContextEnds(t *testing.T) {
	here, there := net.Pipe()
	defer here.Close()
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- Serve(ctx, there, realOptions()) }()
	cancel()
	select {
	case err := <-served:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Serve: %v", err)
		}
	case <-time.After(patience):
		t.Fatal("the server does not end")
	}
}
