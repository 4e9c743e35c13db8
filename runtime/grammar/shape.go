package grammar

import (
	"slices"
	"strconv"
	"strings"
)

// types is a set of JSON types. Numbers are integers and fractions.
type types uint8

const (
	nullType types = 1 << iota
	boolType
	integerType
	fractionType
	stringType
	arrayType
	objectType
	allTypes   types = 1<<iota - 1
	numberType       = integerType | fractionType
)

var typeNames = map[string]types{
	"null": nullType, "boolean": boolType, "integer": integerType, "number": numberType,
	"string": stringType, "array": arrayType, "object": objectType,
}

// shape is what the own keywords of some schemas, which all hold, say together.
type shape struct {
	path    string
	types   types
	values  []*value // of enum and const; nil and limited: none
	limited bool

	least, most       int32 // characters of a string; most -1: no bound
	patterns, formats []*value

	from, to  []limit // of a number
	multiples []*value

	objects                   []objectShape
	required                  []string
	naming                    []*value // schemas of propertyNames
	leastMembers, mostMembers int32    // most -1: no bound
	fewest                    *value   // minProperties, for errors

	arrays                []arrayShape
	leastItems, mostItems int32
	unique                *value // uniqueItems, where it is true; nil: items may be equal
}

// limit is a bound of a number.
type limit struct {
	value     *value
	exclusive bool
}

// objectShape is what one schema says of members. Nil: nothing.
type objectShape struct {
	properties, patterns, others *value
}

// arrayShape is what one schema says of items.
type arrayShape struct {
	prefix []*value
	rest   *value
}

// unsupported are keywords that would have to be enforced and cannot be.
var unsupported = []string{
	"not", "if", "then", "else", "contains", "minContains", "maxContains", "unevaluatedItems", "unevaluatedProperties", "$dynamicRef", "$recursiveRef",
}

// newShape reads the keywords of all schemas of a branch.
func (c *compiler) newShape(branch []*value) (*shape, error) {
	s := &shape{types: allTypes, most: -1, mostItems: -1, mostMembers: -1}
	for i, schema := range branch {
		if i == 0 {
			s.path = schema.path
		}
		if err := c.budget.step(8 + len(schema.members)); err != nil {
			return nil, errorAt(schema.path, "the schema combines too many schemas")
		}
		var object objectShape
		var array arrayShape
		for _, m := range schema.members {
			if err := s.keyword(schema, m.key, m.value, &object, &array, c.lax); err != nil {
				return nil, err
			}
		}
		if c.lax && object.patterns != nil && !c.patternsKnown(object.patterns) {
			object.patterns, object.others = nil, nil
		}
		if object != (objectShape{}) {
			s.objects = append(s.objects, object)
		}
		if array.prefix != nil || array.rest != nil {
			s.arrays = append(s.arrays, array)
		}
	}
	return s, nil
}

// keyword takes in one keyword. What is no keyword of JSON schema's is an annotation, as the standard has it.
func (s *shape) keyword(schema *value, key string, v *value, object *objectShape, array *arrayShape, lax bool) error {
	var err error
	switch key {
	case "type":
		err = s.setTypes(schema, v)
	case "enum":
		if v.kind != arrayValue {
			return errorAt(v.path, "enum is a list")
		}
		s.limit(v.items)
	case "const":
		s.limit([]*value{v})
	case "minLength":
		err = raise(&s.least, v)
	case "maxLength":
		err = lower(&s.most, v)
	case "minItems":
		err = raise(&s.leastItems, v)
	case "maxItems":
		err = lower(&s.mostItems, v)
	case "uniqueItems":
		if err = want(v, boolValue); err == nil && v.yes {
			s.unique = v
		}
	case "minProperties":
		err = raise(&s.leastMembers, v)
		s.fewest = v
	case "maxProperties":
		err = lower(&s.mostMembers, v)
	case "pattern":
		s.patterns, err = append(s.patterns, v), want(v, stringValue)
	case "format":
		s.formats, err = append(s.formats, v), want(v, stringValue)
	case "minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum":
		err = s.setLimit(schema, key, v)
	case "multipleOf":
		s.multiples, err = append(s.multiples, v), wantNumber(v)
	case "properties":
		object.properties, err = v, want(v, objectValue)
	case "patternProperties":
		object.patterns, err = v, want(v, objectValue)
	case "additionalProperties":
		object.others = v
	case "propertyNames":
		s.naming = append(s.naming, v)
	case "required":
		err = s.require(v)
	case "items":
		if v.kind == arrayValue { // before draft 2020-12
			array.prefix = v.items
		} else {
			array.rest = v
		}
	case "prefixItems":
		array.prefix, err = v.items, want(v, arrayValue)
	case "additionalItems":
		if items := schema.get("items"); items != nil && items.kind == arrayValue {
			array.rest = v
		}
	default:
		if !lax && slices.Contains(unsupported, key) && !harmless(key, v) {
			return errorAt(v.path, "%s is not supported: it cannot be enforced while a text is written", key)
		}
	}
	return err
}

// harmless says whether the value of an unsupported keyword asks for nothing.
func harmless(key string, v *value) bool {
	switch v.kind {
	case boolValue:
		return v.yes && key != "not" && key != "contains"
	case objectValue:
		return len(v.members) == 0 && key != "not" && key != "contains"
	}
	return false
}

func want(v *value, kind valueKind) error {
	if v.kind != kind {
		return errorAt(v.path, "this is %v, not %v", v.kind, kind)
	}
	return nil
}

// longestLimit is how long a number that others are compared with can be, in bytes.
const longestLimit = 64

func wantNumber(v *value) error {
	if err := want(v, numberValue); err != nil {
		return err
	}
	if len(v.text) > longestLimit {
		return errorAt(v.path, "the number has more than %d characters", longestLimit)
	}
	return nil
}

func (s *shape) setTypes(schema, v *value) error {
	names := v.items
	if v.kind != arrayValue {
		names = []*value{v}
	}
	var set types
	for _, n := range names {
		t, ok := typeNames[n.text]
		if !ok || n.kind != stringValue {
			return errorAt(n.path, "%s is no type; types are array, boolean, integer, null, number, object, string", n)
		}
		set |= t
	}
	if n := schema.get("nullable"); n != nil && n.yes { // OpenAPI 3.0
		set |= nullType
	}
	s.types &= set
	return nil
}

// limit leaves the values that are in the list.
func (s *shape) limit(list []*value) {
	if !s.limited {
		s.limited, s.values = true, list
		return
	}
	known := map[string]bool{}
	for _, v := range list {
		known[v.String()] = true
	}
	var kept []*value
	for _, v := range s.values {
		if known[v.String()] {
			kept = append(kept, v)
		}
	}
	s.values = kept
}

// countOf is a number of characters, items or members.
func countOf(v *value) (int32, error) {
	// 3.0 is an integer for JSON schema.
	n, err := strconv.ParseUint(strings.TrimSuffix(v.text, ".0"), 10, 63)
	if v.kind != numberValue || err != nil {
		return 0, errorAt(v.path, "%s is no count", v)
	}
	return int32(min(n, uint64(endless))), nil
}

func raise(to *int32, v *value) error {
	n, err := countOf(v)
	*to = max(*to, n)
	return err
}

func lower(to *int32, v *value) error {
	n, err := countOf(v)
	if n >= endless {
		return err
	}
	if *to < 0 || n < *to {
		*to = n
	}
	return err
}

func (s *shape) setLimit(schema *value, key string, v *value) error {
	upper := strings.HasSuffix(key, "aximum")
	exclusive := strings.HasPrefix(key, "exclusive")
	if v.kind == boolValue && exclusive { // draft 4: it says how minimum and maximum are meant
		return nil
	}
	if err := wantNumber(v); err != nil {
		return err
	}
	if !exclusive {
		twin := schema.get("exclusive" + strings.ToUpper(key[:1]) + key[1:])
		exclusive = twin != nil && twin.kind == boolValue && twin.yes
	}
	if upper {
		s.to = append(s.to, limit{v, exclusive})
	} else {
		s.from = append(s.from, limit{v, exclusive})
	}
	return nil
}

func (s *shape) require(v *value) error {
	if v.kind != arrayValue {
		return errorAt(v.path, "required is a list of names")
	}
	for _, n := range v.items {
		if err := want(n, stringValue); err != nil {
			return err
		}
		if !slices.Contains(s.required, n.text) {
			if s.required = append(s.required, n.text); len(s.required) > MaxProperties {
				return errorAt(v.path, "more than %d properties", MaxProperties)
			}
		}
	}
	return nil
}
