package serve

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/runtime/exec"
	"github.com/glmc/glmc/runtime/serve/openai"
	"github.com/glmc/glmc/runtime/serve/route"
)

// TestLife: a server says what it is about from its first moment to its last.
func TestLife(t *testing.T) {
	loading := make(chan struct{})
	early := route.Route{Method: "GET", Pattern: "/{$}", Access: route.Public, Control: true, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "wait")
	})}
	x := startLoading(t, Options{Drain: 5 * time.Second, Version: "v1", Early: []route.Route{early}}, loading)
	want := func(path string, status int, body string) {
		t.Helper()
		if a := x.ask("GET", path, ""); a.status != status || strings.TrimSpace(a.body) != body {
			t.Errorf("GET %s: %d %s, want %d %s", path, a.status, a.body, status, body)
		}
	}
	want("/health", 200, `{"status":"ok"}`)
	want("/ready", 503, `{"status":"loading"}`)
	want("/version", 200, `{"version":"v1"}`)
	want("/", 200, "wait")
	if a := x.ask("POST", "/v1/say", "Hi"); a.status != 503 || a.header.Get("Retry-After") == "" || !strings.Contains(a.body, "the model is loading") {
		t.Errorf("while it loads: %+v", a)
	}
	close(loading)
	x.await("/ready", 200)
	want("/", 200, "console")
	if a := x.ask("POST", "/v1/say", "Hi"); a.status != 200 || a.body != "Hello" {
		t.Errorf("when it is ready: %+v", a)
	}

	// A request that is under way ends as it should; one that comes later is refused.
	slow := make(chan answer)
	go func() {
		a, _ := x.try("POST", "/v1/say", "@text \"a\"\nwait 600ms\ntext \"z\"\ndone stop")
		slow <- a
	}()
	for x.backend.Open() == 0 {
		time.Sleep(time.Millisecond)
	}
	x.stop()
	x.await("/ready", 503)
	want("/ready", 503, `{"status":"draining"}`)
	want("/health", 200, `{"status":"ok"}`)
	if a := x.ask("POST", "/v1/say", "Hi"); a.status != 503 || a.header.Get("Retry-After") == "" || !strings.Contains(a.body, "the server is ending") {
		t.Errorf("while it ends: %+v", a)
	}
	if a := <-slow; a.body != "az" {
		t.Errorf("the request that was under way: %+v", a)
	}
}

// TestAModelThatFails is told to probes and clients, and logged once; when it works again, so is that.
func TestAModelThatFails(t *testing.T) {
	var ill atomic.Pointer[error]
	x := startWith(t, Options{}, nil, func() error {
		if err := ill.Load(); err != nil {
			return *err
		}
		return nil
	})
	x.ask("GET", "/health", "")
	broken := error(fmt.Errorf("trying: %w", &exec.Panic{Kernel: "a kernel", Reason: "oh", Stack: "here"}))
	ill.Store(&broken)
	for range 2 {
		for path, status := range map[string]int{"/health": 503, "/ready": 503} {
			if a := x.ask("GET", path, ""); a.status != status || strings.TrimSpace(a.body) != `{"status":"failed","reason":"trying: a kernel panicked: oh"}` {
				t.Errorf("GET %s: %+v", path, a)
			}
		}
		if a := x.ask("POST", "/v1/say", "Hi"); a.status != 503 || a.header.Get("Retry-After") == "" || !strings.Contains(a.body, "the model cannot work any more: trying: a kernel panicked: oh") {
			t.Errorf("%+v", a)
		}
	}
	x.logged(`"msg":"the model cannot work any more","error":"trying: a kernel panicked: oh","stack":"here"`)
	if n := strings.Count(x.log.String(), `"msg":"the model cannot work any more"`); n != 1 {
		t.Errorf("it is logged %d times", n)
	}
	ill.Store(nil)
	if a := x.ask("POST", "/v1/say", "Hi"); a.status != 200 {
		t.Errorf("when it works again: %+v", a)
	}
	x.logged("the model works again")
}

// TestDrainEnds: what does not end in time is ended, and told so.
func TestDrainEnds(t *testing.T) {
	x := start(t, Options{Drain: 50 * time.Millisecond})
	slow := make(chan answer)
	go func() {
		a, _ := x.try("POST", "/v1/say", "@text \"a\"\nhang")
		slow <- a
	}()
	for x.backend.Open() == 0 {
		time.Sleep(time.Millisecond)
	}
	x.stop()
	if a := <-slow; !strings.Contains(a.body, "error: the server is ending, and waited 50ms for this request") {
		t.Errorf("%+v", a)
	}
}

// TestClientGoes: a generation ends when nobody waits for it.
func TestClientGoes(t *testing.T) {
	x := start(t, Options{})
	c := x.dial()
	if _, err := c.Write([]byte("POST /v1/say HTTP/1.1\r\nHost: localhost\r\nContent-Length: 15\r\n\r\n@text \"a\"\nhang\n")); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(c).ReadString('a'); err != nil {
		t.Fatal(err)
	}
	gone := time.Now()
	_ = c.Close()
	for x.backend.Open() > 0 {
		if time.Since(gone) > 2*time.Second {
			t.Fatal("the generation goes on")
		}
		time.Sleep(time.Millisecond)
	}
	if took := time.Since(gone); took > 100*time.Millisecond {
		t.Logf("it took %s", took) // the machine may be busy; the benchmark of clients measures it
	}
	x.logged(`"finish":"abort"`)
}

// TestPanic: a handler that panics costs its request, and nothing else.
func TestPanic(t *testing.T) {
	x := start(t, Options{}, route.Route{Method: "GET", Pattern: "/panic", Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("oh") })},
		route.Route{Method: "GET", Pattern: "/half", Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("half"))
			_ = http.NewResponseController(w).Flush()
			panic("oh")
		})})
	a := x.ask("GET", "/panic", "", "X-Request-Id: abc")
	if want := `{"error":{"message":"the server failed on this request; its log says why, beside request id abc","type":"server_error","param":null,"code":null}}`; a.status != 500 || strings.TrimSpace(a.body) != want {
		t.Errorf("%d %s", a.status, a.body)
	}
	x.logged(`"panic":"oh"`)
	if a, err := x.try("GET", "/half", ""); err == nil {
		t.Errorf("a client takes half of an answer for the whole: %+v", a)
	}
	if a := x.ask("POST", "/v1/say", "Hi"); a.body != "Hello" {
		t.Errorf("afterwards: %+v", a)
	}
}

// TestErrorsOfHandlers that clients are told nothing of are logged with the request's id.
func TestErrorsOfHandlers(t *testing.T) {
	x := start(t, Options{}, route.Route{Method: "GET", Pattern: "/broken", Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		openai.WriteError(w, route.Fault(r.Context(), fmt.Errorf("reading a file: %w", os.ErrNotExist)))
	})})
	if a := x.ask("GET", "/broken", "", "X-Request-Id: abc"); a.status != 500 || !strings.Contains(a.body, "the server failed to answer the request") || strings.Contains(a.body, "file") {
		t.Errorf("%+v", a)
	}
	x.logged(`"msg":"a request failed","request_id":"abc","error":"reading a file: file does not exist"`)
}

// TestRequestIDs: those of clients are kept where logs and headers can carry them.
func TestRequestIDs(t *testing.T) {
	x := start(t, Options{})
	for _, c := range []struct{ given, want string }{
		{"abc-1:2.3_4", "abc-1:2.3_4"},
		{"", "req_"},
		{"a b", "req_"},
		{"<script>", "req_"},
		{strings.Repeat("x", 129), "req_"},
	} {
		a := x.ask("GET", "/health", "", "X-Request-Id: "+c.given)
		got := a.header.Get("X-Request-Id")
		if c.want == "req_" && (!strings.HasPrefix(got, "req_") || len(got) != 28) || c.want != "req_" && got != c.want {
			t.Errorf("%q becomes %q", c.given, got)
		}
	}
	x.ask("POST", "/v1/say", "Hi", "X-Request-Id: same")
	if got := x.backend.Requests()[0].ID; got != "same" {
		t.Errorf("the model is told of request %q", got)
	}
}

// TestForms: what the server refuses has the form of the interface that was meant.
func TestForms(t *testing.T) {
	x := start(t, Options{Keys: newKeys(t, keyA)})
	got := map[string]string{}
	for name, a := range map[string]answer{
		"openai":    x.ask("POST", "/v1/say", "Hi", "X-Request-Id: r1"),
		"anthropic": x.ask("POST", "/v1/ask", "Hi", "X-Request-Id: r1"),
		"by header": x.ask("POST", "/v1/other", "Hi", "X-Request-Id: r1", "Anthropic-Version: 2023-06-01", "X-Api-Key: "+keyA),
		"method":    x.ask("PUT", "/v1/say", "Hi", "Authorization: Bearer "+keyA),
	} {
		if ct := a.header.Get("Content-Type"); ct != "application/json" {
			t.Errorf("%s: Content-Type %s", name, ct)
		}
		if id := a.header.Get("Request-Id"); (id == "r1") != strings.HasPrefix(a.body, `{"type":"error"`) {
			t.Errorf("%s: Request-Id %q, of an answer in the form of %s", name, id, a.body)
		}
		got[name] = strings.TrimSpace(a.body)
	}
	want := map[string]string{
		"openai":    `{"error":{"message":"this server wants an API key, as Authorization: Bearer KEY or x-api-key: KEY, and knows no such one","type":"authentication_error","param":null,"code":"invalid_api_key"}}`,
		"anthropic": `{"type":"error","error":{"type":"authentication_error","message":"this server wants an API key, as Authorization: Bearer KEY or x-api-key: KEY, and knows no such one"},"request_id":"r1"}`,
		"by header": `{"type":"error","error":{"type":"not_found_error","message":"there is no /v1/other here: see /openapi.json"},"request_id":"r1"}`,
		"method":    `{"error":{"message":"PUT is not a method of this path: it has POST","type":"invalid_request_error","param":null,"code":null}}`,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
