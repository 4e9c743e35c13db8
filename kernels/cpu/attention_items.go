package cpu

import (
	"math"
	"sync/atomic"
)

// attnItem is an item of work: a tile, some KV heads, and all chunks of its positions or one of them.
type attnItem struct {
	tile           attnTile
	headLo, headHi int
	last           int        // the last position that a row sees
	all            int        // how many positions every row sees
	split          *attnSplit // nil: all chunks
	chunk          int
}

// attnSplit is a tile's rows of some heads whose chunks are items of their own.
type attnSplit struct {
	chunks int
	left   atomic.Int32 // chunks that are not done
	states []attnState  // one for each chunk
}

// plan makes the items of a call. How they are cut does not show in the results. The last tile comes first: in a prefill
// it has the longest context, and the pool ends evenly when the short ones are left for the end.
func (a *attnPanels) plan() {
	a.tiles = appendTiles(a.tiles[:0], a.c, max(attnRows/a.group, 1))
	a.items, a.splits = a.items[:0], a.splits[:0]
	heads := a.c.Cache.Heads
	want := attnItems * a.dev.threads
	few := a.dev.threads > 1 && len(a.tiles) < want
	for i := len(a.tiles) - 1; i >= 0; i-- {
		item := attnItem{tile: a.tiles[i], all: math.MaxInt}
		for _, p := range a.c.In[1].I32[item.tile.lo:item.tile.hi] {
			item.last, item.all = max(item.last, int(p)), min(item.all, int(p)+1)
		}
		rows := (item.tile.hi - item.tile.lo) * a.group
		split := few && item.last >= attnChunk && rows <= attnFewRows
		parts := len(a.tiles)
		if split {
			parts *= item.last/attnChunk + 1
		}
		per := a.headsPerItem(rows, parts, want)
		for h := 0; h < heads; h += per {
			item.headLo, item.headHi = h, min(h+per, heads)
			if split {
				a.planChunks(item)
			} else {
				a.items = append(a.items, item)
			}
		}
	}
}

// headsPerItem is how many KV heads an item takes of a tile that has rows rows a head, where about parts other items
// have the same heads. A position's heads lie side by side: taking all of them reads the cache in one
// stream. But there have to be as many items as are wanted, and their rows have to fit where those of a prefill do.
func (a *attnPanels) headsPerItem(rows, parts, want int) int {
	heads := a.c.Cache.Heads
	per := min(max(attnRows/rows, 1), heads)
	for per > 1 && a.dev.threads > 1 && parts*((heads+per-1)/per) < want {
		per /= 2
	}
	return per
}

// planChunks makes an item of each of an item's chunks.
func (a *attnPanels) planChunks(item attnItem) {
	n := len(a.splits)
	if n < cap(a.splits) && a.splits[:n+1][n] != nil {
		a.splits = a.splits[:n+1] // with the memory of an earlier call
	} else {
		a.splits = append(a.splits, &attnSplit{})
	}
	s := a.splits[n]
	s.chunks = item.last/attnChunk + 1
	s.left.Store(int32(s.chunks))
	for len(s.states) < s.chunks {
		s.states = append(s.states, attnState{})
	}
	item.split = s
	for item.chunk = range s.chunks {
		a.items = append(a.items, item)
	}
}
