package openai

import (
	"encoding/json"
	"strings"

	"github.com/glmc/glmc/runtime/serve/body"
	"github.com/glmc/glmc/runtime/text/chat"
)

// maxItems bounds the items of an input, and the parts of one.
const maxItems = chat.MaxMessages

// input reads what a response answers: a text, or items.
func (d *decoder) input() []chat.Message {
	switch raw := d.Raw("input"); {
	case raw == nil:
		d.Wrong("input", "is missing")
	case body.Kind(raw) == "a string":
		if text := d.String("input", body.MaxBytes); text != nil {
			return []chat.Message{{Role: chat.RoleUser, Content: *text}}
		}
	case body.Kind(raw) == "an array":
		turns := &turns{}
		for i, item := range d.List("input", maxItems) {
			turns.item(d.Item("input", i, item))
		}
		turns.flush()
		if len(turns.messages) == 0 {
			d.Wrong("input", "is empty; at least one item is needed")
		}
		return turns.messages
	default:
		d.Wrong("input", "must be a string or an array, not %s", body.Kind(raw))
	}
	return nil
}

// turns makes messages of items. What the assistant thought, said and called are items one behind the other, and one message.
type turns struct {
	messages []chat.Message
	pending  *chat.Message // the assistant's
}

func (t *turns) flush() {
	if t.pending != nil {
		t.messages = append(t.messages, *t.pending)
		t.pending = nil
	}
}

// assistant is the message that the next part belongs to. Thoughts come before text, and text before calls: what comes out of
// that order begins another message.
func (t *turns) assistant(fits func(*chat.Message) bool) *chat.Message {
	if t.pending != nil && !fits(t.pending) {
		t.flush()
	}
	if t.pending == nil {
		t.pending = &chat.Message{Role: chat.RoleAssistant}
	}
	return t.pending
}

// item reads an item.
func (t *turns) item(in *body.Object) {
	kind := "message"
	if in.Has("type") {
		kind = in.Word("type", "message", "function_call", "function_call_output", "reasoning")
	}
	switch kind {
	case "message":
		t.message(in)
	case "function_call":
		m := t.assistant(func(*chat.Message) bool { return true })
		m.ToolCalls = append(m.ToolCalls, chat.ToolCall{
			ID: required(in, "call_id", maxName), Name: required(in, "name", maxName), Arguments: arguments(in),
		})
	case "function_call_output":
		t.flush()
		if !in.Has("output") {
			in.Wrong("output", "is missing")
		}
		t.messages = append(t.messages, chat.Message{Role: chat.RoleTool, ToolCallID: required(in, "call_id", maxName), Content: parts(in, "output")})
	case "reasoning":
		text := parts(in, "content")
		if text == "" { // only a summary, or nothing that could be read
			return
		}
		m := t.assistant(func(m *chat.Message) bool { return m.ReasoningContent == nil && m.Content == "" && m.ToolCalls == nil })
		m.ReasoningContent = &text
	}
}

func (t *turns) message(in *body.Object) {
	if !in.Has("role") {
		in.Wrong("role", "is missing; must be user, assistant, system or developer")
	}
	role := in.Word("role", chat.RoleUser, chat.RoleAssistant, chat.RoleSystem, chat.RoleDeveloper)
	if !in.Has("content") {
		in.Wrong("content", "is missing")
	}
	text := parts(in, "content")
	if role == chat.RoleAssistant {
		m := t.assistant(func(m *chat.Message) bool { return m.Content == "" && m.ToolCalls == nil })
		m.Content = text
		return
	}
	t.flush()
	t.messages = append(t.messages, chat.Message{Role: role, Content: text})
}

// required is a string that has to be there.
func required(in *body.Object, name string, longest int) string {
	s := in.String(name, longest)
	if s == nil || *s == "" {
		in.Wrong(name, "is missing")
		return ""
	}
	return *s
}

// arguments are those of a function call: an object, or the string that the model wrote instead.
func arguments(in *body.Object) json.RawMessage {
	text := in.String("arguments", body.MaxBytes)
	if text == nil || strings.TrimSpace(*text) == "" {
		return json.RawMessage("{}")
	}
	raw := json.RawMessage(*text)
	if body.Depth(raw) <= body.MaxDepth && json.Valid(raw) && body.Kind(raw) == "an object" {
		return raw
	}
	return in.Raw("arguments")
}

// parts reads text: a string or a list of parts of it.
func parts(in *body.Object, name string) string {
	raw := in.Raw(name)
	if raw == nil {
		return ""
	}
	if body.Kind(raw) == "a string" {
		if text := in.String(name, body.MaxBytes); text != nil {
			return *text
		}
		return ""
	}
	var all strings.Builder
	for i, item := range in.List(name, maxItems) {
		part := in.Item(name, i, item)
		if !part.Has("type") {
			part.Wrong("type", "is missing; must be input_text, output_text, reasoning_text or refusal")
		}
		field := "text"
		if part.Word("type", "input_text", "output_text", "text", "reasoning_text", "refusal") == "refusal" {
			field = "refusal"
		}
		text := part.String(field, body.MaxBytes)
		if text == nil {
			part.Wrong(field, "is missing")
			return ""
		}
		all.WriteString(*text)
	}
	return all.String()
}
