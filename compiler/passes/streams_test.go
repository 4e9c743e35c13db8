package passes

import (
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/lower/lowertest"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/compiler/race"
	"github.com/glmc/glmc/kernels/dtype"
)

// forPhases gives every graph a bucket of each phase.
func forPhases(m *ir.Module) {
	for _, g := range m.Graphs {
		g.Buckets = []ir.Bucket{
			{Phase: ir.Decode, Max: ir.Sizes{Tokens: 4, Seqs: 4, Rows: 4}},
			{Phase: ir.Prefill, Max: ir.Sizes{Tokens: 64, Seqs: 4, Rows: 4}},
		}
	}
}

// layOut plans every layout of a graph, which the checkers of memory and races then prove.
func layOut(g *ir.Graph) error {
	p := plan.NewProgram(g.Clone())
	for _, b := range g.Buckets {
		if err := p.LayOut(b); err != nil {
			return err
		}
	}
	return nil
}

// scheduled is the small model with all that has streams: shared experts that are not folded, and transfers.
func scheduled(t *testing.T, o *Options) *ir.Module {
	t.Helper()
	m := lowertest.Lower(t, lowertest.Setup{Set: lowertest.Small, Activation: dtype.F32}).Module
	forPhases(m)
	o.Disabled = append(o.Disabled, foldSharedExpert.Name)
	o.Transfer = Transfer{Enabled: true, Async: true, Per: PerLayer}
	if _, err := Run(m, o); err != nil {
		t.Fatal(err)
	}
	return m
}

// TestStreamsOfTheSmallModel: shared experts run beside the routed ones at every size, and pages leave in
// prefill alone.
func TestStreamsOfTheSmallModel(t *testing.T) {
	for _, tp := range []int{1, 2} {
		m := scheduled(t, &Options{TensorParallel: tp})
		for _, entry := range []string{"forward", "draft"} {
			variants := m.Variants(entry)
			if len(variants) != 2 {
				t.Fatalf("%s has %d variants, want one for each phase", entry, len(variants))
			}
			for _, g := range variants {
				sends, beside := 0, 0
				for _, n := range g.Nodes {
					switch n.Stream {
					case transferStream:
						sends++
					case besideStream:
						beside++
					}
				}
				if prefill := g.Buckets[0].Phase == ir.Prefill; (sends > 0) != prefill || beside == 0 {
					t.Errorf("%s for %s: %d transfers, %d operators beside the main stream", entry, ir.BucketNames(g.Buckets), sends, beside)
				}
			}
		}
	}
}

// TestEveryWaitIsNeeded: without any one of the events that the passes plan, the checker of races refuses the
// program, whatever the layout is. So none is missing and none is idle.
func TestEveryWaitIsNeeded(t *testing.T) {
	m := scheduled(t, &Options{TensorParallel: 2})
	waits := 0
	for _, g := range m.Graphs {
		if err := layOut(g); err != nil {
			t.Fatal(err)
		}
		for _, n := range g.Nodes {
			for _, w := range n.Waits {
				waits++
				n.Waits = slices.DeleteFunc(slices.Clone(n.Waits), func(u *ir.Node) bool { return u == w })
				err := layOut(g)
				n.Waits = append(n.Waits, w)
				if found := (*race.Error)(nil); !errors.As(err, &found) {
					t.Errorf("node %d (%s) without its wait for node %d (%s): %v", n.ID, n.Op.Name, w.ID, w.Op.Name, err)
				}
			}
		}
	}
	if waits < 12 {
		t.Errorf("only %d waits were tried", waits)
	}
}

// TestOverlapWithoutLongerLives is the trap of overlap_shared_expert: with live ranges of the list, in which the
// shared expert's input ends at its last reader, the layout lets another stream write over it, and the checker
// of races says so.
func TestOverlapWithoutLongerLives(t *testing.T) {
	refused := 0
	for _, g := range scheduled(t, &Options{}).Graphs {
		alone := g.Clone()
		for _, n := range alone.Nodes {
			n.Stream, n.Waits = 0, nil
		}
		p, q := plan.NewProgram(alone), plan.NewProgram(g)
		for _, b := range alone.Buckets {
			if err := p.LayOut(b); err != nil {
				t.Fatal(err)
			}
		}
		for _, l := range p.Layouts {
			err := race.New(g).Arena(func(v *ir.Value) (race.Extent, bool) {
				s, ok := q.Storage(v)
				if !ok {
					return race.Extent{}, false
				}
				return race.Extent{Offset: l.Offsets[s], Bytes: sizeOf(v.Type, l.Max)}, true
			})
			if found := (*race.Error)(nil); errors.As(err, &found) {
				refused++
			} else if err != nil {
				t.Errorf("%s for %s: %v", g.Name, l.Bucket, err)
			}
		}
	}
	if refused == 0 {
		t.Error("no layout for one stream was refused: the test says nothing")
	}
}

func sizeOf(t ir.Type, s ir.Sizes) int64 {
	n := int64(t.DType.Size())
	for _, d := range t.Shape.Eval(s) {
		n *= int64(d)
	}
	return n
}

// TestStaleSlot: a second write to a cache that does not wait until the first one's pages have left is refused.
func TestStaleSlot(t *testing.T) {
	c := readCase(t, "testdata/schedule_transfer/schedules_a_second_write.txtar")
	m, err := ir.Parse(c.after)
	if err != nil {
		t.Fatal(err)
	}
	g := m.Graphs[0]
	if err := race.New(g).Shared(); err != nil {
		t.Fatal(err)
	}
	for _, n := range g.Nodes {
		if n.Op.Name == "kv.write" {
			n.Waits = nil
		}
	}
	want := `graph forward: node 13 (kv.send, m.glm:1:1) on stream 2 and node 11 (kv.write, m.glm:2:1) on stream 0 share cache attn, and neither waits for the other`
	if err := race.New(g).Shared(); err == nil || err.Error() != want {
		t.Errorf("got error %v\nwant      %s", err, want)
	}
}

// TestFamiliesDoNotRace: whatever the family, its configuration, the ranks and the passes that run, every layout
// of every graph is proved.
func TestFamiliesDoNotRace(t *testing.T) {
	for _, f := range append([]family{{model: ""}}, otherFamilies...) {
		t.Run("family "+f.model, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				setup := lowertest.Setup{Model: f.model, Stored: dtype.BF16, Activation: dtype.BF16}
				if f.model == "" {
					setup.Set = drawConfig(rt)
				} else {
					setup.Set = drawFamily(rt, f)
				}
				m := lowertest.Lower(t, setup).Module
				forPhases(m)
				o := &Options{
					TensorParallel: rapid.SampledFrom([]int{1, 2, 4}).Draw(rt, "tp"),
					Disabled:       drawDisabled(rt),
					Transfer:       Transfer{Enabled: true, Async: rapid.Bool().Draw(rt, "async"), Per: PerLayer},
				}
				if _, err := Run(m, o); err != nil {
					rt.Fatal(err)
				}
				for _, g := range m.Graphs {
					if err := layOut(g); err != nil {
						rt.Fatal(err)
					}
				}
			})
		})
	}
}
