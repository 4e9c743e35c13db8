// Package race proves that a program with several streams cannot read or write memory in an order that nobody
// meant. It knows the nodes, their streams and waits, and where results lie; it knows nothing of the pass that
// chose the streams, nor of the planner that chose the places.
package race

import (
	"fmt"

	"github.com/glmc/glmc/compiler/ir"
)

// Extent is where a value lies in the arena, in bytes.
type Extent struct{ Offset, Bytes int64 }

// Error is two nodes that touch the same memory, at least one of them writing, of which neither waits for the
// other: a device may run them in either order, or at once.
type Error struct {
	Graph  string
	First  *ir.Node // as the list has them
	Second *ir.Node
	Memory string // what they share
}

func (e *Error) Error() string {
	return fmt.Sprintf("graph %s: node %d (%s, %s) on stream %d and node %d (%s, %s) on stream %d share %s, and neither waits for the other",
		e.Graph, e.First.ID, e.First.Op.Name, e.First.Origin.Source, e.First.Stream,
		e.Second.ID, e.Second.Op.Name, e.Second.Origin.Source, e.Second.Stream, e.Memory)
}

// StaleError is a value that is not there any longer, or not yet, when somebody reads it, even where the nodes
// run one by one.
type StaleError struct {
	Graph  string
	Value  *ir.Value
	Reader *ir.Node // nil: the caller, behind the last node
	Writer *ir.Node // who wrote to its bytes last; nil: nobody
}

func (e *StaleError) Error() string {
	reader, writer := "the caller", "nobody wrote"
	if n := e.Reader; n != nil {
		reader = fmt.Sprintf("node %d (%s, %s)", n.ID, n.Op.Name, n.Origin.Source)
	}
	if n := e.Writer; n != nil {
		writer = fmt.Sprintf("node %d (%s, %s) wrote last", n.ID, n.Op.Name, n.Origin.Source)
	}
	return fmt.Sprintf("graph %s: %s reads %%%d from bytes that %s", e.Graph, reader, e.Value.ID, writer)
}

// Checker knows the order of a graph's nodes.
type Checker struct {
	graph   *ir.Graph
	streams int
	turn    []int32 // of each node on its stream, from 1 on
	clocks  []int32 // of each node, streams numbers: how many nodes of a stream have finished when it has
}

// New reads the order of a graph that ir.Module.Verify accepts: a node starts behind the one before it on its
// stream and behind those that it waits for. The order is kept as vector clocks (Fidge 1988, Mattern 1989).
func New(g *ir.Graph) *Checker {
	c := &Checker{graph: g}
	for _, n := range g.Nodes {
		c.streams = max(c.streams, n.Stream+1)
	}
	c.turn, c.clocks = make([]int32, len(g.Nodes)), make([]int32, len(g.Nodes)*c.streams)
	place := make(map[*ir.Node]int, len(g.Nodes))
	last := make([]int, c.streams) // the stream's node so far, counted from 1; 0: none
	for i, n := range g.Nodes {
		mine := c.clocks[i*c.streams : (i+1)*c.streams]
		if p := last[n.Stream]; p > 0 {
			c.join(mine, p-1)
		}
		for _, w := range n.Waits {
			c.join(mine, place[w])
		}
		mine[n.Stream]++
		c.turn[i], place[n], last[n.Stream] = mine[n.Stream], i, i+1
	}
	return c
}

// join makes a clock know all that node i knows.
func (c *Checker) join(clock []int32, i int) {
	for s, t := range c.clocks[i*c.streams : (i+1)*c.streams] {
		clock[s] = max(clock[s], t)
	}
}

// ordered reports whether node a, which stands before node b or is b itself, has finished when b starts. What
// one node does to the same bytes is its kernel's business.
func (c *Checker) ordered(a, b int32) bool {
	return a == b || c.clocks[int(b)*c.streams+c.graph.Nodes[a].Stream] >= c.turn[a]
}

func (c *Checker) race(a, b int32, format string, args ...any) error {
	return &Error{Graph: c.graph.Name, First: c.graph.Nodes[a], Second: c.graph.Nodes[b], Memory: fmt.Sprintf(format, args...)}
}

// Shared proves that nodes touch what all layouts share in one order. A cache is one piece of memory: which of
// its slots a node reads and writes only the step's data shows, and a page that is read by a transfer may be the
// one that the next write goes to, so a write has to wait until the transfer is complete. The ranks' link is
// another: collectives meet in the order in which the ranks start them, so two of them must have one. An error
// is an *Error.
func (c *Checker) Shared() error {
	caches := map[*ir.Cache]*history{}
	states := map[*ir.Value]*ir.Cache{}
	link := newHistory()
	for i, n := range c.graph.Nodes {
		if n.Op.Collective() {
			if err := c.touch(&link, int32(i), true, func() string { return "the link between the ranks" }); err != nil {
				return err
			}
		}
		cache, write := stateOf(n, states)
		if cache == nil {
			continue
		}
		if caches[cache] == nil {
			h := newHistory()
			caches[cache] = &h
		}
		if err := c.touch(caches[cache], int32(i), write, func() string { return "cache " + cache.Name }); err != nil {
			return err
		}
	}
	return nil
}

// stateOf is the cache that a node touches and whether it writes it; it notes whose the new state is.
func stateOf(n *ir.Node, states map[*ir.Value]*ir.Cache) (cache *ir.Cache, write bool) {
	for _, v := range n.In {
		switch {
		case v == nil || !v.Type.State:
		case v.Cache != nil:
			cache = v.Cache
		default:
			cache = states[v]
		}
	}
	for _, v := range n.Out {
		if v.Type.State {
			states[v], write = cache, true
		}
	}
	return cache, write
}

// history is who touched a piece of memory: the last writer, and the last reader on each stream since. Where
// nothing raced so far, earlier ones have finished before these (Flanagan and Freund 2009), and the time for
// each access does not grow.
type history struct {
	writer  int32 // place in the list; -1: none
	readers [ir.MaxStreams]int32
}

func newHistory() history {
	h := history{writer: -1}
	for s := range h.readers {
		h.readers[s] = -1
	}
	return h
}

// touch adds an access by node n and says with which earlier one it races.
func (c *Checker) touch(h *history, n int32, write bool, memory func() string) error {
	if h.writer >= 0 && !c.ordered(h.writer, n) {
		return c.race(h.writer, n, "%s", memory())
	}
	if !write {
		h.readers[c.graph.Nodes[n].Stream] = n
		return nil
	}
	for s := range c.streams {
		if r := h.readers[s]; r >= 0 && !c.ordered(r, n) {
			return c.race(r, n, "%s", memory())
		}
	}
	*h = newHistory()
	h.writer = n
	return nil
}
