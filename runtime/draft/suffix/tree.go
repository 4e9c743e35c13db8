package suffix

import (
	"fmt"
	"math/rand/v2"
	"unsafe"
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
	store    store
	families []family
	unused   []uint32 // numbers of families
	tables   int      // slots of all families
	secret   uint64
	depth    uint32

	open  window           // the suffixes of the open sequence that are no leaves
	above [MaxDepth]uint32 // of those that stand within an edge, the node at its upper end
	opens uint32           // position of its first token

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
	t.secret = rand.Uint64() | 1
	t.nodes.init()
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
	return int(unsafe.Sizeof(*t)) + t.nodes.bytes() + t.store.bytes() + t.familyBytes() + 16*cap(t.sequences) + 4*cap(t.path)
}

// Used is the part of Bytes that holds something. It goes down with every removal, and what it goes down by is used again.
func (t *Tree) Used() int {
	return nodeBytes*t.live + t.familyBytes() + 4*int(t.store.end-t.store.begin)
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
			at = t.split(t.above[slot], at, offset, j)
		}
		w.node[slot] = t.leaf(at, token, t.depth-(pos-j))
	}
	w.n, w.pos = pos+1-j, pos+1
	for ; j != pos+1; j++ {
		slot := j % MaxDepth
		switch w.due[slot] {
		case pos:
			parent := w.node[slot]
			id := t.child(parent, token)
			n := t.enter(parent, id)
			t.above[slot], w.node[slot], w.due[slot] = parent, id, pos+uint32(n.length)
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

// enter counts a suffix that goes on from a node to its child, which is the best one when its count is higher than that of the others. Of
// equal ones the first stays the best.
func (t *Tree) enter(parent, id uint32) *node {
	n := t.at(id)
	n.count++
	if parent != root {
		if best := t.bestOf(t.at(parent)); best != id && n.count > t.at(best).count {
			t.prefer(parent, id)
		}
	}
	return n
}

// leaf adds the suffix whose last token was just stored: with this edge it may get as long as the depth allows.
func (t *Tree) leaf(parent uint32, token int32, length uint32) uint32 {
	id := t.alloc()
	*t.at(id) = node{ref: t.store.end - 1, count: 1, length: uint8(length), tag: tagOf(token)}
	t.adopt(parent, id)
	return id
}

// split makes a node within an edge, at which the open suffix that began at position j stands. The label above the node is that suffix's
// end, the newest occurrence there is. Others on the edge began later, so they stand before it: suffixes leave the window, or are sealed,
// longest first.
func (t *Tree) split(parent, id, offset, j uint32) uint32 {
	upper := t.alloc()
	n, u := t.at(id), t.at(upper)
	*u = node{ref: t.open.pos - offset, count: n.count, length: uint8(offset), tag: n.tag, first: id, kids: 1}
	t.replace(parent, id, upper)
	n.next = none
	n.ref += offset
	n.length -= uint8(offset)
	n.tag = tagOf(t.store.at(n.ref))
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
			continue // it is at the end
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
			t.split(t.above[slot], id, uint32(t.at(id).length)-(w.due[slot]-end), j)
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
