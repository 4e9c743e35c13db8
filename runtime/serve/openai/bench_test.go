package openai

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/glmc/glmc/runtime/service"
	"github.com/glmc/glmc/runtime/service/servicetest"
)

// BenchmarkStream is what a token costs on its way from the backend to a client on the same machine: JSON, a write and a flush, and
// the client's reading of it.
func BenchmarkStream(b *testing.B) {
	steps := make([]servicetest.Step, b.N, b.N+1)
	for i := range steps {
		steps[i].Event = service.Event{Kind: service.Text, Text: " token"}
	}
	steps = append(steps, servicetest.Step{Event: service.Event{Kind: service.Done, Finish: service.FinishStop}})
	backend := &servicetest.Backend{Describe: servicetest.Model(), Script: func(service.Request) servicetest.Script {
		return servicetest.Script{Steps: steps}
	}}
	server := httptest.NewServer(handler(backend))
	defer server.Close()
	b.ReportAllocs()
	b.ResetTimer()
	w, err := http.Post(server.URL+"/v1/chat/completions", "application/json", strings.NewReader(`{"messages": [{"role": "user", "content": "?"}], "stream": true}`))
	if err != nil {
		b.Fatal(err)
	}
	defer w.Body.Close()
	if _, err := io.Copy(io.Discard, w.Body); err != nil {
		b.Fatal(err)
	}
}
