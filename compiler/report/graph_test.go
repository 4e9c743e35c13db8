package report

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/compiler/history"
	"github.com/glmc/glmc/compiler/ir"
)

const twoLayers = `module "m" ranks=1
weight @"layers.0.w": bf16[8] = tensor("layers.0.w" [8])
weight @"layers.1.w": bf16[8] = tensor("layers.1.w" [8])

graph forward(%1 x: f32[T, 8]) {
  %3: f32[T, 8] = act.silu[2](%1) "m.glm:1:1-1:8" "" -1
  %5: f32[T, 8] = scale[4](%3) {by: 2.0} "m.glm:2:1" "layers.0" 0
  %7: f32[T, 8] = scale[6](%5) {by: 3.0} "m.glm:2:2" "layers.0" 0
  %9: f32[T, 8] = scale[8](%7) {by: 4.0} "m.glm:2:3" "layers.0" 0
  %11: f32[T, 8] = scale[10](%9) {by: 5.0} "m.glm:2:4" "layers.0" 0
  %13: f32[T, 8] = add[12](%11, %3) "m.glm:3:1" "layers.0" 0
  %15: f32[T, 8] = norm.rms[14](%13, weight %16 @"layers.0.w") {eps: 1e-05} "m.glm:4:1" "layers.0" 0
  %18: f32[T, 8] = scale[17](%15) {by: 2.0} "m.glm:2:1" "layers.1" 1
  %20: f32[T, 8] = scale[19](%18) {by: 3.0} "m.glm:2:2" "layers.1" 1
  %22: f32[T, 8] = scale[21](%20) {by: 4.0} "m.glm:2:3" "layers.1" 1
  %24: f32[T, 8] = scale[23](%22) {by: 5.0} "m.glm:2:4" "layers.1" 1
  %26: f32[T, 8] = add[25](%24, %15) "m.glm:3:1" "layers.1" 1
  %28: f32[T, 8] = norm.rms[27](%26, weight %29 @"layers.1.w") {eps: 1e-05} "m.glm:4:1" "layers.1" 1
  return %28
}
`

// fused is a history with a pass that fuses the sums with the norms behind them.
func fused(t *testing.T, text string) *history.History {
	t.Helper()
	m, err := ir.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	r := history.New()
	r.Observe("", m)
	g := m.Graphs[0]
	rw := ir.NewRewrite(g)
	for _, n := range g.Nodes {
		if n.Op.Name != "norm.rms" {
			continue
		}
		sum := n.In[0].Def
		b := &ir.Builder{Graph: g, Origin: n.Origin}
		out := b.Emit("norm.add_rms", []*ir.Value{sum.In[0], sum.In[1], n.In[1]}, n.Attrs...)
		if b.Err() != nil {
			t.Fatal(b.Err())
		}
		rw.Before(n, b.Nodes...)
		rw.Replace(sum.Out[0], out[0])
		rw.Replace(n.Out[0], out[1])
		rw.Remove(sum, n)
	}
	rw.Apply()
	r.Observe("fuse", m)
	return r.History()
}

func graphDiff(t *testing.T, h *history.History, o GraphOptions) string {
	t.Helper()
	var b strings.Builder
	if err := GraphDiff(&b, h, 1, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestGraphDiff(t *testing.T) {
	const want = `
  places are lines and columns of m.glm

forward: 13 launches -> 11

forward, before the layers: as before, 1 operator

forward, layers 0..1, 2 x: 6 operators -> 5
    ... 1 operator as before
    %7: f32[T, 8] = scale(%5) {by: 3.0}  2:2
    %9: f32[T, 8] = scale(%7) {by: 4.0}  2:3
    %11: f32[T, 8] = scale(%9) {by: 5.0}  2:4
-   %13: f32[T, 8] = add(%11, %3)  3:1
-   %15: f32[T, 8] = norm.rms(%13, @layers.{n}.w: bf16[8]) {eps: 1e-05}  4:1
+   %31: f32[T, 8], %32: f32[T, 8] = norm.add_rms(%11, %3, @layers.{n}.w: bf16[8]) {eps: 1e-05}  4:1  %31 in place of %13  %32 in place of %15

-   returns %28
+   returns %35
`
	h := fused(t, twoLayers)
	if diff := cmp.Diff(want, graphDiff(t, h, GraphOptions{})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	begin, first, none := -1, 0, 7
	for _, c := range []struct {
		layer *int
		want  string
	}{{&begin, "before the layers: as"}, {&first, "layers 0..1, 2 x: 6"}, {&none, ""}} {
		text := graphDiff(t, h, GraphOptions{Layer: c.layer})
		if got := strings.Count(text, "\nforward, "); (got == 1) != (c.want != "") || !strings.Contains(text, c.want) {
			t.Errorf("layer %d:\n%s", *c.layer, text)
		}
	}
	if text := graphDiff(t, h, GraphOptions{Entry: "other"}); strings.Contains(text, "forward") {
		t.Errorf("of another entry:\n%s", text)
	}
}

// TestGraphDiffColour: a colour ends on the line that it begins on, and without colours the text is the same.
func TestGraphDiffColour(t *testing.T) {
	h := fused(t, twoLayers)
	coloured := graphDiff(t, h, GraphOptions{Colour: true})
	for line := range strings.Lines(coloured) {
		if strings.Contains(line, "\x1b") && (!strings.HasPrefix(line, "\x1b[") || !strings.HasSuffix(line, plain+"\n")) {
			t.Errorf("%q", line)
		}
	}
	bare := strings.NewReplacer(bold, "", faint, "", red, "", green, "", plain, "").Replace(coloured)
	if diff := cmp.Diff(graphDiff(t, h, GraphOptions{}), bare); diff != "" {
		t.Errorf("-without +with colours:\n%s", diff)
	}
}

func TestGraph(t *testing.T) {
	const want = `
  places are lines and columns of m.glm

forward: 11 launches
    takes %1 x: f32[T, 8]

forward, before the layers, 1 operator
    %3: f32[T, 8] = act.silu(x)  1:1

forward, layers 0..1, 2 x, 5 operators
    %5: f32[T, 8] = scale(%3) {by: 2.0}  2:1
    %7: f32[T, 8] = scale(%5) {by: 3.0}  2:2
    %9: f32[T, 8] = scale(%7) {by: 4.0}  2:3
    %11: f32[T, 8] = scale(%9) {by: 5.0}  2:4
    %31: f32[T, 8], %32: f32[T, 8] = norm.add_rms(%11, %3, @layers.{n}.w: bf16[8]) {eps: 1e-05}  4:1

    returns %35
`
	h := fused(t, twoLayers)
	var b strings.Builder
	if err := Graph(&b, h, &h.Steps[1], GraphOptions{}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if err := Graph(fullDisk{}, h, &h.Steps[1], GraphOptions{}); !errors.Is(err, errFull) {
		t.Errorf("Graph: %v", err)
	}
	if err := GraphDiff(fullDisk{}, h, 1, GraphOptions{}); !errors.Is(err, errFull) {
		t.Errorf("GraphDiff: %v", err)
	}
}

// TestGraphOfAHostilePlan: names in a plan cannot steer a terminal.
func TestGraphOfAHostilePlan(t *testing.T) {
	h := fused(t, strings.ReplaceAll(twoLayers, "layers.0.w", "layers.0.\u009b2Jw"))
	if text := graphDiff(t, h, GraphOptions{}); strings.ContainsAny(text, "\u009b\x1b") {
		t.Errorf("%q", text)
	}
}
