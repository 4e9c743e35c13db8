package diff

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/compiler/report"
)

// Memory is memory of one rank: all weights, the KV cache of a token, or the arena of one bucket of an entry.
type Memory struct {
	Name   string `json:"name"` // "weights", "kv_per_token" or "arena"
	Entry  string `json:"entry,omitempty"`
	Phase  string `json:"phase,omitempty"`  // of the bucket: "prefill" or "decode"
	Tokens int    `json:"tokens,omitempty"` // of the bucket
	Pair[Extent]
}

// Extent is a size; for an arena with what a step of the bucket may have, and where results lie.
type Extent struct {
	Bytes  int64  `json:"bytes"`
	Seqs   int    `json:"seqs,omitempty"`
	Rows   int    `json:"rows,omitempty"`
	Pages  int    `json:"pages,omitempty"`
	Layout string `json:"layout,omitempty"` // a hash of all offsets
}

func (c *comparison) memory() []Memory {
	out := []Memory{}
	a, b := report.MeasureMemory(c.a), report.MeasureMemory(c.b)
	for _, x := range []struct {
		name string
		a, b int64
	}{{"weights", a.Weights, b.Weights}, {"kv_per_token", a.CachePerToken, b.CachePerToken}} {
		if x.a != x.b {
			out = append(out, Memory{Name: x.name, Pair: Pair[Extent]{&Extent{Bytes: x.a}, &Extent{Bytes: x.b}}})
		}
	}
	for _, e := range c.entries {
		if c.byName[e.name] != e {
			continue // the first program of the entry has those of all
		}
		namesA, arenasA := arenas(c.a.Variants(e.name))
		namesB, arenasB := arenas(c.b.Variants(e.name))
		for _, name := range mergeBuckets(namesA, namesB) {
			if p, differs := pairOf(arenasA[name], arenasB[name]); differs {
				out = append(out, Memory{"arena", e.name, name.phase, name.tokens, p})
			}
		}
	}
	return out
}

// bucket names a layout. Nth tells layouts of one phase and size apart, which a compiled plan does not have.
type bucket struct {
	phase       string
	tokens, nth int
}

// arenas lists the layouts of the programs of an entry.
func arenas(programs []*plan.Program) ([]bucket, map[bucket]*Extent) {
	var names []bucket
	var layouts []plan.Layout
	out, seen := map[bucket]*Extent{}, map[bucket]int{}
	for _, p := range programs {
		layouts = append(layouts, p.Layouts...)
	}
	for _, l := range layouts {
		name := bucket{phase: l.Phase, tokens: l.Max.Tokens}
		seen[name]++
		name.nth = seen[name]
		h := fnv.New64a()
		for _, o := range l.Offsets {
			fmt.Fprintf(h, "%d,", o)
		}
		names = append(names, name)
		out[name] = &Extent{l.Arena, l.Max.Seqs, l.Max.Rows, l.Max.Pages, fmt.Sprintf("%016x", h.Sum64())}
	}
	return names, out
}

// mergeBuckets lists the buckets of both sides, the smallest first.
func mergeBuckets(a, b []bucket) []bucket {
	all := slices.Concat(a, b)
	slices.SortFunc(all, func(x, y bucket) int {
		return cmp.Or(cmp.Compare(x.tokens, y.tokens), strings.Compare(x.phase, y.phase), cmp.Compare(x.nth, y.nth))
	})
	return slices.Compact(all)
}
