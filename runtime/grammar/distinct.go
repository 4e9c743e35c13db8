package grammar

import (
	"math/bits"
	"slices"
	"strings"
)

// maxDistinct is how many values the items of an array with uniqueItems may have: which of them are there is a part of the state.
const maxDistinct = 32

// distinct compiles arrays whose items differ. That can be told while a text is written where the items are listed, and few; the error says
// that it cannot.
func (c *compiler) distinct(s *shape) (*node, error) {
	n := newArray(s.leastItems, s.mostItems)
	n.set = true
	var rest []*value
	for _, a := range s.arrays {
		if len(a.prefix) > 0 {
			return nil, errorAt(s.unique.path, "uniqueItems is not supported beside prefixItems")
		}
		if a.rest != nil {
			rest = append(rest, a.rest)
		}
	}
	branches, err := c.branches(rest)
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for _, b := range branches {
		item, err := c.newShape(b)
		if err != nil {
			return nil, err
		}
		if !item.limited {
			return nil, errorAt(s.unique.path, "uniqueItems is only supported for items of an enum")
		}
		for _, v := range item.values {
			ok, err := c.satisfies(item, v)
			if err != nil {
				return nil, err
			}
			text, key := v.String(), v.canonical()
			switch {
			case !ok:
				continue
			case v.kind == arrayValue, v.kind == objectValue:
				return nil, errorAt(s.unique.path, "uniqueItems is not supported for arrays and objects")
			case known[key]:
				continue
			}
			known[key] = true
			if c.literals += len(text); c.literals > MaxLiterals {
				return nil, errorAt(s.path, "the values of enum and const have more than %d bytes", MaxLiterals)
			}
			if n.kids = append(n.kids, sequence(literal(text))); len(n.kids) > maxDistinct {
				return nil, errorAt(s.unique.path, "uniqueItems is only supported for items with at most %d values", maxDistinct)
			}
		}
	}
	return n, nil
}

// differ says whether no two values of a list are equal.
func differ(list []*value) bool {
	known := map[string]bool{}
	for _, v := range list {
		known[v.canonical()] = true
	}
	return len(known) == len(list)
}

// canonical is a text that equal values have in common: numbers such as 1 and 1.0, and objects whose members are in another order.
func (v *value) canonical() string {
	var parts []string
	switch v.kind {
	case numberValue:
		return parseDecimal(v.text).String()
	case arrayValue:
		for _, item := range v.items {
			parts = append(parts, item.canonical())
		}
		return "[" + strings.Join(parts, ",") + "]"
	case objectValue:
		for _, m := range v.members {
			parts = append(parts, encodeString(m.key)+":"+m.value.canonical())
		}
		slices.Sort(parts)
		return "{" + strings.Join(parts, ",") + "}"
	}
	return v.String()
}

// distinct goes on in an array whose items differ. Place 0 is before its bracket; the others are 1 and the items that it has, as bits.
func (m *machine) distinct(n *node, at int64, up *frame) {
	has := max(at-1, 0)
	count := int32(bits.OnesCount64(uint64(has)))
	if count >= n.least {
		m.close(n, up)
	}
	if n.most >= 0 && count >= n.most {
		return
	}
	for i, kid := range n.kids {
		if bit := int64(1) << i; has&bit == 0 {
			m.item(kid, has == 0, n, 1+(has|bit), up)
		}
	}
}
