package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/glmc/glmc/runtime/kv"
)

// Response is what a generation came to.
type Response struct {
	Output   []int32
	Finish   string // a finish reason; empty after an error
	Prompt   time.Duration
	Generate time.Duration
}

// Generate runs a request to its end, alone if nobody added others. It neither takes pages from the prefix cache nor leaves any there,
// so that it measures the model, and several engines may use one executor in turn. On an error the response holds what
// was generated until then.
func (e *Engine) Generate(ctx context.Context, r Request) (Response, error) {
	q, err := e.newSequence(r)
	if err != nil {
		return Response{}, err
	}
	start := time.Now()
	q.private = true
	e.enqueue(q)
	err = e.until(ctx, func() bool { return q.ended })
	e.Abort(q, err)
	out := Response{Output: q.Output(), Finish: q.result.Finish}
	if len(out.Output) == 0 {
		out.Output = nil
	}
	first := q.result.First
	if first.IsZero() {
		first = q.result.Ended
	}
	out.Prompt, out.Generate = first.Sub(start), q.result.Ended.Sub(first)
	return out, q.result.Err
}

// until takes steps until something is the case.
func (e *Engine) until(ctx context.Context, done func() bool) error {
	for !done() {
		more, err := e.Step(ctx)
		if err == nil && len(e.step.parts) == 0 {
			err = ctx.Err() // a step that runs something says so itself
		}
		if err != nil {
			return err
		}
		if !more && !done() {
			panic("engine: nothing is left to do, and what was asked for did not come about")
		}
	}
	return nil
}

// Together generates tokens tokens behind each of several prompts: one prompt after the other, and then each step one token
// of every sequence. With 0 tokens it runs the prompts alone, which may be as long as the model has positions. It is greedy,
// knows no stop tokens and, like Generate, no prefix cache. It shows what a batch is worth; the responses have the times of all together.
func (e *Engine) Together(ctx context.Context, prompts [][]int32, tokens int) ([]Response, error) {
	if len(prompts) == 0 || tokens < 0 {
		return nil, fmt.Errorf("%d prompts and %d tokens to generate: wants a prompt at least", len(prompts), tokens)
	}
	if len(prompts) > e.options.MaxRunning {
		return nil, fmt.Errorf("%d prompts: the engine runs %d sequences side by side", len(prompts), e.options.MaxRunning)
	}
	all, err := e.together(prompts, tokens)
	if err != nil {
		return nil, err
	}
	defer func() {
		for _, q := range all {
			e.Abort(q, context.Canceled)
		}
	}()
	start := time.Now()
	for i, q := range all {
		e.enqueue(q)
		ready := func() bool { return q.ended || q.left() == 1 && q.generates() }
		if err := firstError(e.until(ctx, ready), q); err != nil {
			return nil, fmt.Errorf("sequence %d: %w", i, err)
		}
	}
	prompt := time.Since(start)
	start = time.Now()
	for _, q := range all {
		q.held = false
	}
	if e.pending() {
		if err := firstError(e.until(ctx, func() bool { return !e.pending() }), all...); err != nil {
			return nil, err
		}
	}
	generate := time.Since(start)
	out := make([]Response, len(all))
	for i, q := range all {
		out[i] = Response{Output: q.Output(), Finish: FinishLength, Prompt: prompt, Generate: generate}
	}
	return out, nil
}

// together makes the sequences of prompts, which have to have room side by side.
func (e *Engine) together(prompts [][]int32, tokens int) ([]*Sequence, error) {
	var all []*Sequence
	pages := 0
	for i, p := range prompts {
		q, err := e.newSequence(Request{Prompt: p, MaxTokens: tokens})
		if err != nil {
			return nil, fmt.Errorf("sequence %d: %w", i, err)
		}
		q.private, q.held = true, true
		pages += pagesFor(q.request.positions(), e.pool.PageSize())
		all = append(all, q)
	}
	if has := e.pool.Free() + e.pool.Cached(); pages > has {
		return nil, fmt.Errorf("%d sequences of %d tokens to generate take %d pages: %w: it has %d", len(prompts), tokens, pages, kv.ErrFull, has)
	}
	return all, nil
}

// firstError is the error, or the first of sequences that failed.
func firstError(err error, list ...*Sequence) error {
	for _, q := range list {
		if err == nil {
			err = q.result.Err
		}
	}
	return err
}
