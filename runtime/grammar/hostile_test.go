package grammar

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
)

// chain is a schema of definitions that each refer to the next.
func chain(n int, each string) string {
	var defs []string
	for i := range n {
		defs = append(defs, fmt.Sprintf(`"d%d":`+strings.ReplaceAll(each, "$next", `{"$ref":"#/$defs/d%[2]d"}`), i, i+1))
	}
	return `{"$ref":"#/$defs/d0","$defs":{` + strings.Join(defs, ",") + fmt.Sprintf(`,"d%d":{"type":"null"}}}`, n)
}

func commas(n int, each string) string {
	items := make([]string, n)
	for i := range items {
		items[i] = strings.ReplaceAll(each, "$i", fmt.Sprint(i))
	}
	return strings.Join(items, ",")
}

// What would take too much is refused, and nothing takes long or much memory.
func TestHostileSchemas(t *testing.T) {
	pattern := func(p string) string { return `{"type":"string","pattern":` + encodeString(p) + `}` }
	tests := []struct {
		name, schema string
		path         string // of the error; "-": none; "*": any
	}{
		{"no JSON", `{`, ""},
		{"nothing", ``, ""},
		{"more", `{} {}`, ""},
		{"no schema", `[]`, ""},
		{"deep", strings.Repeat(`{"items":`, 10_000), strings.Repeat("/items", MaxDepth+1)},
		{"deep list", strings.Repeat(`[`, 100_000), strings.Repeat("/0", MaxDepth+1)},
		{"long", `{"description":"` + strings.Repeat("x", MaxSource) + `"}`, ""},
		{"twice", `{"type":"null","type":"null"}`, "/type"},
		{"type", `{"properties":{"a/b":{"type":"int"}}}`, "/properties/a~1b/type"},
		{"not", `{"anyOf":[{"type":"null"},{"not":{}}]}`, "/anyOf/1/not"},
		{"unique", `{"type":"array","uniqueItems":true}`, "/uniqueItems"},
		{"unique beside a tuple", `{"type":"array","prefixItems":[{}],"items":{"enum":[1,2]},"uniqueItems":true}`, "/uniqueItems"},
		{"many unique", `{"type":"array","items":{"enum":[` + commas(33, "$i") + `]},"uniqueItems":true}`, "/uniqueItems"},
		{"much unique", `{"type":"array","items":{"enum":[` + commas(32, `"$i"`) + `]},"uniqueItems":true,"minItems":20}`, "-"},
		{"no count of members", `{"type":"object","minProperties":"1"}`, "/minProperties"},
		{"more members than are described", `{"type":"object","properties":{"a":{}},"minProperties":3}`, "/minProperties"},
		{"endless members", `{"type":"object","maxProperties":1e400,"minProperties":1}`, "/maxProperties"},
		{"thousand counted properties", `{"type":"object","properties":{` + commas(1000, `"p$i":{}`) + `},"minProperties":500,"maxProperties":600}`, "-"},
		{"many dependents", `{"type":"object","dependentRequired":{` + commas(7, `"p$i":["q"]`) + `}}`, "/dependentRequired"},
		{"some dependents", `{"type":"object","dependentRequired":{` + commas(6, `"p$i":["q$i"]`) + `}}`, "-"},
		{"bomb of dependents", `{"allOf":[` + commas(9, `{"dependentRequired":{"p$i":["q"]}}`) + `]}`, ""},
		{"dependent on itself", `{"dependentSchemas":{"a":{"$ref":"#"}}}`, ""},
		{"what depends is no list", `{"dependentRequired":{"a":true}}`, "/dependentRequired/a"},
		{"not unique", `{"type":"array","uniqueItems":false,"unevaluatedItems":true}`, "-"},
		{"contains", `{"type":"array","contains":true}`, "/contains"},
		{"overlap", `{"oneOf":[{"type":"integer"},{"type":"number"}]}`, "/oneOf/1"},
		{"empty", `{"type":"string","enum":[1]}`, ""},
		{"impossible", `{"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"]}`, ""},
		{"elsewhere", `{"$ref":"https://example.com/schema"}`, "/$ref"},
		{"file", `{"properties":{"a":{"$ref":"file:///etc/passwd"}}}`, "/properties/a/$ref"},
		{"nowhere", `{"$ref":"#/$defs/x"}`, "/$ref"},
		{"itself", `{"$ref":"#"}`, ""},
		{"each other", `{"$ref":"#/$defs/a","$defs":{"a":{"allOf":[{"$ref":"#/$defs/b"}]},"b":{"anyOf":[{"$ref":"#/$defs/a"}]}}}`, "/$defs/a"},
		{"bomb of allOf", chain(60, `{"allOf":[$next,$next,$next]}`), "-"},
		{"bomb of anyOf", chain(60, `{"anyOf":[$next,$next,$next]}`), ""},
		{"bomb of both", `{"allOf":[` + commas(30, `{"anyOf":[{"minLength":1},{"maxLength":$i}]}`) + `]}`, ""},
		{"bomb that dies", `{"allOf":[` + commas(30, `{"anyOf":[{"minLength":1},{"maxLength":$i}]}`) + `,false]}`, "*"},
		{"bomb of properties", chain(60, `{"type":"object","properties":{"a":$next,"b":$next}}`), "-"},
		{"bomb of merges", chain(40, `{"allOf":[{"properties":{"a":$next}},{"properties":{"a":{"allOf":[$next,{"title":"x"}]}}}]}`), "-"},
		{"many properties", `{"properties":{` + commas(1001, `"p$i":{}`) + `}}`, ""},
		{"thousand properties", `{"type":"object","properties":{` + commas(1000, `"p$i":{}`) + `}}`, "-"},
		{"much required", `{"required":[` + commas(5000, `"p$i"`) + `]}`, "/required"},
		{"many objects", `{"allOf":[` + commas(900, `{"required":["p$i"],"properties":{"q$i":{}}}`) + `]}`, ""},
		{"large enum", `{"enum":[` + commas(15000, `"a long value number $i"`) + `]}`, ""},
		{"enum", `{"enum":[` + commas(5000, `"value $i"`) + `]}`, "-"},
		{"many alternatives", `{"anyOf":[` + commas(1000, `{"const":$i}`) + `]}`, ""},
		{"many exclusive", `{"oneOf":[` + commas(1000, `{"const":$i}`) + `]}`, "/oneOf/0"},
		{"long array", `{"type":"array","minItems":1000000000000,"maxItems":1e400}`, "/maxItems"},
		{"long string", `{"type":"string","minLength":1000000000000,"maxLength":9000000000000000000}`, "-"},
		{"negative", `{"type":"string","minLength":-1}`, "/minLength"},
		{"large number", `{"type":"integer","minimum":1e999999999999999999999,"maximum":-1e-999}`, ""},
		{"long multiple", `{"multipleOf":` + strings.Repeat("7", 100_000) + `}`, "/multipleOf"},
		{"long number", `{"type":"number","minimum":` + strings.Repeat("7", 100_000) + `}`, "/minimum"},
		{"no multiple", `{"type":"integer","multipleOf":0}`, "/multipleOf"},
		{"small multiple", `{"type":"number","multipleOf":1e-300}`, "/multipleOf"},
		{"exclusive bomb", `{"oneOf":[` + commas(200, `{"allOf":[{"allOf":[{"allOf":[{"const":$i},{},{},{},{},{}]},{},{},{},{},{}]},{},{},{},{},{}]}`) + `]}`, "-"},
		{"exponential states", pattern(`a.{30}$`), "/pattern"},
		{"repeats", pattern(`((a{100}){100}){100}`), "/pattern"},
		{"unicode repeats", pattern(`^[\p{L}\p{N}]{1000}$`), "/pattern"},
		{"unicode", pattern(`^[\p{L}\p{N}]{0,40}$`), "-"},
		{"optional repeats", pattern(`^(a?){500}a{500}$`), "-"},
		{"long pattern", pattern(strings.Repeat("a", MaxRegex+1)), "/pattern"},
		{"lookahead", pattern(`^(?=a)`), "/pattern"},
		{"back reference", pattern(`(a)\1`), "/pattern"},
		{"no pattern", pattern(`(`), "/pattern"},
		{"word", pattern(`\bfoo\b`), "/pattern"},
		{"nested stars", pattern(`^((((a*)*)*)*)*$`), "-"},
		{"many patterns", `{"allOf":[` + commas(50, `{"pattern":"[a-f]{1$i}[g-z]"}`) + `]}`, "*"},
		{"nothing matches", `{"type":"string","allOf":[{"pattern":"^a$"},{"pattern":"^b$"}]}`, ""},
		{"pattern and length", `{"type":"string","pattern":"^[^x]*$","maxLength":1000000}`, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			begin := time.Now()
			_, err := Schema(byteVocabulary(), []byte(test.schema), Options{})
			runtime.ReadMemStats(&after)
			t.Logf("%v, %d MB: %.200v", time.Since(begin).Round(time.Millisecond), (after.TotalAlloc-before.TotalAlloc)>>20, err)
			var e *Error
			switch {
			case test.path == "-":
				if err != nil {
					t.Error(err)
				}
			case !errors.As(err, &e):
				t.Errorf("%v is no *Error", err)
			case e.Path != test.path && test.path != "*":
				t.Errorf("the error is at %q: %v", e.Path, err)
			}
			if mb := (after.TotalAlloc - before.TotalAlloc) >> 20; mb > 300 {
				t.Errorf("%d MB were allocated", mb)
			}
		})
	}
}

// ambiguous are schemas whose alternatives stay open for long: the places that a text can be in multiply.
var ambiguous = []struct{ name, schema, text string }{
	{"nested", `{"$ref":"#/$defs/a","$defs":{"a":{"anyOf":[{"type":"array","items":{"$ref":"#/$defs/a"},"maxItems":9},
		{"type":"array","items":{"$ref":"#/$defs/a"},"maxItems":8},{"type":"string","maxLength":50},{"type":"string","pattern":"^[a-z ]*[0-9]{3}"}]}}}`, `[[[[[[[[[[[["ab",`},
	{"objects", `{"anyOf":[` + commas(250, `{"type":"object","properties":{"k$i":{"type":"string","maxLength":$i}},"additionalProperties":{"type":"string","minLength":2$i}}`) + `]}`, `{"kx":"abc`},
	{"patterns", `{"anyOf":[` + commas(120, `{"type":"string","pattern":"^[^a]*[a-f]{1,3}.*$i"}`) + `]}`, `"ab`},
}

// Masks of schemas that stay ambiguous are found within a bound, and have what leads to the end all the same.
func TestHostileMasks(t *testing.T) {
	v := largeVocabulary()
	for _, test := range ambiguous {
		t.Run(test.name, func(t *testing.T) {
			g, err := Schema(v, []byte(test.schema), Options{})
			if err != nil {
				t.Fatal(err)
			}
			s := g.Start()
			for i := range len(test.text) + 1 {
				mask := s.Mask()
				// One byte more may be looked at with each of the bytes.
				if cost := g.machine.cost; cost > maxWalk+300*maxPlaces {
					t.Errorf("the mask behind %q costs %d steps", test.text[:i], cost)
				}
				for id := range int32(256) {
					taken := s.Accept(id) == nil
					if taken {
						s.Rollback(1)
					}
					if taken != has(mask, id) {
						t.Errorf("behind %q: byte %q: mask %v, taken %v", test.text[:i], byte(id), has(mask, id), taken)
					}
				}
				if i < len(test.text) {
					if err := s.Accept(int32(test.text[i])); err != nil {
						t.Fatalf("behind %q: %v", test.text[:i], err)
					}
				}
			}
		})
	}
}

// A request that goes on for long in such a schema holds little memory, however often the grammar forgets.
func TestHostileMemory(t *testing.T) {
	g, err := Schema(byteVocabulary(), []byte(ambiguous[0].schema), Options{})
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	s := g.Start()
	text := strings.Repeat("[", 40) + strings.Repeat(`"ab 123",[[],["x"]],`, 60)
	for i := range len(text) {
		if s.Accept(int32(text[i])) != nil {
			if i < 60 {
				t.Fatalf("byte %d is refused", i)
			}
			break
		}
		s.Mask()
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	t.Logf("%d generations, %d MB", g.machine.generation, int64(after.HeapAlloc-before.HeapAlloc)>>20)
	if int64(after.HeapAlloc)-int64(before.HeapAlloc) > 100<<20 {
		t.Errorf("%d MB are held", (after.HeapAlloc-before.HeapAlloc)>>20)
	}
	runtime.KeepAlive(s)
}
