package suffix

import (
	"slices"
	"testing"

	"github.com/glmc/glmc/runtime/draft"
)

// paths are the tokens from the root to each token of a draft.
func paths(d *draft.Draft) (all [][]int32) {
	for i, parent := range d.Parents {
		var before []int32
		if parent >= 0 {
			before = all[parent]
		}
		all = append(all, append(slices.Clone(before), d.Tokens[i]))
	}
	return all
}

// kindsOf are the kinds of the tokens of a draft that one tree gave, when the other one gave a second draft.
func kindsOf(d, second *draft.Draft) (kinds []uint8) {
	theirs := paths(second)
	for i, path := range paths(d) {
		view, before := 0, path[:len(path)-1]
		for _, p := range theirs {
			if len(p) == len(path) && slices.Equal(p[:len(before)], before) {
				view = max(view, 1)
				if slices.Equal(p, path) {
					view = 2
				}
			}
		}
		own := 0
		if d.Local {
			own = 1
		}
		match, kind := 0, 0
		for n := d.Match + len(before); n > 1 && match < 5; n /= 2 {
			match++
		}
		kind = ((view*2+own)*4+int(d.Kinds[i]))*6 + match
		kinds = append(kinds, uint8(kind))
	}
	return kinds
}

// TestKinds: what the other tree says of a token, how long the match is, how often the token was seen and where each make another kind, and
// there are not more kinds than a byte holds.
func TestKinds(t *testing.T) {
	if Kinds > draft.Kinds {
		t.Fatalf("%d kinds", Kinds)
	}
	var v views
	kinds := func(d, second draft.Draft) []uint8 {
		d.Kinds = slices.Clone(d.Kinds)
		v.classify(&d, &second)
		return d.Kinds
	}
	path := draft.Draft{Tokens: []int32{4, 5, 6}, Parents: []int32{-1, 0, 1}, Kinds: []uint8{3, 1, 0}, Match: 3}
	alone := kinds(path, draft.Draft{})
	agreed := kinds(path, draft.Draft{Tokens: []int32{4, 5, 7}, Parents: []int32{-1, 0, 1}})
	if want := []uint8{3*6 + 1, 1*6 + 2, 2}; !slices.Equal(alone, want) {
		t.Errorf("alone: %v, want %v", alone, want)
	}
	if want := []uint8{alone[0] + 2*48, alone[1] + 2*48, alone[2] + 48}; !slices.Equal(agreed, want) {
		t.Errorf("agreed, agreed, another one: %v, want %v", agreed, want)
	}
	path.Local = true
	if local := kinds(path, draft.Draft{}); local[0] != alone[0]+24 {
		t.Errorf("of the request: %v", local)
	}
	tree := draft.Draft{Tokens: []int32{4, 7, 5, 8}, Parents: []int32{-1, -1, 0, 1}, Kinds: []uint8{0, 0, 0, 0}, Match: 40}
	got := kinds(tree, draft.Draft{Tokens: []int32{7, 4, 8}, Parents: []int32{-1, -1, 0}})
	if want := []uint8{2*48 + 5, 2*48 + 5, 5, 2*48 + 5}; !slices.Equal(got, want) {
		t.Errorf("trees: %v, want %v", got, want)
	}
}
