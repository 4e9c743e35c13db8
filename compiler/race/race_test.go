package race_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/race"
	"github.com/glmc/glmc/kernels/dtype"
)

// trial is a graph with places for its results.
type trial struct {
	graph  *ir.Graph
	places map[*ir.Value]race.Extent
}

func (x *trial) where(v *ir.Value) (race.Extent, bool) { e, ok := x.places[v]; return e, ok }

func (x *trial) check() error {
	c := race.New(x.graph)
	if err := c.Shared(); err != nil {
		return err
	}
	return c.Arena(x.where)
}

// draw makes a small graph over all kinds of memory, with random streams, waits and places.
func draw(t *rapid.T) *trial {
	g := ir.NewGraph("forward")
	heads := ir.TensorType(dtype.F32, ir.Symbolic(ir.T), ir.Fixed(1), ir.Fixed(4))
	x, index := g.Input("x", heads), g.Input("slots", ir.SlotsInput)
	start, pages := g.Input("seq_start", ir.SeqStartInput), g.Input("pages", ir.PagesInput)
	state := g.State(&ir.Cache{Name: "attn", Heads: 1, HeadDim: 4})
	out := &trial{graph: g, places: map[*ir.Value]race.Extent{}}
	values := []*ir.Value{x}
	streams := rapid.IntRange(2, 3).Draw(t, "streams")
	for range rapid.IntRange(3, 8).Draw(t, "nodes") {
		any := func() *ir.Value { return rapid.SampledFrom(values).Draw(t, "operand") }
		var in []*ir.Value
		var attrs ir.Attrs
		op := rapid.SampledFrom([]string{"add", "act.silu", "reshape", "kv.write", "attn.paged", "comm.all_reduce"}).Draw(t, "op")
		switch op {
		case "add":
			in = []*ir.Value{any(), any()}
		case "kv.write":
			in = []*ir.Value{any(), any(), index, state}
		case "attn.paged":
			in, attrs = []*ir.Value{any(), index, start, pages, state}, ir.Attrs{{Key: "scale", Value: 0.5}}
		case "reshape":
			in, attrs = []*ir.Value{any()}, ir.Attrs{{Key: "shape", Value: heads.Shape}}
		default:
			in = []*ir.Value{any()}
		}
		n, err := g.NewNode(op, in, attrs, ir.Origin{Layer: -1})
		if err != nil {
			t.Fatal(err)
		}
		place(t, out, n)
		n.Stream = rapid.IntRange(0, streams-1).Draw(t, "stream")
		wait(t, g, n)
		g.Nodes = append(g.Nodes, n)
		if v := n.Out[0]; v.Type.State {
			state = v
		} else {
			values = append(values, v)
		}
	}
	if rapid.Bool().Draw(t, "returns") {
		g.Outputs = []*ir.Value{rapid.SampledFrom(values).Draw(t, "output")}
	}
	return out
}

// place gives results random bytes of a small arena, often the ones of an operand.
func place(t *rapid.T, x *trial, n *ir.Node) {
	v := n.Out[0]
	switch {
	case v.Type.State:
	case n.Op.View:
		if e, ok := x.places[n.In[0]]; ok {
			x.places[v] = e
		}
	default:
		x.places[v] = race.Extent{Offset: rapid.Int64Range(0, 8).Draw(t, "offset"), Bytes: rapid.SampledFrom([]int64{2, 1, 3, 0}).Draw(t, "bytes")}
	}
}

// wait lets a node wait for random nodes of other streams, for most of them where the graph is to be in order.
func wait(t *rapid.T, g *ir.Graph, n *ir.Node) {
	for i := len(g.Nodes) - 1; i >= 0; i-- {
		w := g.Nodes[i]
		taken := w.Stream == n.Stream
		for _, u := range n.Waits {
			taken = taken || u.Stream == w.Stream
		}
		if !taken && rapid.IntRange(0, 3).Draw(t, "wait") > 0 {
			n.Waits = append(n.Waits, w)
		}
	}
}

// access is what a node does to one piece of memory: a byte of the arena, a cache, the link between ranks.
type access struct {
	memory string
	write  bool
}

func (x *trial) accesses(n *ir.Node) []access {
	var out []access
	if n.Op.View {
		return nil
	}
	bytes := func(v *ir.Value, write bool) {
		for b := range x.places[v].Bytes {
			out = append(out, access{fmt.Sprint("byte ", x.places[v].Offset+b), write})
		}
	}
	for _, v := range n.In {
		bytes(v, false)
	}
	for _, v := range n.Out {
		bytes(v, true)
	}
	switch {
	case n.Op.Name == "kv.write":
		out = append(out, access{"cache", true})
	case n.Op.Name == "attn.paged":
		out = append(out, access{"cache", false})
	case strings.HasPrefix(n.Op.Name, "comm."):
		out = append(out, access{"link", true})
	}
	return out
}

func (x *trial) conflict(a, b *ir.Node) bool {
	for _, p := range x.accesses(a) {
		for _, q := range x.accesses(b) {
			if p.memory == q.memory && (p.write || q.write) {
				return true
			}
		}
	}
	return false
}

// races finds, by trying every interleaving of the streams, the pairs of nodes that conflict and can run in the
// order that the list does not have.
func (x *trial) races() map[[2]*ir.Node]bool {
	found := map[[2]*ir.Node]bool{}
	nodes := x.graph.Nodes
	seen := map[int]bool{}
	var run func(done int)
	run = func(done int) {
		if seen[done] {
			return
		}
		seen[done] = true
		for b, n := range nodes {
			if done&(1<<b) != 0 || !x.startable(done, b) {
				continue
			}
			for a := range b {
				if done&(1<<a) == 0 && x.conflict(nodes[a], n) {
					found[[2]*ir.Node{nodes[a], n}] = true
				}
			}
			run(done | 1<<b)
		}
	}
	run(0)
	return found
}

// startable says whether a node may start when the set of nodes has finished.
func (x *trial) startable(done, b int) bool {
	nodes := x.graph.Nodes
	for a := range b {
		needed := nodes[a].Stream == nodes[b].Stream
		for _, w := range nodes[b].Waits {
			needed = needed || w == nodes[a]
		}
		if needed && done&(1<<a) == 0 {
			return false
		}
	}
	return true
}

// stale runs the list in its order on bytes that say who wrote them.
func (x *trial) stale() bool {
	bytes, writer := map[int64]*ir.Node{}, map[*ir.Value]*ir.Node{}
	wrong := func(v *ir.Value) bool {
		e, ok := x.places[v]
		for b := range e.Bytes {
			if ok && bytes[e.Offset+b] != writer[v] {
				return true
			}
		}
		return false
	}
	for _, n := range x.graph.Nodes {
		if n.Op.View {
			writer[n.Out[0]] = writer[n.In[0]]
			continue
		}
		for _, v := range n.In {
			if wrong(v) {
				return true
			}
		}
		for _, v := range n.Out {
			writer[v] = n
			for b := range x.places[v].Bytes {
				bytes[x.places[v].Offset+b] = n
			}
		}
	}
	return len(x.graph.Outputs) > 0 && wrong(x.graph.Outputs[0])
}

// TestAgainstEveryInterleaving: the checker finds a race if and only if some interleaving of the streams swaps
// two nodes that touch the same memory, and a stale value if and only if bytes that say who wrote them do.
func TestAgainstEveryInterleaving(t *testing.T) {
	verdicts := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		for range 20 {
			verdicts[verdict(t, draw(t))]++
		}
	})
	for _, v := range []string{"none", "race", "stale"} {
		if verdicts[v] == 0 {
			t.Errorf("no trial had the verdict %q: %v", v, verdicts)
		}
	}
}

// verdict compares what the checker says of a trial with what trying everything says.
func verdict(t *rapid.T, x *trial) string {
	races, stale := x.races(), x.stale()
	err := x.check()
	var raced *race.Error
	var read *race.StaleError
	switch {
	case err == nil:
		if len(races) > 0 || stale {
			t.Fatalf("accepted, but there are %d races, stale: %v\n%s", len(races), stale, x.graph)
		}
		return "none"
	case errors.As(err, &raced):
		if !races[[2]*ir.Node{raced.First, raced.Second}] {
			t.Fatalf("%v: no interleaving swaps them\n%s", err, x.graph)
		}
		return "race"
	case errors.As(err, &read):
		if !stale {
			t.Fatalf("%v: but its bytes are there\n%s", err, x.graph)
		}
		return "stale"
	}
	t.Fatal(err)
	return ""
}
