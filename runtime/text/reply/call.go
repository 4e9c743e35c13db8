package reply

import "strings"

// longestName bounds the name of a function. What is longer is text that happens to hold a tag.
const longestName = 256

// call is the call that is being read, in GLM's form:
//
//	<tool_call>name
//	<arg_key>key</arg_key>
//	<arg_value>value</arg_value>
//	</tool_call>
//
// GLM-4.5 and 4.6 write the line breaks and GLM-4.7 does not. One parser reads both, because models mix them up: white
// space between tags means nothing.
type call struct {
	number int             // of the next call, or of this one once it has a name
	raw    strings.Builder // as it came, while it may still be no call
	from   state           // what it stands in
	name   string
	some   bool // it has an argument
	key    strings.Builder
	types  types           // of the argument that is being read
	held   strings.Builder // its value, while that may be something else than a string
	quoted bool            // its value is a string, the beginning of which was emitted
	object object
}

// startCall is behind callOpen.
func (p *Parser) startCall() {
	p.call = call{number: p.call.number, from: p.state}
	p.call.raw.WriteString(callOpen)
	p.state = inName
}

// noCall: what looked like a call is thinking or text.
func (p *Parser) noCall() {
	p.state = p.call.from
	if raw := p.call.raw.String(); p.state == inThinking {
		p.reason(raw)
	} else {
		p.say(raw)
	}
}

// name reads up to the end of the line or the next tag. A brace instead of a name begins a call in JSON.
func (p *Parser) name() bool {
	c := &p.call
	for i := 0; i < len(p.in); i++ {
		b := p.in[i]
		switch {
		case b == '{' && c.nameSoFar() == "":
			p.in = p.in[i:]
			p.state = inObject
			return true
		case b == '\n' && c.nameSoFar() != "":
			p.in = p.in[i:]
			p.endName()
			return true
		case b == '<':
			p.in = p.in[i:]
			return p.behindName()
		}
		if c.raw.Len() == len(callOpen)+longestName {
			p.in = p.in[i:]
			p.noCall()
			return true
		}
		c.raw.WriteByte(b)
	}
	p.in = ""
	return false
}

// behindName is at a tag, or at what may become one. No name has a < in it.
func (p *Parser) behindName() bool {
	for _, tag := range []string{keyOpen, callClose} {
		if strings.HasPrefix(p.in, tag) {
			p.endName()
			return true
		}
		if strings.HasPrefix(tag, p.in) {
			return false
		}
	}
	p.noCall()
	return true
}

func (c *call) nameSoFar() string { return strings.Trim(c.raw.String()[len(callOpen):], blanks) }

// endName is at the end of the name.
func (p *Parser) endName() {
	name := p.call.nameSoFar()
	if name == "" || strings.ContainsAny(name, blanks) && !p.tools.has(name) {
		p.noCall() // a text about calls, not a call
		return
	}
	p.beginCall(name)
}

func (p *Parser) beginCall(name string) {
	p.blank.Reset()
	p.open = p.open || p.call.from == inThinking
	p.call.name = name
	p.state = inArguments
	p.emit(Event{Kind: CallStart, Call: p.call.number, Name: name})
}

// arguments looks for the next argument or the end. White space between is the template's. A call that begins here ends
// one that the model forgot to end.
func (p *Parser) arguments() bool {
	_, tag := p.next(keyOpen, callClose, callOpen)
	switch tag {
	case keyOpen:
		p.call.key.Reset()
		p.state = inKey
	case callClose, callOpen:
		if p.endCall(); tag == callOpen {
			p.startCall()
		}
	}
	return tag != ""
}

// key reads the name of an argument.
func (p *Parser) key() bool {
	before, tag := p.next(keyClose, valueOpen, callClose)
	p.call.key.WriteString(before)
	switch tag {
	case keyClose:
		p.state = afterKey
	case valueOpen:
		p.startValue()
	case callClose: // a name without a value says nothing
		p.endCall()
	}
	return tag != ""
}

// afterKey looks for the value that belongs to a key.
func (p *Parser) afterKey() bool {
	_, tag := p.next(valueOpen, keyOpen, callClose)
	switch tag {
	case valueOpen:
		p.startValue()
	case keyOpen:
		p.call.key.Reset()
		p.state = inKey
	case callClose:
		p.endCall()
	}
	return tag != ""
}

func (p *Parser) startValue() {
	c := &p.call
	p.state = inValue
	key := strings.Trim(c.key.String(), blanks)
	c.types = p.tools.types(c.name, key)
	c.held.Reset()
	c.quoted = false
	sep := ", "
	if !c.some {
		sep, c.some = "{", true
	}
	p.args(sep + quote(key) + ": ")
}

// value reads up to valueClose. Other tags in it are a part of it. A value that can only be a string is emitted as it
// comes; another one when it is complete.
func (p *Parser) value() bool {
	c := &p.call
	before, tag := p.next(valueClose)
	if c.quoted {
		p.args(escape(before))
	} else {
		c.held.WriteString(before)
		if tag == "" && c.types.onlyString(c.held.String()) {
			c.quoted = true
			p.args(`"` + escape(c.held.String()))
		}
	}
	if tag == "" {
		return false
	}
	if c.quoted {
		p.args(`"`)
	} else {
		p.args(c.types.decode(c.held.String()))
	}
	p.state = inArguments
	return true
}

func (p *Parser) args(s string) { p.emit(Event{Kind: CallArgs, Call: p.call.number, Text: s}) }

// endCall completes the call.
func (p *Parser) endCall() {
	if p.call.some {
		p.args("}")
	} else {
		p.args("{}")
	}
	p.completeCall()
}

func (p *Parser) completeCall() {
	p.emit(Event{Kind: CallEnd, Call: p.call.number})
	p.call = call{number: p.call.number + 1}
	p.state, p.lead = inText, true
}

// closeCall is at the end of the reply, within a call.
func (p *Parser) closeCall(stopped bool) {
	c := &p.call
	rest := p.in
	if p.state == inName && (rest != "" || !stopped || !p.tools.has(c.nameSoFar())) ||
		p.state == inObject && (!stopped || !p.endObject()) {
		p.noCall()
		return
	}
	p.in = ""
	switch p.state {
	case inName:
		p.beginCall(c.nameSoFar())
		p.endCall()
	case inArguments:
		if stopped {
			p.endCall()
		} else if !c.some {
			p.args("{") // no arguments at all would pass for an empty object
		}
	case inKey, afterKey:
		if !c.some {
			p.args("{")
		}
	case inValue:
		if !c.quoted { // it may look complete and not be so: an open string never does
			p.args(`"` + escape(c.held.String()))
		}
		p.args(escape(rest))
	}
	p.state = inText
}
