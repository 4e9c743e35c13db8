package exec

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/kernels/dtype"
)

// withVariants splits the toy's buckets between two graphs of one entry.
func withVariants(t testing.TB, p *plan.Plan) *plan.Plan {
	t.Helper()
	g := p.Module.Graphs[0]
	buckets := g.Buckets
	p.Programs, p.Module.Graphs = nil, nil
	for _, of := range [][]ir.Bucket{buckets[:2], buckets[2:]} {
		v := g.Clone()
		v.Buckets = of
		q := plan.NewProgram(v)
		for _, b := range of {
			if err := q.LayOut(b); err != nil {
				t.Fatal(err)
			}
		}
		p.Programs, p.Module.Graphs = append(p.Programs, q), append(p.Module.Graphs, v)
	}
	if err := p.Module.Verify(); err != nil {
		t.Fatal(err)
	}
	return p
}

// TestVariantsShareAnArena: steps of one size and another, which run in different variants, give what they give on an
// executor of their own, though each variant keeps its views for the next step of the same size; the arena is there
// once, and grows where a larger step comes later.
func TestVariantsShareAnArena(t *testing.T) {
	for _, ranks := range []int{1, 2} {
		e := start(t, withVariants(t, toy(t, ranks, dtype.BF16)), Options{})
		for i, tokens := range []int{1, 4, 16, 4, 4, 16, 3, 16, 1, 4} {
			in := toyInputs(tokens, 1, uint64(i))
			want := runStep(t, start(t, toy(t, ranks, dtype.BF16), Options{}), in)
			if diff := cmp.Diff(want, runStep(t, e, in)); diff != "" {
				t.Errorf("step %d of %d tokens: -want +got:\n%s", i, tokens, diff)
			}
		}
		for _, r := range e.ranks {
			first, second := r.programs["forward"][0], r.programs["forward"][1]
			if first.arena != second.arena || first.arena.grown != 3 {
				t.Errorf("the variants have arenas %p and %p, which grew %d times", first.arena, second.arena, first.arena.grown)
			}
		}
	}
}

// TestInPlaceSteps: the toy's sums and its all-reduce are computed in place, and what comes out is what comes out of a
// plan whose results lie apart.
func TestInPlaceSteps(t *testing.T) {
	for _, device := range DeviceNames() {
		p := toy(t, 2, dtype.F32)
		q := p.Programs[0]
		inPlace := 0
		for _, s := range q.Shares() {
			if q.Layouts[2].Offsets[s.From] == q.Layouts[2].Offsets[s.Into] {
				inPlace++
			}
		}
		if inPlace != 3 {
			t.Errorf("%d results are in place, want the two sums and the all-reduce", inPlace)
		}
		apart := toy(t, 2, dtype.F32)
		alone := plan.NewProgram(apart.Module.Graphs[0])
		for _, b := range apart.Module.Graphs[0].Buckets {
			if err := alone.LayOutApart(b); err != nil {
				t.Fatal(err)
			}
		}
		apart.Programs[0] = alone
		a, b := start(t, p, Options{Device: device}), start(t, apart, Options{Device: device})
		for seed := range uint64(10) {
			in := toyInputs(int(seed)+1, 2, seed)
			if diff := cmp.Diff(runStep(t, b, in), runStep(t, a, in)); diff != "" {
				t.Errorf("%s, step %d: -apart +in place:\n%s", device, seed, diff)
			}
		}
	}
}
