package chat

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseConversation(t *testing.T) {
	thinking := " why \n"
	got := parseConversation(t, `{"tools": [{"type": "function", "function": {"name": "f", "z": 1, "a": 2}}], "messages": [
		{"content": "be brief", "role": "developer"},
		{"role": "user", "content": [{"type": "text", "text": "a "}, {"type": "text", "text": "b", "cache_control": {}}], "name": "Eve"},
		{"role": "assistant", "content": null, "reasoning_content": " why \n", "refusal": null, "tool_calls": [
			{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{\"z\": 1, \"a\": [2]}"}},
			{"function": {"name": "g", "arguments": {"b": 1}}},
			{"function": {"name": "h", "arguments": " "}},
			{"function": {"name": "i", "arguments": "not JSON"}},
			{"function": {"name": "j", "arguments": "[1]"}},
			{"function": {"name": "k"}}]},
		{"role": "tool", "content": "", "tool_call_id": "1"},
		{"role": "assistant", "content": "x", "reasoning": "older name", "tool_calls": []}]}`)
	older := "older name"
	want := Conversation{
		Tools: []json.RawMessage{json.RawMessage(`{"type": "function", "function": {"name": "f", "z": 1, "a": 2}}`)},
		Messages: []Message{
			{Role: "developer", Content: "be brief"},
			{Role: "user", Content: "a b", Name: "Eve"},
			{Role: "assistant", ReasoningContent: &thinking, ToolCalls: []ToolCall{
				{ID: "1", Name: "f", Arguments: json.RawMessage(`{"z": 1, "a": [2]}`)},
				{Name: "g", Arguments: json.RawMessage(`{"b": 1}`)},
				{Name: "h", Arguments: json.RawMessage(`{}`)},
				{Name: "i", Arguments: json.RawMessage(`"not JSON"`)},
				{Name: "j", Arguments: json.RawMessage(`"[1]"`)},
				{Name: "k", Arguments: json.RawMessage(`{}`)},
			}},
			{Role: "tool", ToolCallID: "1"},
			{Role: "assistant", Content: "x", ReasoningContent: &older},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestParseConversationErrors(t *testing.T) {
	message := func(m string) string { return `{"messages": [{"role": "user", "content": "x"}, ` + m + `]}` }
	for _, tt := range []struct{ input, want string }{
		{``, "must be an object, not nothing"},
		{`[]`, "must be an object, not an array"},
		{`{`, "the JSON ends too early"},
		{`{"messages": [{"role": "user", "content": "x"}]`, "the JSON ends too early"},
		{`{"messages": [{"role": "user", "content": "x"}]} x`, "has more after its end"},
		{`{}`, "messages: is missing"},
		{`{"messages": null}`, "messages: must be an array, not null"},
		{`{"messages": []}`, "messages: is empty; at least one message is needed"},
		{`{"messages": "x"}`, "messages: must be an array, not a string"},
		{`{"messages": [1]}`, "messages[0]: must be an object, not a number"},
		{`{"messages": [{"role": "user", "content": "x"}], "model": "m"}`, `has the unknown field "model"; known are messages, tools`},
		{`{"messages": [], "messages": []}`, `has the field "messages" twice`},
		{"{\"messages\": \"\xff\"}", "the conversation is not valid UTF-8"},
		{message(`{"content": "x"}`), `messages[1].role: is ""; must be system, developer, user, assistant or tool`},
		{message(`{"role": "root", "content": "x"}`), `messages[1].role: is "root"; must be system, developer, user, assistant or tool`},
		{message(`{"role": 1, "content": "x"}`), "messages[1].role: must be a string, not a number"},
		{message(`{"role": "user"}`), "messages[1].content: is missing; it must be a string or a list of text parts"},
		{message(`{"role": "tool", "content": null}`), "messages[1].content: is missing; it must be a string or a list of text parts"},
		{message(`{"role": "assistant", "content": null}`), "messages[1].content: is missing; an assistant's message needs content, reasoning_content or tool_calls"},
		{message(`{"role": "user", "content": {}}`), "messages[1].content: must be a string, null or a list of text parts, not an object"},
		{message(`{"role": "user", "content": ["x"]}`), "messages[1].content[0]: must be an object, not a string"},
		{message(`{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}`), `messages[1].content[0].type: is "image_url"; only text parts are supported`},
		{message(`{"role": "user", "content": [{"type": "text"}]}`), "messages[1].content[0].text: is missing"},
		{message(`{"role": "user", "content": [{"type": "text", "text": 1}]}`), "messages[1].content[0].text: must be a string, not a number"},
		{message(`{"role": "user", "content": "x", "contents": "y"}`), `messages[1]: has the unknown field "contents"; known are`},
		{message(`{"role": "user", "content": "x", "content": "y"}`), `messages[1]: has the field "content" twice`},
		{message(`{"role": "user", "content": "x", "reasoning_content": "y"}`), "messages[1].reasoning_content: is only for the role assistant, not user"},
		{message(`{"role": "user", "content": "x", "tool_calls": [{"function": {"name": "f"}}]}`), "messages[1].tool_calls: is only for the role assistant, not user"},
		{message(`{"role": "user", "content": "x", "tool_call_id": "1"}`), "messages[1].tool_call_id: is only for the role tool, not user"},
		{message(`{"role": "user", "content": "x", "name": ["n"]}`), "messages[1].name: must be a string, not an array"},
		{message(`{"role": "assistant", "tool_calls": {}}`), "messages[1].tool_calls: must be an array, not an object"},
		{message(`{"role": "assistant", "tool_calls": [{}]}`), "messages[1].tool_calls[0].function: is missing"},
		{message(`{"role": "assistant", "tool_calls": [{"type": "custom", "function": {"name": "f"}}]}`), `messages[1].tool_calls[0].type: is "custom"; only function is supported`},
		{message(`{"role": "assistant", "tool_calls": [{"function": {}}]}`), "messages[1].tool_calls[0].function.name: must be a string that is not empty"},
		{message(`{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": 1}}]}`), "messages[1].tool_calls[0].function.arguments: must be an object or a string of JSON, not a number"},
		{`{"messages": [{"role": "user", "content": "x"}], "tools": {}}`, "tools: must be an array, not an object"},
		{`{"messages": [{"role": "user", "content": "x"}], "tools": [1]}`, "tools[0]: must be an object, not a number"},
		{`{"messages": [{"role": "user", "content": "x"}], "tools": [{"type": "web_search"}]}`, `tools[0].type: is "web_search"; only function tools are supported`},
		{`{"messages": [{"role": "user", "content": "x"}], "tools": [{"type": "x", "function": {"name": "f"}}]}`, `tools[0].type: is "x"; only function tools are supported`},
		{`{"messages": [{"role": "user", "content": "x"}], "tools": [{"function": []}]}`, "tools[0].function: must be an object"},
		{`{"messages": [{"role": "user", "content": "x"}], "tools": [{"function": {"name": ""}}]}`, "tools[0].function.name: must be a string that is not empty"},
	} {
		_, err := ParseConversation([]byte(tt.input))
		var input *InputError
		if !errors.As(err, &input) {
			t.Errorf("%s\nerror %v, want an *InputError", tt.input, err)
			continue
		}
		if !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s\nerror %s\nwant  %s", tt.input, err, tt.want)
		}
	}
}

// TestIgnoreUnknown: clients send fields that nobody knows yet, and they change nothing. Of those that are known, kinds are
// checked all the same.
func TestIgnoreUnknown(t *testing.T) {
	const input = `[{"role": "assistant", "new": {"a": [1]}, "content": [{"type": "text", "text": "a", "new": 1}, {"type": "refusal", "refusal": "b"}],
		"tool_calls": [{"id": "1", "new": 1, "function": {"name": "f", "arguments": "{}", "new": null}}]}]`
	if _, err := ParseMessages([]byte(input), false); err == nil {
		t.Error("unknown fields are no error")
	}
	got, err := ParseMessages([]byte(input), true)
	if err != nil {
		t.Fatal(err)
	}
	want := []Message{{Role: "assistant", Content: "ab", ToolCalls: []ToolCall{{ID: "1", Name: "f", Arguments: json.RawMessage("{}")}}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for _, input := range []string{`[{"role": "user", "content": "x", "content": "y"}]`, `[{"role": "user", "content": 1}]`} {
		if _, err := ParseMessages([]byte(input), true); err == nil {
			t.Errorf("%s is no error", input)
		}
	}
}

// TestConversationBounds checks that what is too long, too many or too deep is
// refused.
func TestConversationBounds(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 200) + "1" + strings.Repeat("}", 200)
	user := `{"role": "user", "content": "x"}`
	for _, tt := range []struct{ name, input, want string }{
		{"bytes", strings.Repeat(" ", MaxConversationBytes+1), "more than the limit"},
		{"messages", `{"messages": [` + strings.Repeat(user+",", MaxMessages) + user + `]}`, "more than 16384 items"},
		{"tools", `{"messages": [` + user + `], "tools": [` + strings.Repeat(`{"name": "f"},`, MaxTools) + `{"name": "f"}]}`, "more than 1024 items"},
		{"tool depth", `{"messages": [` + user + `], "tools": [{"name": "f", "x": ` + deep + `}]}`, "nests deeper"},
		{"argument depth", `{"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": ` + deep + `}}]}]}`, "nests deeper"},
		{"values", `{"messages": [` + user + `], "tools": [{"name": "f", "x": [` + strings.Repeat("0,", 1<<20) + `0]}]}`, "too many values"},
		{"digits", `{"messages": [` + user + `], "tools": [{"name": "f", "x": ` + strings.Repeat("9", 5000) + `}]}`, "5000 digits"},
		{"depth", strings.Repeat(`{"messages": [`, 20000), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseConversation([]byte(tt.input))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q in it", err, tt.want)
			}
		})
	}
}

func TestKwargs(t *testing.T) {
	got, err := ParseKwargs([]byte(`{"enable_thinking": false, "reasoning_effort": "high", "clear_thinking": null}`))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{"enable_thinking": false, "reasoning_effort": "high"}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for _, tt := range []struct{ input, want string }{
		{`[]`, "chat_template_kwargs: must be an object, not an array"},
		{`{"chat_template": "{{ 1 }}"}`, `chat_template_kwargs: has the unknown field "chat_template"; known are clear_thinking, enable_thinking`},
		{`{"messages": []}`, `chat_template_kwargs: has the unknown field "messages"`},
		{`{"enable_thinking": "no"}`, "enable_thinking: must be a boolean, not a string"},
		{`{"reasoning_effort": true}`, "reasoning_effort: must be a string, not a boolean"},
		{`{"enable_thinking": 1}`, "enable_thinking: must be a bool, not a float64"},
		{fmt.Sprintf(`{"reasoning_effort": %q}`, strings.Repeat("x", 33)), "reasoning_effort: must be a word, not 33 bytes"},
	} {
		if _, err := ParseKwargs([]byte(tt.input)); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s\nerror %v\nwant  %s", tt.input, err, tt.want)
		}
	}
}

// TestRenderChecksInput: conversations that were not parsed are checked, too.
func TestRenderChecksInput(t *testing.T) {
	template, err := New("{{ messages }}{{ chat_template }}", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		conv Conversation
		opts Options
		want string
	}{
		{Conversation{Messages: []Message{{Role: "<|user|>"}}}, Options{}, "messages[0].role"},
		{Conversation{Messages: []Message{{Role: RoleAssistant, ToolCalls: []ToolCall{{Name: "f", Arguments: json.RawMessage("{")}}}}}, Options{}, "messages[0].tool_calls[0].function.arguments"},
		{Conversation{Tools: []json.RawMessage{json.RawMessage("")}}, Options{}, "tools[0]"},
		{Conversation{}, Options{Kwargs: map[string]any{"chat_template": "{{ 1 }}"}}, "chat_template"},
		{Conversation{}, Options{Kwargs: map[string]any{"bos_token": "x"}}, "bos_token"},
	} {
		_, err := template.Render(tt.conv, tt.opts)
		var input *InputError
		if !errors.As(err, &input) || input.Path != tt.want {
			t.Errorf("error %v, want one about %s", err, tt.want)
		}
	}
}

// TestArgumentsCutOff: where a template cannot write the arguments of a call that was cut off, the place is named; one that can
// writes them as they are.
func TestArgumentsCutOff(t *testing.T) {
	conv, err := ParseConversation([]byte(`{"messages": [{"role": "user", "content": "a"},
		{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "{\"path\": \"a.g"}}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	call := "{% for m in messages %}{% for c in m.tool_calls or [] %}"
	one, err := New(call+"{% for k, v in c.function.arguments.items() %}{{ k }}{% endfor %}{% endfor %}{% endfor %}", nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = one.Render(conv, Options{})
	var input *InputError
	if !errors.As(err, &input) || input.Path != "messages[1].tool_calls[0].function.arguments" {
		t.Errorf("error %v, want one about the arguments", err)
	}
	other, err := New(call+"{{ c.function.arguments }}{% endfor %}{% endfor %}", nil)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := other.Render(conv, Options{}); err != nil || text != `{"path": "a.g` {
		t.Errorf("%q, %v", text, err)
	}
}
