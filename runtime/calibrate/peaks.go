package calibrate

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/glmc/glmc/kernels/cpu"
)

// Peaks are what a machine does at most with some threads: bytes that they read from memory and operations of which they
// do nothing else, a second. A multiplication and an addition are two operations.
type Peaks struct {
	ReadBytes float64 // see Reader
	F32       float64 // of float32
	BF16Dot   float64 // of dot products of bfloat16; 0: the processor has no instruction for them
	Int8Dot   float64 // of dot products of int8; 0 likewise
}

// PeakMeter measures peaks again and again, so that kernels can be compared with them in one run.
type PeakMeter struct {
	reader *Reader
	meters cpu.Meters
}

// NewPeakMeter takes a buffer of size bytes to read, which should be more than the caches hold: Full.Buffer. Close
// gives it back.
func NewPeakMeter(size, threads int) *PeakMeter {
	return &PeakMeter{reader: NewReader(size, threads), meters: cpu.NewMeters()}
}

// Close gives the buffer back.
func (m *PeakMeter) Close() error { return m.reader.Close() }

// Sample measures each of the peaks for at least as long as d, one after the other.
func (m *PeakMeter) Sample(d time.Duration) Peaks {
	return Peaks{
		ReadBytes: m.reader.Rate(d),
		F32:       m.rate(m.meters.F32, d),
		BF16Dot:   m.rate(m.meters.BF16, d),
		Int8Dot:   m.rate(m.meters.Int8, d),
	}
}

func (m *PeakMeter) rate(meter *cpu.Meter, d time.Duration) float64 {
	if meter == nil {
		return 0
	}
	return together(len(m.reader.parts), d, func(int) float64 { return meter.Run() })
}

// together has as many threads do something for at least as long as d, at least once each, and returns how much of it
// they do a second. do returns how much one call did. They begin together, and nobody waits for another in between: what
// another process takes from one thread does not hold up the others.
func together(threads int, d time.Duration, do func(thread int) float64) float64 {
	var here atomic.Int64
	var all sync.WaitGroup
	runs := make([]timedRun, threads)
	for i := range runs {
		all.Go(func() {
			for here.Add(1); here.Load() < int64(threads); {
				runtime.Gosched() // awake: to wake up takes as long as a short sample
			}
			r := timedRun{start: time.Now()}
			for r.amount == 0 || r.end.Sub(r.start) < d {
				r.amount += do(i)
				r.end = time.Now()
			}
			runs[i] = r
		})
	}
	all.Wait()
	amount, start, end := 0.0, runs[0].start, runs[0].end
	for _, r := range runs {
		amount += r.amount
		if r.start.Before(start) {
			start = r.start
		}
		if r.end.After(end) {
			end = r.end
		}
	}
	return amount / max(end.Sub(start), time.Nanosecond).Seconds()
}

// timedRun is what a thread did of something, and when.
type timedRun struct {
	amount     float64
	start, end time.Time
}
