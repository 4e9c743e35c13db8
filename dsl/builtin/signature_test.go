package builtin

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var params = []Param{{Name: "q", Kind: Tensor}, {Name: "pos", Kind: Tensor}, {Name: "heads", Kind: Int}, {Name: "w", Kind: Weight}}

func TestParseSignature(t *testing.T) {
	s, err := ParseSignature("q [.., h, 2], pos i32[t] -> q[.., h + heads - 1], act[t], f32[..]", params)
	if err != nil {
		t.Fatal(err)
	}
	want := &Signature{
		Params: map[string]Pattern{
			"q":   {Rest: true, Dims: []Sum{{{Name: "h"}}, {{Number: 2}}}},
			"pos": {DType: "i32", Dims: []Sum{{{Name: "t"}}}},
		},
		Results: []Pattern{
			{Like: "q", Rest: true, Dims: []Sum{{{Name: "h"}, {Name: "heads"}, {Negative: true, Number: 1}}}},
			{DType: "act", Dims: []Sum{{{Name: "t"}}}},
			{DType: "f32", Rest: true},
		},
	}
	if diff := cmp.Diff(want, s); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for i, text := range []string{"q[.., h + heads - 1]", "act[t]", "f32[..]"} {
		if got := s.Results[i].String(); got != text {
			t.Errorf("result %d is %s, want %s", i, got, text)
		}
	}
}

func TestParseSignatureErrors(t *testing.T) {
	for text, want := range map[string]string{
		"q [t], pos [t]":                 "has no ->",
		"q [t] -> q[t]":                  `has no pattern for "pos"`,
		"q [t], pos [t], w [t] -> q[t]":  `"w" is no tensor parameter`,
		"q [t], pos [t] -> k[t]":         `"k" is neither a dtype nor a tensor parameter`,
		"q [t], pos t -> q[t]":           `"t" is no pattern of a type`,
		"q [t, ..], pos [t] -> q[t]":     `".." is no name of a dimension`,
		"q [t + ], pos [t] -> q[t]":      "is no dimension",
		"q [t u], pos [t] -> q[t]":       "is no sum of names and numbers",
		"q [T], pos [t] -> q[t]":         `"T" is no name of a dimension`,
		"q [t, ], pos [t] -> q[t]":       "is no dimension",
		"q [t], pos [t] -> q[t], q[t, 1": "is no pattern of a type",
	} {
		if _, err := ParseSignature(text, params); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}
