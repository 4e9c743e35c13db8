package machine_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/lower/lowertest"
	"github.com/glmc/glmc/compiler/passes"
	"github.com/glmc/glmc/compiler/verify/machine"
	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var step = machine.Batch{Lengths: []int{5, 3}, From: []int{0, 2}, Padding: 1, Rows: []int32{4, 7}}

// module is the small model on so many ranks.
func module(t *testing.T, ranks int) *ir.Module {
	t.Helper()
	m := lowertest.Lower(t, lowertest.Setup{Set: lowertest.Small, Activation: dtype.F32}).Module
	if _, err := passes.Run(m, &passes.Options{TensorParallel: ranks}); err != nil {
		t.Fatal(err)
	}
	return m
}

func start(t *testing.T, m *ir.Module, o machine.Options) *machine.Machine {
	t.Helper()
	x, err := machine.New(m, &machine.Store{}, o)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// TestCachesOnRanks: two heads on four ranks are two of each, and what ranks hold together before and after a step
// is what one rank holds.
func TestCachesOnRanks(t *testing.T) {
	one := module(t, 1)
	heads := machine.Heads(one)
	want := run(t, start(t, one, machine.Options{Heads: heads}))
	for _, ranks := range []int{2, 4} {
		got := run(t, start(t, module(t, ranks), machine.Options{Heads: heads}))
		for i := range want {
			if d := machine.Difference(want[i], got[i]); d > 1e-5 {
				t.Errorf("%d ranks: part %d is off by %g", ranks, i, d)
			}
		}
	}
}

// run returns the caches before a step, its results, and the caches after it.
func run(t *testing.T, x *machine.Machine) [][]float32 {
	t.Helper()
	var all [][]float32
	caches := func() {
		cached, err := x.Caches()
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range cached {
			all = append(all, c.Keys, c.Values)
		}
	}
	caches()
	out, err := x.Run(x.Module.Graph("forward"), step.Inputs(64, 1))
	if err != nil {
		t.Fatal(err)
	}
	all = append(all, out[0].F32, out[1].F32)
	caches()
	return all
}

// TestPaddingRowsWriteNothing: slots that no row of a sequence has stay as they were.
func TestPaddingRowsWriteNothing(t *testing.T) {
	m := module(t, 1)
	x := start(t, m, machine.Options{Heads: machine.Heads(m)})
	before, err := x.Caches()
	if err != nil {
		t.Fatal(err)
	}
	in := step.Inputs(64, 1)
	if _, err := x.Run(m.Graph("forward"), in); err != nil {
		t.Fatal(err)
	}
	after, err := x.Caches()
	if err != nil {
		t.Fatal(err)
	}
	slot := len(before[0].Keys) / (machine.PageSize * machine.Pages)
	for s := range int32(machine.PageSize * machine.Pages) {
		at := int(s) * slot
		same := machine.SameBits(before[0].Keys[at:at+slot], after[0].Keys[at:at+slot])
		if written := slices.Contains(in["slots"].I32, s); same == written {
			t.Errorf("slot %d: written %t, the same %t", s, written, same)
		}
	}
}

// TestReplay: routers whose scores were disturbed choose what the recording has, and the machine says by how much the
// scores were overruled.
func TestReplay(t *testing.T) {
	m := module(t, 1)
	forward := func(x *machine.Machine) {
		t.Helper()
		if _, err := x.Run(m.Graph("forward"), step.Inputs(64, 1)); err != nil {
			t.Fatal(err)
		}
	}
	var seen []int32
	trace := func(_ int, n *ir.Node, c *kernels.Call) {
		if n.Op.Name == "moe.route" {
			seen = append(seen, c.Out[0].I32...)
		}
	}
	first := start(t, m, machine.Options{Trace: trace})
	forward(first)
	want := seen
	again := start(t, m, machine.Options{Trace: trace, Replay: first.Chosen})
	seen = nil
	if forward(again); !slices.Equal(seen, want) || again.Excess() != 0 {
		t.Errorf("an undisturbed replay chose %v instead of %v, excess %g", seen, want, again.Excess())
	}
	other, err := machine.New(m, &machine.Store{Seed: 5}, machine.Options{Trace: trace, Replay: first.Chosen})
	if err != nil {
		t.Fatal(err)
	}
	seen = nil
	if forward(other); !slices.Equal(seen, want) || other.Excess() < 0.1 {
		t.Errorf("with other weights the replay chose %v instead of %v, excess %g", seen, want, other.Excess())
	}
}

// TestARankThatFailsEndsTheOthers: the error is that of the rank that failed, and nobody waits for it.
func TestARankThatFailsEndsTheOthers(t *testing.T) {
	m := module(t, 4)
	in := step.Inputs(64, 1)
	in["tokens"].I32[0] = 64
	_, err := start(t, m, machine.Options{}).Run(m.Graph("forward"), in)
	if err == nil || !strings.Contains(err.Error(), "token id 64") {
		t.Errorf("got error %v", err)
	}
	delete(in, "pos")
	if _, err := start(t, m, machine.Options{}).Run(m.Graph("forward"), in); err == nil || err.Error() != `entry forward wants an input "pos"` {
		t.Errorf("got error %v", err)
	}
}

// TestRanksMustAgree: a collective that is left out leaves each rank with a result of its own.
func TestRanksMustAgree(t *testing.T) {
	m := module(t, 2)
	for _, n := range m.Graph("forward").Nodes {
		switch n.Op.Name {
		case "comm.all_reduce":
			n.Op, n.Attrs = ir.Lookup("cast"), nil
		case "comm.all_reduce_add_rms":
			n.Op = ir.Lookup("norm.add_rms") // of the rank's own part
		}
	}
	var differ *machine.RanksDifferError
	if _, err := start(t, m, machine.Options{}).Run(m.Graph("forward"), step.Inputs(64, 1)); !errors.As(err, &differ) {
		t.Errorf("got error %v", err)
	}
}

func TestCompare(t *testing.T) {
	nan, zero := float32(math.NaN()), float32(math.Copysign(0, -1))
	for _, c := range []struct {
		a, b      []float32
		same      bool
		most, rms float64
	}{
		{[]float32{1, 2}, []float32{1, 2}, true, 0, 0},
		{[]float32{0, 4}, []float32{1, 4}, false, 0.25, 0.25},
		{[]float32{0}, []float32{zero}, false, 0, 0},
		{[]float32{nan}, []float32{1}, false, math.Inf(1), math.Inf(1)},
		{[]float32{1}, []float32{1, 2}, false, math.Inf(1), math.Inf(1)},
		{[]float32{0}, []float32{1}, false, math.Inf(1), math.Inf(1)},
	} {
		if same, most, rms := machine.SameBits(c.a, c.b), machine.Difference(c.a, c.b), machine.RootMeanSquare(c.a, c.b); same != c.same || most != c.most || rms != c.rms {
			t.Errorf("%v and %v: same %t, largest difference %g, root mean square %g", c.a, c.b, same, most, rms)
		}
	}
}
