package kernels

import "fmt"

// NoParent in the parents of attn.paged says that the token before a row's is found by the page table.
const NoParent = -1

// Parents is operand i of a call, the parents [T] of attn.paged; nil where it is absent or no row has a parent.
func (c *Call) Parents(i int) []int32 {
	t := c.Optional(i)
	if !t.Present() {
		return nil
	}
	list := t.I32[:t.Elems()]
	for _, p := range list {
		if p != NoParent {
			return list
		}
	}
	return nil
}

// CheckParents verifies the parents [T] of attn.paged before anything is read by them, behind CheckSequences. A row's parent is
// NoParent, or stands before it in its sequence, one position earlier. Where the sequence has a row with a parent, the places of the rows
// up to it have pages. Parents that are nil are right.
func CheckParents(c *Cache, pos, seqStart, pages, parents []int32, perSeq int) error {
	if parents == nil {
		return nil
	}
	for b := range len(seqStart) - 1 {
		lo, hi := int(seqStart[b]), int(seqStart[b+1])
		last := -1 // row with a parent
		for t := lo; t < hi; t++ {
			p := int(parents[t])
			switch {
			case p == NoParent:
				continue
			case p < lo || p >= t:
				return fmt.Errorf("sequence %d, row %d: its parent is row %d, wants one of rows %d to %d, or %d", b, t, p, lo, t-1, NoParent)
			case pos[p] != pos[t]-1:
				return fmt.Errorf("sequence %d, row %d: it is at position %d and its parent, row %d, at %d", b, t, pos[t], p, pos[p])
			}
			last = t
		}
		if last < 0 {
			continue
		}
		place := int(pos[lo]) + last - lo
		if place >= perSeq*c.PageSize {
			return fmt.Errorf("sequence %d, row %d: place %d is beyond its %d pages of %d tokens", b, last, place, perSeq, c.PageSize)
		}
		for i := int(pos[lo]) / c.PageSize; i <= place/c.PageSize; i++ {
			if page := pages[b*perSeq+i]; page < 0 || int(page) >= c.Pages {
				return fmt.Errorf("sequence %d: KV page %d (entry %d) is not one of the cache's %d", b, page, i, c.Pages)
			}
		}
	}
	return nil
}

// Tail is where a row with a parent finds keys and values that the page table has in another order: those of its own and of its
// ancestors with parents. The position First+i lies at Places[i] of the page table.
//
// Of a sequence whose first row in the step is at position p, the row t rows behind it lies at place p+t, whatever its own position: so
// the branches of a tree lie side by side, and the first one where it would lie as a path.
type Tail struct {
	First  int
	Places []int
}

// Of finds the tail of row t of a sequence whose rows begin with row lo, and keeps its memory for the next. A row without a parent has none,
// and First behind its position.
func (l *Tail) Of(t, lo int, pos, parents []int32) {
	l.Places = l.Places[:0]
	n := 0
	for r := t; parents != nil && parents[r] != NoParent; r = int(parents[r]) {
		n++
	}
	l.First = int(pos[t]) + 1 - n
	if n == 0 {
		return
	}
	l.Places = Resize(l.Places, n)
	for r := t; n > 0; r = int(parents[r]) {
		n--
		l.Places[n] = int(pos[lo]) + r - lo
	}
}

// Place is where a position of the row's context lies in the page table.
func (l *Tail) Place(p int) int {
	if p >= l.First && p-l.First < len(l.Places) {
		return l.Places[p-l.First]
	}
	return p
}

// Move copies the keys and values of slots from to slots to, one after the other.
func (c *Cache) Move(from, to []int32) error {
	if len(from) != len(to) {
		return fmt.Errorf("%d KV slots are moved to %d", len(from), len(to))
	}
	for i := range from {
		for _, s := range [...]int32{from[i], to[i]} {
			if s < 0 || int(s) >= c.Slots() {
				return fmt.Errorf("KV slot %d is not one of the cache's %d", s, c.Slots())
			}
		}
	}
	for i := range from {
		c.K.move(int(from[i]), int(to[i]), c.Heads*c.HeadDim)
		c.V.move(int(from[i]), int(to[i]), c.Heads*c.ValueDim)
	}
	return nil
}

// move copies row from, of n elements, to row to.
func (t *Tensor) move(from, to, n int) {
	copyRow(t.F32, from, to, n)
	copyRow(t.U16, from, to, n)
	copyRow(t.U8, from, to, n)
}

// copyRow copies a row of n elements, where the tensor has elements of the type.
func copyRow[E any](data []E, from, to, n int) {
	if data != nil {
		copy(data[to*n:(to+1)*n], data[from*n:(from+1)*n])
	}
}
