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
	left := n.left(o.next, depth)
	for i := o.next; i < len(n.members); i++ {
		mb := &n.members[i]
		left.count(mb, depth, -1)
		if with := n.behind(i+1, o.count); n.closable(with.count, left) {
			m.item(mb.pair, !o.some, n, with.pack(), up)
		}
		if mb.required {
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

// membersLeft are the members that may still come at a place of an object.
type membersLeft struct {
	there    int32 // that are not nested too deep for the place
	required int32
}

// left are those from a number on. An object that takes any number of members need not know them.
func (n *node) left(next int, depth int32) (l membersLeft) {
	if n.least == 0 && n.most < 0 {
		return l
	}
	for i := next; i < len(n.members); i++ {
		l.count(&n.members[i], depth, 1)
	}
	if n.others != nil && n.others.height+depth <= maxNested {
		l.there++
	}
	return l
}

// count adds a member, or with by -1 takes it out: members are passed one by one, and are too many to count all behind each of them again.
func (l *membersLeft) count(mb *member, depth, by int32) {
	if mb.pair.height+depth <= maxNested {
		l.there += by
	}
	if mb.required {
		l.required += by
	}
}

// closable says whether an object with so many members can be closed: whether enough of those that are left can come, and not too many have to.
func (n *node) closable(count int32, left membersLeft) bool {
	if n.least == 0 && n.most < 0 {
		return true
	}
	return count+left.there >= n.least && (n.most < 0 || count+left.required <= n.most)
}
