package machine

import (
	"math"
	"slices"
)

// SameBits reports whether two results are the same, NaN and -0 included.
func SameBits(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) })
}

// Difference is the largest difference between two results, relative to the largest value; +Inf where one has a
// NaN or they have different lengths. Results that differ in a sign of zero alone are 0 apart.
func Difference(want, got []float32) float64 {
	if len(want) != len(got) {
		return math.Inf(1)
	}
	most, off := 0.0, 0.0
	for i, w := range want {
		if math.Float32bits(w) == math.Float32bits(got[i]) {
			most = max(most, math.Abs(float64(w)))
			continue
		}
		d := math.Abs(float64(w) - float64(got[i]))
		if math.IsNaN(d) {
			return math.Inf(1)
		}
		most, off = max(most, math.Abs(float64(w))), max(off, d)
	}
	if off == 0 {
		return 0
	}
	return off / most
}

// RootMeanSquare is the root of the mean squared difference, relative to that of the values.
func RootMeanSquare(want, got []float32) float64 {
	if len(want) != len(got) {
		return math.Inf(1)
	}
	var size, off float64
	for i, w := range want {
		d := float64(w) - float64(got[i])
		size, off = size+float64(w)*float64(w), off+d*d
	}
	switch {
	case math.IsNaN(off):
		return math.Inf(1)
	case off == 0:
		return 0
	}
	return math.Sqrt(off / size)
}
