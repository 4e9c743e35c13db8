// Package ordered holds a set of numbers that finds neighbours in no more than a few looks, however many it has. The
// checkers of layouts and of races keep in it what lies next to what in an arena.
package ordered

import "math/bits"

// Set is a set of numbers from 0 up to a bound: a tree of 64-bit words, in which a bit of
// a level says whether the word below it has any.
type Set [][]uint64

// NewSet is an empty set of numbers below a bound.
func NewSet(bound int) Set {
	var s Set
	for n := bound; ; {
		n = (n + 63) / 64
		s = append(s, make([]uint64, max(n, 1)))
		if n <= 1 {
			return s
		}
	}
}

// Add puts a number into the set.
func (s Set) Add(i int) {
	for _, level := range s {
		level[i/64] |= 1 << (i % 64)
		i /= 64
	}
}

// Remove takes a number out of the set; one that is not in it makes no difference.
func (s Set) Remove(i int) {
	for _, level := range s {
		if level[i/64] &^= 1 << (i % 64); level[i/64] != 0 {
			return
		}
		i /= 64
	}
}

// Before is the largest member below i, -1 where there is none.
func (s Set) Before(i int) int {
	for h, level := range s {
		if below := level[i/64] & (1<<(i%64) - 1); below != 0 {
			return s.down(h, i/64*64+63-bits.LeadingZeros64(below), func(word uint64) int { return 63 - bits.LeadingZeros64(word) })
		}
		i /= 64
	}
	return -1
}

// After is the smallest member above i, -1 where there is none.
func (s Set) After(i int) int {
	for h, level := range s {
		if above := level[i/64] &^ (1<<(i%64)<<1 - 1); above != 0 {
			return s.down(h, i/64*64+bits.TrailingZeros64(above), bits.TrailingZeros64)
		}
		i /= 64
	}
	return -1
}

// down follows a bit of level h to a member, taking in each word the bit that pick says.
func (s Set) down(h, i int, pick func(uint64) int) int {
	for h--; h >= 0; h-- {
		i = i*64 + pick(s[h][i])
	}
	return i
}
