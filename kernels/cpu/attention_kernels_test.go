package cpu

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/kernels/kerneltest"
	"github.com/glmc/glmc/kernels/panel"
)

// attnTables lists what attention needs of the tiers of this processor that have products with panels.
func attnTables() map[string]*attnKernels {
	tables := map[string]*attnKernels{}
	for name, d := range dotTables() {
		if k := attnKernelsOf(d); k != nil {
			tables[name] = k
		}
	}
	return tables
}

// cacheRows is some rows of a cache, in any order, the damaged ones too.
func cacheRows(t *rapid.T, n, d int) (rows kernels.Tensor, at []int64, order []int) {
	r := kerneltest.NewRand(rapid.Uint64().Draw(t, "seed"))
	format := rapid.SampledFrom([]dtype.DType{dtype.BF16, dtype.F8E4M3}).Draw(t, "format")
	rows = r.Weights(format, n+5, d)
	rows.Scale = nil
	if rows.U8 != nil {
		for i := range rows.U8 {
			rows.U8[i] = byte(r.IntN(256)) // every code, NaN among them
		}
	}
	order = r.Perm(n + 5)[:n]
	at = make([]int64, attnBlock)
	for i := range at {
		at[i] = int64(order[min(i, n-1)] * d * format.Size())
	}
	return rows, at, order
}

// sameHalf compares a bfloat16 of a panel with the value that it has to be.
func sameHalf(t *rapid.T, what string, i, j int, got uint16, want float32) {
	if g := dtype.BF16ToF32(got); g != want && (g == g || want == want) {
		t.Fatalf("%s: position %d, value %d is %g, want %g", what, i, j, g, want)
	}
}

// Keys come to lie in panels [positions/32][D/2][32][2], zeros behind an odd D.
func TestAttnKeys(t *testing.T) {
	for name, k := range attnTables() {
		rapid.Check(t, func(t *rapid.T) {
			n, d := rapid.IntRange(1, attnBlock).Draw(t, "n"), rapid.IntRange(1, 200).Draw(t, "D")
			rows, at, order := cacheRows(t, n, d)
			stride := (d+63)/64*32*attnPair + attnPair
			panels := make([]uint16, attnBlock/panel.Channels*stride/2)
			if rows.DType == dtype.BF16 {
				k.keysBF16(&panels[0], &rows.U16[0], &at[0], d, (n+15)/16, stride)
			} else {
				k.keysF8(&panels[0], &rows.U8[0], &at[0], d, (n+15)/16, stride)
			}
			row := make([]float32, d+1)
			for i, r := range order {
				rows.Load(row[:d], r*d)
				for j := range (d + 1) / 2 * 2 {
					got := panels[i/32*stride/2+j/2*attnPair/2+i%32*2+j%2]
					sameHalf(t, name, i, j, got, row[j])
				}
			}
		})
	}
}

// Values come to lie in panels [V/32][positions/2][32][2], zeros behind an odd number of positions and behind V.
func TestAttnValues(t *testing.T) {
	for name, k := range attnTables() {
		rapid.Check(t, func(t *rapid.T) {
			n, d := rapid.IntRange(1, attnBlock).Draw(t, "n"), rapid.IntRange(1, 200).Draw(t, "V")
			rows, at, order := cacheRows(t, n, d)
			width := (d + 31) / 32 * 32
			panels := make([]uint16, width/32*attnValueStride/2)
			if rows.DType == dtype.BF16 {
				k.valuesBF16(&panels[0], &rows.U16[0], &at[0], d, n, attnValueStride)
			} else {
				k.valuesF8(&panels[0], &rows.U8[0], &at[0], d, n, attnValueStride)
			}
			for i := range (n + 1) / 2 * 2 {
				row := make([]float32, width)
				if i < n {
					rows.Load(row[:d], order[i]*d)
				}
				for j := range width {
					got := panels[j/32*attnValueStride/2+i/2*attnPair/2+j%32*2+i%2]
					sameHalf(t, name, i, j, got, row[j])
				}
			}
		})
	}
}

// The softmax of a block against float64: the reference, which follows the largest score where that is far above it, weights
// to the rounding of bfloat16, their sums, the factor of what was before.
func TestAttnSoftmax(t *testing.T) {
	for name, k := range attnTables() {
		rapid.Check(t, func(t *rapid.T) {
			r := kerneltest.NewRand(rapid.Uint64().Draw(t, "seed"))
			rows := rapid.IntRange(1, panelRows).Draw(t, "rows")
			spread := rapid.SampledFrom([]float64{0.1, 3, 100}).Draw(t, "spread")
			scale := rapid.SampledFrom([]float32{1, 0.125, 0x1p-126}).Draw(t, "scale")
			s, p := r.F32(rows, attnBlock).F32, make([]uint16, rows*attnWeightStride)
			largest, sum, shrink, seen := make([]float32, rows), r.F32(rows, attnSums).F32, make([]float32, rows), make([]int64, rows)
			for i := range s {
				s[i] *= float32(spread)
			}
			for i := range rows {
				largest[i], seen[i] = float32(r.NormFloat64()), int64(r.IntN(attnBlock+2)-1)
				for j := max(0, seen[i]); j < attnBlock; j++ {
					s[int64(i)*attnBlock+j] = []float32{nan, inf, -inf, 3e38}[j%4] // not to be looked at
				}
			}
			before, sums := append([]float32(nil), largest...), append([]float32(nil), sum...)
			rose, rises := k.softmax(&p[0], &s[0], &largest[0], &sum[0], &shrink[0], &seen[0], rows, scale), false
			near := func(what string, i int, got float32, want, bound float64) {
				if !(math.Abs(float64(got)-want) <= bound) {
					t.Fatalf("%s: %s of row %d is %g, want %g", name, what, i, got, want)
				}
			}
			for i := range rows {
				n := max(int(seen[i]), 0)
				score := s[i*attnBlock : i*attnBlock+n]
				most := before[i]
				for _, v := range score {
					if t := v * scale; t > before[i]+attnSlack {
						most = max(most, t)
					}
				}
				rises = rises || most != before[i]
				factor := math.Exp2(float64(before[i]) - float64(most))
				near("largest", i, largest[i], float64(most), 0)
				// An exponent of size t is rounded by t * 2^-24, which is the error of its power of two.
				down := float64(most) - float64(before[i])
				near("shrink", i, shrink[i], factor, factor*(0x1p-21+down*0x1p-23)+0x1p-148)
				lanes := make([]float64, attnSums)
				for j := range lanes {
					lanes[j] = float64(sums[i*attnSums+j]) * factor
				}
				for j := range attnBlock {
					want := 0.0
					if j < n {
						want = math.Exp2(float64(score[j])*float64(scale) - float64(most))
						lanes[j%attnSums] += want
					}
					near("weight", i, dtype.BF16ToF32(p[i*attnWeightStride+j]), want, want*(0x1p-8+0x1p-12)+0x1p-125)
				}
				for j, want := range lanes {
					near("sum", i, sum[i*attnSums+j], want, 0x1p-17*(1+math.Abs(want)))
				}
			}
			if rose != rises {
				t.Fatalf("%s: a reference rose: %v, want %v", name, rose, rises)
			}
		})
	}
}

// Where every row sees the whole block, the softmax without masks has the bits of the one with them.
func TestAttnSoftmaxAll(t *testing.T) {
	for name, k := range attnTables() {
		rapid.Check(t, func(t *rapid.T) {
			r := kerneltest.NewRand(rapid.Uint64().Draw(t, "seed"))
			rows := rapid.IntRange(1, panelRows).Draw(t, "rows")
			spread := rapid.SampledFrom([]float32{0.1, 3, 100}).Draw(t, "spread")
			s, sum := r.F32(rows, attnBlock).F32, r.F32(rows, attnSums).F32
			for i := range s {
				s[i] *= spread
			}
			for range rapid.IntRange(0, 3).Draw(t, "hidden") {
				s[r.IntN(len(s))] = -inf
			}
			seen, before := make([]int64, rows), make([]float32, rows)
			for i := range seen {
				seen[i], before[i] = int64(attnBlock+r.IntN(2)), float32(r.NormFloat64())
			}
			type result struct {
				P                    []uint16
				Largest, Sum, Shrink []float32
				Rose                 bool
			}
			run := func(softmax func(p *uint16, s, largest, sum, shrink *float32, seen *int64, rows int, scale float32) bool) result {
				x := result{make([]uint16, rows*attnWeightStride), slices.Clone(before), slices.Clone(sum), make([]float32, rows), false}
				x.Rose = softmax(&x.P[0], &s[0], &x.Largest[0], &x.Sum[0], &x.Shrink[0], &seen[0], rows, 0.7)
				return x
			}
			if diff := cmp.Diff(run(k.softmax), run(k.softmaxAll)); diff != "" {
				t.Fatalf("%s (-masked +all)\n%s", name, diff)
			}
		})
	}
}

// Folding a chunk's state into that of the chunks before it, against float64.
func TestAttnFold(t *testing.T) {
	for name, k := range attnTables() {
		rapid.Check(t, func(t *rapid.T) {
			r := kerneltest.NewRand(rapid.Uint64().Draw(t, "seed"))
			rows, n := rapid.IntRange(1, 5).Draw(t, "rows"), 32*rapid.IntRange(1, 3).Draw(t, "panels")
			draw := func() (out, largest, sum []float32) {
				out, largest, sum = r.F32(rows, n).F32, r.F32(rows).F32, r.F32(rows, attnSums).F32
				for i := range largest {
					largest[i] *= 40
					if r.IntN(8) == 0 {
						largest[i] = -inf // nothing of the chunk is seen
					}
				}
				return
			}
			out, largest, sum := draw()
			part, partLargest, partSum := draw()
			gotOut, gotLargest, gotSum := slices.Clone(out), slices.Clone(largest), slices.Clone(sum)
			k.fold(&gotOut[0], &part[0], n, &gotLargest[0], &partLargest[0], &gotSum[0], &partSum[0], rows)
			for i := range rows {
				most := max(largest[i], partLargest[i])
				if gotLargest[i] != most {
					t.Fatalf("%s: reference %g, want %g", name, gotLargest[i], most)
				}
				keep, add := 0.0, 0.0
				if !math.IsInf(float64(most), -1) {
					keep, add = math.Exp2(float64(largest[i])-float64(most)), math.Exp2(float64(partLargest[i])-float64(most))
				}
				folded := func(what string, got, a, b []float32) {
					for j, g := range got {
						want, size := float64(a[j])*keep+float64(b[j])*add, math.Abs(float64(a[j]))*keep+math.Abs(float64(b[j]))*add
						// An exponent of size 200 is rounded by 2^-17.
						if !(math.Abs(float64(g)-want) <= size*0x1p-16+0x1p-148) {
							t.Fatalf("%s: %s %d of row %d is %g, want %g", name, what, j, i, g, want)
						}
					}
				}
				folded("output", gotOut[i*n:(i+1)*n], out[i*n:], part[i*n:])
				folded("sum", gotSum[i*attnSums:(i+1)*attnSums], sum[i*attnSums:], partSum[i*attnSums:])
			}
		})
	}
}
