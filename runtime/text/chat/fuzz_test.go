package chat

import (
	"errors"
	"strings"
	"testing"

	"github.com/glmc/glmc/runtime/jsonparts"
)

// FuzzParseConversation parses any bytes. What parses renders by the bundled
// template, unless its arguments are no object, and in segments that make up
// the prompt; what does not gives an *InputError.
func FuzzParseConversation(f *testing.F) {
	g := readGolden(f)
	for _, c := range g.Cases {
		f.Add([]byte(c.Conversation))
	}
	for _, s := range []string{`{"messages": [{"role": "user", "content": "\ud800\u0000"}]}`, `{"messages": [[]]}`, `{"messages":[{"role":"user","content":[{}]}]}`} {
		f.Add([]byte(s))
	}
	template, err := LoadDir(tinyDir)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		conv, err := ParseConversation(data)
		if err != nil {
			var input *InputError
			if !errors.As(err, &input) {
				t.Fatalf("%T: %v, want an *InputError", err, err)
			}
			return
		}
		prompt, err := template.Render(conv, Options{AddGenerationPrompt: true})
		if err != nil {
			if !hasStringArguments(conv) {
				t.Fatalf("%q: %v", data, err)
			}
			return
		}
		segments, err := template.RenderSegments(conv, Options{AddGenerationPrompt: true})
		if err != nil {
			t.Fatal(err)
		}
		var joined strings.Builder
		for _, s := range segments {
			joined.WriteString(s.Text)
		}
		if joined.String() != prompt {
			t.Fatalf("segments make up %q, the prompt is %q", joined.String(), prompt)
		}
	})
}

func hasStringArguments(conv Conversation) bool {
	for _, m := range conv.Messages {
		for _, call := range m.ToolCalls {
			if jsonparts.Kind(call.Arguments) == "a string" {
				return true
			}
		}
	}
	return false
}

// FuzzParseConfig parses any bytes as tokenizer_config.json.
func FuzzParseConfig(f *testing.F) {
	for _, s := range []string{
		`{"chat_template": "x", "bos_token": "<s>", "eos_token": {"content": "</s>"}}`,
		`{"chat_template": [{"name": "default", "template": "x"}]}`,
		`{"chat_template": {}}`, `{"bos_token": []}`, `[]`, `null`, ``,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		config, err := parseConfig(data)
		if err != nil {
			return
		}
		for name, token := range config.tokens {
			if token == "" {
				t.Fatalf("%q gives an empty %s", data, name)
			}
		}
	})
}
