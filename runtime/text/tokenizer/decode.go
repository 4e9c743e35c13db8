package tokenizer

import "strings"

// Decode returns the text of ids. Bytes that do not form UTF-8 become U+FFFD
// (see the package comment), and ids that the file does not define are left
// out, as in Hugging Face. skipSpecial leaves out special tokens.
func (t *Tokenizer) Decode(ids []int32, skipSpecial bool) string {
	var out strings.Builder
	for _, id := range ids {
		out.WriteString(t.piece(id, skipSpecial))
	}
	return toValid(out.String())
}

// Bytes returns the bytes that id adds to a text, which may be a part of a
// character. They are "" for an id that the file does not define.
func (t *Tokenizer) Bytes(id int32) string { return t.piece(id, false) }

// piece returns the bytes that id adds to a text.
func (t *Tokenizer) piece(id int32, skipSpecial bool) string {
	if !t.known(id) || skipSpecial && t.tokens[id].skipped {
		return ""
	}
	return t.tokens[id].bytes
}

// Stream decodes ids one at a time. It is not safe for concurrent use.
type Stream struct {
	t           *Tokenizer
	skipSpecial bool
	pending     string // a character that has begun: at most 3 bytes
}

// NewStream returns a stream with [Tokenizer.Decode]'s meaning of skipSpecial.
func (t *Tokenizer) NewStream(skipSpecial bool) *Stream {
	return &Stream{t: t, skipSpecial: skipSpecial}
}

// Next returns the text that id completes, which may be empty. Characters are
// never split: bytes that begin one are held back until the character is
// complete or proves invalid. What all calls return, followed by what
// [Stream.Flush] returns, is what Decode returns for the same ids.
func (s *Stream) Next(id int32) string {
	bytes := s.t.piece(id, s.skipSpecial)
	if s.pending != "" {
		bytes = s.pending + bytes
	}
	n := completePrefix(bytes)
	s.pending = bytes[n:]
	return toValid(bytes[:n])
}

// Flush returns the rest of the text, U+FFFD for an unfinished character, and
// makes the stream ready for a new text.
func (s *Stream) Flush() string {
	rest := s.pending
	s.pending = ""
	return toValid(rest)
}
