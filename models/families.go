package models

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/dsl/source"
	"github.com/glmc/glmc/dsl/syntax"
)

// Family is a model that the binary carries and that says which classes of Hugging Face's it describes.
type Family struct {
	Path    string        // of its file: "glmc:glm4moe/model.glm"
	Model   *syntax.Model // linked with what its file imports; shared, so not to be changed
	Classes []string      // as the "architectures" of a config.json name them: "Glm4MoeForCausalLM"
}

// Name is the name that the family's file gives the model.
func (f *Family) Name() string { return f.Model.Name.Name }

// Families returns the families that the binary carries, in the order of their paths. The files are read once.
func Families() []*Family { return families() }

var families = sync.OnceValue(func() []*Family {
	var list []*Family
	for _, name := range Names() {
		list = append(list, describedIn(name)...)
	}
	if err := distinct(list); err != nil {
		panic("models: " + err.Error()) // the files are part of the binary
	}
	return list
})

// describedIn returns the families of a file that the binary carries. A file of blocks has none.
func describedIn(name string) []*Family {
	src, err := Open(name)
	if err != nil {
		panic("models: " + err.Error()) // the name came from Names
	}
	program, diags := source.Load(name, src, Open)
	if err := diags.Err(); err != nil {
		panic("models: " + err.Error())
	}
	var list []*Family
	for _, m := range program.Root.Models {
		f := &Family{Path: name, Model: m}
		for _, class := range m.For {
			f.Classes = append(f.Classes, class.Value)
		}
		if len(f.Classes) > 0 {
			list = append(list, f)
		}
	}
	return list
}

// distinct makes sure that a class leads to one family.
func distinct(list []*Family) error {
	seen := map[string]*Family{}
	for _, f := range list {
		for _, class := range f.Classes {
			if other := seen[class]; other != nil {
				return fmt.Errorf("%s and %s both describe %s", other.Path, f.Path, class)
			}
			seen[class] = f
		}
	}
	return nil
}

// Classes returns the classes that the families describe, in alphabetical order.
func Classes() []string {
	var names []string
	for _, f := range Families() {
		names = append(names, f.Classes...)
	}
	slices.Sort(names)
	return names
}

// UnknownError says that no single family describes the classes that a config.json names.
type UnknownError struct {
	Architectures []string // of the config.json
	Several       []string // those that have a family, where they lead to different ones
	Plain         bool     // the text guesses at no class that may have been meant
}

// Error lists the classes that have a family, the nearest first where one is near.
func (e *UnknownError) Error() string {
	switch known := strings.Join(Classes(), ", "); {
	case len(e.Several) > 0:
		return fmt.Sprintf("architectures names %s, which are different models", strings.Join(e.Several, " and "))
	case len(e.Architectures) == 0:
		return "architectures is missing or empty, so that nothing says which model this is; the binary knows " + known
	default:
		text := fmt.Sprintf("the binary has no model for %s", strings.Join(e.Architectures, ", "))
		if near := e.Guess(); near != "" && !e.Plain {
			text += fmt.Sprintf(" (did you mean %s?)", near)
		}
		return text + "; it knows " + known
	}
}

// Guess is the known class whose name is most like an unknown one's; "" where none is. It compares what stands in front
// of "ForCausalLM": all classes share the rest.
func (e *UnknownError) Guess() string {
	byStem := map[string]string{}
	var stems []string
	for _, class := range Classes() {
		stem, _, _ := strings.Cut(class, "For")
		byStem[stem] = class
		stems = append(stems, stem)
	}
	for _, a := range e.Architectures {
		stem, _, _ := strings.Cut(a, "For")
		if class := byStem[stem]; class != "" {
			return class
		}
		if near := diag.Nearest(stem, stems); near != "" {
			return byStem[near]
		}
	}
	return ""
}

// ForArchitectures returns the family that describes one of the classes, as the "architectures" of a config.json
// lists them. Where none does, or where two families do, the error is an *UnknownError.
func ForArchitectures(classes []string) (*Family, error) {
	var found *Family
	var known []string
	for _, class := range classes {
		for _, f := range Families() {
			if !slices.Contains(f.Classes, class) {
				continue
			}
			if found == nil || found != f {
				known = append(known, class)
			}
			found = f
		}
	}
	if len(known) != 1 {
		return nil, &UnknownError{Architectures: classes, Several: known}
	}
	return found, nil
}
