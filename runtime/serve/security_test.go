package serve

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/glmc/glmc/runtime/serve/route"
)

// The tests of this file are what other servers' mistakes teach. Each names the report that it comes from, where there is one.

// everything is a path of every route that the server of the tests has, and some that it has not.
func (x *trial) everything() []string {
	paths := []string{"GET /metrics", "POST /v1/say", "POST /v1/ask", "GET /nothing", "POST /v1/nothing", "DELETE /v1/say", "OPTIONS /v1/say", "TRACE /v1/say"}
	x.Server.mu.Lock()
	defer x.Server.mu.Unlock()
	for _, r := range x.Server.loaded.Routes {
		if r.Access == route.WithKey {
			paths = append(paths, r.Method+" "+strings.NewReplacer("{id...}", "tiny", "{id}", "x").Replace(r.Pattern))
		}
	}
	return paths
}

// TestEveryRouteWantsAKey (CVE-2026-48746): no path gets past the keys, however it is written, and which routes there are is told to nobody
// without one.
func TestEveryRouteWantsAKey(t *testing.T) {
	x := start(t, Options{Keys: newKeys(t, keyA)})
	for _, at := range x.everything() {
		method, path, _ := strings.Cut(at, " ")
		for _, credential := range []string{"X-None: x", "Authorization: Bearer wrong-key-000", "Authorization: " + keyA, "Authorization: Basic " + keyA, "X-Api-Key: ", "Authorization: Bearer", "Cookie: key=" + keyA} {
			if a := x.ask(method, path, "", credential); a.status != 401 {
				t.Errorf("%s with %s: %d %s", at, credential, a.status, a.body)
			}
		}
	}
	for _, path := range []string{"//v1/say", "/v1//say", "/v1/say/", "/./v1/say", "/v1/../v1/say", "/%2e/v1/say", "/v1/%2e%2e/v1/say", "/v1%2fsay", "/V1/say", "/v1/say%00",
		"/health/../v1/say", "/health%2f..%2fv1%2fsay", "/health/", "//health", "/health;/v1/say", "/v1/s%61y", "/ready/../metrics", "/?/v1/say/../../health", "\\v1\\say", "/v1/say#/health"} {
		got := x.raw("POST " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nConnection: close\r\n\r\nHi")
		status, _, _ := strings.Cut(got, "\r\n")
		if path == "/?/v1/say/../../health" { // the page at /, which has no POST
			continue
		}
		if !strings.Contains(status, " 401 ") && !strings.Contains(status, " 400 ") {
			t.Errorf("%s: %s", path, status)
		}
	}
	if n := len(x.backend.Requests()); n != 0 {
		t.Errorf("%d requests reached the model without a key", n)
	}
	for _, credential := range []string{"Authorization: Bearer " + keyA, "authorization: bearer " + keyA, "X-Api-Key: " + keyA} {
		if a := x.ask("POST", "/v1/say", "Hi", credential); a.status != 200 {
			t.Errorf("with %s: %d %s", credential, a.status, a.body)
		}
	}
	for _, open := range []string{"/health", "/ready", "/"} {
		if a := x.ask("GET", open, ""); a.status != 200 {
			t.Errorf("GET %s without a key: %d", open, a.status)
		}
	}
}

// TestKeysAreComparedWhole (CVE-2025-59425): keys are compared as hashes, all of them each time, so that neither the time of an answer nor
// part of a key tells anything.
func TestKeysAreComparedWhole(t *testing.T) {
	k := newKeys(t, keyA, keyB)
	for _, c := range []struct {
		key string
		ok  bool
	}{{keyA, true}, {keyB, true}, {keyA[:len(keyA)-1], false}, {keyA + "x", false}, {strings.ToUpper(keyA), false}, {"", false}, {keyA + keyB, false}} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Authorization", "Bearer "+c.key)
		if name, ok := k.find(r); ok != c.ok || ok != (name != "") {
			t.Errorf("key %q: %q, %t", c.key, name, ok)
		}
	}
}

// TestBodiesAreBounded (CVE-2026-34756, CVE-2025-48956): a body is refused before it is in memory, whether it says how large it is or not.
func TestBodiesAreBounded(t *testing.T) {
	l := DefaultLimits()
	l.Body, l.Bodies, l.Header = 1000, 1500, 4096
	x := start(t, Options{Limits: l})
	for name, request := range map[string]string{
		"said":    "POST /v1/say HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n",
		"chunked": "POST /v1/say HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n" + strings.Repeat("x", 1000) + "\r\n1\r\nx\r\n0\r\n\r\n",
	} {
		if got := x.raw(request); !strings.HasPrefix(got, "HTTP/1.1 413 ") || !strings.Contains(got, "the body has more than 1000 bytes") {
			t.Errorf("%s: %s", name, got)
		}
	}
	if a := x.ask("POST", "/v1/say", strings.Repeat("x", 1000)); a.status != 200 {
		t.Errorf("a body of 1000 bytes: %d %s", a.status, a.body)
	}
	got := x.raw("GET /health HTTP/1.1\r\nHost: localhost\r\nX-Long: " + strings.Repeat("x", 20000) + "\r\n\r\n")
	if !strings.HasPrefix(got, "HTTP/1.1 431 ") {
		t.Errorf("long headers: %.200s", got)
	}
	if held := x.bodies.Load(); held != 0 {
		t.Errorf("%d bytes of bodies are still counted", held)
	}
}

// TestBodiesTogetherAreBounded: many clients cannot fill the memory with bodies that each is within its bounds.
func TestBodiesTogetherAreBounded(t *testing.T) {
	l := DefaultLimits()
	l.Body, l.Bodies = 1000, 1500
	x := start(t, Options{Limits: l})
	hold := x.dial() // 999 of 1000 bytes
	fmt.Fprintf(hold, "POST /v1/say HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n%s", strings.Repeat("x", 999))
	for x.bodies.Load() < 999 {
		time.Sleep(time.Millisecond)
	}
	if a := x.ask("POST", "/v1/say", strings.Repeat("x", 600)); a.status != 503 || a.header.Get("Retry-After") == "" {
		t.Errorf("a body too many: %d %s", a.status, a.body)
	}
	_ = hold.Close()
	for range 1000 {
		if x.bodies.Load() == 0 {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Errorf("%d bytes of bodies are still counted", x.bodies.Load())
}

// TestNumbersAreBounded (CVE-2026-34756, CVE-2025-48956): how many choices and tokens are wanted is checked before anything is made of it.
func TestNumbersAreBounded(t *testing.T) {
	x := start(t, Options{})
	for _, more := range []string{`"n": 1000000000`, `"n": 99999999999999999999`, `"max_tokens": 1e400`, `"max_tokens": -1`, `"top_logprobs": 1000000, "logprobs": true`,
		`"logit_bias": {"5000000": 1}`, `"stop": ["` + strings.Repeat(`a","`, 1000) + `"]`, `"temperature": 1e999`, `"seed": 1e30`} {
		a := x.ask("POST", "/v1/chat/completions", `{"model": "tiny", "messages": [{"role": "user", "content": "Hi"}], `+more+`}`, "Content-Type: application/json")
		if a.status != 400 || !strings.Contains(a.body, `"invalid_request_error"`) {
			t.Errorf("%.60s: %d %s", more, a.status, a.body)
		}
	}
	if n := len(x.backend.Requests()); n != 0 {
		t.Errorf("%d of them reached the model", n)
	}
}

// TestNoTemplatesFromRequests (CVE-2025-62426): who asks may set the template's known arguments, and not replace it, or what it gets from
// elsewhere.
func TestNoTemplatesFromRequests(t *testing.T) {
	x := start(t, Options{})
	for _, more := range []string{`"chat_template_kwargs": {"chat_template": "{{ 1 }}"}`, `"chat_template_kwargs": {"tokenize": true}`, `"chat_template_kwargs": {"messages": []}`,
		`"chat_template_kwargs": {"tools": []}`, `"chat_template": "{% for i in range(1000000000) %}{{ i }}{% endfor %}"`} {
		a := x.ask("POST", "/v1/chat/completions", `{"model": "tiny", "messages": [{"role": "user", "content": "Hi"}], `+more+`}`, "Content-Type: application/json")
		if a.status != 400 {
			t.Errorf("%s: %d %s", more, a.status, a.body)
		}
	}
}

// TestNothingIsFetched (CVE-2025-6242): the server asks no other one for what a request names.
func TestNothingIsFetched(t *testing.T) {
	var asked atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer other.Close()
	x := start(t, Options{})
	for _, part := range []string{
		`{"type": "image_url", "image_url": {"url": "` + other.URL + `"}}`,
		`{"type": "image_url", "image_url": {"url": "file:///etc/passwd"}}`,
		`{"type": "input_audio", "input_audio": {"data": "` + other.URL + `", "format": "wav"}}`,
		`{"type": "video_url", "video_url": {"url": "` + other.URL + `"}}`,
		`{"type": "file", "file": {"file_id": "` + other.URL + `"}}`,
	} {
		a := x.ask("POST", "/v1/chat/completions", `{"model": "tiny", "messages": [{"role": "user", "content": [`+part+`]}]}`, "Content-Type: application/json")
		if a.status != 400 {
			t.Errorf("%s: %d %s", part, a.status, a.body)
		}
	}
	schema := `{"model": "tiny", "messages": [{"role": "user", "content": "Hi"}], "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"$ref": "` + other.URL + `"}}}}`
	x.ask("POST", "/v1/chat/completions", schema, "Content-Type: application/json")
	if n := asked.Load(); n != 0 {
		t.Errorf("the other server was asked %d times", n)
	}
}

// TestPrefixCachesOfKeys: how fast an answer comes tells nothing about the prompts of other keys, because they share no pages.
func TestPrefixCachesOfKeys(t *testing.T) {
	salts := func(o Options) []string {
		o.Keys = newKeys(t, keyA, keyB)
		x := start(t, o)
		for _, k := range []string{keyA, keyB, keyA} {
			if a := x.ask("POST", "/v1/say", "Hi", "X-Api-Key: "+k); a.status != 200 {
				t.Fatalf("%d %s", a.status, a.body)
			}
		}
		var list []string
		for _, r := range x.backend.Requests() {
			list = append(list, r.Salt)
		}
		return list
	}
	if s := salts(Options{}); s[0] == s[1] || s[0] != s[2] || s[0] == "" {
		t.Errorf("salts of two keys: %q", s)
	}
	if s := salts(Options{SharePrefixes: true}); s[0] != s[1] {
		t.Errorf("shared: %q", s)
	}
}

// TestPriorities: nobody goes before others because they ask for it, unless the server lets them.
func TestPriorities(t *testing.T) {
	for urgent, want := range map[bool][]int{false: {0, 3}, true: {-5, 3}} {
		x := start(t, Options{Urgent: urgent})
		for _, priority := range []int{-5, 3} {
			if a := x.ask("POST", "/v1/completions", fmt.Sprintf(`{"prompt":"Hi","priority":%d}`, priority), "Content-Type: application/json"); a.status != 200 {
				t.Fatalf("%d %s", a.status, a.body)
			}
		}
		for i, r := range x.backend.Requests() {
			if r.Priority != want[i] {
				t.Errorf("urgent %v: request %d has priority %d, want %d", urgent, i, r.Priority, want[i])
			}
		}
	}
}

// TestControlChannels (CVE-2025-47277, CVE-2026-3059): nothing listens but what was asked for. pprof has its own address, and the server's has
// no pprof.
func TestControlChannels(t *testing.T) {
	x := start(t, Options{})
	if a := x.ask("GET", "/debug/pprof/", ""); a.status != 404 {
		t.Errorf("pprof without being asked for: %d", a.status)
	}
	y := start(t, Options{DebugAddr: "127.0.0.1:0", Keys: newKeys(t, keyA)})
	y.logged("/debug/pprof/")
	_, rest, _ := strings.Cut(y.log.String(), `"url":"http://`)
	addr, _, _ := strings.Cut(rest, "/")
	for path, want := range map[string]int{"/debug/pprof/": 200, "/debug/pprof/cmdline": 404, "/v1/models": 404} {
		res, err := y.client.Get("http://" + addr + path)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("GET %s at the address of pprof: %d", path, res.StatusCode)
		}
	}
}

// TestCompressedBodies: a small body that becomes a large one is not unpacked.
func TestCompressedBodies(t *testing.T) {
	x := start(t, Options{})
	var bomb strings.Builder
	w := gzip.NewWriter(&bomb)
	_, _ = w.Write(make([]byte, 10<<20))
	_ = w.Close()
	for _, encoding := range []string{"gzip", "br", "deflate, gzip"} {
		if a := x.ask("POST", "/v1/say", bomb.String(), "Content-Encoding: "+encoding); a.status != 415 {
			t.Errorf("%s: %d %s", encoding, a.status, a.body)
		}
	}
	if a := x.ask("POST", "/v1/say", "Hi", "Content-Encoding: identity"); a.status != 200 {
		t.Errorf("identity: %d", a.status)
	}
}

// TestSmuggling: requests whose length two servers could read differently are refused, and end the connection.
func TestSmuggling(t *testing.T) {
	x := start(t, Options{})
	inner := "POST /v1/say HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nHi"
	for name, request := range map[string]string{
		"two lengths":        "POST /v1/say HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nContent-Length: 70\r\n\r\nHi" + inner,
		"length and chunks":  "POST /v1/say HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + inner,
		"space before colon": "POST /v1/say HTTP/1.1\r\nHost: localhost\r\nContent-Length : 2\r\n\r\nHi" + inner,
		"bad chunk":          "POST /v1/say HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nHi\r\n0\r\n\r\n" + inner,
		"sign in length":     "POST /v1/say HTTP/1.1\r\nHost: localhost\r\nContent-Length: +2\r\n\r\nHi" + inner,
		"two hosts":          "POST /v1/say HTTP/1.1\r\nHost: localhost\r\nHost: other\r\nContent-Length: 2\r\n\r\nHi" + inner,
		"no host":            "POST /v1/say HTTP/1.1\r\nContent-Length: 2\r\n\r\nHi" + inner,
	} {
		got := x.raw(request)
		if strings.Count(got, "HTTP/1.1 ") != 1 || !strings.HasPrefix(got, "HTTP/1.1 400 ") && !strings.HasPrefix(got, "HTTP/1.1 501 ") {
			t.Errorf("%s:\n%s", name, got)
		}
	}
	if n := len(x.backend.Requests()); n != 0 {
		t.Errorf("%d requests reached the model", n)
	}
}

// TestSlowClients: who sends or reads too slowly loses the connection, and holds up nobody.
func TestSlowClients(t *testing.T) {
	l := DefaultLimits()
	l.HeaderTime, l.BodyTime, l.WriteTime = 200*time.Millisecond, 200*time.Millisecond, 200*time.Millisecond
	flood := make(chan error, 1)
	x := start(t, Options{Limits: l}, route.Route{Method: "GET", Pattern: "/flood", Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := w.Write(make([]byte, 1<<16)); err != nil {
				flood <- err
				return
			}
		}
	})})
	if got := x.raw("POST /v1/say HTTP/1.1\r\nHost: localhost\r\n"); got != "" && !strings.HasPrefix(got, "HTTP/1.1 408 ") {
		t.Errorf("headers that do not end: %s", got)
	}
	if got := x.raw("POST /v1/say HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nHi"); !strings.HasPrefix(got, "HTTP/1.1 408 ") {
		t.Errorf("a body that does not come: %s", got)
	}
	c := x.dial()
	if err := c.(*net.TCPConn).SetReadBuffer(4096); err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(c, "GET /flood HTTP/1.1\r\nHost: localhost\r\n\r\n")
	if err := <-flood; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a client that does not read: %v", err)
	}
	x.logged("i/o timeout")
	// A generation may be silent for longer than a write may take.
	if a := x.ask("POST", "/v1/say", "@text \"a\"\nwait 500ms\ntext \"z\"\ndone stop"); a.body != "az" {
		t.Errorf("a generation with a pause: %+v", a)
	}
}

// TestTooManyRequests: more than the server takes are refused at once, in words that clients understand, and cost nothing.
func TestTooManyRequests(t *testing.T) {
	l := DefaultLimits()
	l.Requests = 2
	x := start(t, Options{Limits: l})
	ctx, stop := context.WithCancel(context.Background())
	var hanging sync.WaitGroup
	for range 2 {
		hanging.Go(func() {
			r, _ := http.NewRequestWithContext(ctx, "POST", "http://"+x.addr+"/v1/say", strings.NewReader("@hang"))
			if res, err := x.client.Do(r); err == nil {
				_ = res.Body.Close()
			}
		})
	}
	for x.backend.Open() < 2 {
		time.Sleep(time.Millisecond)
	}
	a := x.ask("POST", "/v1/say", "Hi")
	if a.status != 429 || a.header.Get("Retry-After") == "" || !strings.Contains(a.body, `"code":"rate_limit_exceeded"`) {
		t.Errorf("%d %v %s", a.status, a.header, a.body)
	}
	if a := x.ask("POST", "/v1/ask", "Hi"); a.status != 429 || !strings.Contains(a.body, `"type":"rate_limit_error"`) {
		t.Errorf("in Anthropic's form: %d %s", a.status, a.body)
	}
	if a := x.ask("GET", "/health", ""); a.status != 200 {
		t.Errorf("/health: %d", a.status)
	}
	stop()
	hanging.Wait()
	for x.backend.Open() > 0 {
		time.Sleep(time.Millisecond)
	}
	for range 200 {
		if a = x.ask("POST", "/v1/say", "Hi"); a.status == 200 {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Errorf("when there is room again: %d %s", a.status, a.body)
}

// TestBodiesThatDoNotComeHoldNoRoom: who sends the beginning of a request takes none of the places of those that work on the model.
func TestBodiesThatDoNotComeHoldNoRoom(t *testing.T) {
	l := DefaultLimits()
	l.Requests = 1
	x := start(t, Options{Limits: l})
	for range 3 {
		fmt.Fprint(x.dial(), "POST /v1/say HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\nH")
	}
	for range 20 {
		if a := x.ask("POST", "/v1/say", "Hi"); a.status != 200 {
			t.Fatalf("%d %s", a.status, a.body)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// TestConnectionsAreBounded: one more than there may be waits, and takes no file handle.
func TestConnectionsAreBounded(t *testing.T) {
	l := DefaultLimits()
	l.Connections = 3
	x := start(t, Options{Limits: l})
	x.client.CloseIdleConnections()
	var held []net.Conn
	for range 3 {
		c := x.dial()
		fmt.Fprint(c, "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
		if _, err := bufio.NewReader(c).ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		held = append(held, c)
	}
	late := x.dial()
	fmt.Fprint(late, "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
	_ = late.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
	if _, err := late.Read(make([]byte, 1)); err == nil {
		t.Error("a fourth connection is served")
	}
	_ = held[0].Close()
	_ = late.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := late.Read(make([]byte, 1)); err != nil {
		t.Errorf("when one has gone: %v", err)
	}
}

// TestHosts: a server without keys that only this machine reaches knows itself by its own names, so that no page can make it
// seem to be its own (DNS rebinding).
func TestHosts(t *testing.T) {
	x := start(t, Options{})
	for host, want := range map[string]int{"localhost": 200, "127.0.0.1:80": 200, "[::1]:8000": 200, "a.localhost": 200, "evil.example": 421, "localhost.evil.example": 421, "127.0.0.1.evil.example": 421} {
		if a := x.ask("POST", "/v1/say", "Hi", "Host: "+host); a.status != want {
			t.Errorf("%s: %d, want %d", host, a.status, want)
		}
	}
	y := start(t, Options{Keys: newKeys(t, keyA), Hosts: []string{"glm.example.com"}})
	for host, want := range map[string]int{"glm.example.com": 200, "GLM.example.com:443": 200, "other.example.com": 421, "localhost": 421} {
		if a := y.ask("POST", "/v1/say", "Hi", "Host: "+host, "X-Api-Key: "+keyA); a.status != want {
			t.Errorf("with names: %s: %d, want %d", host, a.status, want)
		}
	}
}

// TestOrigins: pages of other servers may ask only where they are allowed to.
func TestOrigins(t *testing.T) {
	page := []string{"Origin: https://evil.example", "Sec-Fetch-Site: cross-site"}
	x := start(t, Options{})
	a := x.ask("POST", "/v1/say", "Hi", page...)
	if a.status != 403 || a.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("a page that nobody allowed: %d %v", a.status, a.header)
	}
	if a := x.ask("OPTIONS", "/v1/say", "", append(page, "Access-Control-Request-Method: POST")...); a.status != 405 || a.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("its question: %d %v", a.status, a.header)
	}
	if a := x.ask("POST", "/v1/say", "Hi", "Origin: http://"+x.addr, "Sec-Fetch-Site: same-origin"); a.status != 200 {
		t.Errorf("the server's own page: %d", a.status)
	}
	y := start(t, Options{Origins: []string{"https://chat.example"}, Keys: newKeys(t, keyA)})
	friend := []string{"Origin: https://chat.example", "Sec-Fetch-Site: cross-site"}
	a = y.ask("OPTIONS", "/v1/say", "", append(friend, "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: authorization,content-type")...)
	if a.status != 204 || a.header.Get("Access-Control-Allow-Origin") != "https://chat.example" || a.header.Get("Access-Control-Allow-Headers") != "authorization,content-type" {
		t.Errorf("the question of one that may: %d %v", a.status, a.header)
	}
	if a = y.ask("POST", "/v1/say", "Hi", append(friend, "X-Api-Key: "+keyA)...); a.status != 200 || a.header.Get("Access-Control-Allow-Origin") != "https://chat.example" {
		t.Errorf("one that may: %d %v", a.status, a.header)
	}
	if a = y.ask("POST", "/v1/say", "Hi", friend...); a.status != 401 {
		t.Errorf("without a key: %d", a.status)
	}
	if a = y.ask("POST", "/v1/say", "Hi", append(page, "X-Api-Key: "+keyA)...); a.status != 403 {
		t.Errorf("another: %d", a.status)
	}
	if _, err := New(Options{Origins: []string{"chat.example"}}); err == nil {
		t.Error("an origin without a scheme is taken")
	}
}

// TestMethods: HEAD is GET without a body; OPTIONS and the rest are told what there is.
func TestMethods(t *testing.T) {
	x := start(t, Options{})
	if a := x.ask("HEAD", "/health", ""); a.status != 200 || a.body != "" {
		t.Errorf("HEAD: %d %q", a.status, a.body)
	}
	for _, method := range []string{"OPTIONS", "PUT", "TRACE", "PATCH", "BREW"} {
		if a := x.ask(method, "/v1/say", ""); a.status != 405 || a.header.Get("Allow") != "POST" {
			t.Errorf("%s: %d %v", method, a.status, a.header)
		}
	}
	if got := x.raw("OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 404 ") {
		t.Errorf("OPTIONS *: %s", got)
	}
	if got := x.raw("CONNECT localhost:22 HTTP/1.1\r\nHost: localhost:22\r\nConnection: close\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 404 ") && !strings.HasPrefix(got, "HTTP/1.1 405 ") {
		t.Errorf("CONNECT: %s", got)
	}
}

// TestLogsHoldNoSecrets: keys, prompts and replies are in no log, and what clients write cannot forge lines of it.
func TestLogsHoldNoSecrets(t *testing.T) {
	x := start(t, Options{Keys: newKeys(t, keyA)})
	x.ask("POST", "/v1/say?key="+keyA, "a secret prompt", "X-Api-Key: "+keyA)
	x.ask("GET", "/no%0Alevel=ERROR%20forged", "", "X-Api-Key: "+keyB, "X-Request-Id: a%0Ab")
	x.logged(`"status":401`)
	for _, secret := range []string{keyA, keyB, "secret", "Hello", "forged"} {
		if strings.Contains(x.log.String(), secret) {
			t.Errorf("the log has %q:\n%s", secret, x.log)
		}
	}
	y := start(t, Options{LogPrompts: true})
	y.ask("POST", "/v1/say", "a secret prompt")
	y.logged("a secret prompt")
	y.logged(`"text":"Hello"`)
}

// TestHTTP2Pauses: a stream of HTTP/2 lives on while a generation is silent, with and without TLS.
func TestHTTP2Pauses(t *testing.T) {
	l := DefaultLimits()
	l.WriteTime = 100 * time.Millisecond
	x := start(t, Options{Limits: l})
	p := &http.Protocols{}
	p.SetUnencryptedHTTP2(true)
	x.client.Transport = &http.Transport{Protocols: p}
	if a := x.ask("POST", "/v1/say", "@text \"a\"\nwait 400ms\ntext \"z\"\ndone stop"); a.body != "az" {
		t.Errorf("%+v", a)
	}
}

// TestHTTP2SlowReader: a client of HTTP/2 that does not read a stream loses it, and what it was for ends.
func TestHTTP2SlowReader(t *testing.T) {
	l := DefaultLimits()
	l.WriteTime = 200 * time.Millisecond
	flood := make(chan error, 1)
	x := start(t, Options{Limits: l}, route.Route{Method: "GET", Pattern: "/flood", Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for {
			if _, err := w.Write(make([]byte, 1<<16)); err != nil {
				<-r.Context().Done()
				flood <- err
				return
			}
		}
	})})
	p := &http.Protocols{}
	p.SetUnencryptedHTTP2(true)
	x.client.Transport = &http.Transport{Protocols: p}
	res, err := x.client.Get("http://" + x.addr + "/flood")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	select {
	case <-flood:
	case <-time.After(10 * time.Second):
		t.Error("the stream goes on")
	}
}
