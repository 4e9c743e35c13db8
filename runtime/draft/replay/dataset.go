package replay

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/glmc/glmc/runtime/dataset"
	"github.com/glmc/glmc/runtime/text/chat"
)

// Encode gives the token ids of a conversation, with the header of the assistant's next message behind it where generate says so.
type Encode func(conversation chat.Conversation, generate bool) ([]int32, error)

// ReadSessions reads a data set of JSON objects, one a line:
//
//	{"messages": [...], "tools": [...]}
//	{"prompt": [ids], "response": [ids]}
//
// Of recorded messages, OpenAI's, each that is the assistant's is a turn: its prompt is all that stands before it. Sessions without
// one are left out. At most limit turns are read; 0: all. Errors name the line.
func ReadSessions(r io.Reader, encode Encode, limit int) ([]Session, error) {
	var sessions []Session
	turns := 0
	err := dataset.Read(r, func(rec *dataset.Record) (more bool, err error) {
		s, err := sessionOf(rec, encode, limit-turns)
		if err != nil {
			return false, err
		}
		if len(s) > 0 {
			sessions = append(sessions, s)
		}
		turns += len(s)
		return limit == 0 || turns < limit, nil
	})
	if err == nil && turns == 0 {
		err = errors.New("there is no reply in it to draft")
	}
	if err != nil {
		return nil, err
	}
	return sessions, nil
}

func sessionOf(rec *dataset.Record, encode Encode, limit int) (Session, error) {
	prompt, _ := dataset.IDs(rec.Prompt)
	response, _ := dataset.IDs(rec.Response)
	switch {
	case rec.Messages != nil && (rec.Prompt != nil || rec.Response != nil):
		return nil, errors.New("it has messages and token ids: wants one of them")
	case rec.Messages != nil:
		return turnsOf(rec, encode, limit)
	case len(prompt) > 0 && len(response) > 0:
		return Session{{Prompt: prompt, Reply: response}}, nil
	}
	return nil, errors.New("it has neither messages nor the token ids of a prompt and a response")
}

// turnsOf are the assistant's messages.
func turnsOf(rec *dataset.Record, encode Encode, limit int) (Session, error) {
	messages, err := json.Marshal(rec.Messages)
	if err != nil {
		return nil, err
	}
	conv := chat.Conversation{}
	if conv.Messages, err = chat.ParseMessages(messages, true); err != nil {
		return nil, err
	}
	if conv.Tools, err = chat.ParseTools(rec.Tools); err != nil {
		return nil, err
	}
	var s Session
	all := conv.Messages
	for i, m := range all {
		if m.Role != "assistant" || i == 0 {
			continue
		}
		conv.Messages = all[:i]
		prompt, err := encode(conv, true)
		if err != nil {
			return nil, fmt.Errorf("messages[:%d]: %w", i, err)
		}
		conv.Messages = all[:i+1]
		whole, err := encode(conv, false)
		if err != nil {
			return nil, fmt.Errorf("messages[:%d]: %w", i+1, err)
		}
		common := 0
		for common < min(len(prompt), len(whole)) && prompt[common] == whole[common] {
			common++
		}
		if common == len(whole) {
			continue
		}
		// Where the template writes the header otherwise once there is a message, what both have in common counts.
		s = append(s, Turn{Prompt: prompt[:common:common], Reply: whole[common:]})
		if limit > 0 && len(s) == limit {
			break
		}
	}
	return s, nil
}
