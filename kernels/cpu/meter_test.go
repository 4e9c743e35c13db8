package cpu

import (
	"runtime"
	"testing"
)

// The meters of a processor and of portable Go count operations.
func TestMeters(t *testing.T) {
	m := NewMeters()
	if m.F32 == nil {
		t.Fatal("every processor multiplies float32")
	}
	for _, x := range []*Meter{m.F32, m.BF16, m.Int8, &portableMeter} {
		if x != nil && (x.Run() < meterTurns || x.Instruction == "") {
			t.Errorf("%q did %g operations", x.Instruction, x.Run())
		}
	}
}

// A processor of the best tier has all meters.
func TestMetersOfTheBestTier(t *testing.T) {
	if runtime.GOARCH != "amd64" || device(t, 1).Tier() != "avx512bf16" {
		return
	}
	if m := NewMeters(); m.BF16 == nil || m.Int8 == nil {
		t.Errorf("meters %+v", m)
	}
}

// Reading stays inside of what is to be read, whatever its length: the race detector and the end of a mapping would tell.
func TestRead(t *testing.T) {
	for _, n := range []int{0, 1, 31, 32, 255, 256, 257, 4096 + 13, 2*readChunk + 300} {
		Read(make([]byte, n))
	}
	if got := readWords([]byte("\x01\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00\x00\x10")); got != 31 {
		t.Errorf("what was read comes to %d, want 31", got)
	}
}

// BenchmarkMeter is what one thread does at most.
func BenchmarkMeter(b *testing.B) {
	m := NewMeters()
	for name, x := range map[string]*Meter{"f32": m.F32, "bf16": m.BF16, "int8": m.Int8} {
		if x == nil {
			continue
		}
		b.Run(name, func(b *testing.B) {
			ops := 0.0
			for b.Loop() {
				ops += x.Run()
			}
			b.ReportMetric(ops/b.Elapsed().Seconds()/1e9, "Gop/s")
		})
	}
	b.Run("read", func(b *testing.B) {
		buf := make([]byte, 256<<20)
		for i := range buf {
			buf[i] = 1
		}
		b.SetBytes(int64(len(buf)))
		for b.Loop() {
			Read(buf)
		}
	})
}
