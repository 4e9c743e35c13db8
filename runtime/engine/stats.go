package engine

import (
	"context"
	"errors"
	"time"
)

// Observer is told what an engine does. Its methods are called on the engine's goroutine, which waits for them.
type Observer interface {
	// Stepped is called after every step.
	Stepped(StepStats)
	// Ended is called when a request ends, however.
	Ended(Result)
}

// StepStats are what one step was and took.
type StepStats struct {
	Start     time.Time
	Schedule  time.Duration // deciding what runs, and its inputs
	Device    time.Duration // the executor
	Host      time.Duration // picking tokens, and what follows from them
	Sequences int
	Decodes   int // of them, those that generate
	Tokens    int // that were run
	Prompt    int // of them, those of prompts, or run again after a preemption
	Drafts    int // of them, guesses that were checked
	Accepted  int // of the guesses, those that came out
	Rows      int // of logits
	Running   int // sequences, whether in the step or not
	Waiting   int
	Preempted int   // sequences that lost their pages for this step
	Err       error // of the executor

	ended time.Time // when the tokens were there
}

// Phase is prefill for a step of prompts, decode for one of sequences that generate, and mixed for one of both.
func (s *StepStats) Phase() string {
	switch {
	case s.Decodes == 0:
		return "prefill"
	case s.Decodes == s.Sequences:
		return "decode"
	}
	return "mixed"
}

// Stats are the state of an engine, and sums since it was made.
type Stats struct {
	Running, Waiting int // sequences
	Pages            int // of the KV cache
	FreePages        int // that hold nothing
	CachedPages      int // that hold prefixes which no running sequence uses

	Steps        uint64
	FailedSteps  uint64 // of them, those that the executor failed; and moves of what trees had accepted
	PromptTokens uint64 // that were run, those again after preemptions included
	OutputTokens uint64
	Preemptions  uint64
	Stopped      uint64 // requests that ended with FinishStop
	Length       uint64 // with FinishLength
	Cancelled    uint64 // because nobody wanted them any more
	Failed       uint64 // with another error

	Drafts [Origins]DraftStats // by where they come from

	QueriedTokens int64 // that were looked for in the prefix cache
	HitTokens     int64 // of them, those that were found
	EvictedPages  int64 // of the prefix cache that were needed for something else
}

// DraftStats are sums over the drafts of one origin.
type DraftStats struct {
	Steps    uint64 // of a sequence, that checked drafts
	Proposed uint64 // tokens, whether they were checked or there was no room
	Checked  uint64 // tokens that the model ran
	Accepted uint64 // of them, those that came out
}

// Length is how many tokens a sequence got from a step that checked drafts, on average; 0 where none did.
func (d DraftStats) Length() float64 {
	if d.Steps == 0 {
		return 0
	}
	return float64(d.Accepted+d.Steps) / float64(d.Steps)
}

// Rate is the share of checked tokens that came out.
func (d DraftStats) Rate() float64 {
	if d.Checked == 0 {
		return 0
	}
	return float64(d.Accepted) / float64(d.Checked)
}

// Add adds others to them.
func (d *DraftStats) Add(o DraftStats) {
	d.Steps += o.Steps
	d.Proposed += o.Proposed
	d.Checked += o.Checked
	d.Accepted += o.Accepted
}

// Since is what came behind an earlier state of the same sums.
func (d DraftStats) Since(before DraftStats) DraftStats {
	return DraftStats{d.Steps - before.Steps, d.Proposed - before.Proposed, d.Checked - before.Checked, d.Accepted - before.Accepted}
}

// AllDrafts are the sums over all origins.
func (s *Stats) AllDrafts() DraftStats {
	var sum DraftStats
	for _, d := range s.Drafts {
		sum.Add(d)
	}
	return sum
}

// Usage is the share of pages that sequences hold, 0 to 1.
func (s *Stats) Usage() float64 {
	if s.Pages == 0 {
		return 0
	}
	return float64(s.Pages-s.FreePages-s.CachedPages) / float64(s.Pages)
}

// Stats returns the engine's.
func (e *Engine) Stats() Stats {
	s := e.stats
	s.Running, s.Waiting = len(e.running), len(e.waiting)
	s.Pages, s.FreePages, s.CachedPages = e.pool.Size(), e.pool.Free(), e.pool.Cached()
	counts := e.pool.Counts()
	s.QueriedTokens, s.HitTokens, s.EvictedPages = counts.Queried, counts.Hit, counts.Evicted
	return s
}

// ended counts a sequence that ended.
func (s *Stats) ended(q *Sequence) {
	switch r := &q.result; {
	case r.Finish == FinishStop:
		s.Stopped++
	case r.Finish == FinishLength:
		s.Length++
	case errors.Is(r.Err, context.Canceled), errors.Is(r.Err, context.DeadlineExceeded):
		s.Cancelled++
	default:
		s.Failed++
	}
}

// count counts a step that is over.
func (e *Engine) count() {
	s := &e.step
	t := &s.stats
	t.Sequences, t.Decodes, t.Tokens, t.Rows, t.Err = len(s.parts), s.decodes, s.tokens, s.rows, s.err
	t.Prompt = s.tokens - s.drafts - s.decodes
	t.Drafts = s.drafts
	if s.err == nil {
		e.stats.PromptTokens += uint64(t.Prompt)
	}
	if e.options.Observe != nil {
		e.options.Observe.Stepped(*t)
	}
}
