// Package diff says in what two plans differ, from the header down to the single operator with its origin.
//
// Operators are matched by entry, layer, operator, path and place in the source, in their order (match.go). What
// does not change what a plan computes, or how a reader sees it, is not compared: the numbers of nodes and values,
// and the order in which weights and caches are listed.
//
// Everything that differs is a pair of two sides, A and B; a side that is nil lacks the thing. Plans(a, b) and
// Plans(b, a) differ in nothing but which side is which.
package diff

import (
	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/compiler/report"
)

// Pair is one thing on both sides; nil where a side lacks it.
type Pair[T any] struct {
	A *T `json:"a"`
	B *T `json:"b"`
}

// Diff is what `glmc diff --json` prints: all that differs. Its form is part of the command-line contract; fields
// may be added. Lists are never null.
type Diff struct {
	Equal     bool       `json:"equal"`
	A         Side       `json:"a"`
	B         Side       `json:"b"`
	Facts     []Fact     `json:"facts"`
	Launches  []Launches `json:"launches"`
	Memory    []Memory   `json:"memory"`
	Passes    []Pass     `json:"passes"`
	Remarks   []Remark   `json:"remarks"`
	Operators []Operator `json:"operators"`
	Weights   []Weight   `json:"weights"`
	Caches    []Cache    `json:"caches"`

	sources sources // for Text
}

// Side says which plan a side is.
type Side struct {
	File   string `json:"file"` // as the caller names it; "" from Plans
	Model  string `json:"model"`
	Target string `json:"target"`
	Ranks  int    `json:"ranks"`
}

// Fact is a setting of the whole plan or of an entry, as text.
type Fact struct {
	Name string `json:"name"`
	Pair[string]
}

// Launches is how many kernels one execution of an entry launches.
type Launches struct {
	Entry   string `json:"entry"`
	Buckets string `json:"buckets"` // sizes of steps, where an entry has several programs; else ""
	Pair[int]
}

// Plans compares two plans.
func Plans(a, b *plan.Plan) *Diff {
	c := newComparison(a, b)
	d := &Diff{
		A: side(a), B: side(b), sources: c.sources,
		Facts:     append(planFacts(a, b), c.entryFacts()...),
		Launches:  c.launches(),
		Memory:    c.memory(),
		Passes:    passes(a, b),
		Remarks:   c.remarks(),
		Operators: c.operators(),
		Weights:   c.weights(),
		Caches:    c.caches(),
	}
	d.Equal = len(d.Facts)+len(d.Launches)+len(d.Memory)+len(d.Passes)+len(d.Remarks)+len(d.Operators)+len(d.Weights)+len(d.Caches) == 0
	return d
}

func side(p *plan.Plan) Side {
	return Side{Model: p.Model, Target: p.Target, Ranks: p.Module.Ranks}
}

// comparison is two plans with what belongs together in them.
type comparison struct {
	a, b    *plan.Plan
	sources sources
	entries []*entry
	byName  map[string]*entry // the first of each name
	stored  *storedNames
}

func newComparison(a, b *plan.Plan) *comparison {
	c := &comparison{a: a, b: b, sources: newSources(a, b), byName: map[string]*entry{}, stored: newStoredNames(), entries: pairEntries(a, b)}
	for _, e := range c.entries {
		if c.byName[e.name] == nil {
			c.byName[e.name] = e
		}
		e.layers = pairLayers(layersOf(e.a), layersOf(e.b))
		e.matches = c.matchNodes(e)
		for _, m := range e.matches {
			if m.a != nil && m.b != nil {
				e.partner[m.a] = m.b
			}
		}
	}
	return c
}

// nodes are the operators of a program, which may be nil.
func nodes(p *plan.Program) []*ir.Node {
	if p == nil {
		return nil
	}
	return p.Graph.Nodes
}

func (c *comparison) launches() []Launches {
	out := []Launches{}
	for _, e := range c.entries {
		if p, differs := pairOf(launchesOf(e.a), launchesOf(e.b)); differs {
			out = append(out, Launches{e.name, e.buckets, p})
		}
	}
	return out
}

func launchesOf(p *plan.Program) *int {
	if p == nil {
		return nil
	}
	n := report.Launches(p.Graph)
	return &n
}

// pairOf makes a pair of two sides and says whether they differ.
func pairOf[T comparable](a, b *T) (Pair[T], bool) {
	differs := (a == nil) != (b == nil) || a != nil && *a != *b
	return Pair[T]{a, b}, differs
}
