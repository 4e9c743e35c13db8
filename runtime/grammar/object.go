package grammar

import (
	"slices"
)

// maxPatterns is how many patterns the members of an object may have: each set of them that a name can match is an alternative.
const maxPatterns = 6

// keys are names that a pattern matches; nil: none.
type keys struct{ text, json *dfa }

func (k keys) in(enc encoding) *dfa {
	if enc == asJSON {
		return k.json
	}
	return k.text
}

// object compiles objects: members by name in the order of the schema, then those that are required but not described, then others.
func (c *compiler) object(s *shape) (*node, error) {
	names, err := c.names(s)
	if err != nil {
		return nil, err
	}
	n := newObject()
	for _, name := range names {
		value, err := c.member(s, name, c.conjunction)
		if err != nil {
			return nil, err
		}
		n.members = append(n.members, member{
			pair:     sequence(literal(encodeString(name)), colon, value),
			required: slices.Contains(s.required, name),
		})
	}
	if len(names) == 0 && !s.patterned() {
		value, err := c.conjunction(s.others(nil))
		if err != nil {
			return nil, err
		}
		n.others = sequence(c.spelling.string(0, -1), colon, value)
		return n, c.count(s, n)
	}
	any, err := c.spelled(sharedExpression(anyText, asJSON))
	if err != nil {
		return nil, errorAt(s.path, "the names of the properties: %v", err)
	}
	pairs := &node{kind: choiceNode}
	err = c.groups(s, names, any, asJSON, func(key *dfa, _ bool, all []*value) error {
		value, err := c.conjunction(all)
		pairs.kids = append(pairs.kids, sequence(quote, automaton(key), quote, colon, value))
		return err
	})
	if n.others = sequence(pairs); err != nil {
		return nil, err
	}
	return n, c.count(s, n)
}

// count bounds the number of an object's members. Of those that are not described only one counts towards the least number: two may have
// the same name, and are one then. Towards the most all count.
func (c *compiler) count(s *shape, n *node) error {
	n.least, n.most = s.leastMembers, s.mostMembers
	most := int32(len(n.members))
	if n.others != nil {
		most++
	}
	if n.least > most && !s.sealed() {
		if !c.lax {
			return errorAt(s.fewest.path, "minProperties of %d is not supported where only %d properties are described: the names of others might repeat", n.least, len(n.members))
		}
		n.least = most
	}
	return nil
}

// sealed says whether there are no members but those that are described.
func (s *shape) sealed() bool {
	return slices.ContainsFunc(s.objects, func(o objectShape) bool {
		return o.patterns == nil && o.others != nil && o.others.kind == boolValue && !o.others.yes
	})
}

// patterned says whether the names of members are told apart by more than a list.
func (s *shape) patterned() bool {
	return len(s.naming) > 0 || slices.ContainsFunc(s.objects, func(o objectShape) bool { return o.patterns != nil })
}

// names gives the names of all members that are described or required.
func (c *compiler) names(s *shape) ([]string, error) {
	var names []string
	known := map[string]bool{}
	add := func(name string) {
		if !known[name] {
			known[name] = true
			names = append(names, name)
		}
	}
	for _, o := range s.objects {
		if o.properties != nil {
			for _, m := range o.properties.members {
				add(m.key)
			}
		}
	}
	for _, name := range s.required {
		add(name)
	}
	if len(names) > MaxProperties {
		return nil, errorAt(s.path, "the object has more than %d properties", MaxProperties)
	}
	c.nodes += 4 * len(names)
	if err := c.budget.step(len(names) * len(s.objects)); err != nil {
		return nil, errorAt(s.path, "the schema combines too many schemas")
	}
	return names, nil
}

// member compiles the value of a named member.
func (c *compiler) member(s *shape, name string, compile func([]*value) (*node, error)) (*node, error) {
	var all []*value
	for _, o := range s.objects {
		described := false
		if o.properties != nil {
			if v := o.properties.get(name); v != nil {
				all, described = append(all, v), true
			}
		}
		if o.patterns != nil {
			for _, p := range o.patterns.members {
				k, err := c.pattern(p)
				if err != nil {
					return nil, err
				}
				if k.text != nil && k.text.match(name) {
					all, described = append(all, p.value), true
				}
			}
		}
		if !described && o.others != nil {
			all = append(all, o.others)
		}
	}
	for _, schema := range s.naming {
		k, err := c.naming(schema)
		if err != nil {
			return nil, err
		}
		if k != nil && (k.text == nil || !k.text.match(name)) {
			return &node{kind: choiceNode}, nil // nothing: the name is not allowed
		}
	}
	return compile(all)
}

// others gives the schemas of members that match just these of the patterns, by their texts, and are not named.
func (s *shape) others(matched []string) []*value {
	var all []*value
	for _, o := range s.objects {
		described := false
		if o.patterns != nil {
			for _, p := range o.patterns.members {
				if slices.Contains(matched, p.key) {
					all, described = append(all, p.value), true
				}
			}
		}
		if !described && o.others != nil {
			all = append(all, o.others)
		}
	}
	return all
}

// groups calls a function for each set of patterns that names which are not described can match, with the automaton of these
// names, whether it is the set of none, and the schemas of their values. Each key is spelled in the one shortest way, so that none
// that is described comes in disguise.
func (c *compiler) groups(s *shape, names []string, any *dfa, enc encoding, yield func(key *dfa, plain bool, all []*value) error) error {
	tooMany := func(err error) error {
		return errorAt(s.path, "the names of the properties are too many or too long: %v", err)
	}
	ends := make([]string, len(names))
	for i, name := range names {
		if ends[i] = name; enc == asJSON {
			quoted := encodeString(name)
			ends[i] = quoted[1 : len(quoted)-1]
		}
	}
	any, err := intersect(any, complement(newTree(ends)), c.budget)
	for _, schema := range s.naming {
		k, wrong := c.naming(schema)
		if wrong != nil {
			return wrong
		}
		if k == nil || any == nil || err != nil {
			continue
		}
		if k.in(enc) == nil {
			any = nil
			continue
		}
		any, err = intersect(any, k.in(enc), c.budget)
	}
	if err != nil {
		return tooMany(err)
	}
	patterns, err := c.patternsOf(s)
	if err != nil {
		return err
	}
	// split parts the names by the patterns from i on.
	var split func(i int, key *dfa, matched []string) error
	split = func(i int, key *dfa, matched []string) error {
		if key == nil {
			return nil
		}
		if i == len(patterns) {
			return yield(key, len(matched) == 0, s.others(matched))
		}
		k, err := c.pattern(patterns[i])
		if err != nil {
			return err
		}
		with := k.in(enc)
		if with == nil {
			return split(i+1, key, matched)
		}
		in, err := intersect(key, with, c.budget)
		if err != nil {
			return tooMany(err)
		}
		if err := split(i+1, in, append(slices.Clip(matched), patterns[i].key)); err != nil {
			return err
		}
		out, err := intersect(key, complement(with), c.budget)
		if err != nil {
			return tooMany(err)
		}
		return split(i+1, out, matched)
	}
	return split(0, any, nil)
}

// patternsOf gives the patterns of all schemas of a shape, each once.
func (c *compiler) patternsOf(s *shape) ([]keyed, error) {
	var out []keyed
	for _, o := range s.objects {
		if o.patterns == nil {
			continue
		}
		for _, p := range o.patterns.members {
			if !slices.ContainsFunc(out, func(k keyed) bool { return k.key == p.key }) {
				out = append(out, p)
			}
		}
		if len(out) > maxPatterns {
			return nil, errorAt(o.patterns.path, "more than %d patterns of names are not supported", maxPatterns)
		}
	}
	return out, nil
}

// pattern compiles a pattern of names.
func (c *compiler) pattern(p keyed) (keys, error) {
	if k, ok := c.patterns[p.key]; ok {
		return k, nil
	}
	var k keys
	var err error
	if k.text, err = expression(p.key, false, asText, c.budget); err == nil {
		k.json, err = expression(p.key, false, asJSON, c.budget)
	}
	if err != nil {
		return keys{}, errorAt(p.value.path, "%v", err)
	}
	c.patterns[p.key] = k
	return k, nil
}

// patternsKnown says whether all patterns of names compile.
func (c *compiler) patternsKnown(patterns *value) bool {
	return !slices.ContainsFunc(patterns.members, func(p keyed) bool {
		_, err := c.pattern(p)
		return err != nil
	})
}

// naming compiles what propertyNames says of names; nil: nothing that is enforced.
func (c *compiler) naming(schema *value) (*keys, error) {
	if k, ok := c.namings[schema]; ok {
		return k, nil
	}
	k, err := c.makeNaming(schema)
	if err == nil {
		c.namings[schema] = k
	}
	return k, err
}

func (c *compiler) makeNaming(schema *value) (*keys, error) {
	branches, err := c.branches([]*value{schema})
	if err != nil || len(branches) == 0 {
		return &keys{}, err
	}
	if len(branches) > 1 {
		if c.lax {
			return nil, nil
		}
		return nil, errorAt(schema.path, "alternatives in propertyNames are not supported")
	}
	s, err := c.newShape(branches[0])
	if err != nil {
		return nil, err
	}
	var k keys
	switch {
	case s.types&stringType == 0:
	case s.limited:
		k, err = c.listedNames(s)
	default:
		if k.text, err = c.strings(s, asText); err == nil {
			k.json, err = c.strings(s, asJSON)
		}
	}
	return &k, err
}

// listedNames is the names of an enum.
func (c *compiler) listedNames(s *shape) (keys, error) {
	var text, json []string
	for _, v := range s.values {
		ok, err := c.satisfies(s, v)
		if err != nil {
			return keys{}, err
		}
		if ok && v.kind == stringValue {
			text = append(text, v.text)
			quoted := encodeString(v.text)
			json = append(json, quoted[1:len(quoted)-1])
		}
	}
	if len(text) == 0 {
		return keys{}, nil
	}
	return keys{texts(text), texts(json)}, nil
}

// strings is the automaton of the strings of a shape, with their lengths; nil: there are none.
func (c *compiler) strings(s *shape, enc encoding) (*dfa, error) {
	d, err := c.automaton(s, enc)
	if err != nil || d == nil || s.least == 0 && s.most < 0 {
		return d, err
	}
	d, err = countedText(d, sharedExpression(oneCharacter, enc), s.least, s.most, c.budget)
	if err != nil {
		return nil, errorAt(s.path, "minLength or maxLength beside a pattern or a format: %v", err)
	}
	return d, nil
}
