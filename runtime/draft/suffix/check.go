package suffix

import "fmt"

// Check looks for damage: it walks over the whole tree and compares links, lists, counts and the table. It is for tests.
func (t *Tree) Check() error {
	seen := 0
	filed := map[uint32]bool{}
	for b := range t.size {
		for id := t.buckets[b>>chunkBits][b&chunkMask]; id != none; id = t.at(id).chain {
			if filed[id] {
				return fmt.Errorf("node %d is in the table twice", id)
			}
			filed[id] = true
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
		if err := t.checkNode(id, resting[id], filed, ending[id]); err != nil {
			return fmt.Errorf("node %d: %w", id, err)
		}
		for c := t.at(id).first; c != none; c = t.at(c).next {
			stack = append(stack, c)
		}
	}
	if seen != t.live || len(filed) != seen-1 {
		return fmt.Errorf("%d nodes are in use, %d in the tree, %d in the table", t.live, seen, len(filed))
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
func (t *Tree) checkNode(id uint32, resting uint8, filed map[uint32]bool, ending bool) error {
	n := t.at(id)
	if id != root {
		length := t.length(n)
		switch {
		case !filed[id]:
			return fmt.Errorf("it is not in the table")
		case n.count == 0 || n.length == 0:
			return fmt.Errorf("count %d, label of %d tokens", n.count, n.length)
		case n.resting != resting:
			return fmt.Errorf("it counts %d open suffixes in its edge, not %d", n.resting, resting)
		case n.ref-t.store.begin >= t.store.end-t.store.begin || n.ref+length-t.store.begin > t.store.end-t.store.begin:
			return fmt.Errorf("its label is at %d, of %d to %d", n.ref, t.store.begin, t.store.end)
		case n.tag != tagOf(t.store.at(n.ref)):
			return fmt.Errorf("its tag is %d", n.tag)
		case t.child(n.parent, t.store.at(n.ref)) != id:
			return fmt.Errorf("the table has another node in its place")
		}
	}
	sum, children, before := uint32(0), 0, uint32(none)
	for c := n.first; c != none; c = t.at(c).next {
		child := t.at(c)
		switch {
		case child.parent != id || child.prev != before:
			return fmt.Errorf("its child %d has parent %d and is behind %d", c, child.parent, child.prev)
		case id != root && child.count > t.at(n.first).count:
			return fmt.Errorf("its child %d with count %d is not the first one", c, child.count)
		}
		sum += child.count
		children++
		before = c
	}
	switch bottom := n.count - uint32(n.resting); {
	case id == root:
	case sum > bottom:
		return fmt.Errorf("its children count %d, it %d", sum, bottom)
	case children == 1 && sum == bottom:
		return fmt.Errorf("nothing ends at it and it has one child")
	case ending && sum == bottom:
		return fmt.Errorf("an open suffix ends at it that its count lacks")
	}
	return nil
}
