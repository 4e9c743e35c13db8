package cpu

import "encoding/binary"

// Meter is a loop that keeps the units of a core busy that multiply and add, and does nothing else: what comes out is the
// most that a kernel can reach.
type Meter struct {
	Instruction string // that the loop is made of
	loop        func(turns int)
	ops         float64 // operations of a turn, of which a multiplication and an addition are two
}

// meterTurns are some microseconds: assembly cannot be preempted.
const meterTurns = 1 << 12

// Run runs the loop on the calling goroutine for some microseconds and returns how many operations that were.
func (m *Meter) Run() float64 {
	m.loop(meterTurns)
	return m.ops * meterTurns
}

// Meters are the meters of this processor, whatever tier its kernels take.
type Meters struct {
	F32  *Meter // multiplications and additions of float32
	BF16 *Meter // dot products of bfloat16 that are added up in float32; nil: the processor has no instruction for it
	Int8 *Meter // dot products of int8 that are added up in int32; nil likewise
}

// Read reads memory as fast as one core of this processor does, from its first byte to the last.
func Read(p []byte) {
	for block := readChunk; len(p) > 0; p = p[min(block, len(p)):] {
		read(p[:min(block, len(p))])
	}
}

// readChunk is what is read without a chance to be preempted: some microseconds.
const readChunk = 256 << 10

// portableMeter adds up in as many sums as the loops in assembly.
var portableMeter = Meter{"Go", func(turns int) {
	var s [8]float32
	const a = 0.5
	for range turns {
		for i := range s {
			s[i] = s[i]*a + a
		}
	}
	var sum float32
	for _, v := range s {
		sum += v
	}
	keep(uint64(sum))
}, 16}

// keep keeps a result from being optimised away.
//
//go:noinline
func keep(uint64) {}

// readWords reads without assembly: 64-bit words, in several sums so that none of them is waited for.
func readWords(p []byte) uint64 {
	var a, b, c, d uint64
	for ; len(p) >= 32; p = p[32:] {
		w := p[:32:32]
		a |= binary.LittleEndian.Uint64(w)
		b |= binary.LittleEndian.Uint64(w[8:])
		c |= binary.LittleEndian.Uint64(w[16:])
		d |= binary.LittleEndian.Uint64(w[24:])
	}
	for _, v := range p {
		a |= uint64(v)
	}
	return a | b | c | d
}
