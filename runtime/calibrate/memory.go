package calibrate

import (
	"sync"
	"time"
)

// bandwidth is the rate at which all threads read one buffer, each its own part.
func (m *meter) bandwidth(threads int) (float64, error) {
	r := NewReader(m.effort.Buffer, threads)
	seconds, err := m.median(func() error {
		r.read()
		return nil
	})
	return r.bytes() / seconds, err
}

// Reader measures how fast threads read memory, again and again, for those who compare something with it: on a machine
// that is shared it changes from minute to minute.
type Reader struct {
	words []uint64
	sums  []uint64 // of each thread
}

// NewReader takes a buffer of size bytes, which should be more than the caches hold.
func NewReader(size, threads int) *Reader {
	r := &Reader{words: make([]uint64, size/8), sums: make([]uint64, threads)}
	for i := range r.words {
		r.words[i] = uint64(i) // a page that was never written is the same one everywhere, and in the cache
	}
	return r
}

// Rate reads the buffer for at least as long as sample, once at the least, and returns the bytes a second.
func (r *Reader) Rate(sample time.Duration) float64 {
	times := 0
	start := time.Now()
	for times == 0 || time.Since(start) < sample {
		r.read()
		times++
	}
	return r.bytes() * float64(times) / time.Since(start).Seconds()
}

func (r *Reader) bytes() float64 { return float64(8 * len(r.words)) }

// read reads the buffer once, each thread its own part.
func (r *Reader) read() {
	var all sync.WaitGroup
	n := len(r.sums)
	for i := range n {
		part := r.words[len(r.words)*i/n : len(r.words)*(i+1)/n]
		all.Go(func() { r.sums[i] += sum(part) })
	}
	all.Wait()
}

// sum adds eight words at a time, so that the loop waits for memory and not for its own sums.
func sum(words []uint64) uint64 {
	var a, b, c, d uint64
	for len(words) >= 8 {
		w := words[:8:8]
		a += w[0] + w[4]
		b += w[1] + w[5]
		c += w[2] + w[6]
		d += w[3] + w[7]
		words = words[8:]
	}
	return a + b + c + d
}
