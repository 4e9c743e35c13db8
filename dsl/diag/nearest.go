package diag

import (
	"strings"
	"unicode/utf8"
)

// Bounds of what Nearest compares: the edit distance takes the product of the lengths.
const (
	maxNameLength = 64
	maxCandidates = 1000
)

// Nearest returns the candidate that name is most likely a misspelling of, or "" if none is close. A
// candidate is close if a third of the letters of the longer name, rounded, or fewer have to be inserted,
// removed, replaced or swapped with a neighbour. Of equally close ones the first in the list is taken. Where none is
// close, the shortest that begins or ends with the name is: something was left out. Very long names, and candidates
// behind the first thousand, are not looked at.
func Nearest(name string, candidates []string) string {
	if len(name) > maxNameLength || name == "" {
		return ""
	}
	best, bestDistance := "", maxNameLength
	for _, c := range candidates[:min(len(candidates), maxCandidates)] {
		limit := min((max(len(name), len(c))+1)/3, len(c)-1, bestDistance-1)
		if c == name || len(c) > maxNameLength || len(c)-len(name) > limit || len(name)-len(c) > limit {
			continue
		}
		d := distance(strings.ToLower(name), strings.ToLower(c))
		if d <= limit {
			best, bestDistance = c, d
		}
	}
	if best == "" {
		return longer(name, candidates)
	}
	return best
}

// minPart is the number of letters that make a name worth looking for in longer ones.
const minPart = 4

// longer returns the shortest candidate that begins or ends with name.
func longer(name string, candidates []string) string {
	best := ""
	for _, c := range candidates[:min(len(candidates), maxCandidates)] {
		part := strings.HasPrefix(c, name) || strings.HasSuffix(c, name)
		if utf8.RuneCountInString(name) >= minPart && part && c != name && (best == "" || len(c) < len(best)) {
			best = c
		}
	}
	return best
}

// distance is the number of insertions, removals, replacements and swaps of neighbours that turn a into b
// (the optimal string alignment distance).
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
