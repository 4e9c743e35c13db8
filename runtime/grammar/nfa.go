package grammar

import (
	"encoding/binary"
	"errors"
	"slices"
)

// nfa is an automaton as regular expressions give it (Thompson's construction). State 0 is the start.
type nfa struct {
	states []nfaState
	end    int32
}

type nfaState struct {
	edges []edge
	free  []int32 // steps that take no byte
	begin []int32 // the same, at the beginning of the text only
	last  []int32 // the same, behind which no byte may follow
}

// edge is a step by any of some bytes.
type edge struct {
	span
	to int32
}

func (n *nfa) state() int32 {
	n.states = append(n.states, nfaState{})
	return int32(len(n.states) - 1)
}

func (n *nfa) free(from, to int32) { n.states[from].free = append(n.states[from].free, to) }

func (n *nfa) edge(from int32, s span, to int32) {
	n.states[from].edges = append(n.states[from].edges, edge{s, to})
}

// text adds the steps of a text and gives the state behind it.
func (n *nfa) text(from int32, text string) int32 {
	for i := range len(text) {
		to := n.state()
		n.edge(from, span{text[i], text[i]}, to)
		from = to
	}
	return from
}

// spans adds a sequence of spans that leads to a state.
func (n *nfa) spans(from int32, spans []span, to int32) {
	for _, s := range spans[:len(spans)-1] {
		next := n.state()
		n.edge(from, s, next)
		from = next
	}
	n.edge(from, spans[len(spans)-1], to)
}

// budget is what the automata of one grammar may cost.
type budget struct {
	states int // states that may still be made
	steps  int // elementary steps that may still be done

	depends bool // a schema whose rest may be left to the model has members that others depend on
	plain   bool // that they do is left to the model
}

func newBudget() *budget { return &budget{states: MaxStates, steps: 400 * MaxStates} }

// errTooComplex is what an automaton ends with that is beyond its budget.
var errTooComplex = errors.New("the expression needs too many states")

func (b *budget) step(n int) error {
	if b.steps -= n; b.steps < 0 {
		return errTooComplex
	}
	return nil
}

func (b *budget) state() error {
	if b.states--; b.states < 0 {
		return errTooComplex
	}
	return nil
}

// determinise makes a deterministic automaton (the subset construction) and leaves out what leads nowhere. It is nil where the
// automaton takes no text at all.
func (n *nfa) determinise(b *budget) (*dfa, error) {
	d := &determiniser{n: n, b: b, known: map[string]int32{}, mark: make([]int32, 2*len(n.states))}
	if _, err := d.intern(d.closure([]int32{0}, true)); err != nil {
		return nil, err
	}
	for i := 0; i < len(d.sets); i++ {
		if err := d.steps(i); err != nil {
			return nil, err
		}
	}
	return d.out.trim(), nil
}

// determiniser holds sets of places. A place is twice a state, plus 1 where no byte may follow.
type determiniser struct {
	n     *nfa
	b     *budget
	sets  [][]int32
	known map[string]int32
	out   dfa
	mark  []int32 // the round of closure that saw the place
	round int32
	work  int
}

func (d *determiniser) closure(places []int32, begin bool) []int32 {
	d.round++
	var set []int32
	push := func(p int32) {
		d.work++
		if d.mark[p] != d.round {
			d.mark[p] = d.round
			set = append(set, p)
		}
	}
	for _, p := range places {
		push(p)
	}
	for i := 0; i < len(set); i++ {
		s, last := &d.n.states[set[i]/2], set[i]&1
		for _, to := range s.free {
			push(2*to | last)
		}
		for _, to := range s.last {
			push(2*to | 1)
		}
		if begin {
			for _, to := range s.begin {
				push(2*to | last)
			}
		}
	}
	slices.Sort(set)
	return set
}

func (d *determiniser) intern(set []int32) (int32, error) {
	key := make([]byte, 0, 4*len(set))
	for _, p := range set {
		key = binary.LittleEndian.AppendUint32(key, uint32(p))
	}
	if id, ok := d.known[string(key)]; ok {
		return id, nil
	}
	if err := d.b.state(); err != nil {
		return 0, err
	}
	d.work += len(set)
	id := int32(len(d.sets))
	d.known[string(key)] = id
	d.sets = append(d.sets, set)
	_, whole := slices.BinarySearch(set, 2*d.n.end)
	_, last := slices.BinarySearch(set, 2*d.n.end|1)
	d.out.accept = append(d.out.accept, whole || last)
	return id, nil
}

// steps adds the edges of a set: bytes are cut where an edge begins or ends, and each piece leads to one set.
func (d *determiniser) steps(i int) error {
	var edges []edge
	var cuts []int
	for _, p := range d.sets[i] {
		if p&1 == 0 {
			for _, e := range d.n.states[p/2].edges {
				edges = append(edges, e)
				cuts = append(cuts, int(e.lo), int(e.hi)+1)
			}
		}
	}
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)
	targets := make([][]int32, len(cuts))
	for _, e := range edges {
		from, _ := slices.BinarySearch(cuts, int(e.lo))
		for c := from; cuts[c] <= int(e.hi); c++ {
			targets[c] = append(targets[c], 2*e.to)
			d.work++
		}
	}
	var out []edge
	for c, to := range targets {
		if len(to) == 0 {
			continue
		}
		id, err := d.intern(d.closure(to, false))
		if err != nil {
			return err
		}
		out = appendEdge(out, edge{span{byte(cuts[c]), byte(cuts[c+1] - 1)}, id})
	}
	d.out.edges = append(d.out.edges, out)
	work := d.work
	d.work = 0
	return d.b.step(work)
}

// appendEdge adds an edge, to the last one where it goes on with it.
func appendEdge(list []edge, e edge) []edge {
	if n := len(list); n > 0 && list[n-1].to == e.to && list[n-1].hi+1 == e.lo {
		list[n-1].hi = e.hi
		return list
	}
	return append(list, e)
}
