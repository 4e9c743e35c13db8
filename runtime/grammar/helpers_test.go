package grammar

import (
	"math/rand/v2"
	"strings"
	"sync"

	"github.com/glmc/glmc/runtime/text/tokenizer"
)

// byteVocabulary has a token for each byte, at its number, then some longer ones, markup, and the stop.
var byteVocabulary = sync.OnceValue(func() *Vocabulary {
	var tokens [][]byte
	for b := range 256 {
		tokens = append(tokens, []byte{byte(b)})
	}
	for _, t := range []string{`{"`, `":`, `": `, `", "`, `"}`, `"]`, "}}", "tr", "ue", "\xC3\xA9x", "\xF0\x9F", "ab", "abc", "abcd\"", "  ", "12", `\u`, `\\`, "</", "think", "long plain text", "<arg", "_value>"} {
		tokens = append(tokens, []byte(t))
	}
	var markup []int32
	for _, t := range []string{"<think>", "</think>", "<tool_call>", "</tool_call>", "<arg_key>", "</arg_key>", "<arg_value>", "</arg_value>"} {
		markup = append(markup, int32(len(tokens)))
		tokens = append(tokens, []byte(t))
	}
	tokens = append(tokens, nil, []byte("<stop>"))
	return NewVocabulary(tokens, []int32{int32(len(tokens) - 1)}, markup...)
})

// smallVocabulary is that of the small model.
var smallVocabulary = sync.OnceValues(func() (*Vocabulary, *tokenizer.Tokenizer) {
	t, err := tokenizer.Load("../../models/tiny/tokenizer.json")
	if err != nil {
		panic(err)
	}
	var tokens [][]byte
	var markup []int32
	for id := range int32(4096) {
		text := []byte(t.Bytes(id))
		tokens = append(tokens, text)
		if id >= 4085 {
			markup = append(markup, id)
		} else if id >= 4064 {
			tokens[id] = nil
		}
	}
	return NewVocabulary(tokens, []int32{4064, 4071, 4073}, markup...), t
})

// Schema is the grammar of a schema of which all is enforced, and Regex that of an expression.
func Schema(v *Vocabulary, schema []byte, o Options) (*Grammar, error) {
	return Text(v, SchemaForm(schema, false), o)
}

func Regex(v *Vocabulary, expr string, o Options) (*Grammar, error) {
	return Text(v, RegexForm(expr), o)
}

func JSON(v *Vocabulary, o Options) (*Grammar, error) { return Text(v, JSONForm(), o) }

func has(mask []uint64, id int32) bool { return mask[id/64]>>(id%64)&1 != 0 }

// refusal gives how many bytes of a text a grammar takes, and whether it may end there.
func refusal(g *Grammar, text string) (taken int, done bool) {
	s := g.Start()
	for i := range len(text) {
		if !has(s.Mask(), int32(text[i])) {
			return i, s.Done()
		}
		if err := s.Accept(int32(text[i])); err != nil {
			panic(err)
		}
	}
	return len(text), s.Done()
}

func accepts(g *Grammar, text string) bool {
	n, done := refusal(g, text)
	return n == len(text) && done
}

// write walks through a grammar by random tokens, and to its end when the text is long.
func write(t interface{ Fatalf(string, ...any) }, g *Grammar, random *rand.Rand, long int) string {
	v := g.vocabulary
	s := g.Start()
	var out strings.Builder
	const closing = ">,]}\\\"" // the last ones first
	rank := map[int32]int{}
	for id, b := range v.tokens {
		if len(b) == 1 {
			rank[int32(id)] = strings.IndexByte(closing, b[0]) + 1
		}
		if len(b) > 1 && b[0] == markupByte {
			for _, tag := range []string{keyClose, valueClose, callClose, thinkClose} {
				if n, ok := v.markup[tag]; ok && n == b[1] {
					rank[int32(id)] = len(closing) + 1
				}
			}
		}
	}
	for range 1000 + 10*long {
		mask := s.Mask()
		if s.Done() && (random.IntN(4) == 0 || out.Len() > long) {
			return out.String()
		}
		var allowed []int32
		for id := range int32(v.Size()) {
			if has(mask, id) && v.tokens[id] != nil {
				allowed = append(allowed, id)
			}
		}
		if len(allowed) == 0 {
			if !s.Done() {
				t.Fatalf("a dead end behind %q", out.String())
			}
			return out.String()
		}
		id := allowed[random.IntN(len(allowed))]
		if out.Len() > long && random.IntN(3) > 0 { // what closes is preferred
			for _, c := range allowed {
				if rank[c] > rank[id] {
					id = c
				}
			}
		}
		if err := s.Accept(id); err != nil {
			t.Fatalf("behind %q: a token of the mask: %v", out.String(), err)
		}
		for text, number := range v.markup {
			if b := v.tokens[id]; b[0] == markupByte && b[1] == number && len(b) == 2 {
				out.WriteString(text)
			}
		}
		if v.tokens[id][0] != markupByte {
			out.Write(v.tokens[id])
		}
	}
	t.Fatalf("no end: %.500q", out.String())
	return ""
}
