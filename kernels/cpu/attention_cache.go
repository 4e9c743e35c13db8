package cpu

import (
	"unsafe"

	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/kernels/panel"
)

// attnPlaces is where the keys and values of a block begin in the cache, in bytes, for the first head.
type attnPlaces struct {
	n            int
	keys, values [attnBlock]int64
}

// locate finds the places of the positions from first on, none from end on. Behind the last, keys repeat up to a
// multiple of 16: their scores are masked.
func (a *attnPanels) locate(at *attnPlaces, seq, first, end int) {
	cache, pages := a.c.Cache, &a.c.In[3]
	table := pages.I32[seq*pages.Last() : (seq+1)*pages.Last()]
	size := int64(cache.Heads * cache.DType.Size())
	key, value := size*int64(cache.HeadDim), size*int64(cache.ValueDim)
	at.n = max(min(attnBlock, end-first), 0)
	page, in := first/cache.PageSize, first%cache.PageSize
	for j := 0; j < at.n; page, in = page+1, 0 {
		slot := int64(table[page])*int64(cache.PageSize) + int64(in)
		for end := min(at.n, j+cache.PageSize-in); j < end; j++ {
			at.keys[j], at.values[j] = slot*key, slot*value
			slot++
		}
	}
	for j := at.n; j%16 != 0; j++ {
		at.keys[j] = at.keys[at.n-1]
	}
}

// attnAhead brings the next block's keys and values into the second-level cache, some rows between every two steps of the
// block at hand: what is scattered over pages no processor fetches ahead by itself. A processor drops what it is asked to
// fetch when too much is under way, so a step asks for little. With few rows, as in generation, a block
// is computed faster than the next one is read. There all of it is read at the end of the block, in the order of
// memory, what was dropped too: better than to wait where keys are transposed, 16 rows at a time.
//
// A core of Zen 5, 16 heads on 4 KV heads, context 8192, generation from a bf16 cache: without any of it 8.2 GB/s (in pages
// of 4 KiB; what follows in huge pages), all asked for at once 10.4, in steps 11.5, in short steps and then read 15.3, where
// reading memory from end to end gives 30. From an fp8 cache 3.7, 7.8, 9.3 and 11.5.
type attnAhead struct {
	next  *attnPlaces
	done  int // rows, of the keys first
	share int // rows a step
	head  int // the item's first
	heads int
}

// startAhead shares the rows of the next block among the steps of this one.
func (a *attnPanels) startAhead(w *attnPanelWorker, item *attnItem) {
	f := &w.ahead
	f.head, f.heads, f.done = item.headLo, item.headHi-item.headLo, 0
	rows := len(w.seen)
	products := func(n int) int {
		return a.products(n, attnBlock/panel.Channels) + a.products(n, a.width/panel.Channels)
	}
	steps := 2*attnLoads + rows/panelRows
	if rest := rows % panelRows; rest > 0 {
		steps += 1 + products(rest)
	}
	steps *= f.heads
	row := f.heads * a.c.Cache.HeadDim * a.c.Cache.DType.Size()
	f.share = min((2*f.next.n+steps-1)/steps, max(attnAtOnce/row, 1))
}

// fetchAhead asks for a step's share.
func (a *attnPanels) fetchAhead(w *attnPanelWorker) {
	if f := &w.ahead; f.done < 2*f.next.n {
		a.ahead(w, a.kernels.fetch, min(f.done+f.share, 2*f.next.n))
	}
}

// ahead brings the next block's rows up to end, keys first.
func (a *attnPanels) ahead(w *attnPanelWorker, bring func(rows unsafe.Pointer, at *int64, bytes, n int), end int) {
	f, cache := &w.ahead, a.c.Cache
	n := f.next.n
	if to := min(end, n); f.done < to {
		k := cache.DType.Size() * cache.HeadDim
		bring(unsafe.Add(elements(&cache.K), f.head*k), &f.next.keys[f.done], f.heads*k, to-f.done)
		f.done = to
	}
	if f.done < end {
		v := cache.DType.Size() * cache.ValueDim
		bring(unsafe.Add(elements(&cache.V), f.head*v), &f.next.values[f.done-n], f.heads*v, end-f.done)
		f.done = end
	}
}

// elements is where the elements of a tensor of BF16 or F8E4M3 begin.
func elements(t *kernels.Tensor) unsafe.Pointer {
	if t.DType == dtype.BF16 {
		return unsafe.Pointer(&t.U16[0])
	}
	return unsafe.Pointer(&t.U8[0])
}

func (a *attnPanels) loadKeys(w *attnPanelWorker, at *attnPlaces, head, n int) {
	d := a.c.Cache.HeadDim
	w.keys = aligned(w.keys, attnBlock/panel.Channels*a.keyStride/2)
	k := &a.c.Cache.K
	const part = attnBlock / attnLoads
	for j := 0; j < n; j += part {
		a.fetchAhead(w)
		to, groups := &w.keys[j/panel.Channels*a.keyStride/2], (min(n-j, part)+15)/16
		if k.DType == dtype.BF16 {
			a.kernels.keysBF16(to, &k.U16[head*d], &at.keys[j], d, groups, a.keyStride)
		} else {
			a.kernels.keysF8(to, &k.U8[head*d], &at.keys[j], d, groups, a.keyStride)
		}
	}
}

func (a *attnPanels) loadValues(w *attnPanelWorker, at *attnPlaces, head, n int) {
	d := a.c.Cache.ValueDim
	w.values = aligned(w.values, a.width/panel.Channels*attnValueStride/2)
	v := &a.c.Cache.V
	const part = attnBlock / attnLoads
	for j := 0; j < n; j += part {
		a.fetchAhead(w)
		to := &w.values[j/2*attnPair/2]
		if v.DType == dtype.BF16 {
			a.kernels.valuesBF16(to, &v.U16[head*d], &at.values[j], d, min(n-j, part), attnValueStride)
		} else {
			a.kernels.valuesF8(to, &v.U8[head*d], &at.values[j], d, min(n-j, part), attnValueStride)
		}
	}
}
