package anthropic

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/http/httptest"
	"os"
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
	"github.com/glmc/glmc/runtime/service/modeltest"
	"github.com/glmc/glmc/runtime/service/servicetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testRoutes have ids that are always the same.
func testRoutes(b service.Backend, keepAlive time.Duration) []route.Route {
	n := 0
	return Routes(b, Options{
		KeepAlive: keepAlive,
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
	for _, r := range testRoutes(b, time.Hour) {
		mux.Handle(r.Method+" "+r.Pattern, r.Handler)
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server, b
}

// TestRoomForTokens: max_tokens is what there is room for, and a prompt without room is told in the words that agents look for.
func TestRoomForTokens(t *testing.T) {
	server := scripted(t, modeltest.Options{Pages: 8}) // 128 tokens
	ask := func(most int, prompt string) (int, answered) {
		status, answer := post(t, server, fmt.Sprintf(`{"model": "tiny", "max_tokens": %d, "messages": [{"role": "user", "content": %q}]}`, most, prompt))
		var m answered
		if err := json.Unmarshal([]byte(answer), &m); err != nil {
			t.Fatal(err)
		}
		return status, m
	}
	if status, m := ask(5, modeltest.Say(strings.Repeat("a ", 40))); status != http.StatusOK || m.StopReason != "max_tokens" || m.Usage.OutputTokens != 5 {
		t.Errorf("%d %+v", status, m)
	}
	status, m := ask(1<<30, modeltest.Say(strings.Repeat("a ", 60)))
	if all := m.Usage.InputTokens + m.Usage.CacheRead + m.Usage.OutputTokens; status != http.StatusOK || m.StopReason != "model_context_window_exceeded" || all != 128 {
		t.Errorf("%d %+v", status, m)
	}
	status, m = ask(1, strings.Repeat("a ", 400))
	if status != http.StatusBadRequest || m.Error.Type != "invalid_request_error" || !strings.HasPrefix(m.Error.Message, "prompt is too long: ") {
		t.Errorf("%d %+v", status, m)
	}
}

// scripted is a server for a service that has everything but weights.
func scripted(t *testing.T, o modeltest.Options) *httptest.Server {
	t.Helper()
	o.Files, o.Stop, o.Name = os.DirFS("../../../models/tiny"), []int32{4064, 4071, 4073}, "tiny"
	backend, end, err := modeltest.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := end(); err != nil {
			t.Error(err)
		}
	})
	mux := http.NewServeMux()
	for _, r := range testRoutes(backend, time.Hour) {
		mux.Handle(r.Method+" "+r.Pattern, r.Handler)
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
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

// TestAgent is two turns of an agent on a service that has everything but weights: what the model wrote comes back to it as it was, so
// that the second turn finds the first in the prefix cache.
func TestAgent(t *testing.T) {
	server := scripted(t, modeltest.Options{})
	say := "\n<think>I have to look.</think>\nLet me look.\n<tool_call>read\n<arg_key>path</arg_key>\n<arg_value>a.go</arg_value>\n<arg_key>line</arg_key>\n<arg_value>7</arg_value>\n</tool_call>"
	request := map[string]any{
		"model": "tiny", "max_tokens": 1 << 20, "thinking": map[string]any{"type": "adaptive"},
		"tools":    []any{map[string]any{"name": "read", "input_schema": json.RawMessage(`{"type": "object", "properties": {"path": {"type": "string"}, "line": {"type": "integer"}}}`)}},
		"messages": []any{map[string]any{"role": "user", "content": strings.Repeat("Fix it. ", 50) + modeltest.Say(say)}},
	}
	first := turn(t, server, request)
	want := `[{"type":"thinking","thinking":"I have to look.","signature":"glmc-sum-59R1PB71dL2enJTR"},{"type":"text","text":"Let me look."},` +
		`{"type":"tool_use","id":"ID","name":"read","input":{"path":"a.go","line":7}}]`
	var blocks []block
	if err := json.Unmarshal(first.Content, &blocks); err != nil || len(blocks) != 3 {
		t.Fatalf("%v: %s", err, first.Content)
	}
	id := blocks[2].ID
	if got := strings.Replace(string(first.Content), id, "ID", 1); got != want || first.StopReason != "tool_use" {
		t.Errorf("the first turn is %s, %s; want %s", got, first.StopReason, want)
	}
	request["messages"] = append(request["messages"].([]any), map[string]any{"role": "assistant", "content": first.Content},
		map[string]any{"role": "user", "content": []any{map[string]any{"type": "tool_result", "tool_use_id": id, "content": "package a" + modeltest.Say("Done.")}}})
	second := turn(t, server, request)
	if string(second.Content) != `[{"type":"text","text":"Done."}]` || second.StopReason != "end_turn" {
		t.Errorf("the second turn is %s, %s", second.Content, second.StopReason)
	}
	// Pages have 16 tokens; the last token of the first turn ends it, and is the next role's.
	all := first.Usage.InputTokens + first.Usage.CacheRead + first.Usage.OutputTokens
	if second.Usage.CacheRead < all-16 {
		t.Errorf("the first turn has %d tokens, of which %d are found in the cache", all, second.Usage.CacheRead)
	}
}

// answered is a message as clients see it.
type answered struct {
	Content    json.RawMessage
	StopReason string `json:"stop_reason"`
	Usage      usage
	Error      errorObject
}

func turn(t *testing.T, server *httptest.Server, request map[string]any) answered {
	t.Helper()
	body, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	status, answer := post(t, server, string(body))
	var m answered
	if err := json.Unmarshal([]byte(answer), &m); err != nil || status != http.StatusOK {
		t.Fatalf("%d %s: %v", status, answer, err)
	}
	return m
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
		for _, route := range testRoutes(b, time.Hour) {
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
