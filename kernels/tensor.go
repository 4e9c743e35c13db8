package kernels

import (
	"fmt"

	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/kernels/panel"
)

// New returns a zeroed tensor of that format and shape. It panics for an invalid dtype.
func New(d dtype.DType, shape ...int) Tensor {
	t := Tensor{DType: d, Shape: shape}
	if shape == nil {
		t.Shape = []int{} // a scalar is present
	}
	n := t.Elems()
	switch d {
	case dtype.F32:
		t.F32 = make([]float32, n)
	case dtype.BF16, dtype.F16:
		t.U16 = make([]uint16, n)
	case dtype.F8E4M3, dtype.I8, dtype.I4:
		t.U8 = make([]byte, d.Bytes(n))
	case dtype.I32:
		t.I32 = make([]int32, n)
	default:
		panic(fmt.Sprintf("kernels: new tensor of %v", d))
	}
	return t
}

// FromF32 views data as a tensor of that shape.
func FromF32(data []float32, shape ...int) Tensor {
	return Tensor{DType: dtype.F32, Shape: shape, F32: data}
}

// FromI32 views data as a tensor of that shape.
func FromI32(data []int32, shape ...int) Tensor {
	return Tensor{DType: dtype.I32, Shape: shape, I32: data}
}

// Load widens the stored codes of elements [at, at+len(dst)) to float32. It leaves Scale out: see LoadRow.
func (t *Tensor) Load(dst []float32, at int) {
	if t.Layout == Panels {
		t.loadPanels(dst, at)
		return
	}
	switch end := at + len(dst); t.DType {
	case dtype.F32:
		copy(dst, t.F32[at:end])
	case dtype.BF16:
		for i, h := range t.U16[at:end] {
			dst[i] = dtype.BF16ToF32(h)
		}
	case dtype.F16:
		for i, h := range t.U16[at:end] {
			dst[i] = dtype.F16ToF32(h)
		}
	case dtype.F8E4M3:
		for i, b := range t.U8[at:end] {
			dst[i] = dtype.F8E4M3ToF32(b)
		}
	case dtype.I8:
		for i, b := range t.U8[at:end] {
			dst[i] = float32(int8(b))
		}
	case dtype.I4:
		loadI4(dst, t.U8, at)
	default:
		panic(fmt.Sprintf("kernels: load from a tensor of %v", t.DType))
	}
}

// i4Pairs are the two values of each byte of I4 codes.
var i4Pairs = func() (pairs [256][2]float32) {
	for b := range pairs {
		pairs[b] = [2]float32{dtype.I4ToF32(byte(b)), dtype.I4ToF32(byte(b >> 4))}
	}
	return pairs
}()

// loadI4 is Load of I4 codes, two at a time where both are wanted.
func loadI4(dst []float32, codes []byte, at int) {
	if len(dst) > 0 && at%2 == 1 {
		dst[0] = dtype.I4ToF32(codes[at/2] >> 4)
		dst, at = dst[1:], at+1
	}
	for i, b := range codes[at/2 : (at+len(dst))/2] {
		*(*[2]float32)(dst[2*i:]) = i4Pairs[b]
	}
	if n := len(dst); n%2 == 1 {
		dst[n-1] = dtype.I4ToF32(codes[(at+n)/2])
	}
}

// loadPanels is Load for weights in panels.
func (t *Tensor) loadPanels(dst []float32, at int) {
	k := t.Last()
	n := t.Shape[len(t.Shape)-2]
	size := panel.Size(t.DType, n, k)
	for i := range dst {
		row, col := (at+i)/k, (at+i)%k
		base, p := row/n*size, panel.Index(t.DType, row%n, col, k)
		switch t.DType {
		case dtype.F32:
			dst[i] = t.F32[base+p]
		case dtype.BF16:
			dst[i] = dtype.BF16ToF32(t.U16[base+p])
		case dtype.F8E4M3:
			dst[i] = dtype.F8E4M3ToF32(t.U8[base+p])
		case dtype.I8:
			dst[i] = float32(int8(t.U8[base+p]))
		case dtype.I4:
			dst[i] = dtype.I4ToF32(t.U8[base+p] >> panel.Shift(row%n))
		default:
			panic(fmt.Sprintf("kernels: load from panels of %v", t.DType))
		}
	}
}

// LoadRow stores the values of row i, codes times scale, in dst, which has Last() elements.
func (t *Tensor) LoadRow(dst []float32, i int) {
	t.Load(dst, i*len(dst))
	switch {
	case t.DType == dtype.I4:
		t.scaleGroups(dst, i)
	case t.Scale != nil:
		s := t.Scale[i]
		for j := range dst {
			dst[j] *= s
		}
	}
}

// scaleGroups multiplies the codes of row i by their groups' scales.
func (t *Tensor) scaleGroups(dst []float32, i int) {
	k := len(dst)
	groups := (k + dtype.Group - 1) / dtype.Group
	for g := range groups {
		var s float32
		switch {
		case t.Layout == Panels:
			n := t.Shape[len(t.Shape)-2]
			at := i/n*panel.Size(dtype.I4, n, k) + panel.ScaleIndex(i%n, g, k)
			s = dtype.BF16ToF32(uint16(t.U8[at]) | uint16(t.U8[at+1])<<8)
		case t.Scale != nil:
			s = t.Scale[i*groups+g]
		default:
			return
		}
		group := dst[g*dtype.Group : min((g+1)*dtype.Group, k)]
		for j := range group {
			group[j] *= s
		}
	}
}

// Store narrows src into elements [at, at+len(src)): to the nearest value, ties to even; F8E4M3, I8 and I4 saturate.
// Panels are not written to: see package panel.
func (t *Tensor) Store(at int, src []float32) {
	switch end := at + len(src); t.DType {
	case dtype.F32:
		copy(t.F32[at:end], src)
	case dtype.BF16:
		dst := t.U16[at:end]
		for i, v := range src {
			dst[i] = dtype.F32ToBF16(v)
		}
	case dtype.F16:
		dst := t.U16[at:end]
		for i, v := range src {
			dst[i] = dtype.F32ToF16(v)
		}
	case dtype.F8E4M3:
		dst := t.U8[at:end]
		for i, v := range src {
			dst[i] = dtype.F32ToF8E4M3(v)
		}
	case dtype.I8:
		dst := t.U8[at:end]
		for i, v := range src {
			dst[i] = byte(dtype.F32ToI8(v))
		}
	case dtype.I4:
		for i, v := range src {
			b, shift := &t.U8[(at+i)/2], 4*((at+i)%2)
			*b = *b&^(15<<shift) | dtype.F32ToI4(v)<<shift
		}
	default:
		panic(fmt.Sprintf("kernels: store into a tensor of %v", t.DType))
	}
}

// Resize returns a slice of n elements, s itself where its capacity allows. Kernels keep their scratch in it
// from call to call. The contents are unspecified.
func Resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/4)
	}
	return s[:n]
}
