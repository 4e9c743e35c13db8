package anthropic

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/glmc/glmc/runtime/serve/route"
	"github.com/glmc/glmc/runtime/service"
)

// messageBody is an answer. Streams begin with one that has no content.
type messageBody struct {
	ID           string  `json:"id"`
	Type         string  `json:"type"`
	Role         string  `json:"role"`
	Model        string  `json:"model"`
	Content      []block `json:"content"`
	StopReason   *string `json:"stop_reason"`
	StopSequence *string `json:"stop_sequence"`
	Usage        usage   `json:"usage"`
}

func (a *api) newMessage(id string, u service.Usage) messageBody {
	return messageBody{ID: id, Type: "message", Role: "assistant", Model: a.backend.Model().Name, Content: []block{}, Usage: newUsage(u)}
}

// block is a part of a message. Which fields it has depends on its type.
type block struct {
	Type string `json:"type"`

	Text      *string         `json:"text,omitempty"`
	Thinking  *string         `json:"thinking,omitempty"`
	Signature *string         `json:"signature,omitempty"`
	ID        string          `json:"id,omitempty"`
	Name      string          `json:"name,omitempty"`
	Input     json.RawMessage `json:"input,omitempty"`
}

// usage counts tokens. Those of the prompt are of two kinds: computed, and taken from the prefix cache. Filling the cache costs nothing
// that would have to be counted.
type usage struct {
	InputTokens   int           `json:"input_tokens"`
	CacheCreation int           `json:"cache_creation_input_tokens"`
	CacheRead     int           `json:"cache_read_input_tokens"`
	OutputTokens  int           `json:"output_tokens"`
	Details       outputDetails `json:"output_tokens_details"`
	ServiceTier   string        `json:"service_tier,omitempty"`
}

type outputDetails struct {
	ThinkingTokens int `json:"thinking_tokens"`
}

func newUsage(u service.Usage) usage {
	return usage{
		InputTokens: u.Prompt - u.Cached, CacheRead: u.Cached, OutputTokens: u.Output,
		Details: outputDetails{u.Reasoning}, ServiceTier: "standard",
	}
}

// stopReason says why a message ended, and by which stop sequence. One that ended before it had the tokens that it might have had no
// more room.
func (d *decoder) stopReason(e service.Event, u service.Usage) (reason, sequence *string) {
	word := "end_turn"
	switch {
	case e.Finish == service.FinishCalls:
		word = "tool_use"
	case e.Finish == service.FinishLength && u.Output < *d.request.MaxTokens:
		word = "model_context_window_exceeded"
	case e.Finish == service.FinishLength:
		word = "max_tokens"
	case e.StopString != "":
		word, sequence = "stop_sequence", &e.StopString
	}
	return &word, sequence
}

// wholeMessage answers in one piece.
func (a *api) wholeMessage(w http.ResponseWriter, r *http.Request, d *decoder, id string) error {
	g, err := a.backend.Start(r.Context(), d.request)
	if err != nil {
		return err
	}
	c := &collector{omitted: d.omitted, content: []block{}}
	done, err := c.collect(r.Context(), g)
	if err != nil {
		return err
	}
	m := a.newMessage(id, g.Usage())
	m.Content = c.content
	m.StopReason, m.StopSequence = d.stopReason(done, g.Usage())
	route.WriteJSON(w, http.StatusOK, m)
	return nil
}

// collector makes blocks of events.
type collector struct {
	omitted bool
	content []block
	kind    service.EventKind // of the block that is open
	open    bool
	text    strings.Builder // of it
}

// collect reads a generation to its end, and returns its last event.
func (c *collector) collect(ctx context.Context, g service.Generation) (done service.Event, err error) {
	defer g.Close()
	for {
		e, err := g.Next(ctx)
		if errors.Is(err, io.EOF) {
			c.end(false)
			return done, nil
		}
		if err != nil {
			return done, err
		}
		switch e.Kind {
		case service.Reasoning, service.Text:
			if e.Text == "" {
				continue
			}
			if c.open && c.kind != e.Kind {
				c.end(false)
			}
			c.kind, c.open = e.Kind, true
			c.text.WriteString(e.Text)
		case service.CallStart:
			c.end(false)
			c.kind, c.open = e.Kind, true
			c.content = append(c.content, block{Type: "tool_use", ID: e.ID, Name: e.Name})
		case service.CallArgs:
			c.text.WriteString(e.Text)
		case service.CallEnd:
			c.end(true)
		case service.Done:
			done = e
		}
	}
}

// end completes the block that is open. A call that did not come to its end is left out: its input would be a part of what the model
// meant, and look like the whole.
func (c *collector) end(complete bool) {
	text := c.text.String()
	c.text.Reset()
	if !c.open {
		return
	}
	c.open = false
	switch c.kind {
	case service.CallStart:
		last := len(c.content) - 1
		if c.content[last].Input = json.RawMessage(text); !complete || !json.Valid(c.content[last].Input) {
			c.content = c.content[:last]
		}
	case service.Reasoning:
		sign, shown := signature(text, c.omitted), text
		if c.omitted {
			shown = ""
		}
		c.content = append(c.content, block{Type: "thinking", Thinking: &shown, Signature: &sign})
	default:
		c.content = append(c.content, block{Type: "text", Text: &text})
	}
}
