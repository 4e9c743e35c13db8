package cpu

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/kernels/kerneltest"
	"github.com/glmc/glmc/kernels/ref"
)

// ulps is how far a number is off, in units in the last place of the nearest float32 to what it should be. It is 0 for
// infinities and NaN where these are right.
func ulps(got float32, want float64) float64 {
	nearest := float32(want)
	if got == nearest || got != got && want != want {
		return 0
	}
	size := float32(math.Abs(float64(nearest)))
	return math.Abs(float64(got)-want) / float64(math.Nextafter32(size, inf)-size)
}

// vectorTables lists the tables that this processor can run.
func vectorTables() map[string]*vectors {
	tables := map[string]*vectors{}
	for name := range dotTables() {
		tables[name] = vectorsOf(name)
	}
	return tables
}

// sweep calls f with rows of float32 numbers of all sizes and signs: every step-th of the 2^32, infinities and NaN among
// them. An odd step meets every low bit.
func sweep(step uint64, f func(x []float32)) {
	row := make([]float32, 1000)
	for at := uint64(0); at < 1<<32; {
		n := 0
		for ; n < len(row) && at < 1<<32; n++ {
			row[n] = math.Float32frombits(uint32(at))
			at += step
		}
		f(row[:n])
	}
}

// edges are numbers at which something happens.
var edges = []float32{0, float32(math.Copysign(0, -1)), nan, inf, -inf, math.MaxFloat32, -math.MaxFloat32, 0x1p-126, -0x1p-126, 1e-45, -1e-45,
	0x1.fffffep-127, 1, -1, -87.3, -87.4, -103, -104, -126 * math.Ln2, -127 * math.Ln2, -176, -177, -178, 88.7, 88.8, 177, 178, -1e9, 1e9, 0x1p31, -0x1p31, 1e30, -1e30}

// Against float64, on numbers of all sizes. When silu was written, all of magnitudes from 2^-19 to 105 were tried: the worst is
// off by 2.394 units, -16.684786.
func TestExponentialsAgainstFloat64(t *testing.T) {
	const step = 10007
	for name, v := range vectorTables() {
		t.Run(name, func(t *testing.T) {
			check := func(x []float32) {
				silu, exp := make([]float32, len(x)), make([]float32, len(x))
				v.silu(silu, x)
				v.expSum(exp, x, 0)
				for i, xi := range x {
					f := float64(xi)
					if off := ulps(silu[i], f/(1+math.Exp(-f))); !(off < 2.5) {
						t.Fatalf("silu of %g is %g, off by %.2f", xi, silu[i], off)
					}
					if off := ulps(exp[i], math.Exp(f)); !(off < 1) {
						t.Fatalf("e^%g is %g, off by %.2f", xi, exp[i], off)
					}
				}
			}
			check(edges)
			sweep(step, check)
		})
	}
}

// What routing takes has the bits of the reference.
func TestRoutingScoresAreTheReferences(t *testing.T) {
	const step = 5003
	for name, v := range vectorTables() {
		check := func(x []float32) {
			sigmoid, exp := make([]float32, len(x)), make([]float32, len(x))
			v.sigmoid(sigmoid, x)
			v.expExact(exp, x, 0.1)
			for i, xi := range x {
				if got, want := sigmoid[i], ref.Sigmoid(xi); got != want && (got == got || want == want) {
					t.Fatalf("%s: sigmoid of %g is %g, want %g", name, xi, got, want)
				}
				if got, want := exp[i], float32(math.Exp(float64(xi-0.1))); got != want && (got == got || want == want) {
					t.Fatalf("%s: e^(%g-0.1) is %g, want %g", name, xi, got, want)
				}
			}
		}
		check(edges)
		sweep(step, check)
	}
}

// Every bfloat16 but the last bit of what is cut off, at ties and beside them.
func TestBF16OfEveryTier(t *testing.T) {
	for name, v := range vectorTables() {
		x, wide, narrow := make([]float32, 1<<16), make([]float32, 1<<16), make([]uint16, 1<<16)
		for _, low := range []uint32{0, 1, 0x7fff, 0x8000, 0x8001, 0xffff} {
			for i := range x {
				x[i] = math.Float32frombits(uint32(i)<<16 | low)
			}
			v.roundBF16(wide, x)
			v.toBF16(narrow, x)
			for i, xi := range x {
				want := dtype.F32ToBF16(xi)
				if narrow[i] != want || math.Float32bits(wide[i])>>16 != uint32(want) || math.Float32bits(wide[i])&0xffff != 0 {
					t.Fatalf("%s: %g (%#x) is %#x and %g, want %#x", name, xi, math.Float32bits(xi), narrow[i], wide[i], want)
				}
			}
		}
	}
}

// Every float32 that e4m3 rounds to another side of, and numbers of all sizes.
func TestF8OfEveryTier(t *testing.T) {
	var ties []float32
	for _, v := range f8Values {
		for _, w := range f8Values {
			middle := (v + w) / 2
			ties = append(ties, v, middle, math.Nextafter32(middle, inf), math.Nextafter32(middle, -inf))
		}
	}
	for name, v := range vectorTables() {
		check := func(x []float32) {
			for _, scale := range []float32{1, 0.37} {
				codes, values := make([]uint8, len(x)), make([]float32, len(x))
				v.toF8(codes, x, scale)
				v.roundF8(values, x, scale)
				for i, xi := range x {
					want := dtype.F32ToF8E4M3(xi / scale)
					// Whether the sign of a NaN stays is the processor's business.
					if got := codes[i]; got != want && (got&0x7f != 0x7f || want&0x7f != 0x7f) {
						t.Fatalf("%s: %g/%g is %#x, want %#x", name, xi, scale, got, want)
					}
					if got, value := values[i], f8Values[want]; math.Float32bits(got) != math.Float32bits(value) && (got == got || value == value) {
						t.Fatalf("%s: %g/%g is %g, want %g", name, xi, scale, got, value)
					}
				}
			}
		}
		check(edges)
		check(ties)
		sweep(10007, check)
	}
}

// vectorCalls are calls of the functions whose versions have the same bits, over rows x of one length: each returns what it
// wrote.
var vectorCalls = map[string]func(v *vectors, x [4][]float32) []float32{
	"add":    func(v *vectors, x [4][]float32) []float32 { v.add(x[0], x[0], x[1]); return x[0] },
	"mul":    func(v *vectors, x [4][]float32) []float32 { v.mul(x[0], x[1], x[0]); return x[0] },
	"scale":  func(v *vectors, x [4][]float32) []float32 { v.scale(x[0], x[1], x[2], 0.3); return x[0] },
	"affine": func(v *vectors, x [4][]float32) []float32 { v.affine(x[0], x[1], x[2], x[3], 0.3); return x[0] },
	"rotate": func(v *vectors, x [4][]float32) []float32 {
		v.rotate(x[0], x[1], x[2], x[3])
		return append(slices.Clone(x[0]), x[1]...)
	},
	"expExact":  func(v *vectors, x [4][]float32) []float32 { v.expExact(x[0], x[1], 0.4); return x[0] },
	"sigmoid":   func(v *vectors, x [4][]float32) []float32 { v.sigmoid(x[0], x[0]); return x[0] },
	"roundBF16": func(v *vectors, x [4][]float32) []float32 { v.roundBF16(x[0], x[0]); return x[0] },
	"roundF8":   func(v *vectors, x [4][]float32) []float32 { v.roundF8(x[0], x[1], 0.3); return x[0] },
	"largest":   func(v *vectors, x [4][]float32) []float32 { return []float32{v.largest(x[0])} },
	"toF8": func(v *vectors, x [4][]float32) []float32 {
		codes := make([]uint8, len(x[0]))
		v.toF8(codes, x[0], 0.3)
		for i, b := range codes {
			x[0][i] = f8Values[b]
		}
		return x[0]
	},
	"toBF16": func(v *vectors, x [4][]float32) []float32 {
		narrow := make([]uint16, len(x[0]))
		v.toBF16(narrow, x[0])
		for i, h := range narrow {
			x[0][i] = dtype.BF16ToF32(h)
		}
		return x[0]
	},
}

// Rows of any length at places of any alignment have the bits of the portable version, and nothing beside them is written.
func TestVectorsArePortable(t *testing.T) {
	for name, table := range vectorTables() {
		for function, call := range vectorCalls {
			t.Run(fmt.Sprint(function, "/", name), func(t *testing.T) {
				rapid.Check(t, func(t *rapid.T) {
					n, at := rapid.IntRange(0, 70).Draw(t, "n"), rapid.IntRange(0, 5).Draw(t, "at")
					all := kerneltest.NewRand(rapid.Uint64().Draw(t, "seed")).F32(4, at+n+20)
					spoil(t, all)
					on := func(v *vectors) (result []float32, written kernels.Tensor) {
						copied := kernels.FromF32(slices.Clone(all.F32), all.Shape...)
						var x [4][]float32
						for i := range x {
							x[i] = row(copied, i).F32[at : at+n : at+n]
						}
						return call(v, x), copied
					}
					want, wantWritten := on(&portableVectors)
					got, gotWritten := on(table)
					sameBits(t, "result", kernels.FromF32(got), kernels.FromF32(want))
					sameBits(t, "memory", gotWritten, wantWritten)
				})
			})
		}
	}
}

// What an element becomes does not depend on where it stands, nor on its neighbours; the sum depends on the order, and for one
// length that is the same.
func TestExponentialsKeepElementsApart(t *testing.T) {
	for name, v := range vectorTables() {
		rapid.Check(t, func(t *rapid.T) {
			n := rapid.IntRange(1, 70).Draw(t, "n")
			r := kerneltest.NewRand(rapid.Uint64().Draw(t, "seed"))
			x, up := r.F32(1, n), r.F32(1, n)
			spoil(t, x)
			silu, gated, exp, product := make([]float32, n), make([]float32, n), make([]float32, n), make([]float32, n)
			v.silu(silu, x.F32)
			v.swiglu(gated, x.F32, up.F32)
			v.mul(product, silu, up.F32)
			sameBits(t, name+": swiglu", kernels.FromF32(gated), kernels.FromF32(product))
			sum := v.expSum(exp, x.F32, 0.5)
			alone := make([]float32, 2*n)
			var exact float64
			for i := range n {
				v.silu(alone[i:i+1], x.F32[i:i+1])
				v.expSum(alone[n+i:n+i+1], x.F32[i:i+1], 0.5)
				exact += float64(exp[i])
			}
			sameBits(t, name, kernels.FromF32(append(silu, exp...)), kernels.FromF32(alone))
			if !(math.Abs(float64(sum)-exact) <= 1e-5*exact) && !(exact > math.MaxFloat32) && exact == exact {
				t.Fatalf("%s: the sum is %g, want %g", name, sum, exact)
			}
		})
	}
}

// Rows that are too short are found before assembly leaves them.
func TestVectorsCheckLengths(t *testing.T) {
	for name, v := range vectorTables() {
		long, short := make([]float32, 9), make([]float32, 8)
		for what, call := range map[string]func(){
			"add":    func() { v.add(long, long, short[:8:8]) },
			"affine": func() { v.affine(long, long, long, short[:8:8], 1) },
			"rotate": func() { v.rotate(long, short[:8:8], long, long) },
			"silu":   func() { v.silu(long, short[:8:8]) },
			"toBF16": func() { v.toBF16(make([]uint16, 9), short[:8:8]) },
		} {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("%s: %s of a short row did not panic", name, what)
					}
				}()
				call()
			}()
		}
	}
}

// Codes, scales and sums have the bits of the portable version; values come back within half a step; damage makes the
// group's scale NaN and stays in the group.
func TestQuantiseGroups(t *testing.T) {
	for name, v := range vectorTables() {
		rapid.Check(t, func(t *rapid.T) {
			group := rapid.SampledFrom([]int{64, 128}).Draw(t, "group")
			n := rapid.IntRange(0, 400).Draw(t, "n")
			x := kerneltest.NewRand(rapid.Uint64().Draw(t, "seed")).F32(1, n)
			size := rapid.SampledFrom([]float32{1, 1e-44, 1e-31, 1e-29, 1e30, 0}).Draw(t, "size")
			for i := range x.F32 {
				x.F32[i] *= size
			}
			spoil(t, x)
			groups := (n + group - 1) / group
			codes, wantCodes := make([]int8, groups*group+3), make([]int8, groups*group+3)
			for i := range codes {
				codes[i], wantCodes[i] = 77, 77
			}
			meta, want := make([]quantMeta, groups), make([]quantMeta, groups)
			v.quantise(codes, meta, x.F32, group, 0.7, 8)
			quantiseGroups(wantCodes, want, x.F32, group, 0.7, 8)
			if !slices.Equal(codes, wantCodes) {
				t.Fatalf("%s: codes (-want +got)\n%s", name, cmp.Diff(wantCodes, codes))
			}
			for g, m := range meta {
				if m.start != want[g].start || m.scale != want[g].scale && (m.scale == m.scale || want[g].scale == want[g].scale) {
					t.Fatalf("%s: group %d has %v, want %v", name, g, m, want[g])
				}
				damaged, sum := false, int32(0)
				scale := float64(want[g].scale) / 0.7
				for i := g * group; i < min((g+1)*group, n); i++ {
					damaged = damaged || x.F32[i] != x.F32[i] || math.IsInf(float64(x.F32[i]), 0)
					sum += int32(codes[i])
					if off := math.Abs(float64(codes[i])*scale - float64(x.F32[i])); off > 0.5001*scale+1e-45 {
						t.Fatalf("%s: %g is code %d times %g", name, x.F32[i], codes[i], scale)
					}
				}
				if damaged != (m.scale != m.scale) || m.start != -8*sum {
					t.Fatalf("%s: damaged %v: %v for the sum %d", name, damaged, m, sum)
				}
			}
		})
	}
}
