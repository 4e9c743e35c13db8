package passes

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/compiler/ir"
)

// bucketed is a pass that doubles x in steps of up to that many tokens, and says so at each of its graphs.
func bucketed(name string, tokens int, seen *[]string) *Pass {
	decide := func(_ *Context, _ *ir.Graph, b ir.Bucket) string {
		if b.Max.Tokens > tokens {
			return ""
		}
		return name
	}
	return &Pass{Name: name, Numeric: Exact, PerBucket: decide, Run: func(c *Context) error {
		for _, g := range c.Module.Graphs {
			decided := decide(c, g, g.Buckets[0])
			for _, b := range g.Buckets {
				if d := decide(c, g, b); d != decided {
					return fmt.Errorf("%s is decided as %q, %s as %q", g.Buckets[0], decided, b, d)
				}
			}
			*seen = append(*seen, fmt.Sprintf("%s %s: %q", name, ir.BucketNames(g.Buckets), decided))
			c.applied(g, ir.Origin{Layer: -1}, "seen", Saves{}, "")
		}
		return nil
	}}
}

const bucketModule = `module "m" ranks=1
weight @"w": bf16[8] = tensor("w" [8])

graph forward(%1 x: f32[T, 8]) buckets decode(1, 1, 1), decode(8, 8, 8), decode(64, 64, 64), prefill(4096, 64, 64) {
  %4: f32[T, 8] = norm.rms[3](%1, weight %5 @"w") {eps: 1e-05} "m.glm:2:1" "layers.3" 3
  return %4
}
`

// TestBucketGraphs: buckets that all later passes decide alike for stay together, each is in one graph, and
// remarks name the buckets where there are several graphs.
func TestBucketGraphs(t *testing.T) {
	m, err := ir.Parse(bucketModule)
	if err != nil {
		t.Fatal(err)
	}
	var seen []string
	results, err := runAll([]*Pass{bucketGraphs, bucketed("small", 8, &seen), bucketed("middle", 64, &seen)}, m, &Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		`small decode 1..8: "small"`, `small decode 64: ""`, `small prefill 4096: ""`,
		`middle decode 1..8: "middle"`, `middle decode 64: "middle"`, `middle prefill 4096: ""`,
	}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("the graphs that later passes saw (-want +got):\n%s", diff)
	}
	var said []string
	for _, r := range slices.Concat(results[0].Remarks, results[1].Remarks) {
		said = append(said, r.ID+" "+r.Buckets+" "+r.Reason)
	}
	want = []string{
		"bucket_graphs.split decode 1..8 a graph of its own for: small; middle",
		"bucket_graphs.split decode 64 a graph of its own for: middle",
		"bucket_graphs.split prefill 4096 a graph of its own, in which no later pass does what depends on the size of a step",
		"small.seen decode 1..8 ", "small.seen decode 64 ", "small.seen prefill 4096 ",
	}
	if diff := cmp.Diff(want, said); diff != "" {
		t.Errorf("remarks (-want +got):\n%s", diff)
	}
	if err := m.Verify(); err != nil {
		t.Error(err)
	}
}

// TestBucketGraphsAsksWhoRuns: a pass that is disabled, or behind the last one, decides nothing.
func TestBucketGraphsAsksWhoRuns(t *testing.T) {
	for _, o := range []*Options{{Disabled: []string{"small"}}, {StopAfter: "bucket_graphs"}} {
		m, err := ir.Parse(bucketModule)
		if err != nil {
			t.Fatal(err)
		}
		var seen []string
		if _, err := runAll([]*Pass{bucketGraphs, bucketed("small", 8, &seen)}, m, o); err != nil {
			t.Fatal(err)
		}
		if len(m.Graphs) != 1 {
			t.Errorf("%+v: %d graphs, want one", o, len(m.Graphs))
		}
	}
}
