package report

import (
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
