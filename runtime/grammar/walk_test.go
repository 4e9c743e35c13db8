package grammar

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// refuseAll is a loader of schemas that fetches nothing.
type refuseAll struct{}

func (refuseAll) Load(url string) (any, error) { return nil, fmt.Errorf("not fetched: %s", url) }

// validator compiles a schema with a library of its own mind.
func validator(schema string) (*jsonschema.Schema, error) {
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(schema))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(refuseAll{})
	c.AssertFormat()
	if err := c.AddResource("mem:///schema.json", doc); err != nil {
		return nil, err
	}
	return c.Compile("mem:///schema.json")
}

func valid(s *jsonschema.Schema, text string) error {
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return err
	}
	return s.Validate(doc)
}

// prefixOfJSON says whether a text is the beginning of valid JSON.
func prefixOfJSON(text string) bool {
	d := json.NewDecoder(strings.NewReader(text))
	for {
		if _, err := d.Token(); err != nil {
			var syntax *json.SyntaxError
			return !errors.As(err, &syntax) || syntax.Offset >= int64(len(text))
		}
	}
}

// everySchema are schemas that between them have all that is supported.
var everySchema = []string{
	`{}`,
	`{"type":"object"}`,
	`{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"string"},"c":{}},"required":["b"],"additionalProperties":false}`,
	`{"type":"object","properties":{"a":{"type":"integer"},"ab":{}},"additionalProperties":{"type":"boolean"},"required":["q"]}`,
	`{"type":"string","minLength":2,"maxLength":30}`,
	`{"type":"array","items":{"type":"string","minLength":70,"maxLength":200}}`,
	`{"type":"string","pattern":"^[a-cé]+\\d{2}$","maxLength":20}`,
	`{"type":"string","pattern":"^x?b[\"\\\\\\n]c"}`,
	`{"type":"integer","minimum":-5,"maximum":120,"multipleOf":3}`,
	`{"type":"number","minimum":-0.25,"exclusiveMaximum":17.5}`,
	`{"type":"number","exclusiveMinimum":0,"multipleOf":0.01,"maximum":1000}`,
	`{"type":"array","items":{"type":["integer","null"]},"minItems":1,"maxItems":4}`,
	`{"type":"array","prefixItems":[{"type":"integer"},{"enum":["x","yy",{"z":[1]}]}],"items":{"type":"boolean"}}`,
	`{"anyOf":[{"type":"object","properties":{"k":{"const":1}},"required":["k"]},{"type":"object","properties":{"k":{"const":12}},"required":["k"],"additionalProperties":false},{"type":"null"}]}`,
	`{"oneOf":[{"type":"object","properties":{"k":{"const":"a"}},"required":["k"]},{"type":"object","properties":{"k":{"const":"b"},"x":{"type":"number"}},"required":["k"]},{"type":"string"}]}`,
	`{"allOf":[{"type":"object","properties":{"a":{"type":"number"}},"required":["a"]},{"properties":{"a":{"type":["integer","string"]},"b":{"maxLength":4}},"additionalProperties":false}]}`,
	`{"$ref":"#/$defs/node","$defs":{"node":{"type":"object","properties":{"v":{"type":"integer"},"next":{"$ref":"#/$defs/node"},"kids":{"type":"array","items":{"$ref":"#/$defs/node"}}},"required":["v"],"additionalProperties":false}}}`,
	`{"type":"object","properties":{"x1":{"type":"null"}},"patternProperties":{"^x":{"type":["integer","null"]},"1$":{"type":["null","string"]}},"propertyNames":{"maxLength":5}}`,
	`{"$ref":"#/$defs/n","$defs":{"n":{"type":"object","properties":{"a":{"$ref":"#/$defs/n"},"b":{"type":"null"},"c":{"$ref":"#/$defs/n"}},"minProperties":1,"maxProperties":2,"additionalProperties":false}}}`,
	`{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"string"}},"minProperties":2,"maxProperties":4,"dependentRequired":{"a":["b","c"]},"dependentSchemas":{"b":{"properties":{"a":{"maximum":9}}}}}`,
	`{"type":"array","items":{"enum":["a","ab",1,null,true]},"uniqueItems":true,"minItems":2,"maxItems":4}`,
	`{"type":"string","format":"date"}`, `{"type":"string","format":"time"}`, `{"type":"string","format":"date-time"}`,
	`{"type":"string","format":"duration"}`, `{"type":"string","format":"uuid"}`, `{"type":"string","format":"email"}`,
	`{"type":"string","format":"hostname"}`, `{"type":"string","format":"ipv4"}`, `{"type":"string","format":"ipv6"}`, `{"type":"string","format":"uri"}`,
}

// What is written by random tokens satisfies the schema, and is the beginning of JSON at any time.
func TestWrittenTextsSatisfyTheSchema(t *testing.T) {
	small, _ := smallVocabulary()
	for i, schema := range everySchema {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			check, err := validator(schema)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range []*Vocabulary{byteVocabulary(), small} {
				g, err := Schema(v, []byte(schema), Options{})
				if err != nil {
					t.Fatal(err)
				}
				random := rand.New(rand.NewPCG(1, uint64(i)))
				for range 30 {
					text := write(t, g, random, random.IntN(200))
					if err := valid(check, text); err != nil {
						t.Errorf("%s\nwrote %s\n%v", schema, text, err)
					}
					for n := range min(len(text), 40) {
						if !prefixOfJSON(text[:n]) {
							t.Errorf("%q is not the beginning of JSON", text[:n])
						}
					}
				}
			}
		})
	}
}
