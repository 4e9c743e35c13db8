package reply

import (
	"encoding/json"
	"strings"

	"github.com/glmc/glmc/runtime/text/chat"
)

// Calls is the form in which a model writes calls of tools.
type Calls uint8

const (
	NoCalls Calls = iota // it writes none that are known
	GLM45                // GLM-4.5 and 4.6: tags on lines of their own
	GLM47                // GLM-4.7: no line breaks
	Hermes               // Hermes and Qwen: one JSON object
)

var callNames = [...]string{NoCalls: "none", GLM45: "glm45", GLM47: "glm47", Hermes: "hermes"}

func (c Calls) String() string { return callNames[c] }

// Format is how a model writes its replies.
type Format struct {
	Calls  Calls
	Thinks bool // thinking stands in <think> and </think>
}

// Detect finds the format that a chat template renders replies in, by rendering one that thinks and calls a tool. A
// template that cannot render it has none.
func Detect(t *chat.Template) Format {
	const thought, name, key = "a thought", "probe_name", "probe_key"
	thinking := thought
	conv := chat.Conversation{
		Tools: []json.RawMessage{json.RawMessage(`{"type": "function", "function": {"name": "` + name +
			`", "description": "none", "parameters": {"type": "object", "properties": {"` + key + `": {"type": "string"}}}}}`)},
		Messages: []chat.Message{
			{Role: chat.RoleUser, Content: "a question"},
			{Role: chat.RoleAssistant, ReasoningContent: &thinking, ToolCalls: []chat.ToolCall{
				{ID: "call00000", Name: name, Arguments: json.RawMessage(`{"` + key + `": "value"}`)},
			}},
			{Role: chat.RoleTool, Content: "a result", ToolCallID: "call00000"},
		},
	}
	prompt, err := t.Render(conv, chat.Options{AddGenerationPrompt: true})
	if err != nil {
		conv = chat.Conversation{Messages: conv.Messages[:1]}
		if prompt, err = t.Render(conv, chat.Options{AddGenerationPrompt: true}); err != nil {
			return Format{}
		}
	}
	f := Format{Thinks: strings.Contains(prompt, thinkOpen) || strings.Contains(prompt, thinkClose)}
	// The first mention of the tags may be an explanation of the form, without the name.
	for rest := prompt; ; {
		_, after, ok := strings.Cut(rest, callOpen)
		if !ok {
			return f
		}
		rest = after
		body, _, _ := strings.Cut(after, callClose)
		inner := strings.TrimLeft(body, blanks)
		switch {
		case strings.HasPrefix(inner, "{") && strings.Contains(inner, `"`+name+`"`):
			f.Calls = Hermes
		case strings.HasPrefix(inner, name+"\n"):
			f.Calls = GLM45
		case strings.HasPrefix(inner, name):
			f.Calls = GLM47
		}
	}
}
