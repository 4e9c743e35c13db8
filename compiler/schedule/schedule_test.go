package schedule_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/schedule"
)

// drawGraph makes a graph of independent nodes with random streams and waits.
func drawGraph(t *rapid.T) *ir.Graph {
	g := ir.NewGraph("forward")
	x := g.Input("x", ir.TensorType(1, ir.Symbolic(ir.T)))
	streams := rapid.IntRange(1, 4).Draw(t, "streams")
	for range rapid.IntRange(1, 10).Draw(t, "nodes") {
		n, err := g.NewNode("act.silu", []*ir.Value{x}, nil, ir.Origin{Layer: -1})
		if err != nil {
			t.Fatal(err)
		}
		n.Stream = rapid.IntRange(0, streams-1).Draw(t, "stream")
		taken := map[int]bool{n.Stream: true}
		for i := len(g.Nodes) - 1; i >= 0; i-- {
			if w := g.Nodes[i]; !taken[w.Stream] && rapid.Bool().Draw(t, "waits") {
				taken[w.Stream] = true
				n.Waits = append(n.Waits, w)
			}
		}
		g.Nodes = append(g.Nodes, n)
	}
	return g
}

// reaches is the order by its definition: a comes before b where a path of steps on one stream and of waits leads
// from a to b.
func reaches(g *ir.Graph) [][]bool {
	n := len(g.Nodes)
	out := make([][]bool, n)
	for a := range out {
		out[a] = make([]bool, n)
		for b := a + 1; b < n; b++ {
			for m := a; m < b; m++ {
				direct := g.Nodes[m].Stream == g.Nodes[b].Stream
				for _, w := range g.Nodes[b].Waits {
					direct = direct || w == g.Nodes[m]
				}
				if direct && (m == a || out[a][m]) {
					out[a][b] = true
				}
			}
		}
	}
	return out
}

func TestOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := drawGraph(t)
		o, want := schedule.NewOrder(g), reaches(g)
		for a := range g.Nodes {
			until := a
			for b := range g.Nodes {
				if got := o.Before(a, b); got != want[a][b] {
					t.Fatalf("%d before %d: %v\n%s", a, b, got, g)
				}
				if b > a && !want[a][b] {
					until = b
				}
			}
			if got := o.Until(a); got != until {
				t.Fatalf("until %d of %d: want %d\n%s", got, a, until, g)
			}
		}
	})
}

// timed is a graph with a load for each node, by its number.
func timed(t *testing.T, text string, loads map[int]schedule.Load) *schedule.Timeline {
	t.Helper()
	m, err := ir.Parse("module \"m\" ranks=1\n" + text)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Verify(); err != nil {
		t.Fatal(err)
	}
	return schedule.Predict(m.Graphs[0], 0.5, func(n *ir.Node) schedule.Load { return loads[n.ID] })
}

const forked = `
graph forward(%1 x: f32[T]) {
  %2: f32[T] = act.silu[10](%1) "" "" -1
  %3: f32[T] = act.silu[11](%2) stream 1 waits [10] "" "" -1
  %4: f32[T] = act.silu[12](%2) "" "" -1
  %5: f32[T] = add[13](%3, %4) waits [11] "" "" -1
  return %5
}
`

type times struct{ Start, End float64 }

func spans(l *schedule.Timeline) []times {
	var out []times
	for _, s := range l.Spans {
		out = append(out, times{s.Start, s.End})
	}
	return out
}

func TestPredict(t *testing.T) {
	for _, c := range []struct {
		name  string
		loads map[int]schedule.Load
		want  []times
		busy  []float64
	}{
		// An event takes half a second: node 11 ends at 4.5, and the join at 6.
		{"beside one another", map[int]schedule.Load{10: {Seconds: 1}, 11: {Seconds: 3}, 12: {Seconds: 2}, 13: {Seconds: 1}},
			[]times{{0, 1}, {1, 4.5}, {1, 3}, {4.5, 6}}, []float64{4.5, 3.5}},
		// Both want all of the memory: for 4 seconds each gets half of it.
		{"sharing the memory", map[int]schedule.Load{11: {Seconds: 3, Memory: 3}, 12: {Seconds: 2, Memory: 2}, 13: {}},
			[]times{{0, 0}, {0, 5.5}, {0, 4}, {5.5, 6}}, []float64{4.5, 5.5}},
		// Half of the memory and half of the arithmetic go together.
		{"without contention", map[int]schedule.Load{11: {Seconds: 2, Memory: 1, Compute: 1}, 12: {Seconds: 2, Memory: 1, Compute: 1}, 13: {}},
			[]times{{0, 0}, {0, 2.5}, {0, 2}, {2.5, 3}}, []float64{2.5, 2.5}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := timed(t, forked, c.loads)
			near := cmpopts.EquateApprox(0, 1e-9)
			if diff := cmp.Diff(c.want, spans(l), near); diff != "" {
				t.Errorf("spans (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.busy, l.Busy, near); diff != "" {
				t.Errorf("busy (-want +got):\n%s", diff)
			}
			if last := c.want[len(c.want)-1].End; l.End != last || l.Streams != 2 {
				t.Errorf("%d streams end at %g, want 2 that end at %g", l.Streams, l.End, last)
			}
		})
	}
}

// TestStepEndsWithAllStreams: a transfer that nobody waits for still belongs to the step.
func TestStepEndsWithAllStreams(t *testing.T) {
	l := timed(t, `
graph forward(%1 x: f32[T]) {
  %2: f32[T] = act.silu[10](%1) "" "" -1
  %3: f32[T] = act.silu[11](%2) stream 2 waits [10] "" "" -1
  %4: f32[T] = act.silu[12](%2) "" "" -1
  return %4
}
`, map[int]schedule.Load{10: {Seconds: 1}, 11: {Seconds: 4}, 12: {Seconds: 1}})
	if l.End != 5.5 {
		t.Errorf("the step ends at %g, want 5.5, when the transfer does", l.End)
	}
}

// TestPredictKeepsTheOrder: nodes start when the order lets them, run as long as alone or longer, and on one
// stream the step takes the sum.
func TestPredictKeepsTheOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := drawGraph(t)
		loads := map[*ir.Node]schedule.Load{}
		sum, longest := 0.0, 0.0
		for _, n := range g.Nodes {
			l := schedule.Load{Seconds: rapid.SampledFrom([]float64{0, 1, 2, 3}).Draw(t, "seconds")}
			l.Memory = l.Seconds * rapid.Float64Range(0, 1).Draw(t, "memory")
			l.Compute = l.Seconds * rapid.Float64Range(0, 1).Draw(t, "compute")
			loads[n] = l
			sum, longest = sum+l.Seconds, max(longest, l.Seconds)
		}
		l := schedule.Predict(g, 0, func(n *ir.Node) schedule.Load { return loads[n] })
		const tolerance = 1e-9
		for a, before := range reaches(g) {
			if s := l.Spans[a]; s.End-s.Start < loads[s.Node].Seconds-tolerance {
				t.Fatalf("node %d runs from %g to %g, alone %g", a, s.Start, s.End, loads[s.Node].Seconds)
			}
			for b := range g.Nodes {
				if before[b] && l.Spans[b].Start < l.Spans[a].End-tolerance {
					t.Fatalf("node %d starts at %g, before node %d ends at %g\n%s", b, l.Spans[b].Start, a, l.Spans[a].End, g)
				}
			}
		}
		if l.End < longest-tolerance || l.End > sum+tolerance && g.Streams() == 1 || g.Streams() == 1 && math.Abs(l.End-sum) > tolerance {
			t.Fatalf("the step ends at %g: its nodes take %g, the longest %g", l.End, sum, longest)
		}
	})
}
