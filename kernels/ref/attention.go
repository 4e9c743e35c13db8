package ref

import (
	"math"

	"github.com/glmc/glmc/kernels"
)

func kvWrite(kernels.Attrs) (kernels.Func, error) {
	var checker kernels.SlotChecker
	return func(c *kernels.Call) error {
		return writeCache(c.Cache, &checker, &c.In[0], &c.In[1], &c.In[2])
	}, nil
}

// writeCache stores k [T, n, D] and v [T, n, V] at slots [T], but for padding rows.
func writeCache(cache *kernels.Cache, checker *kernels.SlotChecker, k, v, slots *kernels.Tensor) error {
	if cache == nil {
		return kernels.ErrNoCache
	}
	rows := slots.I32[:slots.Elems()]
	if err := checker.Check(rows, cache); err != nil {
		return err
	}
	nk, nv := cache.Heads*cache.HeadDim, cache.Heads*cache.ValueDim
	for t, slot := range rows {
		if slot != kernels.PaddingSlot {
			cache.Write(int(slot), k.F32[t*nk:(t+1)*nk], v.F32[t*nv:(t+1)*nv])
		}
	}
	return nil
}

func kvSend(kernels.Attrs) (kernels.Func, error) {
	var checker kernels.SlotChecker
	var written []int32
	return func(c *kernels.Call) error {
		if c.Cache == nil {
			return kernels.ErrNoCache
		}
		rows := c.In[0].I32[:c.In[0].Elems()]
		if err := checker.Check(rows, c.Cache); err != nil || c.Send == nil {
			return err
		}
		written = written[:0]
		for _, slot := range rows {
			if slot != kernels.PaddingSlot {
				written = append(written, slot)
			}
		}
		return c.Send(c.Cache, written)
	}, nil
}

// attention is the attributes and scratch of attn.paged.
type attention struct {
	scale float32
	score []float32 // [positions]
	key   []float32 // [D]
	value []float32 // [V]
	tail  kernels.Tail
}

func attnPaged(a kernels.Attrs) (kernels.Func, error) {
	scale, err := a.Float("scale")
	if err != nil {
		return nil, err
	}
	return (&attention{scale: float32(scale)}).run, nil
}

func (a *attention) run(c *kernels.Call) error {
	q, pos, starts, pages, out := &c.In[0], &c.In[1], &c.In[2], &c.In[3], &c.Out[0]
	cache := c.Cache
	if cache == nil {
		return kernels.ErrNoCache
	}
	rows, heads, d := q.Shape[0], q.Shape[1], q.Shape[2]
	perSeq := pages.Last()
	seqStart := starts.I32[:starts.Elems()]
	if err := kernels.CheckSequences(cache, pos.I32[:rows], seqStart, pages.I32[:pages.Elems()], perSeq); err != nil {
		return err
	}
	parents := c.Parents(4)
	if err := kernels.CheckParents(cache, pos.I32[:rows], seqStart, pages.I32[:pages.Elems()], parents, perSeq); err != nil {
		return err
	}
	dv := cache.ValueDim
	clear(out.F32[:rows*heads*dv])
	a.key, a.value = kernels.Resize(a.key, d), kernels.Resize(a.value, dv)
	group := heads / cache.Heads
	for b := range len(seqStart) - 1 {
		table := pages.I32[b*perSeq : (b+1)*perSeq]
		for t := int(seqStart[b]); t < int(seqStart[b+1]); t++ {
			a.tail.Of(t, int(seqStart[b]), pos.I32, parents)
			for h := range heads {
				row := t*heads + h
				a.head(out.F32[row*dv:(row+1)*dv], q.F32[row*d:(row+1)*d], cache, table, h/group, int(pos.I32[t]))
			}
		}
	}
	return nil
}

// head adds to out the attention of one query over positions 0..last of one KV head, the last of them where the tail says.
func (a *attention) head(out, q []float32, cache *kernels.Cache, pages []int32, h, last int) {
	row := func(p int) int {
		p = a.tail.Place(p)
		slot := int(pages[p/cache.PageSize])*cache.PageSize + p%cache.PageSize
		return slot*cache.Heads + h
	}
	a.score = kernels.Resize(a.score, last+1)
	for p := range a.score {
		cache.K.Load(a.key, row(p)*cache.HeadDim)
		a.score[p] = Dot(q, a.key) * a.scale
	}
	Softmax(a.score)
	for p, w := range a.score {
		cache.V.Load(a.value, row(p)*cache.ValueDim)
		for i, v := range a.value {
			out[i] += w * v
		}
	}
}

// Softmax replaces x by exp(x) / sum(exp(x)), less its largest value first.
func Softmax(x []float32) {
	largest := float32(math.Inf(-1))
	for _, v := range x {
		largest = max(largest, v)
	}
	var sum float32
	for i, v := range x {
		x[i] = float32(math.Exp(float64(v - largest)))
		sum += x[i]
	}
	for i := range x {
		x[i] /= sum
	}
}

// qkNormRopeKV is by definition norm.rms of q and of k where the weight is present, then rope.apply to both,
// then kv.write of k and v.
func qkNormRopeKV(a kernels.Attrs) (kernels.Func, error) {
	eps, err := a.OptionalFloat("eps") // absent where there are no norms
	if err != nil {
		return nil, err
	}
	rope, err := kernels.RopeFromAttrs(a)
	if err != nil {
		return nil, err
	}
	rotate := rotation(rope)
	var checker kernels.SlotChecker
	var rotated []float32 // k [T, n, D]
	return func(c *kernels.Call) error {
		q, k, v, qNorm, kNorm, pos, slots := &c.In[0], &c.In[1], &c.In[2], &c.In[3], &c.In[4], &c.In[5], &c.In[6]
		rotated = kernels.Resize(rotated, k.Elems())
		for _, x := range []struct {
			dst     []float32
			src, by *kernels.Tensor
		}{{c.Out[0].F32, q, qNorm}, {rotated, k, kNorm}} {
			copy(x.dst, x.src.F32[:x.src.Elems()])
			if x.by.Present() {
				rmsNorm(x.dst, x.dst[:x.src.Elems()], x.by.F32[:x.by.Elems()], float32(eps))
			}
			rotate(x.dst, pos.I32, x.src.Shape)
		}
		nk := kernels.FromF32(rotated, k.Shape...)
		return writeCache(c.Cache, &checker, &nk, v, slots)
	}, nil
}
