package layers

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/kernels/dtype"
)

const twoLayers = `module "m" ranks=1
cache @"layers.0.attn" heads=1 dim=4
cache @"layers.1.attn" heads=1 dim=4
weight @"layers.0.w": bf16[8] = tensor("layers.0.w" [8])
weight @"layers.1.w": bf16[8] = tensor("layers.1.w" [8])

graph forward(%1 x: f32[T, 8], %2 slots: i32[T], %3 k: f32[T, 1, 4]) {
  %5: f32[T, 8] = act.silu[4](%1) "m.glm:1:1" "" -1
  %7: f32[T, 8] = norm.rms[6](%5, weight %8 @"layers.0.w") {eps: 1e-05} "m.glm:2:1-2:9" "layers.0" 0
  %10: f32[T, 8] = scale[9](%7) {by: 2.0} "m.glm:3:1" "layers.0" 0
  %12: cache = kv.write[11](%3, %3, %2, cache %13 @"layers.0.attn") "m.glm:4:1" "layers.0" 0
  %15: f32[T, 8] = norm.rms[14](%10, weight %16 @"layers.1.w") {eps: 1e-05} "m.glm:2:1-2:9" "layers.1" 1
  %18: f32[T, 8] = scale[17](%15) {by: 2.0} "m.glm:3:1" "layers.1" 1
  %20: cache = kv.write[19](%3, %3, %2, cache %21 @"layers.1.attn") "m.glm:4:1" "layers.1" 1
  %23: f32[T, 8] = act.silu[22](%18) "m.glm:5:1" "" -1
  return %23
}
`

// kinds lists the layers with those that are like them.
func kinds(g *ir.Graph) string {
	text := ""
	for _, l := range Split(g) {
		if l.Like == l {
			text += fmt.Sprintf("%v x %d ", l.Alike, len(l.Nodes))
		}
	}
	return text
}

// TestSplit: layers are alike until something but the number differs.
func TestSplit(t *testing.T) {
	parse := func() *ir.Graph {
		m, err := ir.Parse(twoLayers)
		if err != nil {
			t.Fatal(err)
		}
		return m.Graphs[0]
	}
	if diff := cmp.Diff("[-1] x 2 [0 1] x 3 ", kinds(parse())); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for what, change := range map[string]func(n *ir.Node){
		"attribute":      func(n *ir.Node) { n.Attrs = n.Attrs.With("eps", 0.5) },
		"another one":    func(n *ir.Node) { n.Attrs = n.Attrs.With("more", int64(1)) },
		"place":          func(n *ir.Node) { n.Origin.Source = "m.glm:9:9" },
		"end":            func(n *ir.Node) { n.Origin.End = "" },
		"operator":       func(n *ir.Node) { n.Op = ir.Lookup("add") },
		"result":         func(n *ir.Node) { n.Out[0].Type.DType = dtype.BF16 },
		"shape":          func(n *ir.Node) { n.Out[0].Type.Shape = ir.Shape{ir.Fixed(1)} },
		"weight's name":  func(n *ir.Node) { n.In[1].Weight.Name = "layers.1.v" },
		"weight's dtype": func(n *ir.Node) { n.In[1].Type.DType = dtype.F32 },
		"recipe":         func(n *ir.Node) { n.In[1].Weight.Recipe = ir.Stored("layers.1.v", 8) },
		"no operand":     func(n *ir.Node) { n.In[1] = nil },
		"operand's type": func(n *ir.Node) { n.In[0].Type.DType = dtype.BF16 },
		"stream":         func(n *ir.Node) { n.Stream = 1 },
		"waits":          func(n *ir.Node) { n.Waits = []*ir.Node{n.In[0].Def} },
	} {
		g := parse()
		change(g.Nodes[4])
		if got := kinds(g); got != "[-1] x 2 [0] x 3 [1] x 3 " {
			t.Errorf("%s: %s", what, got)
		}
	}
	g := parse() // connected in another way
	g.Nodes[5].In[0] = g.Nodes[0].Out[0]
	if got := kinds(g); got != "[-1] x 2 [0] x 3 [1] x 3 " {
		t.Errorf("another operand: %s", got)
	}
}
