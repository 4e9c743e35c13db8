package engine

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/glmc/glmc/runtime/sample"
)

// pick is a row of logits from which a sequence's next token is taken, or which says how probable one of the prompt was.
type pick struct {
	seq    *Sequence
	logits []float32
	prompt int       // position of the prompt's token; -1: the next one is picked
	part   *part     // whose drafts were run,
	at     int       // behind which of them the token comes; -1: behind none,
	child  int       // which of them the token is; -1: none,
	behind []float32 // and the rows of logits behind each
	token  sample.Token
	err    error
}

// picks are the rows of a step. Where they are many, several goroutines share them.
type picks struct {
	rows []pick
	next atomic.Int64
	wait sync.WaitGroup
	help func() // what a goroutine does; made once, so that to start one allocates nothing
}

func (p *picks) init() {
	p.help = func() {
		defer p.wait.Done()
		p.some()
	}
}

// worthSharing is the number of logits from which on a second goroutine is worth its start: reading them takes some 20 us.
const worthSharing = 1 << 17

// run picks a token from every row.
func (p *picks) run() {
	p.next.Store(0)
	if n := len(p.rows); n > 1 && n*len(p.rows[0].logits) >= worthSharing {
		for range min(n, runtime.GOMAXPROCS(0)) - 1 {
			p.wait.Add(1)
			go p.help()
		}
	}
	p.some()
	p.wait.Wait()
}

// some picks from rows that nobody has taken.
func (p *picks) some() {
	for {
		i := int(p.next.Add(1)) - 1
		if i >= len(p.rows) {
			return
		}
		p.rows[i].run()
	}
}

func (p *pick) run() {
	defer func() {
		if x := recover(); x != nil {
			p.err = fmt.Errorf("picking a token panicked: %v", x)
		}
	}()
	if p.prompt >= 0 {
		p.token, p.err = p.seq.sampler.Score(p.logits, p.seq.request.Prompt[p.prompt])
		return
	}
	p.token, p.err = p.seq.sampler.Pick(p.logits, p.seq.mask)
}

// constrain finds which tokens may come next.
func (q *Sequence) constrain() {
	q.mask = nil
	if c := q.request.Constraint; c != nil {
		q.trouble = safely("the constraint", func() error {
			q.mask = c.Mask()
			return nil
		})
	}
	if len(q.Output()) < q.request.MinTokens && len(q.request.Stop) > 0 {
		q.mask = q.withoutStops(q.mask)
	}
}

// withoutStops takes the stop tokens out of a mask, unless nothing is left then.
func (q *Sequence) withoutStops(mask []uint64) []uint64 {
	words := len(mask)
	if mask == nil {
		words = (q.vocab + 63) / 64
	}
	q.early = slices.Grow(q.early[:0], words)[:words]
	if mask == nil {
		for i := range q.early {
			q.early[i] = math.MaxUint64
		}
	} else {
		copy(q.early, mask)
	}
	for _, id := range q.request.Stop {
		if id >= 0 && int(id)/64 < words {
			q.early[id/64] &^= 1 << (id % 64)
		}
	}
	for _, w := range q.early {
		if w != 0 {
			return q.early
		}
	}
	return mask
}

// judge ends a sequence that nothing can be picked for, before anything that its step computed is shared, and keeps the log
// probabilities of its prompt.
func (e *Engine) judge(p *pick) {
	q := p.seq
	if !q.ended && errors.Is(p.err, sample.ErrNotFinite) {
		e.failure()
	}
	switch {
	case q.ended:
	case p.prompt < 0:
		if err := errors.Join(q.trouble, p.err); err != nil {
			e.end(q, "", fmt.Errorf("token %d of the output: %w", len(q.Output())+1, err))
		}
	case p.err != nil:
		e.end(q, "", fmt.Errorf("log probability of prompt token %d: %w", p.prompt, p.err))
	default:
		q.prompt[p.prompt] = p.token
	}
}

// accept makes a picked token the next one of its sequence, and ends it where it is the last.
func (e *Engine) accept(p *pick) {
	q := p.seq
	if q.ended || p.prompt >= 0 {
		return
	}
	e.success()
	id := p.token.ID
	q.sampler.Accept(id)
	q.tokens = append(q.tokens, id)
	q.news = append(q.news, p.token)
	if q.result.First.IsZero() {
		q.result.First = e.step.stats.ended
	}
	e.stats.OutputTokens++
	e.came(p)
	e.freshen(q)
	stop, err := q.tell(id)
	switch {
	case err != nil:
		e.end(q, "", err)
	case stop || slices.Contains(q.request.Stop, id) && (len(q.Output()) > q.request.MinTokens || q.request.Constraint != nil):
		e.end(q, FinishStop, nil)
	case !q.picks():
		e.end(q, FinishLength, nil)
	}
}

// tell calls the request's functions with a token.
func (q *Sequence) tell(id int32) (stop bool, err error) {
	r := &q.request
	if r.Constraint == nil && r.OnToken == nil && r.Until == nil {
		return false, nil
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("token %d of the output: a function of the request panicked: %v", len(q.Output()), p)
		}
	}()
	if r.Constraint != nil {
		if err := r.Constraint.Accept(id); err != nil {
			return false, fmt.Errorf("token %d of the output: %w", len(q.Output()), err)
		}
	}
	if r.OnToken != nil {
		if err := r.OnToken(id); err != nil {
			return false, err
		}
	}
	return r.Until != nil && r.Until(id), nil
}
