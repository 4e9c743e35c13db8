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
type panelKernel func(w unsafe.Pointer, stride int, a *uint16, lda int, c *float32, ldc, steps int, more bool, ahead uintptr, pace int)

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
	// For I4 these do, because its groups have scales.
	widenGroups func(dst *uint16, w *byte, groups int, scale *float32)
	grouped     []groupedKernel
	bytes       *byteFormat // for rows of int8; nil for BF16
}

// groupedKernel multiplies rows with one widened panel of I4: see kernels/cpu/gen/panel4.go.
type groupedKernel func(w, a *uint16, lda int, c *float32, ldc, groups int, more bool, scale *float32, ahead uintptr, pace int)

// dot8Kernel multiplies tiles of rows of int8 with one panel of bytes: see kernels/cpu/gen/dot8.go.
type dot8Kernel func(w *byte, a *int8, lda int, c *float32, ldc, groups int, more bool, meta *quantMeta, metaStride int, ahead uintptr, pace, tiles int,
	dst *float32, ldd int, scale, bias *float32)

// fusedKernel multiplies a few rows of int8 with one panel as it is stored, from its first k to the last: see kernels/cpu/gen/dot8.go.
type fusedKernel func(w *byte, a *int8, lda int, c *float32, quads int, meta *quantMeta, metaStride int, ahead uintptr)

// byteFormat is how a format's weights are multiplied with rows of int8.
type byteFormat struct {
	kernels []dot8Kernel
	fused   []fusedKernel // by rows, for as few as there are
	convert func(dst, w *byte, steps int)
	group   int     // k that share a scale of the row
	offset  int     // of the bytes: a byte is the integer plus this
	factor  float32 // what an integer 1 means, before the scales of the weights
}

// panelTable is a tier's kernels for weights in panels.
type panelTable struct {
	formats map[dtype.DType]*panelFormat
	// scale stores dst[r][j] = src[r][j] * scale[j] * row[r] + bias[j] for 32 channels j, strides in bytes.
	scale func(dst *float32, ldd int, src *float32, lds, rows int, scale, bias, row *float32)
	// gate stores dst[r][j] = silu(g) * u with g = gate[r][j] * gateScale[j] * row[r] and u likewise; gateBF16 rounds that to
	// bfloat16.
	gate     func(dst *float32, ldd int, gate, up *float32, lds, rows int, gateScale, upScale, row *float32)
	gateBF16 func(dst *uint16, ldd int, gate, up *float32, lds, rows int, gateScale, upScale, row *float32)
	// scatter adds src[r][j] * scale[j] * weight[r] to dst[index[r]][j].
	scatter func(dst *float32, ldd int, src *float32, lds, rows int, scale *float32, index *int32, weight *float32)
}

// multipliesBytes reports whether a format has kernels for rows of int8.
func (t *panelTable) multipliesBytes() bool {
	if t != nil {
		for _, f := range t.formats {
			if f.bytes != nil {
				return true
			}
		}
	}
	return false
}

// panelWeight is one matrix [n, k] in panels.
type panelWeight struct {
	*panelFormat
	base   unsafe.Pointer
	stride int // bytes from panel to panel
	panels int
	k      int
	fast   bool // rows are int8
}

// panelMultiplier is one worker's scratch for products with panels.
type panelMultiplier struct {
	wide   []uint16  // a block of a panel, widened
	scales []float32 // and its groups' scales
	bytes  []byte    // a block of a panel, as bytes
	sums   []float32 // [rows, panels side by side, 32]
}

// sumsOf makes room for the sums of rows rows of that many panels side by side.
func (m *panelMultiplier) sumsOf(rows, side int) []float32 {
	m.sums = kernels.Resize(m.sums, rows*side*panel.Channels)
	return m.sums
}

// side is how many panels side by side multiply takes for that many rows, at most left. Several hide the latency of the dot
// products, which counts where a cache holds the weights; from memory one stream comes faster.
func (w *panelWeight) side(rows, left int) int {
	if rows > w.rows || w.fast || (w.widen != nil || rows == 1 && w.widenGroups != nil) && w.panels*w.stride > cachedMatrix {
		return 1
	}
	for _, side := range [...]int{4, 2} {
		if side <= left && w.kernels[rows][side] != nil {
			return side
		}
	}
	return 1
}

// multiply computes the products of rows [r0, r0+rows) of x with side panels from panel p on: sums [rows, side, 32] of m. Rows
// that are more than a kernel takes come in tiles, and k in blocks; neither shows in the results. next is the panel that comes
// behind those, which memory is asked for meanwhile; nil: the one that lies behind them.
func (m *panelMultiplier) multiply(w *panelWeight, p, side int, x *panelRowsIn, r0, rows int, next unsafe.Pointer) []float32 {
	sums := m.sumsOf(rows, side)
	if x.bytes.meta != nil {
		m.multiplyBytes(w, p, sums, &x.bytes, r0, rows, next, nil)
		return sums
	}
	a, lda, size := x.at(r0)
	steps := w.steps(w.k)
	if rows <= w.rows {
		w.kernels[rows][side](w.at(p, 0), w.stride, (*uint16)(a), lda, &sums[0], 4*panel.Channels*side, steps, false, uintptr(w.at(p, 0)), 0)
		return sums
	}
	tiles := (rows + panelRows - 1) / panelRows
	for k := 0; k < w.k; k += panelBlock {
		first, n := k/w.quad, w.steps(min(panelBlock, w.k-k))
		ahead := w.ahead(p, first, n, next, tiles, max(n*w.quad/4, 1))
		weights, pairs := m.widened(w, p, first, n)
		for r, tile := 0, 0; r < rows; r += tile {
			tile = tileOf(rows - r)
			in, out := (*uint16)(unsafe.Add(a, r*lda+k*size)), &sums[r*panel.Channels]
			if w.grouped != nil {
				w.grouped[tile]((*uint16)(weights), in, lda, out, 4*panel.Channels, n, k > 0, &m.scales[0], ahead.at, ahead.pace)
			} else {
				w.wide[tile][1](weights, 0, in, lda, out, 4*panel.Channels, pairs, k > 0, ahead.at, ahead.pace)
			}
			ahead.next()
		}
	}
	return sums
}

// widened returns n steps of panel p from step first on as BF16, and how many pairs of k they are; F32 as it is, and how many k.
func (m *panelMultiplier) widened(w *panelWeight, p, first, n int) (weights unsafe.Pointer, pairs int) {
	if w.widen == nil && w.widenGroups == nil {
		return w.at(p, first), n
	}
	if m.wide == nil {
		m.wide = make([]uint16, panelBlock*panel.Channels)
		m.scales = make([]float32, panelBlock/dtype.Group*panel.Channels)
	}
	if w.widenGroups != nil {
		w.widenGroups(&m.wide[0], (*byte)(w.at(p, first)), n, &m.scales[0])
	} else {
		w.widen(&m.wide[0], (*byte)(w.at(p, first)), n)
	}
	return unsafe.Pointer(&m.wide[0]), n * w.quad / 2
}

// panelResult is where the products of a panel go, and what they become: sum * scale + bias.
type panelResult struct {
	dst         *float32 // of the first row
	stride      int      // bytes to the next row's
	scale, bias *float32 // [32]
}

// multiplyBytes is multiply for rows of int8: into sums, or where the results go.
func (m *panelMultiplier) multiplyBytes(w *panelWeight, p int, sums []float32, x *byteRows, r0, rows int, next unsafe.Pointer, to *panelResult) {
	if rows < len(w.bytes.fused) {
		m.multiplyFused(w, p, sums, x, r0, rows, next)
		return
	}
	if m.bytes == nil {
		m.bytes = make([]byte, panelBlock*panel.Channels+panelBlock/dtype.Group*4*panel.Channels)
	}
	most := len(w.bytes.kernels) - 1 // rows of a tile
	tiles := (rows + most - 1) / most
	for k := 0; k < w.k; k += panelBlock {
		first, n := k/w.quad, w.steps(min(panelBlock, w.k-k))
		ahead := w.ahead(p, first, n, next, tiles, max(n*w.quad/8, 1))
		w.bytes.convert(&m.bytes[0], (*byte)(w.at(p, first)), n)
		groups := (min(panelBlock, w.k-k) + w.bytes.group - 1) / w.bytes.group
		out := panelResult{dst: &sums[0], stride: 4 * panel.Channels}
		if to != nil && k+panelBlock >= w.k {
			out = *to
		}
		// Tiles of as many rows each as there can be: first those with one more.
		small, more := rows/tiles, rows%tiles
		r := 0
		for _, run := range [...]struct{ rows, tiles int }{{small + 1, more}, {small, tiles - more}} {
			if run.tiles > 0 {
				w.bytes.kernels[run.rows](&m.bytes[0], &x.codes[(r0+r)*x.stride+k], x.stride, &sums[r*panel.Channels], 4*panel.Channels,
					groups, k > 0, &x.meta[(r0+r)*x.groups+k/w.bytes.group], metaBytes*x.groups, ahead.at, ahead.pace, run.tiles,
					(*float32)(unsafe.Add(unsafe.Pointer(out.dst), r*out.stride)), out.stride, out.scale, out.bias)
				r += run.rows * run.tiles
				ahead.skip(run.tiles)
			}
		}
	}
}

// multiplyFused is multiplyBytes for so few rows that weights become bytes on the way.
func (m *panelMultiplier) multiplyFused(w *panelWeight, p int, sums []float32, x *byteRows, r0, rows int, next unsafe.Pointer) {
	at := w.at(p, 0)
	ahead := uintptr(next)
	if next == nil {
		ahead = uintptr(at) + uintptr(w.stride)
	}
	w.bytes.fused[rows]((*byte)(at), &x.codes[r0*x.stride], x.stride, &sums[0], w.padded()/4, &x.meta[r0*x.groups], metaBytes*x.groups, ahead)
}

// stores reports whether products of that many rows can go where they belong at once: see multiplyBytes.
func (w *panelWeight) stores(rows int) bool { return w.fast && rows >= len(w.bytes.fused) }

// tileOf is the size of the next tile of the rows that are left: about as many rows in each, because a
// kernel with few rows takes as long as one with six.
func tileOf(left int) int {
	n := (left + panelRows - 1) / panelRows
	return (left + n - 1) / n
}

// steps is the number of steps that k weights of a row take.
func (w *panelWeight) steps(k int) int { return (k + w.quad - 1) / w.quad }

// cachedMatrix is up to how many bytes a matrix is taken for one of a model that a cache may hold.
const cachedMatrix = 256 << 10

// at is where step s of panel p lies.
func (w *panelWeight) at(p, s int) unsafe.Pointer {
	return unsafe.Add(w.base, p*w.stride+s*w.quad*w.stride/w.padded())
}

// lookahead asks for the weights of the next block while the rows' tiles meet the present one: arithmetic and memory then
// work at the same time, which they do not when a block is widened at once. Kernels ask for a line in each turn of their
// loops, because a processor drops what is asked for in bursts.
type lookahead struct {
	at   uintptr // no pointer: in the end it is behind the weights
	pace int     // bytes for each turn
	turn int     // bytes for each tile
}

// ahead looks from a block of n steps of panel p to the one behind it, which behind the panel's last one is at next, or the next
// panel's. tiles tiles of rows meet the block, in so many turns each.
func (w *panelWeight) ahead(p, first, n int, next unsafe.Pointer, tiles, turns int) lookahead {
	bytes := n * w.quad * w.stride / w.padded()
	at := uintptr(w.at(p, first))
	from := at + uintptr(bytes)
	switch {
	case next != nil && (first+n)*w.quad >= w.k:
		from = uintptr(next)
	case from == uintptr(w.base)+uintptr(w.panels*w.stride):
		return lookahead{at: at} // nothing is: asks for the same line again
	}
	pace := (bytes + tiles*turns - 1) / (tiles * turns)
	return lookahead{from, pace, pace * turns}
}

func (l *lookahead) next() { l.skip(1) }

// skip looks on from where so many tiles have asked.
func (l *lookahead) skip(tiles int) { l.at += uintptr(tiles * l.turn) }

// padded is the number of k that a panel has.
func (w *panelWeight) padded() int { return w.steps(w.k) * w.quad }

// panelRowBlock bounds the rows that meet a panel in turn: as many activations as the second-level cache holds beside it, in
// bfloat16.
func panelRowBlock(k int) int {
	return min(max(384*1024/max(k, 1)/panelRows, 8)*panelRows, maxPanelRows)
}

// rowBlock is panelRowBlock for this weight and that many rows: as many bytes of int8 as of bfloat16, and rows that are shared
// out evenly, because every block decodes the weights again.
func (w *panelWeight) rowBlock(rows int) int {
	most := panelRowBlock(w.k)
	if w.fast {
		most = panelRowBlock(w.k / 2)
	}
	blocks := max((rows+most-1)/most, 1)
	return (rows + blocks - 1) / blocks
}

const maxPanelRows = 44 * panelRows

// fewRows is up to how many rows products are bound by reading weights.
const fewRows = 8

// overPanels runs a loop over panels that rows rows are multiplied with. With few rows each thread streams a contiguous
// part of the weights; with more, whoever is free takes the next panels.
func (d *Device) overPanels(panels, rows int, body func(worker, lo, hi int)) {
	if rows <= fewRows {
		d.pool.split(panels, d.sideBySide(panels), body)
		return
	}
	d.pool.run(panels, d.panelGrain(panels), body)
}

// sideBySide is how many of so many panels threads share out at once: as many as a kernel takes side by side, where there are
// enough.
func (d *Device) sideBySide(panels int) int {
	if panels < 4*d.threads {
		return 1
	}
	return 4
}

// panelGrain is how many of so many panels make a chunk where many rows meet them: chunks are small, so that threads end
// together.
func (d *Device) panelGrain(panels int) int { return max(panels/(panelChunks*d.threads), 1) }

const panelChunks = 16

// newPanelWeight views matrix i of the matrices that t holds in panels, for rows of int8 where fast.
func (d *Device) newPanelWeight(t *kernels.Tensor, i int, fast bool) panelWeight {
	n, k := t.Shape[len(t.Shape)-2], t.Last()
	w := panelWeight{panelFormat: d.panels.formats[t.DType], k: k, fast: fast,
		stride: panel.Stride(t.DType, k), panels: panel.Count(n)}
	size := panel.Size(t.DType, n, k)
	switch t.DType {
	case dtype.F32:
		w.base, w.stride = unsafe.Pointer(&t.F32[i*size]), 4*w.stride
	case dtype.BF16:
		w.base, w.stride = unsafe.Pointer(&t.U16[i*size]), 2*w.stride
	default:
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
