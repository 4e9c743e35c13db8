package kernels

import (
	"math"

	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/kernels/panel"
)

// InPanels returns a copy of a row-major weight [..., N, K] in the order of package panel; its dtype must be one that
// panel.Holds. The scales of I8 are shared with t, those of I4 are rounded to BF16, and those of F8E4M3 are PanelScales'.
func (t *Tensor) InPanels() Tensor {
	n, k := t.Shape[len(t.Shape)-2], t.Last()
	matrices := t.Rows() / n
	p := Tensor{DType: t.DType, Shape: t.Shape, Layout: Panels}
	size := matrices * panel.Size(t.DType, n, k)
	switch t.DType {
	case dtype.F32:
		p.F32 = make([]float32, size)
	case dtype.BF16:
		p.U16 = make([]uint16, size)
	default:
		p.U8 = make([]byte, size)
	}
	switch t.DType {
	case dtype.I4:
	case dtype.F8E4M3:
		if t.Scale != nil {
			p.Scale = make([]float32, len(t.Scale))
			t.PanelScales(p.Scale, 0, len(t.Scale))
		}
	default:
		p.Scale = t.Scale
	}
	stride, at := panel.Stride(t.DType, k), 0
	for m := range matrices {
		for r := 0; r < n; r += panel.Channels {
			t.PackPanel(&p, at, m*n+r, min(panel.Channels, n-r))
			at += stride
		}
	}
	return p
}

// PanelScales stores the scales of rows [first, first+rows) of a row-major t, one for each row, as they belong to panels: NaN
// for a row of F8E4M3 that has a NaN. Every product with such a row is NaN, and in int8, which has no NaN, nothing else
// says so.
func (t *Tensor) PanelScales(dst []float32, first, rows int) {
	copy(dst[:rows], t.Scale[first:])
	if t.DType != dtype.F8E4M3 {
		return
	}
	k := t.Last()
	for r := range rows {
		if dtype.F8E4M3HasNaN(t.U8[(first+r)*k : (first+r+1)*k]) {
			dst[r] = float32(math.NaN())
		}
	}
}

// PackPanel packs rows [first, first+rows) of a row-major t, at most panel.Channels, into the panel that begins at element
// at of p. It leaves p.Scale alone.
func (t *Tensor) PackPanel(p *Tensor, at, first, rows int) {
	k := t.Last()
	stride := panel.Stride(t.DType, k)
	switch t.DType {
	case dtype.F32:
		panel.PackF32(p.F32[at:at+stride], t.F32[first*k:(first+rows)*k], rows, k)
	case dtype.BF16:
		panel.PackBF16(p.U16[at:at+stride], t.U16[first*k:(first+rows)*k], rows, k)
	case dtype.I4:
		groups := (k + dtype.Group - 1) / dtype.Group
		scales := make([]uint16, rows*groups)
		for i := range scales {
			scales[i] = dtype.F32ToBF16(1)
			if t.Scale != nil {
				scales[i] = dtype.F32ToBF16(t.Scale[first*groups+i])
			}
		}
		panel.PackI4(p.U8[at:at+stride], t.U8[first*k/2:(first+rows)*k/2], scales, rows, k)
	default:
		panel.PackBytes(p.U8[at:at+stride], t.U8[first*k:(first+rows)*k], rows, k)
	}
}
