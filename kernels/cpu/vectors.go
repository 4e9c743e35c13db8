package cpu

import (
	"math"

	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/kernels/ref"
)

// vectors is the table of functions over rows of values that are no products with weights. Like dots it has a version for
// each tier.
//
// What a function gives for an element depends on that element's operands alone: not on its place, on the length of the
// row, or on who asks. All rows are as long as dst, or longer; dst may be one of the others. Every version of a function has
// the same bits but where its comment says otherwise.
type vectors struct {
	expCost int // what an exponential costs, in multiplications of smallLoop

	add func(dst, a, b []float32) // a + b
	mul func(dst, a, b []float32) // a * b

	// scale is x * a * w, in this order: what is left of RMSNorm when a is known.
	scale func(dst, x, w []float32, a float32)

	// affine is x * w * a + b, in this order: sums of products with their scales, of columns and of the row, and the bias.
	affine func(dst, x, w, b []float32, a float32)

	// rotate rotates pairs: lo, hi = lo*cos - hi*sin, hi*cos + lo*sin.
	rotate func(lo, hi, cos, sin []float32)

	// silu is x / (1 + e^-x), off by less than 2.5 units in the last place of the exact value, for denormal results too. The
	// portable version is ref.SiLU; versions differ in the last bits. -Inf gives NaN, as the expression in float64 does.
	silu func(dst, x []float32)

	// swiglu is silu of gate, times up: the bits of silu and mul.
	swiglu func(dst, gate, up []float32)

	// sigmoid has the bits of ref.Sigmoid: it decides which experts a token gets.
	sigmoid func(dst, x []float32)

	// expExact is e^(x - largest) with the bits that ref.Softmax has, for the same reason.
	expExact func(dst, x []float32, largest float32)

	// expSum is e^(x - largest), and the sum of that, in an order that depends on the length alone. It is off by less
	// than 1 unit in the last place of e^(x - largest), where the difference is taken as rounded; versions differ.
	expSum func(dst, x []float32, largest float32) float32

	// roundBF16 is the nearest bfloat16, ties to even, as a float32: dtype.RoundBF16, denormals and NaN included.
	roundBF16 func(dst, x []float32)

	// toBF16 is the same as a bfloat16: dtype.F32ToBF16.
	toBF16 func(dst []uint16, x []float32)

	// largest is the largest magnitude of x, at least 1e-12, NaN left out.
	largest func(x []float32) float32

	// toF8 is the e4m3 code nearest to x / scale: dtype.F32ToF8E4M3. roundF8 is its value.
	toF8    func(dst []uint8, x []float32, scale float32)
	roundF8 func(dst, x []float32, scale float32)

	// quantise makes int8 codes of a row in groups of 64 or 128 values: see quantiseGroups.
	quantise func(codes []int8, meta []quantMeta, x []float32, group int, factor float32, offset int32)
}

// quantMeta is what a kernel that multiplies int8 codes needs of a group of them beside the codes.
type quantMeta struct {
	scale float32
	start int32 // takes off what the offset of the weights' bytes adds
}

// leastMagnitude is the least largest magnitude of a group that has a scale of its own: the inverse of less could be
// infinite.
const leastMagnitude = 1e-30

// quantiseGroups makes codes of groups of values, zeros behind the last: the nearest integer, ties to even, to value times
// (127 / m), m the group's largest magnitude and at least leastMagnitude. A group's scale is m/127 times factor, its start is
// -offset times the sum of its codes. A value that is not finite makes the scale of its group NaN, and with it
// everything that the row is multiplied to; the codes are zero.
//
// codes has room for as many groups as meta has, which are all that x begins.
func quantiseGroups(codes []int8, meta []quantMeta, x []float32, group int, factor float32, offset int32) {
	checkGroups(codes, meta, x, group)
	for g := range meta {
		row := x[g*group : min((g+1)*group, len(x))]
		out := codes[g*group : (g+1)*group]
		most := float32(leastMagnitude)
		finite := true
		for _, v := range row {
			a := float32(math.Abs(float64(v)))
			most = max(most, a)
			finite = finite && a <= math.MaxFloat32
		}
		clear(out)
		meta[g] = quantMeta{scale: float32(math.NaN())}
		if !finite {
			continue
		}
		inverse, sum := 127/most, int32(0)
		for i, v := range row {
			out[i] = int8(math.RoundToEven(float64(v * inverse)))
			sum += int32(out[i])
		}
		meta[g] = quantMeta{scale: most / 127 * factor, start: -offset * sum}
	}
}

// checkGroups panics where the lengths of quantiseGroups do not fit.
func checkGroups(codes []int8, meta []quantMeta, x []float32, group int) {
	_ = codes[:len(meta)*group]
	if len(meta) != (len(x)+group-1)/group {
		panic("cpu: quantise: the groups are not those of the row")
	}
}

var portableVectors = vectors{
	expCost: 16,
	add: func(dst, a, b []float32) {
		a, b = a[:len(dst)], b[:len(dst)]
		for i := range dst {
			dst[i] = a[i] + b[i]
		}
	},
	mul: func(dst, a, b []float32) {
		a, b = a[:len(dst)], b[:len(dst)]
		for i := range dst {
			dst[i] = a[i] * b[i]
		}
	},
	scale: func(dst, x, w []float32, a float32) {
		x, w = x[:len(dst)], w[:len(dst)]
		for i := range dst {
			dst[i] = x[i] * a * w[i]
		}
	},
	affine: func(dst, x, w, b []float32, a float32) {
		x, w, b = x[:len(dst)], w[:len(dst)], b[:len(dst)]
		for i := range dst {
			// The conversion keeps the compiler from fusing both operations, which some processors could.
			dst[i] = float32(x[i]*w[i]*a) + b[i]
		}
	},
	rotate: func(lo, hi, cos, sin []float32) {
		hi, cos, sin = hi[:len(lo)], cos[:len(lo)], sin[:len(lo)]
		for i, a := range lo {
			b := hi[i]
			lo[i] = float32(a*cos[i]) - float32(b*sin[i])
			hi[i] = float32(b*cos[i]) + float32(a*sin[i])
		}
	},
	silu: func(dst, x []float32) {
		for i, v := range x[:len(dst)] {
			dst[i] = ref.SiLU(v)
		}
	},
	swiglu: func(dst, gate, up []float32) {
		gate, up = gate[:len(dst)], up[:len(dst)]
		for i, v := range gate {
			dst[i] = ref.SiLU(v) * up[i]
		}
	},
	sigmoid: func(dst, x []float32) {
		for i, v := range x[:len(dst)] {
			dst[i] = ref.Sigmoid(v)
		}
	},
	expExact: func(dst, x []float32, largest float32) {
		for i, v := range x[:len(dst)] {
			dst[i] = float32(math.Exp(float64(v - largest)))
		}
	},
	expSum: func(dst, x []float32, largest float32) float32 {
		var sum float32
		for i, v := range x[:len(dst)] {
			dst[i] = float32(math.Exp(float64(v - largest)))
			sum += dst[i]
		}
		return sum
	},
	roundBF16: func(dst, x []float32) {
		for i, v := range x[:len(dst)] {
			dst[i] = dtype.RoundBF16(v)
		}
	},
	toBF16: func(dst []uint16, x []float32) {
		for i, v := range x[:len(dst)] {
			dst[i] = dtype.F32ToBF16(v)
		}
	},
	largest: func(x []float32) float32 {
		most := float32(1e-12)
		for _, v := range x {
			if a := float32(math.Abs(float64(v))); a > most {
				most = a
			}
		}
		return most
	},
	toF8: func(dst []uint8, x []float32, scale float32) {
		for i, v := range x[:len(dst)] {
			dst[i] = dtype.F32ToF8E4M3(v / scale)
		}
	},
	roundF8: func(dst, x []float32, scale float32) {
		for i, v := range x[:len(dst)] {
			dst[i] = f8Values[dtype.F32ToF8E4M3(v/scale)]
		}
	},
	quantise: quantiseGroups,
}

// f8Row is dtype.QuantizeF8E4M3: the values of a row's codes, and the row's scale.
func (v *vectors) f8Row(dst, x []float32) (scale float32) {
	scale = v.largest(x) / dtype.F8E4M3Max
	v.roundF8(dst[:len(x)], x, scale)
	return scale
}

// f8RowCodes is dtype.QuantizeF8E4M3Codes.
func (v *vectors) f8RowCodes(dst []uint8, x []float32) (scale float32) {
	scale = v.largest(x) / dtype.F8E4M3Max
	v.toF8(dst[:len(x)], x, scale)
	return scale
}
