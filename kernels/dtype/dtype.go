// Package dtype names the number formats that tensors are stored in and converts between them.
//
// It is a leaf: the compiler, the runtime and the kernels all import it and it imports nothing of theirs.
package dtype

import "fmt"

// DType is a number format. The zero value is no format at all.
type DType uint8

const (
	Invalid DType = iota
	F32           // IEEE 754 binary32
	BF16          // bfloat16: the upper half of an F32
	F16           // IEEE 754 binary16
	F8E4M3        // OCP E4M3 "fn": no infinities, S.1111.111 is NaN, largest finite value 448
	I32           // two's complement, 32 bits
	I8            // two's complement, 8 bits
	I4            // 4 bits, code = value + 8; two codes a byte, the lower index in the low half; rows are even
)

var names = [...]string{Invalid: "invalid", F32: "f32", BF16: "bf16", F16: "f16", F8E4M3: "fp8_e4m3", I32: "i32", I8: "int8", I4: "int4"}
var bits = [...]int{Invalid: 0, F32: 32, BF16: 16, F16: 16, F8E4M3: 8, I32: 32, I8: 8, I4: 4}

// String returns the name that .glm files, plans and messages use.
func (d DType) String() string {
	if int(d) < len(names) {
		return names[d]
	}
	return fmt.Sprintf("dtype(%d)", uint8(d))
}

// Size is the number of bytes of one element; 0 for an invalid dtype and for I4, of which a byte holds two: see
// Bytes.
func (d DType) Size() int { return d.Bits() / 8 }

// Bits is the number of bits of one element; 0 for an invalid dtype.
func (d DType) Bits() int {
	if int(d) < len(bits) {
		return bits[d]
	}
	return 0
}

// Bytes is what n elements take.
func (d DType) Bytes(n int) int { return (n*d.Bits() + 7) / 8 }

// Valid reports whether d names a format.
func (d DType) Valid() bool { return d != Invalid && int(d) < len(names) }

// IsFloat reports whether d is one of the floating-point formats.
func (d DType) IsFloat() bool { return d.Valid() && !d.IsInt() }

// IsInt reports whether d is one of the integer formats.
func (d DType) IsInt() bool { return d == I32 || d == I8 || d == I4 }

// Scaled reports whether weights in d come with scales: value = scale * code. F8E4M3 and I8 have one for each row, I4 one
// for each Group values of a row.
func (d DType) Scaled() bool { return d == F8E4M3 || d == I8 || d == I4 }

// Group is the number of I4 codes that share a scale.
const Group = 64

// Parse returns the dtype of that name. It knows the names of .glm files and plans ("bf16"),
// of safetensors ("BF16") and of config.json's torch_dtype ("bfloat16").
func Parse(name string) (DType, error) {
	switch name {
	case "f32", "F32", "float32":
		return F32, nil
	case "bf16", "BF16", "bfloat16":
		return BF16, nil
	case "f16", "F16", "float16":
		return F16, nil
	case "fp8_e4m3", "F8_E4M3", "float8_e4m3fn":
		return F8E4M3, nil
	case "i32", "I32", "int32":
		return I32, nil
	case "int8", "I8":
		return I8, nil
	case "int4":
		return I4, nil
	}
	return Invalid, fmt.Errorf("unknown dtype %q: one of f32, bf16, f16, fp8_e4m3, i32, int8, int4", name)
}
