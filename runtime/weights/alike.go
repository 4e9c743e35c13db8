package weights

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Names of tensors are alike where they differ in numbers only, each a component of its own:
// "model.layers.3.mlp.experts.0.gate_proj.weight". A model has thousands of names and a few dozen kinds of them.

// anyNumber stands for a number in what names that are alike have in common. No tensor's name has it as a component
// of its own, as "#" is not allowed in the names of modules.
const anyNumber = "#"

// Skeleton returns what names that are alike have in common: the name with its numbers replaced by "#".
func Skeleton(name string) string {
	s, _ := takeApart(name)
	return s
}

// Flesh puts numbers into a skeleton, as far as it has places for them. It is false where there are more places or
// more numbers.
func Flesh(skeleton string, numbers []int) (string, bool) {
	parts := strings.Split(skeleton, ".")
	for i, part := range parts {
		if part != anyNumber {
			continue
		}
		if len(numbers) == 0 {
			return "", false
		}
		parts[i], numbers = strconv.Itoa(numbers[0]), numbers[1:]
	}
	return strings.Join(parts, "."), len(numbers) == 0
}

// Numbers returns the numbers in a name, in order.
func Numbers(name string) []int {
	_, n := takeApart(name)
	return n
}

func takeApart(name string) (skeleton string, numbers []int) {
	parts := strings.Split(name, ".")
	for i, part := range parts {
		// "007" is not what the number 7 is written as.
		if n, err := strconv.Atoi(part); err == nil && strconv.Itoa(n) == part && n >= 0 {
			parts[i] = anyNumber
			numbers = append(numbers, n)
		}
	}
	return strings.Join(parts, "."), numbers
}

// Alike writes names that have one skeleton as one: "model.layers.3..91.mlp.experts.0..159.gate_proj.weight". Where
// the numbers have gaps it lists them, or the first and the last.
func Alike(names []string) string {
	if len(names) == 0 {
		return ""
	}
	var columns [][]int
	for i, name := range names {
		for j, n := range Numbers(name) {
			if i == 0 {
				columns = append(columns, nil)
			}
			columns[j] = append(columns[j], n)
		}
	}
	parts := strings.Split(Skeleton(names[0]), ".")
	for i, part := range parts {
		if part == anyNumber {
			parts[i], columns = span(columns[0]), columns[1:]
		}
	}
	return strings.Join(parts, ".")
}

// listed is how many numbers with gaps between them are written out.
const listed = 4

// span writes a set of numbers: "7", "0..159", "{1,3,7}", "{1,3,...,91}".
func span(numbers []int) string {
	n := slices.Compact(slices.Sorted(slices.Values(numbers)))
	first, last := n[0], n[len(n)-1]
	switch {
	case len(n) == 1:
		return strconv.Itoa(first)
	case last-first == len(n)-1:
		return fmt.Sprintf("%d..%d", first, last)
	case len(n) <= listed:
		var s []string
		for _, x := range n {
			s = append(s, strconv.Itoa(x))
		}
		return "{" + strings.Join(s, ",") + "}"
	}
	return fmt.Sprintf("{%d,%d,...,%d}", first, n[1], last)
}
