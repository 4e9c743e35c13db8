package anthropic

import (
	"encoding/json"
	"strings"

	"github.com/glmc/glmc/runtime/jsonparts"
	"github.com/glmc/glmc/runtime/serve/body"
	"github.com/glmc/glmc/runtime/text/chat"
)

// maxBlocks bounds the blocks of one message.
const maxBlocks = 16384

// billing begins the first line of the system prompt of Claude Code, by which Anthropic knows whom to bill. It is another one in every
// request: with it in the prompt nothing would be found in the prefix cache.
const billing = "x-anthropic-billing-header:"

// conversation reads system and messages.
func (d *decoder) conversation() {
	conv := &chat.Conversation{}
	d.request.Conversation = conv
	if d.Has("system") {
		if text := d.system(); text != "" {
			conv.Messages = append(conv.Messages, chat.Message{Role: chat.RoleSystem, Content: text})
		}
	}
	items := d.List("messages", chat.MaxMessages)
	if len(items) == 0 {
		d.Wrong("messages", "is missing or empty; at least one message is needed")
		return
	}
	for i, raw := range items {
		d.turn(d.Item("messages", i, raw))
		if d.Err() != nil {
			return
		}
	}
	last := conv.Messages[len(conv.Messages)-1]
	if last.Role != chat.RoleAssistant {
		return
	}
	// A last message of the assistant is the beginning of the answer.
	d.request.Continue = true
	if len(last.ToolCalls) > 0 {
		d.Wrong("messages", "end in a tool_use without its tool_result")
	}
}

// turn reads a message.
func (d *decoder) turn(in *body.Object) {
	conv := d.request.Conversation
	switch in.Word("role", "user", "assistant", "system") {
	case "user":
		d.userTurn(in)
	case "assistant":
		d.assistantTurn(in)
	case "system":
		conv.Messages = append(conv.Messages, chat.Message{Role: chat.RoleSystem, Content: d.text(in, "content")})
	default:
		in.Wrong("role", "is missing; must be user or assistant")
	}
}

// userTurn reads text and the results of tools. Templates have a message for each result.
func (d *decoder) userTurn(in *body.Object) {
	var text []string
	var messages []chat.Message
	flush := func() {
		if text != nil {
			messages = append(messages, chat.Message{Role: chat.RoleUser, Content: strings.Join(text, "\n")})
			text = nil
		}
	}
	d.blocks(in, "content", func(b content) {
		if b.kind != "tool_result" {
			text = append(text, d.textOf(b))
			return
		}
		flush()
		messages = append(messages, d.toolResult(b.Object))
	})
	flush()
	if messages == nil {
		in.Wrong("content", "is missing or empty")
	}
	d.request.Conversation.Messages = append(d.request.Conversation.Messages, messages...)
}

// toolResult reads what a tool gave. Templates have no place for whether it failed, so that the text has to say so.
func (d *decoder) toolResult(in *body.Object) chat.Message {
	text := ""
	if in.Has("content") {
		text = d.text(in, "content")
	}
	if in.True("is_error") && !strings.Contains(strings.ToLower(text[:min(len(text), 64)]), "error") {
		text = strings.TrimSuffix("Error: "+text, ": ")
	}
	return chat.Message{Role: chat.RoleTool, Content: text, ToolCallID: need(in, "tool_use_id", maxName)}
}

// assistantTurn reads what the model said before.
func (d *decoder) assistantTurn(in *body.Object) {
	m := chat.Message{Role: chat.RoleAssistant}
	var text []string
	d.blocks(in, "content", func(b content) {
		switch b.kind {
		case "thinking":
			d.thought(b.Object, &m)
		case "redacted_thinking":
			// Another model's, and encrypted.
		case "tool_use":
			call := chat.ToolCall{ID: need(b.Object, "id", maxName), Name: need(b.Object, "name", maxName), Arguments: json.RawMessage("{}")}
			if b.Object.Object("input") != nil {
				call.Arguments = b.Raw("input")
			}
			m.ToolCalls = append(m.ToolCalls, call)
		default:
			text = append(text, d.textOf(b))
		}
	})
	m.Content = strings.Join(text, "\n")
	d.request.Conversation.Messages = append(d.request.Conversation.Messages, m)
}

// thought adds thinking, byte for byte as the model wrote it.
func (d *decoder) thought(in *body.Object, m *chat.Message) {
	thinking := in.String("thinking", body.MaxBytes)
	signature := in.String("signature", body.MaxBytes)
	if thinking == nil {
		in.Wrong("thinking", "is missing")
		return
	}
	if *thinking == "" && signature != nil {
		*thinking = carried(*signature)
	}
	if m.ReasoningContent != nil {
		*thinking = *m.ReasoningContent + *thinking
	}
	m.ReasoningContent = thinking
}

// content is a block, or a string that stands for a block of text; its Object is nil then.
type content struct {
	*body.Object
	kind string
	text string
}

// blocks calls on for the blocks of a field, which may be a string instead.
func (d *decoder) blocks(in *body.Object, name string, on func(content)) {
	switch raw := in.Raw(name); {
	case raw == nil:
		in.Wrong(name, "is missing; must be a string or an array of blocks")
	case jsonparts.Kind(raw) == "a string":
		if s := in.String(name, body.MaxBytes); s != nil {
			on(content{text: *s})
		}
	case jsonparts.Kind(raw) != "an array":
		in.Wrong(name, "must be a string or an array of blocks, not %s", jsonparts.Kind(raw))
	default:
		for i, raw := range in.List(name, maxBlocks) {
			b := content{Object: in.Item(name, i, raw)}
			if b.kind = need(b.Object, "type", maxName); d.Err() != nil {
				return
			}
			on(b)
		}
	}
}

// text is the text of a field that has only such blocks.
func (d *decoder) text(in *body.Object, name string) string {
	var parts []string
	d.blocks(in, name, func(b content) { parts = append(parts, d.textOf(b)) })
	return strings.Join(parts, "\n")
}

// system is the system prompt.
func (d *decoder) system() string {
	var parts []string
	d.blocks(d.Object, "system", func(b content) {
		text := d.textOf(b)
		if strings.HasPrefix(text, billing) {
			if _, text, _ = strings.Cut(text, "\n"); text == "" {
				return
			}
		}
		parts = append(parts, text)
	})
	return strings.Join(parts, "\n")
}

// textOf is the text of a block.
func (d *decoder) textOf(in content) string {
	if in.Object == nil {
		return in.text
	}
	switch in.kind {
	case "text":
		s := in.String("text", body.MaxBytes)
		if s == nil {
			in.Wrong("text", "is missing")
			return ""
		}
		return *s
	case "document":
		return d.document(in.Object)
	case "search_result":
		return joinTitle(in.Object, d.text(in.Object, "content"))
	case "image":
		in.Wrong("type", "is image; the model reads text only")
	default:
		in.Wrong("type", "is %.100q, which is not supported here", in.kind)
	}
	return ""
}

// document is the text of a document that comes with the request. Nothing is fetched.
func (d *decoder) document(in *body.Object) string {
	source := in.Object("source")
	if source == nil {
		in.Wrong("source", "is missing")
		return ""
	}
	switch kind := source.String("type", maxName); {
	case kind == nil:
		source.Wrong("type", "is missing; must be text or content")
	case *kind == "text":
		if s := source.String("data", body.MaxBytes); s != nil {
			return joinTitle(in, *s)
		}
		source.Wrong("data", "is missing")
	case *kind == "content":
		return joinTitle(in, d.text(source, "content"))
	default:
		source.Wrong("type", "is %.100q; the model reads text only, and the server fetches nothing: must be text or content", *kind)
	}
	return ""
}

func joinTitle(in *body.Object, text string) string {
	if title := in.String("title", body.MaxBytes); title != nil && *title != "" {
		return *title + "\n" + text
	}
	return text
}
