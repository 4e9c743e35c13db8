package kv

import (
	"fmt"
	"slices"
)

// Check returns an error where something is not as it must be: pages that are lost or have two places, holders that do not
// match the sequences, a tree that is not one. It is for tests, and takes time for every page.
func (p *Pool) Check() error {
	c := check{pool: p, holders: make([]int32, len(p.pages)), place: make([]string, len(p.pages))}
	for _, step := range []func() error{c.sequences, c.free, c.cached, c.counts, c.roots, c.table} {
		if err := step(); err != nil {
			return fmt.Errorf("kv: %w", err)
		}
	}
	return nil
}

type check struct {
	pool    *Pool
	holders []int32  // of each page, as the sequences have it
	place   []string // of each page: held, free or cached
}

// put notes where a page was found.
func (c *check) put(n int32, place string) error {
	if n < 0 || int(n) >= len(c.place) {
		return fmt.Errorf("page %d is %s, and does not exist", n, place)
	}
	if c.place[n] != "" {
		return fmt.Errorf("page %d is %s and %s", n, c.place[n], place)
	}
	c.place[n] = place
	return nil
}

// sequences checks that the pages of each stand in the tree one behind the other, and others belong to it alone.
func (c *check) sequences() error {
	for i, s := range c.pool.live {
		if s.at != i {
			return fmt.Errorf("sequence %d believes to be number %d", i, s.at)
		}
		if s.shared > len(s.pages) || s.shared > 0 && s.root == none {
			return fmt.Errorf("sequence %d shares %d of %d pages, root %d", i, s.shared, len(s.pages), s.root)
		}
		before := s.root
		for at, n := range s.pages {
			if n < 0 || int(n) >= len(c.holders) {
				return fmt.Errorf("sequence %d holds page %d, which does not exist", i, n)
			}
			parent := c.pool.pages[n].parent
			if at >= s.shared {
				before = none
			}
			if parent != before {
				return fmt.Errorf("page %d, number %d of sequence %d, has parent %d, wants %d", n, at, i, parent, before)
			}
			before = n
			if c.holders[n]++; at >= s.shared && c.pool.pages[n].holders != 1 {
				return fmt.Errorf("page %d is sequence %d's own, and has %d holders", n, i, c.pool.pages[n].holders)
			}
		}
	}
	for n, holders := range c.holders {
		if holders > 0 {
			if err := c.put(int32(n), "held"); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *check) free() error {
	for _, n := range c.pool.free {
		if err := c.put(n, "free"); err != nil {
			return err
		}
		if parent := c.pool.pages[n].parent; parent != none {
			return fmt.Errorf("page %d is free, and in the tree behind %d", n, parent)
		}
	}
	return nil
}

// cached checks the list: its links, and that a page's parent is held or stands behind it. Of held pages the sequences showed that
// they lead to a root, so all nodes do.
func (c *check) cached() error {
	pages, list := c.pool.pages, c.pool.idle
	seen := make([]bool, len(pages))
	length, before := 0, int32(none)
	for n := list.oldest; n != none; n = pages[n].newer {
		if err := c.put(n, "cached"); err != nil {
			return err
		}
		if pages[n].older != before {
			return fmt.Errorf("page %d is behind page %d in the list of cached ones, and has %d there", n, before, pages[n].older)
		}
		parent := pages[n].parent
		switch {
		case parent == none || int(parent) >= len(pages):
			return fmt.Errorf("page %d is cached, and has parent %d in the tree", n, parent)
		case parent < none:
		case seen[parent]:
			return fmt.Errorf("page %d would be evicted after its parent, page %d", n, parent)
		case pages[parent].parent == none:
			return fmt.Errorf("page %d is behind page %d, which is not in the tree", n, parent)
		}
		seen[n], before = true, n
		length++
	}
	if before != list.newest || length != list.length {
		return fmt.Errorf("the list of cached pages has %d up to page %d, and says %d up to page %d", length, before, list.length, list.newest)
	}
	return nil
}

// counts checks that each page has a place and the right holders.
func (c *check) counts() error {
	for i := range c.pool.pages {
		if c.place[i] == "" {
			return fmt.Errorf("page %d is lost: nobody holds it, and it is neither free nor cached", i)
		}
		if counts := c.pool.pages[i].holders; counts != c.holders[i] {
			return fmt.Errorf("page %d has %d holders, and counts %d", i, c.holders[i], counts)
		}
	}
	return nil
}

// roots checks the uses of each root, and that none is kept that nothing uses.
func (c *check) roots() error {
	t := &c.pool.tree
	uses := make([]int, len(t.roots))
	use := func(node int32) error {
		if int(-2-node) >= len(uses) {
			return fmt.Errorf("root %d is used, and does not exist", -2-node)
		}
		uses[-2-node]++
		return nil
	}
	for i := range c.pool.pages {
		if parent := c.pool.pages[i].parent; parent < none {
			if err := use(parent); err != nil {
				return err
			}
		}
	}
	for _, s := range c.pool.live {
		if s.root < none {
			if err := use(s.root); err != nil {
				return err
			}
		}
	}
	for r, root := range t.roots {
		if root.uses != uses[r] {
			return fmt.Errorf("salt %q has %d uses, and counts %d", root.salt, uses[r], root.uses)
		}
		if at, ok := t.bySalt[root.salt]; uses[r] > 0 && (!ok || int(at) != r) {
			return fmt.Errorf("salt %q is used, and not found", root.salt)
		}
	}
	if len(t.bySalt)+len(t.unused) != len(t.roots) {
		return fmt.Errorf("of %d roots %d have salts and %d are unused", len(t.roots), len(t.bySalt), len(t.unused))
	}
	return nil
}

// table checks that the hash table has each node once, in the bucket where its tokens are looked for, and no two that could be taken for
// each other.
func (c *check) table() error {
	p := c.pool
	nodes := 0
	for i := range p.pages {
		if p.pages[i].parent != none {
			nodes++
		}
	}
	chained := 0
	for b := range p.tree.buckets {
		for n := p.tree.buckets[b]; n != none; n = p.pages[n].chain {
			if chained++; chained > nodes {
				return fmt.Errorf("the table has more than the %d pages of the tree, or a chain without end", nodes)
			}
			parent := p.pages[n].parent
			if parent == none || p.tree.bucket(parent, p.run(n)) != &p.tree.buckets[b] {
				return fmt.Errorf("page %d, parent %d, stands in bucket %d, where nobody looks for it", n, parent, b)
			}
			state := p.pages[n].state
			if state != 0 && parent >= 0 && p.pages[parent].state != state {
				return fmt.Errorf("page %d has state %d, and its parent, page %d, has %d", n, state, parent, p.pages[parent].state)
			}
			for other := p.pages[n].chain; other != none && other != n; other = p.pages[other].chain {
				if p.pages[other].parent == parent && p.pages[other].state == state && slices.Equal(p.run(n), p.run(other)) {
					return fmt.Errorf("pages %d and %d have the same parent, tokens and state", n, other)
				}
			}
		}
	}
	if chained != nodes {
		return fmt.Errorf("the table has %d pages, and the tree %d", chained, nodes)
	}
	return nil
}
