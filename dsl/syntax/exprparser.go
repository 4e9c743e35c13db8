package syntax

import (
	"math"
	"strconv"
	"strings"

	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"
)

// Bounds of one expression. The depth bounds the recursion of the parser, so that a file of a million
// parentheses is an error and not an exhausted stack; the size bounds the height of the tree, which a long
// chain of operators makes as high as it is long, for everything that walks it afterwards.
const (
	maxExprDepth = 200
	maxExprSize  = 10_000
)

// Binding strengths, loosest first. `as` and `at` bind tighter than any operator: they follow what they
// describe directly.
var precedence = map[string]int{
	"or": 1, "and": 2,
	"==": 3, "!=": 3, "<": 3, "<=": 3, ">": 3, ">=": 3, "in": 3,
	"+": 4, "-": 4,
	"*": 5, "/": 5, "%": 5,
	"^": 7, // right-associative, tighter than unary minus: -x ^ 2 is -(x ^ 2)
}

const unaryPrecedence = 6

// exprParser parses one expression by precedence climbing.
type exprParser struct {
	lex   *lexer.PeekingLexer
	end   Pos // of the token taken last
	depth int
	size  int
}

// parseExpr is participle's hook for every field of type Expr. participle.NextMatch says "no expression
// here"; any other error is a syntax error inside one.
func parseExpr(lex *lexer.PeekingLexer) (Expr, error) {
	p := &exprParser{lex: lex}
	if !startsExpr(lex.Peek()) {
		return nil, participle.NextMatch
	}
	return p.binary(0)
}

func startsExpr(t *lexer.Token) bool {
	switch t.Type {
	case tokInt, tokFloat, tokString, tokIdent:
		return true
	}
	switch t.Value {
	case "if", "true", "false", "not", "(", "[", "-":
		return true
	}
	return false
}

func (p *exprParser) next() *lexer.Token {
	t := p.lex.Next()
	p.end = tokenEnd(t)
	return t
}

// since is the span from start to the token taken last.
func (p *exprParser) since(start Pos) Span { return Span{start, p.end} }

// grow counts one more node.
func (p *exprParser) grow() error {
	p.size++
	if p.size > maxExprSize {
		return p.errorf(p.lex.Peek(), idTooDeep, "expression of more than %d terms", maxExprSize)
	}
	return nil
}

// binary parses an expression of operators that bind tighter than min.
func (p *exprParser) binary(min int) (Expr, error) {
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > maxExprDepth {
		return nil, p.errorf(p.lex.Peek(), idTooDeep, "expression nested deeper than %d levels", maxExprDepth)
	}
	start := p.lex.Peek().Pos
	x, err := p.unary()
	if err != nil {
		return nil, err
	}
	for {
		op := p.lex.Peek()
		prec := precedence[op.Value]
		if prec == 0 || prec <= min {
			return x, nil
		}
		if err := p.grow(); err != nil {
			return nil, err
		}
		p.next()
		right := prec
		if op.Value == "^" {
			right = unaryPrecedence - 1 // right-associative, and -x is allowed as an exponent
		}
		y, err := p.binary(right)
		if err != nil {
			return nil, err
		}
		x = &Binary{Span_: p.since(start), Op: op.Value, OpPos: op.Pos, X: x, Y: y}
	}
}

func (p *exprParser) unary() (Expr, error) {
	t := p.lex.Peek()
	if t.Value != "-" && t.Value != "not" {
		return p.postfix()
	}
	p.next()
	min := unaryPrecedence
	if t.Value == "not" {
		min = precedence["and"]
	}
	x, err := p.binary(min)
	if err != nil {
		return nil, err
	}
	return &Unary{Span_: p.since(t.Pos), Op: t.Value, X: x}, nil
}

// postfix parses a primary and the `as [...]` and `at "..."` behind it.
func (p *exprParser) postfix() (Expr, error) {
	start := p.lex.Peek().Pos
	x, err := p.primary()
	for err == nil {
		switch p.lex.Peek().Value {
		case "as":
			p.next()
			var dims []Expr
			dims, err = p.list()
			x = &As{Span_: p.since(start), X: x, Dims: dims}
		case "at":
			p.next()
			var path *StrLit
			path, err = p.path()
			x = &At{Span_: p.since(start), X: x, Path: path}
		default:
			return x, nil
		}
		if err == nil {
			err = p.grow()
		}
	}
	return nil, err
}

func (p *exprParser) path() (*StrLit, error) {
	t := p.lex.Peek()
	if t.Type != tokString {
		return nil, p.errorf(t, idUnexpectedToken, "expected a path in quotes after \"at\", found %s", describe(t))
	}
	return p.str()
}

func (p *exprParser) str() (*StrLit, error) {
	t := p.next()
	value, err := unquote(t)
	return &StrLit{Span_: tokenSpan(t), Value: value}, err
}

func (p *exprParser) primary() (Expr, error) {
	t := p.lex.Peek()
	switch t.Type {
	case tokInt:
		return p.integer()
	case tokFloat:
		return p.float()
	case tokString:
		return p.str()
	case tokIdent:
		return p.nameOrCall()
	}
	switch t.Value {
	case "true", "false":
		p.next()
		return &BoolLit{p.since(t.Pos), t.Value == "true"}, nil
	case "(":
		return p.parenthesised()
	case "[":
		elems, err := p.list()
		return &ListLit{p.since(t.Pos), elems}, err
	case "if":
		return p.cond()
	}
	return nil, p.errorf(t, idUnexpectedToken, "expected an expression, found %s", describe(t))
}

func (p *exprParser) integer() (Expr, error) {
	t := p.next()
	v, err := strconv.ParseInt(t.Value, 10, 64)
	if err != nil && strings.Trim(t.Value, "0123456789") == "" {
		return nil, p.errorf(t, idBadNumber, "integer %s is out of range", t.Value)
	}
	return &IntLit{tokenSpan(t), v}, nil // where it is no number, the lexer has said so
}

func (p *exprParser) float() (Expr, error) {
	t := p.next()
	v, err := strconv.ParseFloat(t.Value, 64)
	if err != nil || math.IsInf(v, 0) {
		return nil, p.errorf(t, idBadNumber, "number %s is out of range", t.Value)
	}
	return &FloatLit{tokenSpan(t), v}, nil
}

func (p *exprParser) parenthesised() (Expr, error) {
	open := p.next()
	x, err := p.binary(0)
	if err != nil {
		return nil, err
	}
	return x, p.close(open, ")", `")"`)
}

func (p *exprParser) cond() (Expr, error) {
	start := p.next().Pos
	c, err := p.binary(0)
	if err != nil {
		return nil, err
	}
	if err := p.expect("then"); err != nil {
		return nil, err
	}
	a, err := p.binary(0)
	if err != nil {
		return nil, err
	}
	if err := p.expect("else"); err != nil {
		return nil, err
	}
	b, err := p.binary(0)
	if err != nil {
		return nil, err
	}
	return &Cond{Span_: p.since(start), If: c, Then: a, Else: b}, nil
}

// nameOrCall parses a name, a dotted path, or a call. The components of a path behind its first may be
// reserved words and numbers: "model.norm", "blocks.0.in".
func (p *exprParser) nameOrCall() (Expr, error) {
	t := p.next()
	n := &Name{Parts: []string{t.Value}}
	for p.lex.Peek().Type == tokDot {
		p.next()
		part := p.lex.Peek()
		switch part.Type {
		case tokIdent, tokKeyword, tokInt:
			n.Parts = append(n.Parts, part.Value)
		case tokFloat: // ".0.1" lexes as a dot and a number
			n.Parts = append(n.Parts, strings.Split(part.Value, ".")...)
		default:
			return nil, p.errorf(part, idUnexpectedToken, "expected a name after \".\", found %s", describe(part))
		}
		p.next()
	}
	n.Span_ = p.since(t.Pos)
	if p.lex.Peek().Value != "(" {
		return n, nil
	}
	return p.call(n)
}

func (p *exprParser) call(fn *Name) (Expr, error) {
	open := p.next()
	c := &Call{Func: fn}
	for p.lex.Peek().Value != ")" {
		arg, err := p.arg()
		if err != nil {
			return nil, err
		}
		c.Args = append(c.Args, arg)
		if p.lex.Peek().Value != "," {
			break
		}
		p.next()
	}
	err := p.close(open, ")", `"," or ")"`)
	c.Span_ = p.since(fn.Span_.Pos)
	return c, err
}

func (p *exprParser) arg() (Arg, error) {
	t := p.lex.Peek()
	a := Arg{Pos: t.Pos}
	if t.Type == tokIdent {
		checkpoint := p.lex.MakeCheckpoint()
		p.next()
		if p.lex.Peek().Value == "=" {
			p.next()
			a.Name = t.Value
		} else {
			p.lex.LoadCheckpoint(checkpoint)
		}
	}
	v, err := p.binary(0)
	a.Value = v
	return a, err
}

// list parses `[expr, expr]`.
func (p *exprParser) list() ([]Expr, error) {
	open := p.lex.Peek()
	if err := p.expect("["); err != nil {
		return nil, err
	}
	var elems []Expr
	for p.lex.Peek().Value != "]" {
		x, err := p.binary(0)
		if err != nil {
			return nil, err
		}
		if err := p.grow(); err != nil {
			return nil, err
		}
		elems = append(elems, x)
		if p.lex.Peek().Value != "," {
			break
		}
		p.next()
	}
	return elems, p.close(open, "]", `"," or "]"`)
}

func (p *exprParser) expect(value string) error {
	t := p.lex.Peek()
	if t.Value != value {
		return p.errorf(t, idUnexpectedToken, "expected %q, found %s", value, describe(t))
	}
	p.next()
	return nil
}

// close takes the closing partner of a bracket. Expected is what could stand there, in words.
func (p *exprParser) close(open *lexer.Token, partner, expected string) error {
	t := p.lex.Peek()
	if t.Value != partner {
		err := p.errorf(t, idUnexpectedToken, "expected %s, found %s", expected, describe(t))
		err.note(tokenSpan(open), "opened here")
		return err
	}
	p.next()
	return nil
}

func (p *exprParser) errorf(t *lexer.Token, id, format string, args ...any) *syntaxError {
	return newError(t, id, format, args...)
}
