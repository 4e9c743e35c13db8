package openai

import (
	"net/http"

	"github.com/glmc/glmc/runtime/serve/route"
)

// chatCompletion is the answer that is not a stream.
type chatCompletion struct {
	head
	Choices        []chatChoice               `json:"choices"`
	Usage          usage                      `json:"usage"`
	ServiceTier    string                     `json:"service_tier,omitempty"`
	PromptLogprobs []map[string]promptLogprob `json:"prompt_logprobs,omitempty"`
	PromptTokenIDs []int32                    `json:"prompt_token_ids,omitempty"`
}

type chatChoice struct {
	Index    int           `json:"index"`
	Message  chatMessage   `json:"message"`
	Logprobs *chatLogprobs `json:"logprobs"`
	Finish   string        `json:"finish_reason"`
	Stop     string        `json:"stop_reason,omitempty"` // vLLM's: the stop string that ended it
	TokenIDs []int32       `json:"token_ids,omitempty"`
}

type chatMessage struct {
	Role      string  `json:"role"`
	Content   *string `json:"content"`
	Refusal   *string `json:"refusal"`
	Reasoning *string `json:"reasoning_content,omitempty"`
	Calls     []call  `json:"tool_calls,omitempty"`
}

// batchChat answers in one piece.
func (a *api) batchChat(w http.ResponseWriter, r *http.Request, d *decoder, h head) error {
	g, err := a.backend.Start(r.Context(), d.request)
	if err != nil {
		return err
	}
	replies, err := collect(r.Context(), g, max(1, d.request.Choices), d.answer.reasoning)
	if err != nil {
		return err
	}
	h.Object = "chat.completion"
	answer := chatCompletion{head: h, Usage: newUsage(g.Usage())}
	for i, reply := range replies {
		answer.Choices = append(answer.Choices, a.chatChoice(i, reply, &d.answer))
	}
	if d.answer.promptLogprobs >= 0 {
		answer.PromptLogprobs = a.promptLogprobs(g.Prompt(), d.answer.promptLogprobs)
	}
	if d.answer.tokenIDs {
		if answer.PromptTokenIDs, err = a.backend.Tokenize(r.Context(), d.request); err != nil {
			return err
		}
	}
	route.WriteJSON(w, http.StatusOK, answer)
	return nil
}

// chatChoice is a reply that ended. Its content is null where there are tool calls and nothing else.
func (a *api) chatChoice(index int, r *reply, f *form) chatChoice {
	c := chatChoice{Index: index, Finish: string(r.finish), Stop: r.stop}
	c.Message = chatMessage{Role: "assistant", Calls: r.whole()}
	if text := f.echo + r.content.String(); text != "" || len(c.Message.Calls) == 0 {
		c.Message.Content = &text
	}
	if thoughts := r.reasoning.String(); thoughts != "" {
		c.Message.Reasoning = &thoughts
	}
	if f.logprobs {
		c.Logprobs = a.chatLogprobs(r.tokens, f.top)
	}
	if f.tokenIDs {
		c.TokenIDs = tokenIDs(r.tokens)
	}
	return c
}
