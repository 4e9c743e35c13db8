package dtype

import "math"

// QuantizeI8 quantises a row of a weight and returns its scale, max|w|/127: the weight is scale * int8(codes[i]). The code
// -128 is not used, as in compressed-tensors. A row of zeros has a scale too. One that holds NaN or an infinity has
// the scale NaN: what comes of it is no number, as it would be without quantisation.
func QuantizeI8(codes []byte, row []float32) (scale float32) {
	codes = codes[:len(row)]
	scale = largestOf(row) / 127
	inverse := 1 / scale
	for i, v := range row {
		codes[i] = byte(F32ToI8(v * inverse))
	}
	return scale
}

// i4Clips are the values that the largest of a group becomes with the scales that QuantizeI4 tries: up to 7 every value is
// in range, up to 8 the negative ones are, and beyond the largest ones are clipped so that the others get finer steps.
var i4Clips = [...]float32{7, 7.25, 7.5, 7.75, 8, 8.5, 9, 9.75}

// QuantizeI4 quantises a group, at most Group values of a row, and returns its scale, a bfloat16: the weight is
// scale * I4ToF32(codes[i]), each code in a byte of its own. It tries the scales of i4Clips, then the scale that fits
// the best one's codes, and takes the first of those with the least squared error. Zeros, NaN and infinities are as in
// QuantizeI8.
//
// Searching for the scale in place of taking max|w|/7 or /7.5 is what AWQ and llama.cpp's quants do as well; the squared
// error of normally distributed weights is 15 % less than with max|w|/7.5.
func QuantizeI4(codes []byte, group []float32) (scale float32) {
	codes = codes[:len(group)]
	largest := largestOf(group)
	if largest != largest {
		clear(codes)
		return largest
	}
	best := math.Inf(1)
	try := func(s float32) {
		s = RoundBF16(s)
		if e := i4Error(group, s); e < best {
			best, scale = e, s
		}
	}
	for _, clip := range i4Clips {
		try(largest / clip)
	}
	if s := i4Fit(group, scale); s > 0 {
		try(s)
	}
	inverse := 1 / scale
	for i, v := range group {
		codes[i] = byte(nearestI4(v, inverse) + 8)
	}
	return scale
}

// largestOf is the largest absolute value, at least 1e-12; NaN where one is not finite.
func largestOf(row []float32) float32 {
	largest := uint32(0x2b8cbccc) // 1e-12
	for _, v := range row {
		largest = max(largest, math.Float32bits(v)&^f32Sign) // as numbers, so are their bits in order; NaN is beyond infinity
	}
	if largest >= f32Inf {
		return float32(math.NaN())
	}
	return math.Float32frombits(largest)
}

// nearestI4 is v*inverse rounded to an integer from -8 to 7, ties to even. The conversions keep compilers from adding
// without rounding the product first, which would make files depend on the machine.
func nearestI4(v, inverse float32) float32 {
	const shift = 3 << 22 // floats of this size are integers
	q := float32(v * inverse)
	switch {
	case q >= 7:
		return 7
	case q <= -8:
		return -8
	}
	return float32(q+shift) - shift
}

// i4Error is the squared error of a group with a scale.
func i4Error(group []float32, scale float32) float64 {
	inverse, sum := 1/scale, 0.0
	for _, v := range group {
		d := float64(v) - float64(nearestI4(v, inverse)*scale)
		sum += float64(d * d)
	}
	return sum
}

// i4Fit is the scale with the least squared error for the codes that a group has with another scale: the sum of w*q over
// that of q*q. It is 0 where all codes are.
func i4Fit(group []float32, scale float32) float32 {
	inverse, wq, qq := 1/scale, 0.0, 0.0
	for _, v := range group {
		q := float64(nearestI4(v, inverse))
		wq += float64(float64(v) * q)
		qq += float64(q * q)
	}
	if qq == 0 {
		return 0
	}
	return float32(wq / qq)
}
