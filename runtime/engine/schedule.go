package engine

import (
	"fmt"
	"time"
)

// schedule decides what the next step runs. Sequences that generate come first, because somebody waits for each of their
// tokens; then chunks of prompts that run already; then those that wait. Within each of these it goes by rank.
//
// The first sequence by rank always gets on: no other's need takes its pages, every layout has room for a token of each running
// sequence, and it waits for nobody (awaits). So each sequence is the first at some time, and none starves.
func (e *Engine) schedule(now time.Time) {
	s := &e.step
	s.reset(now)
	if e.suspects > 0 {
		e.alone()
	} else {
		e.yield()
		e.decodes()
		chunk := e.options.Chunk
		if s.decodes > 0 {
			chunk = e.options.MixedChunk
		}
		s.budget = min(chunk, e.options.StepTokens-s.tokens)
		e.prompts()
		e.admit()
	}
	s.stats.Running, s.stats.Waiting = len(e.running), len(e.waiting)
}

// alone runs the first of the suspects by itself.
func (e *Engine) alone() {
	for _, q := range e.running {
		if !q.suspect {
			continue
		}
		e.step.budget = e.options.Chunk
		if q.left() > 1 {
			e.chunk(q)
		} else if e.room(q) {
			e.step.add(q, 1, e.wanted(q, 1))
		}
		return
	}
}

// decodes puts in a token of each sequence that has no more than one left.
func (e *Engine) decodes() {
	for i := 0; i < len(e.running); i++ {
		q := e.running[i]
		if q.left() != 1 || q.held && q.generates() {
			continue
		}
		rows := e.wanted(q, 1)
		if !e.layouts.fits(e.step.tokens+1, len(e.step.parts)+1, e.step.rows+rows) || e.step.tokens >= e.options.StepTokens {
			return
		}
		if !e.room(q) {
			return // it was the last
		}
		e.step.add(q, 1, rows)
		if q.generates() {
			e.step.decodes++
		}
	}
}

// room makes sure that the tokens of a running sequence have pages, one more at least, whatever the cost for those behind it. False where
// the sequence itself was the last, and had to go.
func (e *Engine) room(q *Sequence) bool {
	for {
		err := q.kv.Grow(q.computed + 1)
		if err == nil {
			return true
		}
		last := e.running[len(e.running)-1]
		if last == q && len(e.running) == 1 { // it was accepted because it has room alone
			e.end(q, "", fmt.Errorf("%d tokens: %w", len(q.tokens), err))
			return false
		}
		e.preempt(last)
		if last == q {
			return false
		}
	}
}

// prompts goes on with those that run.
func (e *Engine) prompts() {
	for _, q := range e.running {
		if e.step.budget <= 0 {
			return
		}
		if q.left() < 2 {
			continue
		}
		if q.takes() { // another one may have gone further in the meantime
			e.match(q)
		}
		e.chunk(q)
	}
}

// wanted is the number of rows whose logits a sequence's next n tokens need.
func (e *Engine) wanted(q *Sequence, n int) int {
	switch {
	case q.request.everyRow() && !q.generates():
		return n
	case n == q.left() && q.picks():
		return 1
	}
	return 0
}

// chunk puts as many tokens of a sequence in as there is room for.
func (e *Engine) chunk(q *Sequence) {
	all := q.request.everyRow() && !q.generates()
	left := q.left()
	if all { // the prompt alone; what came behind it, before a preemption, is not asked for again
		left = len(q.request.Prompt) - q.computed
	}
	n := min(left, e.step.budget)
	n = e.layouts.chunk(&e.step, n, all, n == q.left() && q.picks())
	if n <= 0 {
		return
	}
	e.step.add(q, n, e.wanted(q, n))
	e.step.budget -= n
}
