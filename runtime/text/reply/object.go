package reply

import (
	"encoding/json"
	"strings"
)

// object is where in the JSON of a call the parser is. The form is that of Hermes and Qwen:
//
//	<tool_call>
//	{"name": "f", "arguments": {"key": "value"}}
//	</tool_call>
type object struct {
	quoted    bool // inside of a string
	backslash bool // behind one, in a string
}

// object reads up to a callClose that is not a part of a string.
func (p *Parser) object() bool {
	c := &p.call
	for i := 0; i < len(p.in); i++ {
		b := p.in[i]
		switch {
		case c.object.backslash:
			c.object.backslash = false
		case c.object.quoted:
			c.object.backslash = b == '\\'
			c.object.quoted = b != '"'
		case b == '"':
			c.object.quoted = true
		case b == '<':
			rest := p.in[i:]
			if strings.HasPrefix(rest, callClose) {
				c.raw.WriteString(p.in[:i])
				p.in = rest[len(callClose):]
				if !p.endObject() {
					c.raw.WriteString(callClose)
					p.noCall()
				}
				return true
			}
			if strings.HasPrefix(callClose, rest) {
				c.raw.WriteString(p.in[:i])
				p.in = rest
				return false
			}
		}
	}
	c.raw.WriteString(p.in)
	p.in = ""
	return false
}

// endObject emits the call, or is false where it is none.
func (p *Parser) endObject() bool {
	var call struct {
		Name       *string
		Arguments  json.RawMessage
		Parameters json.RawMessage // as Llama calls them
	}
	if json.Unmarshal([]byte(p.call.raw.String()[len(callOpen):]), &call) != nil || call.Name == nil || *call.Name == "" {
		return false
	}
	args := call.Arguments
	if args == nil {
		args = call.Parameters
	}
	// An object that was written as a string of JSON is that object.
	var inner string
	if json.Unmarshal(args, &inner) == nil && json.Valid([]byte(inner)) {
		args = json.RawMessage(strings.Trim(inner, blanks))
	}
	switch {
	case len(args) == 0 || string(args) == "null":
		args = json.RawMessage("{}")
	case args[0] != '{':
		return false
	}
	p.beginCall(*call.Name)
	p.args(string(args))
	p.completeCall()
	return true
}
