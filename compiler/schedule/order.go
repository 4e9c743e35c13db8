// Package schedule says in which order the nodes of a graph may run when it has several streams, and how long
// they are likely to take.
package schedule

import (
	"slices"

	"github.com/glmc/glmc/compiler/ir"
)

// Order says which nodes of a graph have finished before which others start: those before it on its stream,
// those that it waits for, and what came before either. It is a vector clock for each node (Fidge 1988, Mattern
// 1989), taken over streams.
type Order struct {
	streams int
	nodes   [][]int // of each stream, in list order
	stream  []int   // of each node
	turn    []int   // of each node on its stream, from 1 on
	clocks  []int   // of each node, streams numbers: how many nodes of a stream have finished when it has
}

// NewOrder reads the order off the streams and waits of a graph that ir.Module.Verify accepts.
func NewOrder(g *ir.Graph) *Order {
	n, s := len(g.Nodes), g.Streams()
	o := &Order{streams: s, nodes: make([][]int, s), stream: make([]int, n), turn: make([]int, n), clocks: make([]int, n*s)}
	at := make(map[*ir.Node]int, n)
	for i, node := range g.Nodes {
		at[node] = i
		clock := o.clock(i)
		if before := o.nodes[node.Stream]; len(before) > 0 {
			copy(clock, o.clock(before[len(before)-1]))
		}
		for _, w := range node.Waits {
			for t, c := range o.clock(at[w]) {
				clock[t] = max(clock[t], c)
			}
		}
		o.nodes[node.Stream] = append(o.nodes[node.Stream], i)
		o.stream[i], o.turn[i] = node.Stream, len(o.nodes[node.Stream])
		clock[node.Stream] = o.turn[i]
	}
	return o
}

func (o *Order) clock(i int) []int { return o.clocks[i*o.streams : (i+1)*o.streams] }

// Before reports whether node a has finished when node b starts, whatever the device does. Nodes are given by
// their places in the list.
func (o *Order) Before(a, b int) bool { return a != b && o.clock(b)[o.stream[a]] >= o.turn[a] }

// Until is the place of the last node that may still run, or start, when node a has not finished: every node
// behind that place starts after a. On a single stream it is a itself.
func (o *Order) Until(a int) int {
	last := a
	for t, nodes := range o.nodes {
		if t == o.stream[a] {
			continue
		}
		// What a stream knows of another only grows.
		k, _ := slices.BinarySearchFunc(nodes, o.turn[a], func(b, turn int) int { return o.clock(b)[o.stream[a]] - turn })
		if k > 0 {
			last = max(last, nodes[k-1])
		}
	}
	return last
}
