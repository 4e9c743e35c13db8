package openai

import (
	"strings"

	"github.com/glmc/glmc/runtime/sample"
	"github.com/glmc/glmc/runtime/service"
)

// responseObject is a response, as it comes about and when it is done.
type responseObject struct {
	ID         string             `json:"id"`
	Object     string             `json:"object"`
	CreatedAt  int64              `json:"created_at"`
	Model      string             `json:"model"`
	Status     string             `json:"status"`
	Error      *responseError     `json:"error"`
	Incomplete *incompleteDetails `json:"incomplete_details"`
	Output     []any              `json:"output"`
	Usage      *responseUsage     `json:"usage"`
	settings
}

type responseError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

type incompleteDetails struct {
	Reason string `json:"reason"`
}

type responseUsage struct {
	Input      int           `json:"input_tokens"`
	InputPart  promptDetails `json:"input_tokens_details"`
	Output     int           `json:"output_tokens"`
	OutputPart outputDetails `json:"output_tokens_details"`
	Total      int           `json:"total_tokens"`
}

func newResponseUsage(u service.Usage) *responseUsage {
	all := newUsage(u)
	return &responseUsage{
		Input: all.Prompt, InputPart: all.PromptPart, Output: all.Completion, Total: all.Total,
		OutputPart: outputDetails{Reasoning: u.Reasoning},
	}
}

// Items of an output.
type (
	messageItem struct {
		ID      string     `json:"id"`
		Type    string     `json:"type"`
		Status  string     `json:"status"`
		Role    string     `json:"role"`
		Content []textPart `json:"content"`
	}
	reasoningItem struct {
		ID      string          `json:"id"`
		Type    string          `json:"type"`
		Status  string          `json:"status"`
		Summary []string        `json:"summary"` // always empty: thoughts are given as they are
		Content []reasoningPart `json:"content"`
		Sealed  string          `json:"encrypted_content,omitempty"`
	}
	callItem struct {
		ID        string `json:"id"`
		Type      string `json:"type"`
		Status    string `json:"status"`
		CallID    string `json:"call_id"`
		Name      string `json:"name"`
		Arguments string `json:"arguments"`
	}
	textPart struct {
		Type        string         `json:"type"`
		Text        string         `json:"text"`
		Annotations []string       `json:"annotations"` // always empty
		Logprobs    []tokenLogprob `json:"logprobs"`
	}
	reasoningPart struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}
)

// responseEvent is an event of a stream. Every type has some of the fields.
type responseEvent struct {
	Type     string          `json:"type"`
	Sequence int             `json:"sequence_number"`
	Response *responseObject `json:"response,omitempty"`
	ItemID   string          `json:"item_id,omitempty"`
	Output   *int            `json:"output_index,omitempty"`
	Content  *int            `json:"content_index,omitempty"`
	Item     any             `json:"item,omitempty"`
	Part     any             `json:"part,omitempty"`
	Delta    *string         `json:"delta,omitempty"`
	Text     *string         `json:"text,omitempty"`
	Name     string          `json:"name,omitempty"`
	Args     *string         `json:"arguments,omitempty"`
	Logprobs *[]tokenLogprob `json:"logprobs,omitempty"`
}

// responder makes a response of events, and tells every step of it to emit. A response that is not a stream is made the same way.
type responder struct {
	*api
	answer *responseObject
	form   *form
	emit   func(responseEvent) error
	err    error // of emit, the first

	item     openItem
	ids      []string // of the items of the output
	sequence int
}

// openItem is the item that is being written.
type openItem struct {
	kind     service.EventKind // Reasoning, Text or CallStart; Done: none is open
	id       string
	call     callItem
	text     strings.Builder
	logprobs []tokenLogprob
}

func (a *api) newResponder(d *responseRequest, answer *responseObject, emit func(responseEvent) error) *responder {
	return &responder{api: a, answer: answer, form: &d.answer, emit: emit, item: openItem{kind: service.Done}}
}

func (r *responder) send(e responseEvent) {
	if r.err == nil {
		e.Sequence = r.sequence
		r.sequence++
		r.err = r.emit(e)
	}
}

// begin tells that a response begins, once.
func (r *responder) begin() {
	if r.sequence > 0 {
		return
	}
	r.send(responseEvent{Type: "response.created", Response: r.answer})
	r.send(responseEvent{Type: "response.in_progress", Response: r.answer})
}

// add takes an event of the reply.
func (r *responder) add(e service.Event) error {
	r.begin()
	switch e.Kind {
	case service.Reasoning, service.Text:
		r.text(e)
	case service.CallStart:
		r.close("completed")
		r.open(service.CallStart, "fc_")
		r.item.call = callItem{ID: r.item.id, Type: "function_call", Status: "in_progress", CallID: e.ID, Name: e.Name}
		r.send(r.at("response.output_item.added", responseEvent{Item: r.item.call}))
	case service.CallArgs:
		r.item.text.WriteString(e.Text)
		r.send(r.inItem("response.function_call_arguments.delta", responseEvent{Delta: &e.Text}))
	case service.CallEnd:
		r.close("completed")
	case service.Tokens:
		r.silent(e)
	case service.Done:
		r.silent(e)
		r.finish(e.Finish)
	}
	return r.err
}

// silent adds tokens that gave no text to a message.
func (r *responder) silent(e service.Event) {
	if r.item.kind == service.Text {
		r.item.logprobs = append(r.item.logprobs, r.logprobs(e.Logprobs)...)
	}
}

// text adds text to a message or to thoughts.
func (r *responder) text(e service.Event) {
	if r.item.kind != e.Kind {
		r.close("completed")
		r.beginText(e.Kind)
	}
	r.item.text.WriteString(e.Text)
	if e.Kind == service.Reasoning {
		r.send(r.inPart("response.reasoning_text.delta", responseEvent{Delta: &e.Text}))
		return
	}
	logprobs := r.logprobs(e.Logprobs)
	r.item.logprobs = append(r.item.logprobs, logprobs...)
	r.send(r.inPart("response.output_text.delta", responseEvent{Delta: &e.Text, Logprobs: &logprobs}))
}

func (r *responder) beginText(kind service.EventKind) {
	if kind == service.Reasoning {
		r.open(kind, "rs_")
		r.send(r.at("response.output_item.added", responseEvent{
			Item: reasoningItem{ID: r.item.id, Type: "reasoning", Status: "in_progress", Summary: []string{}, Content: []reasoningPart{}},
		}))
		r.send(r.inPart("response.content_part.added", responseEvent{Part: reasoningPart{Type: "reasoning_text"}}))
		return
	}
	r.open(kind, "msg_")
	r.send(r.at("response.output_item.added", responseEvent{
		Item: messageItem{ID: r.item.id, Type: "message", Status: "in_progress", Role: "assistant", Content: []textPart{}},
	}))
	r.send(r.inPart("response.content_part.added", responseEvent{
		Part: textPart{Type: "output_text", Annotations: []string{}, Logprobs: []tokenLogprob{}},
	}))
}

func (r *responder) open(kind service.EventKind, prefix string) {
	r.item = openItem{kind: kind, id: r.NewID(prefix), logprobs: []tokenLogprob{}}
}

// close ends the item that is open, if one is.
func (r *responder) close(status string) {
	text := r.item.text.String()
	var item any
	switch r.item.kind {
	case service.Reasoning:
		part := reasoningPart{"reasoning_text", text}
		r.send(r.inPart("response.reasoning_text.done", responseEvent{Text: &text}))
		r.send(r.inPart("response.content_part.done", responseEvent{Part: part}))
		thoughts := reasoningItem{ID: r.item.id, Type: "reasoning", Status: status, Summary: []string{}, Content: []reasoningPart{part}}
		if r.form.carried {
			thoughts.Sealed = carry(text)
		}
		item = thoughts
	case service.Text:
		part := textPart{"output_text", text, []string{}, r.item.logprobs}
		r.send(r.inPart("response.output_text.done", responseEvent{Text: &text, Logprobs: &r.item.logprobs}))
		r.send(r.inPart("response.content_part.done", responseEvent{Part: part}))
		item = messageItem{ID: r.item.id, Type: "message", Status: status, Role: "assistant", Content: []textPart{part}}
	case service.CallStart:
		call := r.item.call
		call.Status, call.Arguments = status, text
		r.send(r.inItem("response.function_call_arguments.done", responseEvent{Name: call.Name, Args: &text}))
		item = call
	default:
		return
	}
	r.send(r.at("response.output_item.done", responseEvent{Item: item}))
	r.answer.Output = append(r.answer.Output, item)
	r.ids = append(r.ids, r.item.id)
	r.item = openItem{kind: service.Done}
}

// finish closes what is open, and says how the response ended.
func (r *responder) finish(why service.Finish) {
	r.answer.Status = "completed"
	if why == service.FinishLength {
		r.answer.Status, r.answer.Incomplete = "incomplete", &incompleteDetails{"max_output_tokens"}
	}
	r.close(r.answer.Status)
}

// end tells the response as a whole, and keeps it before: who has it may refer to it at once.
func (r *responder) end(u service.Usage, d *responseRequest) error {
	r.begin()
	r.answer.Usage = newResponseUsage(u)
	r.keep(d)
	r.send(responseEvent{Type: "response." + r.answer.Status, Response: r.answer})
	return r.err
}

// fail tells why there is no more.
func (r *responder) fail(err *service.Error) {
	r.begin()
	code := "server_error"
	if err.Kind == service.Busy {
		code = "rate_limit_exceeded"
	}
	r.answer.Status, r.answer.Error = "failed", &responseError{code, err.Message}
	r.send(responseEvent{Type: "response.failed", Response: r.answer})
}

// at, inItem and inPart say which item, and which part of it, an event is about.
func (r *responder) at(kind string, e responseEvent) responseEvent {
	index := len(r.answer.Output)
	e.Type, e.Output = kind, &index
	return e
}

func (r *responder) inItem(kind string, e responseEvent) responseEvent {
	e.ItemID = r.item.id
	return r.at(kind, e)
}

func (r *responder) inPart(kind string, e responseEvent) responseEvent {
	e.Content = new(int) // there is one
	return r.inItem(kind, e)
}

func (r *responder) logprobs(tokens []sample.Token) []tokenLogprob {
	if !r.form.logprobs {
		return []tokenLogprob{}
	}
	return r.chatLogprobs(tokens, r.form.top).Content
}
