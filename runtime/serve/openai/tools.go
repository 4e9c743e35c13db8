package openai

import (
	"encoding/json"
	"slices"

	"github.com/glmc/glmc/runtime/jsonparts"
	"github.com/glmc/glmc/runtime/serve/body"
	"github.com/glmc/glmc/runtime/service"
	"github.com/glmc/glmc/runtime/text/chat"
)

// tools reads the functions that the model may call, and which ones it has to.
func (d *decoder) tools() {
	list, err := chat.ParseTools(d.Raw("tools"))
	d.wrongInput(err)
	d.request.ParallelCalls = d.Bool("parallel_tool_calls")
	d.choose(list)
}

// choose reads tool_choice, and sets the tools that are left.
func (d *decoder) choose(list []json.RawMessage) {
	if len(list) == 0 {
		list = nil // templates tell an empty list from none, and would announce tools
	}
	names := make([]string, len(list))
	for i, tool := range list {
		names[i] = toolName(tool)
	}
	choice := &d.request.ToolChoice
	switch raw := d.Raw("tool_choice"); {
	case raw == nil:
	case jsonparts.Kind(raw) == "a string":
		choice.Mode = toolMode(d.Object, "tool_choice", "none", "auto", "required")
	default:
		if in := d.Object.Object("tool_choice"); in != nil {
			names, list = d.chooseNamed(in, names, list)
		}
	}
	if choice.Mode == service.ToolRequired && len(list) == 0 {
		d.Wrong("tool_choice", "wants a tool to be called, but there are none in tools")
	}
	if choice.Mode == service.ToolNamed && !slices.Contains(names, choice.Name) {
		d.Wrong("tool_choice", "names the function %.100q, which is not in tools", choice.Name)
	}
	if d.request.Conversation != nil {
		d.request.Conversation.Tools = list
	}
}

// chooseNamed reads a tool_choice that names tools. Tools that are not allowed are not shown to the model.
func (d *decoder) chooseNamed(in *body.Object, names []string, list []json.RawMessage) ([]string, []json.RawMessage) {
	choice := &d.request.ToolChoice
	switch in.Word("type", "function", "allowed_tools") {
	case "function":
		function := in // of responses, whose functions are flat
		if in.Has("function") {
			function = in.Object("function")
		}
		name := function.String("name", maxName)
		if name == nil {
			function.Wrong("name", "is missing")
			return names, list
		}
		choice.Mode, choice.Name = service.ToolNamed, *name
	case "allowed_tools":
		if in.Has("allowed_tools") {
			in = in.Object("allowed_tools")
		}
		choice.Mode = toolMode(in, "mode", "auto", "required")
		return allowed(in, names, list)
	default:
		in.Wrong("type", "is missing; must be function or allowed_tools")
	}
	return names, list
}

// allowed are the tools that a list names.
func allowed(in *body.Object, names []string, list []json.RawMessage) ([]string, []json.RawMessage) {
	var wanted []string
	for i, raw := range in.List("tools", chat.MaxTools) {
		item := in.Item("tools", i, raw)
		if item.Has("function") {
			item = item.Object("function")
		}
		if item.Err() != nil {
			return names, list
		}
		name := item.String("name", maxName)
		if name == nil || !slices.Contains(names, *name) {
			item.Wrong("name", "is no function in tools")
			return names, list
		}
		wanted = append(wanted, *name)
	}
	if len(wanted) == 0 {
		in.Wrong("tools", "is empty; at least one tool is needed")
	}
	var keptNames []string
	var kept []json.RawMessage
	for i, name := range names {
		if slices.Contains(wanted, name) {
			keptNames, kept = append(keptNames, name), append(kept, list[i])
		}
	}
	return keptNames, kept
}

func toolMode(in *body.Object, name string, words ...string) service.ToolMode {
	switch in.Word(name, words...) {
	case "none":
		return service.ToolNone
	case "required":
		return service.ToolRequired
	}
	return service.ToolAuto
}

// toolName is the name of a tool that chat.ParseTools has read: in its function, or in itself. Of equal keys the last one counts,
// as it does in templates.
func toolName(tool json.RawMessage) string {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(tool, &fields); err != nil {
		return ""
	}
	if function, ok := fields["function"]; ok {
		return toolName(function)
	}
	var name string
	_ = json.Unmarshal(fields["name"], &name) // it is a string, or the tool was refused
	return name
}
