//go:build unix

package cpu

import (
	"syscall"
	"testing"
	"time"
)

// cpuTime is what this process has used of all processors so far.
func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// A pool that has nothing to do uses no processor: less than a twentieth of one in the best of some periods, where a
// worker that went on spinning would use a whole one.
func TestPoolIdleUsesNoTime(t *testing.T) {
	p := newPool(3)
	defer p.close()
	const period = 300 * time.Millisecond
	best := period
	for range 5 {
		p.split(1000, 1, func(_, _, _ int) {})
		before := cpuTime(t)
		time.Sleep(period)
		if best = min(best, cpuTime(t)-before); best < period/20 {
			return
		}
	}
	t.Errorf("idle for %v, the process used %v of the processors", period, best)
}
