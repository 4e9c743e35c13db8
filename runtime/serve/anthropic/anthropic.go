// Package anthropic is Anthropic's HTTP interface to a service.Backend: messages, whole and as a stream, and the counting of
// their tokens. Coding agents speak it. It translates: bodies into service.Request, events into JSON and server-sent
// events. Fields that are not known are passed over, because agents send new ones with every release; what cannot be done is
// refused by name ([ADR 26](../../../docs/adr/0026-interfaces.md)).
package anthropic

import (
	"net/http"
	"time"

	"github.com/glmc/glmc/runtime/serve/body"
	"github.com/glmc/glmc/runtime/serve/route"
	"github.com/glmc/glmc/runtime/serve/sse"
	"github.com/glmc/glmc/runtime/service"
)

// Options of the interface. The zero value is what a server wants.
type Options struct {
	// KeepAlive is after how long without an event a stream has a ping; 0: sse.KeepAlive.
	KeepAlive time.Duration
	// NewID is for tests: an id that begins with a prefix.
	NewID func(prefix string) string
}

type api struct {
	backend service.Backend
	Options
}

// Routes are the interface. The backend is asked when requests come, not before.
func Routes(b service.Backend, o Options) []route.Route {
	a := &api{backend: b, Options: o}
	if a.KeepAlive == 0 {
		a.KeepAlive = sse.KeepAlive
	}
	if a.NewID == nil {
		a.NewID = route.NewID
	}
	return []route.Route{
		{Method: http.MethodPost, Pattern: "/v1/messages", API: route.Anthropic, Handler: a.post(a.messages)},
		{Method: http.MethodPost, Pattern: "/v1/messages/count_tokens", API: route.Anthropic, Handler: a.post(a.countTokens)},
	}
}

// post is a handler of requests with a body. What it returns is told to the client, unless that has gone.
func (a *api) post(handle func(http.ResponseWriter, *http.Request, *body.Object) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if id := route.RequestID(r.Context()); id != "" {
			w.Header().Set("Request-Id", id) // where Anthropic's clients look for it
		}
		o, err := body.Read(w, r)
		if err == nil {
			err = handle(w, r, o)
		}
		if err != nil && r.Context().Err() == nil {
			writeError(w, r, route.Fault(r.Context(), err))
		}
	})
}

// messages answers POST /v1/messages.
func (a *api) messages(w http.ResponseWriter, r *http.Request, o *body.Object) error {
	d := &decoder{Object: o, model: a.backend.Model()}
	d.message()
	if err := d.Err(); err != nil {
		return err
	}
	id := a.NewID("msg_")
	d.request.ID = route.RequestID(r.Context())
	if d.request.ID == "" {
		d.request.ID = id
	}
	if d.stream {
		return a.streamMessage(w, r, d, id)
	}
	return a.wholeMessage(w, r, d, id)
}

// countTokens answers POST /v1/messages/count_tokens.
func (a *api) countTokens(w http.ResponseWriter, r *http.Request, o *body.Object) error {
	d := &decoder{Object: o, model: a.backend.Model()}
	d.prompt()
	if err := d.Err(); err != nil {
		return err
	}
	n, err := a.backend.Count(r.Context(), d.request)
	if err != nil {
		return err
	}
	route.WriteJSON(w, http.StatusOK, struct {
		InputTokens int `json:"input_tokens"`
	}{n})
	return nil
}
