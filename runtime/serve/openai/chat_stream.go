package openai

import (
	"net/http"

	"github.com/glmc/glmc/runtime/serve/route"
	"github.com/glmc/glmc/runtime/serve/sse"
	"github.com/glmc/glmc/runtime/service"
)

// chatChunk is an event of a stream.
type chatChunk struct {
	head
	Choices        []chunkChoice `json:"choices"`
	Usage          any           `json:"usage,omitempty"` // *usage; a nil one is null, for chunks before the usage's
	PromptTokenIDs []int32       `json:"prompt_token_ids,omitempty"`
}

type chunkChoice struct {
	Index    int           `json:"index"`
	Delta    delta         `json:"delta"`
	Logprobs *chatLogprobs `json:"logprobs"`
	Finish   *string       `json:"finish_reason"`
	Stop     string        `json:"stop_reason,omitempty"`
	TokenIDs []int32       `json:"token_ids,omitempty"`
}

type delta struct {
	Role      string  `json:"role,omitempty"`
	Content   *string `json:"content,omitempty"`
	Reasoning *string `json:"reasoning_content,omitempty"`
	Calls     []call  `json:"tool_calls,omitempty"`
}

// chatStream writes the chunks of a chat completion.
type chatStream struct {
	*api
	*sse.Writer
	head      head
	form      *form
	tags      []tagger
	used      service.Usage
	promptIDs []int32
	begun     bool
}

// streamChat answers in events.
func (a *api) streamChat(w http.ResponseWriter, r *http.Request, d *decoder, h head) error {
	s := &chatStream{api: a, Writer: sse.New(w), head: h, form: &d.answer}
	s.head.Object = "chat.completion.chunk"
	for range max(1, d.request.Choices) {
		s.tags = append(s.tags, tagger{how: d.answer.reasoning})
	}
	if d.answer.tokenIDs {
		var err error
		if s.promptIDs, err = a.backend.Tokenize(r.Context(), d.request); err != nil {
			return err
		}
	}
	g, err := a.backend.Start(r.Context(), d.request)
	if err != nil {
		return err
	}
	err = sse.Follow(r.Context(), []service.Generation{g}, a.KeepAlive, s.event, s.idle)
	if err == nil {
		s.used = g.Usage()
		err = s.end()
	}
	return endStream(s.Writer, r, err)
}

// endStream tells an error in a stream that began. Where none did it is returned, and gets a status. Of a client that went there
// is nobody to tell.
func endStream(w *sse.Writer, r *http.Request, err error) error {
	if err == nil || r.Context().Err() != nil {
		return nil
	}
	if !w.Started() {
		return err
	}
	_ = w.Event("", newError(route.Fault(r.Context(), err)))
	return nil
}

func (s *chatStream) idle() error { return s.Comment("keep-alive") }

// event writes the chunks of an event.
func (s *chatStream) event(a sse.Arrival) error {
	s.used = a.Usage
	if err := s.begin(); err != nil {
		return err
	}
	for _, e := range s.tags[a.Event.Choice].apply(a.Event) {
		if err := s.chunk(s.choice(e)); err != nil {
			return err
		}
	}
	return nil
}

// begin writes what comes before all else: whose words these are, and those that are echoed.
func (s *chatStream) begin() error {
	if s.begun {
		return nil
	}
	s.begun = true
	for i := range s.tags {
		if err := s.chunk(chunkChoice{Index: i, Delta: delta{Role: "assistant", Content: new(string)}}); err != nil {
			return err
		}
		s.promptIDs = nil // the first chunk has them
		if s.form.echo != "" {
			if err := s.chunk(chunkChoice{Index: i, Delta: delta{Content: &s.form.echo}}); err != nil {
				return err
			}
		}
	}
	return nil
}

// choice is an event as a part of a choice.
func (s *chatStream) choice(e service.Event) chunkChoice {
	c := chunkChoice{Index: e.Choice}
	switch e.Kind {
	case service.Reasoning:
		c.Delta.Reasoning = &e.Text
	case service.Text:
		c.Delta.Content = &e.Text
	case service.CallStart:
		c.Delta.Calls = []call{{Index: &e.Call, ID: e.ID, Type: "function", Function: functionCall{Name: e.Name}}}
	case service.CallArgs:
		c.Delta.Calls = []call{{Index: &e.Call, Function: functionCall{Arguments: e.Text}}}
	case service.Done:
		finish := string(e.Finish)
		c.Finish, c.Stop = &finish, e.StopString
	}
	if s.form.logprobs && len(e.Logprobs) > 0 {
		c.Logprobs = s.chatLogprobs(e.Logprobs, s.form.top)
	}
	if s.form.tokenIDs {
		c.TokenIDs = tokenIDs(e.Logprobs)
	}
	return c
}

// chunk writes a part of a choice, if it says anything.
func (s *chatStream) chunk(c chunkChoice) error {
	d := &c.Delta
	empty := d.Role == "" && d.Content == nil && d.Reasoning == nil && d.Calls == nil
	if empty && c.Finish == nil && c.Logprobs == nil && len(c.TokenIDs) == 0 {
		return nil
	}
	out := chatChunk{head: s.head, Choices: []chunkChoice{c}, PromptTokenIDs: s.promptIDs}
	if s.form.continuousUsage {
		u := newUsage(s.used)
		out.Usage = &u
	} else if s.form.usage {
		out.Usage = (*usage)(nil)
	}
	return s.Event("", out)
}

// end writes what comes after all else.
func (s *chatStream) end() error {
	if s.form.usage {
		u := newUsage(s.used)
		if err := s.Event("", chatChunk{head: s.head, Choices: []chunkChoice{}, Usage: &u}); err != nil {
			return err
		}
	}
	return s.Data("[DONE]")
}
