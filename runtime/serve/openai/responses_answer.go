package openai

import (
	"errors"
	"io"
	"net/http"

	"github.com/glmc/glmc/runtime/serve/route"
	"github.com/glmc/glmc/runtime/serve/sse"
	"github.com/glmc/glmc/runtime/service"
)

// batchResponse answers in one piece.
func (a *api) batchResponse(w http.ResponseWriter, r *http.Request, d *decoder, answer *responseObject) error {
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
	if err := to.end(g.Usage()); err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, answer)
	return nil
}

// streamResponse answers in events, which have names here.
func (a *api) streamResponse(w http.ResponseWriter, r *http.Request, d *decoder, answer *responseObject) error {
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
		err = to.end(g.Usage())
	case out.Started() && r.Context().Err() == nil:
		to.fail(route.Fault(err))
	}
	if err != nil && !out.Started() {
		return err
	}
	return nil
}
