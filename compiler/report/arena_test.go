package report

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
)

// residual is a step of a decoder: a residual sum with its norm, of which another sum is made.
const residual = `module "m" ranks=1
weight @"w": f32[4] = tensor("w" [4])
graph g(%1 x: f32[T, 4]) {
  %2: f32[T, 4] = act.silu[20](%1) "a.glm:1:1" "model.layers.0" 0
  %3: f32[T, 4] = act.sigmoid[21](%2) "a.glm:2:1" "model.layers.0.mlp" 0
  %4: f32[T, 2, 2] = reshape[22](%3) {shape: [T, 2, 2]} "a.glm:3:1" "model.layers.0.mlp" 0
  %5: f32[T, 4] = reshape[23](%4) {shape: [T, 4]} "a.glm:4:1" "model.layers.0.mlp" 0
  %6: f32[T, 4] = act.silu[24](%5) "a.glm:5:1" "model.layers.0.mlp" 0
  %7: f32[T, 4], %8: f32[T, 4] = norm.add_rms[25](%2, %6, weight %9 @"w") {eps: 1e-05} "a.glm:6:1" "model.layers.1" 1
  %10: f32[T, 8] = concat[26](%7, %8) "a.glm:7:1" "" -1
  return %10, %7
}
`

// program lays a graph out for 32 tokens.
func program(t testing.TB, text string) *plan.Program {
	t.Helper()
	m, err := ir.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Verify(); err != nil {
		t.Fatal(err)
	}
	p := plan.NewProgram(m.Graphs[0])
	if err := p.AddLayout("prefill", ir.Sizes{Tokens: 32, Seqs: 2, Rows: 2}); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestMeasureArena(t *testing.T) {
	p := program(t, residual)
	got, err := MeasureArena(p, &p.Layouts[0])
	if err != nil {
		t.Fatal(err)
	}
	const mlp = "model.layers.0.mlp"
	want := &Arena{Entry: "g", Phase: "prefill", Tokens: 32, Seqs: 2, Rows: 2, Steps: 7, Bytes: 2048, Bound: 2048, InPlace: 3, Peak: 6,
		Live: []int64{512, 1024, 1024, 1024, 1024, 1024, 2048, 1536},
		Buffers: []ArenaBuffer{
			{2, "f32[T, 4]", "act.silu", "model.layers.0", 0, "a.glm:1:1", 0, 5, 5, 1024, 512, -1},
			{3, "f32[T, 4]", "act.sigmoid", mlp, 0, "a.glm:2:1", 1, 4, 4, 1536, 512, -1},
			{6, "f32[T, 4]", "act.silu", mlp, 0, "a.glm:5:1", 4, 5, 5, 1536, 512, 1},
			{7, "f32[T, 4]", "norm.add_rms", "model.layers.1", 1, "a.glm:6:1", 5, 7, 7, 1024, 512, 0},
			{8, "f32[T, 4]", "norm.add_rms", "model.layers.1", 1, "a.glm:6:1", 5, 6, 6, 1536, 512, 2},
			{10, "f32[T, 8]", "concat", "", -1, "a.glm:7:1", 6, 7, 7, 0, 1024, -1},
		}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if diff := cmp.Diff([]int{3, 4, 5}, got.At(6)); diff != "" {
		t.Errorf("alive at the peak: %s", diff)
	}
	if diff := cmp.Diff([]int{0, 2}, got.At(5)); diff != "" {
		t.Errorf("alive at the norm: %s", diff)
	}
}

// sharing has pairs of values of every kind: %7 and %8 are results of one node, %5 could take the place of %2 or %4,
// %10 and %11 are a pair of an operator that does not work in place, %12 renames %11.
const sharing = `module "m" ranks=1
weight @"w": f32[4] = tensor("w" [4])
graph g(%1 x: f32[T, 4]) {
  %2: f32[T, 4] = act.silu[20](%1) "a.glm:1:1" "m.layers.0" 0
  %4: f32[T, 4] = act.sigmoid[21](%1) "a.glm:2:1" "m.layers.0" 0
  %5: f32[T, 4] = add[22](%2, %4) "a.glm:3:1" "m.layers.0" 0
  %6: f32[T, 4] = mul[23](%5, %5) "a.glm:4:1" "m.layers.0" 0
  %7: f32[T, 4], %8: f32[T, 4] = norm.add_rms[24](%6, %1, weight %9 @"w") {eps: 1e-05} "a.glm:5:1" "m.layers.1" 1
  %10: f32[T, 8] = concat[25](%7, %8) "a.glm:6:1" "m.layers.1" 1
  %11: f32[T, 4] = slice[26](%10) {from: 0, to: 4} "a.glm:7:1" "m.layers.1" 1
  %12: f32[T, 2, 2] = reshape[27](%11) {shape: [T, 2, 2]} "a.glm:8:1" "m.layers.1" 1
  %13: f32[T, 1] = reduce.sum[28](%11) "a.glm:9:1" "" -1
  %14: f32[T, 4] = div[29](%11, %13) "a.glm:10:1" "" -1
  return %12, %14
}
`

func TestExplainSharing(t *testing.T) {
	p := program(t, sharing)
	const parts = "%2 is written at step 0 (act.silu, a.glm:1:1) and read last at step 2 (add, a.glm:3:1)"
	for _, c := range []struct{ a, b, verdict, reason string }{
		{"%11", "%12", SameValue, "%11 and %12 are the same elements: a view is another name of its operand"},
		{"act.silu", "add", InPlace, "%5 takes over the bytes of %2 at step 2 (add, a.glm:3:1)"},
		{"%4", "%2", AliveBoth, "both are needed from step 1 to 2: " + parts + "; %4 is written at step 1 (act.sigmoid, a.glm:2:1) and read last at step 2 (add, a.glm:3:1)"},
		{"%5", "%4", NotInPlace, "both are needed at step 2 (add, a.glm:3:1), which reads %4 for the last time and writes %5: %5 takes over the bytes of another operand, %2"},
		{"%5", "%6", NotInPlace, "both are needed at step 3 (mul, a.glm:4:1), which reads %5 for the last time and writes %6: mul reads it as 2 operands"},
		{"%6", "%8", NotInPlace, "both are needed at step 4 (norm.add_rms, a.glm:5:1), which reads %6 for the last time and writes %8: its other result %7 takes over the bytes"},
		{"%13", "%14", NotInPlace, "both are needed at step 9 (div, a.glm:10:1), which reads %13 for the last time and writes %14: one is f32[T, 1], the other f32[T, 4]"},
		{"concat", "slice", NotInPlace, "both are needed at step 6 (slice, a.glm:7:1), which reads %10 for the last time and writes %11: slice does not work in place on its operand x"},
		{"m.layers.1/slice", "div@-1", AliveBoth, "both are needed from step 9 to 10: %11 is written at step 6 (slice, a.glm:7:1) and returned to the caller; %14 is written at step 9 (div, a.glm:10:1) and returned to the caller"},
		{"2", "%10", Reused, "they share bytes [0, 512): " + parts + "; %10 is written at step 5 (concat, a.glm:6:1) and read last at step 6 (slice, a.glm:7:1)"},
	} {
		a, err := FindValue(p, c.a)
		if err != nil {
			t.Error(err)
			continue
		}
		b, err := FindValue(p, c.b)
		if err != nil {
			t.Error(err)
			continue
		}
		got, err := ExplainSharing(p, &p.Layouts[0], a, b)
		if err != nil {
			t.Error(err)
		} else if got.Verdict != c.verdict || got.Reason != c.reason {
			t.Errorf("%s and %s: got %s: %s\nwant %s: %s", c.a, c.b, got.Verdict, got.Reason, c.verdict, c.reason)
		}
	}
}

// TestExplainApart: what the planner put apart for no need of lives, in layouts made by hand.
func TestExplainApart(t *testing.T) {
	p := program(t, residual)
	const lives = "nothing keeps them apart: %3 is written at step 1 (act.sigmoid, a.glm:2:1) and read last at step 4 (act.silu, a.glm:5:1); " +
		"%7 is written at step 5 (norm.add_rms, a.glm:6:1) and returned to the caller"
	for name, c := range map[string]struct {
		offsets []int64 // of %2, %3, %6, %7, %8, %10
		arena   int64
		want    string
	}{
		"room":   {[]int64{0, 512, 1024, 1536, 2048, 2560}, 3584, lives + ". %7 could lie where %3 does: the planner found another gap first"},
		"others": {[]int64{0, 512, 1024, 1536, 512, 2560}, 3584, lives + ". Where %3 lies, %7 would meet %8 (norm.add_rms, a.glm:6:1) at [512, 1024)"},
	} {
		l := plan.Layout{Bucket: p.Layouts[0].Bucket, Arena: c.arena, Offsets: c.offsets}
		if err := p.Check(&l); err != nil {
			t.Fatal(err)
		}
		got, err := ExplainSharing(p, &l, p.Result(3), p.Result(1))
		if err != nil {
			t.Fatal(err)
		}
		if got.Verdict != Apart || got.Reason != c.want {
			t.Errorf("%s: got %s: %s\nwant %s", name, got.Verdict, got.Reason, c.want)
		}
	}
}

func TestFindValueErrors(t *testing.T) {
	p := program(t, sharing)
	for name, want := range map[string]string{
		"%99":          `g has no value "%99": wants %NUMBER, OPERATOR, OPERATOR@LAYER, PATH or PATH/OPERATOR, as ` + "`glmc inspect --memory` shows them",
		"norm.add_rms": `"norm.add_rms" means several values of g: %7 (norm.add_rms, a.glm:5:1); %8 (norm.add_rms, a.glm:5:1)`,
	} {
		if _, err := FindValue(p, name); err == nil || err.Error() != want {
			t.Errorf("%s: got error %v\nwant %s", name, err, want)
		}
	}
	for name, want := range map[string]string{
		"x": "%1 is not in the arena: it is input x, which the caller provides and nothing writes over",
		"9": "%9 is not in the arena: it is weight w, which stays between steps",
	} {
		v, err := FindValue(p, name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ExplainSharing(p, &p.Layouts[0], v, p.Result(0)); err == nil || err.Error() != want {
			t.Errorf("%s: got error %v\nwant %s", name, err, want)
		}
	}
}

func TestArenaText(t *testing.T) {
	p := program(t, residual)
	a, err := MeasureArena(p, &p.Layouts[0])
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := errors.Join(Arenas(&b, []*Arena{a}), ArenaPeak(&b, a)); err != nil {
		t.Fatal(err)
	}
	want := `ENTRY  BUCKET      ARENA    BOUND    RATIO  IN PLACE  RESULTS  MOST IS ALIVE AT
g      prefill 32  2.0 KiB  2.0 KiB  1.000  3 of 6    3.5 KiB  concat (a.glm:7:1)

g, prefill 32: 2.0 KiB alive at step 6 of 7, concat (a.glm:7:1)
  BYTES    OFFSET  STEPS  VALUE              TYPE       OPERATOR      WHERE           SOURCE
  1.0 KiB  0       6..7   %10                f32[T, 8]  concat                        a.glm:7:1
  512 B    1024    5..7   %7 in place of %2  f32[T, 4]  norm.add_rms  model.layers.1  a.glm:6:1
  512 B    1536    5..6   %8 in place of %6  f32[T, 4]  norm.add_rms  model.layers.1  a.glm:6:1
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if err := errors.Join(Arenas(fullDisk{}, []*Arena{a})); !errors.Is(err, errFull) {
		t.Errorf("got %v", err)
	}
}
