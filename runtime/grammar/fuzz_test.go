package grammar

import (
	"errors"
	"hash/fnv"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// seeded gives random numbers that follow from an input.
func seeded(data string) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(data))
	return rand.New(rand.NewPCG(h.Sum64(), 1))
}

// FuzzSchema compiles anything. What compiles is written by random tokens, and a library of its own mind has to find the text
// valid.
func FuzzSchema(f *testing.F) {
	for _, s := range everySchema {
		f.Add([]byte(s))
	}
	f.Add([]byte(toolSchema))
	f.Add([]byte(`{"type":["string","null"],"enum":["a",null,1],"oneOf":[{"const":"a"},{"const":null}]}`))
	f.Add([]byte(`{"items":{"$ref":"#"},"maxItems":2,"type":"array","minLength":3,"exclusiveMinimum":-1e3,"multipleOf":0.5}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		g, err := Schema(byteVocabulary(), data, Options{})
		if err != nil {
			if e := new(Error); !errors.As(err, &e) {
				t.Fatalf("%v is no *Error", err)
			}
			return
		}
		check, err := validator(string(data))
		for range 3 {
			text, ended := wander(t, g, seeded(string(data)), 400)
			if !prefixOfJSON(text) {
				t.Fatalf("%s\nwrote %s, which is not the beginning of JSON", data, text)
			}
			if !ended || err != nil {
				continue
			}
			if err := valid(check, text); err != nil {
				t.Fatalf("%s\nwrote %s\n%v", data, text, err)
			}
		}
	})
}

// FuzzRegex compiles any expression, and Go's has to match what is written.
func FuzzRegex(f *testing.F) {
	for _, p := range somePatterns {
		f.Add(p)
	}
	for _, form := range formats {
		f.Add(form)
	}
	f.Add(`(?i)straße|[^\pL]{2,3}?\x{10FFFF}`)
	f.Add(`^a|b$|(^c$)+`)
	f.Fuzz(func(t *testing.T, expr string) {
		if strings.Contains(expr, `\u`) {
			return
		}
		g, err := Regex(byteVocabulary(), expr, Options{})
		if err != nil {
			if e := new(Error); !errors.As(err, &e) {
				t.Fatalf("%v is no *Error", err)
			}
			return
		}
		re := regexp.MustCompile(`^(?:` + expr + `)$`)
		text, ended := wander(t, g, seeded(expr), 200)
		if ended && (!re.MatchString(text) || !utf8.ValidString(text)) {
			t.Fatalf("%q\nwrote %q", expr, text)
		}
	})
}

// FuzzCalls compiles any schema as that of a tool, in all dialects, and writes calls.
func FuzzCalls(f *testing.F) {
	for i, s := range everySchema {
		f.Add([]byte(s), uint8(i))
	}
	for i := range uint8(8) {
		f.Add([]byte(toolSchema), i)
	}
	f.Fuzz(func(t *testing.T, data []byte, kind uint8) {
		o := CallOptions{Dialect: Dialect(kind % 3), Single: kind&4 != 0, Optional: kind&8 != 0}
		g, err := Calls(byteVocabulary(), []Tool{{Name: "f", Parameters: data, Strict: kind&16 != 0}}, o)
		if err != nil {
			if e := new(Error); !errors.As(err, &e) {
				t.Fatalf("%v is no *Error", err)
			}
			return
		}
		if text, _ := wander(t, g, seeded(string(data)), 400); !utf8.ValidString(text) {
			t.Fatalf("wrote %q", text)
		}
	})
}

// wander writes at most n random tokens, a whole character at the end, and says whether the text may end there.
func wander(t *testing.T, g *Grammar, random *rand.Rand, n int) (string, bool) {
	s := g.Start()
	var out strings.Builder
	for i := 0; i < n || !utf8.ValidString(out.String()); i++ {
		if s.Done() && random.IntN(8) == 0 {
			return out.String(), true
		}
		mask := s.Mask()
		var allowed []int32
		for id := range int32(256) {
			if has(mask, id) {
				allowed = append(allowed, id)
				if strings.IndexByte("\"}],", byte(id)) >= 0 { // closing is likelier
					allowed = append(allowed, id, id, id, id, id, id, id, id)
				}
			}
		}
		if len(allowed) == 0 {
			if !s.Done() {
				t.Fatalf("a dead end behind %q", out.String())
			}
			return out.String(), true
		}
		id := allowed[random.IntN(len(allowed))]
		if err := s.Accept(id); err != nil {
			t.Fatal(err)
		}
		out.WriteByte(byte(id))
	}
	return out.String(), s.Done()
}
