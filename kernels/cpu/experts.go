package cpu

import "github.com/glmc/glmc/kernels"

// experts is moe.experts. A (token, slot) pair is numbered p = token*k + slot. Pairs are sorted by expert, so
// that an expert's weights are read once for all its tokens; the slots' results are kept apart until all are
// there and are then added in slot order, as the reference does. Where the tokens' inner values would take more
// than maxInner, blocks of tokens are computed in turn.
type experts struct {
	dev       *Device
	quantised bool
	codes     bool // x comes quantised
	x, inner  inputs
	workers   []expertWorker

	order  []int32     // [pairs]: pairs sorted by expert
	start  []int32     // [E+1]: expert e has order[start[e]:start[e+1]]
	active []int32     // experts that have pairs
	sorted [][]float32 // [pairs]: the input rows in sorted order
	act    []float32   // [pairs, I] in sorted order: silu(gate x) * (up x)

	// Of the call in progress.
	k               int // slots of a token
	weight          []float32
	gate, up, down  *kernels.Tensor
	out             []float32
	chunk           int // inner channels in a chunk of the first product
	gateUp, project func(worker, lo, hi int)

	panelExperts
}

// expertWorker is one worker's scratch.
type expertWorker struct {
	multiplier
	gate, up []float32 // products of one weight row each
	y        []float32 // [channels of a chunk, pairs]: the slots' results, pairs unsorted

	panelExpertWorker
}

const (
	// maxInner bounds act, in values: 64 MiB.
	maxInner = 16 << 20
	// maxSlots bounds a worker's y, in values: 1 MiB, half of a second-level cache.
	maxSlots = 256 << 10
)

func (d *Device) experts(a kernels.Attrs) (kernels.Func, error) {
	quantised, err := a.QuantisesRows()
	if err != nil {
		return nil, err
	}
	if err := a.CheckActivation(); err != nil {
		return nil, err
	}
	m := d.newExperts(quantised)
	return func(c *kernels.Call) error { return m.mix(c, c.In[1:]) }, nil
}

func (d *Device) newExperts(quantised bool) *experts {
	m := &experts{dev: d, quantised: quantised, workers: make([]expertWorker, d.threads)}
	for i := range m.workers {
		m.workers[i].dots = d.dots
	}
	m.x.init(d)
	m.inner.init(d)
	m.gateUp, m.project = m.gateUpChunk, m.projectChunk
	m.initPanels(d)
	return m
}

// mix computes a call of which in are ids, weights, gate, up and down.
func (m *experts) mix(c *kernels.Call, in []kernels.Tensor) error {
	ids, weight := &in[0], &in[1]
	m.gate, m.up, m.down = &in[2], &in[3], &in[4]
	count, hidden, width := m.gate.Shape[0], m.down.Shape[1], m.down.Shape[2]
	if err := kernels.CheckIDs("expert id", ids.I32[:ids.Elems()], count); err != nil {
		return err
	}
	tokens := ids.Shape[0]
	m.k = ids.Last()
	if m.k == 0 {
		clear(c.Out[0].F32[:tokens*hidden])
		return nil
	}
	block := max(m.dev.maxInner/(m.k*width), 1)
	for t := 0; t < tokens; t += block {
		end := min(t+block, tokens)
		m.weight = weight.F32[t*m.k : end*m.k]
		m.out = c.Out[0].F32[t*hidden : end*hidden]
		if m.gate.Layout == kernels.Panels {
			if m.codes {
				m.panelX.prepareCodes(c.In[0].U8[t*hidden:], c.In[1].F32[t:end], end-t, hidden)
			} else {
				m.panelX.prepare(c.In[0].F32[t*hidden:], end-t, hidden, m.rowsFor(), m.quantised)
			}
			m.panelBlock(ids.I32[t*m.k:end*m.k], count)
			continue
		}
		if m.codes {
			m.x.prepareCodes(c.In[0].U8[t*hidden:], c.In[1].F32[t:end], end-t, hidden)
		} else {
			m.x.prepare(c.In[0].F32[t*hidden:], end-t, hidden, formFor(m.gate.DType, m.quantised))
		}
		m.block(ids.I32[t*m.k:end*m.k], count)
	}
	return nil
}

// block computes some tokens, whose rows are prepared: ids [tokens, k].
func (m *experts) block(ids []int32, count int) {
	hidden, width := m.down.Shape[1], m.down.Shape[2]
	pairs := len(ids)
	m.sort(ids, count)
	m.sorted = kernels.Resize(m.sorted, pairs)
	for i, p := range m.order {
		m.sorted[i] = m.x.rows[int(p)/m.k]
	}

	m.act = kernels.Resize(m.act, pairs*width)
	mean := max(pairs/len(m.active), 1)
	m.chunk = m.dev.grain(len(m.active)*width, 2*mean*hidden)
	m.chunk = min(m.chunk, width)
	perExpert := (width + m.chunk - 1) / m.chunk
	m.dev.pool.run(len(m.active)*perExpert, 1, m.gateUp)

	m.inner.prepare(m.act, pairs, width, formFor(m.down.DType, m.quantised))
	grain := min(m.dev.grain(hidden, pairs*width), max(maxSlots/pairs, 1))
	m.dev.pool.run(hidden, grain, m.project)
}

// sort fills order, start and active by counting.
func (m *experts) sort(ids []int32, count int) {
	m.start = kernels.Resize(m.start, count+1)
	clear(m.start)
	for _, e := range ids {
		m.start[e+1]++
	}
	m.active = m.active[:0]
	for e := range count {
		if m.start[e+1] > 0 {
			m.active = append(m.active, int32(e))
		}
		m.start[e+1] += m.start[e]
	}
	m.order = kernels.Resize(m.order, len(ids))
	for p, e := range ids {
		m.order[m.start[e]] = int32(p)
		m.start[e]++
	}
	// Every start has moved up to the next one's place.
	copy(m.start[1:], m.start[:count])
	m.start[0] = 0
}

// gateUpChunk computes chunks [lo, hi) of inner channels; the chunks of all active experts are numbered
// through.
func (m *experts) gateUpChunk(worker, lo, hi int) {
	me, width := &m.workers[worker], m.down.Shape[2]
	perExpert := (width + m.chunk - 1) / m.chunk
	for item := lo; item < hi; item++ {
		e := int(m.active[item/perExpert])
		first, last := int(m.start[e]), int(m.start[e+1])
		rows := m.sorted[first:last]
		me.gate, me.up = kernels.Resize(me.gate, len(rows)), kernels.Resize(me.up, len(rows))
		i0 := item % perExpert * m.chunk
		for i := i0; i < min(i0+m.chunk, width); i++ {
			me.row(me.gate, m.gate, e*width+i, rows)
			me.row(me.up, m.up, e*width+i, rows)
			for r := range rows {
				s := m.x.scaleOf(int(m.order[first+r]) / m.k)
				me.gate[r] *= s
				me.up[r] *= s
			}
			m.dev.vectors.swiglu(me.gate, me.gate, me.up)
			for r, v := range me.gate {
				m.act[(first+r)*width+i] = v
			}
		}
	}
}

// projectChunk computes output channels [lo, hi) of all tokens.
func (m *experts) projectChunk(worker, lo, hi int) {
	me, hidden := &m.workers[worker], m.down.Shape[1]
	pairs := len(m.order)
	me.y = kernels.Resize(me.y, (hi-lo)*pairs)
	me.gate = kernels.Resize(me.gate, pairs)
	for _, e := range m.active {
		first, last := int(m.start[e]), int(m.start[e+1])
		for h := lo; h < hi; h++ {
			me.row(me.gate, m.down, int(e)*hidden+h, m.inner.rows[first:last])
			y := me.y[(h-lo)*pairs : (h-lo+1)*pairs]
			for r := first; r < last; r++ {
				y[m.order[r]] = me.gate[r-first] * m.inner.scaleOf(r)
			}
		}
	}
	for h := lo; h < hi; h++ {
		y := me.y[(h-lo)*pairs : (h-lo+1)*pairs]
		for t := range pairs / m.k {
			var sum float32
			for p := t * m.k; p < (t+1)*m.k; p++ {
				sum += m.weight[p] * y[p]
			}
			m.out[t*hidden+h] = sum
		}
	}
}
