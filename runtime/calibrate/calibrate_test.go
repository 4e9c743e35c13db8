package calibrate_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/runtime/calibrate"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// quick measures once, for as short as it goes.
var quick = calibrate.Effort{Runs: 1, Sample: time.Microsecond, Buffer: 1 << 20}

// TestMeasure: there is a figure for everything, whatever it is.
func TestMeasure(t *testing.T) {
	f, err := calibrate.Measure(context.Background(), quick)
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]float64{"bandwidth": f.Peaks.ReadBytes, "peak of f32": f.Peaks.F32, "launch": f.Launch, "collective": f.Collective, "link": f.Link,
		"threads": float64(f.Threads)} {
		if !(v > 0) {
			t.Errorf("%s is %g", name, v)
		}
	}
	if f.Product < 0 {
		t.Errorf("a product takes %g s beside its operations", f.Product)
	}
	for _, d := range []dtype.DType{dtype.F32, dtype.BF16, dtype.F16, dtype.F8E4M3} {
		if !(f.Flops[d] > 0) || !(f.OneRow[d] > 0) {
			t.Errorf("products with weights in %s: %g operations a second, %g with one row", d, f.Flops[d], f.OneRow[d])
		}
	}
	if dot := f.Peaks.Int8Dot; f.Flops[dtype.I8] > 0 != (f.OneRow[dtype.I8] > 0) || f.Flops[dtype.I8] > 0 && dot == 0 {
		t.Errorf("fast products: %g operations a second, %g with one row, beside %g of the processor", f.Flops[dtype.I8], f.OneRow[dtype.I8], dot)
	}
	t.Logf("%+v", f)
}

func TestMeasureEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := calibrate.Measure(ctx, quick); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that of the context", err)
	}
}

// BenchmarkMeasure is one calibration of a machine.
func BenchmarkMeasure(b *testing.B) {
	for b.Loop() {
		f, err := calibrate.Measure(context.Background(), calibrate.Full)
		if err != nil {
			b.Fatal(err)
		}
		b.Logf("%+v", f)
	}
}

// TestReader: a rate comes of any number of threads, more than there are bytes too, and any number of times.
func TestReader(t *testing.T) {
	for _, size := range []int{1 << 8, 3 << 20} {
		for _, threads := range []int{1, 2, 3, 1000} {
			r := calibrate.NewReader(size, threads)
			for range 5 {
				if rate := r.Rate(0); !(rate > 0) {
					t.Errorf("%d threads read %g bytes a second", threads, rate)
				}
			}
			r.Close()
		}
	}
}

// TestPeakMeter: what a processor has no instruction for is 0 every time.
func TestPeakMeter(t *testing.T) {
	m := calibrate.NewPeakMeter(1<<20, 2)
	defer m.Close()
	var has []bool
	for range 3 {
		p := m.Sample(time.Microsecond)
		if !(p.ReadBytes > 0) || !(p.F32 > 0) {
			t.Errorf("peaks %+v", p)
		}
		now := []bool{p.BF16Dot > 0, p.Int8Dot > 0}
		if has != nil && !slices.Equal(has, now) {
			t.Errorf("peaks %+v, before dot products of bf16 and int8: %v", p, has)
		}
		has = now
	}
}

// BenchmarkPeaks prints what the threads of GOMAXPROCS do at most.
func BenchmarkPeaks(b *testing.B) {
	m := calibrate.NewPeakMeter(calibrate.Full.Buffer, runtime.GOMAXPROCS(0))
	defer m.Close()
	var sum calibrate.Peaks
	n := 0
	for b.Loop() {
		p := m.Sample(20 * time.Millisecond)
		sum.ReadBytes, sum.F32 = sum.ReadBytes+p.ReadBytes, sum.F32+p.F32
		sum.BF16Dot, sum.Int8Dot = sum.BF16Dot+p.BF16Dot, sum.Int8Dot+p.Int8Dot
		n++
	}
	for unit, v := range map[string]float64{"read-GB/s": sum.ReadBytes, "f32-GFLOP/s": sum.F32, "bf16-GFLOP/s": sum.BF16Dot, "int8-GOP/s": sum.Int8Dot} {
		b.ReportMetric(v/float64(n)/1e9, unit)
	}
}
