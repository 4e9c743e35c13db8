package memory

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/kernels/dtype"
)

var oneToken = ir.Sizes{Tokens: 1, Seqs: 1, Rows: 1}

// parse reads a graph of one entry, and gives the values that its nodes write by number.
func parse(t testing.TB, nodes string) *ir.Graph {
	t.Helper()
	m, err := ir.Parse("module \"m\" ranks=1\ngraph g(%1 x: f32[T, 16], %2 y: f32[T, 16]) {\n" + nodes + "}\n")
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Verify(); err != nil {
		t.Fatal(err)
	}
	return m.Graphs[0]
}

// chain is a graph with a sharing of each kind. %6 renames %5.
const chain = `  %3: f32[T, 16] = act.silu[101](%1) "a.glm:1:1" "" -1
  %4: f32[T, 16] = add[102](%3, %2) "a.glm:2:1" "" -1
  %5: f32[T, 16] = act.swiglu[103](%4, %3) "a.glm:3:1" "" -1
  %6: f32[T, 4, 4] = reshape[104](%5) {shape: [T, 4, 4]} "a.glm:4:1" "" -1
  %7: f32[T, 4, 4] = act.softmax[105](%6) "a.glm:5:1" "" -1
  %8: f32[T, 32] = concat[106](%4, %2) "a.glm:6:1" "" -1
  return %7, %8
`

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		name, nodes string
		offsets     map[int]int64 // by value
		arena       int64
		want        string // "": it is right
	}{
		{"apart", chain, map[int]int64{3: 0, 4: 64, 5: 128, 7: 192, 8: 256}, 384, ""},
		{"in place", chain, map[int]int64{3: 0, 4: 64, 5: 0, 7: 0, 8: 128}, 256, ""},
		{"by another name", chain, map[int]int64{3: 0, 4: 64, 5: 128, 7: 128, 8: 192}, 320, ""},
		{"where a dead one was", chain, map[int]int64{3: 0, 4: 64, 5: 128, 7: 0, 8: 192}, 320, ""},
		{"beyond the arena", chain, map[int]int64{3: 0, 4: 64, 5: 128, 7: 192, 8: 320}, 384,
			"%8 (concat, a.glm:6:1): its 128 bytes at offset 320 are not inside of the arena of 384 bytes, or not aligned to 64"},
		{"below the arena", chain, map[int]int64{3: -64, 4: 64, 5: 0, 7: 0, 8: 128}, 384, "at offset -64"},
		{"not aligned", chain, map[int]int64{3: 0, 4: 64, 5: 160, 7: 224, 8: 256}, 384, "at offset 160"},
		{"read later", chain, map[int]int64{3: 0, 4: 0, 5: 128, 7: 192, 8: 256}, 384,
			"node 103 (act.swiglu, a.glm:3:1) reads %3 (act.silu, a.glm:1:1), but node 102 wrote %4 (add, a.glm:2:1) over it: [0, 64) and [0, 64)"},
		{"written over, read much later", chain, map[int]int64{3: 0, 4: 64, 5: 128, 7: 64, 8: 256}, 384,
			"node 106 (concat, a.glm:6:1) reads %4 (add, a.glm:2:1), but node 105 wrote %7 (act.softmax, a.glm:5:1) over it"},
		{"written over, then returned", chain, map[int]int64{3: 0, 4: 64, 5: 128, 7: 192, 8: 192}, 384,
			"the entry returns %7 (act.softmax, a.glm:5:1), but node 106 wrote %8 (concat, a.glm:6:1) over it: [192, 256) and [192, 320)"},
		{"an operator that does not work in place", chain, map[int]int64{3: 0, 4: 64, 5: 128, 7: 192, 8: 64}, 384,
			"%8 (concat, a.glm:6:1) at [64, 192) is written over %4 (add, a.glm:2:1) at [64, 128), which the node reads: the operator does not work in place there"},
		{"read as two operands",
			"  %3: f32[T, 16] = act.silu[101](%1) \"\" \"\" -1\n  %4: f32[T, 16] = add[102](%3, %3) \"\" \"\" -1\n  return %4\n",
			map[int]int64{3: 0, 4: 0}, 64, "which the node reads: as 2 operands"},
		{"another operand under another name",
			"  %3: f32[T, 16] = act.silu[101](%1) \"\" \"\" -1\n  %5: f32[T, 16] = reshape[103](%3) {shape: [T, 16]} \"\" \"\" -1\n  %4: f32[T, 16] = add[102](%3, %5) \"\" \"\" -1\n  return %4\n",
			map[int]int64{3: 0, 4: 0}, 64, "which the node reads: as 2 operands"},
		{"other types",
			"  %3: f32[T, 16] = act.silu[101](%1) \"\" \"\" -1\n  %4: f32[T, 1] = reduce.sum[102](%3) \"\" \"\" -1\n  %5: f32[T, 16] = mul[103](%3, %4) \"\" \"\" -1\n  return %5\n",
			map[int]int64{3: 0, 4: 64, 5: 64}, 128, "which the node reads: the types differ"},
		{"one line further", "  %3: f32[T, 32] = concat[101](%1, %2) \"\" \"\" -1\n  %4: f32[T, 32] = act.silu[102](%3) \"\" \"\" -1\n  return %4\n",
			map[int]int64{3: 0, 4: 64}, 192, "which the node reads: it starts elsewhere"},
		{"results of one node", `  %3: f32[T, 16] = act.silu[101](%1) "" "" -1
  %4: i32[T, 2], %5: f32[T, 2] = moe.top_k[102](%3, none) {k: 2, groups: 1, keep: 1} "" "" -1
  return %4, %5
`, map[int]int64{3: 64, 4: 0, 5: 0}, 128, "%4 (moe.top_k, ) and %5 (moe.top_k, ), results of one node, share bytes: [0, 8) and [0, 8)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := Check(parse(t, c.nodes), oneToken, func(v *ir.Value) int64 { return c.offsets[v.ID] }, c.arena)
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("got error %v\nwant %q", err, c.want)
			}
		})
	}
}

// randomGraph draws a graph of operators that work in place, that do not, and that rename.
func randomGraph(t *rapid.T) *ir.Graph {
	g := ir.NewGraph("g")
	row := ir.TensorType(dtype.F32, ir.Dim{Sym: ir.T, Mul: 1}, ir.Fixed(16))
	w := g.Load(&ir.Weight{Name: "w", DType: dtype.F32, Shape: []int{16}})
	values := []*ir.Value{g.Input("x", row)}
	pick := func(label string) *ir.Value {
		// Mostly late ones, so that the graph is a chain with side ways.
		return values[max(0, len(values)-1-rapid.IntRange(0, 3).Draw(t, label))]
	}
	for range rapid.IntRange(1, 10).Draw(t, "nodes") {
		var in []*ir.Value
		var attrs ir.Attrs
		op := rapid.SampledFrom([]string{"act.silu", "add", "act.swiglu", "norm.add_rms", "reshape", "concat", "slice"}).Draw(t, "op")
		switch op {
		case "act.silu":
			in = []*ir.Value{pick("a")}
		case "norm.add_rms":
			in, attrs = []*ir.Value{pick("a"), pick("b"), w}, ir.Attrs{{Key: "eps", Value: 1e-5}}
		case "reshape":
			in, attrs = []*ir.Value{pick("a")}, ir.Attrs{{Key: "shape", Value: row.Shape}}
		case "slice":
			in, attrs = []*ir.Value{pick("a")}, ir.Attrs{{Key: "from", Value: int64(0)}, {Key: "to", Value: int64(16)}}
		default:
			in = []*ir.Value{pick("a"), pick("b")}
		}
		n, err := g.NewNode(op, in, attrs, ir.Origin{})
		if err != nil {
			t.Fatal(err)
		}
		g.Nodes = append(g.Nodes, n)
		if op != "concat" { // whose result nobody takes
			values = append(values, n.Out...)
		}
	}
	g.Outputs = []*ir.Value{pick("output"), g.Nodes[len(g.Nodes)-1].Out[0]}
	return g
}

// wrong runs a graph over an arena in which each byte says who wrote it, and gives the first thing that goes wrong.
func wrong(g *ir.Graph, place map[*ir.Value]int64, arena int64) string {
	owner := make([]*ir.Value, arena)
	root := map[*ir.Value]*ir.Value{}
	bytes := func(v *ir.Value) []*ir.Value {
		n, _ := Bytes(v.Type, oneToken)
		return owner[place[v] : place[v]+n]
	}
	whole := func(v *ir.Value) bool {
		return root[v] == nil || !slices.ContainsFunc(bytes(root[v]), func(o *ir.Value) bool { return o != root[v] })
	}
	for _, n := range g.Nodes {
		if n.Op.View {
			root[n.Out[0]] = root[n.In[0]]
			continue
		}
		for _, v := range n.In {
			if !whole(v) {
				return fmt.Sprintf("node %d reads %%%d", n.ID, v.ID)
			}
		}
		for i, v := range n.Out {
			root[v] = v
			for b, o := range bytes(v) {
				allowed := o == nil || o.Def != n
				for k, in := range n.In {
					if o != nil && root[in] == o {
						alone := !slices.ContainsFunc(n.In, func(x *ir.Value) bool { return x != in && root[x] == o }) && slices.Index(n.In, in) == k &&
							!slices.Contains(n.In[k+1:], in)
						allowed = allowed && alone && place[o] == place[v] && slices.Contains(n.Op.InPlace, ir.InPlace{Result: i, Operand: k})
					}
				}
				if !allowed {
					return fmt.Sprintf("node %d writes byte %d of %%%d over %%%d", n.ID, b, v.ID, o.ID)
				}
			}
			for b := range bytes(v) {
				bytes(v)[b] = v
			}
		}
	}
	for _, v := range g.Outputs {
		if !whole(v) {
			return fmt.Sprintf("%%%d is returned", v.ID)
		}
	}
	return ""
}

// TestCheckAgreesWithBruteForce: on layouts that nobody planned, of which many are nearly right.
func TestCheckAgreesWithBruteForce(t *testing.T) {
	right := 0
	rapid.Check(t, func(t *rapid.T) {
		g, place, arena := randomGraph(t), map[*ir.Value]int64{}, int64(0)
		lines := rapid.IntRange(2, 12).Draw(t, "lines")
		for _, n := range g.Nodes {
			for i, v := range n.Out {
				place[v] = Align * int64(rapid.IntRange(0, lines).Draw(t, "line"))
				if len(n.Op.InPlace) > 0 && n.In[i] != nil && n.In[i].Def != nil && rapid.Bool().Draw(t, "in place") {
					place[v] = place[n.In[i]]
				}
				size, _ := Bytes(v.Type, oneToken)
				arena = max(arena, place[v]+size)
			}
		}
		err, who := Check(g, oneToken, func(v *ir.Value) int64 { return place[v] }, arena), wrong(g, place, arena)
		if (err != nil) != (who != "") {
			t.Fatalf("Check says %v, brute force finds %q", err, who)
		}
		if err == nil {
			right++
		}
	})
	t.Logf("%d layouts were right", right)
}

func TestBytes(t *testing.T) {
	for _, c := range []struct {
		shape ir.Shape
		want  int64 // -1: an error
	}{
		{ir.Shape{}, 4},
		{ir.Shape{{Sym: ir.T, Mul: 2, Add: 1}, ir.Fixed(8)}, 4 * 8 * 7},
		{ir.Shape{ir.Fixed(1 << 23), ir.Fixed(1 << 23)}, -1},
		{ir.Shape{{Sym: ir.P, Mul: 1}}, -1},
	} {
		got, err := Bytes(ir.Type{DType: dtype.F32, Shape: c.shape}, ir.Sizes{Tokens: 3})
		if (err != nil) != (c.want < 0) || err == nil && got != c.want {
			t.Errorf("%s: got %d, %v", c.shape, got, err)
		}
	}
}

// longChain is a graph of n results that are all alive until the end.
func longChain(n int) *ir.Graph {
	g := ir.NewGraph("g")
	x := g.Input("x", ir.TensorType(dtype.F32, ir.Dim{Sym: ir.T, Mul: 1}, ir.Fixed(16)))
	op := ir.Lookup("act.silu")
	for i := range n {
		node := &ir.Node{ID: i, Op: op, In: []*ir.Value{x}}
		node.Out = []*ir.Value{{ID: i, Type: x.Type, Def: node}}
		g.Nodes, g.Outputs = append(g.Nodes, node), append(g.Outputs, node.Out[0])
	}
	return g
}

// TestCheckOfManyResults: a quarter of a million results that are alive at the same time are no reason to compare each
// with each.
func TestCheckOfManyResults(t *testing.T) {
	const n = 1 << 18
	g := longChain(n)
	place := func(v *ir.Value) int64 { return int64((v.ID*7919)%n) * Align }
	if err := Check(g, oneToken, place, n*Align); err != nil {
		t.Fatal(err)
	}
	err := Check(g, oneToken, func(v *ir.Value) int64 { return place(g.Outputs[max(v.ID, 1)]) }, n*Align)
	if err == nil || !strings.HasPrefix(err.Error(), "the entry returns %0 (act.silu, ), but node 1 wrote %1 (act.silu, ) over it") {
		t.Errorf("got error %v", err)
	}
}

func BenchmarkCheck(b *testing.B) {
	g := longChain(3000)
	place := func(v *ir.Value) int64 { return int64((v.ID*7919)%3000) * Align }
	for b.Loop() {
		if err := Check(g, oneToken, place, 3000*Align); err != nil {
			b.Fatal(err)
		}
	}
}
