package openai

import (
	"net/http"

	"github.com/glmc/glmc/runtime/serve/body"
	"github.com/glmc/glmc/runtime/serve/route"
	"github.com/glmc/glmc/runtime/service"
	"github.com/glmc/glmc/runtime/text/chat"
)

// chat answers POST /v1/chat/completions.
func (a *api) chat(w http.ResponseWriter, r *http.Request, o *body.Object) error {
	d := &decoder{Object: o, model: a.backend.Model()}
	d.chat()
	if err := d.Err(); err != nil {
		return err
	}
	h := a.head(r, d, "chatcmpl-")
	if d.answer.stream {
		return a.streamChat(w, r, d, h)
	}
	return a.batchChat(w, r, d, h)
}

// chat reads a request for a chat completion.
func (d *decoder) chat() {
	if !d.model.Chat {
		d.Set(&service.Error{Kind: service.Invalid, Message: "the model has no chat template: use /v1/completions"})
		return
	}
	d.common()
	d.conversation()
	d.formats("response_format", d.Object.Object("response_format"))
	d.chatLogprobs()
	d.modalities()
	d.unstored()
}

// conversation reads what the prompt is made of.
func (d *decoder) conversation() {
	d.messages()
	d.tools()
	d.thinking()
	d.continuation()
}

// messages reads the conversation.
func (d *decoder) messages() {
	d.request.Conversation = &chat.Conversation{}
	if !d.Has("messages") {
		d.Wrong("messages", "is missing")
		return
	}
	messages, err := chat.ParseMessages(d.Raw("messages"), true)
	d.wrongInput(err)
	d.request.Conversation.Messages = messages
}

// continuation reads whether the reply goes on where the last message ends.
func (d *decoder) continuation() {
	d.request.Continue = d.True("continue_final_message")
	prompt := d.Bool("add_generation_prompt")
	switch {
	case d.request.Continue && prompt != nil && *prompt:
		d.Wrong("continue_final_message", "and add_generation_prompt exclude each other")
	case !d.request.Continue && prompt != nil && !*prompt:
		d.Wrong("add_generation_prompt", "is false, which only continue_final_message allows")
	}
	messages := d.request.Conversation.Messages
	if len(messages) == 0 {
		return
	}
	last := messages[len(messages)-1]
	if d.request.Continue && last.Role != chat.RoleAssistant {
		d.Wrong("continue_final_message", "wants the last message to be the assistant's, not of the role %s", last.Role)
	}
	if d.True("echo") && last.Role == chat.RoleAssistant {
		d.answer.echo = last.Content
	}
}

func (d *decoder) chatLogprobs() {
	d.answer.logprobs = d.True("logprobs")
	if n := d.Int("top_logprobs", 0, maxTop); n != nil {
		d.answer.top = int(*n)
		if !d.answer.logprobs && *n > 0 {
			d.Wrong("top_logprobs", "is only allowed with logprobs")
		}
	}
	d.wantLogprobs()
}

// wantLogprobs asks the backend for what the answer shows.
func (d *decoder) wantLogprobs() {
	d.request.Logprobs = d.answer.logprobs || d.answer.tokenIDs || d.answer.promptLogprobs > 0 // which need not be asked for beside
	d.request.Alternatives = max(d.answer.top, d.answer.promptLogprobs)
}

// modalities checks what else newer clients ask for.
func (d *decoder) modalities() {
	for _, kind := range d.Strings("modalities", 8, maxName) {
		if kind != "text" {
			d.Wrong("modalities", "has %.40q; the model gives text", kind)
		}
	}
	d.Word("verbosity", "low", "medium", "high") // how long answers are is for the prompt to say
	d.Object.Object("prediction")                // a hint of what comes; drafts are the engine's own
}

// head is what all parts of an answer have in common.
type head struct {
	ID          string `json:"id"`
	Object      string `json:"object"`
	Created     int64  `json:"created"`
	Model       string `json:"model"`
	Fingerprint string `json:"system_fingerprint,omitempty"`
}

// head makes it, and gives the request its id.
func (a *api) head(r *http.Request, d *decoder, prefix string) head {
	h := head{ID: a.NewID(prefix), Created: a.Now().Unix(), Model: d.model.Name, Fingerprint: a.Fingerprint}
	d.request.ID = route.RequestID(r.Context())
	if d.request.ID == "" {
		d.request.ID = h.ID
	}
	return h
}
