package load

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/glmc/glmc/runtime/dataset"
)

// ReadSessions reads a data set of JSON objects, one a line:
//
//	{"prompt": "text" or [ids], "output_len": 100}
//	{"messages": [...], "tools": [...], "output_len": 100}
//
// Messages whose last one is the assistant's are a recorded session: each of its assistant messages is a turn, whose
// prompt is all that stands before it. So the prefix that turns share grows, as an agent's does. Output is how long replies may
// get where a line does not say it. At most limit turns are read; 0: all.
func ReadSessions(r io.Reader, output, limit int) ([]Session, error) {
	var sessions []Session
	turns := 0
	err := dataset.Read(r, func(rec *dataset.Record) (more bool, err error) {
		s, err := sessionOf(rec, output)
		if err != nil {
			return false, err
		}
		if limit > 0 && turns+len(s.Turns) > limit {
			s.Turns = s.Turns[:limit-turns]
		}
		turns += len(s.Turns)
		sessions = append(sessions, s)
		return limit == 0 || turns < limit, nil
	})
	if err == nil && len(sessions) == 0 {
		err = errors.New("there is no request in it")
	}
	if err != nil {
		return nil, err
	}
	return sessions, nil
}

func sessionOf(rec *dataset.Record, output int) (Session, error) {
	for _, n := range []*int{rec.OutputLen, rec.MaxTokens} {
		if n == nil {
			continue
		}
		if *n < 1 {
			return Session{}, fmt.Errorf("a reply of %d tokens: wants 1 or more", *n)
		}
		output = *n
		break
	}
	switch {
	case rec.Prompt != nil && rec.Messages != nil:
		return Session{}, errors.New("it has a prompt and messages: wants one of them")
	case rec.Prompt != nil:
		t := Turn{Output: output}
		if json.Unmarshal(rec.Prompt, &t.Text) != nil {
			var ok bool
			if t.Tokens, ok = dataset.IDs(rec.Prompt); !ok {
				return Session{}, errors.New("prompt is neither text nor a list of token ids")
			}
			t.Input = len(t.Tokens)
		}
		if t.Text == "" && t.Tokens == nil {
			return Session{}, errors.New("prompt is empty")
		}
		return Session{Turns: []Turn{t}}, nil
	case len(rec.Messages) > 0:
		return replay(rec, output)
	}
	return Session{}, errors.New("it has neither a prompt nor messages")
}

// replay turns recorded messages into turns.
func replay(rec *dataset.Record, output int) (Session, error) {
	var s Session
	add := func(upTo int) error {
		messages, err := marshal(rec.Messages[:upTo])
		if err != nil {
			return err
		}
		s.Turns = append(s.Turns, Turn{Messages: bytes.TrimSpace(messages), Tools: rec.Tools, Output: output})
		return nil
	}
	role := ""
	for i, raw := range rec.Messages {
		var m struct {
			Role string `json:"role"`
		}
		if err := json.Unmarshal(raw, &m); err != nil || m.Role == "" {
			return s, fmt.Errorf("messages[%d] has no role", i)
		}
		if role = m.Role; role == "assistant" && i > 0 {
			if err := add(i); err != nil {
				return s, err
			}
		}
	}
	if role != "assistant" { // nobody replied yet: that is what is asked for, and what was said before is its prompt
		s.Turns = nil
		return s, add(len(rec.Messages))
	}
	if len(s.Turns) == 0 {
		return s, errors.New("messages begin and end with the assistant's: there is nothing to reply to")
	}
	return s, nil
}
