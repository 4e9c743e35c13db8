package cpu

import (
	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
)

// form is what becomes of activation rows before they are multiplied.
type form int

const (
	asIs    form = iota
	bf16         // rounded to bfloat16
	f8Rows       // quantised to e4m3: codes' values in the row, its scale beside it
	f8Codes      // widened from e4m3: as f8Rows, for rows that are quantised already
)

// formFor returns the form that rows take for weights of that format, quantised or not.
func formFor(weights dtype.DType, quantised bool) form {
	switch {
	case quantised:
		return f8Rows // every e4m3 value is a bfloat16
	case weights == dtype.BF16 || weights == dtype.F8E4M3:
		return bf16
	}
	return asIs
}

// inputs are the rows that enter a matrix product, in the form that its weights want.
type inputs struct {
	dev   *Device
	rows  [][]float32
	scale []float32 // for f8Rows and f8Codes: row r means scale[r] * rows[r]
	data  []float32

	// Of the call in progress.
	form form
	src  []float32
	code []uint8
	k    int
	body func(worker, lo, hi int)
}

func (in *inputs) init(d *Device) { in.dev, in.body = d, in.convert }

// prepare makes src, n rows of k values, ready. The rows alias src where they stay as they are.
func (in *inputs) prepare(src []float32, n, k int, f form) {
	in.src, in.k, in.form = src, k, f
	in.rows = kernels.Resize(in.rows, n)
	if f == asIs {
		for r := range in.rows {
			in.rows[r] = src[r*k : (r+1)*k]
		}
		return
	}
	in.data = kernels.Resize(in.data, n*k)
	if f == f8Rows {
		in.scale = kernels.Resize(in.scale, n)
	}
	in.dev.pool.run(n, in.dev.grain(n, 2*k), in.body)
}

// prepareCodes makes n rows of k codes ready, of which scale has the scales.
func (in *inputs) prepareCodes(codes []uint8, scale []float32, n, k int) {
	in.code, in.scale, in.k, in.form = codes, scale, k, f8Codes
	in.rows, in.data = kernels.Resize(in.rows, n), kernels.Resize(in.data, n*k)
	in.dev.pool.run(n, in.dev.grain(n, k), in.body)
}

func (in *inputs) convert(_, lo, hi int) {
	k := in.k
	for r := lo; r < hi; r++ {
		dst := in.data[r*k : (r+1)*k]
		in.rows[r] = dst
		if in.form == f8Codes {
			for i, b := range in.code[r*k : (r+1)*k] {
				dst[i] = f8Values[b]
			}
			continue
		}
		src := in.src[r*k : (r+1)*k]
		if in.form == f8Rows {
			in.scale[r] = in.dev.vectors.f8Row(dst, src)
			continue
		}
		in.dev.vectors.roundBF16(dst, src)
	}
}

// scaleOf is the scale of row r.
func (in *inputs) scaleOf(r int) float32 {
	if in.form != f8Rows && in.form != f8Codes {
		return 1
	}
	return in.scale[r]
}
