package grammar

import (
	"unicode/utf8"
)

// shape compiles a shape to one node for each type that its values may have.
func (c *compiler) shape(s *shape) ([]*node, error) {
	if s.limited {
		return c.listed(s)
	}
	if s.free() {
		return []*node{c.any}, nil
	}
	var out []*node
	if s.types&nullType != 0 {
		out = append(out, literal("null"))
	}
	if s.types&boolType != 0 {
		out = append(out, literal("true"), literal("false"))
	}
	for _, part := range []struct {
		types   types
		compile func(*shape) (*node, error)
	}{{numberType, c.number}, {stringType, c.text}, {arrayType, c.array}, {objectType, c.object}} {
		if s.types&part.types == 0 {
			continue
		}
		n, err := part.compile(s)
		if err != nil {
			return nil, err
		}
		if n != nil {
			out = append(out, n)
		}
	}
	return out, nil
}

// free says whether any value will do.
func (s *shape) free() bool {
	return !s.limited && s.types == allTypes && s.least == 0 && s.most < 0 && s.patterns == nil && s.formats == nil && s.from == nil && s.to == nil &&
		s.multiples == nil && s.objects == nil && s.required == nil && s.naming == nil && s.arrays == nil && s.leastItems == 0 && s.mostItems < 0 &&
		s.leastMembers == 0 && s.mostMembers < 0 && s.unique == nil
}

// listed compiles the values of enum and const that satisfy the rest of the shape.
func (c *compiler) listed(s *shape) ([]*node, error) {
	var list []string
	for _, v := range s.values {
		ok, err := c.satisfies(s, v)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		text := v.String()
		if c.literals += len(text); c.literals > MaxLiterals {
			return nil, errorAt(s.path, "the values of enum and const have more than %d bytes", MaxLiterals)
		}
		list = append(list, text)
	}
	if len(list) == 0 {
		return nil, nil
	}
	return []*node{automaton(texts(list))}, nil
}

// satisfies checks a listed value against the keywords beside the list.
func (c *compiler) satisfies(s *shape, v *value) (bool, error) {
	switch v.kind {
	case nullValue:
		return s.types&nullType != 0, nil
	case boolValue:
		return s.types&boolType != 0, nil
	case numberValue:
		return c.satisfiesNumber(s, v)
	case stringValue:
		if n := int32(min(utf8.RuneCountInString(v.text), int(endless))); s.types&stringType == 0 || n < s.least || s.most >= 0 && n > s.most {
			return false, nil
		}
		return c.matches(s, v.text)
	case arrayValue:
		if len(s.arrays) > 0 || s.leastItems > 0 || s.mostItems >= 0 {
			return false, errorAt(v.path, "an array in enum or const beside keywords for arrays is not supported")
		}
		return s.types&arrayType != 0 && (s.unique == nil || differ(v.items)), nil
	}
	if len(s.objects) > 0 || len(s.required) > 0 || len(s.naming) > 0 {
		return false, errorAt(v.path, "an object in enum or const beside keywords for objects is not supported")
	}
	n := int32(len(v.members))
	return s.types&objectType != 0 && n >= s.leastMembers && (s.mostMembers < 0 || n <= s.mostMembers), nil
}

// matches checks a string against patterns and formats.
func (c *compiler) matches(s *shape, text string) (bool, error) {
	d, err := c.automaton(s, asText)
	if err != nil || d == nil {
		return false, err
	}
	return d.match(text), nil
}

// text compiles strings.
func (c *compiler) text(s *shape) (*node, error) {
	if s.most >= 0 && s.most < s.least {
		return nil, nil
	}
	if s.patterns == nil && knownFormats(s.formats) == nil {
		return c.spelling.string(s.least, s.most), nil
	}
	d, err := c.strings(s, asJSON)
	if err != nil || d == nil {
		return nil, err
	}
	if d, err = c.spelled(d); err != nil {
		return nil, errorAt(s.path, "the strings that the schema allows: %v", err)
	}
	if d == nil {
		return nil, nil
	}
	return sequence(quote, automaton(d), quote), nil
}

// automaton is the automaton of the patterns and formats of a shape; nil: nothing matches them.
func (c *compiler) automaton(s *shape, enc encoding) (*dfa, error) {
	var all *dfa
	add := func(d *dfa) (err error) {
		if all != nil && d != nil {
			d, err = intersect(all, d, c.budget)
		}
		all = d
		return err
	}
	for _, f := range knownFormats(s.formats) {
		if err := add(sharedExpression(formats[f.text], enc)); err != nil || all == nil {
			return nil, err
		}
	}
	for _, p := range s.patterns {
		d, err := expression(p.text, false, enc, c.budget)
		if err != nil && c.lax {
			continue
		}
		if err == nil {
			err = add(d)
		}
		if err != nil {
			return nil, errorAt(p.path, "%v", err)
		}
		if all == nil {
			return nil, nil
		}
	}
	if all == nil {
		all = sharedExpression(anyText, enc)
	}
	return all, nil
}

// spelled leaves of an automaton of JSON strings what may stand where the JSON does.
func (c *compiler) spelled(d *dfa) (*dfa, error) {
	if c.spelling.without == nil {
		return d, nil
	}
	return intersect(d, c.spelling.without, c.budget)
}

// array compiles arrays.
func (c *compiler) array(s *shape) (*node, error) {
	if s.mostItems >= 0 && s.mostItems < s.leastItems {
		return nil, nil
	}
	if s.unique != nil && (s.mostItems < 0 || s.mostItems > 1) {
		n, err := c.distinct(s)
		if err != nil && !c.lax {
			return nil, err
		}
		if err == nil {
			return n, nil
		}
	}
	n := newArray(s.leastItems, s.mostItems)
	long := 0
	for _, a := range s.arrays {
		long = max(long, len(a.prefix))
	}
	if s.mostItems >= 0 {
		long = min(long, int(s.mostItems))
	}
	for i := range long {
		kid, err := c.item(s, i)
		if err != nil {
			return nil, err
		}
		n.kids = append(n.kids, kid)
	}
	if s.mostItems >= 0 && int(s.mostItems) == long {
		return n, nil
	}
	var err error
	n.rest, err = c.item(s, long)
	return n, err
}

// item compiles the item of an array at an index; behind all prefixes, the rest of them.
func (c *compiler) item(s *shape, i int) (*node, error) {
	var all []*value
	for _, a := range s.arrays {
		switch {
		case i < len(a.prefix):
			all = append(all, a.prefix[i])
		case a.rest != nil:
			all = append(all, a.rest)
		}
	}
	n, err := c.conjunction(all)
	if err != nil {
		return nil, err
	}
	return sequence(n), nil
}

// conjunction compiles a place of any number of schemas.
func (c *compiler) conjunction(all []*value) (*node, error) {
	if len(all) == 0 {
		return c.any, nil
	}
	return c.place(all)
}
