package reply

import (
	"encoding/json"
	"strings"
)

// types are the JSON types that a schema allows for a value. Zero: it does not say.
type types uint8

const (
	isNull types = 1 << iota
	isBool
	isNumber
	isString
	isArray
	isObject

	isAnything = isNull | isBool | isNumber | isString | isArray | isObject
)

// longestWord is how many bytes of a value are waited for to see whether it is a number or a word (null, true) where
// it may be a string as well. What is longer is a string.
const longestWord = 64

// typeOf tells the type of a JSON value by its first byte. Zero: it is none.
func typeOf(b byte) types {
	switch {
	case b == '"':
		return isString
	case b == '{':
		return isObject
	case b == '[':
		return isArray
	case b == 'n' || b == 'N':
		return isNull
	case b == 't' || b == 'f' || b == 'T' || b == 'F':
		return isBool
	case b == '-' || '0' <= b && b <= '9':
		return isNumber
	}
	return 0
}

// onlyString reports whether a value that begins with raw can be nothing but a string. It holds for the whole of the
// value where it holds for a beginning.
func (t types) onlyString(raw string) bool {
	switch {
	case t == isString:
		return true
	case t != 0 && t&isString == 0:
		return false
	}
	start := strings.TrimLeft(raw, blanks)
	switch {
	case len(raw)-len(start) > longestWord:
		return true
	case start == "":
		return false
	}
	kind := typeOf(start[0])
	if t != 0 {
		kind &= t &^ isString
	}
	if kind&(isString|isArray|isObject) != 0 {
		return false
	}
	return kind == 0 || len(raw) > longestWord
}

// decode gives the JSON value that a model means by raw.
//
// A string is what stands there, byte for byte: templates write strings without quotes, so that quotes in the text are
// the string's. All else is JSON, and numbers keep their digits. Where a schema allows strings and other types, or says
// nothing, a value of another type is taken for that; where it says nothing a JSON string is one, too. What is
// nothing of what the schema allows is what it looks like, or a string.
func (t types) decode(raw string) string {
	if t.onlyString(raw) {
		return quote(raw)
	}
	text := strings.Trim(raw, blanks)
	value, kind := parse(text)
	switch {
	case t == 0 && kind != 0:
		return value
	case kind&t&^isString != 0:
		return value
	case t == 0 || t&isString != 0:
		return quote(raw)
	case kind == isString:
		// A value in quotes, such as "5" for a number.
		var inner string
		if json.Unmarshal([]byte(value), &inner) == nil {
			if value, kind := parse(strings.Trim(inner, blanks)); kind&t != 0 {
				return value
			}
		}
		return value
	case kind != 0:
		return value
	}
	// JSON that was escaped as if it stood in a string, such as [{\"id\": 1}].
	var inner string
	if json.Unmarshal([]byte(`"`+text+`"`), &inner) == nil {
		if value, kind := parse(inner); kind&t != 0 {
			return value
		}
	}
	return quote(raw)
}

// parse returns a JSON value with its type, 0 where it is none. It knows Python's words for true, false and null too.
func parse(text string) (value string, kind types) {
	switch text {
	case "True":
		return "true", isBool
	case "False":
		return "false", isBool
	case "None":
		return "null", isNull
	case "":
		return "", 0
	}
	if !json.Valid([]byte(text)) {
		return "", 0
	}
	return text, typeOf(text[0])
}

// quote writes a JSON string.
func quote(s string) string { return `"` + escape(s) + `"` }

// escape writes what stands between the quotes of a JSON string. The parts of a string may be escaped one by one.
func escape(s string) string {
	if strings.IndexFunc(s, escaped) < 0 {
		return s
	}
	const hex = "0123456789abcdef"
	var b strings.Builder
	b.Grow(len(s) + len(s)/8 + 8)
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\t':
			b.WriteString(`\t`)
		case c < ' ':
			b.WriteString(`\u00`)
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

func escaped(r rune) bool { return r < ' ' || r == '"' || r == '\\' }
