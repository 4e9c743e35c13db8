package grammar

// inObject is where a text is in an object: the number of the next member that may come, whether there was one, and how many there were, as
// far as that matters.
type inObject struct {
	next  int
	some  bool
	count int32
}

// pack is the number of the place. Place 0 is before the brace.
func (o inObject) pack() int64 {
	at := int64(o.count)<<32 | int64(o.next)<<1
	if o.some {
		at |= 1
	}
	return at + 1
}

func inObjectOf(at int64) inObject {
	at = max(at-1, 0)
	return inObject{next: int(at & (1<<32 - 1) >> 1), some: at&1 == 1, count: int32(at >> 32)}
}

// object goes on in an object.
func (m *machine) object(n *node, at int64, up *frame) {
	if at == 0 && n.open != nil {
		m.push(n.open, 0, m.frame(n, 1, up))
		return
	}
	o := inObjectOf(at)
	depth := int32(1)
	if up != nil {
		depth += up.depth
	}
	for i := o.next; i < len(n.members); i++ {
		if with := n.behind(i+1, o.count); n.closable(with, depth) {
			m.item(n.members[i].pair, !o.some, n, with.pack(), up)
		}
		if n.members[i].required {
			return
		}
	}
	if with := n.behind(len(n.members), o.count); n.others != nil && with.count >= n.least && (n.most < 0 || o.count < n.most) {
		m.item(n.others, !o.some, n, with.pack(), up)
	}
	if o.count >= n.least {
		m.close(n, up)
	}
}

// behind is the place behind one more member.
func (n *node) behind(next int, count int32) inObject {
	o := inObject{next: next, some: true}
	switch {
	case n.most >= 0:
		o.count = count + 1
	case n.least > 0:
		o.count = min(count+1, n.least)
	}
	return o
}

// closable says whether an object can be closed from a place: whether enough members can still come, and not too many have to. Members that are
// nested too deep for the place cannot.
func (n *node) closable(o inObject, depth int32) bool {
	if n.least == 0 && n.most < 0 {
		return true
	}
	there, required := o.count, o.count
	for _, mb := range n.members[o.next:] {
		if mb.pair.height+depth <= maxNested {
			there++
		}
		if mb.required {
			required++
		}
	}
	if n.others != nil && n.others.height+depth <= maxNested {
		there++
	}
	return there >= n.least && (n.most < 0 || required <= n.most)
}
