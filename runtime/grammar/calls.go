package grammar

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Dialect is the form in which a model writes calls of tools.
type Dialect uint8

const (
	GLM45  Dialect = iota // GLM-4.5 and 4.6: tags on lines of their own
	GLM47                 // GLM-4.7: no line breaks
	Hermes                // Hermes and Qwen: one JSON object
)

// Tool is a function that may be called.
type Tool struct {
	Name       string
	Parameters []byte // JSON schema of its arguments; nil: it has none
	// Strict makes what cannot be enforced an error. Otherwise it is left to the model.
	Strict bool
}

// CallOptions say which calls a reply has.
type CallOptions struct {
	Options
	Dialect Dialect
	// Optional lets the model answer in text, or begin with one, before it calls; otherwise there is one call at least, and
	// no text. Where text has to have a form, a reply is either such a text or calls.
	Optional bool
	Form     Form // of text, with Optional; no form: any text
	// Single allows one call only.
	Single bool
}

// Tags of calls and thinking.
const (
	callOpen   = "<tool_call>"
	callClose  = "</tool_call>"
	keyOpen    = "<arg_key>"
	keyClose   = "</arg_key>"
	valueOpen  = "<arg_value>"
	valueClose = "</arg_value>"
	thinkOpen  = "<think>"
	thinkClose = "</think>"
)

// Calls is the grammar of calls of tools. To force a call of one tool, give only that one. Arguments come in the order in which
// the schema has them; those that it requires are there. Arguments that the schema has no property for are possible where it says
// so with additionalProperties or has no properties at all. The Path of an *Error begins with the tool's number.
func Calls(v *Vocabulary, tools []Tool, o CallOptions) (*Grammar, error) {
	var key strings.Builder
	fmt.Fprintf(&key, "calls %v %d %v %v %q", o.Options, o.Dialect, o.Optional, o.Single, o.Form.key)
	size := 0
	for _, t := range tools {
		fmt.Fprintf(&key, "%q %q %v", t.Name, t.Parameters, t.Strict)
		size += len(t.Parameters)
	}
	if len(tools) == 0 || len(tools) > MaxTools || size > MaxSource {
		return nil, errorAt("", "%d tools with %d bytes of schemas; there have to be some, at most %d with %d bytes", len(tools), size, MaxTools, MaxSource)
	}
	return v.compile(key.String(), func() (*node, error) {
		return orPlain(&budget{states: 4 * MaxStates, steps: 4 * newBudget().steps}, func(b *budget) (*node, error) {
			c := &caller{v: v, o: o, budget: b, line: sequence()}
			if o.Dialect != GLM47 {
				c.line = newline
			}
			return c.reply(tools)
		})
	})
}

// ReadTools reads tools in OpenAI's form, {"type": "function", "function": {"name", "parameters", "strict"}}, or functions alone.
func ReadTools(raw []json.RawMessage) ([]Tool, error) {
	type head struct {
		Name       string
		Parameters json.RawMessage
		Strict     *bool
	}
	var out []Tool
	for i, r := range raw {
		var tool struct {
			head
			Function *head
		}
		if err := json.Unmarshal(r, &tool); err != nil {
			return nil, errorAt(fmt.Sprintf("/%d", i), "the tool is not in the form of a function: %v", err)
		}
		if tool.Function != nil {
			tool.head = *tool.Function
		}
		t := Tool{Name: tool.Name, Parameters: tool.Parameters, Strict: tool.Strict != nil && *tool.Strict}
		if string(t.Parameters) == "null" {
			t.Parameters = nil
		}
		out = append(out, t)
	}
	return out, nil
}

// newline may stand between tags: models write it or not, whatever their template does.
var newline = mustExpression(`\n?`)

type caller struct {
	v      *Vocabulary
	o      CallOptions
	budget *budget
	line   *node // between tags
}

func (c *caller) reply(tools []Tool) (*node, error) {
	call := &node{kind: choiceNode}
	for i, t := range tools {
		n, err := c.tool(t)
		if e, ok := err.(*Error); ok {
			e.Path = fmt.Sprintf("/%d%s", i, e.Path)
		}
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(tools[:i], func(u Tool) bool { return u.Name == t.Name }) {
			call.kids = append(call.kids, n)
		}
	}
	most := int32(-1)
	if c.o.Single {
		most = 1
	}
	// Calls are items of an array without brackets.
	calls := &node{kind: arrayNode, least: 1, most: most, between: newline, rest: sequence(call)}
	if !c.o.Optional {
		return c.v.reply(calls, c.o.Options), nil
	}
	if c.o.Form.build != nil {
		text, err := c.o.Form.build()
		if err != nil {
			return nil, err
		}
		return c.v.reply(choice(text, calls), c.o.Options), nil
	}
	text := automaton(without(callOpen, thinkOpen, thinkClose))
	o := c.o.Options
	o.Newlines = o.Newlines && o.Thinking == MayThink // the text may begin with any
	return c.v.reply(choice(text, sequence(text, calls)), o), nil
}

// tool compiles the call of one tool.
func (c *caller) tool(t Tool) (*node, error) {
	if t.Name == "" || strings.ContainsAny(t.Name, "<>{} \t\r\n\"\\") || len(t.Name) > 256 {
		return nil, errorAt("", "%.300q is no name that a call can be written with", t.Name)
	}
	schema := t.Parameters
	if schema == nil {
		schema = []byte(`{"type": "object", "properties": {}, "additionalProperties": false}`)
	}
	root, err := parseDocument(schema)
	if err != nil {
		return nil, err
	}
	s := anySpelling
	if c.o.Dialect != Hermes {
		s = argumentSpelling()
	}
	a := &arguments{compiler: newCompiler(root, s, c.budget), caller: c, name: t.Name}
	a.lax = !t.Strict
	var n *node
	if c.o.Dialect == Hermes {
		n, err = a.hermes(root)
	} else {
		n, err = a.call(root)
	}
	if err != nil {
		return nil, err
	}
	if !prune(n) {
		return nil, errorAt("", "no arguments can satisfy the schema")
	}
	return n, nil
}

// arguments compiles the arguments of a tool.
type arguments struct {
	*compiler
	caller *caller
	name   string
}

// hermes is a call as one JSON object.
func (a *arguments) hermes(root *value) (*node, error) {
	object := &value{kind: objectValue, members: []keyed{{"type", &value{kind: stringValue, text: "object"}}}}
	value, err := a.place([]*value{root, object})
	if err != nil {
		return nil, err
	}
	return sequence(a.caller.v.tag(callOpen), newline, literal("{"), literal(`"name":`), space, literal(encodeString(a.name)), comma,
		literal(`"arguments":`), space, value, literal("}"), newline, a.caller.v.tag(callClose)), nil
}

var space = mustExpression(` ?`)

// call is a call in GLM's form. Arguments are members of an object whose braces are tags.
func (a *arguments) call(root *value) (*node, error) {
	branches, err := a.branches([]*value{root})
	if err != nil {
		return nil, err
	}
	var kids []*node
	for _, b := range branches {
		s, err := a.newShape(b)
		if err != nil {
			return nil, err
		}
		if s.types&objectType == 0 {
			continue
		}
		n, err := a.list(s)
		if err != nil {
			return nil, err
		}
		kids = append(kids, n)
	}
	if kids == nil {
		return nil, errorAt("", "the parameters of a tool are an object")
	}
	return choice(kids...), nil
}

// list compiles the arguments by one alternative of the schema.
func (a *arguments) list(s *shape) (*node, error) {
	if s.limited {
		return nil, errorAt(s.path, "enum and const are not supported for the parameters as a whole")
	}
	tag, line := a.caller.v.tag, a.caller.line
	n := &node{kind: objectNode, open: sequence(tag(callOpen), literal(a.name), line), end: tag(callClose), most: -1}
	names, err := a.names(s)
	if err != nil {
		return nil, err
	}
	pair := func(key, value *node) *node {
		return sequence(tag(keyOpen), key, tag(keyClose), line, tag(valueOpen), value, tag(valueClose), line)
	}
	for _, name := range names {
		if name == "" || strings.Contains(name, "<") || strings.TrimSpace(name) != name {
			return nil, errorAt(s.path, "%q is no name that an argument can be written with", name)
		}
		value, err := a.member(s, name, a.argument)
		if err != nil {
			return nil, err
		}
		n.members = append(n.members, member{pair(literal(name), value), slices.Contains(s.required, name)})
	}
	others := &node{kind: choiceNode}
	err = a.groups(s, names, sharedExpression(argumentName, asText), asText, func(key *dfa, plain bool, all []*value) error {
		if plain && s.closed() {
			return nil
		}
		value, err := a.argument(all)
		others.kids = append(others.kids, pair(automaton(key), value))
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(others.kids) > 0 {
		n.others = sequence(others)
	}
	return n, a.count(s, n)
}

// argumentName is the form of arguments' names that the schema does not have.
const argumentName = `[^\x00-\x20\x7f<]([^\x00-\x1f\x7f<]{0,62}[^\x00-\x20\x7f<])?`

// closed says whether only the described properties are arguments.
func (s *shape) closed() bool {
	described := false
	for _, o := range s.objects {
		if o.others != nil {
			return false // where it forbids them, nothing satisfies it
		}
		described = described || o.properties != nil || o.patterns != nil
	}
	return described
}
