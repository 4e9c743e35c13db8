package grammar

import "slices"

// impossible is the height of what nothing satisfies.
const impossible = int32(1) << 24

// prune finds the heights of all nodes and takes out what is impossible: alternatives, optional members, further items. It is false
// where nothing is left. Heights are found from below: what has only finished parts gets one, and what is around it is looked at
// again; what waits for itself never gets one.
func prune(root *node) bool {
	var all []*node
	around := map[*node][]*node{}
	everyNode(root, func(n *node) {
		// Literals and automata need nothing. Some are shared between grammars, and not to be written.
		if n.leaf() {
			return
		}
		n.height = impossible
		all = append(all, n)
		n.parts(func(k *node) {
			if !k.leaf() {
				around[k] = append(around[k], n)
			}
		})
	})
	todo := slices.Clone(all)
	for len(todo) > 0 {
		n := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if h := n.needs(); h < n.height {
			n.height = h
			todo = append(todo, around[n]...)
		}
	}
	for _, n := range all {
		n.takeOut()
	}
	return root.height < impossible
}

// needs is the height by the heights of the parts.
func (n *node) needs() int32 {
	h := int32(0)
	for _, k := range []*node{n.open, n.between, n.end} {
		if k != nil {
			h = max(h, k.height)
		}
	}
	switch n.kind {
	case sequenceNode:
		for _, k := range n.kids {
			h = max(h, k.height)
		}
	case choiceNode:
		h = impossible
		for _, k := range n.kids {
			h = min(h, k.height)
		}
	case objectNode:
		h = max(h, n.needsMembers()) + 1
	case arrayNode:
		for i := range n.least {
			switch {
			case int(i) < len(n.kids):
				h = max(h, n.kids[i].height)
			case n.rest == nil:
				return impossible
			default:
				h = max(h, n.rest.height)
				return min(h+1, impossible)
			}
		}
		h++
	}
	return min(h, impossible)
}

// needsMembers is the height of the members that an object needs: those that are required, and of the others the lowest, as many as it
// lacks.
func (n *node) needsMembers() int32 {
	h, required := int32(0), int32(0)
	var optional []int32
	for _, mb := range n.members {
		if mb.required {
			h = max(h, mb.pair.height)
			required++
		} else if n.least > 0 {
			optional = append(optional, mb.pair.height)
		}
	}
	if n.most >= 0 && max(required, n.least) > n.most {
		return impossible
	}
	lacks := int(n.least - required)
	if lacks <= 0 {
		return h
	}
	if n.others != nil {
		optional = append(optional, n.others.height)
	}
	if lacks > len(optional) {
		return impossible
	}
	slices.Sort(optional)
	return max(h, optional[lacks-1])
}

func (n *node) takeOut() {
	gone := func(k *node) bool { return k != nil && k.height >= impossible }
	switch n.kind {
	case choiceNode:
		kept := n.kids[:0]
		for _, k := range n.kids {
			if !gone(k) {
				kept = append(kept, k)
			}
		}
		n.kids = kept
	case objectNode:
		kept := n.members[:0]
		for _, mb := range n.members {
			if !gone(mb.pair) || mb.required {
				kept = append(kept, mb)
			}
		}
		n.members = kept
		if gone(n.others) {
			n.others = nil
		}
	case arrayNode:
		for i, k := range n.kids {
			if gone(k) && int32(i) >= n.least {
				n.kids, n.rest = n.kids[:i], nil
				break
			}
		}
		if gone(n.rest) {
			n.rest = nil
		}
	}
}
