package calibrate_test

import (
	"context"
	"errors"
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
	for name, v := range map[string]float64{"bandwidth": f.Bandwidth, "launch": f.Launch, "collective": f.Collective, "link": f.Link,
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

// TestReader: a rate comes of any number of threads, more than there are words too.
func TestReader(t *testing.T) {
	for _, threads := range []int{1, 2, 3, 1000} {
		if rate := calibrate.NewReader(1<<12, threads).Rate(0); !(rate > 0) {
			t.Errorf("%d threads read %g bytes a second", threads, rate)
		}
	}
}
