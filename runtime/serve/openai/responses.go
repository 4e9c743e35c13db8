package openai

import (
	"encoding/json"
	"math"
	"net/http"

	"github.com/glmc/glmc/runtime/serve/body"
	"github.com/glmc/glmc/runtime/serve/route"
	"github.com/glmc/glmc/runtime/service"
	"github.com/glmc/glmc/runtime/text/chat"
)

// responseRequest is a request for a response.
type responseRequest struct {
	decoder
	kept     *kept
	tenant   string
	previous string            // id of the response that it follows
	items    []json.RawMessage // of its own input
	store    bool              // the response is kept
}

// responses answers POST /v1/responses.
func (a *api) responses(w http.ResponseWriter, r *http.Request, o *body.Object) error {
	d := a.responseRequest(r, o)
	echo := d.read()
	if err := d.Err(); err != nil {
		return err
	}
	h := a.head(r, &d.decoder, "resp_")
	answer := &responseObject{ID: h.ID, Object: "response", CreatedAt: h.Created, Model: h.Model, Status: "in_progress", settings: echo, Output: []any{}}
	if d.answer.stream {
		return a.streamResponse(w, r, d, answer)
	}
	return a.batchResponse(w, r, d, answer)
}

func (a *api) responseRequest(r *http.Request, o *body.Object) *responseRequest {
	return &responseRequest{decoder: decoder{Object: o, model: a.backend.Model()}, kept: a.kept, tenant: route.Tenant(r.Context())}
}

// settings are what a response repeats of its request.
type settings struct {
	Instructions *string         `json:"instructions"`
	MaxOutput    *int            `json:"max_output_tokens"`
	Metadata     json.RawMessage `json:"metadata"`
	Parallel     bool            `json:"parallel_tool_calls"`
	Previous     *string         `json:"previous_response_id"`
	Reasoning    effortObject    `json:"reasoning"`
	Store        bool            `json:"store"`
	Background   bool            `json:"background"`
	Temperature  float64         `json:"temperature"`
	Text         textObject      `json:"text"`
	ToolChoice   json.RawMessage `json:"tool_choice"`
	Tools        json.RawMessage `json:"tools"`
	TopLogprobs  int             `json:"top_logprobs"`
	TopP         float64         `json:"top_p"`
	Truncation   string          `json:"truncation"`
}

type effortObject struct {
	Effort  *string `json:"effort"`
	Summary *string `json:"summary"`
}

type textObject struct {
	Format json.RawMessage `json:"format"`
}

// read reads the fields.
func (d *responseRequest) read() settings {
	if !d.model.Chat {
		d.Set(&service.Error{Kind: service.Invalid, Message: "the model has no chat template: use /v1/completions"})
		return settings{}
	}
	d.common()
	d.states()
	if n := d.count("max_output_tokens", 1); n != nil {
		d.request.MaxTokens = n
	}
	messages := d.input()
	instructions := d.String("instructions", body.MaxBytes)
	if instructions != nil && *instructions != "" {
		messages = append([]chat.Message{{Role: chat.RoleSystem, Content: *instructions}}, messages...)
	}
	d.request.Conversation = &chat.Conversation{Messages: messages}
	d.flatTools()
	d.thinking()
	if in := d.Object.Object("text"); in != nil {
		d.formats("text.format", in.Object("format"))
		in.Word("verbosity", "low", "medium", "high")
	} else {
		d.formats("", nil)
	}
	var effort *string
	if in := d.Object.Object("reasoning"); in != nil {
		d.effort(in, "effort")
		effort = in.String("effort", maxName)
	}
	d.includes()
	return d.settings(instructions, effort)
}

// states reads what a request has to do with others. Conversations and templates would have to be kept for good, and are not.
func (d *responseRequest) states() {
	for _, name := range []string{"conversation", "prompt"} {
		if d.Has(name) {
			d.Wrong(name, "is not supported: send the whole conversation in input, or say which response it follows in previous_response_id")
		}
	}
	if d.True("background") {
		d.Wrong("background", "is not supported: responses are made while their clients wait")
	}
	if d.Word("truncation", "auto", "disabled") == "auto" {
		d.Wrong("truncation", "is auto, but conversations are never cut: send a shorter one")
	}
	if d.request.Choices > 1 {
		d.Wrong("n", "is not supported: a response is one")
	}
	d.count("max_tool_calls", 1) // of tools that OpenAI runs; there are none here
	store := d.Bool("store")
	if d.store = d.kept.most > 0 && (store == nil || *store); store != nil && *store && !d.store {
		d.Wrong("store", "is true, but this server keeps no responses: leave it out or say false")
	}
	if id := d.String("previous_response_id", maxName); id != nil {
		d.previous = *id
	}
}

// flatTools reads tools, whose functions are not in an object of their own here.
func (d *responseRequest) flatTools() {
	var list []json.RawMessage
	for i, raw := range d.List("tools", chat.MaxTools) {
		item := d.Item("tools", i, raw)
		if kind := item.String("type", maxName); kind == nil || *kind != "function" {
			item.Wrong("type", "must be function: the server runs no tools of its own")
		}
		function := map[string]json.RawMessage{}
		for _, name := range []string{"name", "description", "parameters", "strict"} {
			if value := item.Raw(name); value != nil {
				function[name] = value
			}
		}
		tool, err := json.Marshal(map[string]any{"type": "function", "function": function})
		if err != nil {
			item.Wrong("", "cannot be read: %v", err)
			return
		}
		list = append(list, tool)
	}
	if d.Err() != nil {
		return
	}
	nested, err := json.Marshal(list)
	if err == nil {
		list, err = chat.ParseTools(nested)
	}
	d.wrongInput(err)
	d.request.ParallelCalls = d.Bool("parallel_tool_calls")
	d.choose(list)
}

// includes reads what the answer is to have besides.
func (d *responseRequest) includes() {
	for _, what := range d.Strings("include", 64, maxName) {
		switch what {
		case "message.output_text.logprobs":
			d.answer.logprobs = true
		case "reasoning.encrypted_content":
			d.answer.carried = true
		}
	}
	if n := d.Int("top_logprobs", 0, maxTop); n != nil && *n > 0 {
		d.answer.logprobs, d.answer.top = true, int(*n)
	}
	d.wantLogprobs()
}

// settings are what the answer repeats.
func (d *responseRequest) settings(instructions, effort *string) settings {
	or := func(name, otherwise string) json.RawMessage {
		if raw := d.Raw(name); raw != nil {
			return raw
		}
		return json.RawMessage(otherwise)
	}
	s := settings{
		Instructions: instructions, MaxOutput: d.request.MaxTokens, Metadata: or("metadata", "{}"),
		Parallel: d.request.ParallelCalls == nil || *d.request.ParallelCalls, Reasoning: effortObject{Effort: effort},
		Temperature: number(1, d.model.Defaults.Temperature, d.request.Sampling.Temperature),
		Text:        textObject{json.RawMessage(`{"type":"text"}`)},
		ToolChoice:  or("tool_choice", `"auto"`), Tools: or("tools", "[]"), TopLogprobs: d.answer.top,
		Store: d.store, TopP: number(1, d.model.Defaults.TopP, d.request.Sampling.TopP), Truncation: "disabled",
	}
	if d.previous != "" {
		s.Previous = &d.previous
	}
	if in := d.Object.Object("text"); in != nil && in.Has("format") {
		s.Text.Format = in.Raw("format")
	}
	return s
}

// number is the last of some numbers that is there.
func number(otherwise float64, values ...*float64) float64 {
	for _, v := range values {
		if v != nil && !math.IsNaN(*v) {
			otherwise = *v
		}
	}
	return otherwise
}
