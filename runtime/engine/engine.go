// Package engine turns a plan that is ready to run into text generation: it prefills prompts in chunks,
// decodes token by token, and keeps the KV pages of a sequence.
package engine

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/runtime/exec"
	"github.com/glmc/glmc/runtime/kv"
	"github.com/glmc/glmc/runtime/sample"
)

// Executor runs the entries of a plan. exec.Executor is one.
type Executor interface {
	Plan() *plan.Plan
	Pages() int
	Max(entry string) (ir.Sizes, error)
	Step(ctx context.Context, entry string, in exec.Inputs) ([]kernels.Tensor, error)
}

// Engine generates for one request at a time.
type Engine struct {
	exec  Executor
	pool  *kv.Pool
	chunk int // tokens of a prefill step
	rows  int // rows of a step whose logits can be had

	// Of the step in progress.
	inputs inputs
	logits [][]float32
	last   [1]int32 // the token of a step of generation
}

// New makes an engine. chunk bounds the tokens of a prefill step; 0 takes the plan's.
func New(e Executor, chunk int) (*Engine, error) {
	most, err := e.Max("forward")
	if err != nil {
		return nil, err
	}
	p := e.Plan()
	if err := checkForward(p); err != nil {
		return nil, err
	}
	if chunk == 0 {
		chunk = p.Serving.PrefillChunk
	}
	if chunk < 1 || chunk > most.Tokens {
		return nil, fmt.Errorf("a prefill chunk of %d tokens: the plan has room for 1 to %d", chunk, most.Tokens)
	}
	return &Engine{exec: e, pool: kv.NewPool(e.Pages(), p.Cache.PageSize), chunk: chunk, rows: most.Rows}, nil
}

// checkForward asks for logits: a row of floats for each wanted row, or for each token.
func checkForward(p *plan.Plan) error {
	entry := p.Program("forward")
	if entry == nil || len(entry.Graph.Outputs) == 0 {
		return fmt.Errorf("the plan has no entry forward that returns logits")
	}
	t := entry.Graph.Outputs[0].Type
	rows := len(t.Shape) == 2 && (t.Shape[0] == ir.Symbolic(ir.R) || t.Shape[0] == ir.Symbolic(ir.T))
	if !rows || !t.Shape[1].IsConst() || !t.DType.IsFloat() {
		return fmt.Errorf("entry forward returns %s, wants logits [rows, vocabulary]", t)
	}
	return nil
}

// Request is one generation.
type Request struct {
	Prompt    []int32
	MaxTokens int
	Sampling  sample.Params
	Stop      []int32 // ids that end the generation; they are part of the output
	// OnToken is called with every generated token; an error from it ends the generation.
	OnToken func(id int32) error
	// OnPromptLogits is called with the logits of every prompt position in order, where it is set.
	OnPromptLogits func(pos int, logits []float32) error
}

// Finish reasons.
const (
	FinishStop   = "stop"   // a stop token was generated
	FinishLength = "length" // MaxTokens, or the room for them, was used up
)

// Response is what a generation came to.
type Response struct {
	Output   []int32
	Finish   string // a finish reason; empty after an error
	Prompt   time.Duration
	Generate time.Duration
}

// Generate runs a request to its end. On an error the response holds what was generated until then.
func (e *Engine) Generate(ctx context.Context, r Request) (Response, error) {
	var out Response
	if err := e.check(r); err != nil {
		return out, err
	}
	seq := e.pool.NewSequence()
	defer seq.Release()
	if err := seq.Grow(len(r.Prompt) + max(r.MaxTokens-1, 0)); err != nil {
		return out, fmt.Errorf("%d prompt tokens and %d to generate: %w", len(r.Prompt), r.MaxTokens, err)
	}
	start := time.Now()
	logits, err := e.prefill(ctx, seq, r)
	out.Prompt = time.Since(start)
	if err != nil {
		return out, err
	}
	start = time.Now()
	err = e.decode(ctx, seq, r, logits, &out)
	out.Generate = time.Since(start)
	return out, err
}

func (e *Engine) check(r Request) error {
	if len(r.Prompt) == 0 {
		return fmt.Errorf("the prompt is empty: the model needs at least one token to begin with")
	}
	facts := e.exec.Plan().Facts
	for i, id := range r.Prompt {
		if id < 0 || facts.VocabSize > 0 && int(id) >= facts.VocabSize {
			return fmt.Errorf("token %d of the prompt is %d: the model's vocabulary has %d", i, id, facts.VocabSize)
		}
	}
	if r.MaxTokens < 0 {
		return fmt.Errorf("max tokens is %d", r.MaxTokens)
	}
	most := facts.MaxPositions
	if most == 0 { // unknown: what a position can be
		most = math.MaxInt32
	}
	if len(r.Prompt) > most || r.MaxTokens > most-len(r.Prompt) {
		return fmt.Errorf("%d prompt tokens and %d to generate: the model has %d positions", len(r.Prompt), r.MaxTokens, most)
	}
	return r.Sampling.Check()
}

// prefill runs the prompt and returns the logits of its last position.
func (e *Engine) prefill(ctx context.Context, seq *kv.Sequence, r Request) ([]float32, error) {
	chunk := e.chunk
	if r.OnPromptLogits != nil {
		chunk = min(chunk, e.rows)
	}
	var last []float32
	for at := 0; at < len(r.Prompt); at += chunk {
		part := r.Prompt[at:min(at+chunk, len(r.Prompt))]
		rows := 0 // logits of the last rows of the chunk
		if r.OnPromptLogits != nil {
			rows = len(part)
		} else if at+len(part) == len(r.Prompt) {
			rows = 1
		}
		logits, err := e.step(ctx, seq, part, at, rows)
		if err != nil {
			return nil, fmt.Errorf("prompt tokens %d to %d: %w", at, at+len(part), err)
		}
		for i, row := range logits {
			if r.OnPromptLogits != nil {
				if err := r.OnPromptLogits(at+i, row); err != nil {
					return nil, err
				}
			}
			last = row
		}
	}
	return last, nil
}

func (e *Engine) decode(ctx context.Context, seq *kv.Sequence, r Request, logits []float32, out *Response) error {
	sampler := sample.New(r.Sampling, r.Prompt)
	for len(out.Output) < r.MaxTokens {
		token, err := sampler.Pick(logits, nil)
		if err != nil {
			return err
		}
		id := token.ID
		sampler.Accept(id)
		if out.Output == nil {
			out.Output = make([]int32, 0, r.MaxTokens)
		}
		out.Output = append(out.Output, id)
		if r.OnToken != nil {
			if err := r.OnToken(id); err != nil {
				return err
			}
		}
		if slices.Contains(r.Stop, id) {
			out.Finish = FinishStop
			return nil
		}
		if len(out.Output) == r.MaxTokens {
			break
		}
		pos := len(r.Prompt) + len(out.Output) - 1
		e.last[0] = id
		rows, err := e.step(ctx, seq, e.last[:], pos, 1)
		if err != nil {
			return fmt.Errorf("token %d of the output: %w", len(out.Output), err)
		}
		logits = rows[0]
	}
	out.Finish = FinishLength
	return nil
}

// step runs tokens that stand from position pos on and returns the logits of the last rows of them. They are
// valid until the next step.
func (e *Engine) step(ctx context.Context, seq *kv.Sequence, tokens []int32, pos, rows int) ([][]float32, error) {
	n := len(tokens)
	e.inputs.begin(len(seq.Pages()))
	e.inputs.add(seq, pos, rows, tokens...)
	out, err := e.exec.Step(ctx, "forward", e.inputs.end())
	if err != nil {
		return nil, err
	}
	logits := &out[0]
	vocab := logits.Last()
	first := 0
	if logits.Rows() == n && n != rows { // a plan without gather_last_token has the logits of all tokens
		first = n - rows
	}
	e.logits = e.logits[:0]
	for i := first; i < first+rows; i++ {
		e.logits = append(e.logits, logits.F32[i*vocab:(i+1)*vocab])
	}
	return e.logits, nil
}
