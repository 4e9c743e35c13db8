package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/runtime/kv"
	"github.com/glmc/glmc/runtime/sample"
)

// Together generates tokens tokens behind each of several prompts: one prompt after the other, and then each step one token
// of every sequence. With 0 tokens it runs the prompts alone, which may be as long as the model has positions. It is greedy and knows no stop tokens. It shows what a batch is worth; the
// responses have the times of all together.
func (e *Engine) Together(ctx context.Context, prompts [][]int32, tokens int) ([]Response, error) {
	if len(prompts) == 0 || tokens < 0 {
		return nil, fmt.Errorf("%d prompts and %d tokens to generate: wants a prompt at least", len(prompts), tokens)
	}
	b := &batch{engine: e, greedy: sample.New(sample.Params{}, nil)}
	defer b.release()
	start := time.Now()
	for i, p := range prompts {
		if err := b.add(ctx, Request{Prompt: p, MaxTokens: tokens}); err != nil {
			return nil, fmt.Errorf("sequence %d: %w", i, err)
		}
	}
	prompt := time.Since(start)
	start = time.Now()
	for n := 1; n < tokens; n++ {
		if err := b.step(ctx); err != nil {
			return nil, fmt.Errorf("token %d of the output: %w", n, err)
		}
	}
	generate := time.Since(start)
	out := make([]Response, len(prompts))
	for i := range out {
		out[i] = Response{Output: b.output[i][:min(tokens, len(b.output[i]))], Finish: FinishLength, Prompt: prompt, Generate: generate}
	}
	return out, nil
}

// batch is sequences that take each step together.
type batch struct {
	engine *Engine
	seqs   []*kv.Sequence
	pos    []int     // of the token that each sequence generates next
	output [][]int32 // of each sequence; the last token of it was not run yet
	greedy *sample.Sampler
}

func (b *batch) release() {
	for _, s := range b.seqs {
		s.Release()
	}
}

// add runs a prompt and picks the first token behind it.
func (b *batch) add(ctx context.Context, r Request) error {
	if err := b.engine.check(r); err != nil {
		return err
	}
	seq := b.engine.pool.NewSequence()
	b.seqs = append(b.seqs, seq)
	if err := seq.Grow(len(r.Prompt) + max(r.MaxTokens, 1) - 1); err != nil {
		return fmt.Errorf("%d prompt tokens and %d to generate: %w", len(r.Prompt), r.MaxTokens, err)
	}
	logits, err := b.engine.prefill(ctx, seq, r)
	if err != nil {
		return err
	}
	token, err := sample.New(r.Sampling, r.Prompt).Pick(logits, nil)
	b.pos = append(b.pos, len(r.Prompt))
	b.output = append(b.output, append(make([]int32, 0, r.MaxTokens), token.ID))
	return err
}

// step runs the last token of each sequence and picks the next ones.
func (b *batch) step(ctx context.Context) error {
	width := 0
	for _, s := range b.seqs {
		width = max(width, len(s.Pages()))
	}
	in := &b.engine.inputs
	in.begin(width)
	for i, s := range b.seqs {
		in.add(s, b.pos[i], 1, b.output[i][len(b.output[i])-1])
	}
	out, err := b.engine.exec.Step(ctx, "forward", in.end())
	if err != nil {
		return err
	}
	return b.pick(&out[0])
}

// pick takes the next token of each sequence from a row of logits for each.
func (b *batch) pick(logits *kernels.Tensor) error {
	vocab := logits.Last()
	var failed error
	for i := range b.seqs {
		token, err := b.greedy.Pick(logits.F32[i*vocab:(i+1)*vocab], nil)
		failed = errors.Join(failed, err)
		b.output[i] = append(b.output[i], token.ID)
		b.pos[i]++
	}
	return failed
}
