package ir

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/kernels/dtype"
)

func parseRecipe(t *testing.T, text string) *Recipe {
	t.Helper()
	p := newParser(text)
	r := p.recipe()
	if p.err != nil {
		t.Fatal(p.err)
	}
	return r
}

func TestRecipeShapes(t *testing.T) {
	for _, c := range []struct {
		recipe string
		want   []int
	}{
		{`tensor("w" [4, 6])`, []int{4, 6}},
		{`each("w.{e}" [4, 6], 3)`, []int{3, 4, 6}},
		{`concat(tensor("a" [4, 6]), tensor("b" [2, 6]), 0)`, []int{6, 6}},
		{`concat(tensor("a" [4, 6]), tensor("b" [4, 1]), tensor("c" [4, 2]), 1)`, []int{4, 9}},
		{`slice(tensor("w" [4, 6]), 1, 2, 4)`, []int{4, 4}},
		{`slice(tensor("w" [4, 6]), 0, 3, 1)`, []int{1, 6}},
		{`stack(tensor("a" [4, 6]), tensor("b" [4, 6]))`, []int{2, 4, 6}},
		{`stack(tensor("a" [4]))`, []int{1, 4}},
		{`shard(tensor("w" [4, 6]), 1, 3, 2)`, []int{4, 2}},
		{`lead(tensor("b" [4]))`, []int{4}},
		{`shard(concat(each("w.{e}" [4, 6], 3), stack(slice(tensor("s" [8, 6]), 0, 4, 4)), 0), 1, 2, 1)`, []int{4, 2, 6}},
	} {
		r := parseRecipe(t, c.recipe)
		got, err := r.OutShape()
		if err != nil {
			t.Errorf("%s: %v", c.recipe, err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", c.recipe, diff)
		}
		if r.String() != c.recipe {
			t.Errorf("%s prints as %s", c.recipe, r)
		}
	}
}

func TestRecipeErrors(t *testing.T) {
	deep := &Recipe{Kind: RecipeTensor, Name: "w", Shape: []int{1}}
	for range MaxRecipeDepth {
		deep = Lead(deep)
	}
	for _, c := range []struct {
		recipe *Recipe
		want   string
	}{
		{&Recipe{}, "unknown recipe kind 0"},
		{&Recipe{Kind: 99}, "unknown recipe kind 99"},
		{Stored("w"), "tensor has no dimensions"},
		{Stored("w", 4, 0), "shape [4, 0]: dimension 0 is out of range"},
		{Stored("w", -4), "shape [-4]: dimension -4 is out of range"},
		{Stored("w", MaxDim, MaxDim), "shape [2147483648, 2147483648] is too large"},
		{Each("w", 0, 4), "shape [0, 4]: dimension 0 is out of range"},
		{&Recipe{Kind: RecipeTensor, Shape: []int{1}, Args: []*Recipe{Stored("v", 1)}}, "tensor takes no recipe, has 1"},
		{Concat(0), "concat of nothing"},
		{Stack(), "stack of nothing"},
		{Concat(2, Stored("a", 4, 6), Stored("b", 4, 6)), "concat along dimension 2 of shape [4, 6]"},
		{Concat(-1, Stored("a", 4, 6)), "concat along dimension -1 of shape [4, 6]"},
		{Concat(0, Stored("a", 4, 6), Stored("b", 4, 5)), "concat of shapes [4, 6] and [4, 5] along dimension 0"},
		{Concat(0, Stored("a", 4, 6), Stored("b", 4)), "concat of shapes [4, 6] and [4] along dimension 0"},
		{Concat(0, Stored("a", MaxDim), Stored("b", 1)), "shape [2147483649]: dimension 2147483649 is out of range"},
		{Stack(Stored("a", 4), Stored("b", 5)), "stack of different shapes [4] and [5]"},
		{Stack(Stored("a", 4), Stored("b", 4, 1)), "stack of different shapes [4] and [4, 1]"},
		{&Recipe{Kind: RecipeLead}, "lead takes 1 recipe, has 0"},
		{&Recipe{Kind: RecipeSlice, Size: 1, Args: []*Recipe{Stored("a", 4), Stored("b", 4)}}, "slice takes 1 recipe, has 2"},
		{&Recipe{Kind: RecipeShard, Parts: 1, Group: 1}, "shard takes 1 recipe, has 0"},
		{Slice(Stored("a", 4), 1, 0, 1), "slice along dimension 1 of shape [4]"},
		{Slice(Stored("a", 4), -1, 0, 1), "slice along dimension -1 of shape [4]"},
		{Slice(Stored("a", 4), 0, 3, 2), "slice of 2 from 3 on is outside of dimension 0 of shape [4]"},
		{Slice(Stored("a", 4), 0, -1, 2), "slice of 2 from -1 on is outside of dimension 0 of shape [4]"},
		{Slice(Stored("a", 4), 0, 0, 0), "slice of 0 from 0 on is outside of dimension 0 of shape [4]"},
		{Slice(Stored("a", 4), 0, 1<<62, 1<<62), "slice of 4611686018427387904 from 4611686018427387904 on is outside of dimension 0 of shape [4]"},
		{Shard(Stored("a", 4), 1, 2, 1), "shard along dimension 1 of shape [4]"},
		{Shard(Stored("a", 4), 0, 3, 1), "dimension 0 of shape [4] does not divide into 3 parts for groups of 1 ranks"},
		{Shard(Stored("a", 4), 0, 0, 1), "dimension 0 of shape [4] does not divide into 0 parts for groups of 1 ranks"},
		{Shard(Stored("a", 4), 0, 2, 0), "dimension 0 of shape [4] does not divide into 2 parts for groups of 0 ranks"},
		{Lead(Shard(Stored("a", 4), 0, 8, 1)), "dimension 0 of shape [4] does not divide into 8 parts for groups of 1 ranks"},
		{deep, "recipe nested deeper than 64"},
	} {
		_, err := c.recipe.OutShape()
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: got error %v, want %s", strings.ReplaceAll(c.recipe.String(), "lead(lead(", ""), err, c.want)
		}
	}
}

func TestWeightBytes(t *testing.T) {
	for _, c := range []struct {
		dtype dtype.DType
		shape []int
		want  int64
	}{
		{dtype.BF16, []int{4, 6}, 48},
		{dtype.F32, []int{4, 6}, 96},
		{dtype.F8E4M3, []int{4, 6}, 24 + 4*4},
		{dtype.F8E4M3, []int{3, 4, 6}, 72 + 4*12},
		{dtype.BF16, []int{5}, 10},
		{dtype.I8, []int{3, 4, 6}, 72 + 4*12},
		{dtype.I4, []int{3, 4, 128}, 3*4*64 + 2*3*4*2},
		{dtype.I4, []int{4, 66}, 4*33 + 2*4*2},
	} {
		w := &Weight{DType: c.dtype, Shape: c.shape}
		if got := w.Bytes(); got != c.want {
			t.Errorf("%s%v takes %d bytes, want %d", c.dtype, c.shape, got, c.want)
		}
	}
}

func TestRecipeKindString(t *testing.T) {
	for k, want := range map[RecipeKind]string{0: "recipe(0)", RecipeLead: "lead", RecipeLead + 1: "recipe(8)"} {
		if got := k.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
