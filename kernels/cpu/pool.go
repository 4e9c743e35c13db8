package cpu

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// pool runs loops on a fixed set of goroutines and the caller.
//
// A step of generation is a chain of some hundred loops of a few dozen microseconds each. Starting goroutines
// for each loop, or waking them through channels, costs as much again; so workers spin for a moment after a
// loop, in the hope of the next one, and park only when none comes. A parked pool uses no CPU time.
//
// A loop is cut into pieces, which wait in queues. There are two ways to share them out. run has one queue, and
// whoever is free takes its next piece: for work of which nobody knows how long a piece takes. split has a queue for
// each thread, with a contiguous part of the loop: for weights that are read from memory once, which comes fastest as
// one long stream for each thread, and which lie near the thread that always reads them, on machines where memory is
// nearer to some threads than to others.
//
// The caller takes pieces too and never waits for a worker to wake up, or for one that another process keeps off
// its core: who has done its own pieces takes those of the others that are not begun. A loop ends when its pieces are
// done, whoever did them.
type pool struct {
	mu      sync.Mutex // held by the caller whose loop runs
	workers []*parker
	caller  *parker
	stopped sync.WaitGroup
	closed  atomic.Bool

	// The loop that runs. It is written before the queues are filled, and read only by who took a piece of it; so it is
	// at rest as long as anybody reads it.
	loop   loop
	shared queue   // of run
	queues []queue // of split: of each thread, the caller's first

	_      [cacheLine]byte // what workers spin on changes once for a loop
	number atomic.Uint32   // of the loop
	_      [cacheLine]byte
	undone atomic.Int64 // pieces not yet known to be finished
	failed atomic.Pointer[failure]
}

// failure is a panic of a piece, on whichever goroutine. The caller of the loop has it when all pieces are over: a worker's
// would end the process, and the caller's own would leave others at work on what it gives away.
type failure struct{ reason any }

// recovered is a panic of a piece as the loop's caller sees it: with the place where it came from.
func recovered(reason any) *failure {
	return &failure{fmt.Sprintf("%v\n\n%s", reason, debug.Stack())}
}

// cacheLine is two lines: some processors fetch them in pairs.
const cacheLine = 128

// loop is [0, n) in units of some indices, cut into pieces of as many units, but for one.
type loop struct {
	body          func(worker, lo, hi int)
	n, unit       int
	units, pieces int
}

// do runs a piece.
func (l *loop) do(worker, piece int) {
	lo := l.units * piece / l.pieces * l.unit
	hi := l.units * (piece + 1) / l.pieces * l.unit
	l.body(worker, lo, min(hi, l.n))
}

// maxPieces is how many pieces a queue can number.
const maxPieces = 1<<16 - 1

// queue holds the pieces [first, last) of a loop. Taking one is an exchange of the whole state, which fails when the
// queue belongs to a later loop by now, because it has the loop's number.
type queue struct {
	state atomic.Uint64 // number of the loop << 32 | first << 16 | last
	_     [cacheLine - 8]byte
}

func (q *queue) fill(number uint32, first, last int) {
	q.state.Store(uint64(number)<<32 | uint64(first)<<16 | uint64(last))
}

// take takes the first piece, or the last one.
func (q *queue) take(fromEnd bool) (piece int, ok bool) {
	for {
		s := q.state.Load()
		first, last := int(uint16(s>>16)), int(uint16(s))
		if first == last {
			return 0, false
		}
		piece, next := first, s+1<<16
		if fromEnd {
			piece, next = last-1, s-1
		}
		if q.state.CompareAndSwap(s, next) {
			return piece, true
		}
	}
}

// newPool starts threads-1 goroutines. Close stops them.
func newPool(threads int) *pool {
	p := &pool{caller: newParker(), queues: make([]queue, max(threads, 1))}
	for i := 1; i < threads; i++ {
		w := newParker()
		p.workers = append(p.workers, w)
		p.stopped.Go(func() { p.work(i, w) })
	}
	return p
}

// close stops the workers and waits for them. Loops that follow run on their callers alone.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed.Store(true)
	for _, w := range p.workers {
		w.wake()
	}
	p.stopped.Wait()
	p.workers = nil
}

// run calls body for chunks [lo, hi) of [0, n), of grain indices but for the last one, and returns when all
// have returned. Threads take the chunks in ascending order, whoever is free the next one. Where there would be more
// than maxPieces, chunks are larger.
//
// Several goroutines may be in body at once, each with its own worker number below the number of threads. What body
// computes for an index must not depend on the chunk that it comes in.
//
// Where another caller's loop is running, this one's runs without help, in one chunk.
func (p *pool) run(n, grain int, body func(worker, lo, hi int)) {
	chunks := (n + grain - 1) / grain
	if !p.begin(n, chunks, body) {
		return
	}
	defer p.mu.Unlock()
	p.loop = loop{body: body, n: n, unit: grain, units: chunks, pieces: min(chunks, maxPieces)}
	number := p.number.Load() + 1
	p.undone.Store(int64(p.loop.pieces))
	p.shared.fill(number, 0, p.loop.pieces)
	p.finish(number, min(len(p.workers), p.loop.pieces-1))
}

// piecesPerThread is into how many pieces split cuts a thread's part: as many as let the others help a thread that is
// kept from running, without a share in the time of small loops.
const piecesPerThread = 8

// split calls body for parts [lo, hi) of [0, n) that begin at multiples of align, as run does. The i-th thread has the
// i-th of as many contiguous ranges, all alike up to align; it goes through it in ascending order, and then takes what
// other threads have not begun, from the ends of their ranges. With the same n and align a thread has the same range.
func (p *pool) split(n, align int, body func(worker, lo, hi int)) {
	units := (n + align - 1) / align
	if !p.begin(n, units, body) {
		return
	}
	defer p.mu.Unlock()
	threads := len(p.queues)
	p.loop = loop{body: body, n: n, unit: align, units: units, pieces: min(units, piecesPerThread*threads, maxPieces)}
	number := p.number.Load() + 1
	p.undone.Store(int64(p.loop.pieces))
	for i := range p.queues {
		p.queues[i].fill(number, p.loop.pieces*i/threads, p.loop.pieces*(i+1)/threads)
	}
	p.finish(number, len(p.workers))
}

// begin reports whether a loop of so many units is to be shared; the pool is the caller's then. Otherwise it has run.
func (p *pool) begin(n, units int, body func(worker, lo, hi int)) bool {
	if units > 1 && len(p.queues) > 1 && p.mu.TryLock() {
		if len(p.workers) > 0 {
			return true
		}
		p.mu.Unlock() // closed
	}
	if n > 0 {
		body(0, 0, n)
	}
	return false
}

// finish lets workers at the loop whose pieces are in the queues, takes part, and waits for the end. So many of the
// workers are woken if they sleep.
func (p *pool) finish(number uint32, wake int) {
	p.number.Store(number)
	for _, w := range p.workers[:wake] {
		w.wake()
	}
	p.help(0)
	if p.undone.Load() != 0 {
		p.caller.wait(func() bool { return p.undone.Load() == 0 })
	}
	p.loop.body = nil
	if f := p.failed.Swap(nil); f != nil {
		panic(f.reason)
	}
}

// help does pieces until none is left to take: the worker's own, then those of the threads behind it, round to
// itself. That they are done is told once for all of them, for the count moves from core to core.
func (p *pool) help(worker int) {
	done := 0
	for !p.some(worker, &done) { // one panicked: others may be left
	}
	if done > 0 && p.undone.Add(int64(-done)) == 0 && worker != 0 {
		p.caller.wake()
	}
}

// some does pieces until none is left, or one panics, and counts those that are over.
func (p *pool) some(worker int, done *int) (all bool) {
	defer func() {
		if x := recover(); x != nil {
			*done++
			p.failed.CompareAndSwap(nil, recovered(x))
		}
	}()
	p.drain(worker, &p.shared, false, done)
	p.drain(worker, &p.queues[worker], false, done)
	for i := 1; i < len(p.queues); i++ {
		// From the end: the owner goes on with its one stream.
		p.drain(worker, &p.queues[(worker+i)%len(p.queues)], true, done)
	}
	return true
}

// drain does the pieces of a queue.
func (p *pool) drain(worker int, q *queue, fromEnd bool, done *int) {
	for {
		piece, ok := q.take(fromEnd)
		if !ok {
			return
		}
		p.loop.do(worker, piece)
		*done++
	}
}

func (p *pool) work(worker int, w *parker) {
	var seen uint32 // number of the last loop that nothing is left of
	ready := func() bool { return p.number.Load() != seen || p.closed.Load() }
	for {
		w.wait(ready)
		if p.closed.Load() {
			return
		}
		seen = p.number.Load()
		p.help(worker)
	}
}

// parker lets one goroutine wait for a condition that others make true: spinning first, then asleep.
type parker struct {
	asleep atomic.Bool
	token  chan struct{} // holds a token only between a wake that found asleep set and the sleeper's return
}

func newParker() *parker { return &parker{token: make(chan struct{}, 1)} }

const (
	// spinTime is longer than the pauses between the loops of a step and between most steps, and as long as it takes
	// to wake a sleeper: who spins longer than that loses more than it can win.
	spinTime = 200 * time.Microsecond
	// spinLoads is how often the condition is tried before the processor is offered to other goroutines,
	// which there are when several ranks or a server run in one process: some microseconds.
	spinLoads = 100
)

// wait returns when ready does return true. Whoever makes it true calls wake afterwards.
func (p *parker) wait(ready func() bool) {
	for {
		for start := time.Now(); ; {
			for range spinLoads {
				if ready() {
					return
				}
				pause()
			}
			if time.Since(start) > spinTime {
				break
			}
			runtime.Gosched()
		}
		p.asleep.Store(true)
		// A wake before this point saw a goroutine that was awake: look again before going to sleep.
		if ready() && p.asleep.CompareAndSwap(true, false) {
			return
		}
		<-p.token
	}
}

// wake ends the sleep of the goroutine in wait, if it sleeps.
func (p *parker) wake() {
	if p.asleep.Load() && p.asleep.CompareAndSwap(true, false) {
		p.token <- struct{}{}
	}
}
