// Package enginetest has a model that needs no weights, to test what stands around a model: an engine's steps and pages, servers
// and their clients.
//
// Its KV cache holds a token for every slot, and a hash of all tokens up to it. What the model says next is a function of that
// hash, which it finds through page tables as attention does: a wrong page, slot or position, or a page that somebody else
// writes, changes the text. Or the model says what a script makes of the prompt.
package enginetest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/runtime/exec"
)

// Options describe the model. Zero values are the ones in brackets.
type Options struct {
	Vocab        int // [64]
	PageSize     int // tokens [4]
	Pages        int // [64]
	MaxPositions int // [as many as the pages hold]
	Chunk        int // tokens of a step [32]
	Sequences    int // of a step [8]
	Rows         int // of logits of a step [Sequences]

	// Paths is a model whose attention knows no trees: its plan lacks the input parents.
	Paths bool
	// Draft gives the model an entry draft, which guesses right where it is told the right things.
	Draft bool
	// Script says how a prompt is answered, the token that ends the answer included. It gets the prompt as the model sees it, and is
	// called once for each; the slice is its own. Nil: any tokens, by the hash of what stands before them.
	Script func(prompt []int32) []int32
	// Before is called before each step, which fails where it returns an error. Steps count from 1.
	Before func(step int, in exec.Inputs) error
	// Delay is how long a step of that size takes at least; nil: no time.
	Delay func(ir.Sizes) time.Duration
}

func (o *Options) fill() {
	set := func(v *int, or int) {
		if *v == 0 {
			*v = or
		}
	}
	set(&o.Vocab, 64)
	set(&o.PageSize, 4)
	set(&o.Pages, 64)
	set(&o.MaxPositions, o.Pages*o.PageSize)
	set(&o.Chunk, 32)
	set(&o.Sequences, 8)
	set(&o.Rows, o.Sequences)
}

// slot is what the cache holds for a token: the hash is 0 where nothing was written.
type slot struct {
	token, pos int32
	hash       uint64
}

// Executor is an engine.Executor. Its steps must not be run at the same time.
type Executor struct {
	options Options
	plan    *plan.Plan
	cache   []slot
	drafts  drafts
	logits  kernels.Tensor
	set     []int // logits that a script has set
	states  []float32
	out     [2]kernels.Tensor
	replies replies

	mu       sync.Mutex
	steps    int
	moves    int
	problems []string
}

// New makes an executor.
func New(o Options) *Executor {
	o.fill()
	g := ir.NewGraph("forward")
	g.Outputs = []*ir.Value{g.Input("logits", ir.TensorType(dtype.F32, ir.Symbolic(ir.R), ir.Fixed(o.Vocab)))}
	if !o.Paths {
		g.Input("parents", ir.ParentsInput)
	}
	programs := []*plan.Program{plan.NewProgram(g)}
	if o.Draft {
		g.Outputs = append(g.Outputs, statesOf(g))
		programs = append(programs, plan.NewProgram(draftGraph(o.Vocab)))
	}
	return &Executor{
		options: o,
		drafts:  newDrafts(&o),
		plan: &plan.Plan{Programs: programs, Facts: plan.Facts{VocabSize: o.Vocab, MaxPositions: o.MaxPositions},
			Cache: plan.CacheFormat{DType: dtype.F32, PageSize: o.PageSize}, Serving: plan.Serving{PrefillChunk: o.Chunk}},
		cache:   make([]slot, o.Pages*o.PageSize),
		logits:  kernels.New(dtype.F32, o.Rows, o.Vocab),
		replies: replies{script: o.Script},
	}
}

// Plan is a plan with the entry forward, whose program computes nothing.
func (e *Executor) Plan() *plan.Plan { return e.plan }

// Pages is the number of KV pages.
func (e *Executor) Pages() int { return e.options.Pages }

// Max is the largest step.
func (e *Executor) Max(entry string) (ir.Sizes, error) {
	if entry != "forward" && (entry != "draft" || !e.options.Draft) {
		return ir.Sizes{}, fmt.Errorf("the plan has no entry %q", entry)
	}
	return ir.Sizes{Tokens: max(e.options.Chunk, e.options.Sequences), Seqs: e.options.Sequences, Rows: e.options.Rows}, nil
}

// Steps is the number of steps so far.
func (e *Executor) Steps() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.steps
}

// Problems says what was wrong with steps so far.
func (e *Executor) Problems() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]string(nil), e.problems...)
}

// Moves is how many tokens' keys and values were moved so far.
func (e *Executor) Moves() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.moves
}

// Move copies what slots hold.
func (e *Executor) Move(from, to []int32) error {
	for i := range from {
		if e.cache[from[i]].hash == 0 {
			e.failf("slot %d is moved to %d and holds nothing", from[i], to[i])
		}
		e.cache[to[i]] = e.cache[from[i]]
		if e.options.Draft {
			e.drafts.cache[to[i]] = e.drafts.cache[from[i]]
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.moves += len(from)
	return nil
}

func (e *Executor) failf(format string, args ...any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.problems) < 20 {
		e.problems = append(e.problems, fmt.Sprintf("step %d: ", e.steps)+fmt.Sprintf(format, args...))
	}
}

// Step runs tokens through the model. After an error the slots that it was to write hold something else.
func (e *Executor) Step(ctx context.Context, entry string, in exec.Inputs) ([]kernels.Tensor, error) {
	if entry == "draft" {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		return e.draft(in), nil
	}
	e.mu.Lock()
	e.steps++
	number := e.steps
	e.mu.Unlock()
	if err := e.wait(ctx, in); err != nil {
		return nil, err
	}
	if e.options.Before != nil {
		if err := e.options.Before(number, in); err != nil {
			for _, s := range in["slots"].I32 {
				e.cache[s] = slot{token: -1, pos: -1, hash: uint64(number)}
			}
			return nil, err
		}
	}
	e.run(number, in)
	if !e.options.Draft {
		return e.out[:1], nil
	}
	return e.out[:], nil
}

// wait takes the time that a step takes.
func (e *Executor) wait(ctx context.Context, in exec.Inputs) error {
	if e.options.Delay == nil {
		return ctx.Err()
	}
	sizes := ir.Sizes{Tokens: len(in["tokens"].I32), Seqs: len(in["seq_start"].I32) - 1, Rows: len(in["rows"].I32)}
	t := time.NewTimer(e.options.Delay(sizes))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (e *Executor) run(number int, in exec.Inputs) {
	tokens, pos, starts, rows := in["tokens"].I32, in["pos"].I32, in["seq_start"].I32, in["rows"].I32
	most, _ := e.Max("forward")
	if len(tokens) > most.Tokens || len(starts)-1 > most.Seqs || len(rows) > most.Rows || len(tokens) == 0 {
		e.failf("%d tokens, %d sequences and %d rows: there is room for %d, %d and %d", len(tokens), len(starts)-1, len(rows), most.Tokens, most.Seqs, most.Rows)
	}
	for i, id := range tokens {
		if id < 0 || int(id) >= e.options.Vocab {
			e.failf("token %d is %d, the vocabulary has %d", i, id, e.options.Vocab)
		}
	}
	e.unset()
	e.out[0] = kernels.FromF32(e.logits.F32[:len(rows)*e.options.Vocab], len(rows), e.options.Vocab)
	row := 0
	e.states = e.states[:0]
	for s := range len(starts) - 1 {
		c := e.view(in, s)
		for i := int(starts[s]); i < int(starts[s+1]); i++ {
			c.stand(in, i)
			h := c.write(tokens[i], pos[i], in["slots"].I32[i])
			e.states = appendState(e.states, h)
			if row < len(rows) && int(rows[row]) == i {
				if len(rows) == 1 || int(pos[i]) < alwaysChecked || (number+s)%16 == 0 {
					h ^= c.damage(pos[i])
				}
				e.say(row, h, c, pos[i], starts[s+1]-starts[s] == 1)
				row++
			}
		}
	}
	e.out[1] = kernels.FromF32(e.states, len(tokens), stateSize)
	if row != len(rows) {
		e.failf("rows %v: want rising ones of %d tokens", rows, len(tokens))
	}
}

// alwaysChecked is the length of contexts up to which every step looks at all of their tokens. Longer ones take turns.
const alwaysChecked = 256

// say sets a row of logits behind a context.
func (e *Executor) say(row int, hash uint64, c view, pos int32, alone bool) {
	logits := e.out[0].F32[row*e.options.Vocab:][:e.options.Vocab]
	if e.options.Script != nil {
		next := e.replies.next(hash, c, pos, alone)
		if next < 0 || int(next) >= len(logits) {
			e.failf("the script says token %d, the vocabulary has %d", next, len(logits))
			return
		}
		logits[next] = certain
		e.set = append(e.set, row*e.options.Vocab+int(next))
		return
	}
	fill(logits, hash)
}

// fill makes logits of a hash.
func fill(logits []float32, hash uint64) {
	for v := range logits {
		logits[v] = float32(mix(hash, int32(v))>>40)/(1<<22) - 2 // -2 to 2
	}
}

// certain is the logit of a token that has all of the probability, where the others' are 0.
const certain = 40

// unset makes the logits 0 again that the last step set.
func (e *Executor) unset() {
	for _, i := range e.set {
		e.logits.F32[i] = 0
	}
	e.set = e.set[:0]
}

// mix adds a token to a hash: the finaliser of splitmix64 (Steele et al., Fast splittable pseudorandom number generators, 2014).
func mix(h uint64, token int32) uint64 {
	h += 0x9e3779b97f4a7c15 * uint64(token+1)
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return (h ^ h>>31) | 1
}
