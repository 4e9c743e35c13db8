package lsp

import (
	"slices"
	"strings"

	"github.com/glmc/glmc/dsl/syntax"
)

// Text that is being written does not parse, and the tree lacks the very piece that the cursor is in. What can be
// completed there goes by the words of the file: which braces are open in front of the cursor, what began them, and
// what is declared anywhere. This errs in text that is broken in odd ways, and then offers the wrong names; whether
// names are right is for the checker.

// place is what a pair of braces, or the file, holds.
type place int

const (
	inFile place = iota
	inModel
	inConfig
	inBody // of a block, an entry, an if or a for
	inCheckpoint
	inPipeline
	inOptions // of a setting
)

// starts are the words that begin a declaration, by what it stands in, with what its braces hold.
var starts = map[place]map[string]place{
	inFile:       {"model": inModel, "pipeline": inPipeline, "block": inBody, "import": inFile},
	inModel:      {"config": inConfig, "let": inModel, "assert": inModel, "block": inBody, "entry": inBody, "checkpoint": inCheckpoint},
	inCheckpoint: {"alias": inCheckpoint, "ignore": inCheckpoint},
}

// none is the number of the model, or of the block or entry, of what stands in none.
const none = -1

// declared is something that the words of a file declare.
type declared struct {
	what   string // as the checker calls it: "configuration key", "let", "block", ...
	name   string
	detail string // a type, or the header of a block
	offset int
	end    int // of a variable: where the loop ends that it belongs to; 0: it belongs to none
	model  int
	owner  int
	params []parameter // of a block
}

// parameter is a parameter of something that can be called.
type parameter struct{ name, kind string }

// frame is an open brace, bracket or parenthesis.
type frame struct {
	open   string // "{", "(" or "["; "" for the file
	place  place  // what the innermost braces hold
	callee string // in front of "("
	at     int    // index of the word that opened it
	arg    int    // index of the first word of the present argument
	commas int
	loop   int // index in names of the variable of the loop that it belongs to; none if there is none
}

// cursor is what the words in front of an offset say about it.
type cursor struct {
	frames []frame        // that are open, the innermost last; the first is the file
	head   []syntax.Token // of the declaration, statement or setting, up to the prefix
	arg    []syntax.Token // of the argument, up to the prefix
	prefix string         // the part of a name in front of the offset
	start  int            // where the prefix begins
	end    int            // where the name ends that the prefix begins
	line   bool           // nothing else stands in front of the prefix on its line
	inside *syntax.Token  // the string or comment that the offset is in
	model  int
	owner  int
}

// top is the innermost frame.
func (c *cursor) top() frame { return c.frames[len(c.frames)-1] }

// previous is the word in front of the prefix, as far as it belongs to the same piece.
func (c *cursor) previous() syntax.Token {
	if len(c.head) == 0 {
		return syntax.Token{}
	}
	return c.head[len(c.head)-1]
}

// outline is what the words of a file say.
type outline struct {
	words  []syntax.Token // without comments
	names  []declared
	cursor cursor
}

// reader walks over the words of a file.
type reader struct {
	words  []syntax.Token
	at     int
	frames []frame
	head   int   // index of the word that began the declaration, statement or setting
	next   place // what the next brace holds
	loop   int   // of the next brace; see frame
	model  int   // that the words stand in
	models int
	owner  int // block or entry that the words stand in
	owners int
	names  []declared
	known  map[variable]bool // variables and parameters among names
}

// variable is a name in a block or an entry.
type variable struct {
	owner int
	name  string
}

// read makes the outline of a text, with the cursor at an offset.
func read(src string, offset int) *outline {
	r := &reader{frames: []frame{{loop: none}}, known: map[variable]bool{}, model: none, owner: none, loop: none}
	var comment *syntax.Token
	for _, w := range syntax.Tokens("", []byte(src)) {
		if w.Kind != syntax.CommentToken {
			r.words = append(r.words, w)
		} else if w.Pos.Offset < offset && (offset < w.End.Offset || offset == w.End.Offset && !strings.HasSuffix(w.Text, "*/")) {
			comment = &w
		}
	}
	o := &outline{words: r.words}
	marked := false
	for r.at < len(r.words) {
		if !marked && !inFront(r.words[r.at], offset) {
			o.cursor, marked = r.cursor(src, offset), true
		}
		r.word()
		r.at++
	}
	if !marked {
		o.cursor = r.cursor(src, offset)
	}
	if comment != nil {
		o.cursor.inside = comment
	}
	o.names = r.names
	return o
}

// inFront reports whether a word is over at an offset. A name that ends there is being written, and so is a string
// without its closing quote.
func inFront(w syntax.Token, offset int) bool {
	if w.End.Offset != offset {
		return w.End.Offset < offset
	}
	return !isWordy(w) && (w.Kind != syntax.StringToken || isClosed(w.Text))
}

func isWordy(w syntax.Token) bool { return w.Kind == syntax.WordToken }

// isName reports whether a token is a name, or a word of the grammar that is a name elsewhere.
func isName(w syntax.Token) bool { return isWordy(w) && !reserved[w.Text] }

var reserved = func() map[string]bool {
	words := map[string]bool{}
	for _, w := range syntax.Keywords() {
		words[w] = true
	}
	return words
}()

func isClosed(quoted string) bool {
	end := 0
	for i := 1; i < len(quoted); i++ {
		if quoted[i] == '\\' {
			i++
		} else if quoted[i] == '"' {
			end = i
		}
	}
	return end > 0 && end == len(quoted)-1
}

// cursor describes an offset that no word in front of the present one reaches.
func (r *reader) cursor(src string, offset int) cursor {
	c := cursor{frames: slices.Clone(r.frames), start: offset, end: offset, model: r.model, owner: r.owner}
	if r.at < len(r.words) {
		w := r.words[r.at]
		switch {
		case w.Pos.Offset > offset || w.Pos.Offset == offset && !isWordy(w):
		case isWordy(w):
			c.prefix, c.start, c.end = src[w.Pos.Offset:offset], w.Pos.Offset, w.End.Offset
		case w.Kind == syntax.StringToken:
			c.inside = &w
		}
	}
	begin := strings.LastIndexByte(src[:c.start], '\n') + 1
	c.line = strings.TrimLeft(src[begin:c.start], " \t\r") == ""
	begins := r.begins(r.at)
	if c.line && r.head < len(r.words) && c.start-begin < r.words[r.head].Pos.Column {
		for c.top().open == "(" || c.top().open == "[" { // they belong to what is above; see begin
			c.frames, begins = c.frames[:len(c.frames)-1], true
		}
	}
	if c.line && c.top().open != "(" && c.top().open != "[" && begins {
		return c
	}
	c.head = r.words[min(r.head, r.at):r.at]
	c.arg = r.words[min(max(c.top().arg, 0), r.at):r.at]
	return c
}

// begins reports whether a word that is the first on its line could begin a piece there: what goes on does so with an
// operator, or behind one.
func (r *reader) begins(at int) bool {
	if at == 0 {
		return true
	}
	switch last := r.words[at-1]; {
	case last.Kind == syntax.SymbolToken:
		return strings.Contains(`{})]`, last.Text)
	case isWordy(last) && !isName(last):
		return last.Text == "true" || last.Text == "false"
	}
	return true
}

// word takes the present word into account.
func (r *reader) word() {
	w := r.words[r.at]
	first := r.at == 0 || r.words[r.at-1].Pos.Line < w.Pos.Line
	if first || r.text(r.at-1) == "{" || r.text(r.at-1) == "}" {
		r.begin(w, first)
	}
	switch w.Text {
	case "{":
		r.openBrace()
	case "}":
		r.closeBrace()
	case "(", "[":
		f := frame{open: w.Text, place: r.place(), at: r.at, arg: r.at + 1, loop: none}
		if w.Text == "(" && r.at > 0 && isWordy(r.words[r.at-1]) && !r.isHeader() {
			f.callee = r.text(r.at - 1)
		}
		r.frames = append(r.frames, f)
	case ")", "]":
		if f := r.top(); f.open == "(" && w.Text == ")" || f.open == "[" && w.Text == "]" {
			r.frames = r.frames[:len(r.frames)-1]
		}
	case ",":
		r.top().commas++
		r.top().arg = r.at + 1
	case "=":
		r.assigned()
	case "for":
		if r.place() == inBody && r.isName(r.at+1) {
			r.loop = len(r.names)
			r.declare(declared{what: "loop variable", detail: "int"}, r.at+1)
		}
	default:
		r.field()
	}
}

func (r *reader) top() *frame  { return &r.frames[len(r.frames)-1] }
func (r *reader) place() place { return r.top().place }

// text is the text of a word, "" behind the last.
func (r *reader) text(at int) string {
	if at < 0 || at >= len(r.words) {
		return ""
	}
	return r.words[at].Text
}

// isName reports whether a word is a name.
func (r *reader) isName(at int) bool { return at >= 0 && at < len(r.words) && isName(r.words[at]) }

// isHeader reports whether the declaration that is being read is a block or an entry in front of its body.
func (r *reader) isHeader() bool {
	head := r.text(r.head)
	return (r.place() == inModel || r.place() == inFile) && (head == "block" || head == "entry")
}

// begin looks at a word that may begin a piece. Parentheses that are open belong to the piece before, if the word is
// not indented deeper than that; and declarations end whatever they cannot stand in.
func (r *reader) begin(w syntax.Token, first bool) {
	follows := r.isName(r.at + 1)
	switch {
	case !first || !isName(w):
	case w.Pos.Column == 1 && (w.Text == "model" || w.Text == "pipeline" || w.Text == "import") && follows:
		r.leave(func(f frame) bool { return f.open == "" })
	case r.place() == inBody && (starts[inModel][w.Text] != 0 && follows || (w.Text == "checkpoint" || w.Text == "config") && r.text(r.at+1) == "{"):
		r.leave(func(f frame) bool { return f.open == "" || f.open == "{" && f.place == inModel })
	}
	if f := r.top(); (f.open == "(" || f.open == "[") && r.head < len(r.words) && w.Pos.Column <= r.words[r.head].Pos.Column {
		r.leave(func(f frame) bool { return f.open == "{" || f.open == "" })
	}
	if f := r.top(); f.open == "(" || f.open == "[" {
		return
	}
	switch next, known := starts[r.place()][w.Text]; {
	case known:
		r.head, r.next = r.at, next
		r.declaration(w)
	case r.place() == inBody && r.begins(r.at) && w.Text != "as" && w.Text != "at", r.place() == inPipeline, r.place() == inOptions:
		r.head = r.at
	case r.place() == inConfig && w.Text != "from" && w.Text != "optional" && isName(w):
		r.head = r.at
	}
}

// leave closes frames up to the innermost one of a kind.
func (r *reader) leave(until func(frame) bool) {
	for len(r.frames) > 1 && !until(*r.top()) {
		r.close()
	}
}

// close takes the innermost frame away.
func (r *reader) close() {
	f := *r.top()
	r.frames = r.frames[:len(r.frames)-1]
	if f.loop != none { // it may run zero times: what it assigns has no value behind it
		for i := f.loop; i < len(r.names); i++ {
			if d := &r.names[i]; d.end == 0 && d.owner == r.owner {
				d.end = r.words[r.at].Pos.Offset
				delete(r.known, variable{d.owner, d.name})
			}
		}
	}
	if f.open != "{" {
		return
	}
	switch outer := r.place(); {
	case f.place == inBody && outer != inBody:
		r.owner = none
	case f.place == inModel:
		r.model, r.owner = none, none
	}
}

func (r *reader) openBrace() {
	r.leave(func(f frame) bool { return f.open == "{" || f.open == "" })
	f := frame{open: "{", place: r.next, at: r.at, arg: r.at + 1, loop: none}
	switch r.place() {
	case inBody:
		f.place, f.loop = inBody, r.loop
	case inPipeline:
		f.place = inOptions
	case inConfig, inOptions:
		f.place = r.place()
	}
	r.frames, r.head, r.loop = append(r.frames, f), r.at+1, none
}

func (r *reader) closeBrace() {
	r.leave(func(f frame) bool { return f.open == "{" || f.open == "" })
	if len(r.frames) > 1 {
		r.close()
	}
	r.head = r.at + 1
}

// declare notes the name at a word.
func (r *reader) declare(d declared, at int) {
	w := r.words[at]
	d.name, d.offset, d.model, d.owner = w.Text, w.Pos.Offset, r.model, r.owner
	r.names = append(r.names, d)
	if d.owner != none {
		r.known[variable{d.owner, d.name}] = true
	}
}

// declaration notes what a declaration declares that begins at the present word.
func (r *reader) declaration(w syntax.Token) {
	r.owner = none
	if r.place() == inFile {
		r.model = none
	}
	if w.Text == "import" {
		r.imports()
		return
	}
	if !r.isName(r.at + 1) {
		if w.Text == "block" || w.Text == "entry" {
			r.owner, r.owners = r.owners, r.owners+1
		}
		return
	}
	switch w.Text {
	case "model":
		r.declare(declared{what: "model"}, r.at+1)
		r.model, r.models = r.models, r.models+1
	case "pipeline", "let":
		r.declare(declared{what: w.Text}, r.at+1)
	case "block", "entry":
		r.header(w.Text)
	}
}

// imports notes the names that an import gives to the file.
func (r *reader) imports() {
	for at := r.at + 1; r.isName(at) || r.text(at) == "," || r.text(at) == "as"; at++ {
		if r.text(at) == "from" && strings.HasPrefix(r.text(at+1), `"`) {
			return
		}
		if r.isName(at) && r.text(at+1) != "as" {
			r.declare(declared{what: "import"}, at)
		}
	}
}

// maxHeaderWords bounds the words of the header of a block that are looked at.
const maxHeaderWords = 1000

// header notes a block or an entry with its parameters.
func (r *reader) header(what string) {
	d := declared{what: what, detail: what + " " + r.text(r.at+1)}
	r.declare(d, r.at+1)
	number := len(r.names) - 1
	r.owner, r.owners = r.owners, r.owners+1
	at := r.at + 2
	if r.text(at) == "[" {
		for at++; r.isName(at) || r.text(at) == ","; at++ {
			if r.isName(at) {
				r.declare(declared{what: "dimension", detail: "int"}, at)
			}
		}
		if r.text(at) == "]" {
			at++
		}
	}
	if r.text(at) == "(" {
		at = r.parameters(at+1, number)
	}
	r.names[number].detail = headerText(r.words[r.at:min(at, len(r.words))])
}

// parameters notes the parameters behind a parenthesis, and returns the index behind the closing one.
func (r *reader) parameters(at, block int) int {
	for limit := at + maxHeaderWords; at < limit && r.isName(at) && r.text(at+1) == ":"; {
		name, from := at, at+2
		depth := 0
		for at = from; at < len(r.words) && at < limit; at++ {
			t := r.text(at)
			if t == "{" || depth == 0 && (t == "," || t == ")") {
				break
			}
			switch t {
			case "[", "(":
				depth++
			case "]", ")":
				depth--
			}
		}
		p := parameter{r.text(name), headerText(r.words[from:min(at, len(r.words))])}
		r.names[block].params = append(r.names[block].params, p)
		r.declare(declared{what: "parameter", detail: p.kind}, name)
		if r.text(at) != "," {
			break
		}
		at++
	}
	if r.text(at) == ")" {
		at++
	}
	return at
}

// headerText writes words as the language's own files do.
func headerText(words []syntax.Token) string {
	var s strings.Builder
	for i, w := range words {
		if i > 0 {
			last := words[i-1]
			if isWordy(last) && (isWordy(w) || w.Kind == syntax.NumberToken) || last.Text == "," || last.Text == ":" || strings.Contains("->+-*/%", w.Text) || strings.Contains("->+-*/%", last.Text) {
				s.WriteByte(' ')
			}
		}
		s.WriteString(w.Text)
	}
	return s.String()
}

// assigned notes the variables in front of the present "=".
func (r *reader) assigned() {
	if f := r.top(); r.place() != inBody || f.open != "{" {
		return
	}
	targets := r.words[min(r.head, r.at):r.at]
	for i, w := range targets {
		if i%2 == 0 && !isName(w) || i%2 == 1 && w.Text != "," {
			return
		}
	}
	for i := 0; i < len(targets); i += 2 {
		name := targets[i].Text
		if name != "_" && !r.known[variable{r.owner, name}] {
			r.declare(declared{what: "variable"}, r.at-len(targets)+i)
		}
	}
}

// field notes a configuration key: a name with a type behind it.
func (r *reader) field() {
	if r.place() == inConfig && r.isName(r.at) && slices.Contains(valueTypes, r.text(r.at+1)) {
		r.head = r.at
		r.declare(declared{what: "configuration key", detail: r.text(r.at + 1)}, r.at)
	}
}

// valueTypes are the types of configuration keys.
var valueTypes = []string{"int", "float", "bool", "string", "ints"}

// visible are the names that can stand in an expression at the cursor, but for functions.
func (o *outline) visible() []declared {
	begin := o.cursor.start // what the statement at the cursor assigns has no value in it yet
	if head := o.cursor.head; len(head) > 0 && isName(head[0]) {
		begin = head[0].Pos.Offset
	}
	var list []declared
	for _, d := range o.names {
		here := d.offset < begin && (d.end == 0 || o.cursor.start <= d.end)
		switch d.what {
		case "configuration key", "let":
			if o.cursor.model != none && d.model == o.cursor.model {
				list = append(list, d)
			}
		case "block":
			if d.model == none || d.model == o.cursor.model {
				list = append(list, d)
			}
		case "import":
			list = append(list, d)
		case "parameter", "dimension", "variable", "loop variable":
			if o.cursor.owner != none && d.owner == o.cursor.owner && here {
				list = append(list, d)
			}
		}
	}
	return list
}
