package builtin

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Signature says which shapes a function takes and gives, for every configuration at once. It is written as
//
//	q [t, h, d], k q[t, g, d], v q[t, g, e], pos i32[t] -> q[t, h, e]
//
// with a pattern for each tensor parameter and each result. The letters stand for dimensions; a letter that is the
// name of an int parameter stands for its argument, any other is bound by the first tensor that has it. ".." in front
// stands for dimensions of any number, the same wherever it stands. In front of the bracket is the dtype: a name of
// a dtype; "act", the one that activations have; or a parameter, which has the same one. A parameter without any
// takes all.
type Signature struct {
	Params  map[string]Pattern // by name; tensors only
	Results []Pattern
}

// Pattern is the pattern of one tensor's type.
type Pattern struct {
	DType string // "": any; "act"; the name of a dtype
	Like  string // a parameter that has the same dtype; DType is "" then
	Rest  bool   // begins with ".."
	Dims  []Sum
}

// Sum is a dimension: names and numbers, added up.
type Sum []Addend

// Addend is a name or, where that is empty, a number; with its sign.
type Addend struct {
	Negative bool
	Name     string
	Number   int64
}

// String returns the pattern as signatures have it.
func (p Pattern) String() string {
	var dims []string
	if p.Rest {
		dims = append(dims, "..")
	}
	for _, d := range p.Dims {
		dims = append(dims, d.String())
	}
	return p.DType + p.Like + "[" + strings.Join(dims, ", ") + "]"
}

// String returns the sum as signatures have it.
func (s Sum) String() string {
	var b strings.Builder
	for i, a := range s {
		switch {
		case a.Negative:
			b.WriteString(" - ")
		case i > 0:
			b.WriteString(" + ")
		}
		if a.Name != "" {
			b.WriteString(a.Name)
		} else {
			b.WriteString(strconv.FormatInt(a.Number, 10))
		}
	}
	return b.String()
}

// dtypes are the dtypes that signatures name.
var dtypes = []string{"act", "f32", "bf16", "f16", "i32"}

// ParseSignature parses the text of a signature for a function with the parameters given.
func ParseSignature(text string, params []Param) (*Signature, error) {
	left, right, ok := strings.Cut(text, "->")
	if !ok {
		return nil, fmt.Errorf("signature %q has no ->", text)
	}
	s := &Signature{Params: map[string]Pattern{}}
	isTensor := func(name string) bool {
		return slices.ContainsFunc(params, func(p Param) bool { return p.Name == name && p.Kind == Tensor })
	}
	for _, part := range patterns(left) {
		name, rest, _ := strings.Cut(part, " ")
		p, err := parsePattern(rest, isTensor)
		if err != nil {
			return nil, fmt.Errorf("signature %q: %w", text, err)
		}
		if !isTensor(name) {
			return nil, fmt.Errorf("signature %q: %q is no tensor parameter", text, name)
		}
		s.Params[name] = p
	}
	for _, p := range params {
		if _, ok := s.Params[p.Name]; p.Kind == Tensor && !ok {
			return nil, fmt.Errorf("signature %q has no pattern for %q", text, p.Name)
		}
	}
	for _, part := range patterns(right) {
		p, err := parsePattern(part, isTensor)
		if err != nil {
			return nil, fmt.Errorf("signature %q: %w", text, err)
		}
		s.Results = append(s.Results, p)
	}
	return s, nil
}

// patterns cuts a list at the commas that are not in brackets.
func patterns(list string) []string {
	var parts []string
	for list = strings.TrimSpace(list); list != ""; {
		end := strings.IndexByte(list, ']') + 1
		if end == 0 {
			end = len(list)
		}
		parts = append(parts, list[:end])
		list = strings.TrimLeft(list[end:], ", ")
	}
	return parts
}

func parsePattern(text string, isTensor func(string) bool) (Pattern, error) {
	var p Pattern
	dtype, dims, ok := strings.Cut(strings.TrimSpace(text), "[")
	dims, closed := strings.CutSuffix(dims, "]")
	if !ok || !closed {
		return p, fmt.Errorf("%q is no pattern of a type", text)
	}
	switch {
	case dtype == "":
	case slices.Contains(dtypes, dtype):
		p.DType = dtype
	case isTensor(dtype):
		p.Like = dtype
	default:
		return p, fmt.Errorf("%q is neither a dtype nor a tensor parameter", dtype)
	}
	for i, d := range strings.Split(dims, ",") {
		if d = strings.TrimSpace(d); d == ".." && i == 0 {
			p.Rest = true
			continue
		}
		sum, err := parseSum(d)
		if err != nil {
			return p, err
		}
		p.Dims = append(p.Dims, sum)
	}
	return p, nil
}

func parseSum(text string) (Sum, error) {
	var s Sum
	negative, operand := false, true
	for _, word := range strings.Fields(text) {
		switch {
		case !operand && (word == "+" || word == "-"):
			negative, operand = word == "-", true
			continue
		case !operand:
			return nil, fmt.Errorf("%q is no sum of names and numbers", text)
		}
		a := Addend{Negative: negative, Name: word}
		if n, err := strconv.ParseInt(word, 10, 32); err == nil {
			a = Addend{Negative: negative, Number: n}
		} else if strings.Trim(word, "abcdefghijklmnopqrstuvwxyz_") != "" {
			return nil, fmt.Errorf("%q is no name of a dimension", word)
		}
		s, operand = append(s, a), false
	}
	if operand {
		return nil, fmt.Errorf("%q is no dimension", text)
	}
	return s, nil
}
