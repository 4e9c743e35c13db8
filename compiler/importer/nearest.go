package importer

import (
	"slices"
	"strings"

	"github.com/glmc/glmc/compiler/lower"
	"github.com/glmc/glmc/dsl/config"
	"github.com/glmc/glmc/kernels/dtype"
)

// Candidate is a family beside a config.json that it was not made for.
type Candidate struct {
	Family Family
	config.Difference
}

// Near is the likeness from which on it helps to begin with a family. GPT-2 has less than 0.1 to any, Qwen2 0.87 to Qwen3.
const Near = 0.5

// Lower works out which weights the family would ask for at a configuration. It is false where the family cannot be
// compiled for it: keys are missing, or it refuses values.
func (c Candidate) Lower(doc *config.Document) (*lower.Result, bool) {
	values, list := config.Bind(c.Family.Model, doc, nil)
	if list.HasErrors() {
		return nil, false
	}
	r, list := lower.Model(lower.Input{Model: c.Family.Model, Values: values, Stored: dtype.BF16, Activation: dtype.F32})
	return r, !list.HasErrors()
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
