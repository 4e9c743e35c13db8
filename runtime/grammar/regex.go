package grammar

import (
	"errors"
	"fmt"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// encoding is how the characters of an expression are written.
type encoding uint8

const (
	asText encoding = iota // as they are
	asJSON                 // as inside of a JSON string, in the shortest way, of which there is one
)

// expression compiles a regular expression to an automaton that takes what the expression matches as a whole, or, not anchored,
// what it matches somewhere. It is nil where nothing matches.
func expression(expr string, anchored bool, enc encoding, b *budget) (*dfa, error) {
	re, err := parseExpression(expr)
	if err != nil {
		return nil, err
	}
	n := &regexBuilder{enc: enc, b: b}
	any := &syntax.Regexp{Op: syntax.OpStar, Sub: []*syntax.Regexp{{Op: syntax.OpAnyChar}}}
	parts := []*syntax.Regexp{re}
	if !anchored {
		parts = []*syntax.Regexp{any, re, any}
	}
	end := n.state()
	for _, part := range parts {
		if end, err = n.build(part, end); err != nil {
			return nil, err
		}
	}
	n.end = end
	return n.determinise(b)
}

func parseExpression(expr string) (*syntax.Regexp, error) {
	if len(expr) > MaxRegex {
		return nil, fmt.Errorf("the expression has %d bytes; at most %d are taken", len(expr), MaxRegex)
	}
	re, err := syntax.Parse(ecmaEscapes(expr), syntax.Perl)
	if err != nil {
		var e *syntax.Error
		if errors.As(err, &e) {
			return nil, fmt.Errorf("the expression is not supported: %s: %q (RE2's syntax is; lookaround and back references are not)", e.Code, e.Expr)
		}
		return nil, err
	}
	return re, nil
}

// ecmaEscapes writes \uXXXX, which JSON schemas may use, as RE2 does.
func ecmaEscapes(expr string) string {
	if !strings.Contains(expr, `\u`) {
		return expr
	}
	var out strings.Builder
	for i := 0; i < len(expr); i++ {
		if expr[i] != '\\' || i+1 == len(expr) {
			out.WriteByte(expr[i])
			continue
		}
		if expr[i+1] == 'u' && i+6 <= len(expr) && isHex(expr[i+2:i+6]) {
			out.WriteString(`\x{` + expr[i+2:i+6] + `}`)
			i += 5
			continue
		}
		out.WriteString(expr[i : i+2])
		i++
	}
	return out.String()
}

func isHex(s string) bool {
	return strings.Trim(s, "0123456789abcdefABCDEF") == ""
}

// maxNFA is how many states an automaton has before it is made deterministic.
const maxNFA = 100_000

type regexBuilder struct {
	nfa
	enc encoding
	b   *budget
}

// build adds an expression behind a state and gives the state behind the expression.
func (n *regexBuilder) build(re *syntax.Regexp, from int32) (int32, error) {
	if err := n.b.step(1); err != nil || len(n.states) > maxNFA {
		return 0, errTooComplex
	}
	switch re.Op {
	case syntax.OpNoMatch:
		return n.state(), nil
	case syntax.OpEmptyMatch:
		return from, nil
	case syntax.OpLiteral:
		for _, r := range re.Rune {
			var err error
			if from, err = n.set(literalSet(r, re.Flags), from); err != nil {
				return 0, err
			}
		}
		return from, nil
	case syntax.OpCharClass:
		return n.set(re.Rune, from)
	case syntax.OpAnyCharNotNL:
		return n.set([]rune{0, '\n' - 1, '\n' + 1, utf8.MaxRune}, from)
	case syntax.OpAnyChar:
		return n.set([]rune{0, utf8.MaxRune}, from)
	case syntax.OpBeginText:
		to := n.state()
		n.states[from].begin = append(n.states[from].begin, to)
		return to, nil
	case syntax.OpEndText:
		to := n.state()
		n.states[from].last = append(n.states[from].last, to)
		return to, nil
	case syntax.OpCapture:
		return n.build(re.Sub[0], from)
	case syntax.OpConcat:
		return n.sequence(re.Sub, from)
	case syntax.OpAlternate:
		to := n.state()
		for _, sub := range re.Sub {
			end, err := n.build(sub, from)
			if err != nil {
				return 0, err
			}
			n.free(end, to)
		}
		return to, nil
	case syntax.OpStar:
		return n.repeat(re.Sub[0], 0, -1, from)
	case syntax.OpPlus:
		return n.repeat(re.Sub[0], 1, -1, from)
	case syntax.OpQuest:
		return n.repeat(re.Sub[0], 0, 1, from)
	case syntax.OpRepeat:
		return n.repeat(re.Sub[0], re.Min, re.Max, from)
	}
	return 0, fmt.Errorf("the expression has %s, which is not supported", opName(re.Op))
}

func opName(op syntax.Op) string {
	switch op {
	case syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return `\b or \B`
	case syntax.OpBeginLine, syntax.OpEndLine:
		return "anchors of lines"
	}
	return op.String()
}

// literalSet is a character, or all of its cases where case does not matter.
func literalSet(r rune, flags syntax.Flags) []rune {
	set := []rune{r, r}
	if flags&syntax.FoldCase != 0 {
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			set = append(set, f, f)
		}
	}
	return set
}

func (n *regexBuilder) sequence(list []*syntax.Regexp, from int32) (int32, error) {
	var err error
	for _, re := range list {
		if from, err = n.build(re, from); err != nil {
			return 0, err
		}
	}
	return from, nil
}

// repeat adds least copies of an expression, and either most-least more that may be left out or a loop.
func (n *regexBuilder) repeat(re *syntax.Regexp, least, most int, from int32) (int32, error) {
	var err error
	for range least {
		if from, err = n.build(re, from); err != nil {
			return 0, err
		}
	}
	if most < 0 {
		loop, to := n.state(), n.state()
		n.free(from, loop)
		end, err := n.build(re, loop)
		if err != nil {
			return 0, err
		}
		n.free(end, loop)
		n.free(loop, to)
		return to, nil
	}
	to := n.state()
	n.free(from, to)
	for range most - least {
		if from, err = n.build(re, from); err != nil {
			return 0, err
		}
		n.free(from, to)
	}
	return to, nil
}

// set adds one character of a set, given as pairs of first and last.
func (n *regexBuilder) set(pairs []rune, from int32) (int32, error) {
	to := n.state()
	// Many characters end alike: their last bytes share states.
	tails := map[string]int32{}
	add := func(spans []span) {
		at := to
		for i := len(spans) - 1; i > 0; i-- {
			key := spanKey(spans[i:])
			s, ok := tails[key]
			if !ok {
				s = n.state()
				n.edge(s, spans[i], at)
				tails[key] = s
			}
			at = s
		}
		n.edge(from, spans[0], at)
		n.b.steps -= len(spans)
	}
	// The edges must not meet those that the state before has already: what is added leaves from a state of its own.
	start := n.state()
	n.free(from, start)
	from = start
	for pair := range slices.Chunk(pairs, 2) {
		if n.enc == asText {
			utf8Spans(pair[0], pair[1], add)
		} else {
			n.escaped(pair[0], pair[1], from, to, add)
		}
	}
	return to, n.b.step(len(pairs))
}

func spanKey(spans []span) string {
	var key strings.Builder
	for _, s := range spans {
		key.Write([]byte{s.lo, s.hi})
	}
	return key.String()
}

// escaped adds the characters of a range as JSON strings have them.
func (n *regexBuilder) escaped(lo, hi rune, from, to int32, add func([]span)) {
	for r := lo; r <= min(hi, '\\'); r++ {
		if !inString.has(r) {
			text := jsonEscape(r)
			last := n.text(from, text[:len(text)-1])
			n.edge(last, span{text[len(text)-1], text[len(text)-1]}, to)
		}
	}
	for _, part := range [...][2]rune{{0x20, '"' - 1}, {'"' + 1, '\\' - 1}, {'\\' + 1, utf8.MaxRune}} {
		if l, h := max(lo, part[0]), min(hi, part[1]); l <= h {
			utf8Spans(l, h, add)
		}
	}
}

// jsonEscape is how a character is written that a JSON string does not hold as it is.
func jsonEscape(r rune) string {
	switch r {
	case '"', '\\':
		return `\` + string(r)
	case '\b':
		return `\b`
	case '\f':
		return `\f`
	case '\n':
		return `\n`
	case '\r':
		return `\r`
	case '\t':
		return `\t`
	}
	return fmt.Sprintf(`\u%04x`, r)
}
