package cpu

import (
	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
)

// qkNormRopeKV is attn.qknorm_rope_kv: one pass over the rows. The slots of a call differ, so that rows may be
// written to the cache in any order.
type qkNormRopeKV struct {
	dev          *Device
	eps          float32
	table        *ropeTable
	slots        kernels.SlotChecker
	qNorm, kNorm []float32   // [D], or empty
	angles, keys [][]float32 // a worker's scratch: [dims], [n, D]

	// Of the call in progress.
	c    *kernels.Call
	body func(worker, lo, hi int)
}

func (d *Device) qkNormRopeKV(a kernels.Attrs) (kernels.Func, error) {
	eps, err := a.OptionalFloat("eps") // absent where there are no norms
	if err != nil {
		return nil, err
	}
	table, err := d.rope(a)
	if err != nil {
		return nil, err
	}
	f := &qkNormRopeKV{dev: d, eps: float32(eps), table: table,
		angles: perWorker(d, table.rope.Dims), keys: perWorker(d, 0)}
	f.body = f.rows
	return f.run, nil
}

func (f *qkNormRopeKV) run(c *kernels.Call) error {
	if c.Cache == nil {
		return kernels.ErrNoCache
	}
	q, slots := &c.In[0], &c.In[6]
	rows := q.Shape[0]
	if err := f.slots.Check(slots.I32[:rows], c.Cache); err != nil {
		return err
	}
	f.c = c
	f.qNorm, f.kNorm = weightRow(f.qNorm, &c.In[3]), weightRow(f.kNorm, &c.In[4])
	// A row is its queries, and keys and values that are converted too.
	cost := 2*q.Shape[1]*q.Shape[2] + 4*c.Cache.Heads*c.Cache.HeadDim
	f.dev.pool.run(rows, f.dev.grain(rows, cost), f.body)
	return nil
}

func (f *qkNormRopeKV) rows(worker, lo, hi int) {
	c := f.c
	q, k, v := &c.In[0], &c.In[1], &c.In[2]
	nq, nk, dim := q.Shape[1]*q.Shape[2], k.Shape[1]*k.Shape[2], k.Shape[2]
	f.keys[worker] = kernels.Resize(f.keys[worker], nk)
	keys := f.keys[worker]
	for t := lo; t < hi; t++ {
		cos, sin := f.table.at(c.In[5].I32[t], f.angles[worker])
		f.heads(c.Out[0].F32[t*nq:(t+1)*nq], q.F32[t*nq:(t+1)*nq], dim, f.qNorm, cos, sin)
		slot := c.In[6].I32[t]
		if slot == kernels.PaddingSlot {
			continue
		}
		f.heads(keys, k.F32[t*nk:(t+1)*nk], dim, f.kNorm, cos, sin)
		f.dev.write(c.Cache, int(slot), keys, v.F32[t*nk:(t+1)*nk])
	}
}

// heads normalises, where there is a weight, and rotates the heads of one row.
func (f *qkNormRopeKV) heads(dst, src []float32, dim int, w, cos, sin []float32) {
	for at := 0; at < len(src); at += dim {
		head := dst[at : at+dim]
		if len(w) > 0 {
			f.dev.normalise(head, src[at:at+dim], w, f.eps)
		} else {
			copy(head, src[at:])
		}
		f.dev.rotate(f.table.rope, head, cos, sin)
	}
}

// write is kernels.Cache.Write.
func (d *Device) write(c *kernels.Cache, slot int, k, v []float32) {
	atK, atV := slot*c.Heads*c.HeadDim, slot*c.Heads*c.ValueDim
	switch c.DType {
	case dtype.BF16:
		d.vectors.toBF16(c.K.U16[atK:atK+len(k)], k)
		d.vectors.toBF16(c.V.U16[atV:atV+len(v)], v)
	case dtype.F8E4M3:
		d.vectors.toF8(c.K.U8[atK:atK+len(k)], k, 1)
		d.vectors.toF8(c.V.U8[atV:atV+len(v)], v, 1)
	default:
		c.Write(slot, k, v)
	}
}
