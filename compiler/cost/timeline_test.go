package cost_test

import (
	"math"
	"testing"

	"github.com/glmc/glmc/compiler/cost"
	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/lower/lowertest"
	"github.com/glmc/glmc/compiler/passes"
	"github.com/glmc/glmc/kernels/dtype"
)

// forPrefill is GLM-4.7 for eight ranks and a step of prefill.
func forPrefill(t *testing.T, o *passes.Options) *ir.Graph {
	t.Helper()
	m := lowertest.Lower(t, lowertest.Setup{Set: lowertest.GLM47}).Module
	for _, g := range m.Graphs {
		g.Buckets = []ir.Bucket{{Phase: ir.Prefill, Max: ir.Sizes{Tokens: 16384, Seqs: 256, Rows: 256}}}
	}
	o.TensorParallel, o.Weights, o.Activations = 8, dtype.F8E4M3, dtype.F8E4M3
	if _, err := passes.Run(m, o); err != nil {
		t.Fatal(err)
	}
	return m.Graph("forward")
}

// TestTransfersBesideTheStep: GLM-4.7's chunk of 16384 tokens leaves 16384 x 92 x 256 bytes of fp8 on each of eight
// ranks, which take 7.7 ms of a network card of 50 GB/s. Beside the computation hardly anything is left of them,
// in the main stream all of it is.
func TestTransfersBesideTheStep(t *testing.T) {
	s := ir.Sizes{Tokens: 16384, Seqs: 256, Rows: 256}
	h200 := on("h200", 8)
	seconds := func(o passes.Transfer) float64 {
		return cost.Program(forPrefill(t, &passes.Options{Transfer: o}), s, h200).Seconds
	}
	none := seconds(passes.Transfer{})
	beside := seconds(passes.Transfer{Enabled: true, Async: true, Per: passes.PerLayer})
	within := seconds(passes.Transfer{Enabled: true, Per: passes.PerLayer})
	sent := 16384.0 * 92 * 256 / 50e9
	if more := within - none; math.Abs(more-sent) > 0.1*sent {
		t.Errorf("in the main stream, transfers take %.3g s, want about %.3g s", more, sent)
	}
	if more := beside - none; more < -1e-9 || more > 0.3*sent {
		t.Errorf("beside the computation, transfers make the step %.3g s longer, of %.3g s that they take", more, sent)
	}
}

// TestTimeline: the step ends when its last node does, a device with one stream runs one node behind the other,
// and shared experts beside the routed ones take less than behind them, and never less than by themselves.
func TestTimeline(t *testing.T) {
	g := forPrefill(t, &passes.Options{Disabled: []string{"fold_shared_expert"}})
	if g.Streams() != 2 {
		t.Fatalf("%d streams, want the shared experts on one of their own", g.Streams())
	}
	s := decode(8)
	for _, target := range []cost.Target{on("h200", 8), on("cpu", 8)} {
		l := cost.Timeline(g, s, target)
		serial := cost.Sum(g.Nodes, s, target).Seconds
		last := 0.0
		for _, span := range l.Spans {
			last = max(last, span.End)
		}
		if e := cost.Program(g, s, target); e.Seconds != l.End || last != l.End {
			t.Errorf("%s: the program takes %g s, its timeline %g s, its last node ends at %g s", target.Name, e.Seconds, l.End, last)
		}
		if target.Event == 0 {
			if math.Abs(l.End-serial) > 1e-9*serial {
				t.Errorf("%s has one stream: %g s, the nodes one by one %g s", target.Name, l.End, serial)
			}
		} else if l.End >= serial || l.End < serial/2 {
			t.Errorf("%s: two streams take %g s, one %g s", target.Name, l.End, serial)
		}
	}
}
