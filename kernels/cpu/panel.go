package cpu

import (
	"unsafe"

	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/kernels/panel"
)

// panelKernel multiplies rows of bfloat16 activations with panels side by side: see kernels/cpu/gen/panel.go. w is the
// first panel and stride the bytes to the next; a and c are the first row's, lda and ldc the bytes to the next. Panel q
// of row r has its 32 sums at c + r*ldc + 128*q. more says that c holds sums to go on from.
type panelKernel func(w unsafe.Pointer, stride int, a *uint16, lda int, c *float32, ldc, steps int, more bool)

// panelKernels has the kernels for 1 to panelRows rows: those for one panel, and those for as many side by side as a
// format has for that number of rows.
type panelKernels [panelRows + 1][5]panelKernel

const (
	// panelRows is the most rows of a kernel.
	panelRows = 12
	// panelBlock is how many k the rows of a kernel take at once where there are more rows than that: 32 KiB
	// of bfloat16 weights and 12 KiB of activations stay in a first-level cache of 48 KiB.
	panelBlock = 512
)

// panelFormat is how weights of one format in panels are multiplied.
type panelFormat struct {
	kernels *panelKernels
	rows    int // most rows of a kernel
	quad    int // k in a step
	// With more rows, blocks of a panel are widened to BF16 and multiplied by these kernels. BF16 itself is not.
	widen func(dst *uint16, w *byte, steps int)
	wide  *panelKernels
}

// panelTable is a tier's kernels for weights in panels.
type panelTable struct {
	formats map[dtype.DType]*panelFormat
	// scale stores dst[r][j] = src[r][j] * scale[j] * row[r] + bias[j] for 32 channels j, strides in bytes.
	scale func(dst *float32, ldd int, src *float32, lds, rows int, scale, bias, row *float32)
	// scatter adds src[r][j] * scale[j] * weight[r] to dst[index[r]][j].
	scatter func(dst *float32, ldd int, src *float32, lds, rows int, scale *float32, index *int32, weight *float32)
	bytes   bool // rows of int8 can be multiplied
	// prefetch asks for cache lines without waiting for them.
	prefetch func(p uintptr, lines int)
}

// multipliesBytes reports whether there are kernels for rows of int8.
func (t *panelTable) multipliesBytes() bool { return t != nil && t.bytes }

// f8Bytes are the bfloat16 values of the e4m3 codes 0 to 127: all low bytes, then all high bytes.
var f8Bytes = func() (t [256]byte) {
	for code := range 128 {
		h := dtype.F32ToBF16(dtype.F8E4M3ToF32(byte(code)))
		t[code], t[128+code] = byte(h), byte(h>>8)
	}
	return t
}()

// rowsStride is the number of bfloat16 values from one row of k activations to the next: padded so that rows of a power of
// two do not fall into the same sets of the first-level cache, and so that kernels may read the padding of
// weights.
func rowsStride(k int) int { return (k+63)/64*64 + 32 }

// halfRows are activation rows in bfloat16, as panels are multiplied with them.
type halfRows struct {
	data   []uint16
	stride int // from row to row, in values
}

// resize makes room for n rows of k values, the padding zero.
func (h *halfRows) resize(n, k int) {
	h.stride = rowsStride(k)
	if cap(h.data) < n*h.stride {
		h.data = make([]uint16, n*h.stride, n*h.stride+n*h.stride/4)
	}
	h.data = h.data[:n*h.stride]
}

// row is row r with its padding.
func (h *halfRows) row(r int) []uint16 { return h.data[r*h.stride : (r+1)*h.stride] }

// fill stores src in row r and zeros behind it.
func (h *halfRows) fill(r int, src []float32) {
	row := h.row(r)
	for i, v := range src {
		row[i] = dtype.F32ToBF16(v)
	}
	clear(row[len(src):])
}

// panelWeight is one matrix [n, k] in panels.
type panelWeight struct {
	*panelFormat
	table  *panelTable
	base   unsafe.Pointer
	stride int // bytes from panel to panel
	panels int
	k      int
}

// panelMultiplier is one worker's scratch for products with panels.
type panelMultiplier struct {
	wide []uint16  // a block of a panel, widened
	sums []float32 // [rows, panels side by side, 32]
}

// sumsOf makes room for the sums of rows rows of that many panels side by side.
func (m *panelMultiplier) sumsOf(rows, side int) []float32 {
	n := rows * side * panel.Channels
	if cap(m.sums) < n {
		m.sums = make([]float32, n+n/4)
	}
	m.sums = m.sums[:n]
	return m.sums
}

// side is how many panels side by side multiply takes for that many rows, at most left.
func (w *panelWeight) side(rows, left int) int {
	if rows > w.rows {
		return 1
	}
	for _, side := range [...]int{4, 2} {
		if side <= left && w.kernels[rows][side] != nil {
			return side
		}
	}
	return 1
}

// multiply computes the products of rows rows at a, lda values apart, with side panels from panel p on: sums [rows, side,
// 32] of m. Rows that are more than a kernel takes come in tiles, and k in blocks; neither shows in the results.
func (m *panelMultiplier) multiply(w *panelWeight, p, side int, a []uint16, lda, rows int) []float32 {
	sums := m.sumsOf(rows, side)
	ldc := 4 * panel.Channels * side
	steps := (w.k + w.quad - 1) / w.quad
	if rows <= w.rows {
		w.kernels[rows][side](w.at(p, 0), w.stride, &a[0], 2*lda, &sums[0], ldc, steps, false)
		return sums
	}
	blockSteps := panelBlock / w.quad
	tiles := (rows + panelRows - 1) / panelRows
	for s := 0; s < steps; s += blockSteps {
		n := min(blockSteps, steps-s)
		ahead := w.ahead(p, s, n, tiles)
		weights, kernels, pairs := w.at(p, s), w.kernels, n
		if w.widen != nil {
			if m.wide == nil {
				m.wide = make([]uint16, panelBlock*panel.Channels)
			}
			w.widen(&m.wide[0], (*byte)(weights), n)
			weights, kernels, pairs = unsafe.Pointer(&m.wide[0]), w.wide, n*w.quad/2
		}
		for r := 0; r < rows; r += panelRows {
			tile := min(panelRows, rows-r)
			ahead.next()
			kernels[tile][1](weights, 0, &a[r*lda+s*w.quad], 2*lda, &sums[r*panel.Channels], ldc, pairs, s > 0)
		}
	}
	return sums
}

// at is where step s of panel p lies.
func (w *panelWeight) at(p, s int) unsafe.Pointer {
	return unsafe.Add(w.base, p*w.stride+s*w.quad*w.stride/w.padded())
}

// lookahead asks for the weights of the next block, a few cache lines before each tile of the present one: arithmetic and
// memory then work at the same time, which they do not when a block is widened at once.
type lookahead struct {
	table     *panelTable
	at        uintptr // no pointer: in the end it is behind the weights
	left, per int     // cache lines: that are not asked for yet, for each tile
}

// ahead looks from a block of n steps of panel p, which tiles tiles of rows meet, to the one behind it.
func (w *panelWeight) ahead(p, s, n, tiles int) lookahead {
	bytes := n * w.quad * w.stride / w.padded()
	end := w.panels * w.stride
	from := p*w.stride + s*w.quad*w.stride/w.padded() + bytes
	lines := min(bytes, end-from) / 64
	if lines <= 0 {
		return lookahead{}
	}
	return lookahead{w.table, uintptr(w.base) + uintptr(from), lines, (lines + tiles - 1) / tiles}
}

func (l *lookahead) next() {
	n := min(l.left, l.per)
	if n <= 0 {
		return
	}
	l.table.prefetch(l.at, n)
	l.at, l.left = l.at+uintptr(64*n), l.left-n
}

// padded is the number of k that a panel has.
func (w *panelWeight) padded() int { return (w.k + w.quad - 1) / w.quad * w.quad }

// panelRowBlock bounds the rows that meet a panel in turn: as many activations as the second-level cache holds beside it.
func panelRowBlock(k int) int {
	return min(max(384*1024/max(k, 1)/panelRows, 8)*panelRows, maxPanelRows)
}

const maxPanelRows = 40 * panelRows

// fewRows is up to how many rows products are bound by reading weights.
const fewRows = 8

// overPanels runs a loop over panels of so many bytes each, which rows rows are multiplied with. With few rows each thread
// streams a contiguous part of the weights; with more, whoever is free takes the next panels.
func (d *Device) overPanels(panels, rows, bytes int, body func(worker, lo, hi int)) {
	if rows <= fewRows {
		d.pool.split(panels, min(max(splitBytes/max(bytes, 1), 1), 4), body)
		return
	}
	d.pool.run(panels, d.grain(panels, rows*bytes), body)
}

// splitBytes is what is worth a piece of a split loop.
const splitBytes = 256 << 10

// newPanelWeight views matrix i of the matrices that t holds in panels.
func (d *Device) newPanelWeight(t *kernels.Tensor, i int) panelWeight {
	n, k := t.Shape[len(t.Shape)-2], t.Last()
	w := panelWeight{panelFormat: d.panels.formats[t.DType], table: d.panels, k: k,
		stride: panel.Stride(t.DType, k), panels: (n + panel.Channels - 1) / panel.Channels}
	size := panel.Size(t.DType, n, k)
	if t.DType == dtype.BF16 {
		w.base, w.stride = unsafe.Pointer(&t.U16[i*size]), 2*w.stride
	} else {
		w.base = unsafe.Pointer(&t.U8[i*size])
	}
	return w
}

// channels returns values of the 32 channels of panel p, of those of a matrix of n channels, from the values' place at
// on: the values themselves, a copy in pad where the panel is not full, or none where there are no values.
func channels(values []float32, at, p, n int, pad *[panel.Channels]float32, none []float32) *float32 {
	if len(values) == 0 {
		return &none[0]
	}
	first := p * panel.Channels
	if first+panel.Channels <= n {
		return &values[at+first]
	}
	*pad = [panel.Channels]float32{}
	copy(pad[:], values[at+first:at+n])
	return &pad[0]
}

// oneRows and noBias are the scales and biases where there are none.
var (
	oneRows = func() (t [maxPanelRows]float32) {
		for i := range t {
			t[i] = 1
		}
		return t
	}()
	noBias [panel.Channels]float32
)
