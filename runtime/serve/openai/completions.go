package openai

import (
	"net/http"

	"github.com/glmc/glmc/runtime/jsonparts"
	"github.com/glmc/glmc/runtime/serve/body"
	"github.com/glmc/glmc/runtime/service"
)

// defaultTokens is how long a text completion is where the request does not say, as OpenAI has it.
const defaultTokens = 16

// textRequest is a request for completions of one or several prompts.
type textRequest struct {
	decoder
	prompts []service.Request // one each
	echoes  []string          // the prompts' text, if it is to be repeated
}

// completions answers POST /v1/completions.
func (a *api) completions(w http.ResponseWriter, r *http.Request, o *body.Object) error {
	t := &textRequest{decoder: decoder{Object: o, model: a.backend.Model(), none: true}}
	t.read()
	if err := t.Err(); err != nil {
		return err
	}
	h := a.head(r, &t.decoder, "cmpl-")
	h.Object = "text_completion"
	if err := a.split(t); err != nil {
		return err
	}
	generations, err := a.start(r.Context(), t.prompts)
	if err != nil {
		return err
	}
	if t.answer.stream {
		return a.streamText(w, r, t, h, generations)
	}
	return a.batchText(w, r, t, h, generations)
}

// read reads the fields.
func (t *textRequest) read() {
	echo := t.True("echo")
	t.common()
	t.unstored()
	t.formats("response_format", t.Object.Object("response_format"))
	if t.request.MaxTokens == nil {
		n := max(defaultTokens, t.request.MinTokens)
		t.request.MaxTokens = &n
	}
	if suffix := t.String("suffix", body.MaxBytes); suffix != nil && *suffix != "" {
		t.Wrong("suffix", "is not supported: the model does not fill gaps")
	}
	if n := t.Int("best_of", 1, maxChoices); n != nil && *n != 1 {
		t.Wrong("best_of", "is %d; only 1 is supported", *n)
	}
	if n := t.Int("logprobs", 0, maxTop); n != nil {
		t.answer.logprobs, t.answer.top = true, int(*n)
		t.request.PromptLogprobs = t.request.PromptLogprobs || echo
	}
	t.wantLogprobs()
	t.prompt()
	if choices := len(t.prompts) * max(1, t.request.Choices); choices > maxChoices {
		t.Wrong("n", "and prompt ask for %d choices; at most %d are allowed", choices, maxChoices)
	}
	if echo {
		t.echoes = make([]string, len(t.prompts))
	}
}

// prompt reads the prompts: a text, texts, tokens, or lists of tokens.
func (t *textRequest) prompt() {
	raw := t.Raw("prompt")
	switch {
	case raw == nil:
		t.Wrong("prompt", "is missing")
		return
	case jsonparts.Kind(raw) == "a string":
		t.prompts = []service.Request{{Text: t.String("prompt", body.MaxBytes)}}
		return
	case jsonparts.Kind(raw) != "an array":
		t.Wrong("prompt", "must be a string or an array, not %s", jsonparts.Kind(raw))
		return
	}
	switch jsonparts.Kind(raw[1:]) { // of the first item
	case "a number":
		if ids := t.Integers("prompt", t.model.MaxPositions, t.model.VocabSize); len(ids) > 0 {
			t.prompts = []service.Request{{Tokens: ids}}
			return
		}
	case "an array":
		for i, item := range t.List("prompt", maxChoices) {
			t.prompts = append(t.prompts, service.Request{Tokens: t.IntegerItem("prompt", i, item, t.model.MaxPositions, t.model.VocabSize)})
		}
	default:
		for _, text := range t.Strings("prompt", maxChoices, body.MaxBytes) {
			t.prompts = append(t.prompts, service.Request{Text: &text})
		}
	}
	if len(t.prompts) == 0 {
		t.Wrong("prompt", "is empty; at least one prompt is needed")
	}
	for _, p := range t.prompts {
		if p.Text == nil && len(p.Tokens) == 0 {
			t.Wrong("prompt", "has a list without tokens")
		}
	}
}

// split makes a request of each prompt, and finds the texts to repeat.
func (a *api) split(t *textRequest) error {
	for i, p := range t.prompts {
		r := t.request
		r.Text, r.Tokens = p.Text, p.Tokens
		t.prompts[i] = r
		if t.echoes == nil {
			continue
		}
		if p.Text != nil {
			t.echoes[i] = *p.Text
			continue
		}
		text, err := a.backend.Detokenize(p.Tokens)
		if err != nil {
			return err
		}
		t.echoes[i] = text
	}
	return nil
}
