package load

import (
	"bytes"
	"fmt"
)

// API is the HTTP interface that a server is measured through.
type API string

// The interfaces.
const (
	Completions API = "completions" // OpenAI's /v1/completions: prompts are token ids or text
	Chat        API = "chat"        // OpenAI's /v1/chat/completions
	Anthropic   API = "anthropic"   // Anthropic's /v1/messages
)

// APIs are all of them.
var APIs = []API{Completions, Chat, Anthropic}

func (a API) path() string {
	switch a {
	case Completions:
		return "/v1/completions"
	case Chat:
		return "/v1/chat/completions"
	}
	return "/v1/messages"
}

// usage is how many tokens the server says there were; -1 where it says nothing.
type usage struct {
	input, output                        int
	cached, reasoning, accepted, drafted int // 0 where it says nothing
	created                              int // Anthropic's: input that was written into the cache
}

// reader reads the events of a reply. Its methods take the data of an event.
type reader struct {
	api    API
	usage  usage
	tokens bool // the last event carried some of the output
	done   bool // the stream said that it is complete
}

func newReader(a API) reader { return reader{api: a, usage: usage{input: -1, output: -1}} }

// event looks at the data of one event. Its error is what the server says went wrong, or that the event makes no sense.
func (r *reader) event(data []byte) error {
	r.tokens = false
	if bytes.Equal(data, []byte("[DONE]")) {
		r.done = true
		return nil
	}
	s := scanner{data: data}
	if !s.take('{') {
		return &Failure{Kind: "stream", Message: fmt.Sprintf("an event is no JSON object: %.80q", data)}
	}
	var err error
	if r.api == Anthropic {
		err = r.anthropic(&s)
	} else {
		err = r.openai(&s)
	}
	if err == nil && s.err != nil {
		err = &Failure{Kind: "stream", Message: fmt.Sprintf("an event is no JSON: %.80q", data)}
	}
	return err
}

// failed is an error that the server sent in the stream.
func failed(raw []byte) error {
	s := scanner{data: raw}
	message := unquoted(raw)
	if s.take('{') {
		for name, ok := s.key(true); ok; name, ok = s.key(false) {
			if string(name) == "message" {
				message = unquoted(s.raw())
			} else {
				s.skip()
			}
		}
	}
	return &Failure{Kind: "error in the stream", Message: message}
}

func (r *reader) openai(s *scanner) error {
	for name, ok := s.key(true); ok; name, ok = s.key(false) {
		switch string(name) {
		case "choices":
			if !s.take('[') {
				s.skip()
				continue
			}
			for more := s.element(true); more; more = s.element(false) {
				r.choice(s)
			}
		case "usage":
			r.counts(s)
		case "error":
			return failed(s.raw())
		default:
			s.skip()
		}
	}
	return nil
}

// choice looks for output in one choice of a chunk: text of a completion, or the parts of a chat's delta.
func (r *reader) choice(s *scanner) {
	if !s.take('{') {
		s.skip()
		return
	}
	for name, ok := s.key(true); ok; name, ok = s.key(false) {
		switch string(name) {
		case "text":
			r.tokens = s.filled() || r.tokens
		case "delta":
			r.delta(s)
		default:
			s.skip()
		}
	}
}

func (r *reader) delta(s *scanner) {
	if !s.take('{') {
		s.skip()
		return
	}
	for name, ok := s.key(true); ok; name, ok = s.key(false) {
		switch string(name) {
		case "content", "reasoning_content", "reasoning":
			r.tokens = s.filled() || r.tokens
		case "tool_calls":
			raw := s.raw()
			r.tokens = len(raw) > 2 && raw[0] == '[' || r.tokens
		default:
			s.skip()
		}
	}
}

// counts reads a usage object. Both interfaces' names may stand in it; of Anthropic's, the later event counts.
func (r *reader) counts(s *scanner) {
	if !s.take('{') {
		s.skip() // null
		return
	}
	u := &r.usage
	for name, ok := s.key(true); ok; name, ok = s.key(false) {
		switch string(name) {
		case "prompt_tokens", "input_tokens":
			u.input = s.number()
		case "completion_tokens", "output_tokens":
			u.output = s.number()
		case "cache_read_input_tokens":
			u.cached = s.number()
		case "cache_creation_input_tokens":
			u.created = s.number()
		case "prompt_tokens_details", "completion_tokens_details":
			r.details(s)
		default:
			s.skip()
		}
	}
}

func (r *reader) details(s *scanner) {
	if !s.take('{') {
		s.skip()
		return
	}
	rejected := 0
	for name, ok := s.key(true); ok; name, ok = s.key(false) {
		switch string(name) {
		case "cached_tokens":
			r.usage.cached = s.number()
		case "reasoning_tokens":
			r.usage.reasoning = s.number()
		case "accepted_prediction_tokens":
			r.usage.accepted = s.number()
		case "rejected_prediction_tokens":
			rejected = s.number()
		default:
			s.skip()
		}
	}
	r.usage.drafted = max(r.usage.drafted, r.usage.accepted+rejected)
}

func (r *reader) anthropic(s *scanner) error {
	for name, ok := s.key(true); ok; name, ok = s.key(false) {
		switch string(name) {
		case "type":
			kind, _ := s.text()
			switch string(kind) {
			case "message_stop":
				r.done = true
			case "content_block_delta":
				r.tokens = true
			}
		case "message": // of message_start
			r.message(s)
		case "usage":
			r.counts(s)
		case "error":
			return failed(s.raw())
		default:
			s.skip()
		}
	}
	return nil
}

func (r *reader) message(s *scanner) {
	if !s.take('{') {
		s.skip()
		return
	}
	for name, ok := s.key(true); ok; name, ok = s.key(false) {
		if string(name) == "usage" {
			r.counts(s)
		} else {
			s.skip()
		}
	}
}

// total is the usage, with what Anthropic counts apart: its input_tokens are those that the cache neither held nor
// took in.
func (r *reader) total() usage {
	u := r.usage
	if r.api == Anthropic && u.input >= 0 {
		u.input += u.cached + u.created
	}
	return u
}
