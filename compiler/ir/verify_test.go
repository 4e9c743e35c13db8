package ir

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/kernels/dtype"
)

// attentionModule has one of everything that the verifier looks at.
const attentionModule = `module "m" ranks=2
cache @"self_attn" heads=2 dim=4
weight @"norm.weight": bf16[4] = tensor("norm.weight" [4])
weight @"o.weight": bf16[8, 8] = shard(tensor("o.weight" [8, 16]), 1, 2, 1)

graph forward(%1 q: f32[T, 2, 4], %2 k: f32[T, 2, 4], %3 v: f32[T, 2, 4], %4 pos: i32[T], %5 slots: i32[T], %6 seq_start: i32[B+1], %7 pages: i32[B, P]) {
  %10: f32[T, 2, 4] = norm.rms[8](%2, weight %9 @"norm.weight") {eps: 1e-05} "m.glm:1:1" "self_attn" -1
  %13: cache = kv.write[11](%10, %3, %5, cache %12 @"self_attn") "m.glm:2:1" "self_attn" -1
  %15: f32[T, 2, 4] = attn.paged[14](%1, %4, %6, %7, %13) {scale: 0.5} "m.glm:3:1" "self_attn" -1
  %17: f32[T, 8] = reshape[16](%15) {shape: [T, 8]} "m.glm:4:1" "" -1
  %20: f32[T, 8] = linear[18](%17, weight %19 @"o.weight", none) "m.glm:5:1" "" -1
  %22: f32[T, 8] = comm.all_reduce[21](%20) "m.glm:5:1" "" -1
  %24: f32[T, 16] = comm.all_gather[23](%22) {ranks: 2} "m.glm:6:1" "" -1
  return %24, %1
}
`

func TestVerifyTakesAValidModule(t *testing.T) {
	m, _ := parseGraph(t, attentionModule)
	if err := m.Verify(); err != nil {
		t.Error(err)
	}
}

// TestVerify plants one violation each into a valid module and asks for exactly the errors that it is to cause.
func TestVerify(t *testing.T) {
	node := func(g *Graph, op string) *Node {
		for _, n := range g.Nodes {
			if n.Op.Name == op {
				return n
			}
		}
		t.Fatalf("no %s in the module", op)
		return nil
	}
	for _, c := range []struct {
		name  string
		plant func(m *Module, g *Graph)
		want  string
	}{
		{"no ranks", func(m *Module, g *Graph) { m.Ranks = 0; m.Weights = m.Weights[:1]; g.Nodes = nil; g.Outputs = nil },
			`module is for 0 ranks: wants 1 to 64`},
		{"too many ranks", func(m *Module, g *Graph) { m.Ranks = 65; m.Weights = m.Weights[:1]; g.Nodes = nil; g.Outputs = nil },
			`module is for 65 ranks: wants 1 to 64`},
		{"graph name", func(m *Module, g *Graph) { g.Name = "for ward" },
			`graph "for ward": its name is no identifier`},
		{"two graphs of one name", func(m *Module, g *Graph) { m.Graphs = append(m.Graphs, NewGraph("forward")) },
			`graph "forward": its name is taken: graphs of one entry are for different buckets`},

		{"weight declared twice", func(m *Module, g *Graph) { m.Weights[1].Name = "norm.weight" },
			`weight norm.weight: declared twice`},
		{"weight of indices", func(m *Module, g *Graph) {
			w := *m.Weights[0]
			w.Name, w.DType = "i", dtype.I32
			m.Weights = append(m.Weights, &w)
		},
			`weight i: dtype is i32`},
		{"weight without recipe", func(m *Module, g *Graph) { m.Weights[0].Recipe = nil },
			`weight norm.weight: has no recipe`},
		{"recipe of another shape", func(m *Module, g *Graph) { m.Weights[0].Recipe = Stored("norm.weight", 8) },
			`weight norm.weight: recipe yields [8], shape is [4]`},
		{"recipe that does not fit", func(m *Module, g *Graph) { m.Weights[0].Recipe = Slice(Stored("w", 4), 0, 2, 4) },
			`weight norm.weight: slice of 4 from 2 on is outside of dimension 0 of shape [4]`},
		{"weight shape out of range", func(m *Module, g *Graph) {
			m.Weights = append(m.Weights, &Weight{Name: "w", DType: dtype.F32, Shape: []int{0}})
		},
			`weight w: shape [0]: dimension 0 is out of range`},
		{"shard for other ranks", func(m *Module, g *Graph) { m.Weights[1].Recipe.Group = 2 },
			`weight o.weight: shard into 2 parts for groups of 2 ranks does not cover 2 ranks`},
		{"shard within a recipe", func(m *Module, g *Graph) { m.Weights[0].Recipe = Lead(Shard(Stored("w", 4), 0, 1, 1)) },
			`weight norm.weight: shard into 1 parts for groups of 1 ranks does not cover 2 ranks`},

		{"cache declared twice", func(m *Module, g *Graph) { m.Caches = append(m.Caches, &Cache{"self_attn", 1, 1, 0}) },
			`cache self_attn: declared twice`},
		{"cache without heads", func(m *Module, g *Graph) { m.Caches = append(m.Caches, &Cache{"c", 0, 4, 0}) },
			`cache c: holds 0 heads of 4`},
		{"cache without values", func(m *Module, g *Graph) { m.Caches = append(m.Caches, &Cache{"c", 1, -4, 0}) },
			`cache c: holds 1 heads of -4`},

		{"cache with negative values", func(m *Module, g *Graph) { m.Caches = append(m.Caches, &Cache{"c", 1, 4, -2}) },
			`cache c: holds 1 heads of 4 and -2`},

		{"input without name", func(m *Module, g *Graph) { g.Inputs[0].Input = "" },
			`graph forward: input %1: its name "" is no identifier, or taken`},
		{"two inputs of one name", func(m *Module, g *Graph) { g.Inputs[1].Input = "q" },
			`graph forward: input %2: its name "q" is no identifier, or taken`},
		{"cache as input", func(m *Module, g *Graph) { v := g.Input("c", Type{State: true}); v.ID = 100 },
			`graph forward: input c is no tensor that a caller could provide`},
		{"weight as input", func(m *Module, g *Graph) {
			v := g.Load(m.Weights[0])
			v.Input = "w"
			g.Inputs = append(g.Inputs, v)
		}, `graph forward: input w is no tensor that a caller could provide`},
		{"input shape", func(m *Module, g *Graph) { g.Input("x", TensorType(dtype.F32, Fixed(0))) },
			`graph forward: input x: shape [0]: dimension 0 is out of range`},
		{"value numbers", func(m *Module, g *Graph) { g.Inputs[2].ID = 1 },
			`graph forward: value %1 is defined twice`},
		{"number of a weight", func(m *Module, g *Graph) { node(g, "norm.rms").In[1].ID = 3 },
			`graph forward: node 8 (norm.rms, m.glm:1:1): operand w: %3 stands for two things`},
		{"number of a cache", func(m *Module, g *Graph) { node(g, "kv.write").In[3].ID = 9 },
			`graph forward: node 11 (kv.write, m.glm:2:1): operand cache: %9 stands for two things`},
		{"result with the number of a weight", func(m *Module, g *Graph) { node(g, "comm.all_gather").Out[0].ID = 19 },
			`graph forward: value %19 is defined twice`},

		{"no operator", func(m *Module, g *Graph) { g.Nodes[5].Op = nil },
			`graph forward: node 21: its operator is not in the table
graph forward: node 23 (comm.all_gather, m.glm:6:1): operand x, %22, is not defined before its use`},
		{"foreign operator", func(m *Module, g *Graph) { op := *g.Nodes[6].Op; g.Nodes[6].Op = &op },
			`graph forward: node 23: its operator is not in the table
graph forward: output 0 is not defined`},
		{"node numbers", func(m *Module, g *Graph) { g.Nodes[6].ID = 8 },
			`graph forward: node 8 (comm.all_gather, m.glm:6:1): its number is taken`},
		{"node twice", func(m *Module, g *Graph) { g.Nodes = append(g.Nodes, g.Nodes[5]) },
			`graph forward: node 21 (comm.all_reduce, m.glm:5:1): its number is taken
graph forward: value %22 is defined twice`},
		{"negative stream", func(m *Module, g *Graph) { g.Nodes[1].Stream = -1 },
			`graph forward: node 11 (kv.write, m.glm:2:1): runs on stream -1: wants 0 to 7`},
		{"too many streams", func(m *Module, g *Graph) { g.Nodes[1].Stream = MaxStreams },
			`graph forward: node 11 (kv.write, m.glm:2:1): runs on stream 8: wants 0 to 7`},
		{"wait for a later node", func(m *Module, g *Graph) { g.Nodes[2].Stream, g.Nodes[1].Waits = 1, []*Node{g.Nodes[2]} },
			`graph forward: node 11 (kv.write, m.glm:2:1): waits for a node that does not stand before it`},
		{"wait for itself", func(m *Module, g *Graph) { g.Nodes[1].Waits = []*Node{g.Nodes[1]} },
			`graph forward: node 11 (kv.write, m.glm:2:1): waits for a node that does not stand before it`},
		{"wait for no node", func(m *Module, g *Graph) { g.Nodes[1].Waits = []*Node{nil} },
			`graph forward: node 11 (kv.write, m.glm:2:1): waits for a node that does not stand before it`},
		{"wait for a node of another graph", func(m *Module, g *Graph) {
			other, _ := parseGraph(t, attentionModule)
			g.Nodes[1].Stream, g.Nodes[1].Waits = 1, other.Graphs[0].Nodes[:1]
		}, `graph forward: node 11 (kv.write, m.glm:2:1): waits for a node that does not stand before it`},
		{"wait on the same stream", func(m *Module, g *Graph) { g.Nodes[1].Waits = []*Node{g.Nodes[0]} },
			`graph forward: node 11 (kv.write, m.glm:2:1): waits for node 8, which runs on its own stream`},
		{"wait for two of one stream", func(m *Module, g *Graph) { g.Nodes[2].Stream, g.Nodes[2].Waits = 1, g.Nodes[:2] },
			`graph forward: node 14 (attn.paged, m.glm:3:1): waits for two nodes of stream 0: the later one is enough`},
		{"use before definition", func(m *Module, g *Graph) { g.Nodes[4], g.Nodes[5] = g.Nodes[5], g.Nodes[4] },
			`graph forward: node 21 (comm.all_reduce, m.glm:5:1): operand x, %20, is not defined before its use`},
		{"use of what was never defined", func(m *Module, g *Graph) { g.Nodes = append(g.Nodes[:4:4], g.Nodes[5:]...) },
			`graph forward: node 21 (comm.all_reduce, m.glm:5:1): operand x, %20, is not defined before its use`},
		{"use of another graph's value", func(m *Module, g *Graph) { node(g, "attn.paged").In[0] = NewGraph("o").Input("q", g.Inputs[0].Type) },
			`graph forward: node 14 (attn.paged, m.glm:3:1): operand q, %1, is not defined before its use`},
		{"operand of the wrong type", func(m *Module, g *Graph) { node(g, "kv.write").In[2] = g.Inputs[0] },
			`graph forward: node 11 (kv.write, m.glm:2:1): operand slots is f32[T, 2, 4]`},
		{"operand of the wrong shape", func(m *Module, g *Graph) { node(g, "comm.all_reduce").In[0] = g.Nodes[2].Out[0] },
			`graph forward: node 21 (comm.all_reduce, m.glm:5:1): result 0 is f32[T, 8], its rule gives f32[T, 2, 4]`},
		{"missing operand", func(m *Module, g *Graph) { node(g, "attn.paged").In[0] = nil },
			`graph forward: node 14 (attn.paged, m.glm:3:1): operand q is missing`},
		{"too many operands", func(m *Module, g *Graph) { n := node(g, "comm.all_reduce"); n.In = append(n.In, n.In[0]) },
			`graph forward: node 21 (comm.all_reduce, m.glm:5:1): has 2 operands, wants 1`},
		{"wrong attribute", func(m *Module, g *Graph) { node(g, "norm.rms").Attrs = Attrs{{"eps", int64(1)}} },
			`graph forward: node 8 (norm.rms, m.glm:1:1): attribute eps is int64, wants a float`},
		{"wrong result type", func(m *Module, g *Graph) { node(g, "norm.rms").Out[0].Type.DType = dtype.BF16 },
			`graph forward: node 8 (norm.rms, m.glm:1:1): result 0 is bf16[T, 2, 4], its rule gives f32[T, 2, 4]
graph forward: node 11 (kv.write, m.glm:2:1): k is bf16[T, 2, 4] and v is f32[T, 2, 4]`},
		{"missing result", func(m *Module, g *Graph) { node(g, "kv.write").Out = nil },
			`graph forward: node 11 (kv.write, m.glm:2:1): has 0 results, its rule gives 1
graph forward: node 14 (attn.paged, m.glm:3:1): operand cache, %13, is not defined before its use`},
		{"result of another node", func(m *Module, g *Graph) { node(g, "comm.all_gather").Out[0].Def = g.Nodes[0] },
			`graph forward: node 23 (comm.all_gather, m.glm:6:1): result 0, %24, is defined elsewhere
graph forward: output 0 is not defined`},
		{"input as result", func(m *Module, g *Graph) { node(g, "comm.all_gather").Out[0].Input = "q" },
			`graph forward: node 23 (comm.all_gather, m.glm:6:1): result 0, %24, is defined elsewhere
graph forward: output 0 is not defined`},

		{"foreign weight", func(m *Module, g *Graph) { w := *m.Weights[0]; node(g, "norm.rms").In[1].Weight = &w },
			`graph forward: node 8 (norm.rms, m.glm:1:1): operand w: weight norm.weight is not in the module`},
		{"weight of another type", func(m *Module, g *Graph) { m.Weights[0].DType = dtype.F32 },
			`graph forward: node 8 (norm.rms, m.glm:1:1): operand w is bf16[4], weight norm.weight is f32[4]`},
		{"foreign cache", func(m *Module, g *Graph) { c := *m.Caches[0]; node(g, "kv.write").In[3].Cache = &c },
			`graph forward: node 11 (kv.write, m.glm:2:1): operand cache: cache self_attn is not in the module`},
		{"state without a cache", func(m *Module, g *Graph) {
			v := g.Input("state", Type{State: true})
			node(g, "kv.write").In[3] = v
		}, `graph forward: input state is no tensor that a caller could provide
graph forward: node 11 (kv.write, m.glm:2:1): operand cache does not go back to a cache
graph forward: node 14 (attn.paged, m.glm:3:1): operand cache does not go back to a cache`},
		{"keys that the cache does not hold", func(m *Module, g *Graph) { m.Caches[0].Heads = 1 },
			`graph forward: node 11 (kv.write, m.glm:2:1): k is f32[T, 2, 4], cache self_attn holds 1 heads of 4`},
		{"values that the cache does not hold", func(m *Module, g *Graph) { m.Caches[0].ValueDim = 3 },
			`graph forward: node 11 (kv.write, m.glm:2:1): v is f32[T, 2, 4], cache self_attn holds 2 heads of 4 and 3
graph forward: node 14 (attn.paged, m.glm:3:1): the result is f32[T, 2, 4], cache self_attn holds 2 heads of 4 and 3`},
		{"queries that do not divide", func(m *Module, g *Graph) {
			g.Inputs[0].Type.Shape[1] = Fixed(3)
			g.Nodes = g.Nodes[:3]
			g.Outputs = nil
		},
			`graph forward: node 14 (attn.paged, m.glm:3:1): q is f32[T, 3, 4], cache self_attn holds 2 heads of 4`},
		{"stale cache", func(m *Module, g *Graph) { node(g, "attn.paged").In[4] = node(g, "kv.write").In[3] },
			`graph forward: node 14 (attn.paged, m.glm:3:1): operand cache is the cache as it was before node 11 wrote to it`},
		{"stale cache under another number", func(m *Module, g *Graph) { node(g, "attn.paged").In[4] = g.State(m.Caches[0]) },
			`graph forward: node 14 (attn.paged, m.glm:3:1): operand cache is the cache as it was before node 11 wrote to it`},
		{"second write to a stale cache", func(m *Module, g *Graph) {
			w := node(g, "kv.write")
			n, err := g.NewNode("kv.write", w.In, nil, w.Origin)
			if err != nil {
				t.Fatal(err)
			}
			g.Nodes = append(g.Nodes, n)
		}, `graph forward: node 25 (kv.write, m.glm:2:1): operand cache is the cache as it was before node 11 wrote to it`},

		{"gather over other ranks", func(m *Module, g *Graph) {
			n := node(g, "comm.all_gather")
			n.Attrs = Attrs{{"ranks", int64(4)}}
			n.Out[0].Type.Shape[1] = Fixed(32)
		}, `graph forward: node 23 (comm.all_gather, m.glm:6:1): spans 4 ranks, the module is for 2`},

		{"output that is nothing", func(m *Module, g *Graph) { g.Outputs[1] = nil },
			`graph forward: output 1 is not defined`},
		{"output that is a weight", func(m *Module, g *Graph) { g.Outputs[1] = node(g, "norm.rms").In[1] },
			`graph forward: output 1 is not defined`},
		{"output that is a cache", func(m *Module, g *Graph) { g.Outputs[1] = node(g, "kv.write").Out[0] },
			`graph forward: output 1 is a cache, which the caller cannot read`},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, g := parseGraph(t, attentionModule)
			c.plant(m, g)
			err := m.Verify()
			if err == nil {
				t.Fatal("the verifier found nothing")
			}
			if diff := cmp.Diff(c.want, err.Error()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestVerifyManyWrites: a cache can be written again and again in one graph, but not so often that following
// the writes back becomes expensive.
func TestVerifyManyWrites(t *testing.T) {
	m, g := parseGraph(t, attentionModule)
	w := g.Nodes[1]
	state := g.Nodes[1].Out[0]
	for range maxWrites {
		n, err := g.NewNode("kv.write", []*Value{w.In[0], w.In[1], w.In[2], state}, nil, w.Origin)
		if err != nil {
			t.Fatal(err)
		}
		state = n.Out[0]
		g.Nodes = append(g.Nodes, n)
	}
	g.Nodes = append(g.Nodes[:2:2], g.Nodes[7:]...) // the attention read an old state
	g.Outputs = nil
	want := fmt.Sprintf("graph forward: node %d (kv.write, m.glm:2:1): cache self_attn is written more than 1024 times", state.Def.ID)
	if err := m.Verify(); err == nil || err.Error() != want {
		t.Errorf("got error %v, want %s", err, want)
	}
	g.Nodes = g.Nodes[:len(g.Nodes)-1]
	if err := m.Verify(); err != nil {
		t.Error(err)
	}
	if got := g.Nodes[len(g.Nodes)-1].Out[0].RootCache(); got != m.Caches[0] {
		t.Errorf("the last state belongs to cache %v", got)
	}
}

func TestVerifyCountsViolations(t *testing.T) {
	m, _ := parseGraph(t, attentionModule)
	for i := range maxViolations + 20 {
		m.Caches = append(m.Caches, &Cache{Name: fmt.Sprint(i)})
	}
	lines := strings.Split(m.Verify().Error(), "\n")
	if len(lines) != maxViolations+1 || lines[maxViolations] != "... and 20 more violations" {
		t.Errorf("got %d lines, the last is %q", len(lines), lines[len(lines)-1])
	}
}

func TestRootCacheOfOtherValues(t *testing.T) {
	m, g := parseGraph(t, attentionModule)
	if got := g.Nodes[2].In[4].RootCache(); got != m.Caches[0] {
		t.Errorf("the state that the attention reads belongs to %v", got)
	}
	for _, v := range []*Value{nil, g.Inputs[0], g.Nodes[0].Out[0]} {
		if v.RootCache() != nil {
			t.Errorf("%s belongs to a cache", v.ref())
		}
	}
}
