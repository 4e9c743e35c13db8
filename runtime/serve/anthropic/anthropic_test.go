package anthropic

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/txtar"
	"go.uber.org/goleak"

	"github.com/glmc/glmc/runtime/serve/route"
	"github.com/glmc/glmc/runtime/serve/transcript"
	"github.com/glmc/glmc/runtime/service"
	"github.com/glmc/glmc/runtime/service/servicetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testRoutes have ids that are always the same.
func testRoutes(b service.Backend) []route.Route {
	n := 0
	return Routes(b, Options{
		KeepAlive: 20 * time.Millisecond,
		NewID:     func(prefix string) string { n++; return fmt.Sprint(prefix, n) },
	})
}

func TestTranscripts(t *testing.T) { transcript.Run(t, testRoutes) }

// serve is a server for the routes, with the script for every request.
func serve(t *testing.T, model service.Model, script string) (*httptest.Server, *servicetest.Backend) {
	t.Helper()
	s, err := servicetest.Parse(script)
	if err != nil {
		t.Fatal(err)
	}
	b := &servicetest.Backend{Describe: model, Script: func(service.Request) servicetest.Script { return s }}
	mux := http.NewServeMux()
	for _, r := range testRoutes(b) {
		mux.Handle(r.Method+" "+r.Pattern, r.Handler)
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server, b
}

// TestRoomForTokens: max_tokens is what there is room for, and a prompt without room is told in the words that agents look for.
func TestRoomForTokens(t *testing.T) {
	for _, tt := range []struct {
		prompt, most int
		want         int // tokens that are asked of the backend; 0: an error
	}{
		{100, 50, 50}, {100, 1 << 30, 4096 - 6 - 100}, {4000, 90, 90}, {4000, 91, 90}, {4089, 10, 1}, {4090, 10, 0}, {100000, 10, 0},
	} {
		server, b := serve(t, servicetest.Model(), "done stop")
		body := fmt.Sprintf(`{"model": "tiny", "max_tokens": %d, "messages": [{"role": "user", "content": "%s"}]}`, tt.most, strings.Repeat("x", tt.prompt))
		status, answer := post(t, server, body)
		switch requests := b.Requests(); {
		case tt.want == 0:
			want := fmt.Sprintf(`"message":"prompt is too long: %d tokens > 4095 maximum"`, tt.prompt+6)
			if status != http.StatusBadRequest || !strings.Contains(answer, want) || len(requests) != 0 {
				t.Errorf("prompt of %d: %d %s, want %s", tt.prompt, status, answer, want)
			}
		case status != http.StatusOK || len(requests) != 1 || *requests[0].MaxTokens != tt.want:
			t.Errorf("prompt of %d, %d tokens: %d %s, %v; want %d tokens", tt.prompt, tt.most, status, answer, requests, tt.want)
		}
	}
}

func post(t *testing.T, server *httptest.Server, body string) (status int, answer string) {
	t.Helper()
	response, err := server.Client().Post(server.URL+"/v1/messages", "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(data)
}

// TestClientGoes: a client that goes ends the generation, whole answer or stream.
func TestClientGoes(t *testing.T) {
	for _, stream := range []string{"false", "true"} {
		server, b := serve(t, servicetest.Model(), "text \"Hi\"\nhang")
		ctx, cancel := context.WithCancel(t.Context())
		body := `{"model": "tiny", "max_tokens": 9, "stream": ` + stream + `, "messages": [{"role": "user", "content": "x"}]}`
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL+"/v1/messages", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			if response, err := server.Client().Do(r); err == nil {
				_, _ = io.Copy(io.Discard, response.Body)
				response.Body.Close()
			}
		}()
		wait(t, func() bool { return b.Open() == 1 })
		cancel()
		<-ended
		wait(t, func() bool { return b.Open() == 0 })
	}
}

// wait waits for something that will come.
func wait(t *testing.T, until func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !until(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it did not come")
		}
	}
}

// TestModelWithoutThinking: nothing is said about thinking to a template that does not know it, and a model without a template has no
// messages.
func TestModelWithoutThinking(t *testing.T) {
	model := servicetest.Model()
	model.Thinks = false
	server, b := serve(t, model, "done stop")
	const body = `{"model": "tiny", "max_tokens": 9, "thinking": {"type": "enabled", "budget_tokens": 1024}, "messages": [{"role": "user", "content": "x"}]}`
	if status, answer := post(t, server, body); status != http.StatusOK || b.Requests()[0].Thinking != nil {
		t.Errorf("%d %s, %+v", status, answer, b.Requests())
	}
	model.Chat = false
	server, _ = serve(t, model, "done stop")
	if status, answer := post(t, server, body); status != http.StatusBadRequest || !strings.Contains(answer, "has no chat template") {
		t.Errorf("%d %s", status, answer)
	}
}

// TestSignatures: thinking that is not shown comes back byte for byte, and other signatures carry nothing.
func TestSignatures(t *testing.T) {
	for _, thinking := range []string{"", "a", "\n a thought \n", "é世"} {
		if got := carried(signature(thinking, true)); got != thinking {
			t.Errorf("%q comes back as %q", thinking, got)
		}
		if got := carried(signature(thinking, false)); got != "" {
			t.Errorf("a sum carries %q", got)
		}
	}
	for _, s := range []string{"", "EqQBCkYI", carriedPrefix + "?", carriedPrefix + "/w=="} {
		if got := carried(s); !utf8.ValidString(got) || len(got) > 3 {
			t.Errorf("%q carries %q", s, got)
		}
	}
}

// FuzzMessages: any body gives an answer in Anthropic's form, and no 5xx.
func FuzzMessages(f *testing.F) {
	archives, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range archives {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for _, part := range archive.Files {
			if i := strings.IndexByte(string(part.Data), '{'); strings.HasPrefix(part.Name, "request") && i > 0 {
				f.Add(string(part.Data[i:]))
			}
		}
	}
	f.Fuzz(func(t *testing.T, data string) {
		s, err := servicetest.Parse("text \"Hi\"\ndone stop")
		if err != nil {
			t.Fatal(err)
		}
		b := &servicetest.Backend{Describe: servicetest.Model(), Script: func(service.Request) servicetest.Script { return s }}
		for _, route := range testRoutes(b) {
			r := httptest.NewRequest(route.Method, route.Pattern, strings.NewReader(data))
			r.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			route.Handler.ServeHTTP(w, r)
			kind, _, _ := mime.ParseMediaType(w.Header().Get("Content-Type"))
			if w.Code >= 500 || kind != "text/event-stream" && !json.Valid(w.Body.Bytes()) {
				t.Fatalf("%s: %d %s", data, w.Code, w.Body)
			}
		}
		for _, r := range b.Requests() {
			for _, m := range r.Conversation.Messages {
				for _, call := range m.ToolCalls {
					if !json.Valid(call.Arguments) || call.Arguments[0] != '{' {
						t.Fatalf("%s: arguments %s", data, call.Arguments)
					}
				}
			}
		}
	})
}
