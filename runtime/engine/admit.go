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
		if !e.place(q) {
			return
		}
		e.waiting, _ = remove(e.waiting, q)
		if q.ended {
			continue
		}
		e.running = insert(e.running, q)
		if q.result.Scheduled.IsZero() {
			q.result.Scheduled, q.result.Cached = e.step.stats.Start, q.computed
		}
		e.chunk(q)
	}
}

// place gives a waiting sequence pages for what it has to run, and takes them from sequences of lower priority where it has to.
func (e *Engine) place(q *Sequence) bool {
	for len(e.running) >= e.options.MaxRunning {
		if !e.outrank(q) {
			return false
		}
	}
	for !e.open(q) {
		if len(e.running) == 0 { // it was accepted because it has room alone
			e.end(q, "", fmt.Errorf("%d tokens: the pages of %d were given away", len(q.tokens), e.exec.Pages()))
			return true
		}
		if !e.outrank(q) {
			return false
		}
	}
	return true
}

// outrank preempts the last of the running sequences, where it comes a level of priority behind a waiting one at least and is not in
// the step yet. Sequences of one priority do not chase each other, and of two only ever one the other.
func (e *Engine) outrank(q *Sequence) bool {
	last := e.running[len(e.running)-1]
	if last.rank.due-q.rank.due < int64(e.options.Patience) || e.step.has(last) {
		return false
	}
	e.preempt(last)
	return true
}

// open gives a sequence its pages, those of the prefix cache first. Beside them as many have to be free as sequences run, each of
// which may need one soon: to let one in and then preempt another would be work for nothing.
func (e *Engine) open(q *Sequence) bool {
	there := e.pool.Free() + e.pool.Cached()
	if there <= q.refused && e.stats.Steps < q.retry {
		return false
	}
	attached, cached := 0, 0
	if !q.private {
		attached, cached = e.pool.Lookup(q.namespace(), q.tokens)
	}
	want := pagesFor(len(q.tokens), e.pool.PageSize()) - attached/e.pool.PageSize() + len(e.running)
	if want > there-cached {
		q.refused, q.retry = there, e.stats.Steps+retryAfter
		return false
	}
	q.kv = e.pool.NewSequence()
	if !q.private {
		q.computed = q.kv.Match(q.namespace(), q.tokens)
	}
	if err := q.kv.Grow(len(q.tokens)); err != nil {
		panic(fmt.Sprintf("engine: %d pages are free or cached, %d are wanted: %v", there-cached, want, err))
	}
	return true
}

// retryAfter is the number of steps after which a sequence that found no room looks for prefixes again. It does so at once
// when there are more pages.
const retryAfter = 16

// namespace is where the sequence shares pages.
func (q *Sequence) namespace() kv.Namespace { return kv.Namespace{Salt: q.request.Salt} }

// awaits reports whether a sequence waits for one that computes a prefix of it right now, and would find its pages in
// the cache a few steps later. It waits only for those that come before it by rank, so that none waits in a circle, and for
// those only while they run.
func (e *Engine) awaits(q *Sequence) bool {
	if q.private {
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
		if a.private || a.left() < 2 || a.request.Salt != q.request.Salt {
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
