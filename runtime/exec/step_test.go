package exec

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
)

// wantError asks for an error with all of the texts.
func wantError(t testing.TB, err error, texts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", texts)
	}
	if missing := slices.DeleteFunc(slices.Clone(texts), func(s string) bool { return strings.Contains(err.Error(), s) }); len(missing) > 0 {
		t.Errorf("the error does not say %q: %v", missing, err)
	}
}

func TestStepErrors(t *testing.T) {
	e := start(t, toy(t, 1, dtype.F32), Options{})
	for _, tt := range []struct {
		name   string
		change func(Inputs)
		want   []string // nil: no error
	}{
		{"fits", func(Inputs) {}, nil},
		{"one too many", func(in Inputs) { in["pages"] = kernels.FromI32(nil, 0) }, nil},
		{"missing", func(in Inputs) { delete(in, "rows") }, []string{`input "rows" of the step is missing`}},
		{"too many dimensions", func(in Inputs) { in["tokens"] = kernels.FromI32(make([]int32, 2), 2, 1) }, []string{`"tokens" has shape [2, 1], wants i32[T]`}},
		{"scalar", func(in Inputs) { in["tokens"] = kernels.FromI32(make([]int32, 1)) }, []string{`"tokens" has shape []`}},
		{"wrong width", func(in Inputs) { in["hidden"] = kernels.FromF32(make([]float32, 10), 2, 5) }, []string{`"hidden" has shape [2, 5]`, "[2, 8]"}},
		{"sizes that differ", func(in Inputs) { in["tokens"] = kernels.FromI32(make([]int32, 3), 3) }, []string{"the other inputs ask for"}},
		{"too short", func(in Inputs) { in["hidden"] = kernels.FromF32(make([]float32, 15), 2, 8) }, []string{`"hidden" holds 15 f32 values of 16`}},
		{"floats for integers", func(in Inputs) { in["tokens"] = kernels.FromF32(make([]float32, 2), 2) }, []string{`"tokens" holds 0 i32 values of 2`}},
		{"integers for floats", func(in Inputs) { in["hidden"] = kernels.FromI32(make([]int32, 16), 2, 8) }, []string{`"hidden" holds 0 f32 values of 16`}},
		{"bf16", func(in Inputs) { in["hidden"] = kernels.New(dtype.BF16, 2, 8) }, []string{`"hidden" holds 0 f32 values of 16`}},
		{"negative", func(in Inputs) {
			in["tokens"], in["hidden"] = kernels.FromI32(nil, -1), kernels.FromF32(nil, -1, 8)
		}, []string{`"tokens" has shape [-1]`}},
		{"too many tokens", func(in Inputs) {
			in["tokens"], in["hidden"] = kernels.FromI32(make([]int32, 17), 17), kernels.FromF32(make([]float32, 17*8), 17, 8)
		}, []string{"17 tokens", "1 rows", "fits none of the plan's buckets for forward"}},
		{"too many rows", func(in Inputs) { in["rows"] = kernels.FromI32(make([]int32, 9), 9) }, []string{"9 rows", "fits none"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := toyInputs(2, 1, 1)
			tt.change(in)
			_, err := e.Step(context.Background(), "forward", in)
			if tt.want != nil {
				wantError(t, err, tt.want...)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
	_, err := e.Step(context.Background(), "backward", toyInputs(2, 1, 1))
	wantError(t, err, `entry "backward" is not in the plan`)
	_, err = e.Max("backward")
	wantError(t, err, `no entry "backward"`)
	if most, err := e.Max("forward"); err != nil || most.Tokens != 16 || most.Rows != 8 {
		t.Errorf("the largest step is %+v, %v", most, err)
	}
}

// TestSequencePositions: an input of B+1 elements needs at least one.
func TestSequencePositions(t *testing.T) {
	g := ir.NewGraph("g")
	g.Input("seq_start", ir.SeqStartInput)
	_, err := measure(g, Inputs{"seq_start": kernels.FromI32(nil, 0)})
	wantError(t, err, `"seq_start" has shape [0]`, "at least 1")
	if s, err := measure(g, Inputs{"seq_start": kernels.FromI32(make([]int32, 3), 3)}); err != nil || s.Seqs != 2 {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestEntriesThatWereNotLoaded(t *testing.T) {
	e := start(t, toy(t, 1, dtype.F32), Options{Entries: []string{"draft"}})
	_, err := e.Step(context.Background(), "forward", toyInputs(1, 1, 1))
	wantError(t, err, `entry "forward" is not in the plan or was not loaded`)
}

// TestStepsOfEverySize runs steps of different sizes in turn, empty ones included: each gives what it gives on
// an executor of its own, on every number of ranks and on every device.
func TestStepsOfEverySize(t *testing.T) {
	fresh := func(tokens, rows int, seed uint64) [][]float32 {
		return runStep(t, start(t, toy(t, 1, dtype.F32), Options{}), toyInputs(tokens, rows, seed))
	}
	sizes := []struct{ tokens, rows int }{{1, 1}, {16, 8}, {3, 0}, {3, 2}, {0, 0}, {1, 1}, {4, 4}, {5, 1}, {16, 8}}
	for _, device := range DeviceNames() {
		for _, ranks := range []int{1, 2, 4} {
			e := start(t, toy(t, ranks, dtype.F32), Options{Device: device})
			for i, s := range sizes {
				got := runStep(t, e, toyInputs(s.tokens, s.rows, uint64(i)))
				for j, want := range fresh(s.tokens, s.rows, uint64(i)) {
					if d := distance(want, got[j]); !(d < 1e-5) {
						t.Errorf("%s, %d ranks, %d tokens and %d rows: result %d differs by %g", device, ranks, s.tokens, s.rows, j, d)
					}
				}
			}
		}
	}
}

func distance(a, b []float32) float64 {
	if len(a) != len(b) {
		return math.Inf(1)
	}
	worst := 0.0
	for i := range a {
		worst = max(worst, math.Abs(float64(a[i])-float64(b[i])))
	}
	return worst
}

// TestInputsOfEachStep: steps of one size take their own inputs, also those that only a reshape reads.
func TestInputsOfEachStep(t *testing.T) {
	e := start(t, toy(t, 2, dtype.F32), Options{})
	for seed := range uint64(3) {
		in := toyInputs(2, 2, seed)
		want := runStep(t, start(t, toy(t, 2, dtype.F32), Options{}), in)
		if diff := cmp.Diff(want, runStep(t, e, in)); diff != "" {
			t.Errorf("inputs %d (-alone +in a row):\n%s", seed, diff)
		}
	}
}

// TestNarrowPlansRunWide: the arena of a plan whose results are bf16 holds them in 32 bits, and integers of four
// bytes among them, without one overwriting another.
func TestNarrowPlansRunWide(t *testing.T) {
	for _, device := range DeviceNames() {
		wide, narrow := start(t, toy(t, 2, dtype.F32), Options{Device: device}), start(t, toy(t, 2, dtype.BF16), Options{Device: device})
		if u := narrow.ranks[0].programs["forward"][0].unit; u != 2 {
			t.Fatalf("the plan's smallest result takes %d bytes: the test wants a plan of bf16", u)
		}
		for _, tokens := range []int{1, 3, 16} {
			in := toyInputs(tokens, 1, 7)
			if diff := cmp.Diff(runStep(t, wide, in), runStep(t, narrow, in)); diff != "" {
				t.Errorf("%s, %d tokens (-f32 +bf16):\n%s", device, tokens, diff)
			}
		}
	}
}

// TestTrace: every step of every rank is shown with what the kernel saw.
func TestTrace(t *testing.T) {
	seen := make([][]string, 2)
	trace := func(rank int, n *ir.Node, c *kernels.Call) {
		seen[rank] = append(seen[rank], n.Op.Name)
		if len(c.Out) != 1 || c.Out[0].Elems() == 0 {
			t.Errorf("%s on rank %d has no result", n.Op.Name, rank)
		}
	}
	runStep(t, start(t, toy(t, 2, dtype.F32), Options{Trace: trace}), toyInputs(2, 1, 1))
	want := []string{"norm.rms", "embed", "add", "linear", "linear", "comm.all_reduce", "add", "gather.rows", "linear", "comm.all_gather"}
	if diff := cmp.Diff([][]string{want, want}, seen); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
}

// TestTimed: every step of every rank comes with how long it took, and with the bucket whose layout it ran in.
func TestTimed(t *testing.T) {
	seen := make([][]string, 2)
	timed := func(rank int, entry string, b ir.Bucket, n *ir.Node, took time.Duration) {
		seen[rank] = append(seen[rank], n.Op.Name)
		if entry != "forward" || b.Phase == "" || b.Max.Tokens < 2 || took < 0 {
			t.Errorf("%s took %s in a step of %s, %s", n.Op.Name, took, entry, b)
		}
	}
	runStep(t, start(t, toy(t, 2, dtype.F32), Options{Timed: timed}), toyInputs(2, 1, 1))
	if len(seen[0]) != 10 || len(seen[1]) != 10 {
		t.Errorf("timed %v, wants the ten steps on both ranks", seen)
	}
}

// TestStepsAllocateNothing: once sizes have settled.
func TestStepsAllocateNothing(t *testing.T) {
	e := start(t, toy(t, 1, dtype.F32), Options{})
	in, ctx := toyInputs(2, 1, 1), context.Background()
	allocs := testing.AllocsPerRun(100, func() {
		if _, err := e.Step(ctx, "forward", in); err != nil {
			t.Fatal(err)
		}
	})
	if allocs > 0 {
		t.Errorf("a step makes %g allocations", allocs)
	}
}
