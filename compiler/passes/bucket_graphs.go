package passes

import (
	"strings"

	"github.com/glmc/glmc/compiler/ir"
)

// bucketGraphs gives buckets a graph of their own where a later pass decides differently for them: a fused
// all-reduce that pays for a few tokens and loses for thousands, transfers that only prefill has.
//
// A graph holds for steps of every size, and buckets differ in memory layout alone, until a pass asks what a
// rewrite saves. Such a pass names its decision for a bucket (Pass.PerBucket). Buckets for which all of them
// decide alike stay together in one graph; for each other set of decisions the graph is copied. Weights and
// caches are not: they are there once whatever the size of the step, so a pass that changes weights cannot
// decide by bucket, and stands before this one.
//
// Why it is right: a copy computes what the original does, and every bucket is in exactly one of them. A step
// runs in the smallest bucket that holds it, so the copies never run on sizes that nobody decided for.
//
// A captured graph is replayed with rows of padding up to its bucket. They carry slot -1: nothing is written
// to a KV page for them, and no row of theirs is among the wanted ones.
var bucketGraphs = &Pass{
	Name:    "bucket_graphs",
	Doc:     "graphs of their own for step sizes at which later passes decide differently",
	Numeric: Exact,
	After: []Order{
		{"quantise", "weights are there once for all step sizes"},
		{"shard_tensor_parallel", "weights are there once for all step sizes, and collectives are what prices differ in"},
	},
	Remarks: []RemarkKind{
		{"split", true, "step sizes for which later passes decide alike have a graph of their own"},
	},
	Run: func(c *Context) error {
		var out []*ir.Graph
		for _, g := range c.Module.Graphs {
			out = append(out, c.split(g)...)
		}
		c.Module.Graphs = out
		for _, g := range out {
			if len(c.Module.Variants(g.Name)) > 1 {
				reason := "a graph of its own, in which no later pass does what depends on the size of a step"
				if d := c.decisions(g, g.Buckets[0], "; "); d != "" {
					reason = "a graph of its own for: " + d
				}
				c.applied(g, ir.Origin{Layer: -1}, "split", Saves{}, "%s", reason)
			}
		}
		return nil
	},
}

// split returns the graph, or its copies for the sets of buckets that passes decide alike for.
func (c *Context) split(g *ir.Graph) []*ir.Graph {
	var order []string
	buckets := map[string][]ir.Bucket{}
	for _, b := range g.Buckets {
		key := c.decisions(g, b, "\x00")
		if buckets[key] == nil {
			order = append(order, key)
		}
		buckets[key] = append(buckets[key], b)
	}
	if len(order) < 2 || !c.may(g, ir.Origin{Layer: -1}) {
		return []*ir.Graph{g}
	}
	var out []*ir.Graph
	for _, key := range order {
		v := g.Clone()
		v.Buckets = buckets[key]
		out = append(out, v)
	}
	return out
}

// decisions joins what the passes that are going to run decide for a bucket.
func (c *Context) decisions(g *ir.Graph, b ir.Bucket, separator string) string {
	var all []string
	for _, p := range c.later {
		if p.PerBucket == nil {
			continue
		}
		if d := p.PerBucket(c, g, b); d != "" {
			all = append(all, d)
		}
	}
	return strings.Join(all, separator)
}
