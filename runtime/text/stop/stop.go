// Package stop ends a text at stop strings, while it is being written.
//
// The text ends at the stop string that is complete first, so that it is the same whether the text comes byte by byte or at once. Of
// several that are complete at the same byte, one that the other ends in, the one named first counts. This is what vLLM does since
// its pull request 49391; OpenAI does not say what its servers do. Without [Options].Keep the text is cut off where the stop string
// begins, as both do.
//
// A stop string is found wherever it stands, across tokens and writes. The time is linear in the text, whatever the strings are (Aho and
// Corasick, Efficient string matching, 1975).
package stop

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// Bounds of what [Compile] takes. OpenAI takes 4 strings, vLLM any number.
const (
	MaxStrings = 128
	MaxBytes   = 64 << 10 // of all strings together
)

// Errors of [Compile].
var (
	ErrEmpty = errors.New("a stop string is empty: it would end every text before it began")
	ErrMany  = fmt.Errorf("more than %d stop strings", MaxStrings)
	ErrLong  = fmt.Errorf("stop strings of more than %d bytes together", MaxBytes)
)

// Set is stop strings, made ready to be looked for. It is immutable, and nil is one without strings.
type Set struct {
	strings []string
	nodes   []node // the first one is the empty beginning
	first   [256]int32
}

// node is a beginning of a stop string, or all of it. The text up to now ends in it, and in no longer one.
type node struct {
	text  string // the beginning
	edges []edge // by rising byte
	fall  int32  // the longest other beginning in which it ends
	ends  int32  // the first string that it ends in, -1: none
}

// edge leads to the beginning that is a byte longer.
type edge struct {
	by byte
	to int32
}

// Compile makes a set. Its errors are ErrEmpty, ErrMany and ErrLong; no strings make a nil set.
func Compile(strings []string) (*Set, error) {
	total := 0
	for _, s := range strings {
		if s == "" {
			return nil, ErrEmpty
		}
		total += len(s)
	}
	switch {
	case len(strings) == 0:
		return nil, nil
	case len(strings) > MaxStrings:
		return nil, ErrMany
	case total > MaxBytes:
		return nil, ErrLong
	}
	s := &Set{strings: slices.Clone(strings), nodes: append(make([]node, 0, total+1), node{ends: -1})}
	for i, text := range s.strings {
		s.add(int32(i), text)
	}
	s.link()
	return s, nil
}

// add makes nodes for all beginnings of a string.
func (s *Set) add(number int32, text string) {
	at := int32(0)
	for i := range len(text) {
		edges := s.nodes[at].edges
		place, ok := find(edges, text[i])
		if !ok {
			to := int32(len(s.nodes))
			s.nodes[at].edges = slices.Insert(edges, place, edge{text[i], to})
			s.nodes = append(s.nodes, node{text: text[:i+1], ends: -1})
			at = to
			continue
		}
		at = edges[place].to
	}
	if s.nodes[at].ends < 0 {
		s.nodes[at].ends = number
	}
}

func find(edges []edge, by byte) (place int, ok bool) {
	return slices.BinarySearchFunc(edges, by, func(e edge, by byte) int { return cmp.Compare(e.by, by) })
}

// link says for every beginning which shorter one it ends in, those of the shorter ones first.
func (s *Set) link() {
	queue := []int32{0}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		for _, e := range s.nodes[at].edges {
			to := &s.nodes[e.to]
			if at == 0 {
				s.first[e.by] = e.to
			} else {
				to.fall = s.next(s.nodes[at].fall, e.by)
			}
			if other := s.nodes[to.fall].ends; to.ends < 0 || other >= 0 && other < to.ends {
				to.ends = other
			}
			queue = append(queue, e.to)
		}
	}
}

// next is the beginning that the text ends in behind one byte more.
func (s *Set) next(at int32, by byte) int32 {
	for at != 0 {
		if place, ok := find(s.nodes[at].edges, by); ok {
			return s.nodes[at].edges[place].to
		}
		at = s.nodes[at].fall
	}
	return s.first[by]
}

// Options say what becomes of a text at its end.
type Options struct {
	Keep bool // the stop string is the end of the text, and not cut off
}

// Matcher reads one text. It is not safe for concurrent use.
type Matcher struct {
	set   *Set
	keep  bool
	at    int32
	found int32 // the string that ended the text, -1: none did
}

// Matcher returns a matcher at the beginning of a text.
func (s *Set) Matcher(o Options) *Matcher {
	return &Matcher{set: s, keep: o.Keep, found: -1}
}

// Write takes the next part of the text. It returns what is certain now: with what was held back before, without an end that may be the
// beginning of a stop string. Behind a stop string there is nothing more.
func (m *Matcher) Write(text string) (out string, stopped bool) { return m.write(text, false) }

// Pass is Write for a part in which no stop string may end, though one may begin: that of tokens that have to be.
func (m *Matcher) Pass(text string) string {
	out, _ := m.write(text, true)
	return out
}

func (m *Matcher) write(text string, pass bool) (out string, stopped bool) {
	switch {
	case m.found >= 0:
		return "", true
	case m.set == nil:
		return text, false
	}
	s := m.set
	held := m.held()
	for i := range len(text) {
		m.at = s.next(m.at, text[i])
		if found := s.nodes[m.at].ends; found >= 0 && !pass {
			m.found = found
			if m.keep {
				return text[:i+1], true
			}
			return joined(held, text, len(held)+i+1-len(s.strings[found])), true
		}
	}
	for pass && m.at != 0 && len(s.nodes[m.at].edges) == 0 { // a whole stop string that was passed over begins no other
		m.at = s.nodes[m.at].fall
	}
	if m.keep {
		return text, false
	}
	return joined(held, text, len(held)+len(text)-len(m.held())), false
}

// held is the text that is held back: the beginning of a stop string.
func (m *Matcher) held() string {
	if m.set == nil || m.keep || m.found >= 0 {
		return ""
	}
	return m.set.nodes[m.at].text
}

// joined is the first n bytes of a+b.
func joined(a, b string, n int) string {
	switch {
	case n <= len(a):
		return a[:n]
	case a == "":
		return b[:n]
	}
	return a + b[:n-len(a)]
}

// Found is the stop string that ended the text, "" where none did.
func (m *Matcher) Found() string {
	if m.found < 0 {
		return ""
	}
	return m.set.strings[m.found]
}

// Close ends the text and returns what was held back.
func (m *Matcher) Close() string {
	rest := m.held()
	m.at = 0
	return rest
}
