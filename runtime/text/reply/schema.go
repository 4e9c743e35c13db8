package reply

import (
	"encoding/json"
	"strconv"
	"strings"
)

// tools are the functions that may be called. They are read when the first call comes.
type tools struct {
	raw   []json.RawMessage
	known map[string]*function
}

// function is what types arguments: the schema of its parameters.
type function struct {
	parameters any
	seen       map[string]types
}

func (t *tools) find(name string) *function {
	if t.known == nil {
		t.known = map[string]*function{}
		for _, raw := range t.raw {
			if name, parameters := readTool(raw); name != "" && t.known[name] == nil {
				t.known[name] = &function{parameters: parameters, seen: map[string]types{}}
			}
		}
	}
	return t.known[name]
}

func (t *tools) has(name string) bool { return t.find(name) != nil }

// types are those of an argument of a function. Zero where the function is not known, or its schema does not say.
func (t *tools) types(name, key string) types {
	f := t.find(name)
	if f == nil {
		return 0
	}
	found, ok := f.seen[key]
	if !ok {
		r := resolver{root: f.parameters, steps: maxSteps}
		if found = r.property(f.parameters, key, 0); found == isAnything {
			found = 0
		}
		f.seen[key] = found
	}
	return found
}

// readTool reads a tool, {"type": "function", "function": {"name", "parameters"}} or the function alone. Tools were
// checked when the request came: what is damaged here is none.
func readTool(raw json.RawMessage) (name string, parameters any) {
	type head struct {
		Name       string
		Parameters json.RawMessage
	}
	var tool struct {
		head
		Function *head
	}
	if json.Unmarshal(raw, &tool) != nil {
		return "", nil
	}
	if tool.Function != nil {
		tool.head = *tool.Function
	}
	if json.Unmarshal(tool.Parameters, &parameters) != nil {
		parameters = nil
	}
	return tool.Name, parameters
}

// Bounds of what is looked at of a schema to find the types of one argument, which $ref could make endless.
const (
	maxSteps = 10000
	maxDepth = 64
)

// resolver finds types in a JSON schema.
type resolver struct {
	root  any
	steps int
}

// property gives the types of a property of the objects that a schema describes. Of several places that describe it, all
// have to agree; of alternatives, any.
func (r *resolver) property(schema any, key string, depth int) types {
	return r.look(schema, depth, func(s map[string]any, depth int) types {
		properties, _ := s["properties"].(map[string]any)
		if sub, ok := properties[key]; ok {
			return r.value(sub, depth)
		}
		// "additionalProperties" describes the properties that have no description of their own.
		if sub, ok := s["additionalProperties"].(map[string]any); ok {
			return r.value(sub, depth)
		}
		return isAnything
	})
}

// value gives the types of the values that a schema describes.
func (r *resolver) value(schema any, depth int) types {
	return r.look(schema, depth, func(s map[string]any, _ int) types {
		t := isAnything
		switch names := s["type"].(type) {
		case string:
			t = typeNamed(names)
		case []any:
			t = 0
			for _, name := range names {
				if name, ok := name.(string); ok {
					t |= typeNamed(name)
				}
			}
		}
		if nullable, _ := s["nullable"].(bool); nullable {
			t |= isNull
		}
		if value, ok := s["const"]; ok {
			t &= typesOf(value)
		} else if values, ok := s["enum"].([]any); ok {
			t &= typesOf(values...)
		}
		return t
	})
}

// look applies own to a schema and to those that it refers to.
func (r *resolver) look(schema any, depth int, own func(map[string]any, int) types) types {
	s, ok := schema.(map[string]any)
	if r.steps--; !ok || r.steps < 0 || depth > maxDepth {
		return isAnything
	}
	depth++
	t := own(s, depth)
	if ref, ok := s["$ref"].(string); ok {
		if target, ok := r.target(ref); ok {
			t &= r.look(target, depth, own)
		}
	}
	for _, word := range []string{"anyOf", "oneOf"} {
		if list, ok := s[word].([]any); ok && len(list) > 0 {
			var either types
			for _, sub := range list {
				either |= r.look(sub, depth, own)
			}
			t &= either
		}
	}
	if list, ok := s["allOf"].([]any); ok {
		for _, sub := range list {
			t &= r.look(sub, depth, own)
		}
	}
	return t
}

// target follows a reference within the schema, such as #/$defs/Point.
func (r *resolver) target(ref string) (any, bool) {
	path, ok := strings.CutPrefix(ref, "#")
	if !ok {
		return nil, false
	}
	at := r.root
	for _, part := range strings.Split(strings.TrimPrefix(path, "/"), "/") {
		if part == "" {
			continue
		}
		part = strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
		switch v := at.(type) {
		case map[string]any:
			if at, ok = v[part]; !ok {
				return nil, false
			}
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i < 0 || i >= len(v) {
				return nil, false
			}
			at = v[i]
		default:
			return nil, false
		}
	}
	return at, true
}

func typeNamed(name string) types {
	switch name {
	case "null":
		return isNull
	case "boolean":
		return isBool
	case "number", "integer":
		return isNumber
	case "string":
		return isString
	case "array":
		return isArray
	case "object":
		return isObject
	}
	return isAnything
}

func typesOf(values ...any) types {
	var t types
	for _, v := range values {
		switch v.(type) {
		case nil:
			t |= isNull
		case bool:
			t |= isBool
		case float64:
			t |= isNumber
		case string:
			t |= isString
		case []any:
			t |= isArray
		case map[string]any:
			t |= isObject
		}
	}
	return t
}
