package importer

import (
	"slices"
	"strings"

	"github.com/glmc/glmc/dsl/config"
)

// Candidate is a family beside a config.json that it was not made for.
type Candidate struct {
	Family Family
	config.Difference
}

// Nearest ranks families by how many of its keys a configuration shares with them, the nearest first. Of equally
// near ones the one with fewer objections comes first.
func Nearest(doc *config.Document, families []Family) []Candidate {
	var list []Candidate
	for _, f := range families {
		list = append(list, Candidate{f, config.Compare(f.Model, doc)})
	}
	slices.SortStableFunc(list, func(a, b Candidate) int {
		switch x, y := a.Likeness(), b.Likeness(); {
		case x > y:
			return -1
		case x < y:
			return 1
		case len(a.Refused) != len(b.Refused):
			return len(a.Refused) - len(b.Refused)
		}
		return strings.Compare(a.Family.Path, b.Family.Path)
	})
	return list
}
