package grammar

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

// Taking back tokens leads to where the text was before them, a stop token included.
func TestRollback(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g, err := Schema(byteVocabulary(), []byte(rapid.SampledFrom(everySchema).Draw(t, "schema")), Options{})
		if err != nil {
			t.Fatal(err)
		}
		s := g.Start()
		type seen struct {
			mask []uint64
			done bool
		}
		history := []seen{{s.Mask(), s.Done()}}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			if n := len(history) - 1; n > 0 && rapid.IntRange(0, 3).Draw(t, "back") == 0 {
				n = rapid.IntRange(1, n).Draw(t, "n")
				s.Rollback(n)
				history = history[:len(history)-n]
				last := history[len(history)-1]
				if !slices.Equal(last.mask, s.Mask()) || last.done != s.Done() {
					t.Fatal("a rollback leads elsewhere")
				}
				continue
			}
			var allowed []int32
			for id := range int32(g.vocabulary.Size()) {
				if has(s.Mask(), id) {
					allowed = append(allowed, id)
				}
			}
			if err := s.Accept(rapid.SampledFrom(allowed).Draw(t, "token")); err != nil {
				t.Fatal(err)
			}
			history = append(history, seen{s.Mask(), s.Done()})
		}
	})
}

func TestRefusedTokens(t *testing.T) {
	g, err := JSON(byteVocabulary(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := g.Start()
	for _, id := range []int32{-1, 'x', 0xFF, int32(g.vocabulary.Size()), int32(g.vocabulary.Size()) - 1, 1 << 30} {
		if err := s.Accept(id); !errors.Is(err, ErrRefused) {
			t.Errorf("token %d: %v", id, err)
		}
	}
	if err := s.Accept('{'); err != nil {
		t.Errorf("behind refused tokens: %v", err)
	}
}

// A text with more states than a grammar keeps comes to its end all the same, and so does one that was begun before.
func TestForgetting(t *testing.T) {
	g, err := Schema(byteVocabulary(), []byte(`{"type":"array","items":{"type":"string","minLength":9000,"maxLength":10000}}`), Options{})
	if err != nil {
		t.Fatal(err)
	}
	early := g.Start()
	accept := func(s *State, text string) {
		t.Helper()
		for i := range len(text) {
			if err := s.Accept(int32(text[i])); err != nil {
				t.Fatalf("byte %d: %v", i, err)
			}
		}
	}
	accept(early, `["abc`)
	before := early.Mask()
	generation := g.machine.generation
	late := g.Start()
	accept(late, `["`+strings.Repeat("x", 10_000))
	if late.Accept('x') == nil {
		t.Error("a string is too long")
	}
	accept(late, `"]`)
	if !late.Done() {
		t.Error("not done")
	}
	if g.machine.generation == generation {
		t.Fatal("the test is wrong: nothing was forgotten")
	}
	if !slices.Equal(before, early.Mask()) {
		t.Error("the mask of a place is another one after forgetting")
	}
	accept(early, strings.Repeat("é", 9000)+`"]`)
	late.Rollback(maxHistory)
	accept(late, strings.Repeat("x", maxHistory-2)+`"]`)
}

// Nesting ends at a limit, and what is open there can be closed.
func TestNesting(t *testing.T) {
	g, err := JSON(byteVocabulary(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Repeat(`{"a":[`, maxNested/2)
	if n, _ := refusal(g, text+"["); n != len(text) {
		t.Errorf("%d of %d bytes are taken", n, len(text))
	}
	if whole := text + strings.Repeat(`]}`, maxNested/2); !accepts(g, whole) {
		t.Error("what is open at the limit cannot be closed")
	}
}

// At the limit of nesting, what an object needs still fits: an object is only begun where it does.
func TestNestingOfWhatIsNeeded(t *testing.T) {
	g, err := Schema(byteVocabulary(), []byte(`{"type":"object","properties":{"n":{"$ref":"#"},"l":{"type":"object","properties":{
		"m":{"type":"array","items":{"type":"array"},"minItems":1}},"required":["m"],"additionalProperties":false}},"required":["l"],"additionalProperties":false}`), Options{})
	if err != nil {
		t.Fatal(err)
	}
	n, _ := refusal(g, strings.Repeat(`{"n":`, maxNested))
	deep := n / len(`{"n":`)
	const rest = `"l":{"m":[[]]}}`
	text := strings.Repeat(`{"n":`, deep) + "{" + rest + strings.Repeat(","+rest, deep)
	if deep < maxNested-10 || !accepts(g, text) {
		t.Errorf("%d levels, and the end does not fit", deep)
	}
	if n, _ := refusal(g, strings.Repeat(`{"n":`, deep)+`{"n`); n != len(`{"n":`)*deep+2 {
		t.Error("one level more is begun")
	}
}

// Requests share a grammar, and several write in it at once what each would write alone.
func TestSharedGrammar(t *testing.T) {
	v, _ := smallVocabulary()
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			random := rand.New(rand.NewPCG(uint64(i), 9))
			for range 20 {
				g, err := Schema(v, []byte(toolSchema), Options{})
				if err != nil {
					t.Error(err)
					return
				}
				s := g.Start()
				for range 30 {
					mask := s.Mask()
					id := int32(random.IntN(v.Size()))
					if s.Done() {
						break
					}
					for !has(mask, id) {
						id = (id + 1) % int32(v.Size())
					}
					if err := s.Accept(id); err != nil {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	wait.Wait()
}

// A vocabulary keeps the grammars that were used last, and no more.
func TestCache(t *testing.T) {
	v := NewVocabulary([][]byte{{'a'}, {'"'}}, nil)
	first, err := Regex(v, "a{1}", Options{})
	if err != nil {
		t.Fatal(err)
	}
	for n := 2; n < 3*maxCached; n++ {
		if _, err := Regex(v, "a{"+strings.Repeat("1", n%3+1)+"}"+strings.Repeat("b?", n), Options{}); err != nil {
			t.Fatal(err)
		}
		if again, _ := Regex(v, "a{1}", Options{}); again != first {
			t.Fatal("a grammar that is used is compiled again")
		}
	}
	if n := v.cache.order.Len(); n != maxCached || len(v.cache.known) != n {
		t.Errorf("%d grammars are kept", n)
	}
	if other, _ := Regex(v, "a{1}", Options{Newlines: true}); other == first {
		t.Error("other options give the same grammar")
	}
}
