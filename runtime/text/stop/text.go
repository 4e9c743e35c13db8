package stop

// Decoder turns tokens into text that never ends within a character, and holds the beginning of one back. tokenizer.Stream is one.
type Decoder interface {
	Next(id int32) string
	Flush() string
}

// Text is the text of the tokens of one output, up to a stop string. Whoever ends the output and whoever shows it may each have their
// own: they come to the same end. It is not safe for concurrent use.
type Text struct {
	decoder Decoder
	matcher *Matcher
	left    int // tokens that have to be before a stop string may end
}

// NewText returns a text at its beginning. A stop string counts if its last character is that of a token behind the first minTokens
// ones, as in vLLM; it may begin before.
func (s *Set) NewText(d Decoder, o Options, minTokens int) *Text {
	return &Text{decoder: d, matcher: s.Matcher(o), left: minTokens}
}

// Next takes a token and returns the text that is certain by it, which may be empty, and whether a stop string ended the text.
func (t *Text) Next(id int32) (text string, stopped bool) {
	piece := t.decoder.Next(id)
	if t.left > 0 {
		t.left--
		return t.matcher.Pass(piece), t.matcher.found >= 0
	}
	return t.matcher.Write(piece)
}

// Until is Next for who wants to know the end only.
func (t *Text) Until(id int32) bool {
	_, stopped := t.Next(id)
	return stopped
}

// Close ends the text and returns the rest of it: what may have been the beginning of a stop string, and a character that is incomplete.
func (t *Text) Close() string {
	rest := t.matcher.Pass(t.decoder.Flush())
	return rest + t.matcher.Close()
}

// Found is the stop string that ended the text, "" where none did.
func (t *Text) Found() string { return t.matcher.Found() }
