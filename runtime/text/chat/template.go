package chat

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/glmc/glmc/runtime/jsonparts"
	"github.com/glmc/glmc/runtime/text/chat/internal/jinja"
)

// Template renders conversations into prompts. It may be used by many
// goroutines at once.
type Template struct {
	standard  *jinja.Template
	withTools *jinja.Template // for conversations with tools; nil: standard
	tokens    SpecialTokens
}

// SpecialTokens are the texts that a template may name, by variable: bos_token,
// eos_token, pad_token, unk_token, sep_token, cls_token, mask_token.
type SpecialTokens map[string]string

// New parses a template that the operator or the checkpoint gives. Never pass
// one from a request.
func New(source string, tokens SpecialTokens) (*Template, error) {
	t, err := jinja.Parse(source, jinja.DefaultLimits())
	if err != nil {
		return nil, fmt.Errorf("chat template: %w", err)
	}
	return &Template{standard: t, tokens: tokens}, nil
}

// Options of one rendering.
type Options struct {
	AddGenerationPrompt bool           // end with the header of the assistant's turn
	Kwargs              map[string]any // template arguments; see [CheckKwargs]
	Now                 time.Time      // what strftime_now tells; zero: the current time
}

// Segment is a piece of a prompt.
type Segment struct {
	Text   string
	Markup bool // written by the template: special tokens in it are special
}

// kwargs are the template arguments that a request may set, and an example of
// their type.
var kwargs = map[string]any{
	"clear_thinking":    false, // GLM-4.7: drop the thinking of earlier turns
	"enable_thinking":   false, // GLM-4.5 and later, Qwen3
	"preserve_thinking": false, // Qwen3.6: keep the thinking of earlier turns
	"reasoning_effort":  "",    // GLM-5, gpt-oss: low, medium, high, ...
	"thinking":          false, // DeepSeek-V3.1
}

// longestKwarg bounds a string argument; all known values are words.
const longestKwarg = 32

// CheckKwargs reports template arguments that are not allowed or of the wrong
// type, as an [*InputError]. Values are bool or string.
func CheckKwargs(args map[string]any) error {
	for name, value := range args {
		example, ok := kwargs[name]
		if !ok {
			return inputErrorf(name, "is no template argument; allowed are %s", strings.Join(kwargNames(), ", "))
		}
		switch v := value.(type) {
		case bool:
			if _, ok := example.(bool); !ok {
				return inputErrorf(name, "must be a string, not a boolean")
			}
		case string:
			if _, ok := example.(string); !ok {
				return inputErrorf(name, "must be a boolean, not a string")
			}
			if len(v) > longestKwarg {
				return inputErrorf(name, "must be a word, not %d bytes", len(v))
			}
		default:
			return inputErrorf(name, "must be a %T, not a %T", example, value)
		}
	}
	return nil
}

func kwargNames() []string {
	names := make([]string, 0, len(kwargs))
	for name := range kwargs {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// ParseKwargs reads a JSON object of template arguments, such as a request's
// chat_template_kwargs; missing and null give none.
func ParseKwargs(data []byte) (map[string]any, error) {
	if isNull(data) {
		return nil, nil
	}
	if err := check("chat_template_kwargs", data); err != nil {
		return nil, err
	}
	fields, err := readFields("chat_template_kwargs", data, kwargNames()...)
	if err != nil {
		return nil, err
	}
	args := map[string]any{}
	for name, raw := range fields {
		var value any
		if err := json.Unmarshal(raw, &value); err != nil {
			return nil, inputErrorf(name, "%v", err)
		}
		if value != nil {
			args[name] = value
		}
	}
	return args, CheckKwargs(args)
}

// Render returns the prompt of a conversation.
func (t *Template) Render(conv Conversation, opts Options) (string, error) {
	segments, err := t.RenderSegments(conv, opts)
	if err != nil {
		return "", err
	}
	var prompt strings.Builder
	for _, s := range segments {
		prompt.WriteString(s.Text)
	}
	return prompt.String(), nil
}

// RenderSegments returns the prompt in pieces that tell what the template wrote
// from what the conversation holds: messages, names, tools and arguments. Roles
// are of a fixed set and count as the template's.
//
// The pieces are not to be encoded one by one, because tokens span them. Join
// them, accept a special token only where all of its bytes are markup, and
// encode everything else, special tokens in content included, as plain text.
func (t *Template) RenderSegments(conv Conversation, opts Options) ([]Segment, error) {
	vars, err := t.variables(conv, opts)
	if err != nil {
		return nil, err
	}
	now := opts.Now
	if now.IsZero() {
		now = time.Now()
	}
	template := t.standard
	if conv.Tools != nil && t.withTools != nil {
		template = t.withTools
	}
	rendered, err := template.Render(vars, now)
	if err != nil {
		if path := textArguments(conv.Messages); path != "" {
			return nil, inputErrorf(path, "holds no JSON object, which the chat template wants: leave out a call that was cut off")
		}
		return nil, fmt.Errorf("chat template: %w", err)
	}
	segments := make([]Segment, len(rendered))
	for i, s := range rendered {
		segments[i] = Segment(s)
	}
	return segments, nil
}

// textArguments is the place of the first call whose arguments are a string and no object, which most templates cannot write:
// they go through the arguments one by one. Such a call was cut off by a limit of tokens.
func textArguments(messages []Message) string {
	for i, m := range messages {
		for j, call := range m.ToolCalls {
			if jsonparts.Kind(call.Arguments) == "a string" {
				return fmt.Sprintf("messages[%d].tool_calls[%d].function.arguments", i, j)
			}
		}
	}
	return ""
}

// variables are what transformers gives a template: the special tokens, the
// conversation and the arguments.
func (t *Template) variables(conv Conversation, opts Options) (*jinja.Dict, error) {
	if err := CheckKwargs(opts.Kwargs); err != nil {
		return nil, err
	}
	vars := jinja.NewDict()
	for name, token := range t.tokens {
		vars.Set(name, jinja.Markup(token))
	}
	values := jinja.MaxJSONValues
	messages := make([]jinja.Value, len(conv.Messages))
	for i, m := range conv.Messages {
		var err error
		if messages[i], err = messageValue(fmt.Sprintf("messages[%d]", i), m, &values); err != nil {
			return nil, err
		}
	}
	tools, err := toolsValue(conv.Tools, &values)
	if err != nil {
		return nil, err
	}
	vars.Set("messages", jinja.NewList(messages...))
	vars.Set("tools", tools)
	vars.Set("documents", nil)
	vars.Set("add_generation_prompt", opts.AddGenerationPrompt)
	for name, value := range opts.Kwargs {
		if s, ok := value.(string); ok {
			value = jinja.Content(s)
		}
		vars.Set(name, value)
	}
	return vars, nil
}

func toolsValue(tools []json.RawMessage, budget *int) (jinja.Value, error) {
	if tools == nil {
		return nil, nil
	}
	values := make([]jinja.Value, len(tools))
	for i, tool := range tools {
		var err error
		if values[i], err = jinja.FromJSON(tool, budget); err != nil {
			return nil, inputErrorf(fmt.Sprintf("tools[%d]", i), "%v", err)
		}
	}
	return jinja.NewList(values...), nil
}

// messageValue is the dict that templates know a message as. Its keys and role
// are trusted; all else is content.
func messageValue(path string, m Message, budget *int) (jinja.Value, error) {
	if !isRole(m.Role) {
		return nil, inputErrorf(path+".role", "is %q; must be system, developer, user, assistant or tool", m.Role)
	}
	role := m.Role
	if role == RoleDeveloper {
		role = RoleSystem
	}
	d := jinja.NewDict()
	d.Set("role", jinja.Markup(role))
	d.Set("content", jinja.Content(m.Content))
	if m.ReasoningContent != nil {
		d.Set("reasoning_content", jinja.Content(*m.ReasoningContent))
	}
	if m.Name != "" {
		d.Set("name", jinja.Content(m.Name))
	}
	if len(m.ToolCalls) > 0 {
		calls := make([]jinja.Value, len(m.ToolCalls))
		for i, call := range m.ToolCalls {
			var err error
			if calls[i], err = toolCallValue(fmt.Sprintf("%s.tool_calls[%d]", path, i), call, budget); err != nil {
				return nil, err
			}
		}
		d.Set("tool_calls", jinja.NewList(calls...))
	}
	if m.ToolCallID != "" {
		d.Set("tool_call_id", jinja.Content(m.ToolCallID))
	}
	return d, nil
}

func toolCallValue(path string, call ToolCall, budget *int) (jinja.Value, error) {
	arguments, err := jinja.FromJSON(call.Arguments, budget)
	if err != nil {
		return nil, inputErrorf(path+".function.arguments", "%v", err)
	}
	function := jinja.NewDict()
	function.Set("name", jinja.Content(call.Name))
	function.Set("arguments", arguments)
	d := jinja.NewDict()
	if call.ID != "" {
		d.Set("id", jinja.Content(call.ID))
	}
	d.Set("type", jinja.Markup("function"))
	d.Set("function", function)
	return d, nil
}
