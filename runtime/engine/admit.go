package engine

import (
	"fmt"
	"slices"

	"github.com/glmc/glmc/runtime/kv"
)

// admit lets those run that wait, by rank, as far as the step has room for tokens of theirs and the cache for their prompts.
// Where one has no room, none behind it gets in.
func (e *Engine) admit() {
	for i := 0; i < len(e.waiting) && e.step.budget > 0; {
		q := e.waiting[i]
		if e.awaits(q) {
			i++
			continue
		}
		if len(e.running) >= e.options.MaxRunning || e.lacking(q) > 0 {
			return
		}
		e.waiting = slices.Delete(e.waiting, i, i+1)
		e.running = insert(e.running, q)
		e.open(q)
		e.chunk(q)
	}
}

// yield makes room for the first of those that wait, where others run that come behind it because of their priority: the last of
// them lose their pages. Sequences of one priority do not chase each other, and of two only ever one the other. Nobody has to go
// if that is not enough.
func (e *Engine) yield() {
	if len(e.waiting) == 0 {
		return
	}
	q := e.waiting[0]
	behind, pages := 0, 0 // that may go, and what they hold
	for i := len(e.running) - 1; i >= 0; i-- {
		a := e.running[i]
		if a.request.Priority <= q.request.Priority || a.rank.compare(q.rank) < 0 {
			break
		}
		behind++
		pages += len(a.kv.Pages())
	}
	if behind == 0 || e.awaits(q) {
		return
	}
	lacking := e.lacking(q)
	if lacking > pages {
		return
	}
	for ; behind > 0 && (len(e.running) >= e.options.MaxRunning || lacking > 0); behind-- {
		e.preempt(e.running[len(e.running)-1])
		lacking = e.lacking(q)
	}
}

// lacking is how many pages a waiting sequence lacks; 0 or less: it can be let in. Beside its own, as many have to be free as sequences
// run, each of which may need one soon: to let one in and then preempt another would be work for nothing. Those that are held ask
// for none before all are in, and Together has counted what they need: were theirs asked for too, nothing would ever go on.
func (e *Engine) lacking(q *Sequence) int {
	there := e.pool.Free() + e.pool.Cached()
	if q.refused > 0 && there <= q.there && e.stats.Steps < q.retry {
		return q.refused
	}
	attached, cached := 0, 0
	if q.takes() {
		attached, cached = e.pool.Lookup(q.namespace(), q.tokens)
	}
	size := e.pool.PageSize()
	want := pagesFor(len(q.tokens), size) - attached/size
	for _, r := range e.running {
		if !r.held {
			want++
		}
	}
	q.refused, q.there, q.retry = want-(there-cached), there, e.stats.Steps+retryAfter
	return q.refused
}

// open gives a sequence that runs from now on its pages, those of the prefix cache first.
func (e *Engine) open(q *Sequence) {
	q.kv = e.pool.NewSequence()
	switch {
	case q.takes():
		e.match(q)
	case !q.private:
		q.kv.Join(q.namespace())
	}
	e.startGuesses(q)
	if err := q.kv.Grow(len(q.tokens)); err != nil {
		panic(fmt.Sprintf("engine: there were pages enough: %v", err))
	}
	if q.result.Scheduled.IsZero() {
		q.result.Scheduled = e.step.stats.Start
	}
}

// retryAfter is the number of steps after which a sequence that found no room looks for prefixes again. It does so at once
// when there are more pages.
const retryAfter = 16

// match takes what the prefix cache has of a sequence, which may be more than when it began.
func (e *Engine) match(q *Sequence) {
	n := q.kv.Match(q.namespace(), q.tokens)
	q.drafted = max(q.drafted, n)
	if n <= q.computed {
		return
	}
	if q.result.Preempted == 0 {
		q.result.Cached += min(n, len(q.request.Prompt)) - q.computed
	}
	q.computed = n
}

// takes reports whether the sequence takes pages from the prefix cache. Whoever wants logits of the whole prompt has it computed.
func (q *Sequence) takes() bool { return !q.private && !q.request.everyRow() }

// namespace is where the sequence shares pages.
func (q *Sequence) namespace() kv.Namespace {
	return kv.Namespace{Salt: q.request.Salt, State: q.state}
}

// awaits reports whether a sequence waits for one that computes a prefix of it right now, and would find its pages in
// the cache a few steps later. It waits only for those that come before it by rank, so that none waits in a circle, and for
// those only while they run.
func (e *Engine) awaits(q *Sequence) bool {
	if !q.takes() {
		return false
	}
	if a := q.ahead; a != nil && a.kv != nil && a.computed < q.until {
		return true
	}
	q.ahead = nil
	for _, a := range e.running {
		if a.rank.compare(q.rank) > 0 {
			break
		}
		if a.private || a.left() < 2 || a.request.Salt != q.request.Salt || q.state != "" && a.state != q.state {
			continue
		}
		if n := e.common(a.tokens, q.tokens); n > a.computed {
			if q.ahead == nil || n > q.until {
				q.ahead, q.until = a, n
			}
		}
	}
	return q.ahead != nil
}

// common is how many tokens two sequences have in common that the second can take from the cache: whole pages, and not its last
// token.
func (e *Engine) common(a, b []int32) int {
	size := e.pool.PageSize()
	most := min(len(a), len(b)-1) / size * size
	n := 0
	for n < most && slices.Equal(a[n:n+size], b[n:n+size]) {
		n += size
	}
	return n
}
