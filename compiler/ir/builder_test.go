package ir

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// parseGraph reads a module with one graph, written without the header where it needs no weights.
func parseGraph(t *testing.T, text string) (*Module, *Graph) {
	t.Helper()
	if !strings.HasPrefix(text, "module") {
		text = "module \"m\" ranks=1\n" + text
	}
	m, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return m, m.Graphs[0]
}

// lines returns the operators and operands of a graph, one node a line, for comparing.
func lines(g *Graph) string {
	var b strings.Builder
	for _, n := range g.Nodes {
		if len(n.Out) > 0 {
			b.WriteString(n.Out[0].ref() + " = ")
		}
		b.WriteString(n.Op.Name)
		for _, v := range n.In {
			b.WriteString(" " + v.ref())
		}
		b.WriteString("\n")
	}
	b.WriteString("return")
	for _, v := range g.Outputs {
		b.WriteString(" " + v.ref())
	}
	return b.String()
}

const chain = `
graph g(%1 x: f32[T, 8]) {
  %3: f32[T, 8] = act.silu[2](%1) "a.glm:1:1" "" -1
  %5: f32[T, 8] = act.sigmoid[4](%3) "a.glm:2:1" "" -1
  %7: f32[T, 8] = mul[6](%5, %3) "a.glm:3:1" "" -1
  return %7, %5
}`

func TestRewrite(t *testing.T) {
	m, g := parseGraph(t, chain)
	silu, sigmoid, mul := g.Nodes[0], g.Nodes[1], g.Nodes[2]
	b := &Builder{Graph: g, Origin: sigmoid.Origin}
	// The first new node takes the value that it replaces a use of; put in by After, it keeps it.
	scaled := b.One("scale", []*Value{silu.Out[0]}, Attr{"by", 2.0})
	shifted := b.One("shift", []*Value{scaled}, Attr{"by", 1.0})
	if err := b.Err(); err != nil {
		t.Fatal(err)
	}
	rw := NewRewrite(g)
	rw.After(silu, b.Nodes...)
	rw.Replace(silu.Out[0], shifted)
	rw.Replace(sigmoid.Out[0], silu.Out[0]) // a chain of replacements ends at shifted
	rw.Remove(sigmoid)
	rw.Apply()
	want := `%3 = act.silu %1
%9 = scale %3
%11 = shift %9
%7 = mul %11 %11
return %7 %11`
	if diff := cmp.Diff(want, lines(g)); diff != "" {
		t.Error(diff)
	}
	if err := m.Verify(); err != nil {
		t.Error(err)
	}
	if mul.In[0] != shifted {
		t.Error("mul does not take the value of the last replacement")
	}
}

// TestRewriteBefore: nodes put in by Before follow replacements, so that a node may be rewritten twice in one
// sweep.
func TestRewriteBefore(t *testing.T) {
	m, g := parseGraph(t, chain)
	silu, sigmoid, mul := g.Nodes[0], g.Nodes[1], g.Nodes[2]
	b := &Builder{Graph: g}
	sum := b.One("add", []*Value{sigmoid.Out[0], silu.Out[0]})
	rw := NewRewrite(g)
	rw.Before(mul, b.Nodes...)
	rw.Replace(mul.Out[0], sum)
	rw.Replace(sigmoid.Out[0], g.Inputs[0])
	rw.Remove(mul, sigmoid)
	rw.Apply()
	want := `%3 = act.silu %1
%9 = add %1 %3
return %9 %1`
	if diff := cmp.Diff(want, lines(g)); diff != "" {
		t.Error(diff)
	}
	if err := m.Verify(); err != nil {
		t.Error(err)
	}
}

func TestBuilderKeepsTheFirstError(t *testing.T) {
	_, g := parseGraph(t, chain)
	b := &Builder{Graph: g}
	x := b.One("act.silu", []*Value{g.Inputs[0]})
	bad := b.One("reshape", []*Value{x}, Attr{"shape", Shape{Fixed(3)}})
	b.Emit("moe.top_k", []*Value{bad, nil}, Attr{"k", int64(1)})
	if n := len(b.Emit("linear.split", nil)); n != MaxResults {
		t.Errorf("%d results stand in for those of linear.split", n)
	}
	want := "reshape: f32[T, 8] has 8*T elements, [3] has 3"
	if err := b.Err(); err == nil || err.Error() != want {
		t.Errorf("got error %v, want %s", err, want)
	}
	if len(b.Nodes) != 1 {
		t.Errorf("%d nodes were made, want the one before the error", len(b.Nodes))
	}
}

func TestRemoveDead(t *testing.T) {
	m, g := parseGraph(t, `module "m" ranks=1
cache @"c" heads=2 dim=4

graph g(%1 x: f32[T, 2, 4], %2 slots: i32[T]) {
  %4: f32[T, 2, 4] = act.silu[3](%1) "" "" -1
  %6: f32[T, 2, 4] = act.sigmoid[5](%4) "" "" -1
  %8: f32[T, 2, 4] = act.silu[7](%1) "" "" -1
  %11: cache = kv.write[10](%8, %8, %2, cache %9 @"c") "" "" -1
  kv.send[14](%2, %11) "" "" -1
  %13: f32[T, 2, 4] = scale[12](%1) {by: 2.0} "" "" -1
  return %13
}`)
	var removed []string
	if n := g.RemoveDead(func(n *Node) bool { return n.Op.Name != "act.sigmoid" }); len(n) > 0 {
		t.Errorf("%d nodes were removed that were to stay, or that one reads which was", len(n))
	}
	for _, n := range g.RemoveDead(func(*Node) bool { return true }) {
		removed = append(removed, n.Op.Name)
	}
	if diff := cmp.Diff([]string{"act.sigmoid", "act.silu"}, removed); diff != "" {
		t.Errorf("removed, -want +got:\n%s", diff)
	}
	want := `%8 = act.silu %1
%11 = kv.write %8 %8 %2 cache %9 @"c"
kv.send %2 %11
%13 = scale %1
return %13`
	if diff := cmp.Diff(want, lines(g)); diff != "" {
		t.Error(diff)
	}
	if err := m.Verify(); err != nil {
		t.Error(err)
	}
}

func TestSweepWeights(t *testing.T) {
	m, g := parseGraph(t, `module "m" ranks=1
cache @"unused" heads=1 dim=4
cache @"c" heads=2 dim=4
weight @"dead": f32[4] = tensor("dead" [4])
weight @"second": f32[4] = tensor("second" [4])
weight @"first": f32[4] = tensor("first" [4])

graph g(%1 x: f32[T, 2, 4], %2 slots: i32[T]) {
  %5: f32[T, 2, 4] = norm.rms[4](%1, weight %3 @"first") {eps: 0.5} "" "" -1
  %8: f32[T, 2, 4] = norm.rms[7](%5, weight %6 @"second") {eps: 0.5} "" "" -1
  %11: cache = kv.write[10](%8, %8, %2, cache %9 @"c") "" "" -1
  return %8
}`)
	m.SweepWeights()
	var names []string
	for _, w := range m.Weights {
		names = append(names, w.Name)
	}
	for _, c := range m.Caches {
		names = append(names, c.Name)
	}
	if diff := cmp.Diff([]string{"first", "second", "c"}, names); diff != "" {
		t.Error(diff)
	}
	if g.Input("slots", SlotsInput) != g.Inputs[1] || len(g.Inputs) != 2 {
		t.Error("asking for an input again does not give the same one")
	}
}

func TestUsers(t *testing.T) {
	_, g := parseGraph(t, chain)
	users := g.Users()
	if got := users[g.Nodes[0].Out[0]]; len(got) != 2 || got[0] != g.Nodes[1] || got[1] != g.Nodes[2] {
		t.Errorf("the first value is used by %v", got)
	}
	if got := users[g.Nodes[2].Out[0]]; len(got) != 0 || !g.IsOutput(g.Nodes[2].Out[0]) || g.IsOutput(g.Nodes[0].Out[0]) {
		t.Errorf("the last value is used by %v", got)
	}
}

func TestReinfer(t *testing.T) {
	_, g := parseGraph(t, chain)
	silu := g.Nodes[0]
	g.Inputs[0].Type.Shape = g.Inputs[0].Type.Shape.With(1, Fixed(4))
	if err := silu.Reinfer(); err != nil || silu.Out[0].Type.String() != "f32[T, 4]" {
		t.Errorf("got %s, error %v", silu.Out[0].Type, err)
	}
	if err := g.Nodes[2].Reinfer(); err == nil || !strings.Contains(err.Error(), "the shapes do not go together") {
		t.Errorf("got error %v", err)
	}
}

func TestPlainAttributes(t *testing.T) {
	a := Attrs{{"n", int64(3)}, {"s", "text"}, {"sizes", Shape{Fixed(2), Fixed(5)}}}
	var got []any
	for _, x := range a {
		got = append(got, x.Plain())
	}
	if diff := cmp.Diff([]any{int64(3), "text", []int64{2, 5}}, got); diff != "" {
		t.Error(diff)
	}
}

func TestAttrs(t *testing.T) {
	a := Attrs{{"n", int64(3)}, {"f", 0.5}, {"s", "text"}}
	if a.Int("n") != 3 || a.Float("f") != 0.5 || a.Str("s") != "text" || a.Get("none") != nil || a.Str("none") != "" {
		t.Errorf("reading %v", a)
	}
	b := a.With("n", int64(4)).With("new", "x")
	if diff := cmp.Diff(Attrs{{"n", int64(4)}, {"f", 0.5}, {"s", "text"}, {"new", "x"}}, b); diff != "" {
		t.Error(diff)
	}
	if a.Int("n") != 3 || len(a) != 3 {
		t.Error("With changed what it copied")
	}
}
