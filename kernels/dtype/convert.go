package dtype

import (
	"encoding/binary"
	"math"
)

// Conversions between float32 and the narrow formats. Widening is exact. Narrowing rounds to the nearest
// value, ties to the even code, and keeps the sign; a NaN stays a (quiet) NaN.
//
// Sources: IEEE 754-2019 for binary16; "OCP 8-bit Floating Point Specification (OFP8)" 1.0 for E4M3.

const (
	f32Sign    = 0x8000_0000
	f32Inf     = 0x7f80_0000
	f32Bias    = 127
	f32MantLen = 23
)

// BF16ToF32 widens a bfloat16.
func BF16ToF32(h uint16) float32 { return math.Float32frombits(uint32(h) << 16) }

// F32ToBF16 rounds to bfloat16. Values that round beyond the largest finite one become infinite.
func F32ToBF16(f float32) uint16 {
	u := math.Float32bits(f)
	if u&^f32Sign > f32Inf {
		return uint16(u>>16) | 0x40 // set the quiet bit: dropping the low half could leave an infinity
	}
	return uint16((u + 0x7fff + u>>16&1) >> 16)
}

// RoundBF16 rounds to the nearest bfloat16 and widens the result again.
func RoundBF16(f float32) float32 { return BF16ToF32(F32ToBF16(f)) }

const (
	f16MantLen = 10
	f16Bias    = 15
	f16Inf     = 0x7c00
	f16Quiet   = 0x0200
)

// F16ToF32 widens an IEEE binary16.
func F16ToF32(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	exp, mant := uint32(h)>>f16MantLen&0x1f, uint32(h)&(1<<f16MantLen-1)
	switch exp {
	case 0: // zero and subnormals: mant * 2^-24, exact in float32
		return math.Float32frombits(math.Float32bits(float32(mant)*0x1p-24) | sign)
	case 0x1f:
		return math.Float32frombits(sign | f32Inf | mant<<(f32MantLen-f16MantLen))
	}
	return math.Float32frombits(sign | (exp+f32Bias-f16Bias)<<f32MantLen | mant<<(f32MantLen-f16MantLen))
}

// F32ToF16 rounds to IEEE binary16. Values that round beyond 65504 become infinite.
func F32ToF16(f float32) uint16 {
	const drop = f32MantLen - f16MantLen
	u := math.Float32bits(f)
	sign := uint16(u >> 16 & 0x8000)
	u &^= f32Sign
	switch {
	case u > f32Inf:
		return sign | f16Inf | f16Quiet | uint16(u>>drop&(1<<f16MantLen-1))
	case u >= 0x477f_f000: // 65520, half way between 65504 and 65536
		return sign | f16Inf
	case u < (f32Bias-f16Bias+1)<<f32MantLen:
		// Below 2^-14 the codes count steps of 2^-24. That is one unit in the last place of a float32 in
		// [0.5, 1), so that adding 0.5 makes the addition round as wanted.
		return sign | uint16(math.Float32bits(math.Float32frombits(u)+0.5)-math.Float32bits(0.5))
	}
	u += 1<<(drop-1) - 1 + u>>drop&1
	return sign | uint16(u>>drop-(f32Bias-f16Bias)<<f16MantLen)
}

const (
	f8MantLen = 3
	f8Bias    = 7
	f8NaN     = 0x7f
	f8Max     = 0x7e

	// F8E4M3Max is the largest finite E4M3 value.
	F8E4M3Max = 448
)

var f8Values = func() (t [256]float32) {
	for i := range t {
		exp, mant := i>>f8MantLen&0xf, float64(i&(1<<f8MantLen-1))
		var v float64
		switch {
		case i&0x7f == f8NaN:
			v = math.NaN()
		case exp == 0:
			v = math.Ldexp(mant, 1-f8Bias-f8MantLen)
		default:
			v = math.Ldexp(8+mant, exp-f8Bias-f8MantLen)
		}
		if i&0x80 != 0 {
			v = math.Copysign(v, -1)
		}
		t[i] = float32(v)
	}
	return t
}()

// F8E4M3ToF32 widens an OCP E4M3 "fn" value.
func F8E4M3ToF32(b uint8) float32 { return f8Values[b] }

// F8E4M3Values returns the values of all 256 codes, for kernels that keep the table at hand.
func F8E4M3Values() [256]float32 { return f8Values }

// F8E4M3HasNaN reports whether one of the codes is NaN. It looks at eight at a time: adding one to seven ones carries
// into the eighth bit.
func F8E4M3HasNaN(codes []uint8) bool {
	const low, one, sign = 0x7f7f7f7f7f7f7f7f, 0x0101010101010101, 0x8080808080808080
	for ; len(codes) >= 8; codes = codes[8:] {
		if (binary.LittleEndian.Uint64(codes)&low+one)&sign != 0 {
			return true
		}
	}
	for _, c := range codes {
		if c&0x7f == f8NaN {
			return true
		}
	}
	return false
}

// F32ToF8E4M3 rounds to E4M3. What lies beyond ±448, infinities included, saturates to ±448; NaN gives
// 0x7f or 0xff.
func F32ToF8E4M3(f float32) uint8 {
	const drop = f32MantLen - f8MantLen
	u := math.Float32bits(f)
	sign := uint8(u >> 24 & 0x80)
	u &^= f32Sign
	switch {
	case u > f32Inf:
		return sign | f8NaN
	case u >= 0x43e0_0000: // 448
		return sign | f8Max
	case u < (f32Bias-f8Bias+1)<<f32MantLen:
		// As in F32ToF16: below 2^-6 the codes count steps of 2^-9, the last place of [2^14, 2^15).
		return sign | uint8(math.Float32bits(math.Float32frombits(u)+0x1p14)-math.Float32bits(0x1p14))
	}
	u += 1<<(drop-1) - 1 + u>>drop&1
	return sign | uint8(u>>drop-(f32Bias-f8Bias)<<f8MantLen)
}

// QuantizeF8E4M3 quantises one row of activations dynamically, as FP8 checkpoints of compressed-tensors'
// scheme "float-quantized, dynamic, per token" want it:
//
//	scale = max(max|x|, 1e-12) / 448,   q[i] = e4m3(x[i] / scale)
//
// It stores q, widened to float32, in q[:len(x)] (which may be x) and returns scale: the row that the
// checkpoint means is q[i]*scale. NaN elements are left out of the maximum and stay NaN.
func QuantizeF8E4M3(q, x []float32) (scale float32) {
	q = q[:len(x)]
	scale = rowScale(x)
	for i, v := range x {
		q[i] = f8Values[F32ToF8E4M3(v/scale)]
	}
	return scale
}

// QuantizeF8E4M3Codes is QuantizeF8E4M3 with the codes of q in place of its values.
func QuantizeF8E4M3Codes(q []uint8, x []float32) (scale float32) {
	q = q[:len(x)]
	scale = rowScale(x)
	for i, v := range x {
		q[i] = F32ToF8E4M3(v / scale)
	}
	return scale
}

// rowScale is the scale with which the largest value of a row becomes the largest code.
func rowScale(x []float32) float32 {
	largest := float32(1e-12)
	for _, v := range x {
		if a := math.Float32frombits(math.Float32bits(v) &^ f32Sign); a > largest {
			largest = a
		}
	}
	return largest / F8E4M3Max
}

// I4ToF32 is the value of the code in the lower four bits of b: -8 to 7.
func I4ToF32(b byte) float32 { return float32(int(b&15) - 8) }

// F32ToI8 rounds to the nearest integer from -127 to 127, ties to even; the range is symmetric, so that negating a weight
// negates its code. NaN becomes 0.
func F32ToI8(v float32) int8 { return int8(roundWithin(v, -127, 127)) }

// F32ToI4 is the code of the nearest integer from -8 to 7, ties to even. NaN becomes 0.
func F32ToI4(v float32) byte { return byte(roundWithin(v, -8, 7) + 8) }

func roundWithin(v float32, least, most float64) int {
	if v != v {
		return 0
	}
	return int(min(max(math.RoundToEven(float64(v)), least), most))
}
