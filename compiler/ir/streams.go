package ir

import (
	"fmt"
	"slices"
	"strings"
)

// A device may run the nodes of a graph on several streams at once. Node.Stream says on which, and Node.Waits
// for which nodes of other streams a node waits: a node starts when the one before it on its stream and all
// that it waits for have finished. What somebody waits for is an event. Every stream starts with the step, and
// the step ends when all streams have.
//
// The order of the list is always one in which a single stream may run everything, because a node stands behind
// all that it waits for. A device without streams ignores both fields.

// MaxStreams bounds the streams of a graph: the main one, the transfer of pages, and what runs beside the main
// one. Whoever proves something about a schedule keeps a number for each stream and node.
const MaxStreams = 8

// Streams is how many streams a graph uses: one more than its highest stream.
func (g *Graph) Streams() int {
	most := 0
	for _, n := range g.Nodes {
		most = max(most, n.Stream)
	}
	return most + 1
}

// schedule checks a node's stream and waits. Of each other stream it may wait for one node, because the last
// one implies those before it: so there are never more waits than streams.
func (v *graphVerifier) schedule(n *Node) {
	if n.Stream < 0 || n.Stream >= MaxStreams {
		v.failNode(n, "runs on stream %d: wants 0 to %d", n.Stream, MaxStreams-1)
		return
	}
	for i, w := range n.Waits {
		switch {
		case w == nil || !v.nodes[w]:
			v.failNode(n, "waits for a node that does not stand before it")
		case w.Stream == n.Stream:
			v.failNode(n, "waits for node %d, which runs on its own stream", w.ID)
		case slices.ContainsFunc(n.Waits[:i], func(u *Node) bool { return u != nil && u.Stream == w.Stream }):
			v.failNode(n, "waits for two nodes of stream %d: the later one is enough", w.Stream)
		default:
			continue
		}
		return
	}
}

// scheduleText is how the text form gives stream and waits, "" where a node has the usual ones.
func (n *Node) scheduleText() string {
	var b strings.Builder
	if n.Stream != 0 {
		fmt.Fprintf(&b, " stream %d", n.Stream)
	}
	for i, w := range n.Waits {
		lead := ","
		if i == 0 {
			lead = " waits ["
		}
		fmt.Fprintf(&b, "%s%d", lead, w.ID)
	}
	if len(n.Waits) > 0 {
		b.WriteByte(']')
	}
	return b.String()
}

// schedule parses what scheduleText prints.
func (p *parser) schedule(n *Node) {
	if p.accept("stream") {
		n.Stream = p.int()
	}
	if !p.accept("waits") {
		return
	}
	p.expect("[")
	for p.err == nil && !p.accept("]") {
		if len(n.Waits) > 0 {
			p.expect(",")
		}
		id := p.number()
		w := p.nodes[id]
		if w == nil {
			p.fail("node %d is not defined", id)
			return
		}
		n.Waits = append(n.Waits, w)
	}
}
