package grammar

import "testing"

func TestSchemas(t *testing.T) {
	tests := []struct {
		name, schema string
		good, bad    []string
	}{
		{"any", `{}`, []string{`{}`, `[1,2, {"a": null}]`, `"x"`, `-1.5e10`, `true`, `"\ud83d\ude00\n"`, `"é😀"`},
			[]string{``, `tru`, `01`, `[1,]`, `{"a":1,}`, `{ }`, `[1 ,2]`, "\"\n\"", `"\ud800"`, "\"\xff\"", "\"\xc3\"", `{"a":  1}`, ` 1`, `1 `}},
		{"never", `{"anyOf": [false, {"type": "null"}]}`, []string{"null"}, []string{"1"}},
		{"types", `{"type": ["integer", "null"]}`, []string{`1`, `-20`, `null`, `0`}, []string{`1.5`, `"1"`, `00`, `-`}},
		{"enum", `{"enum": ["a", 1, null, {"x": [1, "é"]}]}`, []string{`"a"`, `1`, `null`, `{"x":[1,"é"]}`}, []string{`"b"`, `11`, `{}`}},
		{"enum and type", `{"type": "string", "enum": ["a", 1, "bcd"], "maxLength": 2}`, []string{`"a"`}, []string{`1`, `"bcd"`}},
		{"object", `{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"string"},"c":{}},"required":["b"],"additionalProperties":false}`,
			[]string{`{"a":1,"b":"x","c":null}`, `{"b": "x"}`, `{"b":"", "c":[]}`, `{"a": 5, "b":""}`},
			[]string{`{}`, `{"a":1}`, `{"b":"x","a":1}`, `{"b":"x","d":1}`, `{"b":1}`, `{"b":"x",}`, `{,"b":"x"}`, `{"b":"x","b":"x"}`}},
		{"more members", `{"type":"object","properties":{"a":{"type":"integer"},"ab":{}},"additionalProperties":{"type":"boolean"}}`,
			[]string{`{}`, `{"a":1}`, `{"x":true}`, `{"a":1,"abc":true, "b":false}`, `{"":true}`, `{"x\n":true}`},
			[]string{`{"a":true}`, `{"x":1}`, `{"x":true,"a":1}`, `{"\u0061":true}`, `{"\u0062":true}`}},
		{"required only", `{"type":"object","required":["z"],"properties":{"a":{"type":"null"}}}`,
			[]string{`{"z":1}`, `{"a":null,"z":{},"q":1}`}, []string{`{}`, `{"a":null}`}},
		{"length", `{"type":"string","minLength":2,"maxLength":3}`, []string{`"ab"`, `"é😀x"`, `"\n\u00e9"`, `"\ud83d\ude00a"`}, []string{`"a"`, `"abcd"`, `""`}},
		{"pattern", `{"type":"string","pattern":"^[a-c]+\\d{2}$"}`, []string{`"ab12"`}, []string{`"12"`, `"ab123"`, `"xab12"`}},
		{"pattern inside", `{"type":"string","pattern":"b\"?c"}`, []string{`"abcd"`, `"b\"c"`, `"é\nbc"`}, []string{`"acb"`, `"b\\c"`}},
		{"pattern and length", `{"type":"string","pattern":"^a*$","minLength":2,"maxLength":3}`, []string{`"aa"`, `"aaa"`}, []string{`"a"`, `"aaaa"`}},
		{"pattern, unicode", `{"type":"string","pattern":"^\\u00e9\\p{Lu}$"}`, []string{`"éÄ"`}, []string{`"éä"`, `"e"`}},
		{"date", `{"type":"string","format":"date"}`, []string{`"2024-02-29"`, `"2000-02-29"`, `"2023-12-31"`}, []string{`"2023-02-29"`, `"1900-02-29"`, `"2023-13-01"`, `"2023-04-31"`}},
		{"unknown format", `{"type":"string","format":"colour"}`, []string{`"red"`}, nil},
		{"integer range", `{"type":"integer","minimum":-5,"maximum":120}`, []string{`-5`, `0`, `7`, `99`, `100`, `120`}, []string{`-6`, `121`, `1000`, `1.5`, `007`, `-10`}},
		{"integers", `{"type":"integer"}`, []string{`9223372036854775807`, `-9223372036854775808`, `0`}, []string{`9223372036854775808`, `-9223372036854775809`, `10000000000000000000`, `01`, `1.0`, `9223372036854775807.0`}},
		{"from 1", `{"type":"integer","minimum":1}`, []string{`1`, `9223372036854775807`}, []string{`0`, `-1`, `9223372036854775808`}},
		{"large integers", `{"type":"integer","maximum":1e20}`, []string{`100000000000000000000`, `-1`}, []string{`100000000000000000001`}},
		{"exclusive", `{"type":"integer","exclusiveMinimum":9,"exclusiveMaximum":12}`, []string{`10`, `11`}, []string{`9`, `12`}},
		{"draft 4", `{"type":"integer","minimum":9,"exclusiveMinimum":true,"maximum":11}`, []string{`10`, `11`}, []string{`9`, `12`}},
		{"number range", `{"type":"number","minimum":0.25,"exclusiveMaximum":1e1}`, []string{`0.25`, `0.3`, `1`, `9.99`, `2.0`}, []string{`0.2`, `0.24`, `0`, `10`, `10.0`, `-1`, `1e0`}},
		{"below zero", `{"type":"number","maximum":-1.5}`, []string{`-1.5`, `-1.50`, `-2`, `-100.1`}, []string{`-1.4`, `-1`, `0`, `1`}},
		{"multiple", `{"type":"integer","multipleOf":7}`, []string{`0`, `7`, `-14`, `700`}, []string{`1`, `8`}},
		{"cents", `{"type":"number","multipleOf":0.25}`, []string{`0.25`, `1.5`, `3`, `-2.75`, `1.50`}, []string{`0.2`, `0.3`, `0.251`, `1.`}},
		{"array", `{"type":"array","items":{"type":"integer"},"minItems":1,"maxItems":2}`, []string{`[1]`, `[1,2]`, `[1, 2]`}, []string{`[]`, `[1,2,3]`, `["a"]`}},
		{"tuple", `{"type":"array","prefixItems":[{"type":"integer"},{"type":"string"}],"items":false}`, []string{`[]`, `[1]`, `[1,"a"]`}, []string{`["a"]`, `[1,"a",2]`}},
		{"many items", `{"type":"array","items":{"const":1},"minItems":1000000,"maxItems":2000000}`, nil, []string{`[1]`}},
		{"anyOf", `{"anyOf":[{"type":"object","properties":{"k":{"const":1}},"required":["k"]},{"type":"object","properties":{"k":{"const":12}},"required":["k"],"additionalProperties":false}]}`,
			[]string{`{"k":1}`, `{"k":12}`, `{"k":1,"x":1}`}, []string{`{"k":12,"x":1}`, `{}`}},
		{"oneOf", `{"oneOf":[{"type":"object","properties":{"k":{"const":"a"}},"required":["k"]},{"type":"object","properties":{"k":{"const":"b"}},"required":["k"]},{"type":"string"}]}`,
			[]string{`{"k":"a"}`, `{"k":"b"}`, `"x"`}, []string{`{"k":"c"}`}},
		{"allOf", `{"allOf":[{"type":"object","properties":{"a":{"type":"number"}},"required":["a"]},{"properties":{"a":{"type":["integer","string"]},"b":{}},"additionalProperties":false}]}`,
			[]string{`{"a":1}`, `{"a":1,"b":2}`}, []string{`{"a":1.5}`, `{"a":"x"}`, `{"a":1,"c":2}`, `{}`}},
		{"allOf of anyOf", `{"allOf":[{"anyOf":[{"type":"integer"},{"type":"string"}]},{"anyOf":[{"type":"string"},{"type":"null"}]}]}`, []string{`"x"`}, []string{`1`, `null`}},
		{"reference", `{"$ref":"#/$defs/node","$defs":{"node":{"type":"object","properties":{"v":{"type":"integer"},"next":{"$ref":"#/$defs/node"}},"required":["v"],"additionalProperties":false}}}`,
			[]string{`{"v":1}`, `{"v":1,"next":{"v":2,"next":{"v":3}}}`}, []string{`{"next":{"v":1}}`, `{"v":1,"next":{}}`}},
		{"itself", `{"type":"array","items":{"$ref":"#"}}`, []string{`[]`, `[[],[[]]]`}, []string{`[1]`}},
		{"impossible member", `{"type":"object","properties":{"a":false,"b":{"type":"array","items":{"$ref":"#"}}},"additionalProperties":false}`,
			[]string{`{}`, `{"b":[{}]}`}, []string{`{"a":1}`}},
		{"without an end", `{"type":"object","properties":{"a":{"anyOf":[{"type":"null"},{"$ref":"#/$defs/loop"}]}},"$defs":{"loop":{"type":"array","items":{"$ref":"#/$defs/loop"},"minItems":1}},"additionalProperties":false}`,
			[]string{`{}`, `{"a":null}`}, []string{`{"a":[`}},
		{"patterns of names", `{"type":"object","properties":{"x1":{"type":"null"}},"patternProperties":{"^x":{"type":["integer","null"]},"1$":{"type":["null","string"]}},"additionalProperties":false}`,
			[]string{`{}`, `{"x":1}`, `{"x1":null,"x2":3,"y1":"a","x11":null}`}, []string{`{"x1":1}`, `{"x11":1}`, `{"x11":"a"}`, `{"y":1}`, `{"y1":1}`, `{"\u0078":1}`}},
		{"patterns and others", `{"type":"object","patternProperties":{"^x":{"type":"integer"}},"additionalProperties":{"type":"boolean"}}`,
			[]string{`{"x":1,"y":true}`, `{"":false,"yx":true}`}, []string{`{"x":true}`, `{"y":1}`}},
		{"names", `{"type":"object","properties":{"a":{},"bb":{}},"propertyNames":{"pattern":"^[a-c]+$","minLength":2}}`,
			[]string{`{}`, `{"bb":1,"ab":2}`}, []string{`{"a":1}`, `{"d":1}`, `{"b":1}`, `{"bb":1,"bb":1}`}},
		{"listed names", `{"type":"object","propertyNames":{"enum":["a","b\"",3]},"additionalProperties":{"type":"null"}}`,
			[]string{`{"a":null,"b\"":null}`}, []string{`{"c":null}`, `{"a":1}`}},
		{"required, but no name", `{"anyOf":[{"type":"null"},{"type":"object","required":["x"],"propertyNames":{"const":"y"}}]}`, []string{`null`}, []string{`{"x":1}`, `{`}},
		{"least members", `{"type":"object","properties":{"a":{},"b":{},"c":{}},"minProperties":2,"additionalProperties":false}`,
			[]string{`{"a":1,"b":2}`, `{"a":1,"c":2}`, `{"b":1,"c":2}`, `{"a":1,"b":2,"c":3}`}, []string{`{}`, `{"a":1}`, `{"b":1}`, `{"c":1}`}},
		{"most members", `{"type":"object","properties":{"a":{},"b":{},"c":{}},"required":["b","c"],"maxProperties":2}`,
			[]string{`{"b":1,"c":2}`}, []string{`{"a":1,"b":2,"c":3}`, `{"a":1`, `{"b":1,"c":2,"x":3}`, `{"b":1,"c":2,`, `{"b":1}`}},
		{"some member", `{"type":"object","minProperties":1,"additionalProperties":{"type":"integer"}}`, []string{`{"x":1}`, `{"x":1,"y":2}`}, []string{`{}`, `{"x":true}`}},
		{"members that repeat", `{"type":"object","properties":{"a":{}},"minProperties":2,"maxProperties":3}`,
			[]string{`{"a":1,"x":2}`, `{"a":1,"x":2,"y":3}`}, []string{`{"a":1}`, `{"x":1,"x":2}`, `{"a":1,"x":2,"y":3,"z":4}`}},
		{"too many required", `{"anyOf":[{"type":"null"},{"type":"object","required":["a","b"],"maxProperties":1}]}`, []string{`null`}, []string{`{"a"`, `{}`}},
		{"too few allowed", `{"anyOf":[{"type":"null"},{"type":"object","properties":{"a":{},"b":false},"additionalProperties":false,"minProperties":2}]}`, []string{`null`}, []string{`{`}},
		{"listed members", `{"enum":[{},{"a":1},{"a":1,"b":2}],"minProperties":1,"maxProperties":1}`, []string{`{"a":1}`}, []string{`{}`, `{"a":1,"b":2}`}},
		{"dependent required", `{"type":"object","properties":{"card":{"type":"integer"},"address":{"type":"string"},"x":{}},"dependentRequired":{"card":["address"]}}`,
			[]string{`{}`, `{"address":"s"}`, `{"card":1,"address":"s"}`, `{"x":1}`, `{"card":1,"address":"s","x":2}`, `{"y":1}`}, []string{`{"card":1}`, `{"card":1,"x":2}`, `{"x":1,"card":1}`}},
		{"dependent schemas", `{"type":"object","properties":{"a":{},"b":{}},"dependentSchemas":{"a":{"properties":{"b":{"type":"integer"}},"required":["b"]}}}`,
			[]string{`{}`, `{"b":"s"}`, `{"a":1,"b":2}`}, []string{`{"a":1}`, `{"a":1,"b":"s"}`}},
		{"dependencies", `{"type":"object","dependencies":{"a":["b"],"c":{"required":["d"]}},"additionalProperties":{"type":"null"}}`,
			[]string{`{}`, `{"b":null}`, `{"a":null,"b":null}`, `{"c":null,"d":null}`, `{"d":null,"x":null}`}, []string{`{"a":null}`, `{"c":null}`, `{"a":null,"d":null}`}},
		{"dependent, and to itself", `{"$ref":"#/$defs/t","$defs":{"t":{"type":"object","properties":{"a":{"$ref":"#/$defs/t"},"b":{}},"dependentRequired":{"a":["b"]},"additionalProperties":false}}}`,
			[]string{`{}`, `{"a":{},"b":1}`, `{"a":{"a":{},"b":2},"b":1}`}, []string{`{"a":{}}`, `{"a":{"a":{}},"b":1}`}},
		{"unique", `{"type":"array","items":{"enum":["a","ab",1,1.0,null]},"uniqueItems":true,"minItems":1,"maxItems":3}`,
			[]string{`["a"]`, `["ab","a"]`, `[1,null, "a"]`}, []string{`[]`, `["a","a"]`, `["a","ab",1,null]`, `[1,1.0]`, `[1,1]`, `["b"]`}},
		{"unique, more than there are", `{"anyOf":[{"type":"null"},{"type":"array","items":{"enum":["a","b"]},"uniqueItems":true,"minItems":3}]}`, []string{`null`}, []string{`[`}},
		{"unique, and listed", `{"enum":[[1,2],[1,1.0],[{"a":1,"b":2},{"b":2.0,"a":1}],[]],"uniqueItems":true}`, []string{`[1,2]`, `[]`}, []string{`[1,1.0]`, `[{"a":1,"b":2},{"b":2.0,"a":1}]`}},
		{"unique of one", `{"type":"array","items":{"type":"string"},"uniqueItems":true,"maxItems":1}`, []string{`[]`, `["a"]`}, []string{`["a","a"]`, `["a","b"]`}},
		{"nullable", `{"type":"string","nullable":true}`, []string{`null`, `""`}, []string{`1`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			g, err := Schema(byteVocabulary(), []byte(test.schema), Options{})
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range test.good {
				if n, done := refusal(g, text); n < len(text) || !done {
					t.Errorf("%s is refused behind %q (done: %v)", text, text[:n], done)
				}
			}
			for _, text := range test.bad {
				if accepts(g, text) {
					t.Errorf("%s is taken", text)
				}
			}
		})
	}
}
