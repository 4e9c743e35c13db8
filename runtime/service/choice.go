package service

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"sync/atomic"

	"github.com/glmc/glmc/runtime/engine"
	"github.com/glmc/glmc/runtime/sample"
	"github.com/glmc/glmc/runtime/text/reply"
	"github.com/glmc/glmc/runtime/text/stop"
)

// choice turns the tokens of one choice into events: tokens to text, text up to a stop string, and that to what it means.
type choice struct {
	number int
	stream *engine.Stream
	text   *stop.Text    // nil: without a tokenizer there is no text
	parser *reply.Parser // nil: all is text

	stop      []int32 // ids that end the choice; their text is no part of it
	minTokens int
	logprobs  bool

	output, reasoning atomic.Int64 // tokens; Generation.Usage reads them while other choices go on
	calls             int          // that are complete
	events            []Event
	tokens            []sample.Token // that no event told of
}

// choose makes a choice of a request.
func (s *Service) choose(r *Request, p prompt, ids []int32, stops *stop.Set, number int) *choice {
	c := &choice{number: number, stop: ids, minTokens: r.MinTokens, logprobs: r.Logprobs}
	if s.tokenizer != nil {
		c.text = s.text(r, stops)
	}
	if conv := r.Conversation; conv != nil {
		tools := conv.Tools
		if r.ToolChoice.Mode == ToolNone {
			tools = nil
		}
		start := reply.StartOf(p.text)
		if r.Continue {
			start = reply.StartText
		}
		c.parser = reply.New(reply.Options{Format: s.format, Start: start, Tools: tools, Apart: r.Format.Kind != FormatText})
	}
	return c
}

// text is the text of one output.
func (s *Service) text(r *Request, stops *stop.Set) *stop.Text {
	return stops.NewText(s.tokenizer.NewStream(!r.KeepSpecial), stop.Options{Keep: r.IncludeStop}, r.MinTokens)
}

// next waits for the next events: at least one, or an error, which is io.EOF behind the last. Both may come together. The events are valid until
// the next call.
func (c *choice) next(ctx context.Context) ([]Event, error) {
	for len(c.events) == 0 {
		tokens, err := c.stream.Next(ctx)
		for i := range tokens {
			c.token(tokens[i])
		}
		if c.text == nil && len(tokens) > 0 { // there is never a text to come with
			c.events = append(c.events, Event{Kind: Tokens, Choice: c.number})
		}
		if errors.Is(err, io.EOF) {
			c.end()
		}
		if err != nil {
			return c.take(), err
		}
	}
	return c.take(), nil
}

// take returns the events that came together, the first with the tokens.
func (c *choice) take() []Event {
	events := c.events
	c.events = nil
	if c.logprobs && len(c.tokens) > 0 && len(events) > 0 {
		events[0].Logprobs, c.tokens = c.tokens, nil
	}
	return events
}

// token takes the next token of the choice.
func (c *choice) token(t sample.Token) {
	output := int(c.output.Add(1))
	if c.logprobs {
		c.tokens = append(c.tokens, t)
	}
	if c.text == nil || output > c.minTokens && slices.Contains(c.stop, t.ID) {
		return
	}
	thought := c.parser != nil && c.parser.Thinking()
	text, _ := c.text.Next(t.ID)
	c.say(text)
	if c.parser != nil && (thought || c.parser.Thinking()) {
		c.reasoning.Add(1)
	}
}

// say takes the next text.
func (c *choice) say(text string) {
	if text == "" {
		return
	}
	if c.parser == nil {
		c.events = append(c.events, Event{Kind: Text, Choice: c.number, Text: text})
		return
	}
	c.parsed(c.parser.Write(text))
}

// parsed takes what the parser made of text.
func (c *choice) parsed(events []reply.Event) {
	for _, e := range events {
		out := Event{Choice: c.number, Text: e.Text, Call: e.Call, Name: e.Name}
		switch e.Kind {
		case reply.Reasoning:
			out.Kind = Reasoning
		case reply.Text:
			out.Kind = Text
		case reply.CallStart:
			out.Kind, out.ID = CallStart, callID()
		case reply.CallArgs:
			out.Kind = CallArgs
		case reply.CallEnd:
			out.Kind = CallEnd
			c.calls++
		}
		c.events = append(c.events, out)
	}
}

// end takes the end of the tokens.
func (c *choice) end() {
	r := c.stream.Result()
	found := "" // stop string
	if c.text != nil {
		c.say(c.text.Close())
		found = c.text.Found()
	}
	if c.parser != nil {
		c.parsed(c.parser.Close(r.Finish == engine.FinishStop && found == ""))
	}
	finish := FinishLength
	if r.Finish == engine.FinishStop {
		finish = FinishStop
		if c.calls > 0 && found == "" {
			finish = FinishCalls
		}
	}
	c.events = append(c.events, Event{Kind: Done, Choice: c.number, Finish: finish, StopString: found})
}

// callID is a new name for a tool call.
func callID() string {
	var random [12]byte
	_, _ = rand.Read(random[:]) // it never fails
	return "call_" + hex.EncodeToString(random[:])
}
