package ir

import (
	"testing"

	"pgregory.net/rapid"
)

// TestCloneKeepsTheSchedule: a copy prints as the original does, and waits for its own nodes only, which the
// verifier would say otherwise.
func TestCloneKeepsTheSchedule(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawModule(t)
		clone := &Module{Name: m.Name, Ranks: m.Ranks, Weights: m.Weights, Caches: m.Caches}
		for _, g := range m.Graphs {
			c := g.Clone()
			if c.String() != g.String() || c.Streams() != g.Streams() {
				t.Fatalf("the copy is\n%s\nof\n%s", c, g)
			}
			clone.Graphs = append(clone.Graphs, c)
		}
		if err := clone.Verify(); err != nil {
			t.Fatal(err)
		}
	})
}
