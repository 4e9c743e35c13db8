package anthropic

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/glmc/glmc/runtime/serve/body"
	"github.com/glmc/glmc/runtime/service"
	"github.com/glmc/glmc/runtime/text/chat"
)

// Bounds of a request, looked at before anything of that size is made.
const (
	maxStops = 64
	maxStop  = 1024 // bytes of one
	maxName  = 256  // bytes of names and ids
	maxItems = 1024 // of lists that nothing here reads far
)

// decoder reads the fields of a body into what the backend is to do and what the answer has to look like.
type decoder struct {
	*body.Object
	model   service.Model
	request service.Request

	stream  bool
	omitted bool // thinking is not shown, only kept for the next request
}

// message reads a request for a message.
func (d *decoder) message() {
	d.prompt()
	d.sampling()
	d.ending()
	d.stream = d.True("stream")
}

// prompt reads what makes up a prompt.
func (d *decoder) prompt() {
	d.named()
	if !d.model.Chat {
		d.Set(&service.Error{Kind: service.Invalid, Message: "the model has no chat template, so that it has no messages: use /v1/completions"})
		return
	}
	d.conversation()
	d.tools()
	d.thinking()
	d.output()
	d.others()
}

// named looks whether the model is the one that is served. Names of Anthropic's own models mean it as well: agents have
// them built in, for side jobs too, and there is only one model that could be meant.
func (d *decoder) named() {
	name := d.String("model", math.MaxInt)
	switch {
	case name == nil:
		d.Wrong("model", "is missing; %q is served", d.model.Name)
	case *name != d.model.Name && !strings.HasPrefix(*name, "claude-"):
		d.Set(&service.Error{Kind: service.NotFound, Param: "model", Message: fmt.Sprintf("the model %.200q is not served here; %q is", *name, d.model.Name)})
	}
}

func (d *decoder) sampling() {
	s := &d.request.Sampling
	s.Temperature = d.Float("temperature", 0, 2)
	if s.TopP = d.Float("top_p", 0, 1); s.TopP != nil && *s.TopP == 0 {
		d.Wrong("top_p", "is 0; must be above 0")
	}
	if k := d.Int("top_k", 0, math.MaxInt32); k != nil {
		n := int(*k)
		s.TopK = &n
	}
}

// ending reads what ends a message.
func (d *decoder) ending() {
	d.request.Stop = d.Strings("stop_sequences", maxStops, maxStop)
	for _, s := range d.request.Stop {
		if s == "" {
			d.Wrong("stop_sequences", "has an empty string, which every text begins with")
		}
	}
	n := d.Int("max_tokens", 1, math.MaxInt32)
	if n == nil {
		d.Wrong("max_tokens", "is missing")
		return
	}
	// Agents ask for as many as Anthropic's models give, whatever the prompt, and would get no answer at all of a model with fewer
	// positions.
	most := int(*n)
	d.request.MaxTokens, d.request.Fit = &most, true
}

// output reads output_config, and output_format, which it was called before.
func (d *decoder) output() {
	config := d.Object.Object("output_config")
	if config != nil {
		if effort := config.Word("effort", "low", "medium", "high", "xhigh", "max"); effort != "" {
			d.argument("reasoning_effort", effort)
		}
		d.format(config, "format")
	}
	d.format(d.Object, "output_format")
}

func (d *decoder) format(in *body.Object, name string) {
	f := in.Object(name)
	if f == nil {
		return
	}
	if f.Word("type", "json_schema"); !f.Has("type") {
		f.Wrong("type", "is missing; must be json_schema")
	}
	if f.Object("schema") == nil {
		f.Wrong("schema", "is missing")
	}
	d.request.Format = service.Format{Kind: service.FormatSchema, Schema: f.Raw("schema"), Strict: true, Param: f.Path("")}
}

// argument sets an argument of the template.
func (d *decoder) argument(name string, value any) {
	if d.request.Template == nil {
		d.request.Template = map[string]any{}
	}
	d.request.Template[name] = value
}

// others looks at fields that change nothing here, or that ask for what the server does not do.
func (d *decoder) others() {
	if metadata := d.Object.Object("metadata"); metadata != nil {
		metadata.String("user_id", maxItems)
	}
	d.Word("service_tier", "auto", "standard_only")
	if len(d.List("mcp_servers", maxItems)) > 0 {
		d.Wrong("mcp_servers", "is not supported: the server connects to nothing; let the client connect, and give their tools in tools")
	}
	if d.Has("container") {
		d.Wrong("container", "is not supported: the server runs no code")
	}
	if in := d.Object.Object("context_management"); in != nil {
		d.edits(in)
	}
}

// edits reads what is to be left out of the prompt. What thinking is kept is for the template; all else may be left out, and
// is not.
func (d *decoder) edits(in *body.Object) {
	for i, raw := range in.List("edits", maxItems) {
		edit := in.Item("edits", i, raw)
		kind := edit.String("type", maxName)
		if kind == nil || !strings.HasPrefix(*kind, "clear_thinking") {
			continue
		}
		if string(edit.Raw("keep")) == `"all"` {
			d.argument("clear_thinking", false)
		}
	}
}

// input keeps an error of package chat.
func (d *decoder) input(err error) {
	var wrong *chat.InputError
	if errors.As(err, &wrong) {
		d.Set(&service.Error{Kind: service.Invalid, Param: wrong.Path, Message: wrong.Error(), Err: err})
	} else if err != nil {
		d.Fail("", "%v", err)
	}
}
