package openai

import (
	"net/http"

	"github.com/glmc/glmc/runtime/sample"
	"github.com/glmc/glmc/runtime/serve/sse"
	"github.com/glmc/glmc/runtime/service"
)

// textStream writes the choices of text completions.
type textStream struct {
	*api
	*sse.Writer
	t       *textRequest
	head    head
	each    int // choices of a prompt
	used    []service.Usage
	begun   []bool // of each choice
	offsets []int  // of each choice: characters so far
	tags    []tagger
}

func (a *api) newTextStream(t *textRequest, h head) *textStream {
	s := &textStream{api: a, t: t, head: h, each: max(1, t.request.Choices)}
	choices := len(t.prompts) * s.each
	s.used = make([]service.Usage, len(t.prompts))
	s.begun, s.offsets, s.tags = make([]bool, choices), make([]int, choices), make([]tagger, choices)
	for i := range s.tags {
		s.tags[i].how = joined // text is all that there is
	}
	return s
}

// streamText answers in events.
func (a *api) streamText(w http.ResponseWriter, r *http.Request, t *textRequest, h head, generations []service.Generation) error {
	s := a.newTextStream(t, h)
	s.Writer = sse.New(w)
	event := func(arrival sse.Arrival) error { return s.event(r, arrival) }
	idle := func() error { return s.Comment("keep-alive") }
	err := sse.Follow(r.Context(), generations, a.KeepAlive, event, idle)
	if err == nil {
		for i, g := range generations {
			s.used[i] = g.Usage()
		}
		err = s.end()
	}
	return endStream(s.Writer, r, err)
}

// beginning is a choice before its first token: the prompt, if it is echoed.
func (s *textStream) beginning(index int, prompt []sample.Token) textChoice {
	c := textChoice{Index: index}
	if s.t.echoes == nil {
		return c
	}
	c.Text = s.t.echoes[index/s.each]
	if s.t.answer.logprobs {
		c.Logprobs = &textLogprobs{}
		s.addTextLogprobs(c.Logprobs, prompt, true, s.t.answer.top, &s.offsets[index])
	}
	return c
}

// tokens adds the tokens of an event to a choice.
func (s *textStream) tokens(c *textChoice, tokens []sample.Token) {
	if s.t.answer.logprobs && (len(tokens) > 0 || !s.t.answer.stream) {
		if c.Logprobs == nil {
			c.Logprobs = &textLogprobs{}
		}
		s.addTextLogprobs(c.Logprobs, tokens, false, s.t.answer.top, &s.offsets[c.Index])
	}
	if s.t.answer.tokenIDs {
		c.TokenIDs = tokenIDs(tokens)
	}
}

// event writes the chunk of an event.
func (s *textStream) event(r *http.Request, a sse.Arrival) error {
	s.used[a.Generation] = a.Usage
	e := a.Event
	e.Choice += a.Generation * s.each
	if !s.begun[e.Choice] {
		s.begun[e.Choice] = true
		c := s.beginning(e.Choice, a.Prompt)
		var err error
		if c.PromptTokenIDs, err = s.promptTokens(r, s.t, a.Generation); err != nil {
			return err
		}
		if err := s.chunk(c); err != nil {
			return err
		}
	}
	for _, e := range s.tags[e.Choice].apply(e) {
		c := textChoice{Index: e.Choice}
		if e.Kind == service.Text {
			c.Text = e.Text
		}
		s.tokens(&c, e.Logprobs)
		if e.Kind == service.Done {
			finish := string(e.Finish)
			c.Finish, c.Stop = &finish, e.StopString
		}
		if err := s.chunk(c); err != nil {
			return err
		}
	}
	return nil
}

// chunk writes a part of a choice, if it says anything.
func (s *textStream) chunk(c textChoice) error {
	if c.Text == "" && c.Finish == nil && c.Logprobs == nil && len(c.TokenIDs) == 0 && len(c.PromptTokenIDs) == 0 {
		return nil
	}
	out := textCompletion{head: s.head, Choices: []textChoice{c}}
	if s.t.answer.continuousUsage {
		out.Usage = newUsage(s.used...)
	} else if s.t.answer.usage {
		out.Usage = (*usage)(nil)
	}
	return s.Event("", out)
}

// end writes what comes after all else.
func (s *textStream) end() error {
	if s.t.answer.usage {
		if err := s.Event("", textCompletion{head: s.head, Choices: []textChoice{}, Usage: newUsage(s.used...)}); err != nil {
			return err
		}
	}
	return s.Data("[DONE]")
}
