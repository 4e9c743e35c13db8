package syntax

import (
	"sync"
	"unicode/utf8"

	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/glmc/glmc/dsl/diag"
)

// MaxFileSize bounds the source files that Parse takes, in bytes.
const MaxFileSize = 4 << 20

// Parse parses a source file; name is what diagnostics call it. The diagnostics hold every syntax error that
// was found. The tree is never nil; where there are errors, it lacks the pieces that they are in.
func Parse(name string, src []byte) (*File, *diag.List) {
	f := &File{Name: name, Source: src}
	diags := &diag.List{}
	if len(src) > MaxFileSize {
		diags.Errorf(diag.Span{File: name}, idFileTooLarge, "the file has %d bytes; the limit is %d", len(src), MaxFileSize)
		return f, diags
	}
	if at := firstInvalid(src); at >= 0 {
		diags.Errorf(placeIn(name, src, at), idNotUTF8, "the file is not UTF-8 text: byte 0x%02x", src[at])
		return f, diags
	}
	list := scan(name, string(src), diags)
	braces := balance(list)
	braces.report(diags)
	if braces.tooDeep == nil {
		parseFile(f, peeking(list), braces.trusted, diags)
	}
	diags.Sort()
	return f, diags
}

// parseFile parses the declarations. Syntax errors behind the offset trusted are left out: they come from
// braces that do not match, which have been reported.
func parseFile(f *File, lex *lexer.PeekingLexer, trusted int, diags *diag.List) {
	var broken []*syntaxError
	for !lex.Peek().EOF() {
		if lex.Peek().Value == "}" { // has no partner
			lex.Next()
			continue
		}
		for _, d := range pieces(lex, inFile, grammars().decl, &broken) {
			f.add(d)
		}
	}
	reported := map[int]bool{}
	for _, e := range append(brokenIn(f), broken...) {
		at := e.span.Pos.Offset
		if at < trusted && !reported[at] {
			e.report(diags)
		}
		reported[at] = true
	}
}

// decl is a declaration of a file; exactly one field is set.
type decl struct {
	Import   *Import   `parser:"  @@"`
	Block    *Block    `parser:"| @@"`
	Model    *Model    `parser:"| @@"`
	Pipeline *Pipeline `parser:"| @@"`
}

// add puts a declaration into the file's lists.
func (f *File) add(d *decl) {
	switch {
	case d.Import != nil:
		f.Imports = append(f.Imports, d.Import)
	case d.Block != nil:
		d.Block.File, d.Block.Outside = f, true
		f.Blocks = append(f.Blocks, d.Block)
	case d.Model != nil:
		d.Model.File = f
		for _, b := range d.Model.Blocks() {
			b.File = f
		}
		f.Models = append(f.Models, d.Model)
	case d.Pipeline != nil:
		f.Pipelines = append(f.Pipelines, d.Pipeline)
	}
}

// parser parses one piece of source and leaves lex behind it.
type parser[T any] func(lex *lexer.PeekingLexer) (*T, error)

// grammarSet holds the parsers of the pieces that stand in braces.
type grammarSet struct {
	decl    parser[decl]
	member  parser[Member]
	field   parser[Field]
	stmt    parser[Stmt]
	rule    parser[Rule]
	options parser[options]
}

// maxListSize bounds what stands between commas: parameters, targets, results, options.
const maxListSize = 10_000

// grammars builds the parsers on first use. The lookahead of 0 commits to an alternative or an optional part
// with its first token: the grammar needs no more, nothing is parsed twice, and an error stands where it is.
var grammars = sync.OnceValue(func() grammarSet {
	participle.MaxIterations = maxListSize
	return grammarSet{
		decl: build[decl](), member: build[Member](), field: build[Field](),
		stmt: build[Stmt](), rule: build[Rule](), options: build[options](),
	}
})

func build[T any]() parser[T] {
	p := participle.MustBuild[T](participle.Lexer(definition{}), participle.UseLookahead(0), participle.ParseTypeWith(parseExpr))
	return func(lex *lexer.PeekingLexer) (*T, error) {
		return p.ParseFromLexer(lex, participle.AllowTrailing(true))
	}
}

// firstInvalid is the offset of the first byte that is not UTF-8, -1 if there is none.
func firstInvalid(src []byte) int {
	if utf8.Valid(src) {
		return -1
	}
	for i := 0; i < len(src); {
		c, size := utf8.DecodeRune(src[i:])
		if c == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}

// placeIn is the span of the byte at offset.
func placeIn(name string, src []byte, offset int) diag.Span {
	p := diag.Pos{Offset: offset, Line: 1, Column: 1}
	for _, c := range src[:offset] {
		p.Column++
		if c == '\n' {
			p.Line, p.Column = p.Line+1, 1
		}
	}
	end := p
	end.Offset, end.Column = end.Offset+1, end.Column+1
	return diag.Span{File: name, Start: p, End: end}
}
