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

// pairVariants pairs the programs of one entry: those that have buckets in common, and each that has none with the
// program that runs steps of its sizes in the other plan.
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
	// The others have sizes that no program of the other plan has: it runs such steps in another bucket.
	for _, x := range a {
		if !pairedA[x] {
			y := running(b, x)
			pairedB[y] = true
			out = append(out, &entry{name: name, buckets: ir.BucketNames(x.Graph.Buckets), a: x, b: y})
		}
	}
	for _, y := range b {
		if !pairedB[y] {
			out = append(out, &entry{name: name, buckets: ir.BucketNames(y.Graph.Buckets), a: running(a, y), b: y})
		}
	}
	return out
}

// running is the program that runs the largest steps of another plan's program: in a bucket of their phase where it
// has one, the smallest that holds them or the largest. Nil where there are no programs.
func running(variants []*plan.Program, of *plan.Program) *plan.Program {
	var wanted ir.Bucket
	for _, b := range of.Graph.Buckets {
		if b.Max.Tokens >= wanted.Max.Tokens {
			wanted = b
		}
	}
	var best *plan.Program
	var bucket ir.Bucket
	for _, p := range variants {
		for _, b := range p.Graph.Buckets {
			if best == nil || nearer(b, bucket, wanted) {
				best, bucket = p, b
			}
		}
	}
	return best
}

// nearer reports whether a bucket is a better one for steps of some size than another.
func nearer(b, than, wanted ir.Bucket) bool {
	if same := b.Phase == wanted.Phase; same != (than.Phase == wanted.Phase) {
		return same
	}
	holds := b.Max.Tokens >= wanted.Max.Tokens
	if holds != (than.Max.Tokens >= wanted.Max.Tokens) {
		return holds
	}
	return holds == (b.Max.Tokens < than.Max.Tokens)
}

func commonBuckets(a, b *plan.Program) []ir.Bucket {
	return slices.DeleteFunc(slices.Clone(a.Graph.Buckets), func(x ir.Bucket) bool {
		return !slices.ContainsFunc(b.Graph.Buckets, func(y ir.Bucket) bool { return x.Phase == y.Phase && x.Max.Tokens == y.Max.Tokens })
	})
}
