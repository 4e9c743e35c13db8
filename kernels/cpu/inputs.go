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

	// For weights in panels: the rows as BF16, instead of rows and data.
	half halfRows
	wide [][]float32 // a worker's scratch: [k]

	// Of the call in progress.
	form form
	src  []float32
	code []uint8
	k    int
	body func(worker, lo, hi int)
	pack func(worker, lo, hi int)
}

func (in *inputs) init(d *Device) {
	in.dev, in.body, in.pack = d, in.convert, in.convertHalf
	in.wide = make([][]float32, d.threads)
}

// prepareHalf makes src, n rows of k values, ready for weights in panels.
func (in *inputs) prepareHalf(src []float32, n, k int, quantised bool) {
	in.src, in.k, in.form = src, k, bf16
	if quantised {
		in.form = f8Rows
		in.scale = kernels.Resize(in.scale, n)
	}
	in.halve(n)
}

// prepareHalfCodes makes n rows of k codes ready for weights in panels.
func (in *inputs) prepareHalfCodes(codes []uint8, scale []float32, n, k int) {
	in.code, in.scale, in.k, in.form = codes, scale, k, f8Codes
	in.halve(n)
}

func (in *inputs) halve(n int) {
	in.half.resize(n, in.k)
	in.dev.pool.run(n, in.dev.grain(n, 2*in.k), in.pack)
}

func (in *inputs) convertHalf(worker, lo, hi int) {
	k := in.k
	for r := lo; r < hi; r++ {
		switch in.form {
		case f8Codes:
			row := in.half.row(r)
			for i, b := range in.code[r*k : (r+1)*k] {
				row[i] = f8Halves[b]
			}
			clear(row[k:])
		case f8Rows:
			in.wide[worker] = kernels.Resize(in.wide[worker], k)
			in.scale[r] = dtype.QuantizeF8E4M3(in.wide[worker], in.src[r*k:(r+1)*k])
			in.half.fill(r, in.wide[worker])
		default:
			in.half.fill(r, in.src[r*k:(r+1)*k])
		}
	}
}

// scales are the scales of n rows from row r on, at most maxPanelRows.
func (in *inputs) scales(r, n int) []float32 {
	if in.form == f8Rows || in.form == f8Codes {
		return in.scale[r : r+n]
	}
	return oneRows[:n]
}

// f8Halves are the bfloat16 values of all e4m3 codes.
var f8Halves = func() (t [256]uint16) {
	for code := range t {
		t[code] = dtype.F32ToBF16(dtype.F8E4M3ToF32(byte(code)))
	}
	return t
}()

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
			in.scale[r] = dtype.QuantizeF8E4M3(dst, src)
			continue
		}
		for i, v := range src {
			dst[i] = dtype.RoundBF16(v)
		}
	}
}

// scaleOf is the scale of row r.
func (in *inputs) scaleOf(r int) float32 {
	if in.form != f8Rows && in.form != f8Codes {
		return 1
	}
	return in.scale[r]
}
