package load

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// maxLine bounds a line of a data set.
const maxLine = 64 << 20

// record is a line of a data set. Which fields are there says what kind it is.
type record struct {
	Prompt    json.RawMessage   `json:"prompt"`   // of SGLang's and vLLM's custom data sets: text, or token ids
	Messages  []json.RawMessage `json:"messages"` // OpenAI's
	Tools     json.RawMessage   `json:"tools"`
	OutputLen *int              `json:"output_len"`
	MaxTokens *int              `json:"max_tokens"`
}

// ReadSessions reads a data set of JSON objects, one a line:
//
//	{"prompt": "text" or [ids], "output_len": 100}
//	{"messages": [...], "tools": [...], "output_len": 100}
//
// Messages whose last one is the assistant's are a recorded session: each of its assistant messages is a turn, whose
// prompt is all that stands before it. So the prefix that turns share grows, as an agent's does. Output is how long replies may
// get where a line does not say it. At most limit turns are read; 0: all.
func ReadSessions(r io.Reader, output, limit int) ([]Session, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 64<<10), maxLine)
	var sessions []Session
	turns := 0
	for n := 1; lines.Scan(); n++ {
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		s, err := readSession(line, output)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		if limit > 0 && turns+len(s.Turns) >= limit {
			s.Turns = s.Turns[:limit-turns]
			return append(sessions, s), nil
		}
		turns += len(s.Turns)
		sessions = append(sessions, s)
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if len(sessions) == 0 {
		return nil, errors.New("there is no request in it")
	}
	return sessions, nil
}

func readSession(line []byte, output int) (Session, error) {
	var rec record
	if err := json.Unmarshal(line, &rec); err != nil {
		return Session{}, fmt.Errorf("wants one JSON object: %w", err)
	}
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
			if err := json.Unmarshal(rec.Prompt, &t.Tokens); err != nil {
				return Session{}, errors.New("prompt is neither text nor a list of token ids")
			}
			t.Input = len(t.Tokens)
		}
		if t.Text == "" && t.Tokens == nil {
			return Session{}, errors.New("prompt is empty")
		}
		return Session{Turns: []Turn{t}}, nil
	case len(rec.Messages) > 0:
		return rec.replay(output)
	}
	return Session{}, errors.New("it has neither a prompt nor messages")
}

// replay turns recorded messages into turns.
func (rec *record) replay(output int) (Session, error) {
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
