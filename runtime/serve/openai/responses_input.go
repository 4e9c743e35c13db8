package openai

import (
	"encoding/json"
	"strings"

	"github.com/glmc/glmc/runtime/jsonparts"
	"github.com/glmc/glmc/runtime/serve/body"
	"github.com/glmc/glmc/runtime/text/chat"
)

// maxItems bounds the items of an input, and the parts of one.
const maxItems = chat.MaxMessages

// input reads what a response answers, a text or items, behind the conversation that it follows.
func (d *responseRequest) input() []chat.Message {
	turns := &turns{}
	if d.previous != "" {
		items, ok := d.kept.conversation(d.tenant, d.previous, maxItems)
		if !ok {
			d.Wrong("previous_response_id", "is %q, which is not kept here, or not any more: send the whole conversation in input", d.previous)
		}
		for i, raw := range items {
			turns.item(d.Item("previous_response_id", i, raw))
		}
	}
	switch raw := d.Raw("input"); {
	case raw == nil:
		d.Wrong("input", "is missing")
	case jsonparts.Kind(raw) == "a string":
		if text := d.String("input", body.MaxBytes); text != nil {
			d.items = []json.RawMessage{userItem(*text)}
			turns.flush()
			turns.messages = append(turns.messages, chat.Message{Role: chat.RoleUser, Content: *text})
		}
	case jsonparts.Kind(raw) == "an array":
		d.items = d.List("input", maxItems)
		for i := range d.items {
			turns.item(d.referred(i))
		}
	default:
		d.Wrong("input", "must be a string or an array, not %s", jsonparts.Kind(raw))
	}
	turns.flush()
	if len(turns.messages) == 0 {
		d.Wrong("input", "is empty; at least one item is needed")
	}
	return turns.messages
}

// userItem is a text as an item.
func userItem(text string) json.RawMessage {
	item, err := json.Marshal(map[string]string{"role": chat.RoleUser, "content": text})
	if err != nil {
		panic("openai: a text has no JSON: " + err.Error())
	}
	return item
}

// referred is an item of the input, or the one of an earlier response that it refers to.
func (d *responseRequest) referred(i int) *body.Object {
	in := d.Item("input", i, d.items[i])
	if string(in.Raw("type")) != `"item_reference"` {
		return in
	}
	id := required(in, "id", maxName)
	raw, ok := d.kept.item(d.tenant, id)
	if !ok {
		in.Wrong("id", "is %q, an item that is not kept here, or not any more: send the item itself", id)
		return in
	}
	d.items[i] = raw
	return d.Item("input", i, raw)
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
		kind = in.Word("type", "message", "function_call", "function_call_output", "reasoning", "item_reference")
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
		if sealed := in.String("encrypted_content", body.MaxBytes); text == "" && sealed != nil {
			text = carried(*sealed)
		}
		if text == "" { // only a summary, or another model's
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
	if body.Depth(raw) <= body.MaxDepth && json.Valid(raw) && jsonparts.Kind(raw) == "an object" {
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
	if jsonparts.Kind(raw) == "a string" {
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
