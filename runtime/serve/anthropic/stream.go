package anthropic

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/glmc/glmc/runtime/serve/route"
	"github.com/glmc/glmc/runtime/serve/sse"
	"github.com/glmc/glmc/runtime/service"
)

// The events of a stream, in the order message_start, ping, for each block content_block_start, content_block_delta ...,
// content_block_stop, then message_delta and message_stop. Pings may come at any time.
type (
	startEvent struct {
		Type    string      `json:"type"`
		Message messageBody `json:"message"`
	}
	blockStart struct {
		Type  string `json:"type"`
		Index int    `json:"index"`
		Block block  `json:"content_block"`
	}
	blockDelta struct {
		Type  string `json:"type"`
		Index int    `json:"index"`
		Delta delta  `json:"delta"`
	}
	blockStop struct {
		Type  string `json:"type"`
		Index int    `json:"index"`
	}
	messageDelta struct {
		Type  string     `json:"type"`
		Delta stopDelta  `json:"delta"`
		Usage deltaUsage `json:"usage"`
	}
	stopDelta struct {
		StopReason   *string `json:"stop_reason"`
		StopSequence *string `json:"stop_sequence"`
	}
	bare struct {
		Type string `json:"type"`
	}
)

// delta is what a block has more. One field besides Type is set.
type delta struct {
	Type        string  `json:"type"`
	Text        *string `json:"text,omitempty"`
	Thinking    *string `json:"thinking,omitempty"`
	Signature   *string `json:"signature,omitempty"`
	PartialJSON *string `json:"partial_json,omitempty"`
}

// deltaUsage is usage without what only the first event says.
type deltaUsage usage

// messageStream writes the events of a message.
type messageStream struct {
	*sse.Writer
	api      *api
	decoder  *decoder
	id       string
	begun    bool
	open     bool              // a block is
	kind     service.EventKind // of it
	index    int               // of it, or of the next one
	thinking strings.Builder   // of it
	done     service.Event
}

// streamMessage answers in events.
func (a *api) streamMessage(w http.ResponseWriter, r *http.Request, d *decoder, id string) error {
	g, err := a.backend.Start(r.Context(), d.request)
	if err != nil {
		return err
	}
	s := &messageStream{Writer: sse.New(w), api: a, decoder: d, id: id}
	err = sse.Follow(r.Context(), []service.Generation{g}, a.KeepAlive, s.event, s.ping)
	if err == nil {
		err = s.end(g.Usage())
	}
	switch {
	case err == nil || r.Context().Err() != nil:
		return nil // there may be nobody to tell
	case !s.Started():
		return err // it gets a status
	}
	_ = s.Event("error", newError(r, route.Fault(r.Context(), err)))
	return nil
}

func (s *messageStream) ping() error { return s.Event("ping", bare{"ping"}) }

// begin writes what comes before all else.
func (s *messageStream) begin(u service.Usage) error {
	if s.begun {
		return nil
	}
	s.begun = true
	if err := s.Event("message_start", startEvent{"message_start", s.api.newMessage(s.id, u)}); err != nil {
		return err
	}
	return s.ping()
}

// event writes what an event says.
func (s *messageStream) event(a sse.Arrival) error {
	if err := s.begin(a.Usage); err != nil {
		return err
	}
	e := a.Event
	switch e.Kind {
	case service.Reasoning, service.Text:
		return s.text(e)
	case service.CallStart:
		return s.start(e.Kind, block{Type: "tool_use", ID: e.ID, Name: e.Name, Input: json.RawMessage("{}")})
	case service.CallArgs:
		if e.Text != "" {
			return s.delta(delta{Type: "input_json_delta", PartialJSON: &e.Text})
		}
	case service.CallEnd:
		return s.stop()
	case service.Done:
		s.done = e
	}
	return nil
}

// text writes a part of a block of text or thinking.
func (s *messageStream) text(e service.Event) error {
	if e.Text == "" {
		return nil
	}
	thinks := e.Kind == service.Reasoning
	if !s.open || s.kind != e.Kind {
		b := block{Type: "text", Text: new(string)}
		if thinks {
			b = block{Type: "thinking", Thinking: new(string), Signature: new(string)}
		}
		if err := s.start(e.Kind, b); err != nil {
			return err
		}
	}
	switch {
	case !thinks:
		return s.delta(delta{Type: "text_delta", Text: &e.Text})
	case !s.decoder.omitted:
		s.thinking.WriteString(e.Text)
		return s.delta(delta{Type: "thinking_delta", Thinking: &e.Text})
	}
	s.thinking.WriteString(e.Text)
	return nil
}

// start begins a block, after the one that is open.
func (s *messageStream) start(kind service.EventKind, b block) error {
	if err := s.stop(); err != nil {
		return err
	}
	s.open, s.kind = true, kind
	return s.Event("content_block_start", blockStart{"content_block_start", s.index, b})
}

func (s *messageStream) delta(d delta) error {
	return s.Event("content_block_delta", blockDelta{"content_block_delta", s.index, d})
}

// stop ends the block that is open.
func (s *messageStream) stop() error {
	if !s.open {
		return nil
	}
	s.open = false
	if s.kind == service.Reasoning {
		sign := signature(s.thinking.String(), s.decoder.omitted)
		s.thinking.Reset()
		if err := s.delta(delta{Type: "signature_delta", Signature: &sign}); err != nil {
			return err
		}
	}
	err := s.Event("content_block_stop", blockStop{"content_block_stop", s.index})
	s.index++
	return err
}

// end writes what comes after all else.
func (s *messageStream) end(u service.Usage) error {
	if err := s.begin(u); err != nil {
		return err
	}
	if err := s.stop(); err != nil {
		return err
	}
	m := messageDelta{Type: "message_delta", Usage: deltaUsage(newUsage(u))}
	m.Usage.ServiceTier = ""
	m.Delta.StopReason, m.Delta.StopSequence = s.decoder.stopReason(s.done, u)
	if err := s.Event("message_delta", m); err != nil {
		return err
	}
	return s.Event("message_stop", bare{"message_stop"})
}
