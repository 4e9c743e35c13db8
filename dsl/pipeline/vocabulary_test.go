package pipeline

import (
	"fmt"
	"testing"

	"github.com/glmc/glmc/dsl/syntax"
)

// TestVocabularyIsUnderstood: what is offered for writing is what Resolve takes.
func TestVocabularyIsUnderstood(t *testing.T) {
	resolve := func(setting string) {
		t.Helper()
		text := "pipeline p for m {\n" + setting + "\n}"
		f, diags := syntax.Parse("p.glm", []byte(text))
		if diags.Len() > 0 {
			t.Fatalf("%s: %v", text, diags.All()[0])
		}
		_, diags = Resolve(f.Pipelines[0], nil)
		for _, d := range diags.All() {
			if d.ID != idMissingSetting {
				t.Errorf("%s: %v", text, d)
			}
		}
	}
	values := map[string]string{"skip": "[]", "page": "16", "capture": "[1]", "tree": "true", "async": "true"}
	for _, s := range Vocabulary() {
		resolve(s.Example)
		words := s.Words
		if words == nil {
			words = []string{""}
		}
		if s.Name == "require" {
			continue // its words are passes
		}
		for _, word := range words {
			resolve(s.Name + " " + word)
			for _, o := range OptionsOf(s.Name, word) {
				list := o.Words
				if list == nil {
					list = []string{"1"}
					if v := values[o.Name]; v != "" {
						list = []string{v}
					}
				}
				for _, v := range list {
					resolve(fmt.Sprintf("%s %s { %s = %s }", s.Name, word, o.Name, v))
				}
			}
		}
	}
}
