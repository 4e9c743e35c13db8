package reply

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// testTools are what most replies here may call.
var testTools = []json.RawMessage{
	json.RawMessage(`{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {
		"city": {"type": "string"}, "days": {"type": "integer"}, "exact": {"type": "boolean"}, "ratio": {"type": "number"},
		"tags": {"type": "array"}, "at": {"type": "object"}, "unit": {"type": ["string", "null"]},
		"when": {"anyOf": [{"type": "string"}, {"type": "integer"}]}, "any": {}}}}}`),
	json.RawMessage(`{"name": "get_time", "parameters": {"type": "object", "properties": {}}}`),
	json.RawMessage(`{"type": "function", "function": {"name": "bare"}}`),
}

var glm = Options{Format: Format{Calls: GLM47, Thinks: true}, Tools: testTools}

// show writes events as the tables here have them, one a line; neighbours of one kind are one.
func show(events []Event) string {
	var b strings.Builder
	var last Event
	flush := func() {
		switch last.Kind {
		case Reasoning:
			if last.Text != "" {
				fmt.Fprintf(&b, "think %q\n", last.Text)
			}
		case Text:
			fmt.Fprintf(&b, "text %q\n", last.Text)
		case CallStart:
			fmt.Fprintf(&b, "call %d %s\n", last.Call, last.Name)
		case CallArgs:
			fmt.Fprintf(&b, "args %d %s\n", last.Call, last.Text)
		case CallEnd:
			fmt.Fprintf(&b, "end %d\n", last.Call)
		}
	}
	for _, e := range events {
		if e.Kind == last.Kind && e.Call == last.Call && e.Kind != CallStart && e.Kind != CallEnd {
			last.Text += e.Text
			continue
		}
		flush()
		last = e
	}
	flush()
	return b.String()
}

// parse reads a reply in the given pieces.
func parsePieces(o Options, stopped bool, pieces ...string) []Event {
	p := New(o)
	var events []Event
	for _, piece := range pieces {
		events = append(events, p.Write(piece)...)
	}
	return append(events, p.Close(stopped)...)
}

// TestReplies reads replies at once, rune by rune, and cut in two at every place.
func TestReplies(t *testing.T) {
	for _, tt := range replies {
		t.Run(tt.name, func(t *testing.T) {
			o := glm
			if tt.o != nil {
				o = *tt.o
			}
			want := strings.ReplaceAll(strings.TrimLeft(tt.want, "\n"), "\t", "")
			if got := show(parsePieces(o, !tt.cut, tt.reply)); got != want {
				t.Fatalf("(-want +got)\n%s", cmp.Diff(want, got))
			}
			if got := show(parsePieces(o, !tt.cut, strings.Split(tt.reply, "")...)); got != want {
				t.Fatalf("rune by rune (-want +got)\n%s", cmp.Diff(want, got))
			}
			for i := range tt.reply {
				if got := show(parsePieces(o, !tt.cut, tt.reply[:i], tt.reply[i:])); got != want {
					t.Fatalf("cut at %d (-want +got)\n%s", i, cmp.Diff(want, got))
				}
			}
		})
	}
}

func with(start Start) *Options {
	o := glm
	o.Start = start
	return &o
}

var (
	noTools  = &Options{Format: glm.Format}
	noThinks = &Options{Format: Format{Calls: Hermes}, Tools: testTools}
	plain    = &Options{Tools: testTools}
)

var replies = []struct {
	name  string
	o     *Options // nil: glm
	reply string
	cut   bool // by a limit of tokens
	want  string
}{
	// Thinking.
	{name: "empty", want: ``},
	{name: "text alone", reply: "Hello, 世界.\n", want: `
		text "Hello, 世界.\n"
	`},
	{name: "GLM-4.6", reply: "\n<think>I have to look.</think>\nLet me look.\n<tool_call>get_weather\n<arg_key>city</arg_key>\n<arg_value>Oslo</arg_value>\n</tool_call>", want: `
		think "I have to look."
		text "Let me look."
		call 0 get_weather
		args 0 {"city": "Oslo"}
		end 0
	`},
	{name: "GLM-4.7", o: with(StartThinking), reply: "I have to look.</think>Let me look.<tool_call>get_weather<arg_key>city</arg_key><arg_value>Oslo</arg_value></tool_call>", want: `
		think "I have to look."
		text "Let me look."
		call 0 get_weather
		args 0 {"city": "Oslo"}
		end 0
	`},
	{name: "thinking is kept byte for byte", reply: "<think>\n  a\n\n</think>\n\nb", want: `
		think "\n  a\n\n"
		text "b"
	`},
	{name: "no thoughts", reply: "<think></think>content", want: `
		text "content"
	`},
	{name: "no thoughts behind the prompt's tag", o: with(StartThinking), reply: "</think>Plain answer", want: `
		text "Plain answer"
	`},
	{name: "the prompt's tag again", o: with(StartThinking), reply: "\n<think>a</think>b", want: `
		think "a"
		text "b"
	`},
	{name: "white space behind the prompt's tag", o: with(StartThinking), reply: "\n a</think>b", want: `
		think "\n a"
		text "b"
	`},
	{name: "thinking that does not end", o: with(StartThinking), reply: "a <b </thin", cut: true, want: `
		think "a <b </thin"
	`},
	{name: "nothing but white space behind the prompt's tag", o: with(StartThinking), reply: " \n", want: `
		think " \n"
	`},
	{name: "a call ends the thinking", o: with(StartThinking), reply: "Look.\n<tool_call>get_time</tool_call>", want: `
		think "Look.\n"
		call 0 get_time
		args 0 {}
		end 0
	`},
	{name: "the end of thinking comes behind the call", reply: "<think>Look.<tool_call>get_time</tool_call>\n</think>\nDone </think>", want: `
		think "Look."
		call 0 get_time
		args 0 {}
		end 0
		text "Done </think>"
	`},
	{name: "a thought about calls", reply: "<think>A <tool_call> tag would do.</think>a", want: `
		think "A <tool_call> tag would do."
		text "a"
	`},
	{name: "thinking of calls without tools", o: noTools, reply: "<think>a<tool_call>f</tool_call></think>b", want: `
		think "a<tool_call>f</tool_call>"
		text "b"
	`},
	{name: "told not to think", o: with(StartAnswer), reply: "\nPlain  answer", want: `
		text "Plain  answer"
	`},
	{name: "told not to think, ends it again", o: with(StartAnswer), reply: "\n</think>\nPlain", want: `
		text "Plain"
	`},
	{name: "told not to think and does", o: with(StartAnswer), reply: "<think>a</think>b", want: `
		think "a"
		text "b"
	`},
	{name: "only white space behind the end of thinking", o: with(StartAnswer), reply: "\n\n", want: ``},
	{name: "goes on in the middle of the text", o: with(StartText), reply: " world <think>\n<tool_call>get_time</tool_call>", want: `
		text " world <think>"
		call 0 get_time
		args 0 {}
		end 0
	`},
	{name: "a fake tag", reply: "  <thinking is fun", want: `
		text "  <thinking is fun"
	`},
	{name: "a fake end", reply: "<think>a</thought</think>b", want: `
		think "a</thought"
		text "b"
	`},
	{name: "thinking in the middle is text", reply: "a <think>b</think>", want: `
		text "a <think>b</think>"
	`},
	{name: "white space without tags is kept", reply: "  \n  a  \n", want: `
		text "  \n  a  \n"
	`},
	{name: "a model without thinking", o: noThinks, reply: "<think>a</think> b", want: `
		text "<think>a</think> b"
	`},

	// Text and calls.
	{name: "white space around calls", reply: "<think>t</think>a \n\t <tool_call>get_time</tool_call>\n\n <tool_call>bare</tool_call> \n b  c\n", want: `
		think "t"
		text "a"
		call 0 get_time
		args 0 {}
		end 0
		call 1 bare
		args 1 {}
		end 1
		text "b  c\n"
	`},
	{name: "nothing but white space before a call", reply: "  \n  <tool_call>get_time</tool_call>", want: `
		call 0 get_time
		args 0 {}
		end 0
	`},
	{name: "white space that a tag does not follow", reply: "a\n<tool fake", want: `
		text "a\n<tool fake"
	`},
	{name: "a stray end", reply: "a</tool_call>b", want: `
		text "a</tool_call>b"
	`},
	{name: "no tools", o: noTools, reply: "a\n<tool_call>get_time</tool_call>", want: `
		text "a\n<tool_call>get_time</tool_call>"
	`},
	{name: "a model without calls", o: plain, reply: "a\n<tool_call>get_time</tool_call>", want: `
		text "a\n<tool_call>get_time</tool_call>"
	`},
	{name: "a text about calls", reply: "Write <tool_call> and a name, then </tool_call>.", want: `
		text "Write <tool_call> and a name, then </tool_call>."
	`},
	{name: "a long text about calls", reply: "Write <tool_call>" + strings.Repeat("x", 300) + "\n.", want: `
		text "Write <tool_call>` + strings.Repeat("x", 300) + `\n."
	`},
	{name: "a tag and then a call", reply: "<tool_call>a<tool_call>get_time</tool_call>", want: `
		text "<tool_call>a"
		call 0 get_time
		args 0 {}
		end 0
	`},
	{name: "no name", reply: "<tool_call>\n</tool_call>", want: `
		text "<tool_call>\n</tool_call>"
	`},
	{name: "an unknown function", reply: "<tool_call>other<arg_key>a</arg_key><arg_value>1</arg_value><arg_key>b</arg_key><arg_value>x y</arg_value></tool_call>", want: `
		call 0 other
		args 0 {"a": 1, "b": "x y"}
		end 0
	`},
	{name: "white space around the name", reply: "<tool_call>  \n get_time \n  </tool_call>", want: `
		call 0 get_time
		args 0 {}
		end 0
	`},
	{name: "any script", reply: "<tool_call>获取天气\n<arg_key>城市</arg_key>\n<arg_value>北京 🌟</arg_value>\n</tool_call>", want: `
		call 0 获取天气
		args 0 {"城市": "北京 🌟"}
		end 0
	`},

	// Arguments.
	{name: "strings as they stand", reply: "<tool_call>get_weather<arg_key> city </arg_key> <arg_value>\n \"a\"\\n\t<b> & \x01</arg_key></tool_call> 123\n</arg_value></tool_call>", want: `
		call 0 get_weather
		args 0 {"city": "\n \"a\"\\n\t<b> & \u0001</arg_key></tool_call> 123\n"}
		end 0
	`},
	{name: "types", reply: "<tool_call>get_weather<arg_key>city</arg_key><arg_value>123</arg_value><arg_key>days</arg_key><arg_value> 9007199254740993 </arg_value><arg_key>exact</arg_key><arg_value>true</arg_value><arg_key>ratio</arg_key><arg_value>5.50</arg_value>" +
		"<arg_key>tags</arg_key><arg_value>[\"a\", 1]</arg_value><arg_key>at</arg_key><arg_value>{\"x\": {}}</arg_value></tool_call>", want: `
		call 0 get_weather
		args 0 {"city": "123", "days": 9007199254740993, "exact": true, "ratio": 5.50, "tags": ["a", 1], "at": {"x": {}}}
		end 0
	`},
	{name: "not of the type", reply: "<tool_call>get_weather<arg_key>days</arg_key><arg_value>a few</arg_value><arg_key>days</arg_key><arg_value>\"5\"</arg_value><arg_key>days</arg_key><arg_value>true</arg_value><arg_key>exact</arg_key><arg_value>True</arg_value>" +
		"<arg_key>at</arg_key><arg_value>{\"x\"</arg_value><arg_key>tags</arg_key><arg_value>[{\\\"id\\\": \\\"1\\\"}]</arg_value><arg_key>ratio</arg_key><arg_value>NaN</arg_value></tool_call>", want: `
		call 0 get_weather
		args 0 {"days": "a few", "days": 5, "days": true, "exact": true, "at": "{\"x\"", "tags": [{"id": "1"}], "ratio": "NaN"}
		end 0
	`},
	{name: "a string or something else", reply: "<tool_call>get_weather<arg_key>unit</arg_key><arg_value>123</arg_value><arg_key>unit</arg_key><arg_value>null</arg_value><arg_key>unit</arg_key><arg_value>nullify</arg_value><arg_key>when</arg_key><arg_value>7</arg_value><arg_key>when</arg_key><arg_value>7 o'clock</arg_value><arg_key>when</arg_key><arg_value>\"7\"</arg_value></tool_call>", want: `
		call 0 get_weather
		args 0 {"unit": "123", "unit": null, "unit": "nullify", "when": 7, "when": "7 o'clock", "when": "\"7\""}
		end 0
	`},
	{name: "anything", reply: "<tool_call>get_weather<arg_key>any</arg_key><arg_value>\"a\"</arg_value><arg_key>any</arg_key><arg_value>\"a\" b</arg_value><arg_key>any</arg_key><arg_value></arg_value><arg_key>any</arg_key><arg_value>[1]</arg_value><arg_key>any</arg_key><arg_value>" + strings.Repeat("1", 65) + "</arg_value></tool_call>", want: `
		call 0 get_weather
		args 0 {"any": "a", "any": "\"a\" b", "any": "", "any": [1], "any": "` + strings.Repeat("1", 65) + `"}
		end 0
	`},
	{name: "an empty string", reply: "<tool_call>get_weather<arg_key>city</arg_key><arg_value></arg_value></tool_call>", want: `
		call 0 get_weather
		args 0 {"city": ""}
		end 0
	`},
	{name: "a key that does not end", reply: "<tool_call>get_weather\n<arg_key>city\n<arg_value>Oslo</arg_value>\n</tool_call>", want: `
		call 0 get_weather
		args 0 {"city": "Oslo"}
		end 0
	`},
	{name: "keys without values", reply: "<tool_call>get_weather<arg_key>days</arg_key><arg_key>city</arg_key><arg_value>Oslo</arg_value><arg_key>unit</arg_key></tool_call><tool_call>get_weather<arg_key>city</tool_call>", want: `
		call 0 get_weather
		args 0 {"city": "Oslo"}
		end 0
		call 1 get_weather
		args 1 {}
		end 1
	`},
	{name: "a call that does not end before the next", reply: "<tool_call>get_weather<arg_key>city</arg_key><arg_value>Oslo</arg_value>\n<tool_call>get_time</tool_call>", want: `
		call 0 get_weather
		args 0 {"city": "Oslo"}
		end 0
		call 1 get_time
		args 1 {}
		end 1
	`},

	// Ends.
	{name: "the end in a tag", reply: "a\n<tool_ca", cut: true, want: `
		text "a\n<tool_ca"
	`},
	{name: "the end in a name", reply: "a\n<tool_call>get_ti", cut: true, want: `
		text "a\n<tool_call>get_ti"
	`},
	{name: "a name and the end of thinking unseen", o: with(StartThinking), reply: "a\n<tool_call>get_ti", cut: true, want: `
		think "a\n<tool_call>get_ti"
	`},
	{name: "stopped behind a name", reply: "a\n<tool_call>get_time", want: `
		text "a"
		call 0 get_time
		args 0 {}
		end 0
	`},
	{name: "stopped behind an unknown name", reply: "<tool_call>get_ti", want: `
		text "<tool_call>get_ti"
	`},
	{name: "the end behind a name", reply: "<tool_call>get_time\n", cut: true, want: `
		call 0 get_time
		args 0 {
	`},
	{name: "the end in a key", reply: "<tool_call>get_weather<arg_key>ci", cut: true, want: `
		call 0 get_weather
		args 0 {
	`},
	{name: "the end in a string", reply: "<tool_call>get_weather<arg_key>city</arg_key><arg_value>Os</arg_", cut: true, want: `
		call 0 get_weather
		args 0 {"city": "Os</arg_
	`},
	{name: "the end in a number", reply: "<tool_call>get_weather<arg_key>days</arg_key><arg_value>1}", cut: true, want: `
		call 0 get_weather
		args 0 {"days": "1}
	`},
	{name: "the end between arguments", reply: "<tool_call>get_weather<arg_key>city</arg_key><arg_value>Oslo</arg_value>\n</tool", cut: true, want: `
		call 0 get_weather
		args 0 {"city": "Oslo"
	`},
	{name: "stopped between arguments", reply: "<tool_call>get_weather<arg_key>city</arg_key><arg_value>Oslo</arg_value>\n", want: `
		call 0 get_weather
		args 0 {"city": "Oslo"}
		end 0
	`},

	// Calls in JSON.
	{name: "Qwen", o: &Options{Format: Format{Calls: Hermes, Thinks: true}, Tools: testTools}, reply: "<think>\nI look.\n</think>\n\nWait.\n<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": \"a </tool_call> \\\" b\"}}\n</tool_call>\n<tool_call>\n{\"name\": \"get_time\"}\n</tool_call>", want: `
		think "\nI look.\n"
		text "Wait."
		call 0 get_weather
		args 0 {"city": "a </tool_call> \" b"}
		end 0
		call 1 get_time
		args 1 {}
		end 1
	`},
	{name: "arguments in a string", o: noThinks, reply: `<tool_call>{"name": "f", "arguments": "{\"a\": 1}"}</tool_call>`, want: `
		call 0 f
		args 0 {"a": 1}
		end 0
	`},
	{name: "Llama's word", o: noThinks, reply: `<tool_call>{"name": "f", "parameters": {"a": 12345678901234567890}}</tool_call>`, want: `
		call 0 f
		args 0 {"a": 12345678901234567890}
		end 0
	`},
	{name: "no JSON", o: noThinks, reply: "a <tool_call>{\"name\": f}</tool_call> b", want: `
		text "a <tool_call>{\"name\": f}</tool_call> b"
	`},
	{name: "JSON without a name", o: noThinks, reply: `<tool_call> {"arguments": {}}</tool_call>`, want: `
		text "<tool_call> {\"arguments\": {}}</tool_call>"
	`},
	{name: "arguments that are no object", o: noThinks, reply: `<tool_call>{"name": "f", "arguments": [1]}</tool_call>`, want: `
		text "<tool_call>{\"name\": \"f\", \"arguments\": [1]}</tool_call>"
	`},
	{name: "JSON that is cut", o: noThinks, reply: `a <tool_call>{"name": "f", "argum`, cut: true, want: `
		text "a <tool_call>{\"name\": \"f\", \"argum"
	`},
	{name: "JSON without the tag behind it", o: noThinks, reply: `<tool_call>{"name": "f", "arguments": {}}</tool`, want: `
		call 0 f
		args 0 {}
		end 0
	`},
	{name: "JSON without the tag behind it, cut", o: noThinks, reply: `<tool_call>{"name": "f", "arguments": {}}`, cut: true, want: `
		text "<tool_call>{\"name\": \"f\", \"arguments\": {}}"
	`},
}

// TestLongStringsStream wants the parts of a string as they come, not when the string is complete.
func TestLongStringsStream(t *testing.T) {
	p := New(glm)
	p.Write("<tool_call>get_weather<arg_key>city</arg_key><arg_value>")
	for _, piece := range []string{"one ", "\"two\"\n", "three"} {
		want := []Event{{Kind: CallArgs, Text: escape(piece)}}
		if piece == "one " {
			want[0].Text = `"` + want[0].Text
		}
		if diff := cmp.Diff(want, p.Write(piece)); diff != "" {
			t.Errorf("%q (-want +got)\n%s", piece, diff)
		}
	}
}

func TestStartOf(t *testing.T) {
	for prompt, want := range map[string]Start{
		"":                                 StartOpen,
		"<|assistant|>":                    StartOpen,
		"<|assistant|><think>":             StartThinking,
		"<|im_start|>assistant\n<think>\n": StartThinking,
		"<|assistant|></think>":            StartAnswer,
		"<|assistant|>\n<think></think>":   StartAnswer,
		"<think>\n\n</think>\n\n":          StartAnswer,
	} {
		if got := StartOf(prompt); got != want {
			t.Errorf("%q starts %d, want %d", prompt, got, want)
		}
	}
}

// TestApart: where an answer is text or calls, text that has the tags of a call stays text.
func TestApart(t *testing.T) {
	o := glm
	o.Apart = true
	for reply, want := range map[string]string{
		`{"a": "<tool_call>get_time</tool_call>"}`:                   `text "{\"a\": \"<tool_call>get_time</tool_call>\"}"` + "\n",
		`<think>Hm.</think>{"a": "<tool_call>"}` + "\n":              `think "Hm."` + "\n" + `text "{\"a\": \"<tool_call>\"}\n"` + "\n",
		"\n<tool_call>get_time</tool_call>":                          "call 0 get_time\nargs 0 {}\nend 0\n",
		"<tool_call>get_time</tool_call><tool_call>bare</tool_call>": "call 0 get_time\nargs 0 {}\nend 0\ncall 1 bare\nargs 1 {}\nend 1\n",
		"<think>Hm.<tool_call>get_time</tool_call>":                  `think "Hm."` + "\ncall 0 get_time\nargs 0 {}\nend 0\n",
	} {
		if diff := cmp.Diff(want, show(parsePieces(o, true, reply))); diff != "" {
			t.Errorf("%q (-want +got)\n%s", reply, diff)
		}
	}
}
