package calibrate

import (
	"time"

	"github.com/glmc/glmc/kernels/cpu"
	"github.com/glmc/glmc/runtime/hugepages"
)

// Reader measures how fast threads read memory, again and again, for those who compare something with it: on a machine
// that is shared it changes from minute to minute.
//
// It reads as the fastest kernel would: a contiguous part for each thread, from its beginning to its end, in whole
// registers, from memory in huge pages outside of Go's heap. On two Zen 5 cores that gives a fifth more than a loop in Go
// over a slice, and as much as a C program.
type Reader struct {
	parts  []part // of each thread
	region *hugepages.Region
}

// part is the memory of a thread, and how far it has read.
type part struct {
	memory []byte
	at     int
}

// NewReader takes a buffer of size bytes, which should be more than the caches hold. Close gives it back.
func NewReader(size, threads int) *Reader {
	region, err := hugepages.New(int64(size))
	if err != nil {
		region = nil // Go's heap, which is slower
	}
	memory := hugepages.Make[byte](region, size)
	for i := range memory {
		memory[i] = 1 // a page that was never written is the same one everywhere, and in the cache
	}
	r := &Reader{parts: make([]part, threads), region: region}
	for i := range r.parts {
		r.parts[i].memory = memory[len(memory)*i/threads : len(memory)*(i+1)/threads]
	}
	return r
}

// Close gives the buffer back.
func (r *Reader) Close() error {
	for i := range r.parts {
		r.parts[i].memory = nil
	}
	return r.region.Close()
}

// Rate lets all threads read for at least as long as sample and returns the bytes a second. It goes on where it stopped, so
// that a sample of less than the buffer finds nothing in the caches.
func (r *Reader) Rate(sample time.Duration) float64 {
	return together(len(r.parts), sample, func(thread int) float64 { return r.parts[thread].read() })
}

// readAtOnce is what a thread reads before it looks at the clock.
const readAtOnce = 1 << 20

// read reads the next piece and returns its size; that of nothing is 1, so that whoever counts comes to an end.
func (p *part) read() float64 {
	if len(p.memory) == 0 {
		return 1
	}
	if p.at == len(p.memory) {
		p.at = 0
	}
	piece := p.memory[p.at:min(p.at+readAtOnce, len(p.memory))]
	cpu.Read(piece)
	p.at += len(piece)
	return float64(len(piece))
}
