package syntax

import (
	"io"
	"strings"
	"unicode/utf8"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/glmc/glmc/dsl/diag"
)

// Token types. Those named bad and unclosed make the scanner total: they are reported and taken for the
// nearest valid type, so that the parser never sees them.
const (
	tokSpace lexer.TokenType = lexer.EOF - 1 - iota
	tokComment
	tokKeyword // a reserved word; all other words of the grammar are names elsewhere
	tokIdent
	tokInt
	tokFloat
	tokString
	tokArrow
	tokDotDot
	tokDot
	tokPunct
	tokBadNumber
	tokBadText
	tokUnclosedString
	tokUnclosedComment
)

// keywords are the words that cannot be names. The words that begin declarations, settings and clauses are
// not among them: configuration keys and weights may be called "model" or "from".
var keywords = map[string]bool{
	"if": true, "then": true, "else": true, "for": true, "in": true, "return": true, "as": true, "at": true,
	"and": true, "or": true, "not": true, "true": true, "false": true,
}

// definition is the scanner as participle's grammar compiler wants to know it. It stands in for participle's
// own lexer of regular expressions, which takes more time than all the parsing behind it.
type definition struct{}

// Symbols implements lexer.Definition with the names that the grammar's tags use.
func (definition) Symbols() map[string]lexer.TokenType {
	return map[string]lexer.TokenType{
		"EOF": lexer.EOF, "Space": tokSpace, "Comment": tokComment, "Keyword": tokKeyword, "Ident": tokIdent,
		"Int": tokInt, "Float": tokFloat, "String": tokString, "Arrow": tokArrow, "DotDot": tokDotDot,
		"Dot": tokDot, "Punct": tokPunct,
	}
}

// Lex implements lexer.Definition.
func (definition) Lex(name string, r io.Reader) (lexer.Lexer, error) {
	src, err := io.ReadAll(io.LimitReader(r, MaxFileSize))
	if err != nil {
		return nil, err
	}
	return &stream{tokens: scan(name, string(src), &diag.List{})}, nil
}

// scan cuts a file into tokens, with an EOF token last, and reports what is no token. Every byte lies in
// exactly one token: the place where a token ends is then the place where the next one begins, white space
// included. A token's value is its source text; strings are unquoted where they enter the tree.
func scan(name string, src string, diags *diag.List) []lexer.Token {
	list := make([]lexer.Token, 0, len(src)/3+1)
	pos := Pos{Filename: name, Line: 1, Column: 1}
	for pos.Offset < len(src) {
		kind, n := cut(src[pos.Offset:])
		t := lexer.Token{Type: kind, Value: src[pos.Offset : pos.Offset+n], Pos: pos}
		pos = tokenEnd(&t)
		mend(&t, diags)
		list = append(list, t)
	}
	return append(list, lexer.EOFToken(pos))
}

// cut returns the type and the length of the token at the start of s, which is not empty.
func cut(s string) (lexer.TokenType, int) {
	switch c := s[0]; {
	case strings.IndexByte(spaces, c) >= 0:
		return tokSpace, run(s, func(c byte) bool { return strings.IndexByte(spaces, c) >= 0 })
	case isLetter(c):
		n := run(s, isWord)
		if keywords[s[:n]] {
			return tokKeyword, n
		}
		return tokIdent, n
	case isDigit(c):
		return cutNumber(s)
	case c == '"':
		return cutString(s)
	case strings.HasPrefix(s, "//"), strings.HasPrefix(s, "/*"):
		return cutComment(s)
	case strings.HasPrefix(s, "->"):
		return tokArrow, 2
	case strings.HasPrefix(s, ".."):
		return tokDotDot, 2
	case c == '.':
		return tokDot, 1
	case len(s) > 1 && s[1] == '=' && strings.IndexByte("=!<>", c) >= 0:
		return tokPunct, 2
	case strings.IndexByte(puncts, c) >= 0:
		return tokPunct, 1
	}
	return tokBadText, run(s, func(c byte) bool {
		return !isWord(c) && strings.IndexByte(spaces+puncts+`".`, c) < 0
	})
}

const (
	spaces = " \t\r\n"
	puncts = "-+*/%^<>=(){}[],:"
)

func isDigit(c byte) bool  { return '0' <= c && c <= '9' }
func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' || c == '_' }
func isWord(c byte) bool   { return isLetter(c) || isDigit(c) }

// run is the length of the longest prefix of s whose bytes all satisfy is.
func run(s string, is func(byte) bool) int {
	n := 0
	for n < len(s) && is(s[n]) {
		n++
	}
	return n
}

// cutNumber cuts 12, 1.5, 1e-5 or 1.5e-5. A dot belongs to it only where a digit follows: 0..n is a range.
func cutNumber(s string) (lexer.TokenType, int) {
	kind, n := tokInt, run(s, isDigit)
	if n+1 < len(s) && s[n] == '.' && isDigit(s[n+1]) {
		kind, n = tokFloat, n+1+run(s[n+1:], isDigit)
	}
	if e := exponent(s[n:]); e > 0 {
		kind, n = tokFloat, n+e
	}
	if more := run(s[n:], isWord); more > 0 {
		return tokBadNumber, n + more
	}
	return kind, n
}

// exponent is the length of the exponent at the start of s, 0 if there is none.
func exponent(s string) int {
	if s == "" || s[0]|0x20 != 'e' {
		return 0
	}
	n := 1
	if n < len(s) && (s[n] == '+' || s[n] == '-') {
		n++
	}
	digits := run(s[n:], isDigit)
	if digits == 0 {
		return 0
	}
	return n + digits
}

func cutString(s string) (lexer.TokenType, int) {
	for i := 1; i < len(s) && s[i] != '\n'; i++ {
		switch {
		case s[i] == '"':
			return tokString, i + 1
		case s[i] == '\\' && i+1 < len(s) && s[i+1] != '\n':
			i++
		}
	}
	return tokUnclosedString, run(s, func(c byte) bool { return c != '\n' })
}

func cutComment(s string) (lexer.TokenType, int) {
	if s[1] == '/' {
		return tokComment, run(s, func(c byte) bool { return c != '\n' })
	}
	if n := strings.Index(s[2:], "*/"); n >= 0 {
		return tokComment, n + 4
	}
	return tokUnclosedComment, len(s)
}

// maxTokenSize bounds names and numbers, which messages repeat; maxShown bounds what they show of other text.
const (
	maxTokenSize = 255
	maxShown     = 40
)

// mend reports a token of a bad or unclosed type and gives it the type that it was probably meant to have.
func mend(t *lexer.Token, diags *diag.List) {
	if t.Type > tokBadNumber && len(t.Value) <= maxTokenSize {
		return
	}
	span := tokenSpan(t).Diag()
	switch t.Type {
	case tokIdent, tokInt, tokFloat:
		diags.Errorf(span, idTokenTooLong, "a name or a number of %d bytes; the limit is %d", len(t.Value), maxTokenSize)
		t.Type = tokSpace
	case tokBadNumber:
		diags.Errorf(span, idBadNumber, "%q is neither a number nor a name", shorten(t.Value))
		t.Type = tokInt
	case tokUnclosedString:
		diags.Errorf(span, idUnclosedString, "the string is not closed on its line")
		t.Type = tokString
	case tokUnclosedComment:
		span.End = diag.Pos{Offset: span.Start.Offset + 2, Line: span.Start.Line, Column: span.Start.Column + 2}
		diags.Errorf(span, idUnclosedComment, "the comment is not closed").Suggest(`close it with "*/"`)
		t.Type = tokComment
	case tokBadText:
		d := diags.Errorf(span, idBadCharacter, "unexpected %q", shorten(t.Value))
		if word := operatorFor[t.Value]; word != "" {
			d.Suggest("write %s", word)
		} else if t.Value[0] >= utf8.RuneSelf {
			d.Suggest("names are made of the letters a to z and A to Z, digits and _")
		}
		t.Type = tokSpace
	}
}

func shorten(s string) string {
	if len(s) <= maxShown {
		return s
	}
	return strings.ToValidUTF8(s[:maxShown], "") + "..."
}

// operatorFor maps operators of other languages to ours.
var operatorFor = map[string]string{
	"&&": "and", "||": "or", "!": "not", "&": "and", "|": "or", "'": `"`, ";": "a new line instead", "#": "// for a comment",
}

// tokenEnd is the position just behind a token.
func tokenEnd(t *lexer.Token) Pos {
	end := t.Pos
	end.Offset += len(t.Value)
	if n := strings.LastIndexByte(t.Value, '\n'); n >= 0 {
		end.Line += strings.Count(t.Value, "\n")
		end.Column = len(t.Value) - n
	} else {
		end.Column += len(t.Value)
	}
	return end
}

func tokenSpan(t *lexer.Token) Span { return Span{t.Pos, tokenEnd(t)} }

// stream is a list of tokens as participle's lexer interface.
type stream struct {
	tokens []lexer.Token
	next   int
}

// Next implements lexer.Lexer.
func (s *stream) Next() (lexer.Token, error) {
	t := s.tokens[s.next]
	if !t.EOF() {
		s.next++
	}
	return t, nil
}

// peeking returns the tokens as the parsers take them: white space and comments are passed over.
func peeking(list []lexer.Token) *lexer.PeekingLexer {
	lex, err := lexer.Upgrade(&stream{tokens: list}, tokSpace, tokComment)
	if err != nil {
		panic("syntax: a token list failed: " + err.Error())
	}
	return lex
}

// unquote returns the value of a string token. Escapes are \" \\ \n \t and \u with four hexadecimal digits.
func unquote(t *lexer.Token) (string, error) {
	if kind, _ := cutString(t.Value); kind == tokUnclosedString {
		return t.Value[1:], nil // has been reported
	}
	body := t.Value[1 : len(t.Value)-1]
	if !strings.Contains(body, `\`) {
		return body, nil
	}
	var out strings.Builder
	for i := 0; i < len(body); {
		if body[i] != '\\' {
			out.WriteByte(body[i])
			i++
			continue
		}
		c, n := escape(body[i:])
		if n == 0 {
			from := t.Pos
			from.Offset, from.Column = from.Offset+1+i, from.Column+1+i
			_, size := utf8.DecodeRuneInString(body[i+1:])
			end := from
			end.Offset, end.Column = end.Offset+1+size, end.Column+1+size
			return "", &syntaxError{span: Span{from, end}, id: idBadEscape,
				msg: "unknown escape " + body[i:i+1+size], help: `the escapes are \" \\ \n \t and \u0000`}
		}
		out.WriteRune(c)
		i += n
	}
	return out.String(), nil
}

// escape returns the character that the escape at the start of s stands for and the escape's length, 0 if it
// is none.
func escape(s string) (rune, int) {
	if len(s) < 2 {
		return 0, 0
	}
	switch s[1] {
	case '"', '\\':
		return rune(s[1]), 2
	case 'n':
		return '\n', 2
	case 't':
		return '\t', 2
	case 'u':
		return hex4(s[2:])
	}
	return 0, 0
}

// hex4 reads the four digits behind \u; surrogate halves are no characters.
func hex4(s string) (rune, int) {
	if len(s) < 4 {
		return 0, 0
	}
	var c rune
	for _, d := range []byte(s[:4]) {
		n := strings.IndexByte("0123456789abcdef", d|0x20)
		if n < 0 || d < '0' {
			return 0, 0
		}
		c = c<<4 | rune(n)
	}
	if !utf8.ValidRune(c) {
		return 0, 0
	}
	return c, 6
}
