package cpu

import "github.com/glmc/glmc/kernels"

// Rows with parents, of trees of drafts, share the blocks before their sequence's first row with the others. From there on each of them may have keys
// and values of its own (kernels.Tail), and is computed by itself.

// together is how many rows of a head, of those from r to end, are multiplied at once; or how many are of a token that has keys and values of
// its own in the block, and so stand alone.
func (a *attnPanels) together(tile attnTile, b *attnBlockOf, r, end int) (n int, alone bool) {
	if b.forks {
		t := tile.lo + r/a.group
		if a.parents[t] != kernels.NoParent {
			return (t+1-tile.lo)*a.group - r, true
		}
		for t < tile.hi && a.parents[t] == kernels.NoParent {
			t++
		}
		end = (t - tile.lo) * a.group
	}
	return min(panelRows, end-r), false
}

// branches folds a block into the states of the rows with parents, each with the keys and values that it sees.
func (a *attnPanels) branches(w *attnPanelWorker, tile attnTile, s *attnState, head int, b *attnBlockOf) {
	start := int(a.c.In[2].I32[tile.seq])
	for t := tile.lo; t < tile.hi; t++ {
		r := (t - tile.lo) * a.group
		seen := int(w.seen[r])
		if a.parents[t] == kernels.NoParent || seen <= 0 {
			continue
		}
		w.tail.Of(t, start, a.c.In[1].I32, a.parents)
		a.locate(&w.own, tile.seq, b.first, b.first+seen, &w.tail)
		a.loadKeys(w, &w.own, head, seen)
		a.loadValues(w, &w.own, head, seen)
		a.one(w, s, b, r)
	}
}

// branches folds a block into the states of the rows with parents, each of which may have keys and values of its own in it: those
// are put into the places of the ones that the page table leads to.
func (a *attnDots) branches(w *attnWorker, tile attnTile, head, first, n int) {
	q, pos, starts := &a.c.In[0], a.c.In[1].I32, a.c.In[2].I32
	heads, d := q.Shape[1], q.Shape[2]
	group := heads / a.c.Cache.Heads
	for t := tile.lo; t < tile.hi; t++ {
		seen := min(n, int(pos[t])+1-first)
		if seen <= 0 || a.parents[t] == kernels.NoParent {
			continue
		}
		w.tail.Of(t, int(starts[tile.seq]), pos, a.parents)
		from := max(w.tail.First-first, 0)
		for j := from; j < seen; j++ {
			a.row(w, tile.seq, head, j, w.tail.Place(first+j))
		}
		for g := range group {
			at := (t*heads + head*group + g) * d
			a.update(w, &w.state[(t-tile.lo)*group+g], q.F32[at:at+d], seen)
		}
		for j := from; j < seen; j++ {
			a.row(w, tile.seq, head, j, first+j)
		}
	}
}
