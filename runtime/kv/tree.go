package kv

import (
	"math/bits"
	"slices"
)

// Namespace is what sequences have to agree on, besides tokens, to share pages.
type Namespace struct {
	// Salt keeps tenants apart: how fast an answer comes tells nothing about the prompts of other salts.
	Salt string
	// State names what pages hold beside the model's own keys and values: nothing, "", or those of a draft model or adapter. A
	// page without the draft's state is no use to a sequence with drafts.
	State string
}

// tree is the prefix tree. Its nodes are pages and the roots, one for each namespace; a path from a root spells the tokens that
// stand before a page and in it. A node is named by its page, or by -2 minus the number of its root.
//
// Each page is a node of its own, also where a path does not branch. Joining them would save little: a match has to count a
// holder of every page and write it to the page table either way. So nothing is ever split or joined, and the last page of a
// path is evicted alone. Where a node has one child, or is followed by the same one again, the hint in it finds the child by
// one comparison of tokens; others are found by a hash table over all nodes, whatever their number.
type tree struct {
	tokens  []int32 // of each page in the tree: those from page*pageSize on
	buckets []int32 // first page of each chain
	secret  [2]uint64
	roots   []root
	byName  map[Namespace]int32
	unused  []int32 // numbers of roots
}

// root is the node of a namespace. It lasts as long as something uses it, so that salts that come once take no memory for ever.
type root struct {
	name  Namespace
	uses  int // pages right behind it, and sequences in it
	child int32
}

// newTree makes a tree for so many pages. The secret keeps anybody from choosing tokens that fall into one bucket.
func newTree(pages, pageSize int, secret ...uint64) tree {
	t := tree{
		tokens:  make([]int32, pages*pageSize),
		buckets: make([]int32, 1<<bits.Len(uint(pages))),
		secret:  [2]uint64{secret[0], secret[1] | 1},
		byName:  map[Namespace]int32{},
	}
	for i := range t.buckets {
		t.buckets[i] = none
	}
	return t
}

// enter gives the node of a namespace's root, and counts a use of it.
func (t *tree) enter(name Namespace) int32 {
	r, ok := t.byName[name]
	if !ok {
		if last := len(t.unused) - 1; last >= 0 {
			r, t.unused = t.unused[last], t.unused[:last]
		} else {
			r = int32(len(t.roots))
			t.roots = append(t.roots, root{})
		}
		t.roots[r] = root{name: name, child: none}
		t.byName[name] = r
	}
	t.roots[r].uses++
	return -2 - r
}

// leave ends a use of a root.
func (t *tree) leave(node int32) {
	r := &t.roots[-2-node]
	if r.uses--; r.uses == 0 {
		delete(t.byName, r.name)
		*r = root{child: none}
		t.unused = append(t.unused, -2-node)
	}
}

// bucket is where a page with these tokens behind this node is found: the products of 64 bits of wyhash
// (https://github.com/wangyi-fudan/wyhash), two tokens at a time.
func (t *tree) bucket(parent int32, run []int32) *int32 {
	h := t.secret[0] ^ uint64(uint32(parent))
	for ; len(run) > 1; run = run[2:] {
		hi, lo := bits.Mul64(h^(uint64(uint32(run[0]))|uint64(uint32(run[1]))<<32), t.secret[1])
		h = hi ^ lo ^ t.secret[0]
	}
	if len(run) > 0 {
		hi, lo := bits.Mul64(h^uint64(uint32(run[0])), t.secret[1])
		h = hi ^ lo
	}
	hi, lo := bits.Mul64(h, t.secret[1])
	return &t.buckets[(hi^lo)&uint64(len(t.buckets)-1)]
}

// run gives the tokens of a page in the tree.
func (p *Pool) run(n int32) []int32 {
	return p.tree.tokens[int(n)*p.pageSize:][:p.pageSize]
}

// hint is the child that a node was last followed by.
func (p *Pool) hint(node int32) *int32 {
	if node < none {
		return &p.tree.roots[-2-node].child
	}
	return &p.pages[node].child
}

// child finds the page with these tokens behind a node, or none.
func (p *Pool) child(node int32, run []int32) int32 {
	hint := p.hint(node)
	// A hint may be out of date: then the page is no child of the node any more, or has other tokens.
	if n := *hint; n != none && p.pages[n].parent == node && slices.Equal(p.run(n), run) {
		return n
	}
	for n := *p.tree.bucket(node, run); n != none; n = p.pages[n].chain {
		if p.pages[n].parent == node && slices.Equal(p.run(n), run) {
			*hint = n
			return n
		}
	}
	return none
}

// insert puts a page that is held, and not in the tree, behind a node, which has no child with these tokens.
func (p *Pool) insert(node, n int32, run []int32) {
	copy(p.run(n), run)
	bucket := p.tree.bucket(node, run)
	p.pages[n].parent, p.pages[n].child, p.pages[n].chain = node, none, *bucket
	*bucket = n
	*p.hint(node) = n
	if node < none {
		p.tree.roots[-2-node].uses++
	}
}

// remove takes a page without children out of the tree.
func (p *Pool) remove(n int32) {
	parent := p.pages[n].parent
	at := p.tree.bucket(parent, p.run(n))
	for *at != n {
		at = &p.pages[*at].chain
	}
	*at = p.pages[n].chain
	p.pages[n].parent, p.pages[n].child, p.pages[n].chain = none, none, none
	if parent < none {
		p.tree.leave(parent)
	}
}

// Lookup says how many tokens Match would attach to a sequence without pages, and how many of their pages are cached: those
// would no longer be there for others. It changes nothing, and does not count as a use.
func (p *Pool) Lookup(name Namespace, tokens []int32) (attached, cached int) {
	r, ok := p.tree.byName[name]
	if !ok {
		return 0, 0
	}
	node := -2 - r
	for i := range p.most(tokens) {
		if node = p.child(node, tokens[i*p.pageSize:(i+1)*p.pageSize]); node == none {
			break
		}
		attached += p.pageSize
		if p.pages[node].holders == 0 {
			cached++
		}
	}
	return attached, cached
}

// most is how many pages of a prompt may come from the tree. The last token never does: its logits have to be computed.
func (p *Pool) most(tokens []int32) int { return max(len(tokens)-1, 0) / p.pageSize }
