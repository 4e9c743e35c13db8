//go:build !purego

package cpu

import "strings"

// vectorsOf is the table of a tier. Those that multiply with AVX-512 in different ways share one.
func vectorsOf(tier string) *vectors {
	switch {
	case strings.HasPrefix(tier, "avx512"):
		return &avx512Vectors
	case tier == "avx2":
		return &avx2Vectors
	}
	return &portableVectors
}

var avx512Vectors = vectors{
	expCost:   3,
	add:       addAVX512,
	mul:       mulAVX512,
	scale:     scaleAVX512,
	affine:    affineAVX512,
	rotate:    rotateAVX512,
	silu:      siluAVX512,
	swiglu:    swigluAVX512,
	sigmoid:   sigmoidAVX512,
	expSum:    expSumAVX512,
	roundBF16: roundBF16AVX512,
	toBF16:    toBF16AVX512,
}

var avx2Vectors = vectors{
	expCost:   6,
	add:       addAVX2,
	mul:       mulAVX2,
	scale:     scaleAVX2,
	affine:    affineAVX2,
	rotate:    rotateAVX2,
	silu:      siluAVX2,
	swiglu:    swigluAVX2,
	sigmoid:   portableVectors.sigmoid,
	expSum:    portableVectors.expSum,
	roundBF16: roundBF16AVX2,
	toBF16:    portableVectors.toBF16,
}
