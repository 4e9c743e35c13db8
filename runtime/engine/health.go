package engine

import (
	"fmt"
	"runtime/debug"

	"github.com/glmc/glmc/runtime/exec"
)

// mostFailures is how many sequences may fail one after the other, by their steps or by logits that are no numbers, before a loop
// tries whether the engine works at all.
const mostFailures = 3

// trying finds out whether an engine can go on. That some requests fail does not say so: they may be to blame, and whoever sends
// them again and again must not take a server away from everybody. So when several failed in a row and nobody got a token
// meanwhile, the loop runs a request of its own, of one token, whose prompt has nothing that could be wrong. Only when that fails too is the engine
// said to be dead. From then on it is tried again whenever somebody asks, so that trouble that passes is over.
type trying struct {
	trial *Sequence // that runs, or waits to; nil: none

	// Of Loop.mu:
	asked bool  // it is to be tried again
	dead  error // why the engine cannot go on; nil: it can
	gone  bool  // and never will, because its goroutine has ended
}

// failure counts a sequence that failed and cannot be told apart from one that any engine would fail.
func (e *Engine) failure() { e.failures++ }

// success says that the engine works: a sequence got a token, or had its prompt computed.
func (e *Engine) success() { e.failures = 0 }

// Healthy says why the engine cannot go on; nil where it can. It is meant to be asked again and again, and while there is an error, each
// time has the engine tried once more.
func (l *Loop) Healthy() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.try.dead != nil && !l.try.gone && !l.try.asked {
		l.try.asked = true
		l.poke()
	}
	return l.try.dead
}

// examine begins a trial where one is due, and takes what came of the last. It is called between two steps.
func (l *Loop) examine() {
	e, t := l.engine, &l.try
	if q := t.trial; q != nil {
		if q.ended {
			t.trial = nil
			l.judge(q.result.Err)
		}
		return
	}
	l.mu.Lock()
	due := t.asked || t.dead == nil && e.failures >= mostFailures
	t.asked = false
	l.mu.Unlock()
	if !due {
		return
	}
	q, err := e.newSequence(Request{Prompt: []int32{0}, MaxTokens: 1, Priority: -mostLevels})
	if err != nil {
		return // the model has a single position, and nothing can be said
	}
	q.trial, q.private = true, true
	t.trial = q
	e.enqueue(q)
}

// judge takes what a trial came to.
func (l *Loop) judge(err error) {
	if err != nil {
		err = fmt.Errorf("several requests failed in a row, and so does one of a single token: %w", err)
	}
	l.mu.Lock()
	l.try.dead = err
	l.mu.Unlock()
}

// collapse ends all requests where the engine's goroutine has panicked, which is a mistake of ours. Nothing can be said of what the engine
// holds then, and it is not used any more.
func (l *Loop) collapse() {
	reason := recover()
	if reason == nil {
		return
	}
	err := &exec.Panic{Kernel: "the engine", Reason: fmt.Sprint(reason), Stack: string(debug.Stack())}
	l.interrupt()
	l.mu.Lock()
	l.try.dead, l.try.gone = err, true
	open := l.open
	l.open = nil
	l.stats.Running, l.stats.Waiting, l.arrivals = 0, 0, nil
	if l.idle != nil && len(open) > 0 {
		close(l.idle)
	}
	l.mu.Unlock()
	for s := range open {
		s.fail(err)
	}
}

// fail ends the stream, whatever has become of its sequence.
func (s *Stream) fail(err error) {
	s.mu.Lock()
	s.ended, s.result.Err = true, err
	s.mu.Unlock()
	select {
	case s.more <- struct{}{}:
	default:
	}
	s.detach()
}
