package syntax

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/glmc/glmc/dsl/diag"
)

// syntaxError is a diagnostic on its way through participle; it implements participle.Error.
type syntaxError struct {
	span    Span
	id      string
	msg     string
	help    string
	related Span // another place, where there is one, and what it has to do with the error
	because string
}

// Error implements error.
func (e *syntaxError) Error() string { return e.msg }

// Message implements participle.Error.
func (e *syntaxError) Message() string { return e.msg }

// Position implements participle.Error.
func (e *syntaxError) Position() lexer.Position { return e.span.Pos }

func (e *syntaxError) note(place Span, because string) {
	e.related, e.because = place, because
}

func newError(t *lexer.Token, id, format string, args ...any) *syntaxError {
	return &syntaxError{span: tokenSpan(t), id: id, msg: fmt.Sprintf(format, args...)}
}

// report adds the error to the diagnostics.
func (e *syntaxError) report(diags *diag.List) {
	d := diags.Errorf(e.span.Diag(), e.id, "%s", e.msg)
	if e.because != "" {
		d.Note(e.related.Diag(), "%s", e.because)
	}
	d.Suggestion = e.help
}

// brokenIn collects the syntax errors that were passed over inside a file's braces.
func brokenIn(f *File) []*syntaxError {
	var errs []*syntaxError
	for _, m := range f.Models {
		errs = append(errs, m.broken...)
		for _, member := range m.Members {
			switch {
			case member.Config != nil:
				errs = append(errs, member.Config.broken...)
			case member.Checkpoint != nil:
				errs = append(errs, member.Checkpoint.broken...)
			case member.Block != nil:
				errs = append(errs, brokenInBody(member.Block.Body)...)
			case member.Entry != nil:
				errs = append(errs, brokenInBody(member.Entry.Body)...)
			}
		}
	}
	for _, p := range f.Pipelines {
		errs = append(errs, p.broken...)
	}
	for _, b := range f.Blocks {
		errs = append(errs, brokenInBody(b.Body)...)
	}
	return errs
}

func brokenInBody(b *Body) []*syntaxError {
	errs := b.broken
	for _, s := range b.Stmts {
		switch {
		case s.For != nil:
			errs = append(errs, brokenInBody(s.For.Body)...)
		case s.If != nil:
			errs = append(errs, brokenInIf(s.If)...)
		}
	}
	return errs
}

func brokenInIf(i *If) []*syntaxError {
	errs := brokenInBody(i.Then)
	switch {
	case i.Else == nil:
	case i.Else.If != nil:
		errs = append(errs, brokenInIf(i.Else.If)...)
	default:
		errs = append(errs, brokenInBody(i.Else.Body)...)
	}
	return errs
}

// translate turns what participle returned for a piece of source into an error of ours.
func translate(err error) *syntaxError {
	var e *syntaxError
	if errors.As(err, &e) {
		return e
	}
	var unexpected *participle.UnexpectedTokenError
	if !errors.As(err, &unexpected) {
		return tooMany(err)
	}
	found := &unexpected.Unexpected
	return newError(found, idUnexpectedToken, "expected %s, found %s", expectation(unexpected), describe(found))
}

// tooMany is the only other error that participle has for our grammar: a list of more than maxListSize
// elements.
func tooMany(err error) *syntaxError {
	var at participle.Error
	if !errors.As(err, &at) {
		panic("syntax: an error of the grammar itself: " + err.Error())
	}
	span := Span{at.Position(), at.Position()}
	return &syntaxError{span: span, id: idTooDeep, msg: fmt.Sprintf("a list of more than %d elements", maxListSize)}
}

// expectation is what participle expected, in words. participle says `unexpected token "x" (expected "{"
// Stmt* "}")`, with all that would have followed; only the first term is of interest.
func expectation(u *participle.UnexpectedTokenError) string {
	_, terms, ok := strings.Cut(u.Message(), "(expected ")
	if !ok {
		return "something else"
	}
	term := strings.TrimLeft(terms, "(")
	if strings.HasPrefix(term, `"`) {
		if quoted, err := strconv.QuotedPrefix(term); err == nil {
			return atEndOfList[quoted] + quoted
		}
	}
	term, _, _ = strings.Cut(term, " ")
	term = strings.Trim(term, "()<>?*+")
	if words, ok := inWords[term]; ok {
		return words
	}
	return strings.ToLower(term)
}

// atEndOfList has what else could stand where a list was to end.
var atEndOfList = map[string]string{`")"`: `"," or `, `"]"`: `"," or `, `"}"`: `"," or `}

var inWords = map[string]string{
	"Ident": "a name", "ident": "a name", "Str": "a string in quotes", "Expr": "an expression",
	"Type": "a type", "Param": "a parameter", "Body": `"{"`, "Index": "an index", "Option": "an option", "ImportName": "the name of a block or model",
	"dotdot": `".."`, "DotDot": `".."`, "Arrow": `"->"`, "arrow": `"->"`,
}

// describe names a token as messages do.
func describe(t *lexer.Token) string {
	switch t.Type {
	case lexer.EOF:
		return "the end of the file"
	case tokString:
		if len(t.Value) > maxShown {
			return "a string"
		}
		return "the string " + t.Value
	case tokKeyword:
		return "the reserved word " + strconv.Quote(t.Value)
	}
	return strconv.Quote(t.Value)
}
