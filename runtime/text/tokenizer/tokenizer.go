package tokenizer

import (
	"strings"
	"sync"
)

// Tokenizer is a loaded tokenizer.json. It is safe for concurrent use.
type Tokenizer struct {
	tokens []token          // by id; token.known is false in gaps
	ids    map[string]int32 // by token text

	literal    *matcher // added tokens looked for in the text as given
	normalized *matcher // added tokens looked for after normalization

	nfc    bool
	stages []stage
	model  *bpe
	cache  *wordCache
	merger sync.Pool // of *merger
	shares shares

	prefix, suffix []int32 // what the post-processor puts around the ids
}

// token is one row of the vocabulary.
type token struct {
	text    string // as the file spells it, in the byte-level alphabet
	bytes   string // what it decodes to
	known   bool
	special bool // an added token marked special
	skipped bool // left out by a decoder that skips special tokens
}

// VocabSize returns one more than the largest id, so that every id the
// tokenizer knows or produces is below it. It equals len(tokenizer) of Hugging
// Face where the ids have no gaps. The model's logits may be wider (padding).
func (t *Tokenizer) VocabSize() int { return len(t.tokens) }

// IDToToken returns the token's text as the file spells it: ordinary tokens in
// the byte-level alphabet ("Ġthe" for " the"), added tokens literally. The
// second result is false for an id that the file does not define.
func (t *Tokenizer) IDToToken(id int32) (string, bool) {
	if !t.known(id) {
		return "", false
	}
	return t.tokens[id].text, true
}

// TokenToID is the inverse of [Tokenizer.IDToToken].
func (t *Tokenizer) TokenToID(text string) (int32, bool) {
	id, ok := t.ids[text]
	return id, ok
}

// Special reports whether id is an added token that the file marks special.
func (t *Tokenizer) Special(id int32) bool { return t.known(id) && t.tokens[id].special }

func (t *Tokenizer) known(id int32) bool {
	return id >= 0 && int(id) < len(t.tokens) && t.tokens[id].known
}

// bytesOf returns what an ordinary or added token decodes to. Hugging Face reads
// every token through the byte-level alphabet and falls back to the token's own
// UTF-8 when a character lies outside of it.
func bytesOf(text string) string {
	if b, ok := fromAlphabet(text); ok {
		return b
	}
	return strings.Clone(text)
}
