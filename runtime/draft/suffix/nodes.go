package suffix

// Numbers of nodes. Zero is no node.
const (
	none = 0
	root = 1
)

// node is a place where the tree branches or a suffix ends, with the edge that leads to it. It has 20 bytes and no pointers. It does
// not know its parent: who needs that came from there.
type node struct {
	ref   uint32 // position of the newest occurrence of the edge's label in the store
	count uint32 // suffixes that entered the edge: occurrences of its first token behind all tokens above
	first uint32 // the child with the highest count, head of the list of children; or the number of the family, if it is large
	next  uint32 // in the parent's list; of free nodes, the next free one

	length  uint8 // tokens of the label, from 1 to MaxDepth; the leaves of the open sequence end with it
	resting uint8 // suffixes of the open sequence that stand within the label, behind its first token and before its end
	tag     uint8 // of the first token: spares looking at it where it is another one
	kids    uint8 // children, or large
}

const nodeBytes = 20

// nodes holds the nodes of a tree. Free ones are used again.
type nodes struct {
	chunks []*[chunkSize]node
	used   uint32 // numbers that were handed out
	free   uint32 // list of those that came back
	live   int    // nodes, the root included
}

func (t *nodes) init() {
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

// bytes is what the nodes take.
func (t *nodes) bytes() int { return len(t.chunks) * (8 + nodeBytes*chunkSize) }

// tagOf is what a node keeps of its first token.
func tagOf(token int32) uint8 { return uint8(token) ^ uint8(token>>8) }
