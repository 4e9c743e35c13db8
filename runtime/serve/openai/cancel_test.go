package openai

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/glmc/glmc/runtime/service"
	"github.com/glmc/glmc/runtime/service/servicetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestClientGoes: a generation ends when its client goes, in a stream and where it waits for the whole answer.
func TestClientGoes(t *testing.T) {
	script, err := servicetest.Parse("text a\nhang")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, path, payload string }{
		{"chat stream", "/v1/chat/completions", `{"messages": [{"role": "user", "content": "?"}], "stream": true}`},
		{"text stream", "/v1/completions", `{"prompt": ["?", "!"], "stream": true}`},
		{"response stream", "/v1/responses", `{"input": "?", "stream": true}`},
		{"chat", "/v1/chat/completions", `{"messages": [{"role": "user", "content": "?"}]}`},
		{"text", "/v1/completions", `{"prompt": ["?", "!"]}`},
		{"response", "/v1/responses", `{"input": "?"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := &servicetest.Backend{Describe: servicetest.Model(), Script: func(service.Request) servicetest.Script { return script }}
			server := httptest.NewServer(handler(b))
			defer server.Close()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			r, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL+tt.path, strings.NewReader(tt.payload))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", "application/json")
			if strings.HasSuffix(tt.name, "stream") {
				w, err := server.Client().Do(r)
				if err != nil {
					t.Fatal(err)
				}
				defer w.Body.Close()
				if _, err := bufio.NewReader(w.Body).ReadString('\n'); err != nil { // the first event came while the rest did not
					t.Fatal(err)
				}
				cancel()
			} else {
				gone := make(chan error, 1)
				go func() {
					w, err := server.Client().Do(r)
					if err == nil {
						w.Body.Close()
					}
					gone <- err
				}()
				wait(t, func() bool { return b.Open() > 0 })
				cancel()
				if err := <-gone; err == nil {
					t.Error("there was an answer")
				}
			}
			wait(t, func() bool { return b.Open() == 0 })
			server.CloseClientConnections()
		})
	}
}

// wait waits for something that has to happen.
func wait(t *testing.T, happened func() bool) {
	t.Helper()
	for range 1000 {
		if happened() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatal("it did not happen")
}
