package suffix

// reader keeps the places in a tree of what a sequence ends in, while the sequence grows and the tree stays as it is. It is
// to another tree what the window is to the sequence's own. The zero value has read nothing.
type reader struct {
	window
	changes uint64 // of the tree, when the places were right
}

// read moves on by a token. The places are right where the tree was not changed since the first token.
func (t *Tree) read(w *window, token int32) {
	pos := w.pos
	w.node[pos%MaxDepth], w.due[pos%MaxDepth] = root, pos
	j := pos - w.n
	for ; j != pos+1; j++ {
		slot := j % MaxDepth
		at, left := w.node[slot], w.due[slot]-pos
		if left == 0 {
			if t.child(at, token) != none {
				break
			}
			continue
		}
		if n := t.at(at); t.store.at(n.ref+t.length(n)-left) == token {
			break
		}
	}
	w.n, w.pos = pos+1-j, pos+1
	for ; j != pos+1; j++ {
		if slot := j % MaxDepth; w.due[slot] == pos {
			id := t.child(w.node[slot], token)
			w.node[slot], w.due[slot] = id, pos+t.length(t.at(id))
		}
	}
	if w.n == t.depth {
		w.n--
	}
}

// reread makes the places right after the tree changed: by the tokens that the sequence ends in, in parts.
func (t *Tree) reread(r *reader, tail ...[]int32) {
	r.n, r.changes = 0, t.changes
	for _, part := range tail {
		for _, token := range part {
			t.read(&r.window, token)
		}
	}
}
