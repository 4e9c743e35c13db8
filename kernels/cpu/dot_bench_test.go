package cpu

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/kernels/kerneltest"
)

// BenchmarkDot runs the inner products alone over weights that no cache holds, 64 MiB of them, on two threads with one
// contiguous half each. It reports how fast the weights are read, in GB/s, the share that this is of the rate at which
// as many bytes can be read at all, measured just before, and the arithmetic.
func BenchmarkDot(b *testing.B) {
	const k = 4096
	for _, t := range tiers() {
		if !t.runs {
			continue
		}
		for _, format := range weightFormats {
			if format == dtype.F16 && t.dots.f16 == nil {
				continue
			}
			n := 64 << 20 / format.Bytes(k)
			w := kerneltest.NewRand(1).Weights(format, n, k)
			for _, rows := range []int{1, tileRows} {
				b.Run(fmt.Sprintf("%s/%v/rows=%d", t.dots.name, format, rows), func(b *testing.B) { benchDot(b, t.dots, &w, rows) })
			}
		}
	}
}

func benchDot(b *testing.B, table *dots, w *kernels.Tensor, rows int) {
	n, k := w.Shape[0], w.Last()
	x := kerneltest.RoundBF16(kerneltest.NewRand(2).F32(rows, k))
	tile := make([][]float32, rows)
	for i := range tile {
		tile[i] = row(x, i).F32
	}
	limit := readLimit(w.DType.Bytes(n * k))
	for b.Loop() {
		halves(n, func(lo, hi int) {
			m, y := multiplier{dots: table}, make([]float32, rows)
			for o := lo; o < hi; o++ {
				m.row(y, w, o, tile)
			}
		})
	}
	seconds := b.Elapsed().Seconds() / float64(b.N)
	rate := float64(w.DType.Bytes(n*k)) / seconds / 1e9
	b.ReportMetric(rate, "GB/s")
	b.ReportMetric(100*rate/limit, "%limit")
	b.ReportMetric(2*float64(rows*n*k)/seconds/1e9, "GFLOP/s")
}

// halves runs f on both halves of n at once.
func halves(n int, f func(lo, hi int)) {
	var wg sync.WaitGroup
	wg.Go(func() { f(0, n/2) })
	f(n/2, n)
	wg.Wait()
}

// readLimit is the rate at which two threads read that many bytes, in GB/s, with the widest loads that there are: the median
// of seven.
func readLimit(bytes int) float64 {
	best, err := chooseTier("")
	if err != nil {
		panic(err) // there is always a table that runs
	}
	values := make([]float32, bytes/4)
	for i := range values {
		values[i] = 1 // a page that nobody wrote to is one page of zeros, in the cache
	}
	var times []float64
	for range 7 {
		start := time.Now()
		halves(len(values), func(lo, hi int) {
			for ; lo < hi; lo += 16 << 10 {
				best.squares(values[lo:min(lo+16<<10, hi)])
			}
		})
		times = append(times, time.Since(start).Seconds())
	}
	slices.Sort(times)
	return float64(bytes) / times[len(times)/2] / 1e9
}

// bench runs one operator on two threads, for benchmarks that compare a fused one with what it stands for.
func bench(b *testing.B, name string, a kernels.Attrs, c *kernels.Call, flop, bytes int) {
	d := device(b, 2)
	f := kerneltest.Build(b, d.Kernels(), name, a)
	for b.Loop() {
		if err := f(c); err != nil {
			b.Fatal(err)
		}
	}
	seconds := b.Elapsed().Seconds() / float64(b.N)
	b.ReportMetric(float64(flop)/seconds/1e9, "GFLOP/s")
	b.ReportMetric(float64(bytes)/seconds/1e9, "GB/s")
}
