package grammar

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
)

// largeTokens are 151,552 tokens as GLM's tokenizer has them: all bytes, words in three spellings with and without a space in
// front, Chinese, Cyrillic, pieces of characters, digits, space, and the quotes, brackets and escapes that code and JSON have.
var largeTokens = sync.OnceValue(func() [][]byte {
	const size = 151_552
	random := rand.New(rand.NewPCG(7, 7))
	known := map[string]bool{}
	var out [][]byte
	add := func(text string) {
		if !known[text] && len(out) < size-1 {
			known[text] = true
			out = append(out, []byte(text))
		}
	}
	for b := range 256 {
		add(string([]byte{byte(b)}))
	}
	letters := "eeeeeetttttaaaaooooiiiinnnnsssshhhrrrddllccuummwwffggyyppbvkjxqz"
	word := func(n int) string {
		var w strings.Builder
		for range n {
			w.WriteByte(letters[random.IntN(len(letters))])
		}
		return w.String()
	}
	for n := range 128 {
		add(strings.Repeat(" ", n+1))
		add(strings.Repeat("\n", n%8+1) + strings.Repeat(" ", n/8))
		add(strings.Repeat("-", n+1))
	}
	for n := range 1000 {
		add(fmt.Sprint(n))
		add(fmt.Sprintf("%03d", n))
	}
	marks := []string{`"`, `'`, `{`, `}`, `[`, `]`, `:`, `,`, `\`, `(`, `)`, `;`, `<`, `>`, `/`, `.`, `=`, ` `, "\n", `n`, `t`, `"`, `\"`}
	for range 12_000 {
		var text string
		for range 1 + random.IntN(4) {
			text += marks[random.IntN(len(marks))]
		}
		if random.IntN(4) == 0 {
			text += word(1 + random.IntN(5))
		}
		add(text)
	}
	for range 40_000 { // Chinese, whole and in pieces
		var text string
		for range 1 + random.IntN(3) {
			text += string(rune(0x4E00 + random.IntN(0x5000)))
		}
		if random.IntN(20) == 0 {
			text = text[:len(text)-1-random.IntN(2)]
		}
		add(text)
	}
	for range 8_000 {
		var text string
		for range 2 + random.IntN(5) {
			text += string(rune(0x430 + random.IntN(32)))
		}
		add(text)
	}
	for len(out) < size-1 {
		w := word(2 + random.IntN(9))
		add(w)
		add(" " + w)
		add(strings.ToUpper(w[:1]) + w[1:])
		add(" " + strings.ToUpper(w[:1]) + w[1:])
	}
	return append(out, []byte("<stop>"))
})

var largeVocabulary = sync.OnceValue(func() *Vocabulary {
	t := largeTokens()
	return NewVocabulary(t, []int32{int32(len(t) - 1)})
})

// BenchmarkVocabulary builds the trie of 151,552 tokens.
func BenchmarkVocabulary(b *testing.B) {
	t := largeTokens()
	for b.Loop() {
		NewVocabulary(t, []int32{int32(len(t) - 1)})
	}
}

// toolSchema is what a coding agent's tool looks like.
const toolSchema = `{"type":"object","properties":{
	"path":{"type":"string","description":"file"},"mode":{"type":"string","enum":["read","write","append"]},
	"lines":{"type":"object","properties":{"from":{"type":"integer","minimum":1},"to":{"type":"integer","minimum":1}},"required":["from"],"additionalProperties":false},
	"edits":{"type":"array","items":{"type":"object","properties":{"old":{"type":"string"},"new":{"type":"string"},"all":{"type":"boolean"}},"required":["old","new"]},"minItems":1,"maxItems":100},
	"tags":{"type":"array","items":{"type":"string","maxLength":40,"pattern":"^[a-z][a-z0-9-]*$"}},
	"when":{"type":"string","format":"date-time"},"ratio":{"type":"number","minimum":0,"maximum":1},
	"any":{"anyOf":[{"type":"string","maxLength":100},{"type":"null"},{"type":"array","items":{"type":"number"}}]}},
	"required":["path","mode"],"additionalProperties":false}`

// BenchmarkCompile compiles a tool's schema.
func BenchmarkCompile(b *testing.B) {
	v := NewVocabulary([][]byte{{'a'}}, nil)
	for i := 0; b.Loop(); i++ {
		v.cache = cache{}
		if _, err := Schema(v, []byte(toolSchema), Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

// places are texts behind which masks are measured.
var benchPlaces = []struct{ name, text string }{
	{"start", ``},
	{"key", `{"`},
	{"string", `{"path":"ab`},
	{"escape", `{"path":"ab\`},
	{"character", "{\"path\":\"ab\xE4"},
	{"enum", `{"path":"ab","mode":"`},
	{"comma", `{"path":"ab","mode":"read",`},
	{"pattern", `{"path":"ab","mode":"read","tags":["a`},
	{"date", `{"path":"ab","mode":"read","when":"2024-`},
	{"number", `{"path":"ab","mode":"read","ratio":0.1`},
	{"counted", `{"path":"ab","mode":"read","any":"x`},
}

func at(b *testing.B, g *Grammar, text string) *State {
	s := g.Start()
	for i := range len(text) {
		if err := s.Accept(int32(text[i])); err != nil {
			b.Fatalf("behind %q: %v", text[:i], err)
		}
	}
	return s
}

// BenchmarkMask measures masks over 151,552 tokens: kept ones, those of a state that is new in a grammar that is known, and the
// first of a grammar.
func BenchmarkMask(b *testing.B) {
	v := largeVocabulary()
	g, err := Schema(v, []byte(toolSchema), Options{})
	if err != nil {
		b.Fatal(err)
	}
	for _, p := range benchPlaces {
		s := at(b, g, p.text)
		b.Run("kept/"+p.name, func(b *testing.B) {
			for b.Loop() {
				s.Mask()
			}
		})
		b.Run("new/"+p.name, func(b *testing.B) {
			for b.Loop() {
				g.walk(s.at)
			}
		})
		b.Run("first/"+p.name, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				g.machine.mu.Lock()
				g.machine.forget()
				g.machine.mu.Unlock()
				s := at(b, g, p.text)
				b.StartTimer()
				s.Mask()
			}
		})
	}
}

// BenchmarkAccept measures a token inside of a string.
func BenchmarkAccept(b *testing.B) {
	g, err := Schema(largeVocabulary(), []byte(toolSchema), Options{})
	if err != nil {
		b.Fatal(err)
	}
	s := at(b, g, `{"path":"ab`)
	for b.Loop() {
		if err := s.Accept('x'); err != nil {
			b.Fatal(err)
		}
		s.Mask()
		s.Rollback(1)
	}
}
