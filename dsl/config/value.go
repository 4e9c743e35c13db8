// Package config reads a checkpoint's config.json, fills a model's configuration from it, and evaluates what
// is known at compile time: defaults, lets and assertions.
package config

import (
	"slices"
	"strconv"
	"strings"
)

// Value is a compile-time value: an Int, a Float, a Bool, a String or Ints.
type Value interface {
	// Type is the name of the value's type in .glm files: "int", "float", "bool", "string" or "ints".
	Type() string
	// String is the value as .glm files write it, for messages: a long string is cut short. Text is what
	// "{v}" in a path becomes.
	String() string
	Text() string
}

// The types of values. Floats are finite.
type (
	Int    int64
	Float  float64
	Bool   bool
	String string
	Ints   []int64
)

// Type implements Value.
func (Int) Type() string    { return "int" }
func (Float) Type() string  { return "float" }
func (Bool) Type() string   { return "bool" }
func (String) Type() string { return "string" }
func (Ints) Type() string   { return "ints" }

// String implements Value.
func (v Int) String() string    { return strconv.FormatInt(int64(v), 10) }
func (v Float) String() string  { return formatFloat(float64(v)) }
func (v Bool) String() string   { return strconv.FormatBool(bool(v)) }
func (v String) String() string { return strconv.Quote(shorten(string(v))) }
func (v Ints) String() string   { return "[" + shorten(v.join(", ")) + "]" }

// Text implements Value.
func (v Int) Text() string    { return v.String() }
func (v Float) Text() string  { return v.String() }
func (v Bool) Text() string   { return v.String() }
func (v String) Text() string { return string(v) }
func (v Ints) Text() string   { return v.join(",") }

func (v Ints) join(separator string) string {
	var s []string
	for _, n := range v {
		s = append(s, strconv.FormatInt(n, 10))
	}
	return strings.Join(s, separator)
}

// equal reports whether two values of the same type are the same; numbers are compared by orderOf.
func equal(a, b Value) bool {
	if list, ok := a.(Ints); ok {
		return slices.Equal(list, b.(Ints))
	}
	return a == b
}

// formatFloat writes the shortest form that reads back as the same float, and never as an int.
func formatFloat(f float64) string {
	s := strconv.FormatFloat(f, 'g', -1, 64)
	for _, c := range s {
		if c == '.' || c == 'e' {
			return s
		}
	}
	return s + ".0"
}
