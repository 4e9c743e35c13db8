package grammar

import (
	"slices"
	"strings"
	"sync"
)

// argumentSpelling writes JSON that stands in an argument: the tag that ends the argument is not in it.
var argumentSpelling = sync.OnceValue(func() *spelling { return spelledWithout(valueClose) })

// argumentText takes the strings that an argument can be.
var argumentText = sync.OnceValue(func() *dfa { return without(valueClose) })

// argument compiles the value of an argument. Strings are written as they are, without quotes; other values as JSON. Where the
// schema allows both, whoever reads the call takes a text for JSON if it is of a type that the schema allows: so such texts are no
// strings.
func (a *arguments) argument(all []*value) (*node, error) {
	branches, err := a.branches(all)
	if err != nil {
		return nil, err
	}
	var shapes []*shape
	var found types
	for _, b := range branches {
		s, err := a.newShape(b)
		if err != nil {
			return nil, err
		}
		if s.free() {
			return automaton(argumentText()), nil
		}
		shapes = append(shapes, s)
		found |= s.allowed()
	}
	out := &node{kind: choiceNode}
	for _, s := range shapes {
		kids, err := a.written(s, found)
		if err != nil {
			return nil, err
		}
		out.kids = append(out.kids, kids...)
	}
	return out, nil
}

// allowed is the types that values of the shape have.
func (s *shape) allowed() types {
	if !s.limited {
		return s.types
	}
	var found types
	for _, v := range s.values {
		found |= v.types()
	}
	return found & s.types
}

// written compiles what a shape allows, beside values of the found types.
func (a *arguments) written(s *shape, found types) ([]*node, error) {
	var out []*node
	text, rest := *s, *s
	text.types &= stringType
	rest.types &^= stringType
	if rest.types != 0 {
		kids, err := a.shape(&rest)
		if err != nil {
			return nil, err
		}
		out = kids
	}
	if text.types == 0 {
		return out, nil
	}
	n, err := a.raw(&text, found&^stringType)
	if err != nil || n == nil {
		return out, err
	}
	return append(out, n), nil
}

// raw compiles the strings of a shape as they are.
func (a *arguments) raw(s *shape, others types) (*node, error) {
	if s.limited {
		return a.rawList(s)
	}
	if s.most >= 0 && s.most < s.least {
		return nil, nil
	}
	if others == 0 && s.patterns == nil && knownFormats(s.formats) == nil {
		if s.least == 0 && s.most < 0 {
			return automaton(argumentText()), nil
		}
		return &node{kind: countedNode, dfa: argumentText(), char: sharedExpression(oneCharacter, asText), least: s.least, most: s.most}, nil
	}
	d, err := a.automaton(s, asText)
	if err != nil || d == nil {
		return nil, err
	}
	d, err = intersect(d, argumentText(), a.budget)
	if err == nil && d != nil && others != 0 {
		d, err = intersect(d, complement(takenFor(others)), a.budget)
	}
	if err == nil && d != nil && (s.least > 0 || s.most >= 0) {
		d, err = countedText(d, sharedExpression(oneCharacter, asText), s.least, s.most, a.budget)
	}
	if err != nil {
		return nil, errorAt(s.path, "the strings that the schema allows: %v", err)
	}
	if d == nil {
		return nil, nil
	}
	return automaton(d), nil
}

// rawList compiles listed strings.
func (a *arguments) rawList(s *shape) (*node, error) {
	var list []string
	for _, v := range s.values {
		ok, err := a.satisfies(s, v)
		if err != nil {
			return nil, err
		}
		if a.literals += len(v.text); a.literals > MaxLiterals {
			return nil, errorAt(s.path, "the values of enum and const have more than %d bytes", MaxLiterals)
		}
		if ok && !strings.Contains(v.text, valueClose) {
			list = append(list, v.text)
		}
	}
	if len(list) == 0 {
		return nil, nil
	}
	return automaton(texts(list)), nil
}

// takenFor is the automaton of texts that are taken for values of the types, and of a few more.
func takenFor(t types) *dfa {
	var list []string
	for _, f := range []struct {
		types types
		form  string
	}{
		{nullType, `\s*(null|None)\s*`},
		{boolType, `\s*(true|false|True|False)\s*`},
		{numberType, `\s*-?[0-9][-+.0-9eE]*\s*`},
		{arrayType, `\s*\[(?s).*`},
		{objectType, `\s*\{(?s).*`},
	} {
		if t&f.types != 0 {
			list = append(list, f.form)
		}
	}
	if t == allTypes&^stringType { // where the schema allows everything, strings may come in quotes too
		list = append(list, `\s*"(?s).*`)
	}
	slices.Sort(list)
	return sharedExpression(strings.Join(list, "|"), asText)
}
