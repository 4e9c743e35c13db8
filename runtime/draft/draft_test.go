package draft

import "testing"

func TestAccept(t *testing.T) {
	path := Draft{Tokens: []int32{4, 5, 6}, Parents: []int32{-1, 0, 1}}
	tree := Draft{Tokens: []int32{4, 7, 5, 8, 6}, Parents: []int32{-1, -1, 0, 1, 2}}
	for _, x := range []struct {
		name  string
		draft Draft
		truth []int32
		want  int
	}{
		{"empty", Draft{}, []int32{1}, 0},
		{"all", path, []int32{4, 5, 6, 7}, 3},
		{"the truth ends first", path, []int32{4, 5}, 2},
		{"wrong at once", path, []int32{5, 6}, 0},
		{"wrong in the middle", path, []int32{4, 6, 6}, 1},
		{"a branch", tree, []int32{4, 5, 6, 1}, 3},
		{"the other branch", tree, []int32{7, 8, 6}, 2},
		{"a child of another branch", tree, []int32{7, 5}, 1},
	} {
		if got := x.draft.Accept(x.truth); got != x.want {
			t.Errorf("%s: %d, not %d", x.name, got, x.want)
		}
	}
}

func TestReset(t *testing.T) {
	d := Draft{Tokens: []int32{1}, Parents: []int32{-1}, Probs: []float32{1}, Score: 1, Match: 2, Local: true}
	d.Reset()
	if len(d.Tokens)+len(d.Parents)+len(d.Probs) != 0 || d.Score != 0 || d.Match != 0 || d.Local {
		t.Errorf("%+v", d)
	}
}
