package dtype

import (
	"bytes"
	"math"
	"testing"

	"pgregory.net/rapid"
)

// narrow describes one format for the tests that hold for all of them.
type narrow struct {
	name  string
	codes int     // number of codes; the upper half is negative
	inf   int     // code of +Inf, or -1
	max   float64 // largest finite value
	min   float64 // smallest positive value
	to    func(float32) int
	from  func(int) float32
}

var formats = []narrow{
	{"bf16", 1 << 16, 0x7f80, 0x1.fep127, 0x1p-133,
		func(f float32) int { return int(F32ToBF16(f)) }, func(c int) float32 { return BF16ToF32(uint16(c)) }},
	{"f16", 1 << 16, 0x7c00, 65504, 0x1p-24,
		func(f float32) int { return int(F32ToF16(f)) }, func(c int) float32 { return F16ToF32(uint16(c)) }},
	{"fp8_e4m3", 1 << 8, -1, 448, 0x1p-9,
		func(f float32) int { return int(F32ToF8E4M3(f)) }, func(c int) float32 { return F8E4M3ToF32(uint8(c)) }},
}

func forEachFormat(t *testing.T, test func(t *testing.T, f narrow)) {
	for _, f := range formats {
		t.Run(f.name, func(t *testing.T) { test(t, f) })
	}
}

// finite returns the finite values of the codes 0..codes/2, ascending: code c has value finite[c].
func (f narrow) finite() []float64 {
	var vs []float64
	for c := 0; c < f.codes/2; c++ {
		v := float64(f.from(c))
		if math.IsInf(v, 0) || math.IsNaN(v) {
			break
		}
		vs = append(vs, v)
	}
	return vs
}

func isNaN(f float32) bool { return f != f }

func TestEveryCodeSurvives(t *testing.T) {
	forEachFormat(t, func(t *testing.T, f narrow) {
		for c := range f.codes {
			v := f.from(c)
			got := f.to(v)
			if isNaN(v) {
				if !isNaN(f.from(got)) || got&(f.codes/2) != c&(f.codes/2) {
					t.Fatalf("NaN %#x became %#x", c, got)
				}
				continue
			}
			if got != c {
				t.Fatalf("%#x = %g became %#x", c, v, got)
			}
		}
	})
}

func TestValuesAreAscendingAndBounded(t *testing.T) {
	forEachFormat(t, func(t *testing.T, f narrow) {
		vs := f.finite()
		if vs[0] != 0 || vs[1] != f.min || vs[len(vs)-1] != f.max {
			t.Fatalf("values start %g, %g and end at %g; want 0, %g, %g", vs[0], vs[1], vs[len(vs)-1], f.min, f.max)
		}
		for c := 1; c < len(vs); c++ {
			if vs[c] <= vs[c-1] {
				t.Fatalf("code %#x: %g is not above %g", c, vs[c], vs[c-1])
			}
			if neg := f.from(c + f.codes/2); float64(neg) != -vs[c] {
				t.Fatalf("code %#x is %g, its negative %g", c, vs[c], neg)
			}
		}
		if !math.Signbit(float64(f.from(f.codes / 2))) {
			t.Error("negative zero lost its sign")
		}
	})
}

// nearest looks for the nearest value by comparing with every code, ties to the even code.
func (f narrow) nearest(vs []float64, x float64) int {
	best, dist := 0, math.Inf(1)
	for c, v := range vs {
		d := math.Abs(v - x)
		if d < dist || d == dist && c%2 == 0 {
			best, dist = c, d
		}
	}
	return best
}

func TestRoundsToNearestEven(t *testing.T) {
	forEachFormat(t, func(t *testing.T, f narrow) {
		vs := f.finite()
		check := func(x float32, want int) {
			t.Helper()
			if got := f.to(x); got != want {
				t.Fatalf("%g (%#x) became %#x = %g, want %#x", x, math.Float32bits(x), got, f.from(got), want)
			}
			if got := f.to(-x); got != want+f.codes/2 {
				t.Fatalf("%g became %#x, want %#x", -x, got, want+f.codes/2)
			}
		}
		for c := 0; c+1 < len(vs); c++ {
			mid := float32((vs[c] + vs[c+1]) / 2) // exact: float32 has more bits than any of the formats
			check(mid, c+c%2)
			check(math.Nextafter32(mid, 0), c)
			check(math.Nextafter32(mid, math.MaxFloat32), c+1)
			check(float32(vs[c]), c)
		}
	})
}

func TestRandomValuesRoundAsBruteForceDoes(t *testing.T) {
	forEachFormat(t, func(t *testing.T, f narrow) {
		vs := f.finite()
		rapid.Check(t, func(t *rapid.T) {
			x := float32(rapid.Float64Range(0, min(f.max, 1e30)).Draw(t, "x"))
			if got, want := f.to(x), f.nearest(vs, float64(x)); got != want {
				t.Fatalf("%g became %#x = %g, nearest is %#x = %g", x, got, f.from(got), want, f.from(want))
			}
		})
	})
}

func TestOverflow(t *testing.T) {
	forEachFormat(t, func(t *testing.T, f narrow) {
		vs := f.finite()
		last := len(vs) - 1
		step := vs[last] - vs[last-1]
		beyond := f.inf
		if f.inf < 0 {
			beyond = last // E4M3 saturates
		}
		// The largest float32 that is nearer to the last value than to its successor, and that border itself.
		border := float32(vs[last] + step/2)
		for _, tc := range []struct {
			x    float32
			want int
		}{
			{math.Nextafter32(border, 0), last},
			{border, beyond},
			{float32(math.Inf(1)), beyond},
		} {
			if got := f.to(tc.x); got != tc.want {
				t.Errorf("%g became %#x, want %#x", tc.x, got, tc.want)
			}
			if got := f.to(-tc.x); got != tc.want+f.codes/2 {
				t.Errorf("%g became %#x, want %#x", -tc.x, got, tc.want+f.codes/2)
			}
		}
	})
}

func TestNaNStaysQuietNaN(t *testing.T) {
	for _, bits := range []uint32{0x7f800001, 0x7fc00000, 0x7fffffff, 0x7f80ffff, 0xff800001, 0xffc12345} {
		x := math.Float32frombits(bits)
		negative := bits>>31 == 1
		if h := F32ToBF16(x); h&0x7fc0 != 0x7fc0 || (h>>15 == 1) != negative {
			t.Errorf("bf16 of NaN %#x is %#x", bits, h)
		}
		if h := F32ToF16(x); h&0x7e00 != 0x7e00 || (h>>15 == 1) != negative {
			t.Errorf("f16 of NaN %#x is %#x", bits, h)
		}
		want := uint8(0x7f)
		if negative {
			want = 0xff
		}
		if b := F32ToF8E4M3(x); b != want {
			t.Errorf("e4m3 of NaN %#x is %#x, want %#x", bits, b, want)
		}
	}
}

// Values from the OFP8 specification, table 2, and IEEE 754.
func TestKnownValues(t *testing.T) {
	for _, tc := range []struct {
		got, want float32
	}{
		{F8E4M3ToF32(0b0_1111_110), 448},
		{F8E4M3ToF32(0b0_0001_000), 0x1p-6},
		{F8E4M3ToF32(0b0_0000_111), 0.875 * 0x1p-6},
		{F8E4M3ToF32(0b1_0111_000), -1},
		{F16ToF32(0x3c00), 1},
		{F16ToF32(0x3555), 0.333251953125},
		{F16ToF32(0xfbff), -65504},
		{BF16ToF32(0x3f80), 1},
		{BF16ToF32(0xc049), -3.140625},
		{RoundBF16(3.14159265), 3.140625},
		{F8E4M3Values()[0x38], 1},
	} {
		if tc.got != tc.want {
			t.Errorf("got %g, want %g", tc.got, tc.want)
		}
	}
}

func TestQuantizeF8E4M3(t *testing.T) {
	for _, tc := range []struct {
		name  string
		x, q  []float32
		scale float32
	}{
		{"empty", nil, nil, float32(1e-12) / 448},
		{"zeros", []float32{0, 0}, []float32{0, 0}, float32(1e-12) / 448},
		{"largest maps to 448", []float32{-896, 448, 1, 2.125}, []float32{-448, 224, 0.5, 1}, 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			q := make([]float32, len(tc.x))
			if s := QuantizeF8E4M3(q, tc.x); s != tc.scale {
				t.Errorf("scale %g, want %g", s, tc.scale)
			}
			for i := range q {
				if q[i] != tc.q[i] {
					t.Errorf("q[%d] = %g, want %g", i, q[i], tc.q[i])
				}
			}
		})
	}
}

func TestQuantizeF8E4M3ErrorIsBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.SliceOfN(rapid.Float32Range(-1e4, 1e4), 1, 64).Draw(t, "x")
		q := append([]float32(nil), x...)
		s := QuantizeF8E4M3(q, q) // in place
		for i := range x {
			// Half a unit in the last of 4 significant bits, or half a subnormal step, plus float32 noise.
			bound := max(math.Abs(float64(x[i]))/16, float64(s)*0x1p-10) * (1 + 1e-5)
			if d := math.Abs(float64(x[i]) - float64(q[i])*float64(s)); d > bound {
				t.Fatalf("x[%d] = %g became %g, off by %g > %g", i, x[i], q[i]*s, d, bound)
			}
		}
	})
}

func TestQuantizeF8E4M3KeepsNaN(t *testing.T) {
	x := []float32{1, float32(math.NaN()), -2}
	if s := QuantizeF8E4M3(x, x); s != float32(2)/448 {
		t.Errorf("scale %g", s)
	}
	if x[0] != 224 || !isNaN(x[1]) || x[2] != -448 {
		t.Errorf("got %v", x)
	}
}

func TestF8E4M3HasNaN(t *testing.T) {
	for n := range 20 {
		for at := range n {
			for code := range 256 {
				for _, others := range []uint8{0, 0x7e, 0x80, 0xfe} {
					codes := bytes.Repeat([]byte{others}, n)
					codes[at] = uint8(code)
					if got := F8E4M3HasNaN(codes); got != isNaN(F8E4M3ToF32(uint8(code))) {
						t.Fatalf("code %#x at %d of %d, the others %#x: %v", code, at, n, others, got)
					}
				}
			}
		}
	}
}

func TestParseKnowsEveryName(t *testing.T) {
	for d := F32; d <= I4; d++ {
		got, err := Parse(d.String())
		if err != nil || got != d {
			t.Errorf("Parse(%q) = %v, %v", d.String(), got, err)
		}
		if !d.Valid() || d.Bits() == 0 || d.Bytes(8) != d.Bits() || d.IsFloat() == d.IsInt() {
			t.Errorf("%v: valid %v, %d bits, %d bytes for 8, float %v, integer %v", d, d.Valid(), d.Bits(), d.Bytes(8), d.IsFloat(), d.IsInt())
		}
	}
	if _, err := Parse("int2"); err == nil {
		t.Error("int2 parsed")
	}
	if bad := DType(99); bad.Valid() || bad.Size() != 0 || bad.String() != "dtype(99)" {
		t.Errorf("dtype 99: %v %d %s", bad.Valid(), bad.Size(), bad)
	}
}

func TestIntegerCodes(t *testing.T) {
	for _, tc := range []struct {
		v  float32
		i8 int8
		i4 float32
	}{{0, 0, 0}, {2.5, 2, 2}, {3.5, 4, 4}, {-2.5, -2, -2}, {7.6, 8, 7}, {-9, -9, -8}, {200, 127, 7}, {-200, -127, -8},
		{float32(math.Inf(1)), 127, 7}, {float32(math.NaN()), 0, 0}} {
		if got := F32ToI8(tc.v); got != tc.i8 {
			t.Errorf("F32ToI8(%g) = %d, want %d", tc.v, got, tc.i8)
		}
		if got := I4ToF32(F32ToI4(tc.v)); got != tc.i4 {
			t.Errorf("I4 of %g = %g, want %g", tc.v, got, tc.i4)
		}
	}
}

func BenchmarkF32ToF8E4M3(b *testing.B) {
	x := make([]float32, 4096)
	for i := range x {
		x[i] = float32(math.Sin(float64(i))) * 100
	}
	var sum uint8
	b.SetBytes(int64(len(x)))
	for b.Loop() {
		for _, v := range x {
			sum += F32ToF8E4M3(v)
		}
	}
	_ = sum
}
