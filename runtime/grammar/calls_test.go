package grammar

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var someTools = []Tool{
	{Name: "weather", Parameters: []byte(`{"type":"object","properties":{"city":{"type":"string"},"days":{"type":"integer","minimum":1},
		"unit":{"enum":["c","f"]},"note":{"type":["string","null"],"maxLength":5},"tags":{"type":"array","items":{"type":"string"}}},"required":["city","days"]}`)},
	{Name: "now"},
	{Name: "free", Parameters: []byte(`{"type":"object"}`)},
	{Name: "map", Parameters: []byte(`{"type":"object","patternProperties":{"^n_":{"type":"integer"}},"additionalProperties":false}`)},
	{Name: "open", Parameters: []byte(`{"type":"object","properties":{"a":{"type":"boolean"}},"additionalProperties":{"type":"integer"}}`)},
}

func TestCalls(t *testing.T) {
	const city = "<arg_key>city</arg_key><arg_value>Bern</arg_value>"
	const days = "<arg_key>days</arg_key><arg_value>3</arg_value>"
	tests := []struct {
		name      string
		o         CallOptions
		good, bad []string
	}{
		{"4.7", CallOptions{Dialect: GLM47}, []string{
			"<tool_call>now</tool_call>",
			"<tool_call>weather" + city + days + "</tool_call>",
			"<tool_call>weather" + city + days + "</tool_call><tool_call>now</tool_call>",
			"<tool_call>weather" + city + days + "</tool_call>\n<tool_call>now</tool_call>",
			"<tool_call>weather<arg_key>city</arg_key><arg_value>\"St. <Gallen\"\n</arg></arg_value>" + days + "</tool_call>",
			"<tool_call>weather" + city + days + "<arg_key>unit</arg_key><arg_value>c</arg_value></tool_call>",
			"<tool_call>weather" + city + days + "<arg_key>note</arg_key><arg_value>null</arg_value></tool_call>",
			"<tool_call>weather" + city + days + "<arg_key>note</arg_key><arg_value>none!</arg_value></tool_call>",
			"<tool_call>weather" + city + days + "<arg_key>tags</arg_key><arg_value>[\"</b>\", \"\"]</arg_value></tool_call>",
			"<tool_call>free</tool_call>",
			"<tool_call>map<arg_key>n_a</arg_key><arg_value>1</arg_value></tool_call>",
			"<tool_call>free<arg_key>a b</arg_key><arg_value>{</arg_value><arg_key>c</arg_key><arg_value>1</arg_value></tool_call>",
			"<tool_call>open<arg_key>a</arg_key><arg_value>true</arg_value><arg_key>ab</arg_key><arg_value>12</arg_value></tool_call>",
		}, []string{
			"", "text", "<tool_call>later</tool_call>", "<tool_call>nowt</tool_call>", "<tool_call>now\n</tool_call>",
			"<tool_call>weather</tool_call>",
			"<tool_call>weather" + city + "</tool_call>",
			"<tool_call>weather" + days + city + "</tool_call>",
			"<tool_call>weather" + city + "<arg_key>days</arg_key><arg_value>0</arg_value></tool_call>",
			"<tool_call>weather" + city + "<arg_key>days</arg_key><arg_value>\"3\"</arg_value></tool_call>",
			"<tool_call>weather" + city + days + "<arg_key>unit</arg_key><arg_value>k</arg_value></tool_call>",
			"<tool_call>weather" + city + days + "<arg_key>note</arg_key><arg_value>longer</arg_value></tool_call>",
			"<tool_call>weather" + city + days + "<arg_key>tags</arg_key><arg_value>[\"</arg_value>\"]</arg_value></tool_call>",
			"<tool_call>weather" + city + days + "<arg_key>other</arg_key><arg_value>1</arg_value></tool_call>",
			"<tool_call>map<arg_key>n_a</arg_key><arg_value>x</arg_value></tool_call>",
			"<tool_call>map<arg_key>a</arg_key><arg_value>1</arg_value></tool_call>",
			"<tool_call>now<arg_key>a</arg_key><arg_value>1</arg_value></tool_call>",
			"<tool_call>open<arg_key>b</arg_key><arg_value>true</arg_value></tool_call>",
			"<tool_call>open<arg_key>ab</arg_key><arg_value>1</arg_value><arg_key>a</arg_key><arg_value>true</arg_value></tool_call>",
		}},
		{"4.5", CallOptions{Dialect: GLM45, Single: true, Options: Options{Newlines: true}}, []string{
			"\n<tool_call>now\n</tool_call>", "<tool_call>now</tool_call>",
			"\n<tool_call>weather\n<arg_key>city</arg_key>\n<arg_value>Bern</arg_value>\n" + days + "\n</tool_call>",
		}, []string{"\n<tool_call>now\n</tool_call>\n<tool_call>now\n</tool_call>", "\n<tool_call>now\n\n</tool_call>"}},
		{"thinking", CallOptions{Dialect: GLM47, Options: Options{Thinking: Started}}, []string{
			"Hm, <i>now</i>.</think><tool_call>now</tool_call>", "</think><tool_call>now</tool_call>",
		}, []string{"<tool_call>now</tool_call>", "Hm <tool_call></think><tool_call>now</tool_call>", "</think>"}},
		{"may think", CallOptions{Dialect: GLM45, Options: Options{Thinking: MayThink, Newlines: true}}, []string{
			"\n<think>é</think>\n<tool_call>now\n</tool_call>", "\n<tool_call>now\n</tool_call>",
		}, []string{"\n<think>\n<tool_call>now\n</tool_call>"}},
		{"optional", CallOptions{Dialect: GLM47, Optional: true}, []string{
			"", "No, <b>thanks</b>.", "Yes: <tool_call>now</tool_call>", "<tool_call>now</tool_call><tool_call>now</tool_call>",
		}, []string{"Yes <tool_call>", "<tool_call>now</tool_call> Done."}},
		{"or a form", CallOptions{Dialect: GLM45, Optional: true, Form: JSONForm(), Options: Options{Thinking: MayThink, Newlines: true}}, []string{
			"{}", "\n{\"a\": \"<tool_call>now\"}", "\n<tool_call>now\n</tool_call>", "<tool_call>now</tool_call>\n<tool_call>now</tool_call>",
			"\n<think>Hm.</think>\n{\"a\": 1}", "\n<think>Hm.</think>\n<tool_call>now\n</tool_call>",
		}, []string{"", "Yes.", "{}\n<tool_call>now\n</tool_call>", "<tool_call>now</tool_call>{}", "[]"}},
		{"hermes", CallOptions{Dialect: Hermes}, []string{
			"<tool_call>\n{\"name\": \"now\", \"arguments\": {}}\n</tool_call>",
			`<tool_call>{"name":"weather","arguments":{"city":"Bern","days":3}}</tool_call>`,
		}, []string{`<tool_call>{"name":"now","arguments":[]}</tool_call>`, `<tool_call>{"name":"weather","arguments":{"city":"Bern"}}</tool_call>`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			g, err := Calls(byteVocabulary(), someTools, test.o)
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range test.good {
				if n, done := refusal(g, text); n < len(text) || !done {
					t.Errorf("%q is refused behind %q (done: %v)", text, text[:n], done)
				}
			}
			for _, text := range test.bad {
				if accepts(g, text) {
					t.Errorf("%q is taken", text)
				}
			}
		})
	}
}

// Tags may be tokens of their own or spelled, but are never text.
func TestCallsAsTokens(t *testing.T) {
	v := byteVocabulary()
	tag := func(text string) int32 {
		for id, b := range v.tokens {
			if len(b) == 2 && b[0] == markupByte && b[1] == v.markup[text] {
				return int32(id)
			}
		}
		panic(text)
	}
	g, err := Calls(v, someTools, CallOptions{Dialect: GLM47})
	if err != nil {
		t.Fatal(err)
	}
	s := g.Start()
	accept := func(ids ...int32) {
		t.Helper()
		for _, id := range ids {
			if !has(s.Mask(), id) {
				t.Fatalf("token %d (%q) is not allowed", id, v.tokens[id])
			}
			if err := s.Accept(id); err != nil {
				t.Fatal(err)
			}
		}
	}
	if has(s.Mask(), markupByte) {
		t.Error("a tag can be made of the bytes that stand for its token")
	}
	accept(tag("<tool_call>"), 'f', 'r', 'e', 'e', tag("<arg_key>"), 'k', tag("</arg_key>"), tag("<arg_value>"), 'v', '<')
	for text := range v.markup {
		if got, want := has(s.Mask(), tag(text)), text == "</arg_value>"; got != want {
			t.Errorf("%s in a value: %v", text, got)
		}
	}
	accept(tag("</arg_value>"))
	if s.Done() {
		t.Error("done within a call")
	}
	accept(tag("</tool_call>"))
	if !s.Done() {
		t.Error("not done behind a call")
	}
	accept(int32(v.Size() - 1))
	if has(s.Mask(), 'a') || s.Accept('a') == nil {
		t.Error("something comes behind a stop token")
	}
	s.Rollback(3)
	accept('y')
}

func TestReadTools(t *testing.T) {
	tools, err := ReadTools([]json.RawMessage{
		[]byte(`{"type":"function","function":{"name":"a","parameters":{"type":"object"},"strict":true}}`),
		[]byte(`{"name":"b","parameters":null}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []Tool{{Name: "a", Parameters: []byte(`{"type":"object"}`), Strict: true}, {Name: "b"}}
	if diff := cmp.Diff(want, tools); diff != "" {
		t.Error(diff)
	}
	if _, err := ReadTools([]json.RawMessage{[]byte(`[]`)}); err == nil {
		t.Error("a tool that is an array is taken")
	}
}

func TestStrictTools(t *testing.T) {
	schema := []byte(`{"type":"object","properties":{"a":{"type":"string","pattern":"(?=x)y"},"b":{"type":"object","minProperties":3},"c":{"type":"number","multipleOf":0.0012345},
		"d":{"type":"object","patternProperties":{"(?=x)":{}},"additionalProperties":false}}}`)
	if _, err := Calls(byteVocabulary(), []Tool{{Name: "x", Parameters: schema}}, CallOptions{}); err != nil {
		t.Errorf("not strict: %v", err)
	}
	_, err := Calls(byteVocabulary(), []Tool{{Name: "y"}, {Name: "x", Parameters: schema, Strict: true}}, CallOptions{})
	var e *Error
	if !errors.As(err, &e) || e.Path != "/1/properties/a/pattern" {
		t.Errorf("strict: %v", err)
	}
}
