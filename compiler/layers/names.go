// Package layers groups what belongs to the layers of a model: which operators are a layer, which layers are alike,
// and how they are called.
package layers

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Where names layers, which rise: "layer 3", "layers 0, 3..91, 90 x". It is empty for what is outside of the layers,
// -1.
func Where(numbers []int) string {
	inside := slices.DeleteFunc(slices.Clone(numbers), func(n int) bool { return n < 0 })
	switch len(inside) {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("layer %d", inside[0])
	}
	return fmt.Sprintf("layers %s, %d x", Ranges(inside), len(inside))
}

// At is Where behind the name of an entry: "forward, layers 0..91, 92 x", or the entry alone.
func At(entry string, numbers []int) string {
	if where := Where(numbers); where != "" {
		return entry + ", " + where
	}
	return entry
}

// Ranges writes rising numbers as "0, 3..91".
func Ranges(list []int) string {
	var parts []string
	for i := 0; i < len(list); {
		j := i
		for j+1 < len(list) && list[j+1] == list[j]+1 {
			j++
		}
		if j > i {
			parts = append(parts, fmt.Sprintf("%d..%d", list[i], list[j]))
		} else {
			parts = append(parts, strconv.Itoa(list[i]))
		}
		i = j + 1
	}
	return strings.Join(parts, ", ")
}

// number is a component of a path that is a number.
var number = regexp.MustCompile(`(^|\.)(\d+)(\.|$)`)

// Generic writes {n} for the layer's number in a name or a path, so that those of two layers can be compared:
// "model.layers.3.mlp" becomes "model.layers.{n}.mlp" and "3". The layer is the first number; "" where there is none.
func Generic(name string) (generic, layer string) {
	m := number.FindStringSubmatch(name)
	if m == nil {
		return name, ""
	}
	return Replace(name, m[2]), m[2]
}

// Replace writes {n} for every component of a text that is the given number.
func Replace(text, layer string) string {
	if layer == "" {
		return text
	}
	text = strings.ReplaceAll(text, "."+layer+".", ".{n}.")
	if rest, ok := strings.CutPrefix(text, layer+"."); ok {
		text = "{n}." + rest
	}
	// A digit in front of the dot makes it a fraction: "scaled by 2.5" is no layer 5.
	if rest, ok := strings.CutSuffix(text, "."+layer); ok && strings.TrimRight(rest, "0123456789") == rest {
		text = rest + ".{n}"
	}
	return text
}
