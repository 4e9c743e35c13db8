package openai

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/glmc/glmc/runtime/serve/route"
	"github.com/glmc/glmc/runtime/serve/sse"
	"github.com/glmc/glmc/runtime/service"
)

// batchResponse answers in one piece.
func (a *api) batchResponse(w http.ResponseWriter, r *http.Request, d *responseRequest, answer *responseObject) error {
	g, err := a.backend.Start(r.Context(), d.request)
	if err != nil {
		return err
	}
	defer g.Close()
	to := a.newResponder(d, answer, func(responseEvent) error { return nil })
	tags := tagger{how: d.answer.reasoning}
	for {
		e, err := g.Next(r.Context())
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		for _, e := range tags.apply(e) {
			if err := to.add(e); err != nil {
				return err
			}
		}
	}
	if err := to.end(g.Usage(), d); err != nil {
		return err
	}
	route.WriteJSON(w, http.StatusOK, answer)
	return nil
}

// streamResponse answers in events, which have names here.
func (a *api) streamResponse(w http.ResponseWriter, r *http.Request, d *responseRequest, answer *responseObject) error {
	g, err := a.backend.Start(r.Context(), d.request)
	if err != nil {
		return err
	}
	out := sse.New(w)
	to := a.newResponder(d, answer, func(e responseEvent) error { return out.Event(e.Type, e) })
	tags := tagger{how: d.answer.reasoning}
	event := func(arrival sse.Arrival) error {
		for _, e := range tags.apply(arrival.Event) {
			if err := to.add(e); err != nil {
				return err
			}
		}
		return nil
	}
	idle := func() error { return out.Comment("keep-alive") }
	err = sse.Follow(r.Context(), []service.Generation{g}, a.KeepAlive, event, idle)
	switch {
	case err == nil:
		err = to.end(g.Usage(), d)
	case out.Started() && r.Context().Err() == nil:
		to.fail(route.Fault(r.Context(), err))
	}
	if err != nil && !out.Started() {
		return err
	}
	return nil
}

// keep keeps a response that is done, for requests that refer to it.
func (r *responder) keep(d *responseRequest) {
	if !d.store {
		return
	}
	k := &keptResponse{owned: owned{d.tenant, r.answer.ID}, previous: d.previous, outputID: r.ids}
	for _, item := range d.items {
		k.input = append(k.input, bytes.Clone(item)) // a part of the body otherwise, which would stay
	}
	for _, item := range r.answer.Output {
		k.output = append(k.output, toJSON(item))
	}
	k.whole = toJSON(r.answer)
	r.kept.put(k)
}

// toJSON is JSON of what has one.
func toJSON(v any) json.RawMessage {
	data, err := json.Marshal(v)
	if err != nil {
		panic("openai: a response has no JSON: " + err.Error())
	}
	return data
}

// getResponse answers GET /v1/responses/{id}.
func (a *api) getResponse(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	k, ok := a.kept.get(route.Tenant(r.Context()), id)
	if !ok {
		WriteError(w, notKept(id))
		return
	}
	route.WriteJSON(w, http.StatusOK, k.whole)
}

// deleteResponse answers DELETE /v1/responses/{id}.
func (a *api) deleteResponse(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if !a.kept.remove(route.Tenant(r.Context()), id) {
		WriteError(w, notKept(id))
		return
	}
	route.WriteJSON(w, http.StatusOK, struct {
		ID      string `json:"id"`
		Object  string `json:"object"`
		Deleted bool   `json:"deleted"`
	}{id, "response", true})
}

func notKept(id string) *service.Error {
	return &service.Error{Kind: service.NotFound, Param: "response_id", Message: fmt.Sprintf("the response %.200q is not kept here, or not any more", id)}
}
