// Package jsonparts takes JSON objects and arrays apart that are known to be valid, and valid UTF-8. encoding/json checks a value again at every level
// that it is taken out of; requests of agents have eight of them around every file that they send.
package jsonparts

import (
	"bytes"
	"encoding/json"
)

// Members calls on for the members of an object, in their order, until it returns false. The values are parts of the object.
func Members(object []byte, on func(key string, value []byte) bool) {
	for i := open(object); i < len(object) && object[i] != '}'; {
		end := skip(object, i)
		key := text(object[i:end])
		i = blank(object, end) + 1 // over the colon
		i = blank(object, i)
		end = skip(object, i)
		if !on(key, object[i:end:end]) {
			return
		}
		i = next(object, end)
	}
}

// Items calls on for the items of an array, in their order, until it returns false. They are parts of the array.
func Items(array []byte, on func(value []byte) bool) {
	for i := open(array); i < len(array) && array[i] != ']'; {
		end := skip(array, i)
		if !on(array[i:end:end]) {
			return
		}
		i = next(array, end)
	}
}

// open is where the first part begins, or the closing bracket stands.
func open(data []byte) int { return blank(data, blank(data, 0)+1) }

// next is where the part behind a comma begins, or the closing bracket stands.
func next(data []byte, i int) int {
	if i = blank(data, i); i < len(data) && data[i] == ',' {
		i = blank(data, i+1)
	}
	return i
}

// blank is the first place from i on that is not white space.
func blank(data []byte, i int) int {
	for i < len(data) && (data[i] == ' ' || data[i] == '\n' || data[i] == '\t' || data[i] == '\r') {
		i++
	}
	return i
}

// skip is the end of the value that begins at i.
func skip(data []byte, i int) int {
	for depth := 0; i < len(data); {
		switch data[i] {
		case '"':
			i = skipString(data, i)
		case '{', '[':
			depth++
			i++
			continue
		case '}', ']':
			depth--
			i++
		case ',', ':', ' ', '\n', '\t', '\r':
			i++
			continue
		default: // a number or a word
			for i < len(data) && !ends(data[i]) {
				i++
			}
		}
		if depth <= 0 {
			return i
		}
	}
	return len(data)
}

func ends(c byte) bool {
	switch c {
	case ',', ':', ']', '}', ' ', '\n', '\t', '\r':
		return true
	}
	return false
}

// skipString is the end of the string whose quote stands at i. A quote ends it if an even number of backslashes stands before.
func skipString(data []byte, i int) int {
	for i++; i < len(data); i++ {
		n := bytes.IndexByte(data[i:], '"')
		if n < 0 {
			break
		}
		from := i
		i += n
		slashes := 0
		for i-slashes > from && data[i-slashes-1] == '\\' {
			slashes++
		}
		if slashes%2 == 0 {
			return i + 1
		}
	}
	return len(data)
}

// text is a string's.
func text(quoted []byte) string {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return string(quoted[1 : len(quoted)-1])
	}
	var s string
	if err := json.Unmarshal(quoted, &s); err != nil {
		panic("jsonparts: a key is no string: " + err.Error()) // the JSON was valid
	}
	return s
}

// Kind names the kind of a JSON value by its first byte.
func Kind(data []byte) string {
	data = bytes.TrimSpace(data)
	if len(data) == 0 {
		return "nothing"
	}
	switch data[0] {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	}
	return "a number"
}
