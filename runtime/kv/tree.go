package kv

import (
	"math/bits"
	"slices"
)

// Namespace is what sequences have to agree on, besides tokens, to share pages.
type Namespace struct {
	// Salt keeps tenants apart: how fast an answer comes tells nothing about the prompts of other salts.
	Salt string
	// State names what pages hold beside the model's own keys and values: nothing, "", or those of a draft layer. A page without it
	// is no use to a sequence with it. The other way round it is.
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
	bySalt  map[string]int32
	unused  []int32  // numbers of roots
	states  []string // by number, none first: the few that there ever were
}

// root is the node of a salt. It lasts as long as something uses it, so that salts that come once take no memory for ever.
type root struct {
	salt  string
	uses  int // pages right behind it, and sequences in it
	child int32
}

// newTree makes a tree for so many pages. The secret keeps anybody from choosing tokens that fall into one bucket.
func newTree(pages, pageSize int, secret ...uint64) tree {
	t := tree{
		tokens:  make([]int32, pages*pageSize),
		buckets: make([]int32, 1<<bits.Len(uint(pages))),
		secret:  [2]uint64{secret[0], secret[1] | 1},
		bySalt:  map[string]int32{},
		states:  []string{""},
	}
	for i := range t.buckets {
		t.buckets[i] = none
	}
	return t
}

// state gives the number of a state.
func (t *tree) state(name string) int32 {
	i := slices.Index(t.states, name)
	if i < 0 {
		i = len(t.states)
		t.states = append(t.states, name)
	}
	return int32(i)
}

// enter gives the node of a salt's root, and counts a use of it.
func (t *tree) enter(salt string) int32 {
	r, ok := t.bySalt[salt]
	if !ok {
		if last := len(t.unused) - 1; last >= 0 {
			r, t.unused = t.unused[last], t.unused[:last]
		} else {
			r = int32(len(t.roots))
			t.roots = append(t.roots, root{})
		}
		t.roots[r] = root{salt: salt, child: none}
		t.bySalt[salt] = r
	}
	t.roots[r].uses++
	return -2 - r
}

// leave ends a use of a root.
func (t *tree) leave(node int32) {
	r := &t.roots[-2-node]
	if r.uses--; r.uses == 0 {
		delete(t.bySalt, r.salt)
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

// child finds the page with these tokens and this state behind a node, or none.
func (p *Pool) child(node int32, run []int32, state int32) int32 {
	hint := p.hint(node)
	is := func(n int32) bool {
		return p.pages[n].parent == node && p.pages[n].state == state && slices.Equal(p.run(n), run)
	}
	// A hint may be out of date: then the page is no child of the node any more, or has other tokens.
	if n := *hint; n != none && is(n) {
		return n
	}
	for n := *p.tree.bucket(node, run); n != none; n = p.pages[n].chain {
		if is(n) {
			*hint = n
			return n
		}
	}
	return none
}

// usable finds a page with these tokens behind a node that is of use to who wants a state.
func (p *Pool) usable(node int32, run []int32, state int32) int32 {
	n := p.child(node, run, state)
	for other := 1; n == none && state == 0 && other < len(p.tree.states); other++ {
		n = p.child(node, run, int32(other))
	}
	return n
}

// follow appends to a path, which ends with a node, as many pages with a state as there are, up to most in all. The path begins where tokens do.
func (p *Pool) follow(path []int32, node int32, tokens []int32, most int, state int32) []int32 {
	for i := len(path); i < most; i++ {
		if node = p.child(node, tokens[i*p.pageSize:(i+1)*p.pageSize], state); node == none {
			break
		}
		path = append(path, node)
	}
	return path
}

// longest gives the longest path behind a node of pages that begin as tokens do and are of use to who wants a state, up to most of them. It is valid until the
// next call.
//
// Who has a state goes over pages that have it alone, so that behind a page without one stand only others without. Whoever wants none may go some way
// over pages with a state, and on from any of them over pages without.
func (p *Pool) longest(node int32, tokens []int32, most int, state int32) []int32 {
	best := p.follow(p.best[:0], node, tokens, most, state)
	for other := 1; state == 0 && other < len(p.tree.states); other++ {
		p.way = p.follow(p.way[:0], node, tokens, most, int32(other))
		reach, leave := len(best), none
		for i, n := range p.way {
			if r := p.reach(i+1, n, tokens, most); r >= reach {
				reach, leave = r, i
			}
		}
		if leave != none {
			best = p.follow(append(best[:0], p.way[:leave+1]...), p.way[leave], tokens, most, 0)
		}
	}
	p.best = best
	return best
}

// reach is how many pages a path of n gets that ends with a node and goes on over pages without a state.
func (p *Pool) reach(n int, node int32, tokens []int32, most int) int {
	for ; n < most; n++ {
		if node = p.child(node, tokens[n*p.pageSize:(n+1)*p.pageSize], 0); node == none {
			break
		}
	}
	return n
}

// insert puts a page that is held, and not in the tree, behind a node, which has no child with these tokens and this state.
func (p *Pool) insert(node, n int32, run []int32, state int32) {
	copy(p.run(n), run)
	bucket := p.tree.bucket(node, run)
	p.pages[n].parent, p.pages[n].child, p.pages[n].chain, p.pages[n].state = node, none, *bucket, state
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
	r, ok := p.tree.bySalt[name.Salt]
	if !ok {
		return 0, 0
	}
	path := p.longest(-2-r, tokens, p.most(tokens), p.tree.state(name.State))
	for _, n := range path {
		if p.pages[n].holders == 0 {
			cached++
		}
	}
	return len(path) * p.pageSize, cached
}

// most is how many pages of a prompt may come from the tree. The last token never does: its logits have to be computed.
func (p *Pool) most(tokens []int32) int { return max(len(tokens)-1, 0) / p.pageSize }
