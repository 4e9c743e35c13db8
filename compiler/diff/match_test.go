package diff

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
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

func TestWithoutLayer(t *testing.T) {
	for _, c := range []struct{ name, want, layer string }{
		{"model.layers.3.mlp.gate.weight", "model.layers.{n}.mlp.gate.weight", "3"},
		{"model.layers.3", "model.layers.{n}", "3"},
		{"3.weight", "{n}.weight", "3"},
		{"model.layers.3.experts.4.weight", "model.layers.{n}.experts.4.weight", "3"},
		{"model.layers.3.x + model.layers.3.y @0/8", "model.layers.{n}.x + model.layers.{n}.y @0/8", "3"},
		{"lm_head.weight", "lm_head.weight", ""},
		{"layer3.weight", "layer3.weight", ""},
		{"", "", ""},
	} {
		if got, layer := withoutLayer(c.name); got != c.want || layer != c.layer {
			t.Errorf("withoutLayer(%q) = %q, %q, want %q, %q", c.name, got, layer, c.want, c.layer)
		}
	}
}

// TestCommonSubsequence: pairs are of equal keys and rise on both sides, the other direction gives the same pairs,
// and where no key repeats there are as many as in a longest common subsequence.
func TestCommonSubsequence(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		unique := rapid.Bool().Draw(t, "unique")
		key := rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f", "g", "h"})
		draw := func(name string) []string {
			if unique {
				return rapid.SliceOfDistinct(key, rapid.ID).Draw(t, name)
			}
			return rapid.SliceOfN(key, 0, 12).Draw(t, name)
		}
		a, b := draw("a"), draw("b")
		pairs := commonSubsequence(a, b)
		last := places{-1, -1}
		for _, p := range pairs {
			if p.a <= last.a || p.b <= last.b || a[p.a] != b[p.b] {
				t.Fatalf("%v is no common subsequence", pairs)
			}
			last = p
		}
		back := commonSubsequence(b, a)
		for i, p := range back {
			back[i] = places{p.b, p.a}
		}
		if !slices.Equal(pairs, back) {
			t.Fatalf("%v, and in the other direction %v", pairs, back)
		}
		if want := longestCommon(a, b); unique && len(pairs) != want {
			t.Fatalf("%d pairs, want %d: %v", len(pairs), want, pairs)
		}
		if slices.Equal(a, b) && len(pairs) != len(a) {
			t.Fatalf("%d pairs of %d equal keys", len(pairs), len(a))
		}
	})
}

// longestCommon is the textbook's n² table.
func longestCommon(a, b []string) int {
	table := make([][]int, len(a)+1)
	for i := range table {
		table[i] = make([]int, len(b)+1)
	}
	for i := range a {
		for j := range b {
			table[i+1][j+1] = max(table[i][j+1], table[i+1][j])
			if a[i] == b[j] {
				table[i+1][j+1] = table[i][j] + 1
			}
		}
	}
	return table[len(a)][len(b)]
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
		want []places
	}{
		{"the second of two is left", at("cast - 1", "cast - 2"), at("cast - 2"), []places{{0, -1}, {1, 0}}},
		{"all moved", at("cast - 1", "add - 2"), at("cast - 3", "add - 4"), []places{{0, 0}, {1, 1}}},
		{"other weights", at("norm w 1", "add - 2"), at("norm v 1", "add - 2"), []places{{0, 0}, {1, 1}}},
		{"an insertion", at("add - 1", "mul - 2"), at("add - 1", "all - 1", "mul - 2"), []places{{0, 0}, {-1, 1}, {1, 2}}},
		{"nothing in common", at("add - 1"), at("mul - 1"), []places{{0, -1}, {-1, 0}}},
		{"nothing on one side", nil, at("mul - 1"), []places{{-1, 0}}},
	} {
		if diff := cmp.Diff(c.want, align(c.a, c.b), cmp.AllowUnexported(places{})); diff != "" {
			t.Errorf("%s: -want +got:\n%s", c.name, diff)
		}
	}
}
