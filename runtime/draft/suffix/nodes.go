package suffix

import "math/bits"

// Numbers of nodes. Zero is no node.
const (
	none = 0
	root = 1
)

// node is a place where the tree branches or a suffix ends, with the edge that leads to it. It has 32 bytes and no pointers.
type node struct {
	parent uint32 // node at the upper end of the edge
	ref    uint32 // position of the newest occurrence of the edge's label in the store
	count  uint32 // suffixes that entered the edge: occurrences of its first token behind all tokens above
	first  uint32 // the child with the highest count, head of the list of children
	next   uint32 // in the parent's list; of free nodes, the next free one
	prev   uint32
	chain  uint32 // next node of the same bucket

	length  uint8 // tokens of the label, from 1 to MaxDepth; the leaves of the open sequence end with it
	resting uint8 // suffixes of the open sequence that stand within the label, behind its first token and before its end
	tag     uint8 // of the first token: spares looking at it where it is another one
}

// nodes holds all nodes of a tree, and finds children by a hash table with chains. The table grows by one bucket at a time
// (Litwin, Linear hashing, 1980), so that no append ever waits until a large table is copied.
type nodes struct {
	chunks  []*[chunkSize]node
	used    uint32 // numbers that were handed out
	free    uint32 // list of those that came back
	live    int    // nodes, the root included
	buckets []*[chunkSize]uint32
	size    uint32 // buckets in use
	half    uint32 // the power of two with half <= size < 2*half
	secret  uint64 // keeps anybody from choosing tokens that fall into one bucket
}

func (t *nodes) init(secret uint64) {
	t.secret = secret | 1
	t.buckets = append(t.buckets, new([chunkSize]uint32))
	t.size, t.half = 16, 16
	t.used = 1 // none
	t.alloc()  // root
}

func (t *nodes) at(id uint32) *node { return &t.chunks[id>>chunkBits][id&chunkMask] }

// alloc gives a node whose fields are zero.
func (t *nodes) alloc() uint32 {
	t.live++
	if id := t.free; id != none {
		n := t.at(id)
		t.free = n.next
		*n = node{}
		return id
	}
	if int(t.used>>chunkBits) == len(t.chunks) {
		t.chunks = append(t.chunks, new([chunkSize]node))
	}
	t.used++
	return t.used - 1
}

func (t *nodes) release(id uint32) {
	*t.at(id) = node{next: t.free}
	t.free = id
	t.live--
}

// slot is the bucket of the child of a node whose label begins with a token.
func (t *nodes) slot(parent uint32, token int32) *uint32 {
	hi, lo := bits.Mul64(uint64(parent)<<32^uint64(uint32(token))^0x9e3779b97f4a7c15, t.secret)
	h := uint32(hi ^ lo)
	b := h & (2*t.half - 1)
	if b >= t.size {
		b = h & (t.half - 1)
	}
	return &t.buckets[b>>chunkBits][b&chunkMask]
}

// tagOf is what a node keeps of its first token.
func tagOf(token int32) uint8 { return uint8(token) ^ uint8(token>>8) }

// bytes is what the nodes take.
func (t *nodes) bytes() int {
	return len(t.chunks)*(8+32*chunkSize) + len(t.buckets)*(8+4*chunkSize)
}
