package suffix

import (
	"fmt"
	"math/rand/v2"
)

// MaxDepth is the greatest depth of a tree, in tokens.
const MaxDepth = 64

// Tree holds the suffixes of token sequences, each cut off at a depth, and how often what begins them occurs. It is not safe
// for concurrent use, but that several goroutines may read at once.
//
// Sequences come one after the other: [Tree.Append] adds to the open one, [Tree.Seal] closes it. The trie of all its suffixes is
// kept with edges of several tokens, and an append touches only what it changes (Ukkonen, On-line construction of suffix trees, 1995):
//
//   - A suffix that occurs once is a leaf, whose label ends with the sequence. It grows by itself.
//   - A suffix that occurs elsewhere too is a place in the tree, on an edge or at its end. If the longest of these can go on with the
//     next token then all can, because what occurs somewhere occurs there with everything that it ends in. Each knows when it will be
//     at the end of its edge, so that an append looks at the tree only for those that are.
//   - A suffix that cannot go on becomes a leaf, and its edge is split where it stood.
//
// A node counts who entered its edge. Who stands within it is in the window of open suffixes; the two together give the count at
// each token of the label.
//
// Labels are positions of tokens that are held once. A node's label is always its newest occurrence. So when sequences go in the
// order in which they came, what refers to the oldest one occurs nowhere else, and goes with it.
type Tree struct {
	nodes
	store store
	depth uint32
	open  window // the suffixes of the open sequence that are no leaves
	opens uint32 // position of its first token

	sequences []sequence // oldest first; those that were removed stay until the ones before them went
	firstID   uint64     // of sequences[0]
	kept      int        // sequences that were not removed
	tokens    int        // of those and of the open one
	changes   uint64     // rises with every change
	path      []uint32   // of removal
}

// sequence is a sealed one.
type sequence struct {
	begin, end uint32
	gone       uint32 // suffixes before this position were removed
	removed    bool   // from the first removed suffix on
}

// window holds places in a tree: those of the suffixes of a sequence with 1 to n tokens. The one that began at position p of
// the sequence is in slot p%MaxDepth.
type window struct {
	pos  uint32           // tokens of the sequence
	n    uint32           // places, less than the tree's depth
	node [MaxDepth]uint32 // whose edge it stands on, or at the end of
	due  [MaxDepth]uint32 // pos at which it is at the edge's end
}

// New makes an empty tree. The depth, from 2 to MaxDepth, is how many tokens a match and what follows it have together.
func New(depth int) *Tree {
	if depth < 2 || depth > MaxDepth {
		panic(fmt.Sprintf("suffix: depth %d: wants 2 to %d", depth, MaxDepth))
	}
	t := &Tree{depth: uint32(depth), path: make([]uint32, 0, MaxDepth)}
	t.nodes.init(rand.Uint64())
	t.changes = 1 // no reader has seen it
	return t
}

// Tokens is how many tokens are held: of sequences that were not removed.
func (t *Tree) Tokens() int { return t.tokens }

// Nodes is how many nodes there are.
func (t *Tree) Nodes() int { return t.live }

// Sequences is how many sealed sequences there are that were not removed.
func (t *Tree) Sequences() int { return t.kept }

// Bytes is the memory that the tree takes, unused parts included.
func (t *Tree) Bytes() int {
	return t.nodes.bytes() + t.store.bytes() + 16*cap(t.sequences) + 1024
}

// Used is the part of Bytes that holds something. It goes down with every removal, and what it goes down by is used again.
func (t *Tree) Used() int { return 36*t.live + 4*int(t.store.end-t.store.begin) }

// child finds the child of a node whose label begins with a token, or none.
func (t *Tree) child(parent uint32, token int32) uint32 {
	tag := tagOf(token)
	for id := *t.slot(parent, token); id != none; {
		n := t.at(id)
		if n.parent == parent && n.tag == tag && t.store.at(n.ref) == token {
			return id
		}
		id = n.chain
	}
	return none
}

// file puts a node with parent, label and tag into the table, which grows with the nodes.
func (t *Tree) file(id uint32) {
	n := t.at(id)
	slot := t.slot(n.parent, t.store.at(n.ref))
	n.chain, *slot = *slot, id
	if uint32(t.live) > t.size {
		t.addBucket()
	}
}

// unfile takes a node out of the table.
func (t *Tree) unfile(id uint32) {
	n := t.at(id)
	at := t.slot(n.parent, t.store.at(n.ref))
	for *at != id {
		at = &t.at(*at).chain
	}
	*at, n.chain = n.chain, none
}

// addBucket adds a bucket, which gets its part of another one.
func (t *Tree) addBucket() {
	if int(t.size>>chunkBits) == len(t.buckets) {
		t.buckets = append(t.buckets, new([chunkSize]uint32))
	}
	old := &t.buckets[(t.size-t.half)>>chunkBits][(t.size-t.half)&chunkMask]
	if t.size++; t.size == 2*t.half {
		t.half = t.size
	}
	id := *old
	*old = none
	for id != none {
		n := t.at(id)
		next := n.chain
		slot := t.slot(n.parent, t.store.at(n.ref))
		n.chain, *slot = *slot, id
		id = next
	}
}

// link puts a node into its parent's list of children: to the head, or behind it.
func (t *Tree) link(id uint32, head bool) {
	n := t.at(id)
	p := t.at(n.parent)
	if head || p.first == none {
		if n.prev, n.next = none, p.first; n.next != none {
			t.at(n.next).prev = id
		}
		p.first = id
		return
	}
	h := t.at(p.first)
	if n.prev, n.next = p.first, h.next; n.next != none {
		t.at(n.next).prev = id
	}
	h.next = id
}

// unlink takes a node out of its parent's list.
func (t *Tree) unlink(id uint32) {
	n := t.at(id)
	if n.next != none {
		t.at(n.next).prev = n.prev
	}
	if n.prev != none {
		t.at(n.prev).next = n.next
	} else {
		t.at(n.parent).first = n.next
	}
}

// replace puts a node into the place that another one has in the list of its parent.
func (t *Tree) replace(id, by uint32) {
	n, b := t.at(id), t.at(by)
	b.next, b.prev = n.next, n.prev
	if n.next != none {
		t.at(n.next).prev = by
	}
	if n.prev != none {
		t.at(n.prev).next = by
	} else {
		t.at(n.parent).first = by
	}
}

// Append adds a token to the open sequence.
func (t *Tree) Append(token int32) {
	w, pos := &t.open, t.store.end
	t.store.push(token)
	t.changes++
	t.tokens++
	w.node[pos%MaxDepth], w.due[pos%MaxDepth] = root, pos
	j := pos - w.n // where the longest suffix begins
	for ; j != pos+1; j++ {
		slot := j % MaxDepth
		at, left := w.node[slot], w.due[slot]-pos
		if left == 0 {
			if t.child(at, token) != none {
				break
			}
		} else {
			n := t.at(at)
			offset := uint32(n.length) - left
			if t.store.at(n.ref+offset) == token {
				break
			}
			at = t.split(at, offset, j)
		}
		w.node[slot] = t.leaf(at, token, t.depth-(pos-j))
	}
	w.n, w.pos = pos+1-j, pos+1
	for ; j != pos+1; j++ {
		slot := j % MaxDepth
		switch w.due[slot] {
		case pos:
			id := t.child(w.node[slot], token)
			n := t.enter(id)
			w.node[slot], w.due[slot] = id, pos+uint32(n.length)
			if n.length == 1 {
				n.ref = pos
			} else {
				n.resting++
			}
		case pos + 1:
			n := t.at(w.node[slot])
			n.resting--
			n.ref = pos + 1 - uint32(n.length)
		}
	}
	if w.n == t.depth {
		w.n-- // the longest one is complete
	}
}

// enter counts a suffix that goes on from a node to its child.
func (t *Tree) enter(id uint32) *node {
	n := t.at(id)
	n.count++
	if n.prev != none && n.parent != root && n.count >= t.at(t.at(n.parent).first).count {
		t.unlink(id)
		t.link(id, true)
	}
	return n
}

// leaf adds the suffix whose last token was just stored: with this edge it may get as long as the depth allows.
func (t *Tree) leaf(parent uint32, token int32, length uint32) uint32 {
	id := t.alloc()
	n, p := t.at(id), t.at(parent)
	*n = node{parent: parent, ref: t.store.end - 1, count: 1, length: uint8(length), tag: tagOf(token)}
	t.link(id, p.first != none && t.at(p.first).count == 1)
	t.file(id)
	return id
}

// split makes a node within an edge, at which the open suffix that began at position j stands, and others perhaps. The label above the node
// is that suffix's end, the newest occurrence there is.
func (t *Tree) split(id, offset, j uint32) uint32 {
	upper := t.alloc()
	n, u := t.at(id), t.at(upper)
	*u = node{parent: n.parent, ref: t.open.pos - offset, count: n.count, length: uint8(offset), tag: n.tag}
	t.replace(id, upper)
	t.unfile(id)
	t.file(upper)
	n.parent, n.prev, n.next, u.first = upper, none, none, id
	n.ref += offset
	n.length -= uint8(offset)
	n.tag = tagOf(t.store.at(n.ref))
	t.file(id)
	if n.resting == 0 {
		return upper
	}
	w := &t.open
	for ; j != w.pos; j++ {
		slot := j % MaxDepth
		if w.node[slot] != id {
			continue
		}
		switch left := w.due[slot] - w.pos; { // tokens to the end of the edge
		case left < uint32(n.length):
			continue
		case left == uint32(n.length):
			w.due[slot] = w.pos
		default:
			w.due[slot] -= uint32(n.length)
			u.resting++
		}
		w.node[slot] = upper
		n.resting--
		n.count--
	}
	return upper
}

// Seal closes the open sequence and gives its number. Numbers rise by one; a sequence without tokens gets one too.
func (t *Tree) Seal() uint64 {
	w, end := &t.open, t.store.end
	t.changes++
	for j := end - w.n; j != end; j++ {
		if slot := j % MaxDepth; w.due[slot] != end {
			id := w.node[slot]
			t.split(id, uint32(t.at(id).length)-(w.due[slot]-end), j)
		}
	}
	for j := end - min(t.depth-1, end-t.opens); j != end-w.n; j++ {
		n := t.at(w.node[j%MaxDepth])
		n.length = uint8(end - n.ref)
	}
	w.n = 0
	t.sequences = append(t.sequences, sequence{begin: t.opens, end: end, gone: t.opens})
	t.opens = end
	t.kept++
	return t.firstID + uint64(len(t.sequences)) - 1
}
