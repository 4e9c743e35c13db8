package grammar

// maxDependents is how many properties of an object others may depend on: each is an alternative, that it is there and that it is not.
const maxDependents = 6

// dependents gives the schemas that dependentRequired, dependentSchemas, and dependencies of earlier drafts stand for: for each
// property that something depends on, that it is not there, or that it is and what depends on it holds.
func (c *compiler) dependents(s *value) ([]*value, error) {
	if c.lax && c.budget.plain {
		return nil, nil
	}
	if known, ok := c.depend[s]; ok {
		return known, nil
	}
	var out []*value
	for _, key := range []string{"dependentRequired", "dependentSchemas", "dependencies"} {
		list := s.get(key)
		if list == nil {
			continue
		}
		if err := want(list, objectValue); err != nil {
			return nil, err
		}
		for _, m := range list.members {
			holds, err := c.depends(key, m)
			if err != nil {
				return nil, err
			}
			if holds != nil {
				out = append(out, holds)
			}
			if len(out) > maxDependents {
				return c.tooDependent(s, list)
			}
		}
	}
	c.depend[s] = out
	c.budget.depends = c.budget.depends || c.lax && out != nil
	return out, nil
}

// orPlain compiles within a budget, and once more where that failed and dependents, which multiply alternatives, may be left to the model.
func orPlain(b *budget, compile func(*budget) (*node, error)) (*node, error) {
	again := *b
	n, err := compile(b)
	if err == nil || !b.depends {
		return n, err
	}
	again.plain = true
	return compile(&again)
}

// tooDependent is what becomes of more than can be enforced.
func (c *compiler) tooDependent(s, list *value) ([]*value, error) {
	if !c.lax {
		return nil, errorAt(list.path, "more than %d properties that others depend on are not supported", maxDependents)
	}
	c.depend[s] = nil
	return nil, nil
}

// depends is the schema for one property; nil: nothing depends on it.
func (c *compiler) depends(key string, m keyed) (*value, error) {
	names := []*value{c.make(m.value.path, stringValue, m.key)}
	with := []*value{}
	switch {
	case m.value.kind == arrayValue && key != "dependentSchemas":
		for _, n := range m.value.items {
			if err := want(n, stringValue); err != nil {
				return nil, err
			}
		}
		if len(m.value.items) == 0 {
			return nil, nil
		}
		names = append(names, m.value.items...)
	case key == "dependentRequired":
		return nil, want(m.value, arrayValue)
	default:
		with = append(with, m.value)
	}
	path := m.value.path
	never := c.make(path, boolValue, "")
	without := c.single(path, "properties", c.single(path, m.key, never))
	list := c.make(path, arrayValue, "")
	list.items = names
	all := c.make(path, arrayValue, "")
	all.items = append([]*value{c.single(path, "required", list)}, with...) // its name comes before those that it asks for
	either := c.make(path, arrayValue, "")
	either.items = []*value{without, c.single(path, "allOf", all)}
	return c.single(path, "anyOf", either), nil
}

// make makes a value that the schema does not have, with a number of its own.
func (c *compiler) make(path string, kind valueKind, text string) *value {
	c.made--
	return &value{kind: kind, text: text, path: path, id: c.made}
}

// single makes an object with one member.
func (c *compiler) single(path, key string, v *value) *value {
	o := c.make(path, objectValue, "")
	o.members = []keyed{{key, v}}
	return o
}
