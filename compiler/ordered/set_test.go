package ordered

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestSet compares with a plain list.
func TestSet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.SampledFrom([]int{1, 2, 63, 64, 65, 4096, 4097, 300000}).Draw(t, "bound")
		s, members := NewSet(n), []int{}
		near := rapid.OneOf(rapid.IntRange(0, n-1), rapid.IntRange(max(0, n-130), n-1), rapid.IntRange(0, min(n-1, 130)))
		for range 40 {
			i := near.Draw(t, "i")
			at, found := slices.BinarySearch(members, i)
			switch {
			case !found && rapid.Bool().Draw(t, "add"):
				s.Add(i)
				members = slices.Insert(members, at, i)
			case found && rapid.Bool().Draw(t, "remove"):
				s.Remove(i)
				members = slices.Delete(members, at, at+1)
			case !found:
				s.Remove(i) // which changes nothing
			}
			i = near.Draw(t, "asked")
			at, found = slices.BinarySearch(members, i)
			before, after := -1, -1
			if at > 0 {
				before = members[at-1]
			}
			if found {
				at++
			}
			if at < len(members) {
				after = members[at]
			}
			if s.Before(i) != before || s.After(i) != after {
				t.Fatalf("neighbours of %d in %v: got %d and %d", i, members, s.Before(i), s.After(i))
			}
		}
	})
}
