package cpu

import (
	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/panel"
)

// embed looks rows up in w [V, H] of any storage format.
func (d *Device) embed(kernels.Attrs) (kernels.Func, error) {
	var c *kernels.Call
	body := func(_, lo, hi int) {
		ids, w, out := &c.In[0], &c.In[1], &c.Out[0]
		h := w.Last()
		for t := lo; t < hi; t++ {
			w.LoadRow(out.F32[t*h:(t+1)*h], int(ids.I32[t]))
		}
	}
	return func(call *kernels.Call) error {
		c = call
		ids, w := &c.In[0], &c.In[1]
		rows := ids.I32[:ids.Elems()]
		if err := kernels.CheckIDs("token id", rows, w.Shape[0]); err != nil {
			return err
		}
		d.pool.run(len(rows), d.grain(len(rows), w.Last()), body)
		return nil
	}, nil
}

// linear is x [..., K] times w [N, K], transposed, plus bias [N]. linear.split is the same with its columns cut into
// several results, each with rows of its own.
//
// Threads share out the N weight rows, whichever result they belong to; each is read once for every rowBlock rows
// of x.
type linear struct {
	dev       *Device
	quantised bool
	in        inputs
	panelIn   panelInputs
	workers   []linearWorker
	bias      []float32 // [N], widened

	// Of the call in progress.
	w            *kernels.Tensor
	panel        panelWeight
	count        int // rows
	share        int // rows of an item, where threads share them
	out          []kernels.Tensor
	body, panels func(worker, lo, hi int)
	panelParts   func(worker, lo, hi int)
}

// linearWorker is one worker's scratch.
type linearWorker struct {
	multiplier
	y []float32 // products of one weight row

	panelMultiplier
	scale, bias [panel.Channels]float32 // of a panel that is not full
}

// rowBlock bounds the rows that a weight row meets in turn, so that they stay in the second-level cache:
// 256 rows of 1024 values are 1 MiB.
func rowBlock(k int) int { return max(256*1024/max(k, 1), 4*tileRows) }

func (d *Device) linear(a kernels.Attrs) (kernels.Func, error) {
	quantised, err := a.QuantisesRows()
	if err != nil {
		return nil, err
	}
	return d.newLinear(quantised).run, nil
}

func (d *Device) newLinear(quantised bool) *linear {
	l := &linear{dev: d, quantised: quantised, workers: make([]linearWorker, d.threads)}
	for i := range l.workers {
		l.workers[i].dots = d.dots
	}
	l.in.init(d)
	l.panelIn.init(d)
	l.body, l.panels, l.panelParts = l.columns, l.panelColumns, l.partsOfRows
	return l
}

func (l *linear) run(c *kernels.Call) error {
	x, w := &c.In[0], &c.In[1]
	if w.Layout == kernels.Panels {
		l.panelIn.prepare(x.F32, x.Rows(), w.Shape[1], w.DType, l.quantised)
	} else {
		l.in.prepare(x.F32, x.Rows(), w.Shape[1], formFor(w.DType, l.quantised))
	}
	l.product(w, x.Rows(), c.Optional(2), c.Out)
	return nil
}

// product multiplies the rows that are prepared.
func (l *linear) product(w *kernels.Tensor, rows int, bias *kernels.Tensor, out []kernels.Tensor) {
	n, k := w.Shape[0], w.Shape[1]
	l.w, l.out, l.count = w, out, rows
	l.bias = l.bias[:0]
	if bias.Present() {
		l.bias = kernels.Resize(l.bias, n)
		bias.Load(l.bias, 0)
	}
	if w.Layout == kernels.Panels {
		l.panel = l.dev.newPanelWeight(w, 0, l.panelIn.format != nil)
		l.overPanels()
		return
	}
	l.dev.pool.run(n, l.dev.grain(n, rows*k), l.body)
}

// columns computes the columns [lo, hi) of all results side by side, which belong to as many weight rows.
func (l *linear) columns(worker, lo, hi int) {
	me := &l.workers[worker]
	block := min(rowBlock(l.in.k), len(l.in.rows))
	me.y = kernels.Resize(me.y, block)
	for r0 := 0; r0 < len(l.in.rows); r0 += block {
		end := min(r0+block, len(l.in.rows))
		first := 0 // column of the result at hand
		for i := range l.out {
			next := first + l.out[i].Last()
			l.part(me, &l.out[i], first, max(lo, first), min(hi, next), r0, end)
			first = next
		}
	}
}

// part computes the columns [lo, hi) of the rows [r0, r1), where they lie in the result that begins with column
// first.
func (l *linear) part(me *linearWorker, out *kernels.Tensor, first, lo, hi, r0, r1 int) {
	rows, n := l.in.rows[r0:r1], out.Last()
	for o := lo; o < hi; o++ {
		me.row(me.y, l.w, o, rows)
		var b float32
		if len(l.bias) > 0 {
			b = l.bias[o]
		}
		for r := range rows {
			out.F32[(r0+r)*n+o-first] = me.y[r]*l.in.scaleOf(r0+r) + b
		}
	}
}

// overPanels multiplies all rows with all panels. A weight of a few panels, as a router's is, gives threads too little to
// share out: they share the rows as well.
func (l *linear) overPanels() {
	w := &l.panel
	if l.count <= fewRows || w.panels >= panelChunks*l.dev.threads {
		l.dev.overPanels(w.panels, l.count, l.panels)
		return
	}
	parts := (panelChunks*l.dev.threads + w.panels - 1) / w.panels
	l.share = (l.count/parts + panelRows) / panelRows * panelRows
	l.dev.pool.run((l.count+l.share-1)/l.share*w.panels, 1, l.panelParts)
}

// panelColumns computes the columns of panels [lo, hi).
func (l *linear) panelColumns(worker, lo, hi int) {
	l.panelRows(&l.workers[worker], lo, hi, 0, l.count)
}

// partsOfRows computes items [lo, hi): a share of the rows and one panel each.
func (l *linear) partsOfRows(worker, lo, hi int) {
	for i := lo; i < hi; i++ {
		p, first := i%l.panel.panels, i/l.panel.panels*l.share
		l.panelRows(&l.workers[worker], p, p+1, first, min(first+l.share, l.count))
	}
}

// panelRows computes the columns of panels [lo, hi) in rows [first, last).
func (l *linear) panelRows(me *linearWorker, lo, hi, first, last int) {
	block := l.panel.rowBlock(last - first)
	for r0 := first; r0 < last; r0 += block {
		rows := min(block, last-r0)
		for p := lo; p < hi; {
			if l.panel.stores(rows) {
				if to, ok := l.result(me, p, r0); ok {
					me.multiplyBytes(&l.panel, p, me.sumsOf(rows, 1), &l.panelIn.bytes, r0, rows, nil, &to)
					p++
					continue
				}
			}
			side := l.panel.side(rows, hi-p)
			sums := me.multiply(&l.panel, p, side, &l.panelIn.panelRowsIn, r0, rows, nil)
			for q := range side {
				l.finish(me, sums[q*panel.Channels:], side, p+q, r0, rows)
			}
			p += side
		}
	}
}

// result is where the products of panel p with the rows from r0 on go, if the panel is full and belongs to one result.
func (l *linear) result(me *linearWorker, p, r0 int) (to panelResult, ok bool) {
	n, first := l.w.Shape[0], p*panel.Channels
	from := 0 // column of the result at hand
	for i := range l.out {
		out := &l.out[i]
		width := out.Last()
		if from <= first && first+panel.Channels <= from+width {
			return panelResult{
				dst: &out.F32[r0*width+first-from], stride: 4 * width,
				scale: channels(l.w.Scale, 0, p, n, &me.scale, oneRows[:]), bias: channels(l.bias, 0, p, n, &me.bias, noBias[:]),
			}, true
		}
		from += width
	}
	return panelResult{}, false
}

// finish scales the sums of panel p, which lie side panels apart, and stores them in the results that they belong to.
func (l *linear) finish(me *linearWorker, sums []float32, side, p, r0, rows int) {
	row, lds := &l.panelIn.scales(r0, rows)[0], side*panel.Channels
	if to, ok := l.result(me, p, r0); ok {
		l.dev.panels.scale(to.dst, to.stride, &sums[0], 4*lds, rows, to.scale, to.bias, row)
		return
	}
	// The panel is not full, or belongs to several results.
	n, first := l.w.Shape[0], p*panel.Channels
	last := min(first+panel.Channels, n)
	scale := channels(l.w.Scale, 0, p, n, &me.scale, oneRows[:])
	bias := channels(l.bias, 0, p, n, &me.bias, noBias[:])
	l.dev.panels.scale(&sums[0], 4*lds, &sums[0], 4*lds, rows, scale, bias, row)
	from := 0 // column of the result at hand
	for i := range l.out {
		out := &l.out[i]
		width := out.Last()
		lo, hi := max(first, from), min(last, from+width)
		for r := 0; r < rows && lo < hi; r++ {
			copy(out.F32[(r0+r)*width+lo-from:][:hi-lo], sums[r*lds+lo-first:])
		}
		from += width
	}
}
