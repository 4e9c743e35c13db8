package suffix

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/runtime/draft"
)

// TestTreeThatIsBetterByTheLeast: behind 1 2 each of three tokens has a third, which as multiples of 2^-32 are one less than 1 together. Behind 2 alone a half and
// two quarters are 1. So the draft behind the shorter match is the better one, by the least that there is: nobody may give it up before its last token.
func TestTreeThatIsBetterByTheLeast(t *testing.T) {
	tree := New(MaxDepth)
	for _, said := range [][]int32{{1, 2, 10}, {1, 2, 11}, {1, 2, 12}, {5, 2, 10}} {
		for _, token := range said {
			tree.Append(token)
		}
		tree.Seal()
	}
	var got draft.Draft
	tree.Speculate([]int32{1, 2}, Options{MaxTokens: 3, Factor: 3, Tree: true}, &got)
	want := draft.Draft{Tokens: []int32{10, 11, 12}, Parents: []int32{-1, -1, -1}, Probs: []float32{0.5, 0.25, 0.25},
		Kinds: []uint8{seenKind(2), seenKind(1), seenKind(1)}, Score: 1, Match: 1}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
