package history

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/compiler/ir"
)

const bucketModule = `module "m" ranks=1
weight @"w": bf16[8] = tensor("w" [8])

graph forward(%1 x: f32[T, 8]) buckets decode(1, 1, 1), decode(8, 8, 8), prefill(4096, 8, 8) {
  %4: f32[T, 8] = norm.rms[3](%1, weight %5 @"w") {eps: 1e-05} "m.glm:2:1" "layers.3" 3
  %7: f32[T, 8] = act.silu[6](%4) "m.glm:3:1" "layers.3" 3
  return %7
}
`

// TestVariants: the graphs of an entry for some step sizes come from the one that was copied for them.
func TestVariants(t *testing.T) {
	m, err := ir.Parse(bucketModule)
	if err != nil {
		t.Fatal(err)
	}
	r := New()
	r.Observe("", m)
	decode, prefill := m.Graphs[0], m.Graphs[0].Clone()
	decode.Buckets, prefill.Buckets = decode.Buckets[:2], prefill.Buckets[2:]
	m.Graphs = []*ir.Graph{decode, prefill}
	r.Observe("bucket_graphs", m)
	prefill.Nodes, prefill.Outputs = prefill.Nodes[:1], prefill.Nodes[0].Out
	r.Observe("other", m)

	var got []string
	h := r.History()
	for _, s := range h.Steps {
		for _, g := range s.Graphs {
			line := fmt.Sprintf("%s %v: %s from %d, %d operators", s.Pass, s.Changed, g.Variant, g.Before, g.Operators)
			for _, c := range g.Parts[0].Changes {
				line += fmt.Sprintf(", %s %s", c.Kind, h.Nodes[c.Before].Op)
			}
			got = append(got, line)
		}
	}
	want := []string{
		" false:  from -1, 2 operators",
		"bucket_graphs true: decode 1..8 from 0, 2 operators",
		"bucket_graphs true: prefill 4096 from 0, 2 operators",
		"other true: decode 1..8 from 0, 2 operators",
		"other true: prefill 4096 from 1, 1 operators, kept norm.rms, removed act.silu",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

const streamModule = `module "m" ranks=1

graph forward(%1 x: f32[T, 8]) {
  %3: f32[T, 8] = act.silu[2](%1) "m.glm:2:1-2:9" "layers.3" 3
  %5: f32[T, 8] = act.silu[4](%1) stream 1 "m.glm:3:1" "layers.3" 3
  %7: f32[T, 8] = add[6](%3, %5) waits [4] "m.glm:4:1" "layers.3" 3
  return %7
}
`

// TestStreams: operators say where they run and what they wait for.
func TestStreams(t *testing.T) {
	m, err := ir.Parse(streamModule)
	if err != nil {
		t.Fatal(err)
	}
	r := New()
	r.Observe("", m)
	h := r.History()
	var got []string
	for i := range h.Nodes {
		got = append(got, h.Nodes[i].String())
	}
	want := []string{
		"%3: f32[T, 8] = act.silu(x)  m.glm:2:1",
		"%5: f32[T, 8] = act.silu(x) stream 1  m.glm:3:1",
		"%7: f32[T, 8] = add(%3, %5) waits for %5  m.glm:4:1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if h.Nodes[0].End != "2:9" {
		t.Errorf("the end of the first is %q", h.Nodes[0].End)
	}
}
