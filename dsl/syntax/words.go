package syntax

import (
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/glmc/glmc/dsl/diag"
)

// WordKind says what a word of a source file is.
type WordKind int

const (
	WordName    WordKind = iota // a name, or a word of the grammar that is a name elsewhere
	WordKeyword                 // a reserved word
	WordNumber                  // an int or a float, well-formed or not
	WordString                  // with its quotes; the closing one may be missing
	WordComment
	WordSign // punctuation, operators, and characters without a meaning
)

// Word is a token of a source file, for tools that have to make sense of text that does not parse.
type Word struct {
	Kind WordKind
	Text string // as it stands in the file
	Pos  Pos
}

// End is the offset behind the word.
func (w Word) End() int { return w.Pos.Offset + len(w.Text) }

// Words cuts a file into tokens, without the white space between them. Nothing is reported, and no text is refused:
// every byte that is not white space lies in exactly one word.
func Words(name string, src []byte) []Word {
	list := scan(name, string(src), &diag.List{})
	words := make([]Word, 0, len(list)/2)
	for _, t := range list {
		if t.Type == lexer.EOF {
			break
		}
		// What mend takes for white space is not: the text itself says what it is.
		switch kind, _ := cut(t.Value); kind {
		case tokSpace:
		case tokIdent:
			words = append(words, Word{WordName, t.Value, t.Pos})
		case tokKeyword:
			words = append(words, Word{WordKeyword, t.Value, t.Pos})
		case tokInt, tokFloat, tokBadNumber:
			words = append(words, Word{WordNumber, t.Value, t.Pos})
		case tokString, tokUnclosedString:
			words = append(words, Word{WordString, t.Value, t.Pos})
		case tokComment, tokUnclosedComment:
			words = append(words, Word{WordComment, t.Value, t.Pos})
		default:
			words = append(words, Word{WordSign, t.Value, t.Pos})
		}
	}
	return words
}
