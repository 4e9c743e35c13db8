package cpu

import (
	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
)

// attention is attn.paged with a running softmax (Milakov and Gimelshein, arXiv:1805.02867; blocked as in
// FlashAttention, arXiv:2205.14135): memory does not grow with the context.
//
// A tile is some rows of one sequence. Whoever computes it walks over the positions in blocks that begin at multiples of
// the block's size, so that a row's result does not depend on the rows that share its tile.
type attention struct {
	dots   *attnDots
	panels *attnPanels // nil where the tier has no products with panels
}

// attnTile is rows [lo, hi) of the step, all of one sequence.
type attnTile struct{ seq, lo, hi int }

func (d *Device) attnPaged(attrs kernels.Attrs) (kernels.Func, error) {
	scale, err := attrs.Float("scale")
	if err != nil {
		return nil, err
	}
	a := &attention{dots: newAttnDots(d, float32(scale)), panels: newAttnPanels(d, float32(scale))}
	return a.run, nil
}

func (a *attention) run(c *kernels.Call) error {
	q, pos, starts, pages, cache := &c.In[0], &c.In[1], &c.In[2], &c.In[3], c.Cache
	if cache == nil {
		return kernels.ErrNoCache
	}
	rows := q.Shape[0]
	seqStart := starts.I32[:starts.Elems()]
	err := kernels.CheckSequences(cache, pos.I32[:rows], seqStart, pages.I32[:pages.Elems()], pages.Last())
	if err != nil {
		return err
	}
	out := c.Out[0].F32[:c.Out[0].Elems()]
	if n := int(seqStart[len(seqStart)-1]); n < rows { // rows of padding
		clear(out[n*len(out)/rows:])
	}
	clear(out[:int(seqStart[0])*len(out)/max(rows, 1)])
	if a.panels != nil && attnReads(cache.DType) {
		a.panels.run(c)
	} else {
		a.dots.run(c)
	}
	return nil
}

// attnReads reports whether attention with panels reads a cache in a dtype. Of f32 and f16, bf16 would lose bits.
func attnReads(d dtype.DType) bool { return d == dtype.BF16 || d == dtype.F8E4M3 }

// appendTiles appends tiles of at most perTile rows, which hold all rows of all sequences.
func appendTiles(tiles []attnTile, c *kernels.Call, perTile int) []attnTile {
	starts := c.In[2].I32[:c.In[2].Elems()]
	for b := range len(starts) - 1 {
		for lo := int(starts[b]); lo < int(starts[b+1]); lo += perTile {
			tiles = append(tiles, attnTile{b, lo, min(lo+perTile, int(starts[b+1]))})
		}
	}
	return tiles
}
