package grammar

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// compiler turns a schema into nodes. What has to satisfy several schemas at once, as allOf wants it, is compiled as one: a place
// is a list of schemas, all of which hold.
type compiler struct {
	root     *value
	budget   *budget
	nodes    int
	literals int                 // bytes of enum and const
	patterns map[string]keys     // of patternProperties
	namings  map[*value]*keys    // of propertyNames
	known    map[string]*node    // by the schemas of a place
	depend   map[*value][]*value // what dependentRequired and the like stand for
	made     int                 // number of the last value that the schema does not have; they go down from 0
	spelling *spelling
	lax      bool // what cannot be enforced is left out, and no error
	any      *node
}

func newCompiler(root *value, s *spelling, b *budget) *compiler {
	c := &compiler{root: root, budget: b, known: map[string]*node{}, spelling: s,
		patterns: map[string]keys{}, namings: map[*value]*keys{}, depend: map[*value][]*value{}}
	c.any, _ = s.anyValue()
	return c
}

func compileSchema(schema []byte, lax bool) (*node, error) {
	root, err := parseDocument(schema)
	if err != nil {
		return nil, err
	}
	return orPlain(newBudget(), func(b *budget) (*node, error) {
		c := newCompiler(root, anySpelling, b)
		c.lax = lax
		return c.place([]*value{root})
	})
}

// place compiles what satisfies all of some schemas.
func (c *compiler) place(all []*value) (*node, error) {
	key := placeKey(all)
	if n := c.known[key]; n != nil {
		return n, nil
	}
	// The node is known before its parts are compiled, so that a schema can refer to itself.
	n := &node{kind: choiceNode}
	c.known[key] = n
	branches, err := c.branches(all)
	if err != nil {
		return nil, err
	}
	if c.nodes += 1 + len(branches); c.nodes > MaxNodes {
		return nil, errorAt(all[0].path, "the schema needs more than %d nodes", MaxNodes)
	}
	for _, b := range branches {
		s, err := c.newShape(b)
		if err != nil {
			return nil, err
		}
		kids, err := c.shape(s)
		if err != nil {
			return nil, err
		}
		n.kids = append(n.kids, kids...)
	}
	return n, nil
}

func placeKey(all []*value) string {
	ids := make([]int, len(all))
	for i, s := range all {
		ids[i] = s.id
	}
	slices.Sort(ids)
	return fmt.Sprint(slices.Compact(ids))
}

// link is a schema on the way from a place to what holds there.
type link struct {
	schema *value
	from   *link
}

// branches takes apart what combines schemas: each branch is a list of objects whose own keywords all hold, with $ref followed,
// allOf added, and one of the alternatives of each anyOf and oneOf.
func (c *compiler) branches(all []*value) ([][]*value, error) {
	b := &brancher{c: c}
	var todo []*link
	for _, s := range all {
		todo = append(todo, &link{schema: s})
	}
	err := b.walk(todo, nil)
	return b.found, err
}

type brancher struct {
	c     *compiler
	found [][]*value
}

func (b *brancher) walk(todo []*link, done []*value) error {
	for len(todo) > 0 {
		l := todo[0]
		todo = todo[1:]
		s := l.schema
		if err := b.c.budget.step(16 + len(done)); err != nil {
			return errorAt(s.path, "the schema combines too many schemas")
		}
		for up := l.from; up != nil; up = up.from {
			if up.schema == s {
				return errorAt(s.path, "the schema refers to itself without anything between")
			}
		}
		switch {
		case s.kind == boolValue && s.yes:
			continue
		case s.kind == boolValue:
			return nil
		case s.kind != objectValue:
			return errorAt(s.path, "a schema is an object or a boolean, not %v", s.kind)
		case slices.Contains(done, s):
			continue
		}
		done = append(done, s)
		more, err := b.c.parts(s)
		if err != nil {
			return err
		}
		dependents, err := b.c.dependents(s)
		if err != nil {
			return err
		}
		for _, m := range append(more, dependents...) {
			todo = append(todo, &link{m, l})
		}
		for _, key := range []string{"anyOf", "oneOf"} {
			if list := s.get(key); list != nil {
				// The other list, if there is one, comes when this one is chosen from.
				return b.choose(l, key, todo, slices.Clip(done))
			}
		}
	}
	if b.found = append(b.found, done); len(b.found) > MaxBranches {
		return errorAt(done[0].path, "the schema has more than %d alternatives", MaxBranches)
	}
	return nil
}

// choose walks on with each alternative of a list.
func (b *brancher) choose(l *link, key string, todo []*link, done []*value) error {
	lists := [][]*value{l.schema.get(key).items}
	if key == "anyOf" && l.schema.get("oneOf") != nil {
		lists = append(lists, l.schema.get("oneOf").items)
	}
	var walk func(i int, todo []*link) error
	walk = func(i int, todo []*link) error {
		if i == len(lists) {
			return b.walk(todo, done)
		}
		for _, alternative := range lists[i] {
			if err := walk(i+1, append(slices.Clone(todo), &link{alternative, l})); err != nil {
				return err
			}
		}
		return nil
	}
	return walk(0, todo)
}

// parts gives the schemas that hold beside a schema's own keywords, and checks the lists of alternatives.
func (c *compiler) parts(s *value) ([]*value, error) {
	var out []*value
	if ref := s.get("$ref"); ref != nil {
		target, err := c.resolve(ref)
		if err != nil {
			return nil, err
		}
		out = append(out, target)
	}
	for _, key := range []string{"allOf", "anyOf", "oneOf"} {
		list := s.get(key)
		if list == nil {
			continue
		}
		if list.kind != arrayValue || len(list.items) == 0 {
			return nil, errorAt(list.path, "%s is a list of schemas", key)
		}
		switch key {
		case "allOf":
			out = append(out, list.items...)
		case "oneOf":
			if c.lax {
				continue
			}
			if err := c.exclusive(list.items); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// resolve finds what a reference points at, in this schema only: nothing is ever fetched.
func (c *compiler) resolve(ref *value) (*value, error) {
	if ref.kind != stringValue {
		return nil, errorAt(ref.path, "$ref is a string")
	}
	fragment, ok := strings.CutPrefix(ref.text, "#")
	if !ok || fragment != "" && fragment[0] != '/' {
		return nil, errorAt(ref.path, "$ref %q: only references inside of the schema, such as #/$defs/name, are followed", ref.text)
	}
	pointer, err := url.PathUnescape(fragment)
	if err != nil {
		return nil, errorAt(ref.path, "$ref %q: %v", ref.text, err)
	}
	at := c.root
	for part := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		if pointer == "" {
			break
		}
		part = strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
		next := at.get(part)
		if i, err := strconv.Atoi(part); err == nil && at.kind == arrayValue && i >= 0 && i < len(at.items) {
			next = at.items[i]
		}
		if next == nil {
			return nil, errorAt(ref.path, "$ref %q: there is no such place in the schema", ref.text)
		}
		at = next
	}
	return at, nil
}
