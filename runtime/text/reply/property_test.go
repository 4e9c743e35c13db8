package reply

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/glmc/glmc/runtime/text/chat"
)

// fragments are what random replies are made of: tags, parts of tags, and texts.
var fragments = []string{
	thinkOpen, thinkClose, callOpen, callClose, keyOpen, keyClose, valueOpen, valueClose,
	"<", "<th", "</", "<tool_call", ">", "\n", "  ", "\"", "\\", "{", "}", "[1]", "null", "tr", "-1", "é", "世",
	"get_weather", "get_time", "other", "city", "days", "unit", "any", "when", "some words",
	`{"name": "get_time", "arguments": {"a": "`, `"}}`,
}

func drawOptions(t *rapid.T) Options {
	o := Options{
		Format: Format{
			Calls:  rapid.SampledFrom([]Calls{NoCalls, GLM45, GLM47, Hermes}).Draw(t, "calls"),
			Thinks: rapid.Bool().Draw(t, "thinks"),
		},
		Start: Start(rapid.IntRange(0, 3).Draw(t, "start")),
	}
	if rapid.IntRange(0, 4).Draw(t, "tools") > 0 {
		o.Tools = testTools
	}
	o.Apart = rapid.IntRange(0, 3).Draw(t, "apart") == 0
	return o
}

// TestAnyCutting: the events do not depend on how a reply is cut, and a call that ended has a JSON object of arguments,
// one that did not has none.
func TestAnyCutting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := drawOptions(t)
		reply := strings.Join(rapid.SliceOfN(rapid.SampledFrom(fragments), 0, 40).Draw(t, "reply"), "")
		stopped := rapid.Bool().Draw(t, "stopped")
		var pieces []string
		for rest := reply; rest != ""; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "cut")
			for n < len(rest) && !utf8.RuneStart(rest[n]) {
				n++
			}
			pieces, rest = append(pieces, rest[:n]), rest[n:]
		}
		checkReply(t, o, stopped, reply, pieces)
	})
}

type fataler interface {
	Fatalf(format string, args ...any)
	Helper()
}

func checkReply(t fataler, o Options, stopped bool, reply string, pieces []string) {
	t.Helper()
	whole := parsePieces(o, stopped, reply)
	want := show(whole)
	if got := show(parsePieces(o, stopped, pieces...)); got != want {
		t.Fatalf("%q in pieces %q (-whole +pieces)\n%s", reply, pieces, cmp.Diff(want, got))
	}
	args, calls, open := "", 0, false
	for _, e := range whole {
		switch e.Kind {
		case CallStart:
			if e.Call != calls || e.Name == "" || open && !unfinished(args) {
				t.Fatalf("%q: call %d %q starts when there were %d\n%s", reply, e.Call, e.Name, calls, want)
			}
			args, open = "", true
			calls++
		case CallArgs:
			args += e.Text
		case CallEnd:
			var object map[string]any
			if err := json.Unmarshal([]byte(args), &object); err != nil || !open || e.Call != calls-1 {
				t.Fatalf("%q: call %d ends with the arguments %q: %v", reply, e.Call, args, err)
			}
			open = false
		}
	}
	if open && !unfinished(args) {
		t.Fatalf("%q: an unfinished call has the arguments %q", reply, args)
	}
	if !utf8.ValidString(want) {
		t.Fatalf("%q gives invalid text", reply)
	}
}

func unfinished(args string) bool { return args != "" && !json.Valid([]byte(args)) }

// TestNothingIsLost: without tags, a reply is its text; with them, every word of thinking and of text is there.
func TestNothingIsLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := drawOptions(t)
		o.Start = StartOpen
		reply := rapid.StringMatching(`[a-z<>/ \n_]*`).Draw(t, "reply")
		for _, tag := range []string{thinkOpen, thinkClose, callOpen} {
			reply = strings.ReplaceAll(reply, tag, "")
		}
		want := ""
		if reply != "" {
			want = show([]Event{{Kind: Text, Text: reply}})
		}
		if got := show(parsePieces(o, true, reply)); got != want {
			t.Fatalf("%q gives\n%s", reply, got)
		}
	})
}

// TestTemplatesAndBack renders replies by chat templates and reads what they rendered.
func TestTemplatesAndBack(t *testing.T) {
	for name, calls := range templates {
		t.Run(name, func(t *testing.T) {
			template := readTemplate(t, name)
			format := Detect(template)
			if want := (Format{Calls: calls, Thinks: true}); format != want {
				t.Fatalf("the format is %+v, want %+v", format, want)
			}
			rapid.Check(t, func(t *rapid.T) { checkTemplate(t, template, format) })
		})
	}
}

// templates are those of runtime/text/chat's tests, of the small model, and those of other families here.
var templates = map[string]Calls{"glm-4.6": GLM45, "glm-4.7": GLM47, "tiny": GLM45, "qwen3": Hermes}

func readTemplate(t *testing.T, name string) *chat.Template {
	t.Helper()
	path := filepath.Join("../chat/testdata/templates", name+".jinja")
	switch name {
	case "tiny":
		path = "../../../models/tiny/chat_template.jinja"
	case "qwen3", "llama3":
		path = filepath.Join("testdata", name+".jinja")
	}
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	template, err := chat.New(string(source), nil)
	if err != nil {
		t.Fatal(err)
	}
	return template
}

// words are text without tags that does not begin or end in white space.
var words = rapid.StringMatching(`([a-zé"\\{<&][a-z \n"\\]{0,8}[a-z>}])?`)

func checkTemplate(t *rapid.T, template *chat.Template, format Format) {
	thinking := words.Draw(t, "thinking")
	message := chat.Message{Role: chat.RoleAssistant, Content: words.Draw(t, "content"), ReasoningContent: &thinking}
	var want []Event
	want = append(want, Event{Kind: Reasoning, Text: thinking})
	if message.Content != "" {
		want = append(want, Event{Kind: Text, Text: message.Content})
	}
	n := rapid.IntRange(0, 3).Draw(t, "calls")
	for i := range n {
		city, tags := words.Draw(t, "city"), rapid.SliceOf(words).Draw(t, "tags")
		days := rapid.Int64().Draw(t, "days")
		args, err := json.Marshal(map[string]any{"city": city, "days": days, "tags": tags, "unit": city})
		if err != nil {
			t.Fatal(err)
		}
		message.ToolCalls = append(message.ToolCalls, chat.ToolCall{Name: "get_weather", Arguments: args})
		want = append(want, Event{Kind: CallStart, Call: i, Name: "get_weather"}, Event{Kind: CallArgs, Call: i, Text: string(args)}, Event{Kind: CallEnd, Call: i})
	}
	conv := chat.Conversation{Messages: []chat.Message{{Role: chat.RoleUser, Content: "q"}}, Tools: testTools[:1]}
	prompt, err := template.Render(conv, chat.Options{AddGenerationPrompt: true})
	if err != nil {
		t.Fatal(err)
	}
	conv.Messages = append(conv.Messages, message)
	whole, err := template.Render(conv, chat.Options{})
	if err != nil {
		t.Fatal(err)
	}
	start := StartOf(prompt)
	reply, ok := strings.CutPrefix(whole, prompt)
	if !ok { // GLM-4.7 renders a turn without thoughts as if it had been told not to think
		reply, ok = strings.CutPrefix(whole, strings.TrimSuffix(prompt, thinkOpen)+thinkClose)
		start = StartAnswer
	}
	if !ok {
		t.Fatalf("%q does not begin with %q", whole, prompt)
	}
	reply = strings.TrimSuffix(reply, "<|im_end|>\n")
	got := parsePieces(Options{Format: format, Start: start, Tools: testTools}, true, reply)
	if diff := cmp.Diff(show(canonical(t, want)), show(canonical(t, got))); diff != "" {
		t.Fatalf("%q (-want +got)\n%s", reply, diff)
	}
}

// canonical writes arguments in one way, and thinking without the line breaks that templates put around it.
func canonical(t *rapid.T, events []Event) []Event {
	var out []Event
	for _, e := range events {
		switch e.Kind {
		case CallArgs:
			var args map[string]json.RawMessage
			if err := json.Unmarshal([]byte(e.Text), &args); err != nil {
				t.Fatalf("arguments %q: %v", e.Text, err)
			}
			for key, value := range args {
				var v any
				d := json.NewDecoder(strings.NewReader(string(value)))
				d.UseNumber()
				if err := d.Decode(&v); err != nil {
					t.Fatal(err)
				}
				args[key], _ = json.Marshal(v)
			}
			text, err := json.Marshal(args)
			if err != nil {
				t.Fatal(err)
			}
			e.Text = string(text)
		case Reasoning:
			e.Text = strings.Trim(e.Text, "\n")
		}
		out = append(out, e)
	}
	return out
}

// TestDetect looks at templates that have no thinking or no known calls.
func TestDetect(t *testing.T) {
	if got := Detect(readTemplate(t, "llama3")); got != (Format{}) {
		t.Errorf("Llama's format is %+v", got)
	}
	template, err := chat.New(`{{ raise_exception('no tools') if tools }}{% for m in messages %}{{ m.content }}{% endfor %}<think>`, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := Detect(template), (Format{Thinks: true}); got != want {
		t.Errorf("the format of a template that refuses tools is %+v, want %+v", got, want)
	}
}

// FuzzReply reads any text in any pieces.
func FuzzReply(f *testing.F) {
	for _, tt := range replies {
		f.Add(tt.reply, uint8(3), uint8(0), !tt.cut)
	}
	f.Fuzz(func(t *testing.T, reply string, size, kind uint8, stopped bool) {
		if !utf8.ValidString(reply) {
			return
		}
		o := Options{Format: Format{Calls: Calls(kind & 3), Thinks: kind&4 != 0}, Start: Start(kind >> 3 % 4), Tools: testTools}
		var pieces []string
		for rest := reply; rest != ""; {
			n := min(len(rest), int(size)+1)
			for n < len(rest) && !utf8.RuneStart(rest[n]) {
				n++
			}
			pieces, rest = append(pieces, rest[:n]), rest[n:]
		}
		checkReply(t, o, stopped, reply, pieces)
	})
}

// FuzzSchema types arguments by any schema.
func FuzzSchema(f *testing.F) {
	for _, s := range []string{
		`{"properties": {"a": {"type": "string"}}}`, `{"properties": {"a": {"$ref": "#/properties/a"}}}`, `{"$ref": "#"}`,
		`{"anyOf": [{"$ref": "#"}, {"$ref": "#"}]}`, `{"properties": {"a": {"enum": [1, null]}}}`, `[]`, `{"properties": 1}`,
	} {
		f.Add(s, "1")
	}
	f.Fuzz(func(t *testing.T, schema, value string) {
		if !utf8.ValidString(value) {
			return
		}
		o := Options{Format: Format{Calls: GLM47}, Tools: []json.RawMessage{json.RawMessage(`{"name": "f", "parameters": ` + schema + `}`)}}
		reply := "<tool_call>f<arg_key>a</arg_key><arg_value>" + value + "</arg_value></tool_call>"
		checkReply(t, o, true, reply, strings.Split(reply, ""))
	})
}
