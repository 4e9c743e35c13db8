package weights

import (
	"fmt"
	"unsafe"

	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/kernels/panel"
	"github.com/glmc/glmc/runtime/hugepages"
)

// storage is what a tensor takes in memory.
type storage struct {
	dtype  dtype.DType
	shape  []int
	layout kernels.Layout
	elems  int // of the slice of codes: float32, uint16 or bytes
	scales int
}

func storageOf(d dtype.DType, shape []int, layout kernels.Layout) storage {
	s := storage{dtype: d, shape: shape, layout: layout}
	width := shape[len(shape)-1]
	rows := product(shape[:len(shape)-1])
	switch {
	case layout == kernels.Panels:
		n := shape[len(shape)-2]
		s.elems = rows / n * panel.Size(d, n, width)
	case d.Size() == 4 || d.Size() == 2:
		s.elems = rows * width
	default:
		s.elems = int(d.Bytes(rows * width))
	}
	switch {
	case !d.Scaled() || layout == kernels.Panels && d == dtype.I4: // whose scales lie between the codes
	case d == dtype.I4:
		s.scales = rows * ((width + dtype.Group - 1) / dtype.Group)
	default:
		s.scales = rows
	}
	return s
}

// unit is the size of an element of the slice of codes in bytes.
func (s storage) unit() int {
	switch s.dtype {
	case dtype.F32:
		return 4
	case dtype.BF16, dtype.F16:
		return 2
	}
	return 1
}

// room is what the tensor takes in a region, in bytes.
func (s storage) room() int64 {
	return hugepages.Room(s.codeBytes()) + hugepages.Room(4*int64(s.scales))
}

// tensor cuts the tensor from a region.
func (s storage) tensor(memory *hugepages.Region) kernels.Tensor {
	t := kernels.Tensor{DType: s.dtype, Shape: s.shape, Layout: s.layout}
	switch s.unit() {
	case 4:
		t.F32 = hugepages.Make[float32](memory, s.elems)
	case 2:
		t.U16 = hugepages.Make[uint16](memory, s.elems)
	default:
		t.U8 = hugepages.Make[byte](memory, s.elems)
	}
	if s.scales > 0 {
		t.Scale = hugepages.Make[float32](memory, s.scales)
	}
	return t
}

// over makes the tensor of bytes that hold it, at multiples of 4.
func (s storage) over(codes, scales []byte) (kernels.Tensor, error) {
	if int64(len(codes)) != s.codeBytes() || len(scales) != 4*s.scales {
		return kernels.Tensor{}, fmt.Errorf("the packed file has %d bytes of codes and %d of scales for it, not %d and %d: write it again with glmc pack",
			len(codes), len(scales), s.codeBytes(), 4*s.scales)
	}
	t := kernels.Tensor{DType: s.dtype, Shape: s.shape, Layout: s.layout}
	switch s.unit() {
	case 4:
		t.F32 = elementsOf[float32](codes)
	case 2:
		t.U16 = elementsOf[uint16](codes)
	default:
		t.U8 = codes
	}
	if s.scales > 0 {
		t.Scale = elementsOf[float32](scales)
	}
	return t, nil
}

// codeBytes is the size of the codes.
func (s storage) codeBytes() int64 { return int64(s.elems) * int64(s.unit()) }

// bytes gives a tensor's codes and scales as they lie in memory.
func (s storage) bytes(t kernels.Tensor) (codes, scales []byte) {
	switch s.unit() {
	case 4:
		codes = bytesOf(t.F32)
	case 2:
		codes = bytesOf(t.U16)
	default:
		codes = t.U8
	}
	return codes, bytesOf(t.Scale)
}

func elementsOf[T uint16 | float32](b []byte) []T {
	var zero T
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/int(unsafe.Sizeof(zero)))
}

func bytesOf[T uint16 | float32](s []T) []byte {
	var zero T
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*int(unsafe.Sizeof(zero)))
}
