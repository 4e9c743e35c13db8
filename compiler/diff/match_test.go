package diff

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/compiler/align"
)

func TestPairLayers(t *testing.T) {
	for _, c := range []struct {
		name string
		a, b []int
		want string
	}{
		{"the same", []int{-1, 0, 1}, []int{-1, 0, 1}, "-1=-1 0=0 1=1"},
		{"more layers", []int{-1, 0, 1, 2}, []int{-1, 0}, "-1=-1 0=0 1=. 2=."},
		{"the MTP layer has another number", []int{92}, []int{46}, "92=46"},
		{"nothing is outside of the layers on one side", []int{-1, 3}, []int{4}, "-1=. 3=4"},
		{"an entry of one side", []int{0, 1}, nil, "0=. 1=."},
	} {
		for _, swap := range []bool{false, true} {
			a, b := c.a, c.b
			if swap {
				a, b = b, a
			}
			got := ""
			for _, p := range pairLayers(a, b).list {
				x, y := side1(p.a, p.inA), side1(p.b, p.inB)
				if swap {
					x, y = y, x
				}
				got += " " + x + "=" + y
			}
			if diff := cmp.Diff(" "+c.want, got); diff != "" {
				t.Errorf("%s, swapped %v: -want +got:\n%s", c.name, swap, diff)
			}
		}
	}
}

func side1(n int, in bool) string {
	if !in {
		return "."
	}
	return fmt.Sprint(n)
}

// TestAlign: every element stands in the result once, pairs rise, and a stricter key is preferred.
func TestAlign(t *testing.T) {
	at := func(texts ...string) []located {
		var out []located
		for i, s := range texts { // "op weights place"
			var op, weights, place string
			fmt.Sscan(s, &op, &weights, &place)
			out = append(out, located{at: i, keys: [3]string{op + weights + place, op + weights, op}})
		}
		return out
	}
	for _, c := range []struct {
		name string
		a, b []located
		want []align.Pair
	}{
		{"the second of two is left", at("cast - 1", "cast - 2"), at("cast - 2"), []align.Pair{{A: 0, B: -1}, {A: 1, B: 0}}},
		{"all moved", at("cast - 1", "add - 2"), at("cast - 3", "add - 4"), []align.Pair{{A: 0, B: 0}, {A: 1, B: 1}}},
		{"other weights", at("norm w 1", "add - 2"), at("norm v 1", "add - 2"), []align.Pair{{A: 0, B: 0}, {A: 1, B: 1}}},
		{"an insertion", at("add - 1", "mul - 2"), at("add - 1", "all - 1", "mul - 2"), []align.Pair{{A: 0, B: 0}, {A: -1, B: 1}, {A: 1, B: 2}}},
		{"nothing in common", at("add - 1"), at("mul - 1"), []align.Pair{{A: 0, B: -1}, {A: -1, B: 0}}},
		{"nothing on one side", nil, at("mul - 1"), []align.Pair{{A: -1, B: 0}}},
	} {
		if diff := cmp.Diff(c.want, alignNodes(c.a, c.b)); diff != "" {
			t.Errorf("%s: -want +got:\n%s", c.name, diff)
		}
	}
}
