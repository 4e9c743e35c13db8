package suffix

import (
	"math/bits"

	"github.com/glmc/glmc/runtime/draft"
)

// candidate is a token that may be added to a draft that is a tree.
type candidate struct {
	p      uint64
	parent int32 // index in the draft
	token  int32
	node   uint32
	offset uint32 // of the place behind the token
	seen   uint8  // seenKind
}

// frontier is a heap of candidates: the likeliest first, then those whose parent stands first, then the smallest token. No two are equal.
type frontier []candidate

func (f frontier) less(i, j int) bool {
	a, b := &f[i], &f[j]
	switch {
	case a.p != b.p:
		return a.p > b.p
	case a.parent != b.parent:
		return a.parent < b.parent
	}
	return a.token < b.token
}

// push and pop are those of container/heap, without its interfaces, which would make garbage.
func (f *frontier) push(c candidate) {
	*f = append(*f, c)
	for i := len(*f) - 1; i > 0; {
		up := (i - 1) / 2
		if !f.less(i, up) {
			break
		}
		(*f)[i], (*f)[up] = (*f)[up], (*f)[i]
		i = up
	}
}

func (f *frontier) pop() candidate {
	top, last := (*f)[0], len(*f)-1
	(*f)[0] = (*f)[last]
	*f = (*f)[:last]
	for i := 0; ; {
		down := 2*i + 1
		if down >= last {
			return top
		}
		if down+1 < last && f.less(down+1, down) {
			down++
		}
		if !f.less(down, i) {
			return top
		}
		(*f)[i], (*f)[down] = (*f)[down], (*f)[i]
		i = down
	}
}

// grow draws a tree from a place: always the likeliest token that follows what it has, at most so many. It gives the sum of the
// probabilities. Own and beat are those of walk.
func (t *Tree) grow(id, offset uint32, limit int, own bool, least, beat uint64, f *frontier, into *draft.Draft) (score uint64) {
	*f = (*f)[:0]
	if n := t.at(id); n.kids > maxFew && offset == t.length(n) {
		// Most of the time a look at the best of many children spares one at all of them.
		bottom := uint64(n.count) - uint64(n.resting)
		if own {
			bottom--
		}
		if p := one * uint64(t.at(t.bestOf(n)).count) / bottom; p*uint64(limit) < beat {
			return 0
		}
	}
	t.follow(id, offset, own, one, -1, least, f)
	for n := int32(0); int(n) < limit && len(*f) > 0; n++ {
		c := f.pop()
		if score+c.p*uint64(int32(limit)-n) < beat { // the others are less likely
			return 0
		}
		score += c.p
		if into != nil {
			into.Tokens = append(into.Tokens, c.token)
			into.Parents = append(into.Parents, c.parent)
			into.Probs = append(into.Probs, float32(float64(c.p)/one))
			into.Kinds = append(into.Kinds, c.seen)
		}
		t.follow(c.node, c.offset, false, c.p, n, least, f)
	}
	return score
}

// follow adds what may come behind a place to the frontier.
func (t *Tree) follow(id, offset uint32, own bool, p uint64, parent int32, least uint64, f *frontier) {
	n := t.at(id)
	bottom := uint64(n.count) - uint64(n.resting)
	if offset < t.length(n) {
		mask := t.resting(id, n) >> offset
		if mask&1 != 0 && !own {
			here := bottom + uint64(bits.OnesCount64(mask))
			if p = p * (here - 1) / here; p < least {
				return
			}
		}
		f.push(candidate{p: p, parent: parent, token: t.store.at(n.ref + offset), node: id, offset: offset + 1, seen: seenKind(bottom + uint64(bits.OnesCount64(mask>>1)))})
		return
	}
	if own {
		bottom--
	}
	for child := range t.children(n) {
		c := t.at(child)
		if q := p * uint64(c.count) / bottom; q >= least {
			f.push(candidate{p: q, parent: parent, token: t.store.at(c.ref), node: child, offset: 1, seen: seenKind(uint64(c.count))})
		}
	}
}
