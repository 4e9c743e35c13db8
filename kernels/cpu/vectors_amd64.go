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
	expExact:  expExactAVX512,
	expSum:    expSumAVX512,
	roundBF16: roundBF16AVX512,
	toBF16:    toBF16AVX512,
	largest:   largestAVX512,
	toF8:      toF8AVX512,
	roundF8:   roundF8AVX512,
	quantise:  quantiseAVX512,
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
	expExact:  portableVectors.expExact,
	expSum:    expSumAVX2,
	roundBF16: roundBF16AVX2,
	toBF16:    portableVectors.toBF16,
	largest:   portableVectors.largest,
	toF8:      portableVectors.toF8,
	roundF8:   portableVectors.roundF8,
	quantise:  quantiseGroups,
}

// quantiseAVX512 is quantiseGroups. The last group goes through a copy where the row ends inside of it.
func quantiseAVX512(codes []int8, meta []quantMeta, x []float32, group int, factor float32, offset int32) {
	checkGroups(codes, meta, x, group)
	if group != 64 && group != 128 {
		quantiseGroups(codes, meta, x, group, factor, offset)
		return
	}
	whole := len(x) / group
	if whole > 0 {
		quantiseWhole(&codes[0], &meta[0], &x[0], whole, group, factor, offset)
	}
	if whole < len(meta) {
		var last [128]float32
		copy(last[:], x[whole*group:])
		quantiseWhole(&codes[whole*group], &meta[whole], &last[0], 1, group, factor, offset)
	}
}

func quantiseWhole(codes *int8, meta *quantMeta, x *float32, groups, group int, factor float32, offset int32) {
	if group == 64 {
		quantise64KernelAVX512(codes, meta, x, groups, factor, offset)
	} else {
		quantise128KernelAVX512(codes, meta, x, groups, factor, offset)
	}
}
