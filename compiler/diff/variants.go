package diff

import (
	"slices"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
)

// pairEntries pairs the programs of two plans. An entry that has several, for steps of different sizes, is
// compared size by size: each program with those of the other plan that run steps of its sizes.
func pairEntries(a, b *plan.Plan) []*entry {
	var out []*entry
	seen := map[string]bool{}
	for _, p := range slices.Concat(a.Programs, b.Programs) {
		name := p.Graph.Name
		if seen[name] {
			continue
		}
		seen[name] = true
		pairs := pairVariants(a.Variants(name), b.Variants(name))
		for _, e := range pairs {
			e.graph, e.name = name, name
			if len(pairs) > 1 {
				e.name += " (" + ir.BucketNames(sharedBuckets(e)) + ")"
			}
			e.partner = map[*ir.Node]*ir.Node{}
		}
		out = append(out, pairs...)
	}
	return out
}

// pairVariants pairs the programs of one entry.
func pairVariants(a, b []*plan.Program) []*entry {
	var out []*entry
	add := func(x, y *plan.Program) {
		if !slices.ContainsFunc(out, func(e *entry) bool { return e.a == x && e.b == y }) {
			out = append(out, &entry{a: x, b: y})
		}
	}
	for _, p := range a {
		for _, bucket := range p.Graph.Buckets {
			add(p, running(b, bucket))
		}
	}
	for _, p := range b {
		for _, bucket := range p.Graph.Buckets {
			add(running(a, bucket), p)
		}
	}
	return out
}

// running is the program that runs steps of a bucket: of the phase's buckets the smallest that holds it, or the
// largest; of another phase where the plan has none of this; nil where it has no program.
func running(variants []*plan.Program, bucket ir.Bucket) *plan.Program {
	var best *plan.Program
	var of ir.Bucket
	for _, p := range variants {
		for _, x := range p.Graph.Buckets {
			if best == nil || nearer(x, of, bucket) {
				best, of = p, x
			}
		}
	}
	return best
}

func nearer(x, than, bucket ir.Bucket) bool {
	if same := x.Phase == bucket.Phase; same != (than.Phase == bucket.Phase) {
		return same
	}
	if holds := x.Max.Tokens >= bucket.Max.Tokens; holds != (than.Max.Tokens >= bucket.Max.Tokens) {
		return holds
	} else if holds {
		return x.Max.Tokens < than.Max.Tokens
	}
	return x.Max.Tokens > than.Max.Tokens
}

// sharedBuckets are the sizes that a pair of programs is compared for: those of the program that is for fewer.
func sharedBuckets(e *entry) []ir.Bucket {
	switch {
	case e.a == nil:
		return e.b.Graph.Buckets
	case e.b == nil || len(e.a.Graph.Buckets) < len(e.b.Graph.Buckets):
		return e.a.Graph.Buckets
	}
	return e.b.Graph.Buckets
}
