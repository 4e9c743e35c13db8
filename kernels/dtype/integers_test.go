package dtype

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

func drawRow(t *rapid.T, most int) []float32 {
	size := math.Ldexp(1, rapid.IntRange(-30, 30).Draw(t, "size"))
	row := make([]float32, rapid.IntRange(1, most).Draw(t, "n"))
	for i := range row {
		row[i] = float32(size * rapid.Float64Range(-1, 1).Draw(t, "v"))
	}
	return row
}

func TestQuantizeI8(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		row := drawRow(t, 300)
		codes := make([]byte, len(row))
		scale := QuantizeI8(codes, row)
		for i, v := range row {
			if c := int8(codes[i]); c == -128 || math.Abs(float64(v)-float64(c)*float64(scale)) > 0.501*float64(scale) {
				t.Fatalf("%g became %d times %g", v, c, scale)
			}
		}
	})
}

// TestQuantizeI4: every value that the scale can reach is within half a step of its code, the scale is a bfloat16, and
// the error is no larger than with any of the scales that everybody takes.
func TestQuantizeI4(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		group := drawRow(t, Group)
		codes := make([]byte, len(group))
		scale := QuantizeI4(codes, group)
		if scale != RoundBF16(scale) || !(scale > 0) {
			t.Fatalf("the scale is %g", scale)
		}
		got, largest := 0.0, 1e-12
		for i, v := range group {
			largest = max(largest, math.Abs(float64(v)))
			x := float64(v) - float64(scale)*float64(I4ToF32(codes[i]))
			got += x * x
			within := v <= 7*scale && v >= -8*scale
			if codes[i] > 15 || within && math.Abs(x) > 0.501*float64(scale) {
				t.Fatalf("%g became code %d with the scale %g", v, codes[i], scale)
			}
		}
		for _, clip := range []float64{7, 7.5, 8} {
			s := float64(RoundBF16(float32(largest / clip)))
			e := 0.0
			for _, v := range group {
				q := min(max(math.RoundToEven(float64(v)/s), -8), 7)
				e += (float64(v) - q*s) * (float64(v) - q*s)
			}
			if got > e*1.001 {
				t.Fatalf("the squared error is %g, and with max/%g it would be %g", got, clip, e)
			}
		}
	})
}

func TestQuantizeRowsOfZerosAndNoNumbers(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(-1))
	for _, quantise := range []func([]byte, []float32) float32{QuantizeI8, QuantizeI4} {
		codes := make([]byte, 3)
		if scale := quantise(codes, []float32{0, 0, 0}); !(scale > 0) || codes[0] != codes[1] {
			t.Errorf("zeros have the scale %g and codes %d", scale, codes)
		}
		for _, row := range [][]float32{{1, nan, 2}, {1, inf, 2}} {
			if scale := quantise(codes, row); scale == scale {
				t.Errorf("%g has the scale %g", row, scale)
			}
		}
	}
}

// TestQuantizeI4Gain holds the figure of QuantizeI4's comment.
func TestQuantizeI4Gain(t *testing.T) {
	rng := normal(1)
	var searched, plain float64
	codes, group := make([]byte, Group), make([]float32, Group)
	for range 2000 {
		largest := float32(0)
		for i := range group {
			group[i] = rng()
			largest = max(largest, float32(math.Abs(float64(group[i]))))
		}
		searched += i4Error(group, QuantizeI4(codes, group))
		plain += i4Error(group, RoundBF16(largest/7.5))
	}
	t.Logf("squared error %.4g of that with max/7.5", searched/plain)
	if searched > 0.9*plain {
		t.Errorf("the squared error is %.4g of that with max/7.5", searched/plain)
	}
}

func BenchmarkQuantizeI4(b *testing.B) {
	rng := normal(1)
	codes, group := make([]byte, Group), make([]float32, Group)
	for i := range group {
		group[i] = rng()
	}
	b.SetBytes(4 * Group)
	for b.Loop() {
		QuantizeI4(codes, group)
	}
}

// normal draws normally distributed numbers.
func normal(seed uint64) func() float32 {
	rng := rand.New(rand.NewPCG(seed, 0))
	return func() float32 { return float32(rng.NormFloat64()) }
}
