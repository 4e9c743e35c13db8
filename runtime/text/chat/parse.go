package chat

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/glmc/glmc/runtime/jsonparts"
	"github.com/glmc/glmc/runtime/text/chat/internal/jinja"
)

// Bounds of a conversation.
const (
	MaxConversationBytes = 32 << 20
	MaxMessages          = 16384
	MaxTools             = 1024
	maxToolCalls         = 1024  // in one message
	maxParts             = 16384 // in one message
)

// ParseConversation reads {"messages": [...], "tools": [...]}; tools may be
// missing or null. Its error is an [*InputError] that names the field.
func ParseConversation(data []byte) (Conversation, error) {
	var conv Conversation
	if len(data) > MaxConversationBytes {
		return conv, inputErrorf("", "the conversation has %d bytes, more than the limit of %d", len(data), MaxConversationBytes)
	}
	if !utf8.Valid(data) {
		return conv, inputErrorf("", "the conversation is not valid UTF-8")
	}
	if err := check("", data); err != nil {
		return conv, err
	}
	fields, err := readFields("", data, "messages", "tools")
	if err != nil {
		return conv, err
	}
	if fields["messages"] == nil {
		return conv, inputErrorf("messages", "is missing")
	}
	if conv.Messages, err = ParseMessages(fields["messages"], false); err != nil {
		return Conversation{}, err
	}
	if conv.Tools, err = ParseTools(fields["tools"]); err != nil {
		return Conversation{}, err
	}
	return conv, nil
}

// ParseMessages reads the JSON array of messages of a request. Fields that are not known are errors, unless ignoreUnknown: a
// file that somebody wrote has mistakes, and what clients of a server send has fields of next year.
func ParseMessages(data []byte, ignoreUnknown bool) ([]Message, error) {
	if err := check("messages", data); err != nil {
		return nil, err
	}
	items, err := readArray("messages", data, MaxMessages)
	if err != nil {
		return nil, err
	}
	if len(items) == 0 {
		return nil, inputErrorf("messages", "is empty; at least one message is needed")
	}
	messages := make([]Message, len(items))
	for i, item := range items {
		if messages[i], err = known(!ignoreUnknown).message(fmt.Sprintf("messages[%d]", i), item); err != nil {
			return nil, err
		}
	}
	return messages, nil
}

// ParseTools reads the JSON array of tools of a request; missing and null give
// nil.
func ParseTools(data []byte) ([]json.RawMessage, error) {
	if isNull(data) {
		return nil, nil
	}
	if err := check("tools", data); err != nil {
		return nil, err
	}
	tools, err := readArray("tools", data, MaxTools)
	if err != nil {
		return nil, err
	}
	values := jinja.MaxJSONValues
	for i, tool := range tools {
		if err := checkTool(fmt.Sprintf("tools[%d]", i), tool, &values); err != nil {
			return nil, err
		}
	}
	return tools, nil
}

// checkTool wants {"type": "function", "function": {"name": ...}} or the function
// alone.
func checkTool(path string, data []byte, values *int) error {
	value, err := jinja.FromJSON(data, values)
	if err != nil {
		return inputErrorf(path, "%v", err)
	}
	tool, ok := value.(*jinja.Dict)
	if !ok {
		return inputErrorf(path, "must be an object, not %s", jsonparts.Kind(data))
	}
	// What has a name and no function may be one itself, whose type says something else.
	if kind, ok := tool.Get("type"); ok && jinja.TextOf(kind) != "function" && (hasKey(tool, "function") || !hasKey(tool, "name")) {
		return inputErrorf(path+".type", "is %.100q; only function tools are supported", jinja.TextOf(kind))
	}
	if function, ok := tool.Get("function"); ok {
		path += ".function"
		if tool, ok = function.(*jinja.Dict); !ok {
			return inputErrorf(path, "must be an object")
		}
	}
	name, _ := tool.Get("name")
	if jinja.TextOf(name) == "" {
		return inputErrorf(path+".name", "must be a string that is not empty")
	}
	return nil
}

func hasKey(d *jinja.Dict, key string) bool {
	_, ok := d.Get(key)
	return ok
}

// ignoredFields of a message are what clients send back from an answer.
var ignoredFields = []string{"refusal", "annotations", "audio", "function_call", "cache_control"}

// known reads messages, and says whether their fields have to be known.
type known bool

// fields are readFields's.
func (k known) fields(path string, data []byte, names ...string) (map[string]json.RawMessage, error) {
	if !k {
		names = nil
	}
	return readFields(path, data, names...)
}

func (k known) message(path string, data []byte) (Message, error) {
	names := append([]string{"role", "content", "reasoning_content", "reasoning", "name", "tool_calls", "tool_call_id"}, ignoredFields...)
	fields, err := k.fields(path, data, names...)
	if err != nil {
		return Message{}, err
	}
	var m Message
	role, err := optionalString(path+".role", fields["role"])
	if err != nil {
		return Message{}, err
	}
	if m.Role = deref(role); !isRole(m.Role) {
		return Message{}, inputErrorf(path+".role", "is %q; must be system, developer, user, assistant or tool", m.Role)
	}
	if m.Content, err = k.content(path+".content", fields["content"]); err != nil {
		return Message{}, err
	}
	name, err := optionalString(path+".name", fields["name"])
	if err != nil {
		return Message{}, err
	}
	m.Name = deref(name)
	if err := k.assistantFields(path, fields, &m); err != nil {
		return Message{}, err
	}
	id, err := optionalString(path+".tool_call_id", fields["tool_call_id"])
	if err != nil {
		return Message{}, err
	}
	if m.ToolCallID = deref(id); m.ToolCallID != "" && m.Role != RoleTool {
		return Message{}, inputErrorf(path+".tool_call_id", "is only for the role tool, not %s", m.Role)
	}
	return m, checkContent(path, fields["content"], m)
}

func isRole(role string) bool {
	switch role {
	case RoleSystem, RoleDeveloper, RoleUser, RoleAssistant, RoleTool:
		return true
	}
	return false
}

// assistantFields reads reasoning and tool calls, which others must not
// have.
func (k known) assistantFields(path string, fields map[string]json.RawMessage, m *Message) error {
	var err error
	for _, name := range []string{"reasoning", "reasoning_content"} { // the second counts
		thinking, err := optionalString(path+"."+name, fields[name])
		if err != nil {
			return err
		}
		if thinking == nil {
			continue
		}
		if m.Role != RoleAssistant {
			return inputErrorf(path+"."+name, "is only for the role assistant, not %s", m.Role)
		}
		m.ReasoningContent = thinking
	}
	if m.ToolCalls, err = k.toolCalls(path+".tool_calls", fields["tool_calls"]); err != nil {
		return err
	}
	if len(m.ToolCalls) > 0 && m.Role != RoleAssistant {
		return inputErrorf(path+".tool_calls", "is only for the role assistant, not %s", m.Role)
	}
	return nil
}

// checkContent wants content where a message means nothing without.
func checkContent(path string, content []byte, m Message) error {
	if !isNull(content) || len(m.ToolCalls) > 0 || m.ReasoningContent != nil {
		return nil
	}
	if m.Role == RoleAssistant {
		return inputErrorf(path+".content", "is missing; an assistant's message needs content, reasoning_content or tool_calls")
	}
	return inputErrorf(path+".content", "is missing; it must be a string or a list of text parts")
}

// content reads a string, null or a list of text parts.
func (k known) content(path string, data []byte) (string, error) {
	switch {
	case isNull(data):
		return "", nil
	case jsonparts.Kind(data) == "a string":
		return readString(path, data)
	case jsonparts.Kind(data) != "an array":
		return "", inputErrorf(path, "must be a string, null or a list of text parts, not %s", jsonparts.Kind(data))
	}
	parts, err := readArray(path, data, maxParts)
	if err != nil {
		return "", err
	}
	var text strings.Builder
	for i, part := range parts {
		s, err := k.part(fmt.Sprintf("%s[%d]", path, i), part)
		if err != nil {
			return "", err
		}
		text.WriteString(s)
	}
	return text.String(), nil
}

func (k known) part(path string, data []byte) (string, error) {
	var head struct {
		Type string `json:"type"`
	}
	if jsonparts.Kind(data) != "an object" {
		return "", inputErrorf(path, "must be an object, not %s", jsonparts.Kind(data))
	}
	if err := json.Unmarshal(data, &head); err != nil || head.Type != "text" && head.Type != "refusal" {
		return "", inputErrorf(path+".type", "is %q; only text parts are supported", head.Type)
	}
	fields, err := k.fields(path, data, "type", head.Type, "annotations", "cache_control")
	if err != nil {
		return "", err
	}
	text, err := optionalString(path+"."+head.Type, fields[head.Type]) // a refusal is text of an assistant, too
	if err == nil && text == nil {
		err = inputErrorf(path+"."+head.Type, "is missing")
	}
	return deref(text), err
}

func (k known) toolCalls(path string, data []byte) ([]ToolCall, error) {
	if isNull(data) {
		return nil, nil
	}
	items, err := readArray(path, data, maxToolCalls)
	if err != nil {
		return nil, err
	}
	var calls []ToolCall
	for i, item := range items {
		call, err := k.toolCall(fmt.Sprintf("%s[%d]", path, i), item)
		if err != nil {
			return nil, err
		}
		calls = append(calls, call)
	}
	return calls, nil
}

func (k known) toolCall(path string, data []byte) (ToolCall, error) {
	fields, err := k.fields(path, data, "id", "type", "function", "index")
	if err != nil {
		return ToolCall{}, err
	}
	kind, err := optionalString(path+".type", fields["type"])
	if err != nil {
		return ToolCall{}, err
	}
	if kind != nil && *kind != "function" {
		return ToolCall{}, inputErrorf(path+".type", "is %q; only function is supported", *kind)
	}
	id, err := optionalString(path+".id", fields["id"])
	if err != nil {
		return ToolCall{}, err
	}
	if fields["function"] == nil {
		return ToolCall{}, inputErrorf(path+".function", "is missing")
	}
	path += ".function"
	function, err := k.fields(path, fields["function"], "name", "arguments")
	if err != nil {
		return ToolCall{}, err
	}
	name, err := optionalString(path+".name", function["name"])
	if err != nil {
		return ToolCall{}, err
	}
	if deref(name) == "" {
		return ToolCall{}, inputErrorf(path+".name", "must be a string that is not empty")
	}
	arguments, err := parseArguments(path+".arguments", function["arguments"])
	return ToolCall{ID: deref(id), Name: *name, Arguments: arguments}, err
}

// parseArguments returns an object, given as one or as a string of JSON, or a
// string that is neither.
func parseArguments(path string, data []byte) (json.RawMessage, error) {
	if isNull(data) {
		return json.RawMessage("{}"), nil
	}
	values := jinja.MaxJSONValues
	switch jsonparts.Kind(data) {
	case "an object":
		if _, err := jinja.FromJSON(data, &values); err != nil {
			return nil, inputErrorf(path, "%v", err)
		}
		return data, nil
	case "a string":
		s, err := readString(path, data)
		if err != nil {
			return nil, err
		}
		if strings.TrimSpace(s) == "" {
			return json.RawMessage("{}"), nil
		}
		if v, err := jinja.FromJSON([]byte(s), &values); err == nil {
			if _, ok := v.(*jinja.Dict); ok {
				return json.RawMessage(s), nil
			}
		}
		return data, nil
	}
	return nil, inputErrorf(path, "must be an object or a string of JSON, not %s", jsonparts.Kind(data))
}
