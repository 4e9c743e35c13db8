package schedule

import (
	"math"

	"github.com/glmc/glmc/compiler/ir"
)

// Load is what a node takes when it runs alone, in seconds: all in all, and how long it keeps the memory and the
// arithmetic units busy, which nodes that run at once share. None of the parts is longer than the whole.
type Load struct{ Seconds, Memory, Compute float64 }

// Span is when a node runs, in seconds from the start of the step.
type Span struct {
	Node       *ir.Node
	Stream     int
	Start, End float64
}

// Timeline is when the nodes of a graph run, as predicted.
type Timeline struct {
	Spans   []Span // one for each node, in list order; views begin and end at one time
	Streams int
	End     float64   // of the step, when all streams have ended
	Busy    []float64 // of each stream, seconds in which it ran something
}

// Predict runs a graph on its streams. A node starts when the one before it on its stream and all that it waits
// for have ended, event seconds later where it waits; the nodes of other streams run on meanwhile. Where those that
// run at once ask for more than all of the memory's time, or of the arithmetic's, all of them slow down alike.
//
// It is a simulation from event to event, in time linear in nodes and streams. What it leaves out: caches that nodes
// thrash for one another, and kernels that leave no room for others on the device although they do not use it.
func Predict(g *ir.Graph, event float64, load func(*ir.Node) Load) *Timeline {
	s := &simulation{timeline: &Timeline{Spans: make([]Span, len(g.Nodes)), Streams: g.Streams(), Busy: make([]float64, g.Streams())},
		queues: make([][]int, g.Streams()), running: make([]running, g.Streams()), ended: make(map[*ir.Node]bool, len(g.Nodes))}
	for i, n := range g.Nodes {
		s.timeline.Spans[i] = Span{Node: n, Stream: n.Stream}
		s.queues[n.Stream] = append(s.queues[n.Stream], i)
	}
	for s.start(event, load) {
		s.advance()
	}
	s.timeline.End = s.now
	return s.timeline
}

// Serial runs a graph on one stream, in the order of the list.
func Serial(g *ir.Graph, load func(*ir.Node) Load) *Timeline {
	t := &Timeline{Streams: 1}
	for _, n := range g.Nodes {
		start := t.End
		t.End += load(n).Seconds
		t.Spans = append(t.Spans, Span{Node: n, Start: start, End: t.End})
	}
	t.Busy = []float64{t.End}
	return t
}

type simulation struct {
	timeline *Timeline
	now      float64
	queues   [][]int // of each stream, the nodes that have not started
	running  []running
	ended    map[*ir.Node]bool
}

// running is what a stream runs at present.
type running struct {
	active bool
	node   int
	left   float64 // seconds, as if it ran alone
	load   Load
}

// start starts what can start on the streams that run nothing; false where nothing runs any longer.
func (s *simulation) start(event float64, load func(*ir.Node) Load) bool {
	any := false
	for t := range s.running {
		r := &s.running[t]
		if !r.active && len(s.queues[t]) > 0 {
			i := s.queues[t][0]
			n := s.timeline.Spans[i].Node
			if s.ready(n) {
				s.queues[t] = s.queues[t][1:]
				*r = running{active: true, node: i, load: load(n)}
				if r.left = r.load.Seconds; len(n.Waits) > 0 {
					r.left += event
				}
				s.timeline.Spans[i].Start = s.now
			}
		}
		any = any || r.active
	}
	return any
}

func (s *simulation) ready(n *ir.Node) bool {
	for _, w := range n.Waits {
		if !s.ended[w] {
			return false
		}
	}
	return true
}

// advance goes on to when the next node ends, and ends it.
func (s *simulation) advance() {
	slower := s.contention()
	next, left := -1, math.Inf(1)
	for t, r := range s.running {
		if r.active && r.left < left {
			next, left = t, r.left
		}
	}
	s.now += left * slower
	for t := range s.running {
		if r := &s.running[t]; r.active {
			r.left -= left
			s.timeline.Busy[t] += left * slower
		}
	}
	r := &s.running[next]
	r.active = false
	s.timeline.Spans[r.node].End = s.now
	s.ended[s.timeline.Spans[r.node].Node] = true
}

// contention is how many times slower the running nodes are than alone: what they ask of the memory or of the
// arithmetic, where that is more than there is.
func (s *simulation) contention() float64 {
	var memory, compute float64
	for _, r := range s.running {
		if r.active && r.load.Seconds > 0 {
			memory += r.load.Memory / r.load.Seconds
			compute += r.load.Compute / r.load.Seconds
		}
	}
	return max(1, memory, compute)
}
