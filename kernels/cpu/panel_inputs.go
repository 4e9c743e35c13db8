package cpu

import (
	"unsafe"

	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
)

// panelRowsIn are rows of activations as weights in panels are multiplied with them: as BF16, or in fast mode as int8. Both
// are row-major, padded with zeros to what the weights are padded to.
type panelRowsIn struct {
	half  halfRows
	bytes byteRows
	wide  wideRows // for weights in F32
}

// wideRows are rows in F32, where they lie.
type wideRows struct {
	data   []float32
	stride int
}

// at is row r, the bytes to the next row, and those of a value, of rows that are not int8.
func (x *panelRowsIn) at(r int) (row unsafe.Pointer, next, size int) {
	if x.wide.data != nil {
		return unsafe.Pointer(&x.wide.data[r*x.wide.stride]), 4 * x.wide.stride, 4
	}
	return unsafe.Pointer(&x.half.data[r*x.half.stride]), 2 * x.half.stride, 2
}

// halfRows are rows in BF16.
type halfRows struct {
	data   []uint16
	stride int // from row to row, in values
}

// resize makes room for n rows of k values.
func (h *halfRows) resize(n, k int) {
	h.stride = rowsStride(k)
	h.data = kernels.Resize(h.data, n*h.stride)
}

// rowsStride is the number of values from one row of k activations to the next: padded so that rows of a power of two do
// not fall into the same sets of the first-level cache, and so that kernels may read the padding of weights.
func rowsStride(k int) int { return (k+63)/64*64 + 32 }

// row is row r with its padding.
func (h *halfRows) row(r int) []uint16 { return h.data[r*h.stride : (r+1)*h.stride] }

// fill stores src in row r and zeros behind it.
func (h *halfRows) fill(v *vectors, r int, src []float32) {
	row := h.row(r)
	v.toBF16(row[:len(src)], src)
	clear(row[len(src):])
}

// byteRows are rows in int8, of which groups of k have a scale each: value = scale * code.
type byteRows struct {
	codes  []int8
	stride int         // from row to row, in codes
	meta   []quantMeta // [rows, groups]; nil: there are no rows in int8
	groups int
}

const metaBytes = int(unsafe.Sizeof(quantMeta{}))

// resize makes room for n rows of k values in groups.
func (b *byteRows) resize(n, k, group int) {
	b.groups = (k + group - 1) / group
	b.stride = b.groups*group + 64 // see rowsStride
	b.codes, b.meta = kernels.Resize(b.codes, n*b.stride), kernels.Resize(b.meta, n*b.groups)
}

// fill quantises src into row r.
func (b *byteRows) fill(v *vectors, f *byteFormat, r int, src []float32) {
	codes, meta := b.codes[r*b.stride:(r+1)*b.stride], b.meta[r*b.groups:(r+1)*b.groups]
	v.quantise(codes, meta, src, f.group, f.factor, int32(f.offset))
}

// copyRow copies row from of other into row r.
func (x *panelRowsIn) copyRow(r int, other *panelRowsIn, from int) {
	if other.bytes.meta == nil {
		copy(x.half.row(r), other.half.row(from))
		return
	}
	b, o := &x.bytes, &other.bytes
	copy(b.codes[r*b.stride:(r+1)*b.stride], o.codes[from*o.stride:])
	copy(b.meta[r*b.groups:(r+1)*b.groups], o.meta[from*o.groups:])
}

// panelInputs makes rows ready for weights in panels.
type panelInputs struct {
	panelRowsIn
	dev   *Device
	scale []float32   // for f8Rows and f8Codes: row r means scale[r] times what half holds
	wide  [][]float32 // a worker's scratch: [k]
	codes []float32   // [rows, k]: the values of codes, for weights in F32

	// Of the call in progress.
	form   form
	format *byteFormat // of the weights, for rows in int8
	src    []float32
	code   []uint8
	k      int
	body   func(worker, lo, hi int)
}

func (in *panelInputs) init(d *Device) {
	in.dev, in.body, in.wide = d, in.convert, make([][]float32, d.threads)
}

// fastFor is how weights of that dtype are multiplied with rows of int8; nil where rows are not int8, as those that are
// quantised otherwise.
func (d *Device) fastFor(weights dtype.DType, quantised bool) *byteFormat {
	if !d.fast || quantised {
		return nil
	}
	return d.panels.formats[weights].bytes
}

// prepare makes src, n rows of k values, ready for weights of that dtype.
func (in *panelInputs) prepare(src []float32, n, k int, weights dtype.DType, quantised bool) {
	in.src, in.form = src, bf16
	in.panelRowsIn.wide = wideRows{}
	if quantised {
		in.form = f8Rows
		in.scale = kernels.Resize(in.scale, n)
	}
	if weights == dtype.F32 {
		in.prepareWide(n, k)
		return
	}
	in.run(n, k, in.dev.fastFor(weights, quantised))
}

// prepareWide makes the rows ready for weights in F32: as they are, or the values of their codes.
func (in *panelInputs) prepareWide(n, k int) {
	in.k, in.format, in.bytes.meta = k, nil, nil
	in.panelRowsIn.wide = wideRows{in.src, k}
	if in.form != f8Rows {
		in.form = asIs
		return
	}
	in.codes = kernels.Resize(in.codes, n*k)
	in.panelRowsIn.wide.data = in.codes
	in.dev.pool.run(n, in.dev.grain(n, 2*k), in.body)
}

// prepareCodes makes n rows of k codes ready.
func (in *panelInputs) prepareCodes(codes []uint8, scale []float32, n, k int) {
	in.code, in.scale, in.form = codes, scale, f8Codes
	in.panelRowsIn.wide = wideRows{}
	in.run(n, k, nil)
}

func (in *panelInputs) run(n, k int, bytes *byteFormat) {
	in.k, in.format = k, bytes
	in.resize(n, k, bytes)
	in.dev.pool.run(n, in.dev.grain(n, 2*k), in.body)
}

// resize makes room for n rows of k values, in int8 for weights of that format, in BF16 for nil.
func (x *panelRowsIn) resize(n, k int, bytes *byteFormat) {
	if bytes == nil {
		x.bytes.meta = nil
		x.half.resize(n, k)
		return
	}
	x.bytes.resize(n, k, bytes.group)
}

func (in *panelInputs) convert(worker, lo, hi int) {
	k := in.k
	for r := lo; r < hi; r++ {
		switch {
		case in.format != nil:
			in.bytes.fill(in.dev.vectors, in.format, r, in.src[r*k:(r+1)*k])
		case in.form == f8Codes:
			row := in.half.row(r)
			for i, b := range in.code[r*k : (r+1)*k] {
				row[i] = f8Halves[b]
			}
			clear(row[k:])
		case in.form == f8Rows && in.panelRowsIn.wide.data != nil:
			in.scale[r] = in.dev.vectors.f8Row(in.codes[r*k:(r+1)*k], in.src[r*k:(r+1)*k])
		case in.form == f8Rows:
			in.wide[worker] = kernels.Resize(in.wide[worker], k)
			in.scale[r] = in.dev.vectors.f8Row(in.wide[worker], in.src[r*k:(r+1)*k])
			in.half.fill(in.dev.vectors, r, in.wide[worker])
		default:
			in.half.fill(in.dev.vectors, r, in.src[r*k:(r+1)*k])
		}
	}
}

// scales are the scales of n rows from row r on, at most maxPanelRows.
func (in *panelInputs) scales(r, n int) []float32 {
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
