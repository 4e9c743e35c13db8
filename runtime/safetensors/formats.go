package safetensors

import (
	"fmt"
	"math"
	"math/bits"
	"strings"

	"github.com/glmc/glmc/kernels/dtype"
)

// format is one element format of the file format.
type format struct {
	name string      // as headers spell it
	bits uint64      // size of one element
	calc dtype.DType // the same format where we can compute with it, else dtype.Invalid
}

// formats lists every element format that safetensors 0.8 knows. The order is that of its enumeration
// (Dtype in tensor.rs), by rising alignment: files are written with the last of the list first, so that
// every tensor of a written file is aligned to its element.
var formats = []format{
	{"BOOL", 8, dtype.Invalid},
	{"F4", 4, dtype.Invalid},
	{"F6_E2M3", 6, dtype.Invalid},
	{"F6_E3M2", 6, dtype.Invalid},
	{"U8", 8, dtype.Invalid},
	{"I8", 8, dtype.I8},
	{"F8_E5M2", 8, dtype.Invalid},
	{"F8_E4M3", 8, dtype.F8E4M3},
	{"F8_E8M0", 8, dtype.Invalid},
	{"F8_E4M3FNUZ", 8, dtype.Invalid},
	{"F8_E5M2FNUZ", 8, dtype.Invalid},
	{"I16", 16, dtype.Invalid},
	{"U16", 16, dtype.Invalid},
	{"F16", 16, dtype.F16},
	{"BF16", 16, dtype.BF16},
	{"I32", 32, dtype.I32},
	{"U32", 32, dtype.Invalid},
	{"F32", 32, dtype.F32},
	{"C64", 64, dtype.Invalid},
	{"F64", 64, dtype.Invalid},
	{"I64", 64, dtype.Invalid},
	{"U64", 64, dtype.Invalid},
}

// formatNamed returns the index in formats of the format that headers call name.
func formatNamed(name string) (int, error) {
	for i, f := range formats {
		if f.name == name {
			return i, nil
		}
	}
	return 0, fmt.Errorf("unknown dtype %.40q: one of %s", name, formatNames())
}

// formatOf returns the index in formats of a dtype.
func formatOf(d dtype.DType) (int, error) {
	for i, f := range formats {
		if f.calc == d && d.Valid() {
			return i, nil
		}
	}
	return 0, fmt.Errorf("dtype %v has no name in safetensors: set FileDType to one of %s", d, formatNames())
}

func formatNames() string {
	names := make([]string, len(formats))
	for i, f := range formats {
		names[i] = f.name
	}
	return strings.Join(names, ", ")
}

// dims writes a shape as the other messages of glmc do: "[256, 768]".
func dims(shape []int) string { return strings.ReplaceAll(fmt.Sprint(shape), " ", ", ") }

// byteSize is the number of bytes that a tensor of this format and shape takes. Dimensions must not be
// negative. It fails where the number of elements or of bits leaves 63 bits, and where elements of less than
// a byte do not fill the last byte.
func (f format) byteSize(shape []int) (int64, error) {
	elems := uint64(1)
	for _, d := range shape {
		hi, lo := bits.Mul64(elems, uint64(d))
		if hi != 0 || lo > math.MaxInt64 {
			return 0, fmt.Errorf("shape %s overflows: more than 2^63 elements", dims(shape))
		}
		elems = lo
	}
	hi, n := bits.Mul64(elems, f.bits)
	if hi != 0 || n/8 > math.MaxInt {
		return 0, fmt.Errorf("shape %s of %s overflows: more bytes than this machine can address", dims(shape), f.name)
	}
	if n%8 != 0 {
		return 0, fmt.Errorf("shape %s of %s ends inside a byte: pad it to whole bytes", dims(shape), f.name)
	}
	return int64(n / 8), nil
}
