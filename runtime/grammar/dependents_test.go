package grammar

import "testing"

// TestDependentsAreLeft: where alternatives that others depend on are too many to be compiled, and need not be enforced, all else is.
func TestDependentsAreLeft(t *testing.T) {
	schema := []byte(`{"type":"object","properties":{` + commas(300, `"property_$i":{"type":"integer"}`) + `},"additionalProperties":false,
		"dependentRequired":{` + commas(6, `"property_$i":["property_1$i"]`) + `}}`)
	if _, err := Schema(byteVocabulary(), schema, Options{}); err == nil {
		t.Error("the schema is not too large when all of it has to hold")
	}
	g, err := Text(byteVocabulary(), SchemaForm(schema, true), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]bool{`{"property_0":1}`: true, `{"property_0":1,"property_10":2}`: true, `{"property_0":"a"}`: false, `{"x":1}`: false} {
		if accepts(g, text) != want {
			t.Errorf("%s is taken: %v", text, !want)
		}
	}
	tools := []Tool{{Name: "f", Parameters: schema}, {Name: "g", Parameters: schema}, {Name: "h", Parameters: schema}, {Name: "i", Parameters: schema}}
	if _, err := Calls(byteVocabulary(), tools, CallOptions{Dialect: Hermes}); err != nil {
		t.Error(err)
	}
}
