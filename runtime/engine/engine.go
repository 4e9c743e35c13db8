// Package engine turns a plan that is ready to run into text generation for many requests at once. Each step of the model takes
// a token of every sequence that generates, and beside them chunks of prompts that are new (continuous batching, Orca, Yu et
// al., OSDI 2022; chunked prefill, Sarathi-Serve, Agrawal et al., OSDI 2024). Keys and values lie in pages, which sequences
// with equal beginnings share.
//
// An Engine is synchronous and deterministic: the same calls in the same order give the same steps. A Loop drives one from a
// goroutine of its own, with a Stream for each request. What a request is answered does not depend on what else is under way.
package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/runtime/draft"
	"github.com/glmc/glmc/runtime/exec"
	"github.com/glmc/glmc/runtime/kv"
)

// Executor runs the entries of a plan. exec.Executor is one. Step is called from one goroutine at a time.
type Executor interface {
	Plan() *plan.Plan
	Pages() int
	Max(entry string) (ir.Sizes, error)
	Step(ctx context.Context, entry string, in exec.Inputs) ([]kernels.Tensor, error)
}

// Options bound what an engine does at a time. The zero value takes what the plan has room for.
type Options struct {
	// Chunk is the most prompt tokens of a step; 0: the plan's.
	Chunk int
	// MixedChunk is the most prompt tokens of a step in which other sequences generate, which wait for them; 0: DefaultMixedChunk,
	// or Chunk where that is less.
	MixedChunk int
	// StepTokens is the most tokens of a step, of prompts and generated ones; 0: what the plan's layouts hold.
	StepTokens int
	// MaxRunning is the most sequences side by side; 0: what the plan's layouts hold.
	MaxRunning int
	// MaxWaiting is the most requests that wait in a Loop to be run; more are ErrBusy. 0: any number.
	MaxWaiting int
	// Patience is the number of steps that a level of priority is worth: a request comes before those of the next level that
	// arrived up to so many steps earlier, and no further, so that none waits for ever. 0: DefaultPatience.
	Patience int
	// MTP is the most tokens that the model's own draft layer guesses for a sequence and step (multi-token prediction); 0: none.
	MTP int
	// Drafter guesses as well; nil: nobody does. Where both can, the guess is taken that promises more. The engine does not close it.
	Drafter draft.Drafter
	// DraftTokens is the most tokens that Drafter guesses for a sequence and step; 0: DefaultDraftTokens, or AdaptDraftTokens with Adapt.
	DraftTokens int
	// Adapt has drafts get longer and shorter, and come from whoever is better at them, by what steps take and by what came of drafts:
	// so that they pay, however many sequences there are. What is guessed depends on time then, and no longer on calls alone; what is
	// generated does not.
	Adapt bool
	// Observe is told of steps and of ended requests; nil: nobody is.
	Observe Observer
}

// Engine generates for many sequences. It is not safe for concurrent use.
type Engine struct {
	exec    Executor
	pool    *kv.Pool
	options Options
	layouts layouts
	vocab   int // logits of a row

	// Both by rank: what comes first is served first. A sequence stands in one of them from Add until it ends.
	waiting []*Sequence
	running []*Sequence

	arrived  uint64 // sequences that were added
	suspects int    // of the running ones, those that a failed step was about
	failures int    // sequences that failed, one after the other, since the last success
	step     step
	mtp      *mtp        // nil: the model's draft layer is not used
	guess    draft.Draft // of Options.Drafter, for one sequence after the other
	mover    Mover       // nil: drafts are paths
	from, to []int32     // slots of what was accepted, and where it goes
	adapt    *adapting   // nil: Options.Adapt is not set
	stats    Stats
	fresh    []*Sequence // what came of the last steps is for these
	leaving  []*Sequence // that ended with the step, and keep their pages until the draft layer has gone over them
}

// New makes an engine for the entry forward of an executor's plan.
func New(e Executor, o Options) (*Engine, error) {
	p := e.Plan()
	if err := checkForward(p); err != nil {
		return nil, err
	}
	sizes, err := layoutsOf(e, "forward")
	if err != nil {
		return nil, err
	}
	if err := o.fill(p, sizes); err != nil {
		return nil, err
	}
	eng := &Engine{exec: e, pool: kv.NewPool(e.Pages(), p.Cache.PageSize), options: o, layouts: sizes,
		vocab: int(p.Program("forward").Graph.Outputs[0].Type.Shape[1].Add)}
	eng.step.picks.init()
	eng.adapt, eng.mover = newAdapting(&o), moverOf(e)
	if o.MTP > 0 {
		if eng.mtp, err = newMTP(e, eng.vocab); err != nil {
			return nil, err
		}
	}
	return eng, nil
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

// Add takes a request, which the next steps run. It does not call the request's functions.
func (e *Engine) Add(r Request) (*Sequence, error) {
	q, err := e.newSequence(r)
	if err != nil {
		return nil, err
	}
	e.enqueue(q)
	return q, nil
}

// Abort ends a sequence with the error, between two steps. One that has ended stays as it is.
func (e *Engine) Abort(q *Sequence, err error) {
	if !q.ended {
		e.end(q, "", err)
	}
}

// Step runs the model once, and says whether there is more to do. What fails concerns sequences, and ends them; the
// error is that of a context that was done, which the step then has not happened for.
func (e *Engine) Step(ctx context.Context) (more bool, err error) {
	e.forget()
	if !e.begin() {
		return e.pending(), nil
	}
	e.execute(ctx)
	if err := ctx.Err(); err != nil && e.step.err != nil {
		return true, fmt.Errorf("%s: %w", &e.step.parts[0], err)
	}
	e.prepare()
	e.finish()
	e.propose(ctx)
	return e.pending(), nil
}

// pending says whether any sequence has not ended.
func (e *Engine) pending() bool { return len(e.running)+len(e.waiting) > 0 }

// begin decides what the next step runs. False where there is nothing.
func (e *Engine) begin() bool {
	start := time.Now()
	e.schedule(start)
	if len(e.step.parts) == 0 {
		return false
	}
	e.step.fill()
	e.stats.Steps++
	e.step.stats.Start, e.step.stats.Schedule = start, time.Since(start)
	return true
}

// execute runs the step on the device. Between begin and finish, it may run beside prepare and enqueue.
func (e *Engine) execute(ctx context.Context) {
	start := time.Now()
	e.step.out = nil
	e.step.err = safely("the step", func() (err error) {
		e.step.out, err = e.exec.Step(ctx, "forward", e.step.inputs.end())
		if err == nil {
			err = e.step.check(e.vocab)
		}
		return err
	})
	e.step.stats.Device = time.Since(start)
}

// forget lets go of what the steps before gave.
func (e *Engine) forget() {
	for _, q := range e.fresh {
		q.news, q.fresh = q.news[:0], false
	}
	clear(e.fresh) // they may be gone
	e.fresh = e.fresh[:0]
}

// safely turns a panic into an error.
func safely(what string, f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%s panicked: %v", what, p)
		}
	}()
	return f()
}
