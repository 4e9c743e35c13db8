package openai

import "github.com/glmc/glmc/runtime/service"

// usage counts tokens as chat and text completions tell them.
type usage struct {
	Prompt     int           `json:"prompt_tokens"`
	Completion int           `json:"completion_tokens"`
	Total      int           `json:"total_tokens"`
	PromptPart promptDetails `json:"prompt_tokens_details"`
	OutputPart outputDetails `json:"completion_tokens_details"`
}

type promptDetails struct {
	Cached int `json:"cached_tokens"`
}

type outputDetails struct {
	Reasoning int  `json:"reasoning_tokens"`
	Accepted  *int `json:"accepted_prediction_tokens,omitempty"`
	Rejected  *int `json:"rejected_prediction_tokens,omitempty"`
}

// newUsage adds up what generations used. Drafts are told of where there were any.
func newUsage(parts ...service.Usage) usage {
	var sum service.Usage
	for _, u := range parts {
		sum.Prompt += u.Prompt
		sum.Cached += u.Cached
		sum.Output += u.Output
		sum.Reasoning += u.Reasoning
		sum.Drafted += u.Drafted
		sum.Accepted += u.Accepted
	}
	out := usage{
		Prompt: sum.Prompt, Completion: sum.Output, Total: sum.Prompt + sum.Output,
		PromptPart: promptDetails{sum.Cached}, OutputPart: outputDetails{Reasoning: sum.Reasoning},
	}
	if sum.Drafted > 0 {
		rejected := sum.Drafted - sum.Accepted
		out.OutputPart.Accepted, out.OutputPart.Rejected = &sum.Accepted, &rejected
	}
	return out
}
