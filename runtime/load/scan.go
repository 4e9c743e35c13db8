package load

import (
	"encoding/json"
	"errors"
	"strconv"
)

// scanner walks through a JSON text without building values. The load generator looks at every event of hundreds of
// streams, and wants two or three fields of it: encoding/json would make garbage of all the others.
type scanner struct {
	data []byte
	at   int
	err  error
}

var errJSON = errors.New("invalid JSON")

func (s *scanner) space() {
	for s.at < len(s.data) {
		switch s.data[s.at] {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return
		}
	}
}

// take moves behind c where it is next, spaces aside.
func (s *scanner) take(c byte) bool {
	s.space()
	if s.err == nil && s.at < len(s.data) && s.data[s.at] == c {
		s.at++
		return true
	}
	return false
}

func (s *scanner) fail() {
	if s.err == nil {
		s.err = errJSON
	}
}

// key moves to the value of the next member of an object, behind whose brace or previous value the scanner stands. It is
// false at the object's end, which it moves behind. Keys with escapes are given as they are written.
func (s *scanner) key(first bool) ([]byte, bool) {
	if s.take('}') {
		return nil, false
	}
	if !first && !s.take(',') {
		s.fail()
		return nil, false
	}
	s.space()
	name, ok := s.text()
	if !ok || !s.take(':') {
		s.fail()
		return nil, false
	}
	return name, s.err == nil
}

// element moves to the next element of an array, likewise.
func (s *scanner) element(first bool) bool {
	if s.take(']') {
		return false
	}
	if !first && !s.take(',') {
		s.fail()
		return false
	}
	s.space()
	if s.at >= len(s.data) {
		s.fail()
	}
	return s.err == nil
}

// text is a string without its quotes, as it is written. It is false, and the scanner stays, where the next value is none.
func (s *scanner) text() ([]byte, bool) {
	s.space()
	if s.at >= len(s.data) || s.data[s.at] != '"' {
		return nil, false
	}
	for i := s.at + 1; i < len(s.data); i++ {
		switch s.data[i] {
		case '\\':
			i++
		case '"':
			text := s.data[s.at+1 : i]
			s.at = i + 1
			return text, true
		}
	}
	s.fail()
	return nil, false
}

// filled reads a value and reports whether it is a string that is not empty.
func (s *scanner) filled() bool {
	text, ok := s.text()
	if !ok {
		s.skip()
	}
	return len(text) > 0
}

// number reads a value and gives it where it is a whole number, else 0.
func (s *scanner) number() int {
	n, _ := strconv.Atoi(string(s.raw()))
	return n
}

// raw is the next value as it is written.
func (s *scanner) raw() []byte {
	s.space()
	from := s.at
	s.skip()
	if s.err != nil {
		return nil
	}
	return s.data[from:s.at]
}

// skip moves behind a value. Brackets have to match in number, not in kind: what is skipped is not looked at.
func (s *scanner) skip() {
	s.space()
	depth := 0
	for s.at < len(s.data) && s.err == nil {
		switch c := s.data[s.at]; c {
		case '"':
			s.text()
		case '{', '[':
			depth++
			s.at++
		case '}', ']':
			if depth == 0 {
				s.fail()
				return
			}
			depth--
			s.at++
		case ',', ':', ' ', '\t', '\n', '\r':
			if depth == 0 {
				s.fail()
				return
			}
			s.at++
		default:
			s.word()
		}
		if depth == 0 {
			return
		}
	}
	s.fail()
}

// word moves behind a number, true, false or null.
func (s *scanner) word() {
	for s.at < len(s.data) {
		switch s.data[s.at] {
		case ',', ':', ' ', '\t', '\n', '\r', '}', ']', '{', '[', '"':
			return
		}
		s.at++
	}
}

// unquoted is the text of a value for a message: a string without quotes and escapes, anything else as it is written.
func unquoted(raw []byte) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	return string(raw)
}
