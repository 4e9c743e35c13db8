package console

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestBrowser tries the page in a browser (web/test), against a server without a model. CHROMIUM names the browser; where it, node or
// the packages of web/package-lock.json are missing, it is left out.
func TestBrowser(t *testing.T) {
	chromium := os.Getenv("CHROMIUM")
	if chromium == "" {
		t.Skip("CHROMIUM does not name a browser")
	}
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not installed, and the test runs on it")
	}
	if _, err := os.Stat(filepath.Join("web", "node_modules", "playwright-core")); errors.Is(err, fs.ErrNotExist) {
		t.Skip("the packages are not installed: npm ci --prefix runtime/serve/console/web")
	}
	open, locked, late := newServer(t, "", 0), newServer(t, "secret", 0), newServer(t, "", 2)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, node, "--test", "test/console.test.mjs")
	cmd.Dir = "web"
	cmd.Env = append(os.Environ(), "SERVER="+open.URL, "LOCKED="+locked.URL, "LATE="+late.URL)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// A page with a script of its own, which shows that it ran.
const (
	planScript = `document.body.textContent = "the plan is drawn; " + (window.origin === "null" ? "apart" : "together")`
	planStyle  = `body { color: green }`
)

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// scripted is a server without a model. What it replies is a function of what is said to it.
type scripted struct {
	key string
	mu  sync.Mutex
	all []string // bodies of chat requests
	out int      // tokens

	loads int // times that it says that the model is loading
}

func newServer(t *testing.T, key string, loads int) *httptest.Server {
	s := &scripted{key: key, loads: loads}
	routes := Routes(Options{Plan: &Plan{Script: digest(planScript), Style: digest(planStyle), Page: func() ([]byte, error) {
		return fmt.Appendf(nil, "<!doctype html><title>plan</title><style>%s</style><body><script>%s</script><script>document.body.textContent = 'BAD'</script>", planStyle, planScript), nil
	}}})
	mux := mount(routes)
	mux.HandleFunc("GET /v1/models", s.models)
	mux.HandleFunc("GET /metrics", s.metrics)
	mux.HandleFunc("POST /v1/chat/completions", s.chat)
	mux.HandleFunc("GET /seen", func(w http.ResponseWriter, _ *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		_ = json.NewEncoder(w).Encode(s.all)
	})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		private := strings.HasPrefix(r.URL.Path, "/v1/") || r.URL.Path == "/metrics" || r.URL.Path == "/console/plan"
		if private && s.key != "" && r.Header.Get("Authorization") != "Bearer "+s.key {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"error":{"message":"this server wants an API key"}}`)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server
}

func (s *scripted) models(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.loads > 0 {
		s.loads--
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprint(w, `{"error":{"message":"the model is loading: /ready says when it is there","type":"server_error"}}`)
		return
	}
	fmt.Fprint(w, `{"object":"list","data":[{"id":"<b>glm</b>","object":"model"}]}`)
}

func (s *scripted) metrics(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.out += 40
	for _, line := range []string{
		`# HELP vllm:num_requests_running Sequences that are being worked on.`,
		`vllm:num_requests_running{model_name="glm"} 3`, `vllm:num_requests_waiting{model_name="glm"} 1`, `vllm:kv_cache_usage_perc{model_name="glm"} 0.42`,
		fmt.Sprintf(`vllm:generation_tokens_total{model_name="glm"} %d`, s.out), fmt.Sprintf(`vllm:prompt_tokens_total{model_name="glm"} %d`, 10*s.out),
		`vllm:time_to_first_token_seconds_bucket{model_name="glm",le="0.1"} 7`,
		fmt.Sprintf(`vllm:time_to_first_token_seconds_sum{model_name="glm"} %g`, 0.25*float64(s.out)), fmt.Sprintf(`vllm:time_to_first_token_seconds_count{model_name="glm"} %d`, s.out),
	} {
		fmt.Fprintln(w, line)
	}
}

func (s *scripted) chat(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Messages []struct{ Role, Content string } `json:"messages"`
	}
	var raw json.RawMessage
	if err := json.NewDecoder(r.Body).Decode(&raw); err != nil || json.Unmarshal(raw, &body) != nil || len(body.Messages) == 0 {
		http.Error(w, "bad request", http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	s.all = append(s.all, string(raw))
	s.mu.Unlock()
	last := body.Messages[len(body.Messages)-1]
	if last.Content == "fail" {
		w.WriteHeader(http.StatusTooManyRequests)
		fmt.Fprint(w, `{"error":{"message":"<i>busy</i>: try again later","type":"rate_limit_error"}}`)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	send := func(delta map[string]any, finish any) {
		data, err := json.Marshal(map[string]any{"choices": []any{map[string]any{"index": 0, "delta": delta, "finish_reason": finish}}})
		if err != nil {
			panic(err) // there is nothing in it that JSON has not
		}
		fmt.Fprintf(w, "data: %s\n\n", data)
		w.(http.Flusher).Flush()
	}
	call := func(index int, id, name, args string) map[string]any {
		c := map[string]any{"index": index, "function": map[string]any{"name": name, "arguments": args}}
		if id != "" {
			c["id"] = id
		}
		return map[string]any{"tool_calls": []any{c}}
	}
	send(map[string]any{"role": "assistant", "content": ""}, nil)
	finish := "stop"
	switch {
	case last.Role == "tool":
		send(map[string]any{"content": "The tool said: " + last.Content}, nil)
	case last.Content == "hostile":
		send(map[string]any{"content": "<img src=x onerror=alert(1)><script>alert(2)</script> **bold** [a](javascript:alert(3))\n\n```html\n<b>code</b>\n"}, nil)
		send(map[string]any{"content": "```\nafter"}, nil)
	case last.Content == "think":
		send(map[string]any{"reasoning_content": "Let me <em>think</em>"}, nil)
		send(map[string]any{"reasoning_content": " about it."}, nil)
		send(map[string]any{"content": "42"}, nil)
	case last.Content == "tools":
		send(call(0, "call_1", "read_file", `{"path":"a`), nil)
		send(call(0, "", "", `.go"}`), nil)
		send(call(1, "call_2", "list_files", `{}`), nil)
		finish = "tool_calls"
	case last.Content == "forever":
		for i := 0; r.Context().Err() == nil; i++ {
			send(map[string]any{"content": fmt.Sprintf("word%d ", i)}, nil)
			time.Sleep(5 * time.Millisecond)
		}
		return
	case last.Content == "break":
		fmt.Fprint(w, `data: {"error":{"message":"the engine failed"}}`, "\n\n")
		return
	default:
		send(map[string]any{"content": "You said: " + last.Content}, nil)
	}
	send(map[string]any{}, finish)
	fmt.Fprint(w, `data: {"choices":[],"usage":{"prompt_tokens":11,"completion_tokens":5}}`, "\n\ndata: [DONE]\n\n")
}
