package openai

import (
	"net/http"

	"github.com/glmc/glmc/runtime/serve/route"
	"github.com/glmc/glmc/runtime/service"
)

// textCompletion is an answer, and a chunk of one.
type textCompletion struct {
	head
	Choices []textChoice `json:"choices"`
	Usage   any          `json:"usage,omitempty"` // a nil *usage is null, for chunks before the usage's
}

type textChoice struct {
	Index          int                        `json:"index"`
	Text           string                     `json:"text"`
	Logprobs       *textLogprobs              `json:"logprobs"`
	Finish         *string                    `json:"finish_reason"`
	Stop           string                     `json:"stop_reason,omitempty"`
	PromptLogprobs []map[string]promptLogprob `json:"prompt_logprobs,omitempty"`
	PromptTokenIDs []int32                    `json:"prompt_token_ids,omitempty"`
	TokenIDs       []int32                    `json:"token_ids,omitempty"`
}

// batchText answers in one piece.
func (a *api) batchText(w http.ResponseWriter, r *http.Request, t *textRequest, h head, generations []service.Generation) error {
	defer closeAll(generations)
	s := a.newTextStream(t, h)
	var total []service.Usage
	answer := textCompletion{head: h}
	for i, g := range generations {
		replies, err := collect(r.Context(), g, s.each, joined)
		if err != nil {
			return err
		}
		for j, reply := range replies {
			index := i*s.each + j
			c := s.beginning(index, g.Prompt())
			finish := string(reply.finish)
			c.Text += reply.content.String()
			c.Finish, c.Stop = &finish, reply.stop
			s.tokens(&c, reply.tokens)
			if c.PromptTokenIDs, err = a.promptTokens(r, t, i); err != nil {
				return err
			}
			if t.answer.promptLogprobs >= 0 {
				c.PromptLogprobs = a.promptLogprobs(g.Prompt(), t.answer.promptLogprobs)
			}
			answer.Choices = append(answer.Choices, c)
		}
		total = append(total, g.Usage())
	}
	answer.Usage = newUsage(total...)
	route.WriteJSON(w, http.StatusOK, answer)
	return nil
}

// promptTokens are the ids of a prompt, if they are wanted.
func (a *api) promptTokens(r *http.Request, t *textRequest, i int) ([]int32, error) {
	if !t.answer.tokenIDs {
		return nil, nil
	}
	return a.backend.Tokenize(r.Context(), t.prompts[i])
}
