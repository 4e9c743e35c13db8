package load

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
)

// body is the JSON of a request.
func (o *Options) body(t *Turn) ([]byte, error) {
	fields := map[string]any{"model": o.Model, "stream": true, "max_tokens": t.Output, "temperature": o.Temperature}
	if o.IgnoreEOS {
		fields["ignore_eos"] = true
	}
	switch o.API {
	case Completions:
		if err := completion(fields, t); err != nil {
			return nil, err
		}
	case Chat:
		if t.Tokens != nil {
			return nil, fmt.Errorf("prompts of token ids go to /v1/completions only")
		}
		fields["messages"] = messagesOf(t)
		if t.Tools != nil {
			fields["tools"] = t.Tools
		}
	case Anthropic:
		if t.Tokens != nil {
			return nil, fmt.Errorf("prompts of token ids go to /v1/completions only")
		}
		if err := anthropicFields(fields, t); err != nil {
			return nil, err
		}
	}
	if o.API != Anthropic {
		fields["stream_options"] = map[string]bool{"include_usage": true}
	}
	maps.Copy(fields, rawFields(o.Extra))
	return marshal(fields)
}

func rawFields(m map[string]json.RawMessage) map[string]any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		out[k] = v
	}
	return out
}

func completion(fields map[string]any, t *Turn) error {
	switch {
	case t.Messages != nil:
		return fmt.Errorf("messages go to /v1/chat/completions or /v1/messages: --api chat or anthropic")
	case t.Tokens != nil:
		fields["prompt"] = ids(t.Tokens)
	default:
		fields["prompt"] = t.Text
	}
	return nil
}

// ids writes a prompt of token ids.
func ids(tokens []int32) json.RawMessage {
	b := []byte{'['}
	for i, id := range tokens {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(id), 10)
	}
	return append(b, ']')
}

func messagesOf(t *Turn) any {
	if t.Messages != nil {
		return t.Messages
	}
	return []map[string]string{{"role": "user", "content": t.Text}}
}

// message is one of OpenAI's messages.
type message struct {
	Role      string          `json:"role"`
	Content   json.RawMessage `json:"content"`
	Reasoning string          `json:"reasoning_content"`
	CallID    string          `json:"tool_call_id"`
	Calls     []struct {
		ID       string `json:"id"`
		Function struct {
			Name      string `json:"name"`
			Arguments string `json:"arguments"`
		} `json:"function"`
	} `json:"tool_calls"`
}

// anthropicFields says in Anthropic's terms what OpenAI's messages and tools say: the system's text apart, calls and
// results of tools as blocks.
func anthropicFields(fields map[string]any, t *Turn) error {
	if t.Messages == nil {
		fields["messages"] = messagesOf(t)
		return nil
	}
	var messages []message
	if err := json.Unmarshal(t.Messages, &messages); err != nil {
		return fmt.Errorf("messages: %w", err)
	}
	type block = map[string]any
	type turn struct {
		Role    string  `json:"role"`
		Content []block `json:"content"`
	}
	var system string
	var turns []turn
	for _, m := range messages {
		role, blocks := "user", []block{}
		text := contentText(m.Content)
		if text != "" && m.Role != "tool" {
			blocks = append(blocks, block{"type": "text", "text": text})
		}
		switch m.Role {
		case "system":
			system += text
			continue
		case "assistant":
			role = "assistant"
			for _, c := range m.Calls {
				blocks = append(blocks, block{"type": "tool_use", "id": c.ID, "name": c.Function.Name, "input": json.RawMessage(c.Function.Arguments)})
			}
		case "tool":
			blocks = append(blocks, block{"type": "tool_result", "tool_use_id": m.CallID, "content": text})
		}
		if n := len(turns); n > 0 && turns[n-1].Role == role { // roles have to alternate
			turns[n-1].Content = append(turns[n-1].Content, blocks...)
			continue
		}
		turns = append(turns, turn{role, blocks})
	}
	fields["messages"] = turns
	if system != "" {
		fields["system"] = system
	}
	if t.Tools == nil {
		return nil
	}
	var tools []struct {
		Function struct {
			Name        string          `json:"name"`
			Description string          `json:"description,omitempty"`
			Parameters  json.RawMessage `json:"parameters"`
		} `json:"function"`
	}
	if err := json.Unmarshal(t.Tools, &tools); err != nil {
		return fmt.Errorf("tools: %w", err)
	}
	var out []block
	for _, x := range tools {
		out = append(out, block{"name": x.Function.Name, "description": x.Function.Description, "input_schema": x.Function.Parameters})
	}
	fields["tools"] = out
	return nil
}

// contentText is the text of a message's content, which is a string, null or a list of parts.
func contentText(raw json.RawMessage) string {
	var text string
	var parts []struct {
		Text string `json:"text"`
	}
	if json.Unmarshal(raw, &text) != nil && json.Unmarshal(raw, &parts) == nil {
		for _, p := range parts {
			text += p.Text
		}
	}
	return text
}

func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
