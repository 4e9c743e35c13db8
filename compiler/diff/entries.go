package diff

import (
	"slices"
	"strings"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
)

// entry is one entry of either plan or of both. An entry that has several programs, for different sizes of steps, is
// compared for each set of sizes that one program of either plan has.
type entry struct {
	name    string
	buckets string        // the sizes, where a plan has several programs of that name
	a, b    *plan.Program // nil where a plan lacks the entry, or has no such sizes
	layers  layerPairs
	matches []match
	partner map[*ir.Node]*ir.Node // from A to B
}

// label is how an entry is called in texts.
func (e *entry) label() string { return entryLabel(e.name, e.buckets) }

func entryLabel(name, buckets string) string {
	if buckets == "" {
		return name
	}
	return name + " (" + buckets + ")"
}

// size is how many operators the larger side has.
func (e *entry) size() int { return max(len(nodes(e.a)), len(nodes(e.b))) }

// pairEntries pairs the programs of two plans.
func pairEntries(a, b *plan.Plan) []*entry {
	var names []string
	for _, p := range slices.Concat(a.Programs, b.Programs) {
		if !slices.Contains(names, p.Graph.Name) {
			names = append(names, p.Graph.Name)
		}
	}
	var out []*entry
	for _, name := range names {
		out = append(out, pairVariants(name, a.Variants(name), b.Variants(name))...)
	}
	for _, e := range out {
		e.partner = map[*ir.Node]*ir.Node{}
	}
	// The largest entry is the one that matters most; the order must not depend on which side is A.
	slices.SortStableFunc(out, func(x, y *entry) int {
		if n := y.size() - x.size(); n != 0 {
			return n
		}
		return strings.Compare(x.label(), y.label())
	})
	return out
}

// pairVariants pairs the programs of one entry: those that have buckets in common, and of those that are left, which
// have none, the first with the first.
func pairVariants(name string, a, b []*plan.Program) []*entry {
	if len(a) < 2 && len(b) < 2 {
		e := &entry{name: name}
		if len(a) > 0 {
			e.a = a[0]
		}
		if len(b) > 0 {
			e.b = b[0]
		}
		return []*entry{e}
	}
	var out []*entry
	pairedA, pairedB := map[*plan.Program]bool{}, map[*plan.Program]bool{}
	for _, x := range a {
		for _, y := range b {
			if common := commonBuckets(x, y); len(common) > 0 {
				pairedA[x], pairedB[y] = true, true
				out = append(out, &entry{name: name, buckets: ir.BucketNames(common), a: x, b: y})
			}
		}
	}
	left := func(list []*plan.Program, paired map[*plan.Program]bool) []*plan.Program {
		return slices.DeleteFunc(slices.Clone(list), func(p *plan.Program) bool { return paired[p] })
	}
	leftA, leftB := left(a, pairedA), left(b, pairedB)
	for i := range max(len(leftA), len(leftB)) {
		e := &entry{name: name}
		var sizes []string
		if i < len(leftA) {
			e.a = leftA[i]
			sizes = append(sizes, ir.BucketNames(e.a.Graph.Buckets))
		}
		if i < len(leftB) {
			e.b = leftB[i]
			sizes = append(sizes, ir.BucketNames(e.b.Graph.Buckets))
		}
		slices.Sort(sizes)
		e.buckets = strings.Join(slices.Compact(sizes), " | ")
		out = append(out, e)
	}
	return out
}

func commonBuckets(a, b *plan.Program) []ir.Bucket {
	return slices.DeleteFunc(slices.Clone(a.Graph.Buckets), func(x ir.Bucket) bool {
		return !slices.ContainsFunc(b.Graph.Buckets, func(y ir.Bucket) bool { return x.Phase == y.Phase && x.Max.Tokens == y.Max.Tokens })
	})
}
