package openai

import (
	"net/http"
	"strings"

	"github.com/glmc/glmc/runtime/serve/body"
	"github.com/glmc/glmc/runtime/serve/route"
)

// maxDetokenize bounds the tokens that are turned into text at once.
const maxDetokenize = 1 << 20

// tokenized is vLLM's answer to POST /tokenize.
type tokenized struct {
	Count   int      `json:"count"`
	Longest int      `json:"max_model_len"`
	Tokens  []int32  `json:"tokens"`
	Strings []string `json:"token_strs"`
}

// tokenize answers POST /tokenize: the tokens of a text, or of the prompt that a conversation becomes.
func (a *api) tokenize(w http.ResponseWriter, r *http.Request, o *body.Object) error {
	d := &decoder{Object: o, model: a.backend.Model()}
	d.named()
	prompt := d.String("prompt", body.MaxBytes)
	switch {
	case prompt != nil && d.Has("messages"):
		d.Wrong("prompt", "and messages exclude each other")
	case prompt != nil:
		d.request.Text = prompt
		if special := d.Bool("add_special_tokens"); special != nil && !*special {
			d.Wrong("add_special_tokens", "is false, but prompts always have the tokens that the model wants in front")
		}
	case d.Has("messages") && !d.model.Chat:
		d.Wrong("messages", "cannot be tokenized: the model has no chat template")
	case d.Has("messages"):
		d.conversation()
	default:
		d.Wrong("prompt", "is missing; a text in prompt or a conversation in messages is needed")
	}
	names := d.True("return_token_strs")
	if err := d.Err(); err != nil {
		return err
	}
	ids, err := a.backend.Tokenize(r.Context(), d.request)
	if err != nil {
		return err
	}
	answer := tokenized{Count: len(ids), Longest: d.model.MaxPositions, Tokens: ids}
	if ids == nil {
		answer.Tokens = []int32{}
	}
	if names {
		answer.Strings = make([]string, len(ids))
		for i, id := range ids {
			answer.Strings[i] = strings.ToValidUTF8(string(a.backend.Token(id)), "\uFFFD")
		}
	}
	route.WriteJSON(w, http.StatusOK, answer)
	return nil
}

// detokenize answers POST /detokenize: the text of tokens.
func (a *api) detokenize(w http.ResponseWriter, _ *http.Request, o *body.Object) error {
	d := &decoder{Object: o, model: a.backend.Model()}
	d.named()
	if !d.Has("tokens") {
		d.Wrong("tokens", "is missing")
	}
	ids := d.Integers("tokens", maxDetokenize, d.model.VocabSize)
	if err := d.Err(); err != nil {
		return err
	}
	text, err := a.backend.Detokenize(ids)
	if err != nil {
		return err
	}
	route.WriteJSON(w, http.StatusOK, struct {
		Prompt string `json:"prompt"`
	}{text})
	return nil
}
