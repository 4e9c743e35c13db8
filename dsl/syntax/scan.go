package syntax

import (
	"maps"
	"slices"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/glmc/glmc/dsl/diag"
)

// TokenKind says what a Token is.
type TokenKind int

const (
	CommentToken TokenKind = iota // "// ..." without the line's end, or "/* ... */"
	WordToken                     // a name or a reserved word
	NumberToken
	StringToken
	SymbolToken // an operator, a bracket, a comma, ...
)

// Token is a piece of source text that is not white space.
type Token struct {
	Span
	Kind TokenKind
	Text string
}

// Tokens cuts a file into tokens, comments included, for what works on the text itself. Of a file that Parse
// finds no errors in they are exactly those that it sees; what is no token is left out.
func Tokens(name string, src []byte) []Token {
	var list []Token
	for _, t := range scan(name, string(src), &diag.List{}) {
		if t.Type != tokSpace && !t.EOF() {
			list = append(list, Token{Span: tokenSpan(&t), Kind: kindOf(t.Type), Text: t.Value})
		}
	}
	return list
}

func kindOf(t lexer.TokenType) TokenKind {
	switch t {
	case tokComment:
		return CommentToken
	case tokKeyword, tokIdent:
		return WordToken
	case tokInt, tokFloat:
		return NumberToken
	case tokString:
		return StringToken
	}
	return SymbolToken
}

// Keywords returns the reserved words, sorted.
func Keywords() []string { return slices.Sorted(maps.Keys(keywords)) }

// Precedence says how tightly a binary operator binds, from 1 on; 0 is no operator.
func Precedence(op string) int { return precedence[op] }
