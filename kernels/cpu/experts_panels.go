package cpu

import (
	"unsafe"

	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/panel"
)

// panelExperts is what moe.experts keeps for weights in panels. A token's experts are added in the order of their
// numbers, which no other token has a say in.
type panelExperts struct {
	panelX, panelInner panelInputs
	gathered           panelRowsIn // [pairs]: input rows in sorted order
	token              []int32     // [pairs] in sorted order
	rowScale           []float32   // [pairs] in sorted order: the input row's scale
	mixed              []float32   // [pairs] in sorted order: weight of the slot times the inner row's scale

	gather, gateUpItems, projectPanels func(worker, lo, hi int)
}

// panelExpertWorker is one worker's scratch.
type panelExpertWorker struct {
	gateSums, upSums   panelMultiplier
	gateScale, upScale [panel.Channels]float32
	downScale          [panel.Channels]float32
	columns            []float32 // results that are not complete: see columnsOf
}

func (m *experts) initPanels(d *Device) {
	m.panelX.init(d)
	m.panelInner.init(d)
	m.panelExperts.gather, m.gateUpItems, m.projectPanels = m.gatherPairs, m.gateUpPanels, m.projectColumns
}

// panelBlock computes some tokens, whose rows are prepared: ids [tokens, k].
func (m *experts) panelBlock(ids []int32, count int) {
	hidden, width := m.down.Shape[1], m.down.Shape[2]
	pairs := len(ids)
	m.sort(ids, count)
	m.token, m.rowScale, m.mixed = kernels.Resize(m.token, pairs), kernels.Resize(m.rowScale, pairs), kernels.Resize(m.mixed, pairs)
	m.gathered.resize(pairs, hidden, m.panelX.format)
	m.dev.pool.run(pairs, m.dev.grain(pairs, hidden/4), m.gather)

	// The inner rows are rounded where they are computed, but for those that have a scale of their own.
	scaled := m.quantised || m.dev.fastFor(m.down.DType, m.quantised) != nil
	m.act = m.act[:0]
	if scaled {
		m.act = kernels.Resize(m.act, pairs*width)
	} else {
		m.panelInner.resize(pairs, width, nil)
	}
	rows := pairs / len(m.active) // of an expert, as many as the others
	m.dev.overPanels(len(m.active)*panel.Count(width), rows, m.gateUpItems)

	if scaled {
		m.panelInner.prepare(m.act, pairs, width, m.down.DType, m.quantised)
	}
	if m.quantised {
		for i := range m.mixed {
			m.mixed[i] *= m.panelInner.scale[i]
		}
	}
	m.dev.overPanels(panel.Count(hidden), rows, m.projectPanels)
}

// gatherPairs notes what belongs to pairs [lo, hi) in sorted order, and copies their rows side by side.
func (m *experts) gatherPairs(_, lo, hi int) {
	for i := lo; i < hi; i++ {
		p := int(m.order[i])
		t := p / m.k
		m.token[i], m.mixed[i], m.rowScale[i] = int32(t), m.weight[p], m.panelX.scales(t, 1)[0]
		m.gathered.copyRow(i, &m.panelX.panelRowsIn, t)
	}
}

// gateUpPanels computes panels [lo, hi) of inner channels, numbered through the active experts. The last expert comes first: a shared expert, which has all rows, is the last, and the
// threads end together when the small pieces are left for the end.
func (m *experts) gateUpPanels(worker, lo, hi int) {
	panels := panel.Count(m.down.Shape[2])
	for lo < hi {
		e, first := lo/panels, lo%panels
		last := min(first+hi-lo, panels)
		m.expertPanels(&m.workers[worker], int(m.active[len(m.active)-1-e]), first, last)
		lo += last - first
	}
}

// expertPanels computes panels [lo, hi) of inner channels of one expert: silu(gate x) * (up x).
func (m *experts) expertPanels(me *expertWorker, e, lo, hi int) {
	width := m.down.Shape[2]
	gate, up := m.dev.newPanelWeight(m.gate, e, m.panelX.format != nil), m.dev.newPanelWeight(m.up, e, m.panelX.format != nil)
	first, last := int(m.start[e]), int(m.start[e+1])
	block := gate.rowBlock(last - first)
	for r0 := first; r0 < last; r0 += block {
		rows := min(block, last-r0)
		for p := lo; p < hi; {
			side := min(gate.side(rows, hi-p), up.side(rows, hi-p))
			var next unsafe.Pointer // behind the panel of up
			if p+side < hi {
				next = gate.at(p+side, 0)
			}
			g := me.gateSums.multiply(&gate, p, side, &m.gathered, r0, rows, up.at(p, 0))
			u := me.upSums.multiply(&up, p, side, &m.gathered, r0, rows, next)
			for q := range side {
				at := q * panel.Channels
				gs := channels(m.gate.Scale, e*width, p+q, width, &me.gateScale, oneRows[:])
				us := channels(m.up.Scale, e*width, p+q, width, &me.upScale, oneRows[:])
				m.activate(g[at:], u[at:], side*panel.Channels, gs, us, r0, rows, (p+q)*panel.Channels)
			}
			p += side
		}
	}
}

// activate stores silu(g) * u, scaled, in the rows from r0 on: the channels of a panel that begins with channel c. The rows of
// g and u are stride values apart.
func (m *experts) activate(g, u []float32, stride int, gateScale, upScale *float32, r0, rows, c int) {
	width, t, row := m.down.Shape[2], m.dev.panels, &m.rowScale[r0]
	n := min(panel.Channels, width-c)
	half := &m.panelInner.half
	switch {
	case n < panel.Channels:
		t.gate(&u[0], 4*stride, &g[0], &u[0], 4*stride, rows, gateScale, upScale, row)
		for r := range rows {
			if values := u[r*stride:][:n]; len(m.act) > 0 {
				copy(m.act[(r0+r)*width+c:], values)
			} else {
				m.dev.vectors.toBF16(half.row(r0 + r)[c:c+n], values)
			}
		}
	case len(m.act) > 0:
		t.gate(&m.act[r0*width+c], 4*width, &g[0], &u[0], 4*stride, rows, gateScale, upScale, row)
	default:
		t.gateBF16(&half.row(r0)[c], 2*half.stride, &g[0], &u[0], 4*stride, rows, gateScale, upScale, row)
	}
	for r := 0; r < rows && c+n == width && len(m.act) == 0; r++ {
		clear(half.row(r0 + r)[width:])
	}
}

// projectColumns computes the output channels of panels [lo, hi) of all tokens.
func (m *experts) projectColumns(worker, lo, hi int) {
	me, hidden := &m.workers[worker], m.down.Shape[1]
	tokens, columns := len(m.order)/m.k, min(hi*panel.Channels, hidden)-lo*panel.Channels
	out := columnRows{m.out[lo*panel.Channels:], hidden, columns}
	if tokens > fewRows {
		out = columnRows{me.columnsOf(tokens, columns), columns, columns}
	}
	for t := range tokens {
		clear(out.row(t))
	}
	for i, e := range m.active {
		var next unsafe.Pointer // of the expert behind this one
		if i+1 < len(m.active) {
			other := m.dev.newPanelWeight(m.down, int(m.active[i+1]), false)
			next = other.at(lo, 0)
		}
		m.projectExpert(me, out, int(e), lo, hi, next)
	}
	for t := 0; t < tokens && tokens > fewRows; t += maxPanelRows {
		m.storeColumns(out, lo, hi, t, min(maxPanelRows, tokens-t))
	}
}

// columnRows are some columns of rows.
type columnRows struct {
	data    []float32
	stride  int // from row to row
	columns int
}

func (c *columnRows) row(r int) []float32 { return c.data[r*c.stride:][:c.columns] }

// columnsOf makes room for columns side by side. The rows of the result are so far apart that the same columns of all of them
// fall into a few sets of a cache, from which each expert would drive out what the one before has brought in.
func (w *panelExpertWorker) columnsOf(rows, columns int) []float32 {
	w.columns = kernels.Resize(w.columns, rows*columns)
	return w.columns
}

// projectExpert adds what one expert gives to the columns of panels [lo, hi).
func (m *experts) projectExpert(me *expertWorker, out columnRows, e, lo, hi int, next unsafe.Pointer) {
	down := m.dev.newPanelWeight(m.down, e, m.panelInner.bytes.meta != nil)
	first, last := int(m.start[e]), int(m.start[e+1])
	block := down.rowBlock(last - first)
	for r0 := first; r0 < last; r0 += block {
		rows := min(block, last-r0)
		for p := lo; p < hi; {
			side := down.side(rows, hi-p)
			behind := next
			if p+side < hi {
				behind = down.at(p+side, 0)
			}
			y := me.gateSums.multiply(&down, p, side, &m.panelInner.panelRowsIn, r0, rows, behind)
			for q := range side {
				m.mixPanel(me, out, y[q*panel.Channels:], side*panel.Channels, e, p+q, (p+q-lo)*panel.Channels, r0, rows)
			}
			p += side
		}
	}
}

// mixPanel adds the slots' results y, of panel p of expert e, to their tokens, from column c of out on.
func (m *experts) mixPanel(me *expertWorker, out columnRows, y []float32, stride, e, p, c, r0, rows int) {
	hidden := m.down.Shape[1]
	scale := channels(m.down.Scale, e*hidden, p, hidden, &me.downScale, oneRows[:])
	if c+panel.Channels <= out.columns {
		m.dev.panels.scatter(&out.data[c], 4*out.stride, &y[0], 4*stride, rows, scale, &m.token[r0], &m.mixed[r0])
		return
	}
	m.dev.panels.scale(&y[0], 4*stride, &y[0], 4*stride, rows, scale, &noBias[0], &oneRows[0])
	for r := range rows {
		row := out.row(int(m.token[r0+r]))[c:]
		for i := range row {
			row[i] += m.mixed[r0+r] * y[r*stride+i]
		}
	}
}

// storeColumns stores rows [t, t+n) of panels [lo, hi) in the result. No sum that began with zero is a negative zero, so that
// neither factors nor addends of panelScale change one.
func (m *experts) storeColumns(from columnRows, lo, hi, t, n int) {
	hidden := m.down.Shape[1]
	for p := lo; p < hi; p++ {
		at, c := p*panel.Channels, (p-lo)*panel.Channels
		if c+panel.Channels <= from.columns {
			m.dev.panels.scale(&m.out[t*hidden+at], 4*hidden, &from.row(t)[c], 4*from.stride, n, &oneRows[0], &noBias[0], &oneRows[0])
			continue
		}
		for r := t; r < t+n; r++ {
			copy(m.out[r*hidden+at:], from.row(r)[c:])
		}
	}
}
