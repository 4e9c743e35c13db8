package grammar

import (
	"strings"
	"testing"
)

// TestCountedAndDeep: where nesting comes to its limit, an object that needs members takes those that fit, and no others that would leave it too
// few.
func TestCountedAndDeep(t *testing.T) {
	const schema = `{"$ref":"#/$defs/n","$defs":{"n":{"type":"object","properties":{"a":{"$ref":"#/$defs/n"},"b":{"type":"null"},"c":{"type":"null"},"d":{"$ref":"#/$defs/n"}},
		"minProperties":2,"additionalProperties":false}}}`
	g, err := Schema(byteVocabulary(), []byte(schema), Options{})
	if err != nil {
		t.Fatal(err)
	}
	deep := strings.Repeat(`{"a":`, maxNested-1)
	rest := strings.Repeat(`,"b":null}`, maxNested-1)
	for text, want := range map[string]bool{
		deep + `{"b":null,"c":null}` + rest:         true,
		deep + `{"a":`:                              false,
		deep + `{"c":`:                              false, // d does not fit behind it
		deep + `{"b":null,"d":`:                     false,
		strings.Repeat(`{"c":null,"d":`, maxNested): false,
		strings.Repeat(`{"c":null,"d":`, maxNested-1) + `{"b":null,"c":null}` + strings.Repeat(`}`, maxNested-1): true,
	} {
		taken, done := refusal(g, text)
		if whole := taken == len(text); whole != want || want && !done {
			t.Errorf("%.30s...%.40s: %d of %d bytes are taken, done %t", text, text[len(text)-40:], taken, len(text), done)
		}
	}
}

// TestCountedArguments: where arguments are only those that are described, no more of them are asked for, whatever the schema of a tool that is
// not strict says.
func TestCountedArguments(t *testing.T) {
	tool := Tool{Name: "f", Parameters: []byte(`{"type":"object","properties":{"a":{"type":"integer"}},"minProperties":2}`)}
	for _, dialect := range []Dialect{GLM45, GLM47, Hermes} {
		if _, err := Calls(byteVocabulary(), []Tool{tool}, CallOptions{Dialect: dialect}); err != nil {
			t.Errorf("dialect %v: %v", dialect, err)
		}
	}
}

// BenchmarkCountedMembers is the first mask behind a member of an object of which many more may come, and some have to.
func BenchmarkCountedMembers(b *testing.B) {
	schema := `{"type":"object","properties":{` + commas(1000, `"p$i":{"type":"integer"}`) + `},"minProperties":500,"additionalProperties":false}`
	g, err := Schema(largeVocabulary(), []byte(schema), Options{})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		g.machine.forget()
		at(b, g, `{"p1":`).Mask()
	}
}
