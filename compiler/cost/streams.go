package cost

import "github.com/glmc/glmc/compiler/ir"

// Program predicts one execution of a graph at the given sizes. On each stream kernel follows kernel; a node that
// waits for one of another stream starts when that has finished, and half an Event later. The step ends when all
// streams have ended, and never before all bytes have been moved and all operations done: streams share both.
// A device without streams runs the graph in its order.
func Program(g *ir.Graph, s ir.Sizes, t Target) Estimate {
	var e Estimate
	var ends [ir.MaxStreams]float64
	finished := map[*ir.Node]float64{}
	streams := t.Event > 0 && g.Streams() > 1
	for _, n := range g.Nodes {
		x := Node(n, s, t)
		e.add(x)
		if !streams {
			continue
		}
		start := ends[n.Stream]
		for _, w := range n.Waits {
			start = max(start, finished[w]) + t.Event/2
		}
		ends[n.Stream] = start + x.Seconds
		finished[n] = ends[n.Stream]
	}
	if !streams {
		return e
	}
	e.Seconds = max(e.Memory, e.Compute)
	for _, end := range ends {
		e.Seconds = max(e.Seconds, end)
	}
	return e
}
