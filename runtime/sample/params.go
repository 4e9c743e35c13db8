package sample

import (
	"fmt"
	"math"
)

// Params say how tokens are picked. The zero value is greedy. Where 0 would be a value that nobody wants, it stands for the one
// that changes nothing.
type Params struct {
	Temperature float64 // logits are divided by it; below 1e-5: greedy
	TopP        float64 // keep the fewest tokens that hold this much probability; 0 or 1: all
	MinP        float64 // keep tokens that are at least so many times as probable as the most probable one; 0: all
	TopK        int     // keep this many tokens; 0: all

	Presence   float64 // taken from the logit of every token that the output holds
	Frequency  float64 // taken from the logit of a token for each time that the output holds it
	Repetition float64 // divides positive logits of tokens that prompt or output hold, and multiplies negative ones; 0 or 1: none
	// Bias is added to the logits of tokens. Tokens that the vocabulary has not are passed over.
	Bias map[int32]float32

	Seed uint64 // the same seed gives the same tokens

	Logprobs     bool // tokens come with their log probability
	Alternatives int  // and with so many of the most probable ones
}

// Limits of parameters. Those of penalties, biases and alternatives are the ones of OpenAI's interface.
const (
	MaxPenalty      = 2   // of presence and frequency, in either direction
	MaxBias         = 100 // in either direction
	MaxAlternatives = 20
)

// greedyBelow is the temperature under which picking is greedy, as in vLLM: quotients of logits by less than this overflow float32.
const greedyBelow = 1e-5

// Check says which parameter is out of range, by its name in OpenAI's and vLLM's interfaces.
func (p Params) Check() error {
	switch {
	case !(p.Temperature >= 0) || math.IsInf(p.Temperature, 0):
		return fmt.Errorf("temperature is %g: wants a number from 0 (greedy) on", p.Temperature)
	case !(p.TopP >= 0 && p.TopP <= 1):
		return fmt.Errorf("top_p is %g: wants a number from 0 to 1", p.TopP)
	case !(p.MinP >= 0 && p.MinP <= 1):
		return fmt.Errorf("min_p is %g: wants a number from 0 to 1", p.MinP)
	case p.TopK < 0:
		return fmt.Errorf("top_k is %d: wants a number from 0 (all) on", p.TopK)
	case !(math.Abs(p.Presence) <= MaxPenalty):
		return fmt.Errorf("presence_penalty is %g: wants a number from -%d to %d", p.Presence, MaxPenalty, MaxPenalty)
	case !(math.Abs(p.Frequency) <= MaxPenalty):
		return fmt.Errorf("frequency_penalty is %g: wants a number from -%d to %d", p.Frequency, MaxPenalty, MaxPenalty)
	case !(p.Repetition >= 0) || math.IsInf(p.Repetition, 0):
		return fmt.Errorf("repetition_penalty is %g: wants a number above 0; 1 changes nothing", p.Repetition)
	case p.Alternatives < 0 || p.Alternatives > MaxAlternatives:
		return fmt.Errorf("top_logprobs is %d: wants a number from 0 to %d", p.Alternatives, MaxAlternatives)
	case p.Alternatives > 0 && !p.Logprobs:
		return fmt.Errorf("top_logprobs is %d without logprobs: set logprobs", p.Alternatives)
	}
	for id, bias := range p.Bias {
		if id < 0 || !(math.Abs(float64(bias)) <= MaxBias) {
			return fmt.Errorf("logit_bias of token %d is %g: wants tokens from 0 on and numbers from -%d to %d", id, bias, MaxBias, MaxBias)
		}
	}
	return nil
}

// greedy reports whether nothing is left to chance.
func (p *Params) greedy() bool { return p.Temperature < greedyBelow }

// penalises reports whether tokens that were seen change logits.
func (p *Params) penalises() bool { return p.Presence != 0 || p.Frequency != 0 || p.repeats() }

// repeats reports whether there is a repetition penalty, the one that counts the prompt's tokens too.
func (p *Params) repeats() bool { return p.Repetition != 0 && p.Repetition != 1 }
