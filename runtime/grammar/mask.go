package grammar

import (
	"math/bits"
	"slices"
)

// mask gives the tokens that may come in a place.
func (g *Grammar) mask(p *place) []uint64 {
	if words := p.mask.Load(); words != nil {
		return *words
	}
	g.machine.mu.Lock()
	defer g.machine.mu.Unlock()
	p = g.machine.renew(p)
	if words := p.mask.Load(); words != nil {
		return *words
	}
	same := g.machine.alike(p, g.vocabulary.longest)
	words := same.mask.Load()
	if words == nil {
		words = g.machine.keep(g.walk(same))
		g.machine.give(same, words)
	}
	g.machine.give(p, words)
	return *words
}

// give keeps a mask with a place.
func (m *machine) give(p *place, words *[]uint64) {
	if p.born == m.generation {
		p.mask.Store(words)
	}
}

// alike gives a place with the same mask, the same one for many: how many characters a counted text has does not matter as long
// as no token can reach a bound.
func (m *machine) alike(p *place, longest int32) *place {
	m.open()
	m.end = p.end
	for _, f := range p.leaves {
		if f.node.kind == countedNode {
			n, c := f.node, countOfText(f.at)
			if n.most < 0 || n.most-c.count >= longest {
				switch {
				case c.count >= n.least:
					c.count = n.least
				case n.least-c.count >= longest:
					c.count = 0
				}
			}
			f = m.frame(n, c.pack(), f.up)
		}
		m.add(f)
	}
	return m.settle()
}

// maxWalk is how many steps of leaves a walk may cost. Schemas whose alternatives stay open cost tens of microseconds a byte, and
// would hold up all requests. Beyond, only tokens of one byte and whole branches are looked at: the mask has fewer tokens then
// than it might, but none that it should not, and the text can be gone on with.
const maxWalk = 100_000

// walk goes through the trie with a place. Branches that the place refuses are left out, and those of which it takes all are taken
// without going through them.
func (g *Grammar) walk(p *place) []uint64 {
	v, m, t := g.vocabulary, g.machine, &g.vocabulary.trie
	words := make([]uint64, len(v.stopped))
	if p.end {
		copy(words, v.stopped)
	}
	set := func(ids []int32) {
		for _, id := range ids {
			words[id>>6] |= 1 << (id & 63)
		}
	}
	path := make([]*place, 1, 64) // by depth
	path[0] = p
	m.cost = 0
	for i := int32(1); int(i) < len(t.bytes); {
		d := t.depth[i]
		if d > 1 && m.cost > maxWalk {
			i = t.next[i]
			continue
		}
		// Where all was forgotten on the way, the place is made again once, not for each of its steps.
		path[d-1] = m.renew(path[d-1])
		to := m.step(path[d-1], t.bytes[i])
		if to == nowhere {
			i = t.next[i]
			continue
		}
		if t.next[i] == i+1 {
			set(t.ids[t.first[i]:t.first[i+1]])
			i++
			continue
		}
		if to.takes(inString, t, i) || to.takes(inText, t, i) {
			set(t.ids[t.first[i]:t.first[t.next[i]]])
			i = t.next[i]
			continue
		}
		set(t.ids[t.first[i]:t.first[i+1]])
		path = append(path[:d], to)
		i++
	}
	return words
}

// takes says whether the place takes all of a branch.
func (p *place) takes(c class, t *trie, i int32) bool {
	return t.plain[i]>>c&1 != 0 && p.plain[c] >= int32(t.chars[i])
}

// keep gives the mask that is equal and known, if there is one: many places have the same.
func (m *machine) keep(words []uint64) *[]uint64 {
	hash := uint64(len(words))
	for _, w := range words {
		hash = (bits.RotateLeft64(hash, 29) ^ w) * 0x9E3779B97F4A7C15
	}
	for _, known := range m.masks[hash] {
		if slices.Equal(*known, words) {
			return known
		}
	}
	if m.kept == maxKeptMasks {
		for _, p := range m.all {
			p.mask.Store(nil)
		}
		m.masks, m.kept = map[uint64][]*[]uint64{}, 0
	}
	m.kept++
	m.masks[hash] = append(m.masks[hash], &words)
	return &words
}
