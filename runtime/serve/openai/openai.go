// Package openai is OpenAI's HTTP interface to a service.Backend: chat and text completions, responses, models, and vLLM's
// tokenize and detokenize. It translates: bodies into service.Request, events into JSON and server-sent events. What clients of
// vLLM, SGLang and z.ai send beside OpenAI's fields is understood too ([ADR 26](../../../docs/adr/0026-interfaces.md)).
package openai

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"github.com/glmc/glmc/runtime/serve/body"
	"github.com/glmc/glmc/runtime/serve/route"
	"github.com/glmc/glmc/runtime/serve/sse"
	"github.com/glmc/glmc/runtime/service"
)

// Options of the interface. The zero value is what a server wants.
type Options struct {
	// Fingerprint is system_fingerprint: it changes when answers may. "" leaves the field out.
	Fingerprint string
	// KeepAlive is after how long without an event a stream has a comment; 0: sse.KeepAlive.
	KeepAlive time.Duration
	// Keep is how many bytes of responses are kept in memory, for requests that refer to them; 0: KeptBytes, less: none.
	Keep int64
	// Now and NewID are for tests: the time, and an id that begins with a prefix.
	Now   func() time.Time
	NewID func(prefix string) string
}

type api struct {
	backend service.Backend
	kept    *kept
	Options
}

// Routes are the interface. The backend is asked when requests come, not before.
func Routes(b service.Backend, o Options) []route.Route {
	a := &api{backend: b, kept: newKept(cmp.Or(o.Keep, KeptBytes)), Options: o}
	if a.KeepAlive == 0 {
		a.KeepAlive = sse.KeepAlive
	}
	if a.Now == nil {
		a.Now = time.Now
	}
	if a.NewID == nil {
		a.NewID = route.NewID
	}
	return []route.Route{
		{Method: http.MethodPost, Pattern: "/v1/chat/completions", Handler: a.post(a.chat)},
		{Method: http.MethodPost, Pattern: "/v1/completions", Handler: a.post(a.completions)},
		{Method: http.MethodPost, Pattern: "/v1/responses", Handler: a.post(a.responses)},
		{Method: http.MethodPost, Pattern: "/v1/responses/input_tokens", Handler: a.post(a.inputTokens)},
		{Method: http.MethodGet, Pattern: "/v1/responses/{id}/input_items", Handler: http.HandlerFunc(a.inputItems)},
		{Method: http.MethodGet, Pattern: "/v1/responses/{id}", Handler: http.HandlerFunc(a.getResponse)},
		{Method: http.MethodDelete, Pattern: "/v1/responses/{id}", Handler: http.HandlerFunc(a.deleteResponse)},
		{Method: http.MethodGet, Pattern: "/v1/models", Handler: http.HandlerFunc(a.listModels)},
		{Method: http.MethodGet, Pattern: "/v1/models/{id...}", Handler: http.HandlerFunc(a.getModel)},
		{Method: http.MethodPost, Pattern: "/tokenize", Handler: a.post(a.tokenize)},
		{Method: http.MethodPost, Pattern: "/detokenize", Handler: a.post(a.detokenize)},
	}
}

// post is a handler of requests with a body. What it returns is told to the client, unless that has gone.
func (a *api) post(handle func(http.ResponseWriter, *http.Request, *body.Object) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o, err := body.Read(w, r)
		if err == nil {
			err = handle(w, r, o)
		}
		if err != nil && r.Context().Err() == nil {
			WriteError(w, route.Fault(r.Context(), err))
		}
	})
}

// start hands requests to the backend, all or none.
func (a *api) start(ctx context.Context, requests []service.Request) ([]service.Generation, error) {
	generations := make([]service.Generation, 0, len(requests))
	for _, r := range requests {
		g, err := a.backend.Start(ctx, r)
		if err != nil {
			closeAll(generations)
			return nil, err
		}
		generations = append(generations, g)
	}
	return generations, nil
}

func closeAll(generations []service.Generation) {
	for _, g := range generations {
		g.Close()
	}
}
