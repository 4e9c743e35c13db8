package suffix

import "iter"

// Children are a list while they are few, and a hash table of their own from then on: most nodes have two or three, and the root one
// for every token there is. Either form knows the best one.
const (
	large  = 255 // node.kids of those with a family
	maxFew = 8   // children in a list
	minFam = 4   // children of a family that is a list again
)

// family is many children: a hash table by the first token of their labels, with linear probing. It is at most as large
// as the vocabulary asks for, so that growing it never takes long.
type family struct {
	best  uint32
	n     int
	table []kid // a power of two, three quarters full at most
}

// kid is a child with the first token of its label. It is here too so that a search looks at nothing else.
type kid struct {
	token int32
	id    uint32 // none: the slot is free
}

// home is the slot at which the search for a token begins. The secret keeps anybody from choosing tokens that share one.
func (t *Tree) home(f *family, token int32) int {
	return int(uint64(uint32(token)+1)*t.secret>>32) & (len(f.table) - 1)
}

// find gives the slot of a token's child, or the free slot that it would take.
func (t *Tree) find(f *family, token int32) int {
	for i := t.home(f, token); ; i = (i + 1) & (len(f.table) - 1) {
		if k := f.table[i]; k.id == none || k.token == token {
			return i
		}
	}
}

// child finds the child of a node whose label begins with a token, or none.
func (t *Tree) child(parent uint32, token int32) uint32 {
	p := t.at(parent)
	if p.kids == large {
		f := &t.families[p.first]
		return f.table[t.find(f, token)].id
	}
	tag := tagOf(token)
	for id := p.first; id != none; {
		n := t.at(id)
		if n.tag == tag && t.store.at(n.ref) == token {
			return id
		}
		id = n.next
	}
	return none
}

// best gives the child with the highest count, or none.
func (t *Tree) bestOf(n *node) uint32 {
	if n.kids == large {
		return t.families[n.first].best
	}
	return n.first
}

// children are all of a node, in no order.
func (t *Tree) children(n *node) iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		if n.kids == large {
			for _, k := range t.families[n.first].table {
				if k.id != none && !yield(k.id) {
					return
				}
			}
			return
		}
		for id := n.first; id != none; {
			next := t.at(id).next
			if !yield(id) {
				return
			}
			id = next
		}
	}
}

// adopt gives a node another child, which is the best one only if there are no others.
func (t *Tree) adopt(parent, id uint32) {
	p := t.at(parent)
	switch {
	case p.kids == maxFew:
		t.enlarge(p)
		fallthrough
	case p.kids == large:
		f := &t.families[p.first]
		if 4*(f.n+1) > 3*len(f.table) {
			t.rehash(f, 2*len(f.table))
		}
		token := t.store.at(t.at(id).ref)
		f.table[t.find(f, token)] = kid{token, id}
		f.n++
		return
	}
	p.kids++
	t.insert(p, id, false)
}

// insert puts a child at the head of the list, or behind it.
func (t *Tree) insert(p *node, id uint32, head bool) {
	n := t.at(id)
	if head || p.first == none {
		n.next, p.first = p.first, id
		return
	}
	h := t.at(p.first)
	n.next, h.next = h.next, id
}

// link is what points at a child in the list of its parent.
func (t *Tree) link(p *node, id uint32) *uint32 {
	at := &p.first
	for *at != id {
		at = &t.at(*at).next
	}
	return at
}

// prefer makes a child the best one.
func (t *Tree) prefer(parent, id uint32) {
	p := t.at(parent)
	if p.kids == large {
		t.families[p.first].best = id
		return
	}
	n := t.at(id)
	*t.link(p, id) = n.next
	n.next, p.first = p.first, id
}

// replace puts a node in the place of a child whose label begins with the same token.
func (t *Tree) replace(parent, id, by uint32) {
	p := t.at(parent)
	if p.kids != large {
		t.at(by).next = t.at(id).next
		*t.link(p, id) = by
		return
	}
	f := &t.families[p.first]
	f.table[t.find(f, t.store.at(t.at(id).ref))].id = by
	if f.best == id {
		f.best = by
	}
}

// disown takes a child away that is not the best one, or the last.
func (t *Tree) disown(parent, id uint32) {
	p := t.at(parent)
	if p.kids != large {
		*t.link(p, id) = t.at(id).next
		p.kids--
		return
	}
	f := &t.families[p.first]
	if f.best == id {
		f.best = none // of the root only, which nobody asks for its best child
	}
	// The slots behind the free one close up, where that takes a child nearer to its home (Knuth 6.4, algorithm R).
	mask := len(f.table) - 1
	free := t.find(f, t.store.at(t.at(id).ref))
	for i := (free + 1) & mask; f.table[i].id != none; i = (i + 1) & mask {
		home := t.home(f, f.table[i].token)
		if (i-home)&mask >= (i-free)&mask {
			f.table[free] = f.table[i]
			free = i
		}
	}
	f.table[free] = kid{}
	if f.n--; f.n == minFam {
		t.reduce(p)
	}
}

// enlarge makes a family of a list.
func (t *Tree) enlarge(p *node) {
	number := uint32(len(t.families))
	if last := len(t.unused) - 1; last >= 0 {
		number, t.unused = t.unused[last], t.unused[:last]
	} else {
		t.families = append(t.families, family{})
	}
	f := &t.families[number]
	*f = family{best: p.first, table: make([]kid, 2*maxFew)}
	t.tables += len(f.table)
	for id := range t.children(p) {
		token := t.store.at(t.at(id).ref)
		f.table[t.find(f, token)] = kid{token, id}
		f.n++
	}
	p.first, p.kids = number, large
}

// reduce makes a list of a family.
func (t *Tree) reduce(p *node) {
	number := p.first
	f := t.families[number]
	t.families[number] = family{}
	t.unused = append(t.unused, number)
	t.tables -= len(f.table)
	p.first, p.kids = none, uint8(f.n)
	for _, k := range f.table {
		if k.id != none && k.id != f.best {
			t.insert(p, k.id, true)
		}
	}
	if f.best != none {
		t.insert(p, f.best, true)
	}
}

// rehash gives a family a table of another size.
func (t *Tree) rehash(f *family, size int) {
	old := f.table
	f.table = make([]kid, size)
	t.tables += size - len(old)
	for _, k := range old {
		if k.id != none {
			f.table[t.find(f, k.token)] = k
		}
	}
}

// familyBytes is what the families take.
func (t *Tree) familyBytes() int { return 40*cap(t.families) + 4*cap(t.unused) + 8*t.tables }
