package grammar

// kind is what a node does.
type kind uint8

const (
	literalNode  kind = iota // takes its text
	dfaNode                  // takes what its automaton does
	sequenceNode             // its kids, one behind the other
	choiceNode               // one of its kids
	countedNode              // what its automaton does, of least to most characters
	objectNode               // the members of an object and its end
	arrayNode                // the items of an array and its end
)

// node is a part of a grammar. Nodes refer to each other, and to themselves on the way, but never without bytes between.
type node struct {
	kind  kind
	text  string // of a literal: not empty
	dfa   *dfa
	char  *dfa // of a counted text: one character. Each text that the automaton takes up to a character's end can be ended, and gone on with
	kids  []*node
	least int32 // characters, items or members
	most  int32 // -1: no bound
	set   bool  // of an array: its items are kids, each once at most, in any order

	open, between, end *node // around and between members or items; nil: nothing

	height int32 // the fewest levels of objects and arrays that it needs; impossible: nothing satisfies it

	members []member // of an object, in the order in which they come
	others  *node    // of an object: further members, sequences of key and value; nil: none
	rest    *node    // of an array: items behind kids, which are sequences too; nil: none
}

// member is a named member of an object.
type member struct {
	pair     *node // a sequence of key and value
	required bool
}

// leaf says whether the node waits for bytes itself.
func (n *node) leaf() bool {
	return n.kind == literalNode || n.kind == dfaNode || n.kind == countedNode
}

// parts calls a function with the nodes that the node leads to.
func (n *node) parts(visit func(*node)) {
	for _, k := range n.kids {
		visit(k)
	}
	for _, mb := range n.members {
		visit(mb.pair)
	}
	for _, k := range []*node{n.others, n.rest, n.open, n.between, n.end} {
		if k != nil {
			visit(k)
		}
	}
}

func literal(text string) *node { return &node{kind: literalNode, text: text} }

func sequence(kids ...*node) *node { return &node{kind: sequenceNode, kids: kids} }

func automaton(d *dfa) *node { return &node{kind: dfaNode, dfa: d} }

// choice is one of several nodes, nil where there are none.
func choice(kids ...*node) *node {
	switch len(kids) {
	case 0:
		return nil
	case 1:
		return kids[0]
	}
	return &node{kind: choiceNode, kids: kids}
}

var (
	comma = mustExpression(`, ?`) // between members and items
	colon = mustExpression(`: ?`)
	quote = literal(`"`)
)

// newObject is an object in JSON, without members yet.
func newObject() *node {
	return &node{kind: objectNode, open: literal("{"), between: comma, end: literal("}"), most: -1}
}

// newArray is an array in JSON, without items yet.
func newArray(least, most int32) *node {
	return &node{kind: arrayNode, least: least, most: most, open: literal("["), between: comma, end: literal("]")}
}

// mustExpression is the automaton of an expression of our own.
func mustExpression(expr string) *node { return automaton(sharedExpression(expr, asText)) }
