package ir

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/glmc/glmc/kernels/dtype"
)

func roundTrip(t rapid.TB, m *Module) {
	t.Helper()
	text := m.String()
	back, err := Parse(text)
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	if diff := cmp.Diff(text, back.String()); diff != "" {
		t.Fatal(diff)
	}
}

// TestRoundTripOfRandomModules: a module that the verifier takes prints as a text that parses to the same text
// and to a module that the verifier takes.
func TestRoundTripOfRandomModules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawModule(t)
		if err := m.Verify(); err != nil {
			t.Fatalf("%v in\n%s", err, m)
		}
		roundTrip(t, m)
		back, err := Parse(m.String())
		if err != nil {
			t.Fatal(err)
		}
		if err := back.Verify(); err != nil {
			t.Fatalf("after the round trip: %v", err)
		}
	})
}

// TestRandomModulesHaveEveryOperator: the generator is worth something.
func TestRandomModulesHaveEveryOperator(t *testing.T) {
	made := map[string]bool{}
	for seed := range 200 {
		for _, g := range rapid.Custom(drawModule).Example(seed).Graphs {
			for _, n := range g.Nodes {
				made[n.Op.Name] = true
			}
		}
	}
	for _, op := range Table {
		if !made[op.Name] {
			t.Errorf("no random module has a node %s", op.Name)
		}
	}
}

// generator makes random modules by trying operators on random operands.
type generator struct {
	t      *rapid.T
	module *Module
	graph  *Graph
	values []*Value
}

var randomStrings = rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "model.layers.3", "a \"b\"\n", "\xff\x00", "\\", "é\u2028\ufeff"}))

func drawModule(t *rapid.T) *Module {
	m := &Module{Name: randomStrings.Draw(t, "module"), Ranks: 1}
	for i := range rapid.IntRange(0, 2).Draw(t, "graphs") {
		g := &generator{t: t, module: m, graph: NewGraph(fmt.Sprintf("g%d.x", i))}
		g.draw()
		m.Graphs = append(m.Graphs, g.graph)
	}
	return m
}

func (g *generator) draw() {
	for i, typ := range []Type{
		TensorType(dtype.F32, Symbolic(T), Fixed(8)), TensorType(dtype.F32, Symbolic(T), Fixed(2), Fixed(4)),
		TensorType(dtype.I32, Symbolic(T)), SeqStartInput, PagesInput, RowsInput,
		TensorType(dtype.I32, Symbolic(T), Fixed(2)), TensorType(dtype.F32, Symbolic(T), Fixed(2)),
		TensorType(dtype.F32, Symbolic(T), Fixed(1), Fixed(4)),
		TensorType(dtype.BF16, drawDim(g.t, []Sym{T, B}), Fixed(4)),
	} {
		g.values = append(g.values, g.graph.Input(fmt.Sprintf("in%d", i), typ))
	}
	for _, op := range Table {
		for range rapid.IntRange(0, 6).Draw(g.t, op.Name) {
			g.try(op)
		}
	}
	for range rapid.IntRange(0, 3).Draw(g.t, "outputs") {
		if v := g.value(Operand{}); v != nil {
			g.graph.Outputs = append(g.graph.Outputs, v)
		}
	}
}

// try adds a node if random operands and attributes suit the operator.
func (g *generator) try(op *Op) {
	var in []*Value
	for _, o := range op.Operands {
		if o.Optional && rapid.Bool().Draw(g.t, "absent") {
			in = append(in, nil)
			continue
		}
		if usual[op.Name+" "+o.Name] != "" {
			o.Name = op.Name + " " + o.Name
		}
		in = append(in, g.operand(o))
	}
	var attrs Attrs
	for _, a := range op.Attrs {
		if !a.Optional || rapid.Bool().Draw(g.t, "attr") {
			attrs = append(attrs, Attr{a.Key, g.attr(a)})
		}
	}
	origin := Origin{Source: randomStrings.Draw(g.t, "source"), Path: randomStrings.Draw(g.t, "path"), Layer: rapid.IntRange(-1, 9).Draw(g.t, "layer")}
	n, err := g.graph.NewNode(op.Name, in, attrs, origin)
	if err != nil || !g.fitCache(n) {
		return
	}
	g.schedule(n)
	g.graph.Nodes = append(g.graph.Nodes, n)
	g.values = append(g.values, n.Out...)
}

// schedule puts a node on a random stream and lets it wait for random nodes of others.
func (g *generator) schedule(n *Node) {
	if len(g.graph.Nodes) == 0 || rapid.IntRange(0, 3).Draw(g.t, "scheduled") > 0 {
		return
	}
	n.Stream = rapid.IntRange(0, MaxStreams-1).Draw(g.t, "stream")
	for range rapid.IntRange(0, 2).Draw(g.t, "waits") {
		w := rapid.SampledFrom(g.graph.Nodes).Draw(g.t, "wait")
		if w.Stream != n.Stream && !slices.ContainsFunc(n.Waits, func(u *Node) bool { return u.Stream == w.Stream }) {
			n.Waits = append(n.Waits, w)
		}
	}
}

// fitCache makes the cache of a node hold the node's keys; false where its queries do not go with them.
func (g *generator) fitCache(n *Node) bool {
	for i, o := range n.Op.Operands {
		if o.Kind != StateOperand {
			continue
		}
		var heads, dim, values int
		for j, name := range n.Op.Operands {
			if s := n.In[j]; name.Name == "k" || name.Name == "q" && heads == 0 {
				heads, dim = s.Type.Shape[1].Add, s.Type.Shape[2].Add
			}
			if name.Name == "v" {
				values = n.In[j].Type.Shape[2].Add
			}
		}
		if n.Op.attr(valueDim) != nil {
			values = n.Out[0].Type.Shape[2].Add
		}
		if heads == 0 { // it takes the cache as it is
			heads, dim, values = 2, 4, 4
		}
		c := n.In[i].Cache
		if c.Heads, c.HeadDim = heads, dim; values != dim {
			c.ValueDim = values
		}
		if n.Op.Operands[0].Name == "q" && n.In[0].Type.Shape[1].Add%heads != 0 {
			return false
		}
	}
	return true
}

// usual has the types that operators with many operands want of them; without a hint, random ones hardly ever
// go together.
var usual = map[string]string{
	"q": "f32[T, 2, 4]", "k": "f32[T, 2, 4]", "v": "f32[T, 2, 4]", "pos": "i32[T]", "slots": "i32[T]", "seq_start": "i32[B+1]",
	"pages": "i32[B, P]", "ids": "i32[T, 2]", "weights": "f32[T, 2]", "x": "f32[T, 8]", "logits": "f32[T, 8]", "rope.apply x": "f32[T, 2, 4]", "repeat.heads x": "f32[T, 1, 4]", "gate": "[2 3 8]", "up": "[2 3 8]", "down": "[2 8 3]",
	"scale": "f32[T, 1]", "linear.w8a8 x": "fp8_e4m3[T, 8]", "linear.w8a8 w": "[6 8]", "linear.split_w8a8 x": "fp8_e4m3[T, 8]",
	"linear.split_w8a8 w": "[6 8]", "moe.experts_w8a8 x": "fp8_e4m3[T, 8]",
	"moe.experts_w8a8 gate": "[2 3 8]", "moe.experts_w8a8 up": "[2 3 8]", "moe.experts_w8a8 down": "[2 8 3]",
}

// value picks a value of the graph that an operand takes, more often than not of the usual type; nil if there
// is none.
func (g *generator) value(o Operand) *Value {
	var fit, best []*Value
	for _, v := range g.values {
		if o.Kind.accepts(v) == nil {
			fit = append(fit, v)
			if v.Type.String() == usual[o.Name] {
				best = append(best, v)
			}
		}
	}
	if len(best) > 0 && rapid.IntRange(0, 4).Draw(g.t, "usual") > 0 {
		fit = best
	}
	if len(fit) == 0 {
		return nil
	}
	return rapid.SampledFrom(fit).Draw(g.t, "value")
}

func (g *generator) operand(o Operand) *Value {
	switch o.Kind {
	case WeightOperand, LinearOperand:
		return g.weight(o)
	case StateOperand:
		c := &Cache{Name: fmt.Sprint("cache ", len(g.module.Caches)), Heads: 2, HeadDim: 4}
		g.module.Caches = append(g.module.Caches, c)
		return g.graph.State(c)
	}
	return g.value(o)
}

func (g *generator) weight(o Operand) *Value {
	var shapes [][]int
	for _, s := range [][]int{{8}, {4}, {8, 8}, {6, 8}, {2, 3, 8}, {2, 8, 3}} {
		if want := usual[o.Name]; want == "" || want == fmt.Sprint(s) {
			shapes = append(shapes, s)
		}
	}
	shape := rapid.SampledFrom(shapes).Draw(g.t, "weight")
	w := &Weight{Name: fmt.Sprintf("%s#%d", randomStrings.Draw(g.t, "name"), len(g.module.Weights)), Shape: shape, Recipe: Stored("t", shape...)}
	w.DType = rapid.SampledFrom([]dtype.DType{dtype.F32, dtype.BF16}).Draw(g.t, "dtype")
	if o.Kind == LinearOperand && (strings.Contains(o.Name, "w8a8") || rapid.Bool().Draw(g.t, "fp8")) {
		w.DType = dtype.F8E4M3
	}
	switch rapid.IntRange(0, 4).Draw(g.t, "recipe") {
	case 0:
		w.Recipe = Lead(Concat(0, Slice(w.Recipe, 0, 0, 1), Slice(w.Recipe, 0, 1, shape[0]-1)))
	case 1:
		if len(shape) > 1 {
			w.Recipe = Each("t.{e}", shape[0], shape[1:]...)
		}
	case 2:
		if shape[0] == 2 {
			w.Recipe = Stack(Stored("a", shape[1:]...), Stored("b", shape[1:]...))
		}
	case 3:
		w.Recipe = Shard(w.Recipe, 0, 1, 1)
	}
	g.module.Weights = append(g.module.Weights, w)
	return g.graph.Load(w)
}

func (g *generator) attr(a AttrSpec) any {
	switch a.Kind {
	case IntAttr:
		if a.Key == "ranks" || a.Key == "normalise" {
			return int64(1)
		}
		return rapid.SampledFrom([]int64{1, 2, 4, 4, 2, 1, -1, math.MaxInt64}).Draw(g.t, "int")
	case FloatAttr:
		return rapid.SampledFrom([]float64{1, 2.5, 1e-5, 1e6, 1e21, math.MaxFloat64, math.SmallestNonzeroFloat64, math.Copysign(0, -1), -3}).Draw(g.t, "float")
	case ShapeAttr:
		return rapid.SampledFrom([]Shape{{Symbolic(T), Fixed(2), Fixed(4)}, {Symbolic(T), Fixed(8)}, {{Sym: T, Mul: 2}, Fixed(4)}}).Draw(g.t, "shape")
	case SizesAttr:
		return rapid.SampledFrom([]Shape{{Fixed(3), Fixed(5)}, {Fixed(1), Fixed(2), Fixed(3)}, {Symbolic(T), Fixed(8)}}).Draw(g.t, "sizes")
	}
	switch a.Key {
	case "dtype":
		return rapid.SampledFrom([]string{"f32", "bf16", "f16"}).Draw(g.t, "dtype")
	case "activation":
		return "silu"
	case "score":
		return rapid.SampledFrom([]string{"sigmoid", "softmax"}).Draw(g.t, "score")
	}
	return randomStrings.Draw(g.t, "string")
}

func TestParseErrors(t *testing.T) {
	const head = "module \"m\" ranks=1\n"
	const graph = head + "graph g(%1 x: f32[T]) {\n"
	deep := strings.Repeat("lead(", MaxRecipeDepth+1)
	for _, c := range []struct{ text, want string }{
		{``, `graph text:0:0: expected "module", found ""`},
		{`module m`, `graph text:1:8: expected a string, found "m"`},
		{`module "m" ranks 1`, `graph text:1:18: expected "=", found "1"`},
		{`module "m" ranks=`, `graph text:1:18: expected an integer, found ""`},
		{`module "m" ranks=0x10`, `graph text:1:18: expected an integer, found "0x10"`},
		{head + `cache @"c" heads=1 dim=1 cache @"c" heads=1 dim=1`, `graph text:2:50: cache "c" is declared twice`},
		{head + `weight @"w": f32[1] = tensor("w" [1]) weight @"w": f32[1] = tensor("w" [1])`, `graph text:2:76: weight "w" is declared twice`},
		{head + `weight @"w": f32[T] = tensor("w" [1])`, `graph text:2:21: weight "w" has the symbolic dimension T`},
		{head + `weight @"w": f64[1] = tensor("w" [1])`, `graph text:2:17: unknown dtype "f64": one of f32, bf16, f16, fp8_e4m3, i32, int8, int4`},
		{head + `weight @"w": f32[Q] = tensor("w" [1])`, `graph text:2:19: unknown size "Q"`},
		{head + `weight @"w": f32[1] = sensor("w" [1])`, `graph text:2:30: unknown recipe "sensor"`},
		{head + `weight @"w": f32[1] = ` + deep, `graph text:2:343: recipe nested deeper than 64`},
		{head + `weight @"w": f32[1] = shard(tensor("w" [1]), 1, 1)`, `graph text:2:50: expected ",", found ")"`},
		{head + `weight @"w": f32[1 2] = tensor("w" [1])`, `graph text:2:20: expected ",", found "2"`},
		{head + `note`, `graph text:2:1: expected a graph, found "note"`},
		{head + `graph 1`, `graph text:2:7: expected a name, found "1"`},
		{head + `graph g(%-1 x: f32[T]) {`, `graph text:2:13: number -1 is out of range`},
		{head + `graph g(%2147483648 x: f32[T]) {`, `graph text:2:21: number 2147483648 is out of range`},
		{head + `graph g(%1 x: f32[T], %1 y: f32[T]) {`, `graph text:2:35: %1 is defined twice`},
		{graph + `  %2: f32[T] = no.such[3](%1)`, `graph text:3:23: unknown operator "no.such"`},
		{graph + `  %2: f32[T] = act.silu[3](%4)`, `graph text:3:30: %4 is not defined`},
		{graph + `  %2: f32[T] = act.silu[3](%2) "" "" -1`, `graph text:3:30: %2 is not defined`},
		{graph + `  %1: f32[T] = act.silu[3](%1) "" "" -1 return`, `graph text:3:41: %1 is defined twice`},
		{graph + `  %2: f32[T] = act.silu[3](weight %3 @"w")`, `graph text:3:42: unknown weight "w"`},
		{graph + `  %2: f32[T] = act.silu[3](cache %3 @"c")`, `graph text:3:41: unknown cache "c"`},
		{graph + `  %2: f32[T] = scale[3](%1) {by: nan}`, `graph text:3:34: expected a value, found "nan"`},
		{graph + `  %2: f32[T] = scale[3](%1) {by: -inf}`, `graph text:3:35: expected a value, found "-inf"`},
		{graph + `  %2: f32[T] = scale[3](%1) {by: 1e999}`, `graph text:3:34: expected a value, found "1e999"`},
		{graph + `  %2: f32[T] = scale[3](%1) {by: 99999999999999999999}`, `graph text:3:34: integer 99999999999999999999 is out of range`},
		{graph + `  %2: f32[T] = act.silu[3](%1) stream x`, `graph text:3:39: expected an integer, found "x"`},
		{graph + `  %2: f32[T] = act.silu[3](%1) waits 3`, `graph text:3:38: expected "[", found "3"`},
		{graph + `  %2: f32[T] = act.silu[3](%1) waits [3]`, `graph text:3:40: node 3 is not defined`},
		{graph + `  %2: f32[T] = act.silu[3](%1) "unclosed`, `graph text:3:32: literal not terminated`},
		{graph + `  return %1, weight %1 @"w"`, `graph text:3:28: unknown weight "w"`},
		{head + "cache @\"c\" heads=1 dim=1\ngraph g(%1 x: f32[T]) {\n return cache %1 @\"c\"", `graph text:4:22: %1 stands for two things`},
	} {
		_, err := Parse(c.text)
		if err == nil || err.Error() != c.want {
			t.Errorf("%s:\n got error %v\nwant       %s", strings.TrimPrefix(c.text, head), err, c.want)
		}
	}
}

// TestSharedOperands: two uses of one operand stay one value.
func TestSharedOperands(t *testing.T) {
	_, g := parseGraph(t, `module "m" ranks=1
weight @"w": f32[8] = tensor("w" [8])

graph g(%1 x: f32[T, 8]) {
  %4: f32[T, 8] = norm.rms[3](%1, weight %2 @"w") {eps: 0.5} "" "" -1
  %6: f32[T, 8] = norm.rms[5](%4, weight %2 @"w") {eps: 0.5} "" "" -1
  return %6
}`)
	if g.Nodes[0].In[1] != g.Nodes[1].In[1] {
		t.Error("the two uses became two values")
	}
	if n, err := g.NewNode("act.silu", []*Value{g.Inputs[0]}, nil, Origin{}); err != nil || n.ID != 7 {
		t.Errorf("a new node has number %d (%v), want the next free one, 7", n.ID, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(attentionModule)
	f.Add("module \"m\" ranks=1\n" + chain)
	f.Add("module \"m\" ranks=2\ncache @\"c\" heads=0 dim=4\nweight @\"w\": f32[4] = shard(concat(slice(tensor(\"w\" [8]), 0, 0, 4), lead(tensor(\"v\" [4])), 0), 0, 2, 1)\n")
	f.Add("module \"m\" ranks=1\ngraph g(%1 x: f32[4*P-2, 0*B]) {\n  %2: cache = kv.write[3](%1, none, none, %1) {a: -0.0, b: \"\\xff\", c: [T, 2], d: 0x1p-2} \"\" \"\" -1\n  return\n}\n")
	f.Add("module \"m\" ranks=1\ngraph g(%1 x: f32[T]) {\n  %2: f32[T] = act.silu[3](%1) stream 1 \"\" \"\" -1\n  %4: f32[T] = act.silu[5](%2) waits [3] \"\" \"\" -1\n  return %4\n}\n")
	f.Add("module \"\" ranks=-1 graph g(%1 s: cache) { return %1 } graph g() { return }")
	f.Fuzz(func(t *testing.T, text string) {
		m, err := Parse(text)
		if err != nil {
			return
		}
		_ = m.Verify() // a verdict, whatever it is
		roundTrip(t, m)
	})
}
