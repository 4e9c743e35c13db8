package grammar

import (
	"container/list"
	"crypto/sha256"
	"fmt"
	"sync"
)

// Grammar is a form that texts of a vocabulary can be kept in. It is safe for concurrent use.
type Grammar struct {
	vocabulary *Vocabulary
	machine    *machine
}

// Thinking says whether a reply thinks before it comes to what a grammar is about. Thinking is any text without </think>
// and <tool_call>.
type Thinking uint8

const (
	NotThinking Thinking = iota // it does not
	Started                     // it does, and the prompt has the <think> that begins it
	MayThink                    // it may begin with <think>
)

// Options say what may stand around a form.
type Options struct {
	Thinking Thinking
	// Newlines allows up to two newlines before the form, as chat templates with newlines make models write them.
	Newlines bool
}

// Form is what a text has to look like. The zero value is no form.
type Form struct {
	key   string
	build func() (*node, error)
}

// JSONForm is any JSON object.
func JSONForm() Form {
	return Form{"json", func() (*node, error) {
		_, object := anySpelling.anyValue()
		return object, nil
	}}
}

// SchemaForm is JSON values that a schema describes. Members of an object come in the order in which the schema has them, others
// behind. Lax makes keywords that cannot be enforced no error: they are left to the model. Errors are *Error where the
// schema is wrong, or has what cannot be enforced.
func SchemaForm(schema []byte, lax bool) Form {
	return Form{fmt.Sprint("schema", lax, string(schema)), func() (*node, error) { return compileSchema(schema, lax) }}
}

// RegexForm is texts that an expression in RE2's syntax matches as a whole. Errors are *Error where the expression is wrong or needs
// too many states.
func RegexForm(expr string) Form {
	return Form{"regex" + expr, func() (*node, error) {
		d, err := expression(expr, true, asText, newBudget())
		if err != nil {
			return nil, errorAt("", "%v", err)
		}
		if d == nil {
			return nil, errorAt("", "no text matches the expression")
		}
		return automaton(d), nil
	}}
}

// Text is the grammar of texts of a form.
func Text(v *Vocabulary, f Form, o Options) (*Grammar, error) {
	return v.compile(fmt.Sprint("text", o, f.key), func() (*node, error) {
		body, err := f.build()
		if err != nil {
			return nil, err
		}
		return v.reply(body, o), nil
	})
}

// maxCompiling is how many grammars are compiled at a time: each may take a second and some hundred megabytes, however many requests
// come at once.
const maxCompiling = 2

// compile makes a grammar of what build makes, or takes the one that is known by the key.
func (v *Vocabulary) compile(key string, build func() (*node, error)) (*Grammar, error) {
	sum := sha256.Sum256([]byte(key))
	if g := v.cache.get(sum); g != nil {
		return g, nil
	}
	v.compiling <- struct{}{}
	defer func() { <-v.compiling }()
	if g := v.cache.get(sum); g != nil { // another request made it in the meantime
		return g, nil
	}
	root, err := build()
	if err != nil {
		return nil, err
	}
	if !prune(root) {
		return nil, errorAt("", "no value can satisfy the schema")
	}
	g := &Grammar{vocabulary: v, machine: newMachine(root)}
	v.cache.put(sum, g)
	return g, nil
}

// newlines are what may stand before a form.
var newlines = mustExpression(`\n{0,2}`)

// thinking is a text that </think> ends.
var thinking = sync.OnceValue(func() *node { return automaton(without(thinkClose, callOpen)) })

// reply puts in front of a form what the options say.
func (v *Vocabulary) reply(body *node, o Options) *node {
	if o.Newlines {
		body = sequence(newlines, body)
	}
	thought := sequence(thinking(), v.tag(thinkClose), body)
	switch o.Thinking {
	case Started:
		return thought
	case MayThink:
		thought = sequence(v.tag(thinkOpen), thought)
		if o.Newlines {
			thought = sequence(newlines, thought)
		}
		return choice(thought, body)
	}
	return body
}

// tag is a piece of markup, as its token or spelled.
func (v *Vocabulary) tag(text string) *node {
	if number, ok := v.markup[text]; ok {
		return choice(literal(text), literal(string([]byte{markupByte, number})))
	}
	return literal(text)
}

// maxCached is how many grammars a vocabulary keeps: those that were used last.
const maxCached = 32

// cache holds compiled grammars.
type cache struct {
	mu    sync.Mutex
	known map[[sha256.Size]byte]*list.Element
	order list.List // of cached, used last first
}

type cached struct {
	key     [sha256.Size]byte
	grammar *Grammar
}

func (c *cache) get(key [sha256.Size]byte) *Grammar {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.known[key]
	if e == nil {
		return nil
	}
	c.order.MoveToFront(e)
	return e.Value.(cached).grammar
}

func (c *cache) put(key [sha256.Size]byte, g *Grammar) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil {
		c.known = map[[sha256.Size]byte]*list.Element{}
	}
	if e := c.known[key]; e != nil {
		c.order.MoveToFront(e)
		return
	}
	c.known[key] = c.order.PushFront(cached{key, g})
	if c.order.Len() > maxCached {
		last := c.order.Back()
		c.order.Remove(last)
		delete(c.known, last.Value.(cached).key)
	}
}
