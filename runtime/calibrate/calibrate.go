// Package calibrate measures this machine for the compiler's cost model, by running the kernels and the executor that
// plans run on.
package calibrate

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/cpu"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/runtime/topology"
)

// Figures is what a machine does, with all of its threads. Times are in seconds.
type Figures struct {
	Threads    int
	Flops      map[dtype.DType]float64 // operations a second of matrix products by the weights' dtype, of many rows; I8: of fast products
	OneRow     map[dtype.DType]float64 // likewise, of a single row
	Launch     float64                 // from one step of a program to the next, with next to nothing in it
	Product    float64                 // that a small product takes beside its operations: threads start and meet
	Collective float64                 // that two ranks take to add up a few values
	Link       float64                 // bytes a second of another rank's that a rank takes in
	Peaks      Peaks                   // what the threads do that only read, or only multiply and add
}

// Effort says how long to measure.
type Effort struct {
	Runs   int           // of each measurement; the median counts
	Sample time.Duration // that a run lasts at the least
	Buffer int           // bytes of the buffer that is read
}

// Full takes some three seconds on two cores.
var Full = Effort{Runs: 7, Sample: 20 * time.Millisecond, Buffer: 256 << 20}

// Measure measures the machine. It uses as many threads as plans run on, and ends early with the context's error.
func Measure(ctx context.Context, e Effort) (Figures, error) {
	m := &meter{ctx: ctx, effort: e}
	f := Figures{Threads: topology.Read().Threads(), Flops: map[dtype.DType]float64{}, OneRow: map[dtype.DType]float64{}}
	if err := m.products(&f); err != nil {
		return f, err
	}
	var err error
	if f.Peaks, err = m.peaks(f.Threads); err != nil {
		return f, err
	}
	if f.Launch, err = m.launch(); err != nil {
		return f, err
	}
	return f, m.collectives(&f)
}

// meter times things.
type meter struct {
	ctx    context.Context
	effort Effort
}

// median is the time of one call of f in seconds: the median of the runs, each of as many calls as fill a sample.
func (m *meter) median(f func() error) (float64, error) {
	if err := f(); err != nil { // warms up
		return 0, err
	}
	return m.medianOf(func() (float64, error) { return m.sample(f) })
}

// medianOf is the median of the runs of a measurement.
func (m *meter) medianOf(run func() (float64, error)) (float64, error) {
	runs := make([]float64, m.effort.Runs)
	for i := range runs {
		var err error
		if runs[i], err = run(); err != nil {
			return 0, err
		}
	}
	slices.Sort(runs)
	return runs[len(runs)/2], nil
}

// peaks are the medians of the runs of each.
func (m *meter) peaks(threads int) (Peaks, error) {
	p := NewPeakMeter(m.effort.Buffer, threads)
	defer p.Close()
	runs := make([]Peaks, m.effort.Runs)
	for i := range runs {
		if err := m.ctx.Err(); err != nil {
			return Peaks{}, err
		}
		runs[i] = p.Sample(m.effort.Sample)
	}
	median := func(of func(Peaks) float64) float64 {
		slices.SortFunc(runs, func(a, b Peaks) int { return cmp.Compare(of(a), of(b)) })
		return of(runs[len(runs)/2])
	}
	return Peaks{
		ReadBytes: median(func(p Peaks) float64 { return p.ReadBytes }),
		F32:       median(func(p Peaks) float64 { return p.F32 }),
		BF16Dot:   median(func(p Peaks) float64 { return p.BF16Dot }),
		Int8Dot:   median(func(p Peaks) float64 { return p.Int8Dot }),
	}, nil
}

// sample is the time of one call of f in seconds, over as many as fill a sample.
func (m *meter) sample(f func() error) (float64, error) {
	if err := m.ctx.Err(); err != nil {
		return 0, err
	}
	calls := 0
	start := time.Now()
	for calls == 0 || time.Since(start) < m.effort.Sample {
		if err := f(); err != nil {
			return 0, err
		}
		calls++
	}
	return time.Since(start).Seconds() / float64(calls), nil
}

// The products' sizes. The weights stay in the caches, so that arithmetic is what is measured; rows are few enough for
// the widest batch of a decode step. A small product is one of a router.
const (
	productSize = 768
	productRows = 16
	smallSize   = 256
)

// products measures the rates of products, and what a small one takes beside its operations.
func (m *meter) products(f *Figures) error {
	dev, err := cpu.New(f.Threads)
	if err != nil {
		return err
	}
	defer dev.Close()
	for _, d := range []dtype.DType{dtype.F32, dtype.BF16, dtype.F16, dtype.F8E4M3} {
		if err := m.rates(f, dev, d, d); err != nil {
			return err
		}
	}
	if err := m.fast(f); err != nil {
		return err
	}
	f.Product, err = m.small(dev)
	return err
}

// fast measures the rates of products in int8, of weights in fp8; there are none where this machine has no such kernels.
func (m *meter) fast(f *Figures) error {
	dev, err := cpu.NewFast(f.Threads)
	if err != nil {
		return err
	}
	defer dev.Close()
	if !dev.Fast() {
		return nil
	}
	return m.rates(f, dev, dtype.F8E4M3, dtype.I8)
}

// rates measures products with weights of a dtype, and stores what comes out as the rates of one.
func (m *meter) rates(f *Figures, dev *cpu.Device, weights, as dtype.DType) error {
	for _, x := range []struct {
		rows int
		to   map[dtype.DType]float64
	}{{1, f.OneRow}, {productRows, f.Flops}} {
		run, err := linear(dev, weights, x.rows, productSize)
		if err != nil {
			return err
		}
		seconds, err := m.median(run)
		if err != nil {
			return fmt.Errorf("a product with weights in %s: %w", weights, err)
		}
		x.to[as] = 2 * float64(x.rows) * productSize * productSize / seconds
	}
	return nil
}

// small is what a product takes beside its operations: that of a small and of a larger one have the same rate, and are
// timed in turn, so that a neighbour who takes the processor away for a while slows both.
func (m *meter) small(dev *cpu.Device) (float64, error) {
	small, err := linear(dev, dtype.BF16, 1, smallSize)
	if err != nil {
		return 0, err
	}
	large, err := linear(dev, dtype.BF16, 1, productSize)
	if err != nil {
		return 0, err
	}
	const ratio = float64(smallSize*smallSize) / (productSize*productSize - smallSize*smallSize)
	seconds, err := m.medianOf(func() (float64, error) {
		s, err := m.sample(small)
		if err != nil {
			return 0, err
		}
		l, err := m.sample(large)
		return s - (l-s)*ratio, err
	})
	return max(seconds, 0), err
}

// linear is one product of rows with size x size weights, in the order in which the executor would lay them.
func linear(dev *cpu.Device, d dtype.DType, rows, size int) (func() error, error) {
	run, err := dev.Kernels()["linear"](nil)
	if err != nil {
		return nil, err
	}
	w := ones(d, size, size)
	if dev.Panels(d) {
		w = w.InPanels()
	}
	c := &kernels.Call{In: []kernels.Tensor{ones(dtype.F32, rows, size), w},
		Out: []kernels.Tensor{kernels.New(dtype.F32, rows, size)}}
	return func() error { return run(c) }, nil
}

// ones is a tensor of ones. A scale of one for each row goes with fp8.
func ones(d dtype.DType, shape ...int) kernels.Tensor {
	t := kernels.New(d, shape...)
	values := make([]float32, t.Elems())
	for i := range values {
		values[i] = 1
	}
	if d == dtype.F8E4M3 {
		t.Scale = values[:t.Rows():t.Rows()]
	}
	t.Store(0, values)
	return t
}
