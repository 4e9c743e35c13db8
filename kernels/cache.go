package kernels

import (
	"errors"
	"fmt"

	"github.com/glmc/glmc/kernels/dtype"
)

// ErrNoCache is returned by operators on the KV cache that were called without one.
var ErrNoCache = errors.New("the step has no KV cache")

// NewCache allocates a zeroed cache of pages*pageSize token slots, each of heads rows of headDim keys and
// valueDim values.
func NewCache(d dtype.DType, pageSize, pages, heads, headDim, valueDim int) *Cache {
	slots := pageSize * pages
	return &Cache{
		PageSize: pageSize, Pages: pages, Heads: heads, HeadDim: headDim, ValueDim: valueDim, DType: d,
		K: New(d, slots, heads, headDim),
		V: New(d, slots, heads, valueDim),
	}
}

// Slots is the number of token slots.
func (c *Cache) Slots() int { return c.Pages * c.PageSize }

// Write stores one token's keys [Heads, HeadDim] and values [Heads, ValueDim], narrowed to the cache's dtype.
func (c *Cache) Write(slot int, k, v []float32) {
	c.K.Store(slot*c.Heads*c.HeadDim, k)
	c.V.Store(slot*c.Heads*c.ValueDim, v)
}

// PaddingSlot marks a row that kv.write skips.
const PaddingSlot = -1

// A SlotChecker verifies the slots of kv.write. It keeps its memory from call to call; the zero value is
// ready for use.
type SlotChecker struct {
	taken []uint64 // a bit for each slot; all zero between calls
}

// Check reports the first slot that is neither PaddingSlot nor one of the cache's, and the first slot that two
// rows want: which of them stayed would depend on the order of the rows.
func (s *SlotChecker) Check(slots []int32, c *Cache) error {
	n := c.Slots()
	if words := (n + 63) / 64; len(s.taken) < words {
		s.taken = make([]uint64, words)
	}
	var err error
	done := 0
	for t, slot := range slots {
		if slot == PaddingSlot {
			done++
			continue
		}
		if slot < 0 || int(slot) >= n {
			err = fmt.Errorf("row %d: KV slot %d is not one of the cache's %d", t, slot, n)
			break
		}
		word, bit := &s.taken[slot/64], uint64(1)<<(slot%64)
		if *word&bit != 0 {
			err = fmt.Errorf("row %d: KV slot %d is written twice in one step", t, slot)
			break
		}
		*word |= bit
		done++
	}
	for _, slot := range slots[:done] {
		if slot != PaddingSlot {
			s.taken[slot/64] = 0
		}
	}
	return err
}

// CheckSequences verifies what attn.paged reads before it reads anything: seqStart [B+1] ascends within
// [0, len(pos)], and for each row of a sequence b every page pages[b][0..pos/PageSize] exists, where pages is
// [B, perSeq].
func CheckSequences(c *Cache, pos, seqStart, pages []int32, perSeq int) error {
	if len(seqStart) == 0 {
		return errors.New("sequence starts are missing: want one more than there are sequences")
	}
	for b := range len(seqStart) - 1 {
		lo, hi := int(seqStart[b]), int(seqStart[b+1])
		if lo < 0 || hi < lo || hi > len(pos) {
			return fmt.Errorf("sequence %d: rows %d to %d are not within the step's %d rows", b, lo, hi, len(pos))
		}
		last := -1
		for t := lo; t < hi; t++ {
			p := int(pos[t])
			if p < 0 || p >= perSeq*c.PageSize {
				return fmt.Errorf("sequence %d, row %d: position %d is beyond its %d pages of %d tokens",
					b, t, p, perSeq, c.PageSize)
			}
			last = max(last, p)
		}
		if last < 0 {
			continue
		}
		for i, page := range pages[b*perSeq:][:last/c.PageSize+1] {
			if page < 0 || int(page) >= c.Pages {
				return fmt.Errorf("sequence %d: KV page %d (entry %d) is not one of the cache's %d",
					b, page, i, c.Pages)
			}
		}
	}
	return nil
}

// CheckIDs reports the first id outside of [0, n). what names the ids in the message.
func CheckIDs(what string, ids []int32, n int) error {
	for i, id := range ids {
		if id < 0 || int(id) >= n {
			return fmt.Errorf("%s %d (number %d of the step) is outside of [0, %d)", what, id, i, n)
		}
	}
	return nil
}
