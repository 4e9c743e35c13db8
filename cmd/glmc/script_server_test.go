package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
)

// newScriptServer starts a server without a model, which says "word" as often as it is asked to. The model's name says how it
// behaves: busy refuses, and locked wants a key.
func newScriptServer(t *testing.T) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/models", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"object":"list","data":[{"id":"script","vocab_size":500}]}`)
	})
	for path, write := range map[string]func(w http.ResponseWriter, prompt, tokens int){
		"/v1/completions":      scriptCompletion,
		"/v1/chat/completions": scriptChat,
		"/v1/messages":         scriptMessage,
	} {
		mux.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) {
			var body struct {
				Model     string            `json:"model"`
				MaxTokens int               `json:"max_tokens"`
				Prompt    json.RawMessage   `json:"prompt"`
				Messages  []json.RawMessage `json:"messages"`
			}
			if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			var prompt []int
			_ = json.Unmarshal(body.Prompt, &prompt) // text has no length here
			switch body.Model {
			case "busy":
				http.Error(w, `{"error":{"message":"try again later"}}`, http.StatusTooManyRequests)
				return
			case "locked":
				if r.Header.Get("Authorization") != "Bearer open" {
					http.Error(w, `{"error":{"message":"no such key"}}`, http.StatusUnauthorized)
					return
				}
			}
			w.Header().Set("Content-Type", "text/event-stream")
			write(w, len(prompt)+len(body.Messages), body.MaxTokens)
		})
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

func scriptCompletion(w http.ResponseWriter, prompt, tokens int) {
	for range tokens {
		fmt.Fprint(w, `data: {"choices":[{"index":0,"text":" word"}]}`, "\n\n")
	}
	fmt.Fprintf(w, "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":%d,\"completion_tokens\":%d}}\n\ndata: [DONE]\n\n", prompt, tokens)
}

func scriptChat(w http.ResponseWriter, prompt, tokens int) {
	for range tokens {
		fmt.Fprint(w, `data: {"choices":[{"index":0,"delta":{"content":" word"}}]}`, "\n\n")
	}
	fmt.Fprintf(w, "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":%d,\"completion_tokens\":%d}}\n\ndata: [DONE]\n\n", prompt, tokens)
}

func scriptMessage(w http.ResponseWriter, prompt, tokens int) {
	fmt.Fprintf(w, "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":%d}}}\n\n", prompt)
	for range tokens {
		fmt.Fprint(w, `data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" word"}}`, "\n\n")
	}
	fmt.Fprintf(w, "data: {\"type\":\"message_delta\",\"usage\":{\"output_tokens\":%d}}\n\ndata: {\"type\":\"message_stop\"}\n\n", tokens)
}
