package align

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestCommon: pairs are of equal keys and rise on both sides, the other direction gives the same pairs,
// and where no key repeats there are as many as in a longest common subsequence.
func TestCommon(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		unique := rapid.Bool().Draw(t, "unique")
		key := rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f", "g", "h"})
		draw := func(name string) []string {
			if unique {
				return rapid.SliceOfDistinct(key, rapid.ID).Draw(t, name)
			}
			return rapid.SliceOfN(key, 0, 12).Draw(t, name)
		}
		a, b := draw("a"), draw("b")
		pairs := Common(a, b)
		last := Pair{-1, -1}
		for _, p := range pairs {
			if p.A <= last.A || p.B <= last.B || a[p.A] != b[p.B] {
				t.Fatalf("%v is no common subsequence", pairs)
			}
			last = p
		}
		back := Common(b, a)
		for i, p := range back {
			back[i] = Pair{p.B, p.A}
		}
		if !slices.Equal(pairs, back) {
			t.Fatalf("%v, and in the other direction %v", pairs, back)
		}
		if want := longestCommon(a, b); unique && len(pairs) != want {
			t.Fatalf("%d pairs, want %d: %v", len(pairs), want, pairs)
		}
		if slices.Equal(a, b) && len(pairs) != len(a) {
			t.Fatalf("%d pairs of %d equal keys", len(pairs), len(a))
		}
	})
}

// longestCommon is the textbook's n² table.
func longestCommon(a, b []string) int {
	table := make([][]int, len(a)+1)
	for i := range table {
		table[i] = make([]int, len(b)+1)
	}
	for i := range a {
		for j := range b {
			table[i+1][j+1] = max(table[i][j+1], table[i+1][j])
			if a[i] == b[j] {
				table[i+1][j+1] = table[i][j] + 1
			}
		}
	}
	return table[len(a)][len(b)]
}
