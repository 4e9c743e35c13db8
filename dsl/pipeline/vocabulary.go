package pipeline

import (
	"maps"
	"slices"

	"github.com/glmc/glmc/kernels/dtype"
)

// Word is a word of a pipeline, for tools that offer what can be written: a setting, a word behind one, or an option.
type Word struct {
	Name    string
	Example string   // of a setting; empty for others
	Words   []string // that can stand behind a setting, or are the values of an option; nil where they are not words
}

// Vocabulary returns the settings in the order of their names. Those behind `require` are passes, which the caller
// knows.
func Vocabulary() []Word {
	var list []Word
	for _, name := range slices.Sorted(maps.Keys(shapes)) {
		list = append(list, Word{Name: name, Example: shapes[name].usage, Words: wordsBehind(name)})
	}
	return list
}

func wordsBehind(setting string) []string {
	switch setting {
	case "target":
		return targets
	case "weights":
		return dtypeWords(weightDTypes)
	case "activations":
		return dtypeWords(activations)
	case "cache":
		return dtypeWords(cacheDTypes)
	case "precision":
		return precisions
	case "draft":
		return draftKinds()
	}
	return nil
}

func dtypeWords(list []dtype.DType) []string {
	var words []string
	for _, d := range list {
		words = append(words, d.String())
	}
	return words
}

// OptionsOf returns the options of a setting. Those of a draft depend on the word behind it.
func OptionsOf(setting, word string) []Word {
	var list []Word
	if setting == "draft" {
		for _, o := range draftOptions[word] {
			list = append(list, Word{Name: o.name})
		}
		return list
	}
	values := map[string][]string{"scale": scalesOf(word), "per": transferPer}
	for _, name := range shapes[setting].options {
		if name == "scale" && values[name] == nil {
			continue
		}
		list = append(list, Word{Name: name, Words: values[name]})
	}
	return list
}

// scalesOf are the values of the option scale behind a dtype: all where it is none, nil where it has no scales.
func scalesOf(word string) []string {
	d, err := parseDType(word, weightDTypes)
	switch {
	case err != nil:
		return scales
	case d == dtype.I4:
		return scales[1:]
	case d.Scaled():
		return scales[:1]
	}
	return nil
}
