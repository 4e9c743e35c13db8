package grammar

// Numbers without bounds have at most so many digits before and behind the point, so that a model cannot write digits for ever, and
// exponents with which they fit a float64.
const (
	integerForm = `-?(0|[1-9][0-9]{0,31})`
	decimalForm = integerForm + `(\.[0-9]{1,32})?`
	numberForm  = decimalForm + `([eE](\+?[0-9]{1,2}|-[0-9]{1,3}))?`
)

// Parts that all grammars share.
var (
	number = mustExpression(numberForm)
	// character is one character of a JSON string, and content any number of them.
	character = mustCharacter(false)
	content   = mustCharacter(true)
)

// mustCharacter takes one character of a JSON string, as it is or escaped, or any number of them.
func mustCharacter(all bool) *dfa {
	n := &nfa{}
	from := n.state()
	to := from
	if !all {
		to = n.state()
	}
	n.end = to
	for _, spans := range classSpans[inString] {
		n.spans(from, spans, to)
	}
	escape := n.text(from, `\`)
	for _, b := range []byte(`"\/bfnrt`) {
		n.edge(escape, span{b, b}, to)
	}
	hex := []span{{'0', '9'}, {'a', 'f'}, {'A', 'F'}}
	unicode := n.text(escape, "u")
	// digits adds so many hexadecimal digits.
	digits := func(from int32, count int, to int32) {
		for i := range count {
			next := to
			if i < count-1 {
				next = n.state()
			}
			for _, s := range hex {
				n.edge(from, s, next)
			}
			from = next
		}
	}
	// \uD800 to \uDBFF want \uDC00 to \uDFFF behind; neither stands alone.
	plain := n.state()
	for _, s := range []span{{'0', '9'}, {'a', 'c'}, {'A', 'C'}, {'e', 'f'}, {'E', 'F'}} {
		n.edge(unicode, s, plain)
	}
	digits(plain, 3, to)
	surrogate := n.state()
	n.edge(unicode, span{'d', 'd'}, surrogate)
	n.edge(unicode, span{'D', 'D'}, surrogate)
	low := n.state()
	n.edge(surrogate, span{'0', '7'}, low)
	digits(low, 2, to)
	high, pair := n.state(), n.state()
	for _, s := range []span{{'8', '9'}, {'a', 'b'}, {'A', 'B'}} {
		n.edge(surrogate, s, high)
	}
	digits(high, 2, pair)
	second := n.text(pair, `\u`)
	third, fourth := n.state(), n.state()
	n.edge(second, span{'d', 'd'}, third)
	n.edge(second, span{'D', 'D'}, third)
	n.edge(third, span{'c', 'f'}, fourth)
	n.edge(third, span{'C', 'F'}, fourth)
	digits(fourth, 2, to)
	d, err := n.determinise(newBudget())
	if err != nil || d == nil {
		panic("grammar: the automaton of JSON's characters does not compile")
	}
	return d
}

// spelling is how strings are written: any, or without what would end the place in which the JSON stands.
type spelling struct {
	content *dfa // any number of characters
	without *dfa // what the text must be besides; nil: no matter
}

var anySpelling = &spelling{content: content}

// spelledWithout writes no string that has a text in it. The text must have a character that JSON can write otherwise.
func spelledWithout(text string) *spelling {
	w := without(text)
	d, err := intersect(content, w, newBudget())
	if err != nil || d == nil {
		panic("grammar: the automaton of strings without " + text + " does not compile")
	}
	return &spelling{content: d, without: w}
}

// string is a JSON string of least to most characters; most -1: no bound.
func (s *spelling) string(least, most int32) *node {
	if least == 0 && most < 0 {
		return sequence(quote, automaton(s.content), quote)
	}
	return sequence(quote, &node{kind: countedNode, dfa: s.content, char: character, least: least, most: most}, quote)
}

// anyValue makes nodes for any JSON value and any JSON object.
func (s *spelling) anyValue() (value, object *node) {
	value, object = &node{kind: choiceNode}, newObject()
	object.others = sequence(s.string(0, -1), colon, value)
	array := newArray(0, -1)
	array.rest = sequence(value)
	value.kids = []*node{object, array, s.string(0, -1), number, literal("true"), literal("false"), literal("null")}
	return value, object
}
