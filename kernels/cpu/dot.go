package cpu

import (
	"math"

	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
)

// tileRows is the most rows that an inner kernel multiplies at once.
const tileRows = 4

// dots is the table of inner kernels, the only code here that is worth writing for one processor. tiers lists what
// there is.
//
// The dot products compute y[r] = sum over k of w[k] * x[r][k] for one weight row w and 1 to tileRows rows x,
// len(y) = len(x), each x[r] at least as long as w. They leave out the scales of weights. All of them add in one order
// that depends on len(w) alone, and where every product is exact (bf16: weights and rounded activations) f32 of
// the widened weights gives the same bits as bf16 or f8. So a caller may widen a weight row first, or tile the
// rows in any way, and the results stay. The order is one table's own: two tables differ in
// the last bits.
type dots struct {
	name string // see tiers

	// panels multiplies weights in panels; nil where the tier multiplies rows only.
	panels *panelTable

	f32  func(y []float32, w []float32, x [][]float32)
	bf16 func(y []float32, w []uint16, x [][]float32) // rows hold bf16 values
	f8   func(y []float32, w []byte, x [][]float32)   // rows hold bf16 values
	f16  func(y []float32, w []uint16, x [][]float32) // nil: such rows are widened first

	// widenFrom is the number of rows from which widening the weight row and using f32 is faster.
	widenFrom int

	// axpy adds p[0]*v[0] + p[1]*v[1] + ... to y, for 1 to tileRows rows v, in this order: it depends on
	// len(p) alone.
	axpy func(y []float32, p []float32, v [][]float32)

	// squares is the sum of the squares of x.
	squares func(x []float32) float32
}

// portableDots adds four interleaved partial sums: s[i] takes the elements i, i+4, i+8, ...; a remainder of up
// to three goes to s[0]; the result is (s[0]+s[1]) + (s[2]+s[3]).
//
// Measured on a Sapphire Rapids core at about 2.6 GHz, 4096 elements from L1, 10^9 multiplications/s: one row
// with four sums 4.4; one row with eight 3.5, two rows with four 3.5, four rows with two 3.4 (the compiler
// spills registers and copies operands). From bf16 directly 2.8, from e4m3 by table 3.3: so a tile is no more
// than a loop over rows, and weights are widened first as soon as two rows want them.
var portableDots = dots{
	name: "generic",
	f32: func(y []float32, w []float32, x [][]float32) {
		for r, row := range x {
			y[r] = dotF32(w, row)
		}
	},
	bf16: func(y []float32, w []uint16, x [][]float32) {
		for r, row := range x {
			y[r] = dotBF16(w, row)
		}
	},
	f8: func(y []float32, w []byte, x [][]float32) {
		for r, row := range x {
			y[r] = dotF8(w, row)
		}
	},
	widenFrom: 2,
	axpy:      axpy,
	squares:   func(x []float32) float32 { return dotF32(x, x) },
}

func dotF32(w, x []float32) float32 {
	x = x[:len(w)]
	var s0, s1, s2, s3 float32
	i := 0
	for ; i+4 <= len(w); i += 4 {
		w4, x4 := w[i:i+4:i+4], x[i:i+4:i+4]
		s0 += w4[0] * x4[0]
		s1 += w4[1] * x4[1]
		s2 += w4[2] * x4[2]
		s3 += w4[3] * x4[3]
	}
	for ; i < len(w); i++ {
		s0 += w[i] * x[i]
	}
	return (s0 + s1) + (s2 + s3)
}

func dotBF16(w []uint16, x []float32) float32 {
	x = x[:len(w)]
	var s0, s1, s2, s3 float32
	i := 0
	for ; i+4 <= len(w); i += 4 {
		w4, x4 := w[i:i+4:i+4], x[i:i+4:i+4]
		s0 += math.Float32frombits(uint32(w4[0])<<16) * x4[0]
		s1 += math.Float32frombits(uint32(w4[1])<<16) * x4[1]
		s2 += math.Float32frombits(uint32(w4[2])<<16) * x4[2]
		s3 += math.Float32frombits(uint32(w4[3])<<16) * x4[3]
	}
	for ; i < len(w); i++ {
		s0 += math.Float32frombits(uint32(w[i])<<16) * x[i]
	}
	return (s0 + s1) + (s2 + s3)
}

var f8Values = dtype.F8E4M3Values()

func dotF8(w []byte, x []float32) float32 {
	x = x[:len(w)]
	var s0, s1, s2, s3 float32
	i := 0
	for ; i+4 <= len(w); i += 4 {
		w4, x4 := w[i:i+4:i+4], x[i:i+4:i+4]
		s0 += f8Values[w4[0]] * x4[0]
		s1 += f8Values[w4[1]] * x4[1]
		s2 += f8Values[w4[2]] * x4[2]
		s3 += f8Values[w4[3]] * x4[3]
	}
	for ; i < len(w); i++ {
		s0 += f8Values[w[i]] * x[i]
	}
	return (s0 + s1) + (s2 + s3)
}

func axpy(y []float32, p []float32, v [][]float32) {
	if len(p) < tileRows {
		for j, a := range p {
			row := v[j][:len(y)]
			for i := range y {
				y[i] += a * row[i]
			}
		}
		return
	}
	p0, p1, p2, p3 := p[0], p[1], p[2], p[3]
	v0, v1, v2, v3 := v[0][:len(y)], v[1][:len(y)], v[2][:len(y)], v[3][:len(y)]
	for i, s := range y {
		s += p0 * v0[i]
		s += p1 * v1[i]
		s += p2 * v2[i]
		s += p3 * v3[i]
		y[i] = s
	}
}

// multiplier is one worker's scratch for products of weight rows with activation rows.
type multiplier struct {
	dots *dots
	wide []float32 // a widened weight row
}

// row computes y[r] = sum over k of w[row][k] * x[r][k], scale included, for any number of rows x.
func (m *multiplier) row(y []float32, w *kernels.Tensor, row int, x [][]float32) {
	k := w.Last()
	at := row * k
	y = y[:len(x)]
	switch {
	case w.DType == dtype.F32:
		m.tiles(y, w.F32[at:at+k], x)
	case w.DType == dtype.I4: // a group's scale belongs to each of its products
		m.wide = kernels.Resize(m.wide, k)
		w.LoadRow(m.wide, row)
		m.tiles(y, m.wide, x)
		return
	case w.DType == dtype.I8, w.DType == dtype.F16 && m.dots.f16 == nil, len(x) >= m.dots.widenFrom:
		m.wide = kernels.Resize(m.wide, k)
		w.Load(m.wide, at)
		m.tiles(y, m.wide, x)
	default:
		for r := 0; r < len(x); r += tileRows {
			end := min(r+tileRows, len(x))
			switch w.DType {
			case dtype.BF16:
				m.dots.bf16(y[r:end], w.U16[at:at+k], x[r:end])
			case dtype.F16:
				m.dots.f16(y[r:end], w.U16[at:at+k], x[r:end])
			default:
				m.dots.f8(y[r:end], w.U8[at:at+k], x[r:end])
			}
		}
	}
	if w.Scale != nil {
		for r := range y {
			y[r] *= w.Scale[row]
		}
	}
}

func (m *multiplier) tiles(y []float32, w []float32, x [][]float32) {
	for r := 0; r < len(x); r += tileRows {
		end := min(r+tileRows, len(x))
		m.dots.f32(y[r:end], w, x[r:end])
	}
}
