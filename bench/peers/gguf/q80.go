package gguf

import (
	"encoding/binary"
	"math"

	"github.com/glmc/glmc/kernels/dtype"
)

// Block is how many values of a row in q8_0 share a scale.
const Block = 32

// blockBytes are those of a block: the scale in f16 and a code for each value.
const blockBytes = 2 + Block

// AppendQ80 appends values, a multiple of Block of them, in q8_0: value = scale * code, with the scale that makes the largest
// code of the block 127. A value that is not finite is not expected.
func AppendQ80(b []byte, values []float32) []byte {
	for ; len(values) >= Block; values = values[Block:] {
		block := values[:Block]
		var most float32
		for _, v := range block {
			most = max(most, v, -v)
		}
		scale := most / 127
		inverse := float32(0)
		if scale > 0 {
			inverse = 1 / scale
		}
		b = binary.LittleEndian.AppendUint16(b, dtype.F32ToF16(scale))
		for _, v := range block {
			b = append(b, byte(int8(math.RoundToEven(float64(v*inverse)))))
		}
	}
	return b
}
