// Package sample picks tokens from logits.
//
// A pick takes these steps, in this order. They, and what each one means, are those of vLLM's engine (vllm/v1/sample/sampler.py, whose
// documentation lists them, and the files of its ops and logits_processor), so that parameters found good there give the same text here:
//
//  1. The log probabilities that are reported are those of the logits as the model gave them.
//  2. Bias is added to logits.
//  3. Penalties: repetition (Keskar et al., CTRL, 2019) over prompt and output, then frequency and presence, as OpenAI defines them, over the
//     output alone.
//  4. Tokens that the mask does not allow are out. vLLM takes them out first; the order does not matter, as nothing before looks at other tokens.
//  5. Greedy picking ends here, with the highest logit, the lowest id of equal ones.
//  6. Logits are divided by the temperature.
//  7. min_p (Nguyen et al., 2024) keeps tokens with at least that share of the highest probability; top_k keeps that many of them, ties by rising
//     id, where vLLM keeps all that tie with the last; top_p (Holtzman et al., The curious case of neural text degeneration, 2019) keeps
//     the fewest that hold that much of the probability that is left.
//  8. One number between 0 and 1, which depends on the seed and the token's place in the output and on nothing else, picks one of
//     those left by their probabilities, the most probable first.
//
// Arithmetic on logits is float32, on probabilities float64. Logits that are not finite belong to tokens that are never picked.
package sample

import (
	"errors"
	"math"
)

// Errors of a pick.
var (
	// ErrNotFinite says that the logits hold no number that could be picked.
	ErrNotFinite = errors.New("the model's logits are not finite: damaged weights, or a precision that overflows")
	// ErrMasked says that the mask allows no token that has a finite logit.
	ErrMasked = errors.New("no token may come next: the mask allows none that the model knows")
)

// Sampler picks the tokens of one sequence. It is not safe for concurrent use; several of them are.
type Sampler struct {
	params   Params
	position int // of the output: how many tokens were accepted
	changes  changes
}

// New returns a sampler for the output behind a prompt. The parameters must have been checked; the prompt is not kept.
func New(p Params, prompt []int32) *Sampler {
	s := &Sampler{params: p}
	s.changes.start(&s.params, prompt)
	return s
}

// Accept makes a token the next one of the output: it counts for penalties, and the next pick is that of the next position. It need
// not be what was picked.
func (s *Sampler) Accept(id int32) {
	s.position++
	if s.params.penalises() {
		s.changes.output(id)
	}
}

// Pick returns the next token for one row of logits [vocabulary]. Bit id%64 of word id/64 of the mask says that the token may come
// next; tokens beyond the mask may not; without a mask any may. Pick changes nothing: until Accept it gives the same token again. Its
// errors are ErrNotFinite and ErrMasked.
func (s *Sampler) Pick(logits []float32, mask []uint64) (Token, error) {
	var t Token
	err := s.PickInto(&t, logits, mask)
	return t, err
}

// PickInto is Pick with the memory of the token's alternatives, where it has any.
func (s *Sampler) PickInto(t *Token, logits []float32, mask []uint64) error {
	*t = Token{Top: t.Top[:0]}
	if s.params.greedy() && !s.params.Logprobs && mask == nil && len(s.changes.tokens) == 0 {
		best := Argmax(logits)
		t.ID = max(best, 0)
		return pickable(best, logits)
	}
	w := takeWorkspace()
	defer w.giveBack()
	r := &w.row
	r.begin(logits, mask)
	s.changes.apply(r)
	best, high := w.scan(r)
	if best < 0 {
		return pickable(best, logits)
	}
	t.ID = best
	if !s.params.greedy() {
		t.ID = s.draw(w, r, high)
	}
	if s.params.Logprobs {
		w.score(t, r, s.params.Alternatives)
	}
	return nil
}

// Best returns the token that is picked where nothing is left to chance: the highest logit behind bias, penalties and mask, the first of equal
// ones; -1 where there is none. It is what to guess that Pick gives for a row like this one.
func (s *Sampler) Best(logits []float32, mask []uint64) int32 {
	if mask == nil && len(s.changes.tokens) == 0 {
		return Argmax(logits)
	}
	w := takeWorkspace()
	defer w.giveBack()
	w.row.begin(logits, mask)
	s.changes.apply(&w.row)
	best, _ := w.scan(&w.row)
	return best
}

// Score says what the model thought of a token that was not picked: one of the prompt. Its log probability, which is -Inf where the
// logit is not finite, its rank, and alternatives are given whether or not the parameters ask for the former. The error is ErrNotFinite.
func (s *Sampler) Score(logits []float32, id int32) (Token, error) {
	w := takeWorkspace()
	defer w.giveBack()
	w.row.begin(logits, nil)
	best, _ := w.scan(&w.row)
	t := Token{ID: id}
	if best >= 0 {
		w.score(&t, &w.row, s.params.Alternatives)
		t.Rank = rankOf(logits, id)
	}
	return t, pickable(best, logits)
}

// pickable is the error of a row in which a token, or none, was found.
func pickable(id int32, logits []float32) error {
	switch {
	case id >= 0:
		return nil
	case Argmax(logits) >= 0:
		return ErrMasked
	}
	return ErrNotFinite
}

// Argmax returns the index of the largest logit, the first of equal ones; -1 where none is a finite number.
func Argmax(logits []float32) int32 {
	best, high := int32(-1), negInf
	for i, v := range logits {
		if v > high && v <= math.MaxFloat32 { // false for NaN; once behind the first few, the first condition decides
			best, high = int32(i), v
		}
	}
	return best
}
