package service

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/glmc/glmc/runtime/engine"
	"github.com/glmc/glmc/runtime/sample"
)

// Bounds of a request that have no natural ones. Those who translate requests may have narrower ones.
const (
	MaxChoices = 128
	MaxBias    = 4096 // tokens
)

// Start implements Backend.
func (s *Service) Start(ctx context.Context, r Request) (Generation, error) {
	if err := s.check(&r); err != nil {
		return nil, err
	}
	if err := s.loop.Ready(); err != nil { // tokens and forms would be made for nothing
		return nil, fault(err)
	}
	p, err := s.prompt(ctx, &r, s.counted())
	if err != nil {
		return nil, err
	}
	if r.MaxTokens, err = s.room(&r, len(p.ids)); err != nil {
		return nil, err
	}
	grammar, err := s.grammar(&r, p)
	if err != nil {
		return nil, err
	}
	return s.generate(ctx, &r, p, grammar)
}

// Count implements Backend.
func (s *Service) Count(ctx context.Context, r Request) (int, error) {
	ids, err := s.Tokenize(ctx, r)
	return len(ids), err
}

// Tokenize implements Backend.
func (s *Service) Tokenize(ctx context.Context, r Request) ([]int32, error) {
	p, err := s.prompt(ctx, &r, math.MaxInt)
	return p.ids, err
}

// Detokenize implements Backend.
func (s *Service) Detokenize(ids []int32) (string, error) {
	if s.tokenizer == nil {
		return "", invalid("tokens", "the model is served without a tokenizer")
	}
	if err := s.checkTokens("tokens", ids); err != nil {
		return "", err
	}
	return s.tokenizer.Decode(ids, false), nil
}

// Token implements Backend.
func (s *Service) Token(id int32) []byte {
	if s.tokenizer == nil {
		return nil
	}
	return []byte(s.tokenizer.Bytes(id))
}

// check refuses what no model could do.
func (s *Service) check(r *Request) error {
	switch {
	case r.Choices < 0 || r.Choices > MaxChoices:
		return invalid("n", "n is %d: wants 1 to %d", r.Choices, MaxChoices)
	case r.MaxTokens != nil && *r.MaxTokens < 0:
		return invalid("max_tokens", "max_tokens is %d: wants a number from 0 on", *r.MaxTokens)
	case r.MinTokens < 0:
		return invalid("min_tokens", "min_tokens is %d: wants a number from 0 on", r.MinTokens)
	case r.MaxTokens != nil && r.MinTokens > *r.MaxTokens:
		return invalid("min_tokens", "min_tokens is %d, more than max_tokens, %d", r.MinTokens, *r.MaxTokens)
	case r.Alternatives < 0 || r.Alternatives > sample.MaxAlternatives:
		return invalid("top_logprobs", "top_logprobs is %d: wants 0 to %d", r.Alternatives, sample.MaxAlternatives)
	case len(r.Sampling.Bias) > MaxBias:
		return invalid("logit_bias", "logit_bias has %d tokens: wants %d at most", len(r.Sampling.Bias), MaxBias)
	case s.tokenizer == nil && len(r.Stop) > 0:
		return invalid("stop", "the model is served without a tokenizer: name stop tokens in stop_token_ids")
	}
	if most := s.loop.Most(); most > 0 && r.Choices > most {
		return invalid("n", "n is %d: the server takes %d sequences at a time, those that wait included", r.Choices, most)
	}
	for id := range r.Sampling.Bias {
		if err := s.checkTokens("logit_bias", []int32{id}); err != nil {
			return err
		}
	}
	return s.checkTokens("stop_token_ids", r.StopIDs)
}

// room is how many tokens a reply may have.
func (s *Service) room(r *Request, prompt int) (*int, error) {
	most := s.model.MaxPositions
	switch left := most - prompt; {
	case prompt == 0:
		return nil, invalid("prompt", "the prompt is empty: the model needs at least one token to begin with")
	case left < 0 || left == 0 && (r.MaxTokens == nil || *r.MaxTokens > 0):
		return nil, tooLong("the prompt has %d tokens, but prompt and reply together may have %d: shorten the prompt", prompt, most)
	case r.MaxTokens == nil || r.Fit && *r.MaxTokens > left:
		return &left, nil
	case *r.MaxTokens > left:
		return nil, tooLong("the prompt has %d tokens and the reply may have %d, but together they may have %d: shorten the prompt or lower max_tokens", prompt, *r.MaxTokens, most)
	}
	return r.MaxTokens, nil
}

// params are a request's, and where it says nothing the model's.
func (s *Service) params(r *Request) (sample.Params, error) {
	d := s.model.Defaults
	p := sample.Params{
		Temperature: first(1, r.Sampling.Temperature, d.Temperature),
		TopP:        first(1, r.Sampling.TopP, d.TopP),
		MinP:        first(0, r.Sampling.MinP, d.MinP),
		TopK:        first(0, r.Sampling.TopK, d.TopK),
		Presence:    first(0, r.Sampling.Presence, d.Presence),
		Frequency:   first(0, r.Sampling.Frequency, d.Frequency),
		Repetition:  first(1, r.Sampling.Repetition, d.Repetition),
		Bias:        r.Sampling.Bias,
		Logprobs:    r.Logprobs, Alternatives: r.Alternatives,
	}
	if r.Sampling.Seed != nil {
		p.Seed = *r.Sampling.Seed
	} else {
		p.Seed = rand.Uint64()
	}
	if p.TopK < 0 { // as vLLM has it: all
		p.TopK = 0
	}
	if err := p.Check(); err != nil {
		return p, &Error{Kind: Invalid, Message: err.Error(), Err: err}
	}
	return p, nil
}

// first is the first value that is there, else def.
func first[T any](def T, values ...*T) T {
	for _, v := range values {
		if v != nil {
			return *v
		}
	}
	return def
}

// stops are the ids that end a reply. One whose form is enforced ends when it is complete: behind that, nothing but these may come.
func (s *Service) stops(r *Request, formed bool) []int32 {
	if r.IgnoreEOS && !formed {
		return r.StopIDs
	}
	return slices.Concat(s.stop, r.StopIDs)
}

// requests are the engine's, one for each choice.
func (s *Service) requests(r *Request, p prompt, stops []int32) ([]engine.Request, error) {
	params, err := s.params(r)
	if err != nil {
		return nil, err
	}
	out := make([]engine.Request, max(r.Choices, 1))
	for i := range out {
		q := engine.Request{ID: r.ID, Prompt: p.ids, MaxTokens: *r.MaxTokens, MinTokens: r.MinTokens, Sampling: params, Stop: stops,
			Priority: r.Priority, Salt: r.Salt}
		q.Sampling.Seed += uint64(i)
		out[i] = q
	}
	return out, nil
}
