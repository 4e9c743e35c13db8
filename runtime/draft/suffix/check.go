package suffix

import "fmt"

// Check looks for damage: it walks over the whole tree and compares links, lists, counts and the table. It is for tests.
func (t *Tree) Check() error {
	seen, families, tables := 0, 0, 0
	if b, e := t.store.begin, t.store.end; b != e {
		if want := int(((e-1)>>chunkBits - b>>chunkBits) & (1<<(32-chunkBits) - 1)); t.store.held != want+1 {
			return fmt.Errorf("%d chunks of tokens are held for %d to %d", t.store.held, b, e)
		}
	}
	resting := map[uint32]uint8{}
	ending := map[uint32]bool{}
	for j := t.open.pos - t.open.n; j != t.open.pos; j++ {
		slot := j % MaxDepth
		switch id, left := t.open.node[slot], t.open.due[slot]-t.open.pos; {
		case left >= uint32(t.at(id).length):
			return fmt.Errorf("an open suffix stands before the edge of node %d", id)
		case left == 0:
			ending[id] = true
		default:
			resting[id]++
		}
	}
	stack := []uint32{root}
	for len(stack) > 0 {
		id := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		seen++
		if err := t.checkNode(id, resting[id], ending[id]); err != nil {
			return fmt.Errorf("node %d: %w", id, err)
		}
		for c := range t.children(t.at(id)) {
			stack = append(stack, c)
		}
		if n := t.at(id); n.kids == large {
			families++
			tables += len(t.families[n.first].table)
		}
	}
	if seen != t.live {
		return fmt.Errorf("%d nodes are in use, %d in the tree", t.live, seen)
	}
	if families+len(t.unused) != len(t.families) || tables != t.tables {
		return fmt.Errorf("%d families with %d slots are in the tree, %d are unused, of %d with %d", families, tables, len(t.unused), len(t.families), t.tables)
	}
	free := 0
	for id := t.free; id != none; id = t.at(id).next {
		free++
	}
	if seen+free+1 != int(t.used) {
		return fmt.Errorf("%d nodes were handed out, %d are in use and %d free", t.used-1, seen, free)
	}
	return nil
}

// checkNode looks at a node, its label, and its children as it counts them.
func (t *Tree) checkNode(id uint32, resting uint8, ending bool) error {
	n := t.at(id)
	if id != root {
		length := t.length(n)
		switch {
		case n.count == 0 || n.length == 0:
			return fmt.Errorf("count %d, label of %d tokens", n.count, n.length)
		case n.resting != resting:
			return fmt.Errorf("it counts %d open suffixes in its edge, not %d", n.resting, resting)
		case n.ref-t.store.begin >= t.store.end-t.store.begin || n.ref+length-t.store.begin > t.store.end-t.store.begin:
			return fmt.Errorf("its label is at %d, of %d to %d", n.ref, t.store.begin, t.store.end)
		case n.tag != tagOf(t.store.at(n.ref)):
			return fmt.Errorf("its tag is %d", n.tag)
		}
	}
	sum, children := uint32(0), 0
	for c := range t.children(n) {
		child := t.at(c)
		switch {
		case t.child(id, t.store.at(child.ref)) != c:
			return fmt.Errorf("its child %d is not found by its token", c)
		case id != root && child.count > t.at(t.bestOf(n)).count:
			return fmt.Errorf("its child %d with count %d is not the best one", c, child.count)
		}
		sum += child.count
		children++
	}
	switch {
	case n.kids == large && (t.families[n.first].n != children || children <= minFam):
		return fmt.Errorf("its family of %d counts %d", children, t.families[n.first].n)
	case n.kids != large && int(n.kids) != children:
		return fmt.Errorf("its list of %d counts %d", children, n.kids)
	}
	switch bottom := n.count - uint32(n.resting); {
	case id == root:
		suffixes := t.store.end - t.opens
		for i := range t.sequences {
			suffixes += t.sequences[i].end - t.sequences[i].gone
		}
		if sum != suffixes {
			return fmt.Errorf("its children count %d suffixes of %d", sum, suffixes)
		}
	case sum > bottom:
		return fmt.Errorf("its children count %d, it %d", sum, bottom)
	case children == 1 && sum == bottom:
		return fmt.Errorf("nothing ends at it and it has one child")
	case ending && sum == bottom:
		return fmt.Errorf("an open suffix ends at it that its count lacks")
	}
	return nil
}
