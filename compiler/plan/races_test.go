package plan_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/compiler/plan/planpb"
	"github.com/glmc/glmc/kernels/dtype"
)

// streamed makes a random graph on several streams in which every node waits for whoever makes its operands.
func streamed(t *rapid.T) *ir.Graph {
	g := ir.NewGraph("forward")
	values := []*ir.Value{g.Input("x", ir.TensorType(dtype.F32, ir.Symbolic(ir.T), ir.Fixed(16)))}
	streams := rapid.IntRange(1, ir.MaxStreams).Draw(t, "streams")
	for range rapid.IntRange(1, 30).Draw(t, "nodes") {
		op, in := "act.silu", []*ir.Value{rapid.SampledFrom(values).Draw(t, "x")}
		if rapid.Bool().Draw(t, "two") {
			op, in = "add", append(in, rapid.SampledFrom(values).Draw(t, "y"))
		}
		n, err := g.NewNode(op, in, nil, ir.Origin{Layer: -1})
		if err != nil {
			t.Fatal(err)
		}
		n.Stream = rapid.IntRange(0, streams-1).Draw(t, "stream")
		waitForOperands(g, n)
		g.Nodes = append(g.Nodes, n)
		values = append(values, n.Out[0])
	}
	g.Outputs = append(g.Outputs, rapid.SampledFrom(values[1:]).Draw(t, "output"))
	return g
}

func waitForOperands(g *ir.Graph, n *ir.Node) {
	latest := map[int]*ir.Node{}
	for _, m := range g.Nodes {
		for _, v := range n.In {
			if v.Def == m && m.Stream != n.Stream {
				latest[m.Stream] = m
			}
		}
	}
	for s := range ir.MaxStreams {
		if latest[s] != nil {
			n.Waits = append(n.Waits, latest[s])
		}
	}
}

// TestLiveRangesOverStreams: where nodes wait for their operands, the layout that live ranges give never lets
// one write over what another stream may still read. The checker of races knows no live ranges.
func TestLiveRangesOverStreams(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := streamed(t)
		if err := plan.NewProgram(g).AddLayout("decode", ir.Sizes{Tokens: 4, Seqs: 4, Rows: 4}); err != nil {
			t.Fatalf("%v\n%s", err, g)
		}
	})
}

// TestLiveRangeBesideAnotherStream: the shared expert's input lives until the streams have met again, although
// its last reader in the list stands before the routed experts.
func TestLiveRangeBesideAnotherStream(t *testing.T) {
	m, err := ir.Parse(`module "m" ranks=1

graph forward(%1 x: f32[T, 16]) {
  %2: f32[T, 16] = act.silu[10](%1) "input" "" -1
  %3: f32[T, 16] = act.silu[11](%2) stream 1 waits [10] "shared" "" -1
  %4: f32[T, 16] = act.silu[12](%1) "routed" "" -1
  %5: f32[T, 16] = act.silu[13](%4) "routed, second" "" -1
  %6: f32[T, 16] = add[14](%3, %5) waits [11] "join" "" -1
  %7: f32[T, 16] = act.silu[15](%6) "next" "" -1
  return %7
}
`)
	if err != nil {
		t.Fatal(err)
	}
	p := plan.NewProgram(m.Graphs[0])
	buffers, err := p.Buffers(ir.Sizes{Tokens: 1, Seqs: 1, Rows: 1})
	if err != nil {
		t.Fatal(err)
	}
	var last []int
	for _, b := range buffers {
		last = append(last, b.Last)
	}
	// %2, which node 11 reads beside nodes 12 and 13, up to where node 14 has waited for it. %3 likewise.
	if diff := cmp.Diff([]int{4, 4, 3, 4, 5, 6}, last); diff != "" {
		t.Errorf("last steps (-want +got):\n%s", diff)
	}
}

// TestHostileSchedules: a plan whose schedule races is refused, even where every result has bytes of its own.
func TestHostileSchedules(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(pb *planpb.Plan)
		want   string
	}{
		{"an event that is missing", func(pb *planpb.Plan) { stepOf(pb, "linear").Waits = nil },
			`node 6 (embed, m.glm:1:1) on stream 0 and node 9 (linear, m.glm:2:1) on stream 1 share bytes of [0, 32) in the arena`},
		{"a join that is missing", func(pb *planpb.Plan) { stepOf(pb, "comm.all_reduce").Waits = nil },
			`node 9 (linear, m.glm:2:1) on stream 1 and node 13 (comm.all_reduce, m.glm:2:1) on stream 0 share bytes of [64, 80) in the arena`},
		{"a cache that is read beside its write", func(pb *planpb.Plan) { stepOf(pb, "attn.paged").Stream = 2 },
			`node 17 (kv.write, m.glm:4:1) on stream 0 and node 20 (attn.paged, m.glm:4:1) on stream 2 share cache attn, and neither waits for the other`},
	} {
		t.Run(c.name, func(t *testing.T) {
			pb := wire(t, encode(t, hand(t)))
			l := pb.Programs[0].Layouts[0]
			for i := range l.Offsets {
				l.Offsets[i] = uint64(64 * i)
			}
			l.ArenaBytes = uint64(64 * len(l.Offsets))
			if _, err := plan.Decode(marshal(t, pb)); err != nil {
				t.Fatalf("without the fault: %v", err)
			}
			c.change(pb)
			_, err := plan.Decode(marshal(t, pb))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got error %v\nwant      %s", err, c.want)
			}
		})
	}
}
