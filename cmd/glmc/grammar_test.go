package main

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/dsl/syntax"
	"github.com/glmc/glmc/kernels/dtype"
)

// TestEditorGrammar compares the words that editors highlight with those that the language has.
func TestEditorGrammar(t *testing.T) {
	file := filepath.Join(repository(t), "docs", "editors", "vscode", "syntaxes", "glm.tmLanguage.json")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	type pattern struct {
		Match    string
		Patterns []struct{ Match string }
	}
	var grammar struct{ Repository map[string]pattern }
	if err := json.Unmarshal(data, &grammar); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	tests := []struct {
		rule string
		want []string
	}{
		{"keywords", syntax.Keywords()},
		{"builtins", slices.Sorted(maps.Keys(ir.Surfaces()))},
	}
	for _, tt := range tests {
		rule := grammar.Repository[tt.rule]
		got := alternatives(rule.Match)
		for _, p := range rule.Patterns {
			got = append(got, alternatives(p.Match)...)
		}
		slices.Sort(got)
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: the words of rule %s are not those of the language; -want +got:\n%s\nthe rule should list %s",
				file, tt.rule, diff, strings.Join(tt.want, "|"))
		}
	}
	for _, name := range alternatives(grammar.Repository["types"].Patterns[0].Match) {
		if _, err := dtype.Parse(name); err != nil {
			t.Errorf("%s: rule types: %v", file, err)
		}
	}
}

// group is the list of words in a pattern: (?:if|then|else).
var group = regexp.MustCompile(`\(\?:(\w+(?:\|\w+)*)\)`)

func alternatives(match string) []string {
	found := group.FindStringSubmatch(match)
	if found == nil {
		return nil
	}
	return strings.Split(found[1], "|")
}
