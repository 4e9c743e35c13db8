package kernels

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/kernels/dtype"
)

// A tree of three branches behind position 5: rows 1 and 2 lie at their positions, 3 and 4 beside them, 5 behind row 3 as well.
func TestTail(t *testing.T) {
	pos := []int32{9, 9, 5, 6, 7, 6, 7, 7}
	parents := []int32{-1, -1, -1, -1, -1, 2, 5, 5}
	for _, c := range []struct {
		row  int
		want Tail
		at   []int // places of positions 5, 6, 7
	}{
		{2, Tail{First: 6}, []int{5, 6, 7}},
		{4, Tail{First: 8}, []int{5, 6, 7}},
		{5, Tail{First: 6, Places: []int{8}}, []int{5, 8, 7}},
		{6, Tail{First: 6, Places: []int{8, 9}}, []int{5, 8, 9}},
		{7, Tail{First: 6, Places: []int{8, 10}}, []int{5, 8, 10}},
	} {
		got := Tail{Places: []int{1, 2, 3, 4}} // of another row
		got.Of(c.row, 2, pos, parents)
		if diff := cmp.Diff(c.want, Tail{got.First, append([]int(nil), got.Places...)}); diff != "" {
			t.Errorf("row %d (-want +got):\n%s", c.row, diff)
		}
		for i, want := range c.at {
			if place := got.Place(5 + i); place != want {
				t.Errorf("row %d: position %d lies at %d, want %d", c.row, 5+i, place, want)
			}
		}
	}
}

// FuzzParents: whatever a step says, its parents are refused or lead to the page table, and to pages that there are.
func FuzzParents(f *testing.F) {
	f.Add([]byte{2, 0, 5, 255, 6, 0, 6, 0, 7, 2}, 3, 2)
	f.Add([]byte{1, 0, 0, 255, 1, 1}, 1, 1)
	f.Add([]byte{1, 0, 0, 255, 1, 255, 1, 0, 2, 2, 2, 1}, 2, 3)
	f.Fuzz(func(t *testing.T, data []byte, size, pages int) {
		if size < 1 || size > 8 || pages < 1 || pages > 8 || len(data) < 2 {
			return
		}
		c := NewCache(dtype.F32, size, pages, 1, 1, 1)
		var pos, parents, table []int32
		seqs := 1 + int(data[0])%2
		for i := 2; i+1 < len(data); i += 2 {
			pos, parents = append(pos, int32(int8(data[i]))), append(parents, int32(int8(data[i+1])))
		}
		starts := []int32{0, int32(len(pos))}
		if seqs == 2 {
			starts = []int32{0, int32(int(data[1]) % (len(pos) + 1)), int32(len(pos))}
		}
		for i := range seqs * 4 {
			table = append(table, int32(i+int(data[1]))%int32(pages+1))
		}
		if CheckSequences(c, pos, starts, table, 4) != nil || CheckParents(c, pos, starts, table, parents, 4) != nil {
			return
		}
		var tail Tail
		for s := range seqs {
			for row := int(starts[s]); row < int(starts[s+1]); row++ {
				tail.Of(row, int(starts[s]), pos, parents)
				for p := range int(pos[row]) + 1 {
					if page := table[s*4+tail.Place(p)/size]; page < 0 || int(page) >= pages {
						t.Fatalf("row %d: position %d lies in page %d", row, p, page)
					}
				}
			}
		}
	})
}

func TestMove(t *testing.T) {
	for _, d := range []dtype.DType{dtype.F32, dtype.BF16, dtype.F8E4M3} {
		c := NewCache(d, 2, 3, 2, 1, 2)
		for s := range 6 {
			c.Write(s, []float32{float32(s), float32(s + 10)}, []float32{float32(s), 1, 2, -float32(s)})
		}
		if err := c.Move([]int32{3, 4}, []int32{2, 3}); err != nil {
			t.Fatal(err)
		}
		k, v := make([]float32, 12), make([]float32, 24)
		c.K.Load(k, 0)
		c.V.Load(v, 0)
		if want := []float32{0, 10, 1, 11, 3, 13, 4, 14, 4, 14, 5, 15}; !slices.Equal(k, want) {
			t.Errorf("%v: keys %v, want %v", d, k, want)
		}
		if want := []float32{3, 1, 2, -3, 4, 1, 2, -4}; !slices.Equal(v[8:16], want) {
			t.Errorf("%v: values %v, want %v", d, v[8:16], want)
		}
		for _, bad := range [][2][]int32{{{0}, {6}}, {{-1}, {0}}, {{0, 1}, {1}}, {{0, 9}, {1, 2}}} {
			if c.Move(bad[0], bad[1]) == nil {
				t.Errorf("%v: slots %v are moved to %v", d, bad[0], bad[1])
			}
		}
		c.K.Load(k, 0)
		if k[2] != 1 {
			t.Errorf("%v: a move that is refused was done in part", d)
		}
	}
}
