// Package align finds what two lists have in common, in order.
package align

import (
	"cmp"
	"slices"
	"sort"
)

// Pair is a place in each of two lists.
type Pair struct{ A, B int }

// Common pairs equal keys, rising on both sides. The n-th of several equal keys can only be paired with the n-th on
// the other side, once what is common at the beginning and at the end is set aside; of these pairs it takes the
// longest rising chain. Where keys do not repeat that is the longest common subsequence, in n log n steps instead of
// n². The result does not depend on which list comes first.
func Common[K cmp.Ordered](a, b []K) []Pair {
	if slices.Compare(a, b) > 0 { // of several longest chains, the same one for both directions
		out := Common(b, a)
		for i, p := range out {
			out[i] = Pair{p.B, p.A}
		}
		return out
	}
	var out []Pair
	start := 0
	for start < len(a) && start < len(b) && a[start] == b[start] {
		out = append(out, Pair{start, start})
		start++
	}
	endA, endB := len(a), len(b)
	for endA > start && endB > start && a[endA-1] == b[endB-1] {
		endA, endB = endA-1, endB-1
	}
	waiting := map[K][]int{}
	for j := start; j < endB; j++ {
		waiting[b[j]] = append(waiting[b[j]], j)
	}
	var pairs []Pair
	for i := start; i < endA; i++ {
		if w := waiting[a[i]]; len(w) > 0 {
			pairs = append(pairs, Pair{i, w[0]})
			waiting[a[i]] = w[1:]
		}
	}
	out = append(out, LongestRise(pairs)...)
	for i := range len(a) - endA {
		out = append(out, Pair{endA + i, endB + i})
	}
	return out
}

// LongestRise is the longest part of a list, which rises in A, that also rises in B.
func LongestRise(pairs []Pair) []Pair {
	var tails []int // the pair with the smallest B that ends a chain of each length
	previous := make([]int, len(pairs))
	for i, p := range pairs {
		n := sort.Search(len(tails), func(k int) bool { return pairs[tails[k]].B >= p.B })
		previous[i] = -1
		if n > 0 {
			previous[i] = tails[n-1]
		}
		if n == len(tails) {
			tails = append(tails, i)
		} else {
			tails[n] = i
		}
	}
	if len(tails) == 0 {
		return nil
	}
	out := make([]Pair, len(tails))
	for n, i := len(tails)-1, tails[len(tails)-1]; n >= 0; n, i = n-1, previous[i] {
		out[n] = pairs[i]
	}
	return out
}
