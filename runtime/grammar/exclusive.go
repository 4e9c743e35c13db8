package grammar

import "slices"

// exclusive checks that no value satisfies two alternatives of oneOf: then it is the same as anyOf. Whether others do cannot be
// told while a text is written.
func (c *compiler) exclusive(list []*value) error {
	if len(list) > MaxBranches {
		return errorAt(list[0].path, "oneOf has more than %d alternatives", MaxBranches)
	}
	traits := make([]trait, len(list))
	for i, s := range list {
		traits[i] = c.trait(s, 4)
	}
	if c.budget.step(8*len(list)*len(list)) != nil {
		return errorAt(list[0].path, "the schema combines too many schemas")
	}
	for i, a := range traits {
		for j, b := range traits[:i] {
			if !a.apart(b) {
				return errorAt(list[i].path, "the alternative of oneOf is not seen to exclude alternative %d: give them different types, or a "+
					"required property with different values of const, or use anyOf", j)
			}
		}
	}
	return nil
}

// trait is what is easily seen of the values of a schema.
type trait struct {
	types   types
	values  []string // the only values; nil and limited: none
	limited bool
	members map[string]trait // of required ones, where they are objects
}

func (c *compiler) trait(s *value, depth int) trait {
	t := trait{types: allTypes}
	if s.kind == boolValue && !s.yes {
		t.types = 0
	}
	if s.kind != objectValue || depth == 0 || c.budget.step(64) != nil {
		return t
	}
	if shape, err := c.newShape([]*value{s}); err == nil {
		t.types = shape.types
		if shape.limited {
			t.limit(shape.values)
		}
		for _, name := range shape.required {
			for _, o := range shape.objects {
				if o.properties != nil && o.properties.get(name) != nil {
					t.member(name, c.trait(o.properties.get(name), depth-1))
				}
			}
		}
	}
	more := []*value{}
	if ref := s.get("$ref"); ref != nil {
		if target, err := c.resolve(ref); err == nil {
			more = append(more, target)
		}
	}
	if all := s.get("allOf"); all != nil && len(all.items) <= 8 {
		more = append(more, all.items...)
	}
	for _, m := range more {
		t.and(c.trait(m, depth-1))
	}
	return t
}

func (t *trait) limit(list []*value) {
	t.limited = true
	var found types
	for _, v := range list {
		text := v.String()
		if v.kind == numberValue {
			text = parseDecimal(text).String()
		}
		t.values = append(t.values, text)
		found |= v.types()
	}
	t.types &= found
}

// types is the type of a value, for numbers both.
func (v *value) types() types {
	return [...]types{nullType, boolType, numberType, stringType, arrayType, objectType}[v.kind]
}

func (t *trait) member(name string, m trait) {
	if t.members == nil {
		t.members = map[string]trait{}
	}
	if known, ok := t.members[name]; ok {
		known.and(m)
		m = known
	}
	t.members[name] = m
}

func (t *trait) and(u trait) {
	t.types &= u.types
	if u.limited && !t.limited {
		t.limited, t.values = true, u.values
	}
	for name, m := range u.members {
		t.member(name, m)
	}
}

// apart says whether no value has both traits.
func (t trait) apart(u trait) bool {
	both := t.types & u.types
	if both == 0 {
		return true
	}
	if t.limited && u.limited && !slices.ContainsFunc(t.values, func(v string) bool { return slices.Contains(u.values, v) }) {
		return true
	}
	if both != objectType {
		return false
	}
	for name, m := range t.members {
		if n, ok := u.members[name]; ok && m.apart(n) {
			return true
		}
	}
	return false
}
