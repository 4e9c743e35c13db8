package cost

import (
	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/schedule"
)

// Program predicts one execution of a graph at the given sizes: kernel behind kernel, on each of its streams.
func Program(g *ir.Graph, s ir.Sizes, t Target) Estimate {
	e := Sum(g.Nodes, s, t)
	if g.Streams() > 1 {
		e.Seconds = Timeline(g, s, t).End
	}
	return e
}

// Timeline predicts when each node of a graph runs in one execution at the given sizes. A node that waits for one of
// another stream starts half an Event later: an Event is a fork and a join. A device without streams runs the graph
// in its order.
func Timeline(g *ir.Graph, s ir.Sizes, t Target) *schedule.Timeline {
	load := func(n *ir.Node) schedule.Load {
		e := Node(n, s, t)
		return schedule.Load{Seconds: e.Seconds, Memory: e.Memory, Compute: e.Compute}
	}
	if t.Event == 0 {
		return schedule.Serial(g, load)
	}
	return schedule.Predict(g, t.Event/2, load)
}
