package safetensors

import (
	"encoding/binary"
	"fmt"
	"math"
	"unsafe"

	"github.com/glmc/glmc/kernels/dtype"
)

// Tensor is one tensor of an open checkpoint. It is a view: see [Checkpoint.Close] for how long it lives.
type Tensor struct {
	Name      string
	DType     dtype.DType // dtype.Invalid where FileDType is a format that we cannot compute with, such as I64
	FileDType string      // as the file spells it: "BF16", "F8_E4M3", "I64"
	Shape     []int       // outermost dimension first; empty for a scalar
	Bytes     []byte      // row-major, little-endian, any alignment; read-only memory: writing kills the process
	File      string      // path of the file that holds it
	mapped    bool        // Bytes are a file's, and come back when they are touched
}

// Release says that the tensor's bytes were read and are not wanted soon: this process gives back the pages that lie
// completely in them. They stay in the system's cache for as long as nobody wants that memory, and touching them brings
// them back.
func (t Tensor) Release() {
	if t.mapped {
		release(t.Bytes)
	}
}

// Elems is the number of elements: the product of Shape.
func (t Tensor) Elems() int {
	n := 1
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// Float32s returns the values of an F32 tensor. Like all typed views it is read-only and shares the file's
// memory where that is aligned and the machine is little-endian; otherwise it is a copy.
func (t Tensor) Float32s() ([]float32, error) {
	if t.DType != dtype.F32 {
		return nil, t.mismatch("F32")
	}
	return view(t.Bytes, decodeFloat32), nil
}

// Uint16s returns the raw bits of a BF16 or F16 tensor, as [Tensor.Float32s] does.
func (t Tensor) Uint16s() ([]uint16, error) {
	if t.DType != dtype.BF16 && t.DType != dtype.F16 {
		return nil, t.mismatch("BF16 or F16")
	}
	return view(t.Bytes, binary.LittleEndian.Uint16), nil
}

// Int32s returns the values of an I32 tensor, as [Tensor.Float32s] does.
func (t Tensor) Int32s() ([]int32, error) {
	if t.DType != dtype.I32 {
		return nil, t.mismatch("I32")
	}
	return view(t.Bytes, decodeInt32), nil
}

// ToF32 converts the tensor's values to float32, exactly, into dst, which must hold Elems() values. It reads
// F32, BF16, F16 and F8_E4M3; the scale that belongs to an F8_E4M3 weight is a tensor of its own and is not
// applied. NaNs stay NaNs.
func (t Tensor) ToF32(dst []float32) error {
	if !t.DType.IsFloat() {
		return t.mismatch("F32, BF16, F16 or F8_E4M3")
	}
	if n := t.Elems(); len(dst) != n {
		return fmt.Errorf("tensor %q of %s: has %d values %v, the destination has room for %d", t.Name, t.File, n, t.Shape, len(dst))
	}
	switch src := t.Bytes; t.DType {
	case dtype.F32:
		for i := range dst {
			dst[i] = decodeFloat32(src[4*i:])
		}
	case dtype.BF16:
		for i := range dst {
			dst[i] = dtype.BF16ToF32(binary.LittleEndian.Uint16(src[2*i:]))
		}
	case dtype.F16:
		for i := range dst {
			dst[i] = dtype.F16ToF32(binary.LittleEndian.Uint16(src[2*i:]))
		}
	case dtype.F8E4M3:
		for i := range dst {
			dst[i] = dtype.F8E4M3ToF32(src[i])
		}
	default:
		panic(fmt.Sprintf("safetensors: no conversion of %v to float32", t.DType))
	}
	return nil
}

func (t Tensor) mismatch(want string) error {
	return fmt.Errorf("tensor %q of %s: is %s, want %s", t.Name, t.File, t.FileDType, want)
}

// littleEndian says whether this machine's numbers have the file's byte order.
var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// view gives b, which holds little-endian numbers, as a slice of T: the same memory where the machine could
// have stored it so, else a decoded copy. The format promises no alignment.
func view[T uint16 | int32 | float32](b []byte, decode func([]byte) T) []T {
	var zero T
	size := int(unsafe.Sizeof(zero)) // also T's alignment on every architecture of Go
	n := len(b) / size
	if n == 0 {
		return []T{}
	}
	at := unsafe.Pointer(unsafe.SliceData(b))
	if littleEndian && uintptr(at)%uintptr(size) == 0 {
		return unsafe.Slice((*T)(at), n)
	}
	out := make([]T, n)
	for i := range out {
		out[i] = decode(b[size*i:])
	}
	return out
}

func decodeFloat32(b []byte) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(b)) }

func decodeInt32(b []byte) int32 { return int32(binary.LittleEndian.Uint32(b)) }
