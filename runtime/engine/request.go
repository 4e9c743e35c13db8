package engine

import (
	"errors"
	"fmt"
	"math"

	"github.com/glmc/glmc/runtime/kv"
	"github.com/glmc/glmc/runtime/sample"
)

// Request is one generation. Several choices for one prompt are several requests.
type Request struct {
	ID        string // for whoever reads results
	Prompt    []int32
	MaxTokens int
	// MinTokens is the number of tokens behind which Stop counts. Its ids are not picked before, but where a constraint allows
	// nothing else.
	MinTokens int
	Sampling  sample.Params
	Stop      []int32 // ids that end the generation; they are part of the output
	// Until is called on the engine's goroutine with every token of the output: true ends the generation with FinishStop, however
	// many tokens there are. Nil: none.
	Until func(id int32) bool
	// Constraint says which tokens may come; nil: any.
	Constraint Constraint
	Priority   int // lower ones first; 0 is usual
	// Salt separates prefix caches: only requests with equal salts share pages.
	Salt string

	// OnToken is called on the engine's goroutine with every generated token; an error from it ends the generation.
	OnToken func(id int32) error
	// OnPromptLogits is called on the engine's goroutine with the logits of every prompt position in order, where it is set.
	// Nothing of the prompt is then taken from the prefix cache.
	OnPromptLogits func(pos int, logits []float32) error
	// PromptLogprobs asks for the log probabilities of the prompt's tokens, with Sampling.Alternatives others. Nothing of the prompt
	// is then taken from the prefix cache.
	PromptLogprobs bool
}

// everyRow reports whether the logits of every prompt position are wanted.
func (r *Request) everyRow() bool { return r.OnPromptLogits != nil || r.PromptLogprobs }

// Constraint says which tokens may come next. It belongs to one sequence.
type Constraint interface {
	// Mask says in bit id%64 of word id/64 whether a token may come next. Ids beyond the mask may not. Nil: any may. It is valid
	// until the next call of a method.
	Mask() []uint64
	// Accept says that a token was picked.
	Accept(id int32) error
	// Rollback says that the last n tokens were accepted too many: drafts that turned out wrong.
	Rollback(n int)
}

// Finish reasons.
const (
	FinishStop   = "stop"   // a stop token was generated, or Until said so
	FinishLength = "length" // MaxTokens were generated
)

// ErrTooLong says that a request has more tokens than the model has positions, or than the KV cache could ever hold.
var ErrTooLong = errors.New("the request is too long")

// unknownPositions is assumed where the plan does not say how many positions the model has: what a position can be.
const unknownPositions = math.MaxInt32

// check says what is wrong with a request. It reads nothing that steps change.
func (e *Engine) check(r *Request) error {
	if len(r.Prompt) == 0 {
		return fmt.Errorf("the prompt is empty: the model needs at least one token to begin with")
	}
	vocab := e.exec.Plan().Facts.VocabSize
	for i, id := range r.Prompt {
		if id < 0 || vocab > 0 && int(id) >= vocab {
			return fmt.Errorf("token %d of the prompt is %d: the model's vocabulary has %d", i, id, vocab)
		}
	}
	if r.MaxTokens < 0 {
		return fmt.Errorf("max tokens is %d", r.MaxTokens)
	}
	most := e.exec.Plan().Facts.MaxPositions
	if most == 0 {
		most = unknownPositions
	}
	if len(r.Prompt) > most || r.MaxTokens > most-len(r.Prompt) {
		return fmt.Errorf("%w: %d prompt tokens and %d to generate: the model has %d positions", ErrTooLong, len(r.Prompt), r.MaxTokens, most)
	}
	if has := e.exec.Pages(); pagesFor(r.positions(), e.pool.PageSize()) > has {
		return fmt.Errorf("%w: %d prompt tokens and %d to generate: %w: it has room for %d in all",
			ErrTooLong, len(r.Prompt), r.MaxTokens, kv.ErrFull, has*e.pool.PageSize())
	}
	return r.Sampling.Check()
}

// positions is how many positions have keys and values in the end. The last token is not run any more.
func (r *Request) positions() int { return len(r.Prompt) + max(r.MaxTokens-1, 0) }

// pagesFor is the number of pages that so many tokens take.
func pagesFor(tokens, pageSize int) int {
	n := tokens / pageSize
	if tokens%pageSize > 0 {
		n++
	}
	return n
}
