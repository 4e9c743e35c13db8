package plan

import (
	"fmt"
	"slices"
	"strings"
)

// Precision is how products with weights narrower than 16 bits are computed, where a device leaves a choice.
type Precision int

const (
	// Exact multiplies the weights' exact values in bfloat16.
	Exact Precision = iota
	// Fast multiplies in int8, to which weights and activations are rounded.
	Fast
)

var precisions = []string{"exact", "fast"}

// Precisions are the words for all of them.
func Precisions() []string { return slices.Clone(precisions) }

// String is the word of the pipeline's setting.
func (p Precision) String() string {
	if p < 0 || int(p) >= len(precisions) {
		return fmt.Sprintf("precision %d", int(p))
	}
	return precisions[p]
}

// ParsePrecision reads what String gives.
func ParsePrecision(word string) (Precision, error) {
	i := slices.Index(precisions, word)
	if i < 0 {
		return Exact, fmt.Errorf("%q is not one of %s", word, strings.Join(precisions, ", "))
	}
	return Precision(i), nil
}
