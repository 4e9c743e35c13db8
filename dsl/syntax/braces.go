package syntax

import (
	"fmt"

	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/glmc/glmc/dsl/diag"
)

// Everything in braces is a list of pieces (members, fields, statements, rules, settings). A piece that does
// not parse is reported and passed over, and the list goes on behind it; so one run reports an error of every
// piece.

// listKind is what stands between a pair of braces, for messages.
type listKind struct {
	piece string   // what one piece is
	words []string // that a piece can begin with
}

var (
	inFile       = listKind{`"import", "block", "model" or "pipeline"`, []string{"import", "block", "model", "pipeline"}}
	inModel      = listKind{"a declaration of the model", []string{"config", "let", "assert", "block", "entry", "checkpoint"}}
	inConfig     = listKind{"a configuration key", nil}
	inBody       = listKind{"a statement", nil}
	inCheckpoint = listKind{`"alias" or "ignore"`, []string{"alias", "ignore"}}
	inPipeline   = listKind{"a setting", nil}
)

// Parse implements participle.Parseable.
func (m *Model) Parse(lex *lexer.PeekingLexer) (err error) {
	m.Pos = lex.Peek().Pos
	if err := word(lex, "model"); err != nil {
		return err
	}
	if m.Name, err = ident(lex); err != nil {
		return err
	}
	if m.For, err = architectures(lex); err != nil {
		return err
	}
	m.Members, m.EndPos, err = braced(lex, inModel, grammars().member, &m.broken)
	return err
}

// architectures parses what may stand behind a model's name: `for "A" or "B"`.
func architectures(lex *lexer.PeekingLexer) ([]*Str, error) {
	if lex.Peek().Value != "for" {
		return nil, nil
	}
	var list []*Str
	for len(list) == 0 || lex.Peek().Value == "or" {
		lex.Next()
		if t := lex.Peek(); t.Type != tokString {
			return nil, newError(t, idUnexpectedToken, "expected a class of Hugging Face's in quotes, such as \"Glm4MoeForCausalLM\", found %s", describe(t))
		}
		s := &Str{}
		if err := s.Parse(lex); err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, nil
}

// Parse implements participle.Parseable.
func (c *Config) Parse(lex *lexer.PeekingLexer) (err error) {
	c.Pos = lex.Peek().Pos
	if err := word(lex, "config"); err != nil {
		return err
	}
	c.Fields, c.EndPos, err = braced(lex, inConfig, grammars().field, &c.broken)
	return err
}

// Parse implements participle.Parseable.
func (b *Body) Parse(lex *lexer.PeekingLexer) (err error) {
	b.Pos = lex.Peek().Pos
	if lex.Peek().Value != "{" {
		return participle.NextMatch
	}
	b.Stmts, b.EndPos, err = braced(lex, inBody, grammars().stmt, &b.broken)
	return err
}

// Parse implements participle.Parseable.
func (c *Checkpoint) Parse(lex *lexer.PeekingLexer) (err error) {
	c.Pos = lex.Peek().Pos
	if err := word(lex, "checkpoint"); err != nil {
		return err
	}
	c.Rules, c.EndPos, err = braced(lex, inCheckpoint, grammars().rule, &c.broken)
	return err
}

// Parse implements participle.Parseable.
func (p *Pipeline) Parse(lex *lexer.PeekingLexer) (err error) {
	p.Pos = lex.Peek().Pos
	if err := word(lex, "pipeline"); err != nil {
		return err
	}
	if p.Name, err = ident(lex); err != nil {
		return err
	}
	if t := lex.Peek(); t.Value != "for" {
		return newError(t, idUnexpectedToken, "expected \"for\" and the name of a model, found %s", describe(t))
	}
	lex.Next()
	if p.Model, err = ident(lex); err != nil {
		return err
	}
	p.Settings, p.EndPos, err = braced(lex, inPipeline, parseSetting, &p.broken)
	return err
}

// parseSetting is written by hand because the arguments of a setting end with its line: a setting without
// any, in front of another one, would swallow that one's name.
func parseSetting(lex *lexer.PeekingLexer) (*Setting, error) {
	name, err := ident(lex)
	if err != nil {
		return nil, err
	}
	s := &Setting{Pos: name.Pos, EndPos: name.EndPos, Name: name}
	switch t := lex.Peek(); {
	case t.Pos.Line != name.EndPos.Line || t.Type == lexer.EOF:
	case t.Type == tokInt || t.Type == tokFloat || t.Type == tokString || t.Value == "=" || t.Value == ":":
		e := newError(t, idUnexpectedToken, "expected a word or \"{\" behind the setting %s, found %s", name.Name, describe(t))
		e.help = "numbers stand in the braces of a setting: target cpu { tensor_parallel = 2 }"
		return nil, e
	case t.Type != tokPunct:
		if s.Args, err = names(lex); err != nil {
			return nil, err
		}
		s.EndPos = s.Args[len(s.Args)-1].EndPos
	}
	if lex.Peek().Value != "{" {
		return s, nil
	}
	options, err := grammars().options(lex)
	if err != nil {
		return nil, err
	}
	s.Options, s.EndPos = options.List, options.EndPos
	return s, nil
}

// options is what stands in the braces of a setting. One wrong option makes the setting wrong: there is
// nothing to recover between them.
type options struct {
	EndPos Pos
	List   []*Option `parser:"'{' ( @@ ( ',' @@ )* )? '}'"`
}

// names parses a list of names with commas between them.
func names(lex *lexer.PeekingLexer) ([]*Ident, error) {
	var list []*Ident
	for {
		name, err := ident(lex)
		if err != nil {
			return nil, err
		}
		list = append(list, name)
		if lex.Peek().Value != "," {
			return list, nil
		}
		lex.Next()
	}
}

// Parse implements participle.Parseable.
func (s *Str) Parse(lex *lexer.PeekingLexer) (err error) {
	t := lex.Peek()
	if t.Type != tokString {
		return participle.NextMatch
	}
	lex.Next()
	s.Pos, s.EndPos = t.Pos, tokenEnd(t)
	s.Value, err = unquote(t)
	return err
}

// word takes a word of the grammar; participle.NextMatch says that another token is there.
func word(lex *lexer.PeekingLexer, value string) error {
	if lex.Peek().Value != value {
		return participle.NextMatch
	}
	lex.Next()
	return nil
}

func ident(lex *lexer.PeekingLexer) (*Ident, error) {
	t := lex.Peek()
	if t.Type != tokIdent {
		return nil, newError(t, idUnexpectedToken, "expected a name, found %s", describe(t))
	}
	lex.Next()
	return &Ident{Pos: t.Pos, EndPos: tokenEnd(t), Name: t.Value}, nil
}

// braced parses a list of pieces in braces and returns the position behind the closing one. Errors inside the
// braces go to broken.
func braced[T any](lex *lexer.PeekingLexer, kind listKind, parse parser[T], broken *[]*syntaxError) ([]*T, Pos, error) {
	if t := lex.Peek(); t.Value != "{" {
		return nil, Pos{}, newError(t, idUnexpectedToken, "expected \"{\", found %s", describe(t))
	}
	lex.Next()
	list := pieces(lex, kind, parse, broken)
	end := lex.Next() // "}", or the end of the file, which balance has reported
	return list, tokenEnd(end), nil
}

// pieces parses pieces up to a closing brace or the end of the file.
func pieces[T any](lex *lexer.PeekingLexer, kind listKind, parse parser[T], broken *[]*syntaxError) []*T {
	var list []*T
	var last *lexer.Token // that began the piece before, if that one parsed
	for {
		t := lex.Peek()
		if t.EOF() || t.Value == "}" {
			return list
		}
		start := lex.MakeCheckpoint()
		piece, err := parse(lex)
		if err == nil {
			list, last = append(list, piece), t
			continue
		}
		e := translate(err)
		if e.span.Pos == t.Pos {
			e = kind.noPiece(t, last)
		}
		*broken = append(*broken, e)
		lex.LoadCheckpoint(start)
		resync(lex, e.span.Pos.Offset)
		last = nil
	}
}

// noPiece is the error for a token that begins no piece.
func (k listKind) noPiece(t, last *lexer.Token) *syntaxError {
	e := newError(t, idUnexpectedToken, "expected %s, found %s", k.piece, describe(t))
	if near := diag.Nearest(t.Value, k.words); near != "" {
		e.help = fmt.Sprintf("did you mean %q?", near)
	}
	if last != nil && t.Type != tokIdent {
		e.note(tokenSpan(last), "what begins here ends before this")
	}
	return e
}

// resync passes over a piece that did not parse, up to the brace that closes the list or to the next token
// that begins a line at the piece's own indentation or to the left of it. What follows a piece on deeper
// lines is taken for its continuation. It goes on at least to the error, at offset, and takes at least one
// token.
func resync(lex *lexer.PeekingLexer, offset int) {
	column := lex.Peek().Pos.Column
	depth := 0
	for {
		last := lex.Next()
		switch last.Value {
		case "{":
			depth++
		case "}":
			depth--
		}
		t := lex.Peek()
		if t.EOF() || depth == 0 && t.Value == "}" {
			return
		}
		newLine := t.Pos.Line > tokenEnd(last).Line
		if depth == 0 && newLine && t.Pos.Column <= column && t.Pos.Offset >= offset {
			return
		}
	}
}
