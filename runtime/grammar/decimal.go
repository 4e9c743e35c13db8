package grammar

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// decimal is a number as its digits: whole without zeros in front ("0" for none), fraction without zeros behind.
type decimal struct {
	negative        bool
	whole, fraction string
}

// maxExponent is how far digits are moved. A grammar's numbers have 32 digits on each side of the point, so that what is larger or
// smaller by more compares with them in the same way.
const maxExponent = 48

func parseDecimal(text string) decimal {
	var d decimal
	text, d.negative = strings.CutPrefix(text, "-")
	mantissa, exponent := text, 0
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		mantissa = text[:i]
		e, err := strconv.Atoi(text[i+1:])
		if err != nil { // too large for an int
			e = maxExponent
			if text[i+1] == '-' {
				e = -maxExponent
			}
		}
		exponent = min(max(e, -maxExponent), maxExponent)
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	if exponent > 0 {
		fraction += strings.Repeat("0", max(exponent-len(fraction), 0))
		whole, fraction = whole+fraction[:exponent], fraction[exponent:]
	}
	if exponent < 0 {
		whole = strings.Repeat("0", max(-exponent-len(whole), 0)) + whole
		cut := len(whole) + exponent
		whole, fraction = whole[:cut], whole[cut:]+fraction
	}
	d.whole, d.fraction = strings.TrimLeft(whole, "0"), strings.TrimRight(fraction, "0")
	if d.whole == "" {
		d.whole = "0"
	}
	if d.whole == "0" && d.fraction == "" {
		d.negative = false
	}
	return d
}

func (d decimal) String() string {
	text := d.whole
	if d.negative {
		text = "-" + text
	}
	if d.fraction != "" {
		text += "." + d.fraction
	}
	return text
}

// Expressions that take digits and compare them with a number, digit by digit from the left.
const (
	anyFraction  = `(\.[0-9]+)?`
	zeroFraction = `(\.0+)?`
)

// atLeast takes decimals without a sign that are not below the magnitude, or, strict, above it.
func (d decimal) atLeast(strict bool) string {
	n := len(d.whole)
	out := []string{fmt.Sprintf(`[1-9][0-9]{%d,}`+anyFraction, n)}
	for i, digit := range []byte(d.whole) {
		if digit < '9' {
			out = append(out, fmt.Sprintf(`%s[%c-9][0-9]{%d}`+anyFraction, d.whole[:i], digit+1, n-1-i))
		}
	}
	for i, digit := range []byte(d.fraction) {
		if digit < '9' {
			out = append(out, fmt.Sprintf(`%s\.%s[%c-9][0-9]*`, d.whole, d.fraction[:i], digit+1))
		}
	}
	equal := d.whole
	switch {
	case strict:
		equal += `\.` + d.fraction + `[0-9]*[1-9][0-9]*`
	case d.fraction == "":
		equal += anyFraction
	default:
		equal += `\.` + d.fraction + `[0-9]*`
	}
	return alternatives(append(out, equal))
}

// atMost takes decimals without a sign that are not above the magnitude, or, strict, below it.
func (d decimal) atMost(strict bool) string {
	n := len(d.whole)
	var out []string
	if n > 1 {
		out = append(out, fmt.Sprintf(`(0|[1-9][0-9]{0,%d})`+anyFraction, n-2))
	}
	for i, digit := range []byte(d.whole) {
		least := byte('0')
		if i == 0 && n > 1 {
			least = '1'
		}
		if digit > least {
			out = append(out, fmt.Sprintf(`%s[%c-%c][0-9]{%d}`+anyFraction, d.whole[:i], least, digit-1, n-1-i))
		}
	}
	for i, digit := range []byte(d.fraction) {
		// The digits before this one alone are below, because one that is not 0 follows.
		if i == 0 {
			out = append(out, d.whole)
		} else {
			out = append(out, d.whole+`\.`+d.fraction[:i])
		}
		if digit > '0' {
			out = append(out, fmt.Sprintf(`%s\.%s[0-%c][0-9]*`, d.whole, d.fraction[:i], digit-1))
		}
	}
	if !strict {
		if d.fraction == "" {
			out = append(out, d.whole+zeroFraction)
		} else {
			out = append(out, d.whole+`\.`+d.fraction+`0*`)
		}
	}
	return alternatives(out)
}

func alternatives(list []string) string {
	if len(list) == 0 {
		return `[^\x00-\x{10FFFF}]`
	}
	return "(" + strings.Join(list, "|") + ")"
}

// expression takes decimals on one side of a limit.
func (l limit) expression(upper bool) string {
	d := parseDecimal(l.value.text)
	zero := d.whole == "0" && d.fraction == ""
	switch {
	case !upper && !d.negative:
		return d.atLeast(l.exclusive)
	case !upper:
		return `([0-9]+` + anyFraction + `|-` + d.atMost(l.exclusive) + `)`
	case d.negative || zero && l.exclusive:
		return `-` + d.atLeast(l.exclusive)
	}
	return `(-[0-9]+` + anyFraction + `|` + d.atMost(l.exclusive) + `)`
}

// number compiles numbers.
func (c *compiler) number(s *shape) (*node, error) {
	d, err := c.numberAutomaton(s)
	if err != nil || d == nil {
		return nil, err
	}
	return automaton(d), nil
}

// numberAutomaton takes the numbers of a shape. With limits, they have no exponents.
func (c *compiler) numberAutomaton(s *shape) (*dfa, error) {
	whole := s.types&fractionType == 0
	if s.from == nil && s.to == nil && s.multiples == nil && !whole {
		return number.dfa, nil
	}
	d := sharedExpression(decimalForm, asText)
	if whole {
		d = integers(s)
	}
	var err error
	with := func(v *value, make func() (*dfa, error)) {
		if err != nil || d == nil {
			return
		}
		var other *dfa
		if other, err = make(); err == nil && other != nil {
			other, err = intersect(d, other, c.budget)
		}
		if d = other; err != nil {
			err = errorAt(v.path, "%v", err)
		}
	}
	for _, l := range s.from {
		with(l.value, func() (*dfa, error) { return expression(l.expression(false), true, asText, c.budget) })
	}
	for _, l := range s.to {
		with(l.value, func() (*dfa, error) { return expression(l.expression(true), true, asText, c.budget) })
	}
	for _, m := range s.multiples {
		with(m, func() (*dfa, error) {
			d, err := multiples(m.text)
			if err != nil && c.lax {
				return sharedExpression(decimalForm, asText), nil
			}
			return d, err
		})
	}
	return d, err
}

// integers takes integers that fit 64 bits, on each side that has no limit near: longer ones are slips that no client can read.
func integers(s *shape) *dfa {
	far := func(list []limit) bool {
		return slices.ContainsFunc(list, func(l limit) bool { return len(parseDecimal(l.value.text).whole) >= len("9223372036854775807") })
	}
	expr := integerForm
	if !far(s.from) && !far(s.to) {
		expr = fmt.Sprintf(`-?%s|-9223372036854775808`, decimal{whole: "9223372036854775807"}.wholes())
	}
	return sharedExpression(expr, asText)
}

// wholes takes whole numbers without a sign that are not above the magnitude.
func (d decimal) wholes() string {
	return strings.NewReplacer(anyFraction, "", zeroFraction, "").Replace(d.atMost(false))
}

// multiples takes decimals that are a multiple of a number: digits are read from the left, and the state is the remainder of what
// they make, in units of the number's last digit.
func multiples(text string) (*dfa, error) {
	m := parseDecimal(text)
	units, err := strconv.Atoi(m.whole + m.fraction)
	places := len(m.fraction)
	if err != nil || m.negative || units == 0 || units > 1000 || places > 6 || units*(places+1) > 4000 {
		return nil, fmt.Errorf("multipleOf %s is not supported; numbers above 0 with at most 3 digits are, such as 5, 0.01 or 0.25", text)
	}
	// State 0 is the start, 1 behind a sign, then for each digit behind the point so far (0: none yet), and whether there is
	// a point, the remainders.
	d := &dfa{}
	at := func(point, behind, remainder int) int32 { return int32(2 + ((point+behind)*units + remainder)) }
	var first []edge
	for digit := range 10 {
		first = append(first, edge{span{'0' + byte(digit), '0' + byte(digit)}, at(0, 0, digit%units)})
	}
	d.edges = append(d.edges, append([]edge{{span{'-', '-'}, 1}}, first...), first)
	d.accept = append(d.accept, false, false)
	for group := range places + 2 { // no point; a point and 0, 1, ... digits
		for r := range units {
			rest := r
			for range places - max(group-1, 0) {
				rest = rest * 10 % units
			}
			var list []edge
			if group == 0 && places > 0 {
				list = append(list, edge{span{'.', '.'}, at(1, 0, r)})
			}
			for digit := range 10 {
				to := (r*10 + digit) % units
				switch {
				case group == 0:
					list = append(list, edge{span{'0' + byte(digit), '0' + byte(digit)}, at(0, 0, to)})
				case group <= places:
					list = append(list, edge{span{'0' + byte(digit), '0' + byte(digit)}, at(1, group, to)})
				}
			}
			d.edges = append(d.edges, list)
			d.accept = append(d.accept, rest == 0 && group != 1)
		}
	}
	return d.trim(), nil
}

// satisfiesNumber checks a listed number.
func (c *compiler) satisfiesNumber(s *shape, v *value) (bool, error) {
	d := parseDecimal(v.text)
	want := fractionType
	if d.fraction == "" {
		want = integerType
	}
	if s.types&want == 0 {
		return false, nil
	}
	if s.from == nil && s.to == nil && s.multiples == nil {
		return true, nil
	}
	a, err := c.numberAutomaton(s)
	return a != nil && a.match(d.String()), err
}
