package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// Errors of Submit, beside ErrTooLong. Any other says what is wrong with the request.
var (
	ErrBusy   = errors.New("too many requests wait") // MaxWaiting of them
	ErrClosed = errors.New("the engine is ending")   // after Drain or Close
)

// Loop drives an engine for requests that come at any time. One goroutine owns the engine; another runs the device, so that what
// the host has to do for a step happens beside the one before. All methods may be called from any goroutine.
type Loop struct {
	engine    *Engine
	ctx       context.Context // done by Close
	cancel    context.CancelFunc
	steps     context.Context // of steps, one after the other, until it is done
	interrupt context.CancelFunc
	wake      chan struct{}  // holds one: there is something in the inbox
	both      sync.WaitGroup // the two goroutines

	step, stepped chan struct{} // the device's turn, and the engine's

	mu       sync.Mutex
	arrivals []*Stream            // that were submitted and not taken yet
	leaving  []*Stream            // whose request nobody wants any more
	draining bool                 // nothing is submitted any more
	open     map[*Stream]struct{} // that have not ended
	idle     chan struct{}        // made by Drain, closed when no stream is open
	stats    Stats
	full     bool // the last step had no place for some that wait; those who came since may have one

	came, left []*Stream // the inbox as the engine's goroutine has it
	ended      []*Stream // memory for those that ended in a step
	try        trying
}

// NewLoop starts a loop. Nobody else may use the engine until Close has returned.
func NewLoop(e *Engine) *Loop {
	l := &Loop{engine: e, wake: make(chan struct{}, 1), step: make(chan struct{}), open: map[*Stream]struct{}{},
		stepped: make(chan struct{}, 1)} // the device need not wait for an engine that has panicked
	l.ctx, l.cancel = context.WithCancel(context.Background())
	l.steps, l.interrupt = context.WithCancel(l.ctx)
	l.stats = e.Stats()
	l.both.Go(l.device)
	l.both.Go(l.run)
	return l
}

// Submit hands over a request, which ends when ctx does. Whoever submitted it reads the stream to its end, or cancels it.
func (l *Loop) Submit(ctx context.Context, r Request) (*Stream, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	q, err := l.engine.newSequence(r)
	if err != nil {
		return nil, err
	}
	s := &Stream{loop: l, seq: q, more: make(chan struct{}, 1)}
	q.stream = s
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.ready(); err != nil {
		return nil, err
	}
	l.open[s] = struct{}{}
	l.arrivals = append(l.arrivals, s)
	s.detach = context.AfterFunc(ctx, func() { s.leave(context.Cause(ctx)) })
	l.poke()
	return s, nil
}

// admits reports whether one request more may wait, or need not.
func (l *Loop) admits() bool {
	most := l.engine.options.MaxWaiting
	if most == 0 {
		return true
	}
	if !l.full {
		most += l.engine.options.MaxRunning - l.stats.Running
	}
	return l.stats.Waiting+len(l.arrivals) < most
}

// Ready says whether a request would be taken now: ErrBusy or ErrClosed where not. It is for those who have work to do before they can
// submit one.
func (l *Loop) Ready() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ready()
}

func (l *Loop) ready() error {
	switch {
	case l.draining:
		return ErrClosed
	case l.try.gone:
		return l.try.dead
	case !l.admits():
		return fmt.Errorf("%w: %d", ErrBusy, l.stats.Waiting+len(l.arrivals))
	}
	return nil
}

// Most is how many requests there can be at a time, those that wait included; 0: any number. More than that at once are ErrBusy however
// often they are tried.
func (l *Loop) Most() int {
	o := &l.engine.options
	if o.MaxWaiting == 0 {
		return 0
	}
	return o.MaxWaiting + o.MaxRunning
}

// poke wakes the engine's goroutine.
func (l *Loop) poke() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Stats returns the engine's state as it was behind the last step, with the requests that came since.
func (l *Loop) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.stats
	s.Waiting += len(l.arrivals)
	return s
}

// Drain takes no requests any more, and waits until those that there are have ended, or for ctx.
func (l *Loop) Drain(ctx context.Context) error {
	l.mu.Lock()
	l.draining = true
	if l.idle == nil {
		l.idle = make(chan struct{})
		if len(l.open) == 0 {
			close(l.idle)
		}
	}
	idle := l.idle
	l.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("requests are still running: %w", context.Cause(ctx))
	}
}

// Close ends all requests with ErrClosed, and waits for the loop's goroutines.
func (l *Loop) Close() error {
	l.mu.Lock()
	l.draining = true
	l.mu.Unlock()
	l.cancel()
	l.both.Wait()
	return nil
}

// device runs steps when it is its turn.
func (l *Loop) device() {
	for range l.step {
		l.engine.execute(l.steps)
		l.stepped <- struct{}{}
	}
}

// run is the engine's goroutine.
func (l *Loop) run() {
	defer close(l.step)
	defer l.collapse()
	e := l.engine
	for l.take() {
		if !e.begin() {
			l.deliver()
			continue
		}
		l.step <- struct{}{}
		// Beside the device: what the steps before gave goes to its readers, what this one's tokens may be is found out, and who
		// came in the meantime is put in line.
		l.deliver()
		e.prepare()
		l.arrive()
		if !l.await() {
			continue
		}
		e.finish()
		if !e.pending() || e.drafting() {
			l.deliver() // nobody waits for guesses
		}
		leaving := len(e.leaving) > 0
		e.propose(l.steps)
		if leaving {
			l.count()
		}
	}
	l.interrupt()
	l.abandon()
}

// await waits for the device. False where the step was broken off, because nobody wants anything of it any more: a chunk of a
// prompt may take seconds, in which others could run.
func (l *Loop) await() bool {
	for {
		select {
		case <-l.stepped:
			if l.steps.Err() == nil {
				return true
			}
			if l.ctx.Err() == nil {
				l.steps, l.interrupt = context.WithCancel(l.ctx)
			}
			return l.engine.step.err == nil
		case <-l.wake:
			l.arrive()
			if l.unwanted() {
				l.interrupt()
			}
		}
	}
}

// unwanted reports whether all requests in the step have been given up.
func (l *Loop) unwanted() bool {
	for i := range l.engine.step.parts {
		if s := l.engine.step.parts[i].seq.stream; s == nil || s.reason() == nil {
			return false
		}
	}
	return true
}

// take moves the inbox over, between two steps. Where there is nothing to do, it waits. False after Close.
func (l *Loop) take() bool {
	e := l.engine
	for {
		// Who leaves has arrived: so it is read first.
		l.mu.Lock()
		l.left, l.leaving = l.leaving, l.left[:0]
		l.mu.Unlock()
		l.arrive()
		for _, s := range l.left {
			e.Abort(s.seq, s.reason())
		}
		clear(l.left)
		l.examine()
		if len(e.fresh) > 0 && !e.pending() {
			l.deliver()
		}
		if e.pending() {
			return l.ctx.Err() == nil
		}
		select {
		case <-l.wake:
		case <-l.ctx.Done():
			return false
		}
	}
}

// arrive puts requests in line that were submitted.
func (l *Loop) arrive() {
	l.mu.Lock()
	l.came, l.arrivals = l.arrivals, l.came[:0]
	l.stats.Waiting += len(l.came)
	l.mu.Unlock()
	for _, s := range l.came {
		l.engine.enqueue(s.seq)
	}
	clear(l.came)
}

// count makes the engine's state known.
func (l *Loop) count() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stats = l.engine.Stats()
	l.full = l.engine.step.stats.Waiting > 0 && l.stats.Waiting > 0
}

// deliver gives readers what is new. Who sees a request end sees it in Stats as well.
func (l *Loop) deliver() {
	e := l.engine
	l.count()
	ended := l.ended[:0]
	for _, q := range e.fresh {
		if q.stream != nil && q.stream.push(q) {
			ended = append(ended, q.stream)
		}
	}
	e.forget()
	if l.ended = ended; len(ended) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range ended {
		delete(l.open, s)
	}
	clear(ended)
	if len(l.open) == 0 && l.idle != nil {
		close(l.idle)
	}
}

// abandon ends all requests that there are. Nothing is submitted any more.
func (l *Loop) abandon() {
	e := l.engine
	l.arrive()
	for _, list := range [][]*Sequence{e.running, e.waiting} {
		for len(list) > 0 {
			last := list[len(list)-1]
			list = list[:len(list)-1]
			e.Abort(last, ErrClosed)
		}
	}
	l.deliver()
}
