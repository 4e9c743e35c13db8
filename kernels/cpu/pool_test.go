package cpu

import (
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// share is run or split of a pool.
type share func(n, unit int, body func(worker, lo, hi int))

// ways are the ways in which a pool shares out a loop.
func ways(p *pool) map[string]share { return map[string]share{"run": p.run, "split": p.split} }

func TestPoolRunsEveryIndexOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		threads := rapid.IntRange(1, 5).Draw(t, "threads")
		p := newPool(threads)
		defer p.close()
		for range rapid.IntRange(1, 20).Draw(t, "loops") {
			n, unit := rapid.IntRange(0, 120).Draw(t, "n"), rapid.IntRange(1, 20).Draw(t, "unit")
			way := rapid.SampledFrom([]string{"run", "split"}).Draw(t, "way")
			seen := make([]atomic.Int32, n)
			ways(p)[way](n, unit, func(worker, lo, hi int) {
				if worker < 0 || worker >= threads {
					t.Errorf("worker %d of %d", worker, threads)
				}
				if lo%unit != 0 || hi%unit != 0 && hi != n || lo >= hi {
					t.Errorf("%s: part [%d, %d) of %d in units of %d", way, lo, hi, n, unit)
				}
				for i := lo; i < hi; i++ {
					seen[i].Add(1)
				}
			})
			for i := range seen {
				if c := seen[i].Load(); c != 1 {
					t.Fatalf("%s: n %d, unit %d: index %d ran %d times", way, n, unit, i, c)
				}
			}
		}
	})
}

// A loop of more chunks than a queue can number has larger ones.
func TestPoolManyChunks(t *testing.T) {
	p := newPool(2)
	defer p.close()
	for way, do := range ways(p) {
		const n = 3*maxPieces + 5
		var sum atomic.Int64
		do(n, 1, func(_, lo, hi int) { sum.Add(int64(lo+hi-1) * int64(hi-lo)) })
		if got, want := sum.Load(), int64(n)*(n-1); got != want {
			t.Errorf("%s: twice the sum of the indices is %d, want %d", way, got, want)
		}
	}
}

// A thread that is awake begins with its own range, the i-th of those that split makes.
func TestPoolSplitRanges(t *testing.T) {
	const threads, n, align = 4, 1000, 8
	p := newPool(threads)
	defer p.close()
	for range 20 {
		var here sync.WaitGroup // all threads, each in its first part
		here.Add(threads)
		var first [threads]int
		var begun [threads]bool
		p.split(n, align, func(worker, lo, _ int) {
			if !begun[worker] {
				begun[worker], first[worker] = true, lo
				here.Done()
				here.Wait()
			}
		})
		for i, lo := range first {
			if want := n / align * i / threads * align; lo < want-align || lo > want {
				t.Errorf("thread %d begins at %d, want %d", i, lo, want)
			}
		}
	}
}

// The caller does all that a worker which is kept from running has not begun.
func TestPoolSplitTakesOver(t *testing.T) {
	const threads = 3
	p := newPool(threads)
	defer p.close()
	others := make(chan struct{}) // closed when the caller is alone
	var held, done atomic.Int32
	p.split(threads*piecesPerThread, 1, func(worker, _, _ int) {
		if worker != 0 {
			held.Add(1)
			<-others
			return
		}
		for held.Load() == 0 {
			runtime.Gosched()
		}
		if done.Add(1) == piecesPerThread+1 { // its own, and one more
			close(others)
		}
	})
}

// No two chunks run on one worker number at once, also when the workers had parked before.
func TestPoolWorkersAreExclusive(t *testing.T) {
	const threads = 4
	p := newPool(threads)
	defer p.close()
	var busy [threads]atomic.Bool
	for round := range 50 {
		if round%10 == 0 {
			waitUntilParked(p)
		}
		p.run(200, 1, func(worker, _, _ int) {
			if busy[worker].Swap(true) {
				t.Errorf("worker %d runs two chunks at once", worker)
			}
			runtime.Gosched()
			busy[worker].Store(false)
		})
	}
}

// waitUntilParked returns when every worker sleeps.
func waitUntilParked(p *pool) {
	for _, w := range p.workers {
		for !w.asleep.Load() {
			time.Sleep(time.Millisecond)
		}
	}
}

func TestPoolParksWhenIdle(t *testing.T) {
	p := newPool(3)
	defer p.close()
	p.run(100, 1, func(_, _, _ int) {})
	waitUntilParked(p) // ends, or the test times out
	var ran atomic.Int32
	p.run(100, 1, func(_, lo, hi int) { ran.Add(int32(hi - lo)) })
	if ran.Load() != 100 {
		t.Errorf("%d of 100 indices ran", ran.Load())
	}
}

// A caller that sleeps because a worker is slow is woken.
func TestPoolCallerSleeps(t *testing.T) {
	p := newPool(2)
	defer p.close()
	for range 3 {
		mine := make(chan struct{})
		p.run(2, 1, func(worker, _, _ int) {
			if worker == 0 {
				<-mine // hold the caller until the worker has the other chunk
				return
			}
			close(mine)
			for !p.caller.asleep.Load() {
				time.Sleep(time.Millisecond)
			}
		})
	}
}

func TestPoolSharedByCallers(t *testing.T) {
	p := newPool(3)
	defer p.close()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 200 {
				sum := make([]int, 64)
				p.run(len(sum), 4, func(_, lo, hi int) {
					for i := lo; i < hi; i++ {
						sum[i] = i
					}
				})
				for i, v := range sum {
					if v != i {
						t.Errorf("index %d did not run", i)
						return
					}
				}
			}
		})
	}
	wg.Wait()
}

// TestPoolPanics: a piece that panics, on the caller's goroutine or on another, does so for the caller, once all others are over;
// the pool goes on as if nothing had been.
func TestPoolPanics(t *testing.T) {
	p := newPool(3)
	defer p.close()
	for name, way := range ways(p) {
		for bad := range 60 {
			var ran atomic.Int64
			got := func() (got any) {
				defer func() { got = recover() }()
				way(60, 1, func(_, lo, hi int) {
					ran.Add(int64(hi - lo))
					if lo <= bad && bad < hi {
						panic("broken")
					}
				})
				return nil
			}()
			if text, _ := got.(string); !strings.HasPrefix(text, "broken\n") || !strings.Contains(text, "TestPoolPanics") || ran.Load() != 60 {
				t.Fatalf("%s: %v after %d of 60", name, got, ran.Load())
			}
			ran.Store(0)
			way(60, 1, func(_, lo, hi int) { ran.Add(int64(hi - lo)) })
			if ran.Load() != 60 {
				t.Fatalf("%s: the loop after a panic ran %d of 60", name, ran.Load())
			}
		}
	}
}

func TestPoolRunsAfterClose(t *testing.T) {
	p := newPool(2)
	p.close()
	p.close()
	ran := 0
	p.run(10, 1, func(_, lo, hi int) { ran += hi - lo })
	if ran != 10 {
		t.Errorf("%d of 10 indices ran", ran)
	}
}

func TestPoolDoesNotAllocate(t *testing.T) {
	p := newPool(2)
	defer p.close()
	var sink [64]int
	body := func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			sink[i]++
		}
	}
	if n := testing.AllocsPerRun(100, func() { p.run(len(sink), 4, body) }); n > 0 {
		t.Errorf("%g allocations for a loop", n)
	}
}

// BenchmarkPoolEmptyLoop is what it costs to start a loop on all threads, and to meet at its end. In "hot" the worker
// has a part of it each time; "alone" is the same without a second thread.
func BenchmarkPoolEmptyLoop(b *testing.B) {
	p := newPool(2)
	defer p.close()
	b.ReportAllocs()
	for way, do := range ways(p) {
		b.Run(way, func(b *testing.B) {
			body := func(_, _, _ int) {}
			for b.Loop() {
				do(2, 1, body)
			}
		})
	}
	b.Run("hot", func(b *testing.B) {
		var flag [2]struct {
			atomic.Int64
			_ [cacheLine - 8]byte
		}
		round := int64(0)
		// Each thread waits for the other one to be there: a loop that both take part in, and no work.
		body := func(worker, _, _ int) {
			flag[worker].Store(round)
			for flag[1-worker].Load() != round {
				pause()
			}
		}
		for b.Loop() {
			round++
			p.split(2, 1, body)
		}
	})
}
