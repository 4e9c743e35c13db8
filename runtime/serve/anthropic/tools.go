package anthropic

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/glmc/glmc/runtime/serve/body"
	"github.com/glmc/glmc/runtime/service"
	"github.com/glmc/glmc/runtime/text/chat"
)

// function is a tool in the form that templates and parsers know.
type function struct {
	Type     string       `json:"type"`
	Function functionBody `json:"function"`
}

type functionBody struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Parameters  json.RawMessage `json:"parameters"`
	Strict      bool            `json:"strict,omitempty"`
}

// tools reads the tools, and which of them the model has to call.
func (d *decoder) tools() {
	var list []json.RawMessage
	var names []string
	for i, raw := range d.List("tools", chat.MaxTools) {
		in := d.Item("tools", i, raw)
		d.kind(in)
		f := function{Type: "function", Function: functionBody{Strict: in.True("strict")}}
		f.Function.Name = need(in, "name", maxName)
		if s := in.String("description", body.MaxBytes); s != nil {
			f.Function.Description = *s
		}
		if in.Object("input_schema") == nil {
			in.Wrong("input_schema", "is missing")
		}
		f.Function.Parameters = in.Raw("input_schema")
		if d.Err() != nil {
			return
		}
		list, names = append(list, encode(f)), append(names, f.Function.Name)
	}
	if list != nil {
		_, err := chat.ParseTools(encode(list))
		d.input(err)
	}
	d.request.Conversation.Tools = list
	d.choice(names)
}

// kind wants a tool that the client describes and runs.
func (d *decoder) kind(in *body.Object) {
	kind := in.String("type", maxName)
	switch {
	case kind == nil || *kind == "custom":
	case slices.ContainsFunc(clientTools, func(name string) bool { return strings.HasPrefix(*kind, name) }):
		in.Wrong("type", "is %q, a tool whose form only Anthropic's models know: describe one of your own, with name, description and input_schema", *kind)
	default:
		in.Wrong("type", "is %q, a tool that Anthropic's servers run, and this one does not: describe one of your own, with name, description and input_schema", *kind)
	}
}

// clientTools are the beginnings of Anthropic's names for tools that clients run.
var clientTools = []string{"bash_", "text_editor_", "memory_", "computer_", "browser_"}

// need is a string that has to be there.
func need(in *body.Object, name string, longest int) string {
	s := in.String(name, longest)
	if s == nil || *s == "" {
		in.Wrong(name, "is missing")
		return ""
	}
	return *s
}

// encode writes JSON that is known to have a form.
func encode(v any) json.RawMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // the model reads it
	if err := e.Encode(v); err != nil {
		panic("anthropic: a tool has no JSON: " + err.Error()) // strings, and JSON that was read
	}
	return bytes.TrimSpace(b.Bytes())
}

// choice reads tool_choice.
func (d *decoder) choice(names []string) {
	in := d.Object.Object("tool_choice")
	if in == nil {
		return
	}
	choice := &d.request.ToolChoice
	switch in.Word("type", "auto", "any", "tool", "none") {
	case "":
		in.Wrong("type", "is missing; must be auto, any, tool or none")
	case "any":
		choice.Mode = service.ToolRequired
		if len(names) == 0 {
			d.Wrong("tool_choice", "wants a tool to be called, but there are none in tools")
		}
	case "tool":
		choice.Mode, choice.Name = service.ToolNamed, need(in, "name", maxName)
		if !slices.Contains(names, choice.Name) {
			in.Wrong("name", "is %.100q, which is not in tools", choice.Name)
		}
	case "none":
		choice.Mode = service.ToolNone
	}
	if in.True("disable_parallel_tool_use") {
		d.request.ParallelCalls = new(bool)
	}
}
