package openai

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/glmc/glmc/runtime/sample"
	"github.com/glmc/glmc/runtime/service"
)

// call is a tool call as answers have it, whole or in pieces.
type call struct {
	Index    *int         `json:"index,omitempty"` // in streams
	ID       string       `json:"id,omitempty"`
	Type     string       `json:"type,omitempty"`
	Function functionCall `json:"function"`
}

type functionCall struct {
	Name      string `json:"name,omitempty"`
	Arguments string `json:"arguments"`
}

// reply is a choice as its events make it.
type reply struct {
	content, reasoning strings.Builder
	calls              []*pendingCall
	finish             service.Finish
	stop               string
	tokens             []sample.Token
}

type pendingCall struct {
	id, name  string
	arguments strings.Builder
}

// add adds what an event says.
func (r *reply) add(e service.Event) {
	r.tokens = append(r.tokens, e.Logprobs...)
	switch e.Kind {
	case service.Reasoning:
		r.reasoning.WriteString(e.Text)
	case service.Text:
		r.content.WriteString(e.Text)
	case service.CallStart:
		r.calls = append(r.calls, &pendingCall{id: e.ID, name: e.Name})
	case service.CallArgs:
		if n := len(r.calls); n > 0 {
			r.calls[n-1].arguments.WriteString(e.Text)
		}
	case service.Done:
		r.finish, r.stop = e.Finish, e.StopString
	}
}

// whole are the tool calls of a reply that ended.
func (r *reply) whole() []call {
	var calls []call
	for _, c := range r.calls {
		calls = append(calls, call{ID: c.id, Type: "function", Function: functionCall{c.name, c.arguments.String()}})
	}
	return calls
}

// collect reads a generation to its end.
func collect(ctx context.Context, g service.Generation, choices int, how reasoning) ([]*reply, error) {
	defer g.Close()
	replies := make([]*reply, choices)
	tags := make([]tagger, choices)
	for i := range replies {
		replies[i], tags[i] = &reply{}, tagger{how: how}
	}
	for {
		e, err := g.Next(ctx)
		if errors.Is(err, io.EOF) {
			return replies, nil
		}
		if err != nil {
			return nil, err
		}
		for _, e := range tags[e.Choice].apply(e) {
			replies[e.Choice].add(e)
		}
	}
}

// tagger does with a choice's thinking what the request wants.
type tagger struct {
	how  reasoning
	open bool // a joined <think> was written, its end was not
}

// apply gives the events that stand for an event.
func (t *tagger) apply(e service.Event) []service.Event {
	switch {
	case t.how == separate:
	case t.how == hidden && e.Kind == service.Reasoning:
		return nil
	case t.how == joined && e.Kind == service.Reasoning:
		e.Kind = service.Text
		if !t.open {
			t.open = true
			e.Text = "<think>" + e.Text
		}
	case t.open && e.Kind == service.Text:
		t.open = false
		e.Text = "</think>" + e.Text
	case t.open && e.Kind == service.CallStart:
		t.open = false
		return []service.Event{{Kind: service.Text, Choice: e.Choice, Text: "</think>"}, e}
	}
	return []service.Event{e}
}
