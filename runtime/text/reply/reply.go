// Package reply reads the text that a model writes as what it means: thinking, text, and calls of tools.
//
// The text may come in pieces of any kind, cut anywhere, tags included; the events put together are the same
// for every way of cutting. Work and memory are linear in the text.
//
// What is between tags is kept byte for byte, with one exception: white space where a text meets the end of
// thinking or a call is the template's, not the model's, and is left out. The same templates write it again when
// the conversation goes on, so that the next prompt begins with exactly what the model has seen and written.
package reply

import (
	"encoding/json"
	"strings"
)

// Kind is the kind of an [Event].
type Kind uint8

const (
	Reasoning Kind = iota // Text of thinking
	Text                  // Text of the answer
	CallStart             // a call begins: Call and Name
	CallArgs              // Text is the next part of the JSON object of the arguments of Call
	CallEnd               // Call is complete, and the parts of its arguments are one JSON object
)

// Event is the next part of a reply.
type Event struct {
	Kind Kind
	Text string
	Call int    // number of the call in the reply, from 0
	Name string // of the function, as the model wrote it: it may be one that does not exist
}

// Start says where in a reply the model begins to write.
type Start uint8

const (
	// StartOpen: before everything. Thinking begins with its tag, or there is none.
	StartOpen Start = iota
	// StartThinking: the prompt ended in the tag that begins thinking.
	StartThinking
	// StartAnswer: the prompt ended in the tag that ends thinking.
	StartAnswer
	// StartText: the prompt ended in the middle of the answer, which goes on: with a space, perhaps.
	StartText
)

// StartOf tells from the end of a prompt, as the template rendered it, where the reply starts.
func StartOf(prompt string) Start {
	prompt = strings.TrimRight(prompt, blanks)
	switch {
	case strings.HasSuffix(prompt, thinkOpen):
		return StartThinking
	case strings.HasSuffix(prompt, thinkClose):
		return StartAnswer
	}
	return StartOpen
}

// Options of a [Parser].
type Options struct {
	Format Format
	Start  Start
	// Tools are those that the request offers, in OpenAI's form or functions alone. Their schemas type the arguments of
	// calls. Where there are none, calls are not looked for, and their tags are text.
	Tools []json.RawMessage
	// Apart says that an answer is either text or calls: text has a form, in which tags of calls are text.
	Apart bool
}

// The tags. Those of thinking and of calls are the same in all dialects.
const (
	thinkOpen  = "<think>"
	thinkClose = "</think>"
	callOpen   = "<tool_call>"
	callClose  = "</tool_call>"
	keyOpen    = "<arg_key>"
	keyClose   = "</arg_key>"
	valueOpen  = "<arg_value>"
	valueClose = "</arg_value>"
)

// blanks are what counts as white space around tags.
const blanks = " \t\r\n"

// state is what the parser is in.
type state uint8

const (
	inBegin     state = iota // before everything, or at the beginning of thinking
	inThinking               // behind thinkOpen
	inText                   // of the answer
	inName                   // behind callOpen
	inArguments              // behind the name, or behind valueClose
	inKey                    // behind keyOpen
	afterKey                 // behind keyClose
	inValue                  // behind valueOpen
	inObject                 // behind callOpen, in a call that is one JSON object
)

// Parser reads one reply. It is not safe for concurrent use.
type Parser struct {
	start  Start
	thinks bool
	calls  bool // calls are looked for
	apart  bool // not any more once there is text
	tools  tools

	state  state
	in     string          // not read yet: at most the beginning of a tag, between writes
	blank  strings.Builder // white space that may turn out to stand before a tag
	lead   bool            // white space that comes next stands behind a tag
	open   bool            // a call ended the thinking: thinkClose may still come
	call   call
	events []Event
	last   strings.Builder // the text of the last event
}

// New returns a parser for the reply to one prompt.
func New(o Options) *Parser {
	p := &Parser{
		start:  o.Start,
		thinks: o.Format.Thinks,
		calls:  o.Format.Calls != NoCalls && len(o.Tools) > 0,
		tools:  tools{raw: o.Tools},
		apart:  o.Apart,
		lead:   o.Format.Thinks && o.Start == StartAnswer,
	}
	if !p.thinks || o.Start == StartText {
		p.state = inText
	}
	return p
}

// Write reads the next piece of the reply, which may be cut anywhere but inside of a character. The events are valid
// until the next call.
func (p *Parser) Write(text string) []Event {
	p.events = p.events[:0]
	p.in += text
	for len(p.in) > 0 && p.step() {
	}
	return p.done()
}

// Thinking reports whether what comes next would be thinking, as far as can be told.
func (p *Parser) Thinking() bool {
	return p.state == inThinking || p.state == inBegin && p.start == StartThinking
}

// step reads some of the input. It is false where the rest cannot be decided yet.
func (p *Parser) step() bool {
	switch p.state {
	case inBegin:
		return p.begin()
	case inThinking:
		return p.thinking()
	case inText:
		return p.text()
	case inName:
		return p.name()
	case inArguments:
		return p.arguments()
	case inKey:
		return p.key()
	case afterKey:
		return p.afterKey()
	case inValue:
		return p.value()
	default:
		return p.object()
	}
}

// Close ends the reply. Stopped says that the model ended it, not a limit of tokens or a stop string: a call of which
// only the closing tag is missing is then complete. Any other unfinished call stays so: it gets no CallEnd, and what there is
// of its arguments is no JSON, so that nobody takes half of a file for the whole. What was undecided is text.
func (p *Parser) Close(stopped bool) []Event {
	p.events = p.events[:0]
	if p.state >= inName {
		p.closeCall(stopped)
	}
	rest := p.in
	p.in = ""
	switch {
	case p.Thinking():
		p.reason(p.takeBlank() + rest)
	default:
		p.say(rest)
		if p.lead {
			p.blank.Reset()
		}
		p.emit(Event{Kind: Text, Text: p.takeBlank()})
	}
	return p.done()
}

// begin looks for a tag of thinking before everything else. A second thinkOpen where the prompt ended in the first, and
// a thinkClose where there is nothing to close, are slips that models make, and mean nothing.
func (p *Parser) begin() bool {
	rest := strings.TrimLeft(p.in, blanks)
	p.blank.WriteString(p.in[:len(p.in)-len(rest)])
	p.in = rest
	tags := []string{thinkOpen, thinkClose}
	if p.start == StartThinking {
		tags = tags[:1]
	}
	for _, tag := range tags {
		if len(rest) < len(tag) && strings.HasPrefix(tag, rest) {
			return false
		}
		if !strings.HasPrefix(rest, tag) {
			continue
		}
		p.in = rest[len(tag):]
		p.blank.Reset()
		if p.state = inThinking; tag == thinkClose {
			p.state, p.lead = inText, true
		}
		return true
	}
	if p.state = inText; p.start == StartThinking {
		p.state = inThinking
		p.reason(p.takeBlank())
	}
	return true
}

// thinking reads up to thinkClose. A call is never a part of thinking: it ends one that the model forgot to end.
func (p *Parser) thinking() bool {
	tags := []string{thinkClose, callOpen}
	if !p.calls {
		tags = tags[:1]
	}
	before, tag := p.next(tags...)
	p.reason(before)
	switch tag {
	case thinkClose:
		p.state, p.lead = inText, true
	case callOpen:
		p.startCall()
	}
	return tag != ""
}

// text reads up to the next call.
func (p *Parser) text() bool {
	var tags []string
	if p.calls {
		tags = append(tags, callOpen)
	}
	if p.open {
		tags = append(tags, thinkClose)
	}
	before, tag := p.next(tags...)
	if p.apart && strings.Trim(before, blanks) != "" {
		p.calls = false
		if tag == callOpen {
			p.say(before + tag)
			return true
		}
	}
	p.say(before)
	switch tag {
	case callOpen:
		p.startCall()
	case thinkClose:
		p.open, p.lead = false, true
		p.blank.Reset()
	}
	return tag != ""
}

// next reads up to the first of the tags, and over it. Where there is none, it reads what certainly comes before one.
func (p *Parser) next(tags ...string) (before, tag string) {
	for at := 0; ; at++ {
		i := strings.IndexByte(p.in[at:], '<')
		if i < 0 || len(tags) == 0 {
			before, p.in = p.in, ""
			return before, ""
		}
		at += i
		rest := p.in[at:]
		for _, tag := range tags {
			if strings.HasPrefix(rest, tag) {
				before, p.in = p.in[:at], rest[len(tag):]
				return before, tag
			}
		}
		for _, tag := range tags {
			if strings.HasPrefix(tag, rest) {
				before, p.in = p.in[:at], rest
				return before, ""
			}
		}
	}
}

// reason emits thinking.
func (p *Parser) reason(s string) { p.emit(Event{Kind: Reasoning, Text: s}) }

// say emits text of the answer, and keeps white space back at its end as long as a call may follow.
func (p *Parser) say(s string) {
	if p.lead {
		if s = strings.TrimLeft(s, blanks); s == "" {
			return
		}
		p.lead = false
		p.blank.Reset()
	}
	end := len(s)
	if p.calls {
		end = len(strings.TrimRight(s, blanks))
	}
	if end > 0 {
		p.emit(Event{Kind: Text, Text: p.takeBlank() + s[:end]})
	}
	p.blank.WriteString(s[end:])
}

func (p *Parser) takeBlank() string {
	s := p.blank.String()
	p.blank.Reset()
	return s
}

// emit adds an event, to the last one where that is of the same kind.
func (p *Parser) emit(e Event) {
	n := len(p.events)
	switch e.Kind {
	case Reasoning, Text, CallArgs:
		if e.Text == "" {
			return
		}
		if n > 0 && p.events[n-1].Kind == e.Kind {
			p.last.WriteString(e.Text)
			return
		}
	}
	p.done()
	p.last.WriteString(e.Text)
	p.events = append(p.events, e)
}

// done gives the last event its text.
func (p *Parser) done() []Event {
	if n := len(p.events); n > 0 {
		p.events[n-1].Text = p.last.String()
	}
	p.last.Reset()
	return p.events
}
