package suffix

// Remove removes a sealed sequence, and reports whether there was one of that number. No sequence may be open.
func (t *Tree) Remove(id uint64) bool {
	if !t.holds(id) {
		return false
	}
	for t.removeSome(id, 1<<30) {
	}
	return true
}

// Oldest gives the number of the oldest sequence that was not removed.
func (t *Tree) Oldest() (id uint64, ok bool) {
	if len(t.sequences) == 0 {
		return 0, false
	}
	return t.firstID, true // those before it were dropped when they were removed
}

// holds reports whether a sequence was sealed and not removed.
func (t *Tree) holds(id uint64) bool {
	return id-t.firstID < uint64(len(t.sequences)) && !t.sequences[id-t.firstID].removed
}

// removeSome removes at most so many suffixes of a sequence, the longest first, so that what is left is a tree at any time, and reports
// whether there are more.
func (t *Tree) removeSome(id uint64, most int) (more bool) {
	s := &t.sequences[id-t.firstID]
	if t.opens != t.store.end {
		panic("suffix: a sequence is removed while another one is open")
	}
	if !s.removed {
		s.removed = true
		t.kept--
		t.tokens -= int(s.end - s.begin)
	}
	t.changes++
	for ; s.gone != s.end && most > 0; most-- {
		t.removeSuffix(s.gone, min(t.depth, s.end-s.gone))
		s.gone++
	}
	if s.gone != s.end {
		return true
	}
	// A removed sequence behind older ones keeps its tokens: nodes that these have in common with it show them.
	n := 0
	for n < len(t.sequences) && t.sequences[n].removed && t.sequences[n].gone == t.sequences[n].end {
		t.store.release(t.sequences[n].end)
		n++
	}
	t.sequences = t.sequences[n:]
	t.firstID += uint64(n)
	return false
}

// removeSuffix removes one occurrence of so many tokens from a position on.
func (t *Tree) removeSuffix(from, length uint32) {
	t.path = append(t.path[:0], root)
	at := uint32(root)
	for done := uint32(0); done < length; {
		at = t.child(at, t.store.at(from+done))
		if at == none {
			panic("suffix: a suffix that is to be removed is not in the tree")
		}
		t.path = append(t.path, at)
		done += uint32(t.at(at).length)
	}
	for i, id := range t.path[1:] {
		t.leave(t.path[i], id)
	}
	last := len(t.path) - 1
	if t.at(at).count == 0 {
		t.disown(t.path[last-1], at)
		t.release(at)
		last--
	}
	if last > 0 {
		t.merge(t.path[last-1], t.path[last])
	}
}

// leave counts a suffix out of an edge. Where another child has a higher count then, it becomes the best: of those with the highest the one
// with the smallest token.
func (t *Tree) leave(parent, id uint32) {
	n := t.at(id)
	n.count--
	p := t.at(parent)
	if parent == root || t.bestOf(p) != id {
		return
	}
	best, count, token := uint32(none), n.count, int32(0)
	for other := range t.children(p) {
		o := t.at(other)
		if o.count < count || o.count == count && best == none {
			continue
		}
		if first := t.store.at(o.ref); o.count > count || first < token {
			best, count, token = other, o.count, first
		}
	}
	if best != none {
		t.prefer(parent, best)
	}
}

// merge joins a node to its only child where nothing ends in between.
func (t *Tree) merge(parent, id uint32) {
	n := t.at(id)
	if n.kids != 1 {
		return
	}
	only := n.first
	c := t.at(only)
	if c.count != n.count {
		return
	}
	c.tag = n.tag
	t.replace(parent, id, only)
	c.ref -= uint32(n.length)
	c.length += n.length
	t.release(id)
}
