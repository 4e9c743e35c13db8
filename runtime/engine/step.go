package engine

import (
	"errors"
	"fmt"
	"time"

	"github.com/glmc/glmc/kernels"
)

// part is what a step runs of one sequence: some of its tokens, with the logits of the last rows of them, and behind them drafts, with a row
// for each. Of drafts without parents each stands behind the one before.
type part struct {
	seq                *Sequence
	from, tokens, rows int
	drafts, parents    []int32
}

// step is a step of the model as it comes together, in memory that the next one uses again.
type step struct {
	parts        []part
	tokens, rows int // drafts included
	drafts       int // of both
	decodes      int // parts that are a token of the output
	budget       int // prompt tokens that may still be added
	inputs       inputs
	out          []kernels.Tensor
	err          error
	picks        picks
	stats        StepStats
}

func (s *step) reset(now time.Time) {
	s.parts, s.tokens, s.rows, s.drafts, s.decodes, s.budget = s.parts[:0], 0, 0, 0, 0, 0
	s.stats = StepStats{Start: now}
}

// add puts a sequence's next tokens in.
func (s *step) add(q *Sequence, tokens, rows int) {
	s.parts = append(s.parts, part{seq: q, from: q.computed, tokens: tokens, rows: rows})
	s.tokens += tokens
	s.rows += rows
}

// fill makes the inputs.
func (s *step) fill() {
	width := 0
	for i := range s.parts {
		width = max(width, len(s.parts[i].seq.kv.Pages()))
	}
	s.inputs.begin(width)
	for i := range s.parts {
		p := &s.parts[i]
		s.inputs.add(p.seq.kv, p.from, p.rows+len(p.drafts), p.seq.tokens[p.from:p.from+p.tokens], p.drafts, p.parents)
	}
}

// check refuses results that are no logits of the rows that were asked for.
func (s *step) check(vocab int) error {
	if len(s.out) == 0 {
		return errors.New("the step has no logits")
	}
	l := &s.out[0]
	if rows := l.Rows(); rows != s.rows && rows != s.tokens || l.Last() != vocab || len(l.F32) < rows*vocab {
		return fmt.Errorf("the step has logits of shape %v in %d numbers, wants %d rows of %d", l.Shape, len(l.F32), s.rows, vocab)
	}
	return nil
}

// prepare is what the next tokens need that does not depend on the step's results: it may run beside the device.
func (e *Engine) prepare() {
	for i := range e.step.parts {
		p := &e.step.parts[i]
		if p.last() {
			p.seq.constrain()
		}
	}
}

// last reports whether a token is picked behind the part.
func (p *part) last() bool {
	return p.from+p.tokens == len(p.seq.tokens) && p.seq.picks() && !p.seq.ended
}

// finish takes the step's results: it picks tokens, ends what is done, and shares whole pages.
func (e *Engine) finish() {
	s := &e.step
	start := time.Now()
	if s.err != nil {
		e.failed(s.err)
	} else {
		e.logits(&s.out[0])
		s.picks.run()
		s.stats.ended = time.Now()
		for i := range s.picks.rows {
			e.judge(&s.picks.rows[i])
		}
		for i := range s.parts {
			e.checked(&s.parts[i])
			e.computed(&s.parts[i])
		}
		for more := true; more; more = e.further() {
			for i := range s.picks.rows {
				e.accept(&s.picks.rows[i])
			}
		}
	}
	for i := range s.parts {
		s.parts[i].seq.undraft() // used up, or perhaps the reason why the step failed
	}
	e.recover()
	s.stats.Host = time.Since(start)
	e.count()
}

// logits hands the rows of logits to those who want them, and collects the rows to pick from.
func (e *Engine) logits(out *kernels.Tensor) {
	s := &e.step
	s.picks.rows = s.picks.rows[:0]
	vocab := out.Last()
	everything := out.Rows() == s.tokens && s.tokens != s.rows // a plan without gather_last_token has the logits of all tokens
	next := 0
	for i := range s.parts {
		p := &s.parts[i]
		first := next
		if everything {
			first += p.tokens - p.rows
			next += p.tokens + len(p.drafts)
		} else {
			next += p.rows + len(p.drafts)
		}
		rows := out.F32[first*vocab : (first+p.rows)*vocab]
		behind := out.F32[(first+p.rows)*vocab : (first+p.rows+len(p.drafts))*vocab]
		if p.seq.request.everyRow() && p.from < len(p.seq.request.Prompt) {
			e.promptRows(p, rows, vocab)
		}
		if p.last() {
			s.picks.rows = append(s.picks.rows, pick{seq: p.seq, logits: rows[len(rows)-vocab:], prompt: -1, part: p, at: -1, behind: behind})
		}
	}
}

// promptRows hands out the logits of a part of a prompt. Those of before a preemption were had already.
func (e *Engine) promptRows(p *part, rows []float32, vocab int) {
	q, r := p.seq, &p.seq.request
	for at := max(q.logged-p.from, 0); at < p.tokens; at++ {
		pos, row := p.from+at, rows[at*vocab:(at+1)*vocab]
		q.logged = pos + 1
		if r.PromptLogprobs && pos+1 < len(r.Prompt) {
			e.step.picks.rows = append(e.step.picks.rows, pick{seq: q, logits: row, prompt: pos + 1})
		}
		if r.OnPromptLogits == nil {
			continue
		}
		if err := safely("OnPromptLogits", func() error { return r.OnPromptLogits(pos, row) }); err != nil {
			e.end(q, "", err)
			return
		}
	}
}

// computed says that the tokens of a part have keys and values, of which whole pages can be shared.
func (e *Engine) computed(p *part) {
	q := p.seq
	if q.ended {
		return
	}
	if q.suspect {
		q.suspect = false
		e.suspects--
	}
	q.computed = p.from + p.tokens
	e.share(q)
	if q.left() == 0 && !q.picks() { // a prompt alone
		e.success()
		e.end(q, FinishLength, nil)
	}
}

// share puts whole pages that are computed into the prefix cache.
func (e *Engine) share(q *Sequence) {
	if q.state != "" && !q.hopes.led { // the layer follows it no longer
		q.state = ""
		q.kv.Stateless()
	}
	n := q.computed
	if q.state != "" { // the pages hold keys and values of its layer as well
		n = min(n, q.drafted)
	}
	if !q.private && n-q.kv.Shared() >= e.pool.PageSize() {
		q.kv.Commit(q.tokens[:n])
	}
}

// failed is what becomes of the sequences of a step that failed. One that was alone, without drafts, ends. Of several, nobody knows
// whose fault it was: each is run by itself without drafts, and those that fail again end.
func (e *Engine) failed(err error) {
	s := &e.step
	e.stats.FailedSteps++
	if len(s.parts) == 1 && s.drafts == 0 {
		p := &s.parts[0]
		if !p.seq.ended {
			e.failure()
			e.end(p.seq, "", fmt.Errorf("%s: %w", p, err))
		}
		return
	}
	for _, p := range s.parts {
		if !p.seq.ended && !p.seq.suspect {
			p.seq.suspect = true
			e.suspects++
		}
	}
}
