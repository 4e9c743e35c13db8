package openai

import (
	"encoding/base64"
	"strings"

	"github.com/glmc/glmc/runtime/serve/body"
	"github.com/glmc/glmc/runtime/text/chat"
)

// reasoning says where a reply's thinking goes.
type reasoning uint8

const (
	separate reasoning = iota // reasoning_content
	joined                    // into the content, between <think> and </think>: SGLang's separate_reasoning false
	hidden                    // nowhere: vLLM's include_reasoning false
)

// efforts are the words of reasoning_effort. What each but none means is the template's.
var efforts = []string{"none", "minimal", "low", "medium", "high", "xhigh", "max"}

// thinking reads whether the model is to think, which every engine has another field for, and what is done with it.
func (d *decoder) thinking() {
	kwargs, err := chat.ParseKwargs(d.Raw("chat_template_kwargs"))
	d.wrongInput(err)
	if think, ok := kwargs["enable_thinking"].(bool); ok {
		delete(kwargs, "enable_thinking")
		d.think("chat_template_kwargs.enable_thinking", &think)
	}
	d.request.Template = kwargs
	d.think("enable_thinking", d.Bool("enable_thinking"))
	if in := d.Object.Object("thinking"); in != nil {
		d.zaiThinking(in)
	}
	d.effort(d.Object, "reasoning_effort")
	if separated := d.Bool("separate_reasoning"); separated != nil && !*separated {
		d.answer.reasoning = joined
	}
	if include := d.Bool("include_reasoning"); include != nil && !*include {
		d.answer.reasoning = hidden
	}
}

// think sets whether to think. Two fields that say different things are a mistake, and guessing which one was meant is another.
func (d *decoder) think(name string, value *bool) {
	if value == nil {
		return
	}
	if before := d.request.Thinking; before != nil && *before != *value {
		d.Wrong(name, "contradicts another field about thinking")
		return
	}
	d.request.Thinking = value
}

// zaiThinking reads {"type": "enabled" or "disabled", "clear_thinking": true or false}.
func (d *decoder) zaiThinking(in *body.Object) {
	if !in.Has("type") {
		in.Wrong("type", "is missing; must be enabled or disabled")
	}
	on := in.Word("type", "enabled", "disabled") == "enabled"
	d.think("thinking", &on)
	if clear := in.Bool("clear_thinking"); clear != nil {
		d.argument("clear_thinking", *clear)
	}
}

// effort reads reasoning_effort, which responses have in an object.
func (d *decoder) effort(in *body.Object, name string) {
	switch word := in.Word(name, efforts...); word {
	case "":
	case "none":
		off := false
		d.think(in.Path(name), &off)
	default:
		d.argument("reasoning_effort", word)
	}
}

// argument sets an argument of the template, unless the request set it itself.
func (d *decoder) argument(name string, value any) {
	if d.request.Template == nil {
		d.request.Template = map[string]any{}
	}
	if _, ok := d.request.Template[name]; !ok {
		d.request.Template[name] = value
	}
}

// carriedPrefix begins what reasoning.encrypted_content has here. Clients that keep nothing ask for it, to send it back: it carries the
// thinking, which is no secret, in a form that they do not look into.
const carriedPrefix = "glmc-text-"

func carry(thinking string) string {
	return carriedPrefix + base64.StdEncoding.EncodeToString([]byte(thinking))
}

// carried is the thinking that was carried so, "" if it is somebody else's.
func carried(sealed string) string {
	text, ok := strings.CutPrefix(sealed, carriedPrefix)
	if !ok {
		return ""
	}
	thinking, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return ""
	}
	return strings.ToValidUTF8(string(thinking), "\uFFFD")
}
