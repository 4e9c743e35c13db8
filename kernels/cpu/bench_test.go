package cpu_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/cpu"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/kernels/kerneltest"
	"github.com/glmc/glmc/runtime/calibrate"
	"github.com/glmc/glmc/runtime/hugepages"
)

// The benchmarks run every kernel of this package at sizes of bench-0.7b, of GLM-4.5-Air and of GLM-4.7, on all threads. They
// report how fast it reads weights (or keys and values, or what it is given) in GB/s, its arithmetic in GFLOP/s, and as %limit
// the part of its time that it would take at the machine's limits: to read those bytes from memory, or to do those operations
// with the processor's dot products, whichever takes longer. The limits are measured before and after each benchmark. Weights
// come from memory and not from caches: calls go through copies of them. What fits into caches may be above 100 %.

// limits measures what the machine gives.
var limits = sync.OnceValue(func() *calibrate.PeakMeter {
	return calibrate.NewPeakMeter(128<<20, runtime.GOMAXPROCS(0))
})

// sampleFor is how long each limit is measured each time.
const sampleFor = 10 * time.Millisecond

// work is what one call of a kernel has to do.
type work struct {
	flop  float64 // of products
	bytes float64 // that have to be read, or written
}

// measure runs a kernel on calls in turn.
func measure(b *testing.B, d *cpu.Device, name string, a kernels.Attrs, w work, calls ...*kernels.Call) {
	b.Helper()
	f := kerneltest.Build(b, d.Kernels(), name, a)
	if err := f(calls[0]); err != nil { // makes room for what it keeps
		b.Fatal(err)
	}
	before := limits().Sample(sampleFor)
	for i := 0; b.Loop(); i++ {
		if err := f(calls[i%len(calls)]); err != nil {
			b.Fatal(err)
		}
	}
	seconds := b.Elapsed().Seconds() / float64(b.N)
	after := limits().Sample(sampleFor)
	dots := func(p calibrate.Peaks) float64 {
		switch {
		case d.Fast():
			return p.Int8Dot
		case p.BF16Dot > 0:
			return p.BF16Dot
		}
		return p.F32
	}
	least := 2 * max(w.bytes/(before.ReadBytes+after.ReadBytes), w.flop/(dots(before)+dots(after)))
	b.ReportMetric(100*least/seconds, "%limit")
	b.ReportMetric(w.bytes/seconds/1e9, "GB/s")
	if w.flop > 0 {
		b.ReportMetric(w.flop/seconds/1e9, "GFLOP/s")
	}
}

// newDevice has all threads.
func newDevice(b *testing.B) *cpu.Device {
	b.Helper()
	return ended(b, cpu.New)
}

func ended(b *testing.B, make func(threads int) (*cpu.Device, error)) *cpu.Device {
	b.Helper()
	d, err := make(0)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(d.Close)
	return d
}

// benchFormats are those of checkpoints.
var benchFormats = []dtype.DType{dtype.BF16, dtype.F8E4M3, dtype.I8, dtype.I4}

// eachPrecision runs a benchmark with exact products, and with fast ones where this device has them for the format.
func eachPrecision(b *testing.B, name string, format dtype.DType, run func(b *testing.B, d *cpu.Device)) {
	b.Run(name, func(b *testing.B) { run(b, newDevice(b)) })
	if d := ended(b, cpu.NewFast); d.Fast() && format.Scaled() {
		b.Run(name+",fast", func(b *testing.B) { run(b, d) })
	}
}

// ringBytes is how much of weights calls go through: more than caches hold.
const ringBytes = 256 << 20

// weights are random codes in the layout that the device asks for: copies of one weight, ringBytes of them or one, in huge pages.
func weights(b *testing.B, d *cpu.Device, format dtype.DType, shape ...int) []kernels.Tensor {
	b.Helper()
	w := randomCodes(format, shape...)
	if d.Panels(format) {
		w = w.InPanels()
	}
	size := int64(2*len(w.U16) + len(w.U8))
	copies := max(1, int((ringBytes+size-1)/size))
	region, err := hugepages.New(int64(copies) * hugepages.Room(size))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := region.Close(); err != nil {
			b.Error(err)
		}
	})
	ring := make([]kernels.Tensor, copies)
	for i := range ring {
		ring[i] = w
		if w.U16 != nil {
			ring[i].U16 = hugepages.Make[uint16](region, len(w.U16))
			copy(ring[i].U16, w.U16)
		} else {
			ring[i].U8 = hugepages.Make[byte](region, len(w.U8))
			copy(ring[i].U8, w.U8)
		}
	}
	return ring
}

// stored is what a weight takes, in bytes, scales included.
func stored(w *kernels.Tensor) float64 { return float64(2*len(w.U16) + len(w.U8) + 4*len(w.Scale)) }

// randomCodes is a row-major weight of codes that are all finite, drawn faster than values can be.
func randomCodes(format dtype.DType, shape ...int) kernels.Tensor {
	w := kernels.New(format, shape...)
	draw := rand.NewPCG(1, 2)
	for i := range w.U16 {
		w.U16[i] = uint16(draw.Uint64())&0x807f | 0x3c80 // bf16: 1/64 to 1/32, of both signs
	}
	for i := 0; i < len(w.U8); i += 8 {
		bits := draw.Uint64()
		for k := i; k < min(i+8, len(w.U8)); k++ {
			w.U8[k] = byte(bits)
			if format == dtype.F8E4M3 {
				w.U8[k] &= 0xbf // no NaN
			}
			bits >>= 8
		}
	}
	if scales := w.Rows(); format.Scaled() {
		if format == dtype.I4 {
			scales *= (w.Last() + dtype.Group - 1) / dtype.Group
		}
		w.Scale = make([]float32, scales)
		for i := range w.Scale {
			w.Scale[i] = 1.0 / 128
		}
	}
	return w
}

// rowsOf are the numbers of rows that products are measured with: a token, batches, a chunk of a prompt.
var rowsOf = []int{1, 2, 4, 8, 16, 64, 512}

// BenchmarkLinear has the products that q, k and v are made with.
func BenchmarkLinear(b *testing.B) {
	for _, s := range []struct {
		model string
		n, k  int
	}{{"bench-0.7b", 3072, 1024}, {"air", 14336, 4096}, {"glm-4.7", 14336, 5120}} {
		for _, format := range benchFormats {
			eachPrecision(b, fmt.Sprintf("%s/%v", s.model, format), format, func(b *testing.B, d *cpu.Device) {
				ring := weights(b, d, format, s.n, s.k)
				for _, rows := range rowsOf {
					b.Run(fmt.Sprintf("rows=%d", rows), func(b *testing.B) {
						x, out := kerneltest.NewRand(1).F32(rows, s.k), kernels.New(dtype.F32, rows, s.n)
						var calls []*kernels.Call
						for _, w := range ring {
							calls = append(calls, &kernels.Call{In: []kernels.Tensor{x, w}, Out: []kernels.Tensor{out}})
						}
						measure(b, d, "linear", nil, work{2 * float64(rows*s.n*s.k), stored(&ring[0])}, calls...)
					})
				}
			})
		}
	}
}

// BenchmarkExperts has the routed experts of a layer. GLM-4.7's are those of one rank of eight.
func BenchmarkExperts(b *testing.B) {
	for _, s := range []struct {
		model                            string
		hidden, width, experts, perToken int
		formats                          []dtype.DType
	}{
		{"bench-0.7b", 1024, 512, 32, 4, benchFormats},
		{"air", 4096, 1408, 32, 8, []dtype.DType{dtype.F8E4M3, dtype.I4}},
		{"glm-4.7", 5120, 192, 160, 8, []dtype.DType{dtype.F8E4M3}},
	} {
		for _, format := range s.formats {
			eachPrecision(b, fmt.Sprintf("%s/%v", s.model, format), format, func(b *testing.B, d *cpu.Device) {
				gate := weights(b, d, format, s.experts, s.width, s.hidden)
				up := weights(b, d, format, s.experts, s.width, s.hidden)
				down := weights(b, d, format, s.experts, s.hidden, s.width)
				for _, rows := range rowsOf {
					b.Run(fmt.Sprintf("rows=%d", rows), func(b *testing.B) {
						r := kerneltest.NewRand(1)
						x, out := r.F32(rows, s.hidden), kernels.New(dtype.F32, rows, s.hidden)
						var calls []*kernels.Call
						used := 0
						const routings = 5 // prime to the number of copies, so that a copy is not met with the same experts again
						for i := range routings * len(gate) {
							c := i % len(gate)
							ids := r.Distinct(s.experts, rows, s.perToken)
							used += distinct(ids.I32)
							calls = append(calls, &kernels.Call{In: []kernels.Tensor{x, ids, r.F32(rows, s.perToken), gate[c], up[c], down[c]},
								Out: []kernels.Tensor{out}})
						}
						perCall := float64(used) / float64(len(calls)) // experts
						expert := (stored(&gate[0]) + stored(&up[0]) + stored(&down[0])) / float64(s.experts)
						measure(b, d, "moe.experts", kernels.Attrs{"activation": "silu"},
							work{6 * float64(rows*s.perToken*s.hidden*s.width), perCall * expert}, calls...)
					})
				}
			})
		}
	}
}

// distinct counts different ids.
func distinct(ids []int32) int {
	seen := map[int32]bool{}
	for _, id := range ids {
		seen[id] = true
	}
	return len(seen)
}
