package grammar

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/glmc/glmc/runtime/text/tokenizer"
)

// described is a schema with a document that satisfies it, in the order of the schema and without space.
type described struct{ schema, document string }

// drawn compiles a schema that was drawn. A few want more states than a grammar may have, and are no use.
func drawn(t *rapid.T, v *Vocabulary, d described) *Grammar {
	g, err := Schema(v, []byte(d.schema), Options{})
	if err != nil && strings.Contains(err.Error(), "too many states") {
		t.Skip(err)
	}
	if err != nil {
		t.Fatalf("%s: %v", d.schema, err)
	}
	return g
}

// drawSchema draws a schema and a document.
func drawSchema(t *rapid.T, depth int) described {
	kinds := []string{"null", "boolean", "integer", "number", "string", "pattern", "enum", "any", "range", "multiple"}
	if depth > 0 {
		kinds = append(kinds, "object", "array", "set", "tuple", "anyOf", "allOf", "types", "ref")
	}
	switch kind := rapid.SampledFrom(kinds).Draw(t, "kind"); kind {
	case "null":
		return described{`{"type":"null"}`, `null`}
	case "boolean":
		return described{`{"type":"boolean"}`, rapid.SampledFrom([]string{"true", "false"}).Draw(t, "bool")}
	case "integer":
		return described{`{"type":"integer"}`, fmt.Sprint(rapid.Int().Draw(t, "integer"))}
	case "number":
		return described{`{"type":"number"}`, encode(rapid.Float64Range(-1e30, 1e30).Draw(t, "number"))}
	case "range":
		x := rapid.IntRange(-100000, 100000).Draw(t, "x")
		low, high := x-rapid.IntRange(0, 1000).Draw(t, "below"), x+rapid.IntRange(0, 100000).Draw(t, "above")
		if rapid.Bool().Draw(t, "fraction") {
			return described{fmt.Sprintf(`{"type":"number","minimum":%d.0,"exclusiveMaximum":%v}`, low, float64(high)+0.5), fmt.Sprint(float64(x) + 0.25)}
		}
		return described{fmt.Sprintf(`{"type":"integer","minimum":%d,"exclusiveMaximum":%d}`, low, high+1), fmt.Sprint(x)}
	case "multiple":
		m := rapid.IntRange(1, 60).Draw(t, "m")
		return described{fmt.Sprintf(`{"type":"integer","multipleOf":%d}`, m), fmt.Sprint(m * rapid.IntRange(-1000, 1000).Draw(t, "x"))}
	case "string":
		text := drawText(t)
		n := len([]rune(text))
		return described{fmt.Sprintf(`{"type":"string","minLength":%d,"maxLength":%d}`, rapid.IntRange(0, n).Draw(t, "least"), n+rapid.IntRange(0, 3).Draw(t, "more")), encodeString(text)}
	case "pattern":
		p := rapid.SampledFrom(somePatterns).Draw(t, "pattern")
		return described{`{"type":"string","pattern":` + encodeString(p) + `}`, encodeString(rapid.StringMatching(p).Draw(t, "match"))}
	case "enum":
		list := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string { return drawSchema(t, 0).document }), 1, 4).Draw(t, "enum")
		return described{`{"enum":[` + strings.Join(list, ",") + `]}`, list[rapid.IntRange(0, len(list)-1).Draw(t, "which")]}
	case "any":
		return described{rapid.SampledFrom([]string{"{}", "true"}).Draw(t, "any"), drawSchema(t, 0).document}
	case "types":
		d := drawSchema(t, 0)
		return described{`{"anyOf":[{"type":["null","boolean"]},` + d.schema + `]}`, rapid.SampledFrom([]string{"null", d.document}).Draw(t, "null")}
	case "ref":
		d := drawSchema(t, 0)
		return described{`{"type":"array","items":{"anyOf":[{"type":"array","items":` + d.schema + `},` + d.schema + `]}}`, `[` + d.document + `,[` + d.document + `,` + d.document + `]]`}
	case "anyOf":
		d, e := drawSchema(t, depth-1), drawSchema(t, depth-1)
		return described{`{"anyOf":[` + e.schema + `,` + d.schema + `]}`, d.document}
	case "allOf":
		d := drawSchema(t, depth-1)
		return described{`{"description":"x","allOf":[` + d.schema + `,{}]}`, d.document}
	case "array":
		d := drawSchema(t, depth-1)
		n := rapid.IntRange(0, 3).Draw(t, "n")
		items := make([]string, n)
		for i := range items {
			items[i] = d.document
		}
		return described{fmt.Sprintf(`{"type":"array","items":%s,"minItems":%d,"maxItems":%d}`, d.schema, rapid.IntRange(0, n).Draw(t, "least"), n+rapid.IntRange(0, 2).Draw(t, "more")),
			`[` + strings.Join(items, ",") + `]`}
	case "set":
		list := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{`"a"`, `"ab"`, `"b"`, "1", "12", "null", "true"}), 1, 5, func(s string) string { return s }).Draw(t, "values")
		n := rapid.IntRange(0, len(list)).Draw(t, "n")
		return described{fmt.Sprintf(`{"type":"array","items":{"enum":[%s]},"uniqueItems":true,"minItems":%d,"maxItems":%d}`, strings.Join(list, ","),
			rapid.IntRange(0, n).Draw(t, "least"), n+rapid.IntRange(0, 2).Draw(t, "more")), `[` + strings.Join(list[:n], ",") + `]`}
	case "tuple":
		d, e := drawSchema(t, depth-1), drawSchema(t, depth-1)
		return described{`{"type":"array","prefixItems":[` + d.schema + `],"items":` + e.schema + `}`, `[` + d.document + `,` + e.document + `]`}
	default:
		return drawObject(t, depth)
	}
}

func drawObject(t *rapid.T, depth int) described {
	names := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "ab", "b\"", "é", "long name", "x/y", ""}), 0, 4, func(s string) string { return s }).Draw(t, "names")
	var properties, required, members []string
	for _, name := range names {
		d := drawSchema(t, depth-1)
		properties = append(properties, encodeString(name)+":"+d.schema)
		switch rapid.IntRange(0, 2).Draw(t, "required") {
		case 0:
			required = append(required, encodeString(name))
			fallthrough
		case 1:
			members = append(members, encodeString(name)+":"+d.document)
		}
	}
	others := ""
	if rapid.IntRange(0, 2).Draw(t, "bounded") == 0 {
		n := len(members)
		others = fmt.Sprintf(`,"minProperties":%d,"maxProperties":%d`, rapid.IntRange(0, n).Draw(t, "least"), n+rapid.IntRange(1, 3).Draw(t, "most"))
	}
	if n := len(members); n > 1 && rapid.Bool().Draw(t, "dependent") {
		name := func(member string) string { s, _, _ := strings.Cut(member, `:`); return s }
		if a, b := name(members[0]), name(members[n-1]); !strings.Contains(a+b, `\`) {
			others += `,"dependentRequired":{` + a + `:[` + b + `]}`
		}
	}
	switch rapid.IntRange(0, 2).Draw(t, "others") {
	case 0:
		others += `,"additionalProperties":false`
	case 1:
		d := drawSchema(t, depth-1)
		others += `,"additionalProperties":` + d.schema
		members = append(members, `"zz":`+d.document)
	}
	return described{`{"type":"object","properties":{` + strings.Join(properties, ",") + `},"required":[` + strings.Join(required, ",") + `]` + others + `}`,
		`{` + strings.Join(members, ",") + `}`}
}

var somePatterns = []string{`^[a-z]{2,5}$`, `^(foo|bar)+[0-9]*$`, `^\d{3}-\d{4}$`, `^"[^"]*"$`, `^é?[\x{400}-\x{4ff}]+\\?$`, `^(a|b\n)*$`}

func drawText(t *rapid.T) string {
	return rapid.StringOfN(rapid.SampledFrom([]rune("ab\"\\\n\x01é中😀/ \x7f")), 0, 8, -1).Draw(t, "text")
}

func encode(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// acceptSplit has a grammar take a text in tokens that are cut at random.
func acceptSplit(t *rapid.T, g *Grammar, text string) bool {
	v := g.vocabulary
	s := g.Start()
	for at := 0; at < len(text); {
		var fits []int32
		for id, b := range v.tokens {
			if len(b) > 0 && strings.HasPrefix(text[at:], string(b)) {
				fits = append(fits, int32(id))
			}
		}
		id := rapid.SampledFrom(fits).Draw(t, "token")
		if !has(s.Mask(), id) {
			if s.Accept(id) == nil {
				t.Fatalf("%q: token %q is not in the mask behind %q, but taken", text, v.tokens[id], text[:at])
			}
			return false
		}
		if err := s.Accept(id); err != nil {
			t.Fatalf("%q: token %q of the mask is not taken: %v", text, v.tokens[id], err)
		}
		at += len(v.tokens[id])
	}
	return s.Done()
}

// A document that satisfies a schema is taken however it is cut into tokens, and one that does not is not.
func TestDocuments(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, other := drawSchema(t, 3), drawSchema(t, 2)
		check, err := validator(d.schema)
		if err != nil {
			t.Fatalf("%s: %v", d.schema, err)
		}
		if err := valid(check, d.document); err != nil {
			t.Fatalf("the test is wrong: %s: %s: %v", d.schema, d.document, err)
		}
		small, tokens := smallVocabulary()
		g := drawn(t, small, d)
		if !acceptSplit(t, g, d.document) {
			t.Errorf("%s: %s is refused", d.schema, d.document)
		}
		s := g.Start()
		for _, id := range tokens.Encode(d.document, tokenizer.Recognise(tokenizer.AddedNone)) {
			if !has(s.Mask(), id) || s.Accept(id) != nil {
				t.Fatalf("%s: %s is refused as the tokenizer cuts it, at %q", d.schema, d.document, tokens.Bytes(id))
			}
		}
		g = drawn(t, byteVocabulary(), d)
		if !acceptSplit(t, g, d.document) {
			t.Errorf("%s: %s is refused", d.schema, d.document)
		}
		if valid(check, other.document) != nil && acceptSplit(t, g, other.document) {
			t.Errorf("%s: %s is taken", d.schema, other.document)
		}
		if text := damage(t, d.document); valid(check, text) != nil && accepts(g, text) {
			t.Errorf("%s: %q is taken", d.schema, text)
		}
	})
}

// damage changes a byte or two of a document.
func damage(t *rapid.T, text string) string {
	b := []byte(text)
	for range rapid.IntRange(1, 2).Draw(t, "changes") {
		at := rapid.IntRange(0, len(b)).Draw(t, "at")
		with := rapid.SampledFrom([]byte("\"\\{}[],: 0123456789-.eabntu\x80\xC3\n")).Draw(t, "with")
		switch kind := rapid.IntRange(0, 2).Draw(t, "change"); {
		case kind == 0 || at == len(b):
			b = slices.Insert(b, at, with)
		case kind == 1:
			b[at] = with
		default:
			b = slices.Delete(b, at, at+1)
		}
	}
	return string(b)
}

// A mask has exactly the tokens that are taken, at any place, whatever shortcuts the walk takes.
func TestMasks(t *testing.T) {
	small, _ := smallVocabulary()
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.SampledFrom([]*Vocabulary{byteVocabulary(), small}).Draw(t, "vocabulary")
		schema := rapid.SampledFrom(everySchema).Draw(t, "schema")
		o := Options{Thinking: rapid.SampledFrom([]Thinking{NotThinking, Started, MayThink}).Draw(t, "thinking"), Newlines: rapid.Bool().Draw(t, "newlines")}
		g, err := Schema(v, []byte(schema), o)
		if err != nil {
			t.Fatal(err)
		}
		s := g.Start()
		for range rapid.IntRange(0, 20).Draw(t, "steps") {
			mask := s.Mask()
			var allowed []int32
			for id := range int32(v.Size()) {
				if has(mask, id) {
					allowed = append(allowed, id)
				}
				taken := s.Accept(id) == nil
				if taken {
					s.Rollback(1)
				}
				if taken != has(mask, id) {
					t.Fatalf("%s: token %d %q: mask %v, taken %v", schema, id, v.tokens[id], has(mask, id), taken)
				}
			}
			if len(allowed) == 0 {
				t.Fatalf("%s: a dead end", schema)
			}
			if s.ended {
				break
			}
			if err := s.Accept(rapid.SampledFrom(allowed).Draw(t, "token")); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// From wherever random tokens lead, bytes lead to an end.
func TestEnds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawSchema(t, 3)
		g := drawn(t, byteVocabulary(), d)
		s := g.Start()
		for range rapid.IntRange(0, 30).Draw(t, "steps") {
			var allowed []int32
			for id := range int32(g.vocabulary.Size() - 1) {
				if has(s.Mask(), id) {
					allowed = append(allowed, id)
				}
			}
			if len(allowed) == 0 {
				break
			}
			if err := s.Accept(rapid.SampledFrom(allowed).Draw(t, "token")); err != nil {
				t.Fatal(err)
			}
		}
		// A search by breadth over places.
		m := g.machine
		todo, known := []*place{s.at}, map[*place]bool{s.at: true}
		for i := 0; i < len(todo) && !todo[i].end; i++ {
			for _, b := range m.bytes {
				if p := m.step(todo[i], b); p != nowhere && !known[p] && len(todo) < maxKeptStates/2 {
					known[p] = true
					todo = append(todo, p)
				}
			}
			if i == len(todo)-1 {
				t.Fatalf("%s: no end can be reached", d.schema)
			}
		}
	})
}
