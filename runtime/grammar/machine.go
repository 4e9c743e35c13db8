package grammar

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"
)

// Bounds of what a grammar keeps while it is used. What is kept is forgotten when it is more, and made again when it is needed.
const (
	maxKeptStates = 4096
	maxKeptFrames = 32768
	maxKeptMasks  = 192
	// maxPlaces is in how many places at once a text can be. Beyond, some ways to go on are not followed, so that a grammar whose
	// alternatives multiply takes less than it might, but never what it should not.
	maxPlaces = 1024
	// maxNested is how deep objects and arrays are nested at most; readers have limits too (Python's is about 1000).
	maxNested = 256
)

// frame is a place in a node, and the places in the nodes around it to go on from behind the node. Equal frames of a generation
// are the same pointer. A frame with a literal or an automaton is a leaf: it waits for a byte.
type frame struct {
	node  *node
	at    int64 // bytes of a literal, state of an automaton, number of the next kid, member or item
	up    *frame
	id    int32
	depth int32  // objects and arrays that it is in
	seen  uint64 // the round of the machine that saw it
	only  *place // the state of a leaf alone
}

type frameKey struct {
	node *node
	at   int64
	up   *frame
}

// place is a state of the grammar: the set of leaves in which the text may be.
type place struct {
	leaves []*frame // by id
	end    bool     // the text may end here
	plain  [classes]int32
	next   []*place // by class of byte; nil: not known yet
	mask   atomic.Pointer[[]uint64]
	born   uint32 // generation
}

// nowhere is the place of texts that a grammar does not take.
var nowhere = new(place)

const endless = int32(1) << 30

// machine makes places and the steps between them, and keeps them. Its methods want the lock.
type machine struct {
	mu      sync.Mutex
	root    *node
	classes [256]uint8 // bytes that no node tells apart
	bytes   []byte     // one byte of each class

	generation uint32
	frames     map[frameKey]*frame
	places     map[uint64][]*place
	all        []*place
	masks      map[uint64][]*[]uint64 // by hash
	kept       int                    // masks
	start      *place

	round  uint64
	cost   int // leaves that were gone on with, and frames that were copied
	leaves []*frame
	end    bool
}

func newMachine(root *node) *machine {
	m := &machine{root: root}
	m.findClasses()
	m.forget()
	return m
}

// findClasses finds the bytes that all nodes treat alike.
func (m *machine) findClasses() {
	var cut [257]bool
	spans := func(s span) { cut[s.lo], cut[int(s.hi)+1] = true, true }
	everyNode(m.root, func(n *node) {
		for i := range len(n.text) {
			spans(span{n.text[i], n.text[i]})
		}
		for _, d := range []*dfa{n.dfa, n.char} {
			if d == nil {
				continue
			}
			for _, list := range d.edges {
				for _, e := range list {
					spans(e.span)
				}
			}
		}
	})
	for b := range 256 {
		if b == 0 || cut[b] {
			m.bytes = append(m.bytes, byte(b))
		}
		m.classes[b] = uint8(len(m.bytes) - 1)
	}
}

// everyNode calls a function with each node once.
func everyNode(root *node, visit func(*node)) {
	seen := map[*node]bool{root: true}
	todo := []*node{root}
	push := func(n *node) {
		if !seen[n] {
			seen[n] = true
			todo = append(todo, n)
		}
	}
	for len(todo) > 0 {
		n := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		visit(n)
		n.parts(push)
	}
}

// forget begins a new generation. Places of the one before stay valid for who holds them, but know and learn nothing any more: who
// holds one holds no others with it.
func (m *machine) forget() {
	for _, p := range m.all {
		p.next = nil
		p.mask.Store(nil)
	}
	for _, f := range m.frames {
		f.only = nil
	}
	m.generation++
	m.frames = map[frameKey]*frame{}
	m.places = map[uint64][]*place{}
	m.masks = map[uint64][]*[]uint64{}
	m.all, m.kept = nil, 0
	m.open()
	m.push(m.root, 0, nil)
	m.start = m.settle()
}

// renew gives the place of this generation that is the same.
func (m *machine) renew(p *place) *place {
	if p.born == m.generation || p == nowhere {
		return p
	}
	m.open()
	m.end = p.end
	for _, f := range p.leaves {
		m.add(m.copy(f))
	}
	return m.settle()
}

func (m *machine) copy(f *frame) *frame {
	var chain []*frame
	for ; f != nil; f = f.up {
		chain = append(chain, f)
	}
	m.cost += len(chain)
	var up *frame
	for _, f := range slices.Backward(chain) {
		up = m.frame(f.node, f.at, up)
	}
	return up
}

func (m *machine) frame(n *node, at int64, up *frame) *frame {
	key := frameKey{n, at, up}
	f := m.frames[key]
	if f == nil {
		f = &frame{node: n, at: at, up: up, id: int32(len(m.frames))}
		if up != nil {
			f.depth = up.depth
		}
		if n.kind == objectNode || n.kind == arrayNode {
			f.depth++
		}
		m.frames[key] = f
	}
	return f
}

// step gives the place behind a byte.
func (m *machine) step(p *place, b byte) *place {
	c := m.classes[b]
	if p.next != nil && p.next[c] != nil {
		return p.next[c]
	}
	to := m.work(p, m.bytes[c])
	if p.born == m.generation && p != nowhere {
		if p.next == nil {
			p.next = make([]*place, len(m.bytes))
		}
		p.next[c] = to
	}
	return to
}

func (m *machine) work(p *place, b byte) *place {
	if p.born != m.generation {
		p = m.renew(p)
	}
	m.open()
	m.cost += len(p.leaves)
	for _, f := range p.leaves {
		switch n := f.node; n.kind {
		case literalNode:
			if n.text[f.at] == b {
				m.push(n, f.at+1, f.up)
			}
		case dfaNode:
			if to := n.dfa.next(int32(f.at), b); to >= 0 {
				m.push(n, int64(to), f.up)
			}
		case countedNode:
			if to := n.counted(countOfText(f.at), b); to.state >= 0 {
				m.push(n, to.pack(), f.up)
			}
		}
	}
	return m.settle()
}

// open begins a set of leaves, push and resume add to it, and settle makes it a place.
func (m *machine) open() {
	m.round++
	m.leaves, m.end = m.leaves[:0], false
}

func (m *machine) add(f *frame) {
	if f.seen != m.round {
		f.seen = m.round
		m.leaves = append(m.leaves, f)
	}
}

// resume goes on behind a node, in the frame around it.
func (m *machine) resume(up *frame) {
	if up == nil {
		m.end = true
		return
	}
	if up.seen == m.round {
		return
	}
	up.seen = m.round
	m.push(up.node, up.at, up.up)
}

// push adds the leaves that a text may be in when it has come to a place in a node.
func (m *machine) push(n *node, at int64, up *frame) {
	if len(m.leaves) == maxPlaces {
		return
	}
	switch n.kind {
	case literalNode:
		if int(at) == len(n.text) {
			m.resume(up)
		} else {
			m.add(m.frame(n, at, up))
		}
	case countedNode:
		c := countOfText(at)
		if c.char > 0 || n.most < 0 || c.count < n.most {
			m.add(m.frame(n, at, up))
		}
		if c.char == 0 && c.count >= n.least {
			m.resume(up)
		}
	case dfaNode:
		if len(n.dfa.edges[at]) > 0 {
			m.add(m.frame(n, at, up))
		}
		if n.dfa.accept[at] {
			m.resume(up)
		}
	case sequenceNode:
		// The last kid needs no frame: what comes behind it is what comes behind the sequence.
		switch int(at) {
		case len(n.kids): // it has none
			m.resume(up)
		case len(n.kids) - 1:
			m.push(n.kids[at], 0, up)
		default:
			m.push(n.kids[at], 0, m.frame(n, at+1, up))
		}
	case choiceNode:
		for _, k := range n.kids {
			if m.fits(k, up) {
				m.push(k, 0, up)
			}
		}
	case objectNode:
		m.object(n, at, up)
	case arrayNode:
		m.array(n, at, up)
	}
}

// counted is a place in a counted text.
type counted struct{ count, state, char int32 }

func (c counted) pack() int64 { return int64(c.count)<<32 | int64(c.state)<<8 | int64(c.char) }

func countOfText(at int64) counted {
	return counted{int32(at >> 32), int32(at>>8) & (1<<24 - 1), int32(at & 0xFF)}
}

// counted goes on with a byte; the state is -1 where it cannot.
func (n *node) counted(c counted, b byte) counted {
	state, char := n.dfa.next(c.state, b), n.char.next(c.char, b)
	if state < 0 || char < 0 {
		return counted{state: -1}
	}
	c.state, c.char = state, char
	if n.char.accept[char] {
		c.char = 0
		if c.count++; n.most < 0 {
			c.count = min(c.count, n.least)
		}
	}
	return c
}

// close ends an object or an array.
func (m *machine) close(n *node, up *frame) {
	if n.end == nil {
		m.resume(up)
	} else {
		m.push(n.end, 0, up)
	}
}

// array goes on in an array. Place 0 is before its bracket; the others are 1 and the number of items that it has.
func (m *machine) array(n *node, at int64, up *frame) {
	if at == 0 && n.open != nil {
		m.push(n.open, 0, m.frame(n, 1, up))
		return
	}
	if n.set {
		m.distinct(n, at, up)
		return
	}
	at = max(at-1, 0)
	if at >= int64(n.least) {
		m.close(n, up)
	}
	kid := n.rest
	if int(at) < len(n.kids) {
		kid = n.kids[at]
	}
	if kid != nil && (n.most < 0 || at < int64(n.most)) {
		next := at + 1
		if n.most < 0 { // counted as far as it matters
			next = min(next, max(int64(n.least), int64(len(n.kids)), 1))
		}
		m.item(kid, at == 0, n, next+1, up)
	}
}

// item adds a member or an item, a sequence, with what parts it from the one before. It leads to a place of the object or
// array around it.
func (m *machine) item(n *node, first bool, around *node, at int64, up *frame) {
	up = m.frame(around, at, up)
	switch {
	case !m.fits(n, up):
	case first || around.between == nil:
		m.push(n, 0, up)
	default:
		m.push(around.between, 0, m.frame(n, 0, up))
	}
}

// fits says whether the node can be taken without nesting too deep. What has to come fits where what it is a part of did, so that
// the limit makes no dead ends.
func (m *machine) fits(n *node, up *frame) bool {
	return up == nil || n.height+up.depth <= maxNested
}

func (m *machine) settle() *place {
	if len(m.leaves) == 0 && !m.end {
		return nowhere
	}
	if len(m.all) >= maxKeptStates || len(m.frames) >= maxKeptFrames {
		return m.overflow()
	}
	if len(m.leaves) == 1 && !m.end {
		f := m.leaves[0]
		if f.only == nil {
			f.only = m.place()
		}
		return f.only
	}
	slices.SortFunc(m.leaves, func(a, b *frame) int { return cmp.Compare(a.id, b.id) })
	hash := uint64(14695981039346656037)
	if m.end {
		hash++
	}
	for _, f := range m.leaves {
		hash = (hash ^ uint64(f.id)) * 1099511628211
	}
	for _, p := range m.places[hash] {
		if p.end == m.end && slices.Equal(p.leaves, m.leaves) {
			return p
		}
	}
	p := m.place()
	m.places[hash] = append(m.places[hash], p)
	return p
}

// overflow begins a new generation with the place that is being made.
func (m *machine) overflow() *place {
	p := &place{leaves: slices.Clone(m.leaves), end: m.end}
	m.forget()
	p.born = m.generation - 1
	return m.renew(p)
}

func (m *machine) place() *place {
	p := &place{leaves: slices.Clone(m.leaves), end: m.end, born: m.generation}
	for _, f := range p.leaves {
		for c := range classes {
			p.plain[c] = max(p.plain[c], f.plain(c))
		}
	}
	m.all = append(m.all, p)
	return p
}

// plain is how many characters of a class may come next whatever they are.
func (f *frame) plain(c class) int32 {
	switch n := f.node; n.kind {
	case dfaNode:
		if n.dfa.plain[c][f.at] {
			return endless
		}
	case countedNode:
		at := countOfText(f.at)
		if at.char == 0 && n.dfa.plain[c][at.state] {
			if n.most < 0 {
				return endless
			}
			return n.most - at.count
		}
	}
	return 0
}
