package lsp

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/glmc/glmc/dsl/builtin"
	"github.com/glmc/glmc/dsl/pipeline"
	"github.com/glmc/glmc/dsl/syntax"
	"github.com/glmc/glmc/kernels/dtype"
)

// completion offers what can be written at the cursor.
func (s *server) completion(p *PositionParams) (work, error) {
	d, err := s.document(p.Document.URI)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	snippets := s.client.TextDocument.Completion.CompletionItem.SnippetSupport
	s.mu.Unlock()
	return func(ctx context.Context) (any, error) {
		offset := d.text.offset(p.Position)
		o := read(d.text.src, offset)
		c := &completer{server: s, ctx: ctx, doc: d, outline: o, cursor: &o.cursor, snippets: snippets, at: offset, items: []CompletionItem{}}
		c.from, c.to = o.cursor.start, o.cursor.end
		c.complete(offset)
		return CompletionList{IsIncomplete: len(c.items) == maxItems, Items: c.items}, nil
	}, nil
}

// maxItems bounds the items of an answer.
const maxItems = 2000

// completer collects items for one place.
type completer struct {
	*server
	ctx      context.Context
	doc      *document
	outline  *outline
	cursor   *cursor
	snippets bool
	at       int // the cursor
	from, to int // what an item replaces
	items    []CompletionItem
}

// Ranks order the items: what is nearest comes first.
const (
	rankArgument = iota
	rankStatement
	rankLocal
	rankGlobal
	rankBlock
	rankFunction
	rankWord
)

// add adds an item that writes its label.
func (c *completer) add(rank, kind int, label, detail string) *CompletionItem {
	return c.insert(rank, kind, label, detail, label)
}

// insert adds an item that writes a text. "$1", "${1:name}" and "$0" in it are places that a client with snippets
// goes through; others get the label, or what stands in front of the first of them where that begins with the label.
func (c *completer) insert(rank, kind int, label, detail, text string) *CompletionItem {
	item := CompletionItem{Label: label, Kind: kind, Detail: detail, SortText: fmt.Sprintf("%d%s", rank, label)}
	if strings.Contains(text, "$") {
		if c.snippets {
			item.Format = 2
		} else {
			text = label
		}
	}
	item.TextEdit = &TextEdit{c.replaced(), text}
	if len(c.items) == maxItems {
		return &item
	}
	c.items = append(c.items, item)
	return &c.items[len(c.items)-1]
}

// replaced is the range that items replace. The protocol wants it on the line of the cursor, and there a string may
// go on behind a \r, which ends a line of the protocol's and none of the language's.
func (c *completer) replaced() Range {
	t := c.doc.text
	line := t.position(c.at).Line
	from, to := t.lines[line], t.offset(Position{line, math.MaxUint32})
	return t.span(min(max(c.from, from), c.at), max(min(c.to, to), c.at))
}

func (c *completer) words(rank int, words ...string) {
	for _, w := range words {
		c.add(rank, itemKeyword, w, "")
	}
}

func (c *completer) complete(offset int) {
	if w := c.cursor.inside; w != nil {
		if w.Kind == syntax.StringToken {
			c.inString(w, offset)
		}
		return
	}
	if offset > 0 && c.cursor.prefix == "" && '0' <= c.doc.text.src[offset-1] && c.doc.text.src[offset-1] <= '9' {
		return // a number is being written
	}
	switch c.cursor.top().place {
	case inFile:
		c.inFile()
	case inModel:
		c.inModel()
	case inConfig:
		c.inConfig()
	case inBody:
		c.inBody()
	case inCheckpoint:
		c.inCheckpoint()
	case inPipeline:
		c.inPipeline()
	case inOptions:
		c.inOptions()
	}
}

// text of the words in front of the cursor, in the present piece.
func (c *completer) head() []string {
	var list []string
	for _, w := range c.cursor.head {
		list = append(list, w.Text)
	}
	return list
}

func (c *completer) inFile() {
	head := c.head()
	if len(head) == 0 {
		c.insert(rankStatement, itemSnippet, "import", "names from another file", "import ${2:name} from \"${1:file.glm}\"")
		c.insert(rankStatement, itemSnippet, "model", "what is computed", "model ${1:name} {\n  $0\n}")
		c.insert(rankStatement, itemSnippet, "pipeline", "how a model is served", "pipeline ${1:name} for ${2:model} {\n  target ${3:cpu}\n  $0\n}")
		c.block()
		return
	}
	last := head[len(head)-1]
	switch head[0] {
	case "import":
		if last == "import" || last == "," {
			c.exported()
		} else if last != "as" && last != "from" && isName(c.cursor.previous()) {
			c.words(rankWord, "as", "from")
		}
	case "pipeline":
		if last == "for" {
			for _, d := range c.outline.names {
				if d.what == "model" || d.what == "import" {
					c.add(rankGlobal, itemModule, d.name, d.what)
				}
			}
		} else if len(head) == 2 {
			c.words(rankWord, "for")
		}
	case "model":
		if len(head) == 2 {
			c.words(rankWord, "for")
		}
	case "block":
		c.inHeader()
	}
}

func (c *completer) block() {
	c.insert(rankStatement, itemSnippet, "block", "a function of tensors", "block ${1:name}(${2:x: [T, n]}) -> ${3:[T, n]} {\n  $0\n}")
}

func (c *completer) inModel() {
	head := c.head()
	if len(head) == 0 {
		c.insert(rankStatement, itemSnippet, "config", "keys of config.json", "config {\n  $0\n}")
		c.insert(rankStatement, itemSnippet, "let", "a value for the whole model", "let ${1:name} = $0")
		c.insert(rankStatement, itemSnippet, "assert", "refuses other configurations", "assert ${1:condition}, \"${2:why}\"")
		c.insert(rankStatement, itemSnippet, "entry", "a program that the runtime calls", "entry ${1:forward}(${2:tokens: i32[T]}, ${3:pos: i32[T]}) -> ${4:f32[T, vocab_size]} {\n  $0\n}")
		c.insert(rankStatement, itemSnippet, "checkpoint", "how stored tensors are found", "checkpoint {\n  $0\n}")
		c.block()
		return
	}
	switch head[0] {
	case "let":
		if len(head) > 2 {
			c.values()
		}
	case "assert":
		c.values()
	case "block", "entry":
		c.inHeader()
	}
}

// inHeader completes the header of a block or an entry.
func (c *completer) inHeader() {
	head := c.head()
	last := head[len(head)-1]
	switch {
	case c.cursor.top().open == "[":
		c.dimensions()
	case last == ":" || last == "->" || last == "," && slices.Contains(head, "->"):
		c.types()
	case slices.Contains(head, "when"):
		c.values()
	case head[0] == "entry" && (last == ")" || last == "]"):
		c.words(rankWord, "when")
	}
}

func (c *completer) types() {
	for _, t := range valueTypes {
		c.add(rankLocal, itemType, t, "a compile-time value")
	}
	c.insert(rankLocal, itemType, "[T, n]", "a tensor of the activation dtype", "[T, ${1:n}]")
	for _, d := range []dtype.DType{dtype.F32, dtype.BF16, dtype.F16, dtype.F8E4M3, dtype.I32} {
		c.insert(rankGlobal, itemType, d.String(), "a tensor of this dtype", d.String()+"[${1:T}]")
	}
}

func (c *completer) dimensions() {
	c.add(rankLocal, itemConstant, "T", "tokens of a step")
	c.add(rankLocal, itemConstant, "B", "sequences of a step")
	c.integers()
}

// integers offers the names that can have ints.
func (c *completer) integers() {
	for _, d := range c.outline.visible() {
		if d.detail == "int" || d.what == "let" {
			c.name(d)
		}
	}
}

func (c *completer) inConfig() {
	head := c.head()
	switch {
	case len(head) == 1:
		for _, t := range valueTypes {
			c.add(rankLocal, itemType, t, "the type of a key")
		}
	case len(head) < 2:
	case head[len(head)-1] == "=" || c.cursor.top().open != "{" || c.cursor.previous().Kind == syntax.SymbolToken:
		c.values()
	case head[len(head)-1] == "or" || head[len(head)-1] == "from":
	default:
		c.words(rankWord, "optional", "from")
	}
}

func (c *completer) inCheckpoint() {
	head := c.head()
	switch {
	case len(head) == 0:
		c.insert(rankStatement, itemSnippet, "alias", "another place of a tensor", "alias \"${1:name}\" = \"${2:stored name}\"")
		c.insert(rankStatement, itemSnippet, "ignore", "a tensor that is not used", "ignore \"${1:name}\" because \"${2:why}\"")
	case c.cursor.top().open == "[" || slices.Contains(head, "when"):
		c.values()
	case head[0] == "ignore" && len(head) == 2:
		c.words(rankWord, "because")
	case c.cursor.previous().Kind == syntax.StringToken || head[len(head)-1] == "]":
		c.words(rankWord, "when")
	}
}

func (c *completer) inPipeline() {
	head := c.head()
	if len(head) == 0 {
		for _, w := range pipeline.Vocabulary() {
			c.add(rankStatement, itemProperty, w.Name, w.Example)
		}
		return
	}
	if head[0] == "require" {
		for _, p := range c.o.Passes {
			if !slices.Contains(head, p.Name) {
				c.add(rankGlobal, itemEnumMember, p.Name, p.Doc)
			}
		}
		return
	}
	for _, w := range pipeline.Vocabulary() {
		if w.Name == head[0] && len(head) == 1 {
			for _, word := range w.Words {
				c.add(rankGlobal, itemEnumMember, word, w.Name)
			}
		}
	}
}

func (c *completer) inOptions() {
	if c.cursor.top().open != "{" {
		return // in a list of numbers or patterns
	}
	setting, word := c.setting()
	options := pipeline.OptionsOf(setting, word)
	arg := c.cursor.arg
	if len(arg) == 0 {
		for _, o := range options {
			if !c.given(o.Name) {
				c.add(rankArgument, itemProperty, o.Name, "option of "+setting)
			}
		}
		return
	}
	for _, o := range options {
		if o.Name == arg[0].Text && arg[len(arg)-1].Text == "=" {
			for _, v := range o.Words {
				c.add(rankArgument, itemEnumMember, v, o.Name)
			}
		}
	}
}

// setting is the name of the setting whose options the cursor is in, and the word behind it.
func (c *completer) setting() (name, word string) {
	at := c.cursor.top().at - 1
	words := c.outline.words
	if at < 0 {
		return "", ""
	}
	if at > 0 && words[at-1].Pos.Line == words[at].Pos.Line && isWordy(words[at-1]) {
		return words[at-1].Text, words[at].Text
	}
	return words[at].Text, ""
}

// given reports whether the call or the setting that the cursor is in has an argument or an option of that name.
func (c *completer) given(name string) bool {
	words := c.outline.words
	depth := 0
	for at := c.cursor.top().at + 1; at < len(words); at++ {
		switch t := words[at].Text; t {
		case "(", "[", "{":
			depth++
		case ")", "]", "}":
			if depth--; depth < 0 {
				return false
			}
		case name:
			last := words[at-1].Text
			if depth == 0 && words[at].Pos.Offset != c.cursor.start && (last == "," || last == "(" || last == "{") {
				return true
			}
		}
	}
	return false
}

func (c *completer) inBody() {
	if len(c.cursor.head) == 0 {
		c.insert(rankStatement, itemSnippet, "return", "the results", "return ${1:x}")
		c.insert(rankStatement, itemSnippet, "if", "decided at compile time", "if ${1:condition} {\n  $0\n}")
		c.insert(rankStatement, itemSnippet, "for", "written out at compile time", "for ${1:i} in 0 .. ${2:n} {\n  $0\n}")
		c.names()
		return
	}
	last := c.cursor.previous()
	f := c.cursor.top()
	switch {
	case f.open == "[" && f.at > 0 && c.outline.words[f.at-1].Text == "as":
		c.dimensions()
	case f.open == "(" && f.callee != "" && c.inArgument(f):
	case last.Text == "at" || last.Text == "." || last.Text == "for":
	case last.Text == "as":
		c.insert(rankLocal, itemSnippet, "[T, n]", "a shape", "[T, ${1:n}]")
	case ends(last):
		c.words(rankWord, "as", "at", "and", "or", "in", "then", "else")
	default:
		c.names()
		c.words(rankWord, "if", "not", "true", "false")
	}
}

// ends reports whether an expression can be over behind a word.
func ends(w syntax.Token) bool {
	switch w.Kind {
	case syntax.WordToken:
		return isName(w) || w.Text == "true" || w.Text == "false"
	case syntax.NumberToken, syntax.StringToken:
		return true
	}
	return w.Text == ")" || w.Text == "]"
}

// inArgument offers the names of the arguments that a call can still have, and reports whether nothing else can stand
// where the cursor is: the paths of weights are the checkpoint's, and no names of the file.
func (c *completer) inArgument(f frame) bool {
	params := c.parameters(f.callee)
	active := f.commas
	if arg := c.cursor.arg; len(arg) == 0 {
		for _, p := range params {
			if !c.given(p.name) {
				c.insert(rankArgument, itemProperty, p.name+" =", p.kind, p.name+" = ")
			}
		}
	} else if len(arg) > 1 && arg[1].Text == "=" {
		active = slices.IndexFunc(params, func(p parameter) bool { return p.name == arg[0].Text })
	}
	return active >= 0 && active < len(params) && params[active].kind == weightText
}

// parameters are those of a function or a block.
func (c *completer) parameters(callee string) []parameter {
	sig := c.signature(c.ctx, c.doc, c.outline, callee)
	if sig == nil {
		return nil
	}
	return sig.params
}

// names offers whatever can begin an expression in a body.
func (c *completer) names() {
	c.functions(func(*builtin.Func) bool { return true })
	for _, d := range c.outline.visible() {
		c.name(d)
	}
}

// values offers what can stand in a compile-time expression outside of bodies.
func (c *completer) values() {
	if last := c.cursor.previous(); ends(last) && last.Text != "when" && last.Text != "assert" {
		c.words(rankWord, "and", "or", "in", "then", "else")
		return
	}
	for _, d := range c.outline.visible() {
		if d.what != "block" && d.what != "import" {
			c.name(d)
		}
	}
	c.functions(func(f *builtin.Func) bool { return f.Value != builtin.Tensor })
	c.words(rankWord, "if", "not", "true", "false")
}

// name offers a declared name.
func (c *completer) name(d declared) {
	detail := strings.TrimSpace(d.what + " " + d.detail)
	switch d.what {
	case "block":
		c.call(rankBlock, d.name, d.detail, "", d.params)
	case "import":
		if sig := c.signature(c.ctx, c.doc, c.outline, d.name); sig != nil {
			c.call(rankBlock, d.name, sig.label, "", sig.params)
			return
		}
		c.add(rankBlock, itemModule, d.name, detail)
	case "configuration key", "let":
		c.add(rankGlobal, itemConstant, d.name, detail)
	default:
		c.add(rankLocal, itemVariable, d.name, detail)
	}
}

// functions offers the compiler's functions.
func (c *completer) functions(want func(*builtin.Func) bool) {
	for _, f := range c.o.Functions {
		if want(f) {
			sig := functionSignature(f)
			var required []parameter
			for i, p := range f.Params {
				if !p.Optional {
					required = append(required, sig.params[i])
				}
			}
			c.call(rankFunction, f.Name, sig.label, f.Doc, required)
		}
	}
}

// call offers a call with a place for each argument, unless its parenthesis is there already.
func (c *completer) call(rank int, name, detail, doc string, params []parameter) {
	text := name
	if c.to >= len(c.doc.text.src) || c.doc.text.src[c.to] != '(' {
		var places []string
		for i, p := range params {
			places = append(places, fmt.Sprintf("${%d:%s}", i+1, p.name))
		}
		text += "(" + strings.Join(places, ", ") + ")$0"
	}
	item := c.insert(rank, itemFunction, name, detail, text)
	if doc != "" {
		item.Documentation = markdown(doc)
	}
}

func markdown(text string) *MarkupContent { return &MarkupContent{"markdown", text} }
