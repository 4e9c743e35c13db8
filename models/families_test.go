package models

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFamilies(t *testing.T) {
	if len(Families()) == 0 {
		t.Fatal("the binary carries no family")
	}
	for _, f := range Families() {
		for _, class := range f.Classes {
			found, err := ForArchitectures([]string{"SomethingElse", class, class})
			if err != nil || found != f {
				t.Errorf("%s leads to %v (%v), want %s", class, found, err, f.Path)
			}
		}
	}
	f, err := ForArchitectures([]string{"Glm4MoeForCausalLM"})
	if err != nil {
		t.Fatal(err)
	}
	if f.Path != "glmc:glm4moe/model.glm" || f.Name() != "glm4_moe" || f.Model.File == nil {
		t.Errorf("found %+v", f)
	}
}

func TestUnknownArchitectures(t *testing.T) {
	tests := []struct {
		classes []string
		want    string
	}{
		{nil, "architectures is missing or empty"},
		{[]string{"Gemma2ForCausalLM"}, "the binary has no model for Gemma2ForCausalLM"},
		{[]string{"StrangeForCausalLM"}, "the binary has no model for StrangeForCausalLM; it knows "},
		{[]string{"Glm4MoeForSequenceClassification"}, "(did you mean Glm4MoeForCausalLM?)"},
		{[]string{"Qwen3ForCausalLM", "Glm4MoeForCausalLM"}, "architectures names Qwen3ForCausalLM and Glm4MoeForCausalLM, which are different models"},
		{[]string{"Glm4MoEForCausalLM"}, "no model for Glm4MoEForCausalLM (did you mean Glm4MoeForCausalLM?); it knows "},
	}
	for _, tt := range tests {
		_, err := ForArchitectures(tt.classes)
		var unknown *UnknownError
		if !errors.As(err, &unknown) || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "Glm4MoeForCausalLM") {
			t.Errorf("%v: error %v, want %q and the known classes", tt.classes, err, tt.want)
			continue
		}
		if diff := cmp.Diff(tt.classes, unknown.Architectures); diff != "" {
			t.Error(diff)
		}
	}
}

// TestPlain: a guess that is known to be wrong is left out.
func TestPlain(t *testing.T) {
	_, err := ForArchitectures([]string{"Glm4MoEForCausalLM"})
	var unknown *UnknownError
	if !errors.As(err, &unknown) || unknown.Guess() != "Glm4MoeForCausalLM" {
		t.Fatalf("error %v", err)
	}
	if unknown.Plain = true; strings.Contains(unknown.Error(), "did you mean") {
		t.Errorf("the text guesses: %v", unknown)
	}
}

func TestDistinct(t *testing.T) {
	list := []*Family{{Path: "glmc:a/model.glm", Classes: []string{"A", "B"}}, {Path: "glmc:b/model.glm", Classes: []string{"B"}}}
	if err := distinct(list); err == nil || err.Error() != "glmc:a/model.glm and glmc:b/model.glm both describe B" {
		t.Error(err)
	}
	if err := distinct(Families()); err != nil {
		t.Error(err)
	}
}
