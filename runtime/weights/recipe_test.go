package weights

import (
	"fmt"
	"math"
	"testing"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/kernels/dtype"
)

// TestRecipes has every kind of recipe along every dimension. Stored tensors count up, so that a value says where
// it comes from: a is 0..23 [2,3,4], b 100..123 [2,3,4], v 200..205 [6], x.0 and x.1 300.. and 400.. [2,2].
func TestRecipes(t *testing.T) {
	ckpt := open(t,
		counted("a", dtype.F32, 0, 2, 3, 4), counted("b", dtype.F32, 100, 2, 3, 4), counted("v", dtype.F32, 200, 6),
		counted("x.0", dtype.F32, 300, 2, 2), counted("x.1", dtype.F32, 400, 2, 2),
		counted("s.0", dtype.F32, 500), counted("s.1", dtype.F32, 501), counted("s.2", dtype.F32, 502))
	a, b, v := ir.Stored("a", 2, 3, 4), ir.Stored("b", 2, 3, 4), ir.Stored("v", 6)
	all := ir.Concat(0, v, ir.Each("s.{e}", 3)) // scalars, and what the other recipes leave out
	for _, tt := range []struct {
		name   string
		recipe *ir.Recipe
		ranks  int // 0: 1
		rank   int
		shape  []int
		want   []float32
	}{
		{"tensor", ir.Stored("x.0", 2, 2), 0, 0, []int{2, 2}, []float32{300, 301, 302, 303}},
		{"tensor of one dimension", v, 0, 0, []int{6}, []float32{200, 201, 202, 203, 204, 205}},
		{"each", ir.Each("x.{e}", 2, 2, 2), 0, 0, []int{2, 2, 2}, []float32{300, 301, 302, 303, 400, 401, 402, 403}},
		{"each of scalars", ir.Each("s.{e}", 3), 0, 0, []int{3}, []float32{500, 501, 502}},
		{"stack", ir.Stack(v, v), 0, 0, []int{2, 6}, []float32{200, 201, 202, 203, 204, 205, 200, 201, 202, 203, 204, 205}},
		{"stack of matrices", ir.Stack(ir.Stored("x.1", 2, 2), ir.Stored("x.0", 2, 2)), 0, 0, []int{2, 2, 2},
			[]float32{400, 401, 402, 403, 300, 301, 302, 303}},
		{"concat of vectors", ir.Concat(0, v, ir.Slice(v, 0, 1, 2)), 0, 0, []int{8}, []float32{200, 201, 202, 203, 204, 205, 201, 202}},
		{"concat along 0", ir.Concat(0, ir.Slice(a, 0, 1, 1), b), 0, 0, []int{3, 3, 4},
			[]float32{12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111,
				112, 113, 114, 115, 116, 117, 118, 119, 120, 121, 122, 123}},
		{"concat along 1", ir.Concat(1, ir.Slice(a, 1, 2, 1), ir.Slice(b, 1, 0, 2)), 0, 0, []int{2, 3, 4},
			[]float32{8, 9, 10, 11, 100, 101, 102, 103, 104, 105, 106, 107, 20, 21, 22, 23, 112, 113, 114, 115, 116, 117, 118, 119}},
		{"concat along 2", ir.Concat(2, ir.Slice(a, 2, 3, 1), ir.Slice(b, 2, 0, 2)), 0, 0, []int{2, 3, 3},
			[]float32{3, 100, 101, 7, 104, 105, 11, 108, 109, 15, 112, 113, 19, 116, 117, 23, 120, 121}},
		{"slice of a vector", ir.Slice(v, 0, 2, 3), 0, 0, []int{3}, []float32{202, 203, 204}},
		{"slice along 0", ir.Slice(a, 0, 1, 1), 0, 0, []int{1, 3, 4}, []float32{12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23}},
		{"slice along 1", ir.Slice(a, 1, 1, 2), 0, 0, []int{2, 2, 4}, []float32{4, 5, 6, 7, 8, 9, 10, 11, 16, 17, 18, 19, 20, 21, 22, 23}},
		{"slice along 2", ir.Slice(a, 2, 1, 2), 0, 0, []int{2, 3, 2}, []float32{1, 2, 5, 6, 9, 10, 13, 14, 17, 18, 21, 22}},
		{"shard along 0, rank 1 of 2", ir.Shard(a, 0, 2, 1), 2, 1, []int{1, 3, 4}, []float32{12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23}},
		{"shard along 1, rank 2 of 3", ir.Shard(a, 1, 3, 1), 3, 2, []int{2, 1, 4}, []float32{8, 9, 10, 11, 20, 21, 22, 23}},
		{"shard along 2, rank 0 of 2", ir.Shard(a, 2, 2, 1), 2, 0, []int{2, 3, 2}, []float32{0, 1, 4, 5, 8, 9, 12, 13, 16, 17, 20, 21}},
		{"shard for groups of 2, rank 1 of 4", ir.Shard(v, 0, 2, 2), 4, 1, []int{3}, []float32{200, 201, 202}},
		{"shard for groups of 2, rank 2 of 4", ir.Shard(v, 0, 2, 2), 4, 2, []int{3}, []float32{203, 204, 205}},
		{"lead, rank 0", ir.Lead(v), 2, 0, []int{6}, []float32{200, 201, 202, 203, 204, 205}},
		{"lead, rank 1", ir.Lead(v), 2, 1, []int{6}, []float32{0, 0, 0, 0, 0, 0}},
		{"shard of a concat, across its seam", ir.Shard(ir.Concat(0, ir.Slice(v, 0, 0, 1), v, ir.Slice(v, 0, 5, 1)), 0, 2, 1), 2, 1,
			[]int{4}, []float32{203, 204, 205, 205}},
		{"experts as they are sharded", ir.Shard(ir.Concat(0, ir.Each("x.{e}", 2, 2, 2), ir.Stack(ir.Stored("x.0", 2, 2))), 2, 2, 1), 2, 1,
			[]int{3, 2, 1}, []float32{301, 303, 401, 403, 301, 303}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := weight(t, "w", dtype.F32, tt.recipe)
			rest := weight(t, "rest", dtype.F32, all)
			p := planOf(t, max(tt.ranks, 1), w, rest, weight(t, "a", dtype.F32, a), weight(t, "b", dtype.F32, b),
				weight(t, "x", dtype.F32, ir.Each("x.{e}", 2, 2, 2)))
			l, err := NewLoader(p, ckpt)
			if err != nil {
				t.Fatal(err)
			}
			diffTensor(t, load(t, l, w, tt.rank, dtype.F32), tt.shape, tt.want)
		})
	}
}

// TestConversions stores values in every format and asks for every other.
func TestConversions(t *testing.T) {
	// Two rows. 1.0625 needs four bits behind the point, which e4m3 does not have; 448/10 and 448/2 scale the
	// rows where they are quantised.
	in := []float32{1, -2, 10, 1.0625, 0.5, 2, -1, 0}
	scale := values("w_scale", dtype.F32, []int{2, 1}, 0.25, 3)
	bf16Scale := values("w_scale", dtype.BF16, []int{2, 1}, 0.25, 3)
	quantised := func() []float32 {
		out := make([]float32, 8)
		for r, largest := range []float32{10, 2} {
			k := largest / 448
			for i := r * 4; i < r*4+4; i++ {
				out[i] = dtype.F8E4M3ToF32(dtype.F32ToF8E4M3(in[i]/k)) * k
			}
		}
		return out
	}()
	scaled := []float32{0.25, -0.5, 2.5, 0.25, 1.5, 6, -3, 0} // 1.0625 is stored as 1
	for _, stored := range []struct {
		name    string
		tensors []fileTensor
		wide    []float32
		fp8     []float32
	}{
		{"f32", []fileTensor{values("w", dtype.F32, []int{2, 4}, in...)}, in, quantised},
		{"bf16", []fileTensor{values("w", dtype.BF16, []int{2, 4}, in...)}, in, quantised},
		{"f16", []fileTensor{values("w", dtype.F16, []int{2, 4}, in...)}, in, quantised},
		{"fp8", []fileTensor{values("w", dtype.F8E4M3, []int{2, 4}, in...), scale}, scaled, scaled},
		{"fp8 with bf16 scales", []fileTensor{values("w", dtype.F8E4M3, []int{2, 4}, in...), bf16Scale}, scaled, scaled},
		{"fp8 with scales of one dimension", []fileTensor{values("w", dtype.F8E4M3, []int{2, 4}, in...),
			values("w_scale", dtype.F16, []int{2}, 0.25, 3)}, scaled, scaled},
	} {
		for d, want := range map[dtype.DType][]float32{dtype.F32: stored.wide, dtype.BF16: stored.wide, dtype.F16: stored.wide, dtype.F8E4M3: stored.fp8} {
			t.Run(fmt.Sprintf("%s to %s", stored.name, d), func(t *testing.T) {
				w := weight(t, "w", d, ir.Stored("w", 2, 4))
				l, err := NewLoader(planOf(t, 1, w), open(t, stored.tensors...))
				if err != nil {
					t.Fatal(err)
				}
				got := load(t, l, w, 0, d)
				if got.DType != d {
					t.Errorf("dtype is %s", got.DType)
				}
				diffTensor(t, got, []int{2, 4}, want)
			})
		}
	}
}

// TestNarrowingRounds converts what the target cannot hold: to nearest, ties to even, fp8 scales before.
func TestNarrowingRounds(t *testing.T) {
	w := weight(t, "w", dtype.BF16, ir.Stored("w", 1, 3))
	l, err := NewLoader(planOf(t, 1, w), open(t, values("w", dtype.F32, []int{1, 3}, 1+0x1p-8, 1+3*0x1p-8, 1+0x1p-7)))
	if err != nil {
		t.Fatal(err)
	}
	diffTensor(t, load(t, l, w, 0, dtype.BF16), []int{1, 3}, []float32{1, 1 + 0x1p-6, 1 + 0x1p-7})
	diffTensor(t, load(t, l, w, 0, dtype.F16), []int{1, 3}, []float32{1 + 0x1p-8, 1 + 3*0x1p-8, 1 + 0x1p-7})

	l, err = NewLoader(planOf(t, 1, w), open(t, values("w", dtype.F8E4M3, []int{1, 3}, 1, 3, 448), values("w_scale", dtype.F32, []int{1, 1}, 1+0x1p-8)))
	if err != nil {
		t.Fatal(err)
	}
	diffTensor(t, load(t, l, w, 0, dtype.BF16), []int{1, 3}, []float32{1, 3 + 0x1p-6, 450})
}

// TestQuantisingAPartTakesTheScaleOfTheWholeRow: otherwise ranks would disagree about a row, and a sum over ranks
// would depend on their number.
func TestQuantisingAPartTakesTheScaleOfTheWholeRow(t *testing.T) {
	whole := weight(t, "whole", dtype.F8E4M3, ir.Stored("w", 2, 4))
	part := weight(t, "part", dtype.F8E4M3, ir.Shard(ir.Stored("w", 2, 4), 1, 2, 1))
	l, err := NewLoader(planOf(t, 2, whole, part), open(t, values("w", dtype.BF16, []int{2, 4}, 1, 2, 3, 448, 896, 5, 6, 7)))
	if err != nil {
		t.Fatal(err)
	}
	all := load(t, l, whole, 0, dtype.F8E4M3)
	diffTensor(t, all, []int{2, 4}, []float32{1, 2, 3, 448, 896, 5, 6, 7})
	for rank, want := range [][]float32{{1, 2, 896, 5}, {3, 448, 6, 7}} {
		got := load(t, l, part, rank, dtype.F8E4M3)
		diffTensor(t, got, []int{2, 2}, want)
		if got.Scale[0] != 1 || got.Scale[1] != 2 {
			t.Errorf("rank %d has the scales %v, the whole row has %v", rank, got.Scale, all.Scale)
		}
	}
}

func TestPartsWithDifferentScalesDoNotMakeARow(t *testing.T) {
	scales := func(k float32) fileTensor { return values("b_scale", dtype.F32, []int{2, 1}, 1, k) }
	w := weight(t, "w", dtype.F8E4M3, ir.Concat(1, ir.Stored("a", 2, 1), ir.Stored("b", 2, 1)))
	for _, k := range []float32{2, 3} {
		l, err := NewLoader(planOf(t, 1, w), open(t, values("a", dtype.F8E4M3, []int{2, 1}, 1, 2), values("a_scale", dtype.F32, []int{2, 1}, 1, 2),
			values("b", dtype.F8E4M3, []int{2, 1}, 3, 4), scales(k)))
		if err != nil {
			t.Fatal(err)
		}
		got, err := l.Load(w, 0, dtype.F8E4M3)
		if k != 2 {
			wantError(t, err, "weight w", "row 1", "different scales in fp8_e4m3 (2 and 3)")
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		diffTensor(t, got, []int{2, 2}, []float32{1, 3, 4, 8})
	}
}

// TestQuantisesAsActivationsAre: the scale of a row is the one of dtype.QuantizeF8E4M3, also for odd rows.
func TestQuantisesAsActivationsAre(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	rows := []float32{0, 0, 0, nan, 2, -7, nan, nan, nan, 1e-20, 0, -1e-20, inf, 1, -inf, 448, -449, 0.001}
	w := weight(t, "w", dtype.F8E4M3, ir.Stored("w", 6, 3))
	l, err := NewLoader(planOf(t, 1, w), open(t, values("w", dtype.F32, []int{6, 3}, rows...)))
	if err != nil {
		t.Fatal(err)
	}
	got := load(t, l, w, 0, dtype.F8E4M3)
	want := make([]float32, 3)
	for r := range 6 {
		scale := dtype.QuantizeF8E4M3(want, rows[3*r:3*r+3])
		if got.Scale[r] != scale {
			t.Errorf("row %d has scale %g, want %g", r, got.Scale[r], scale)
		}
		for i, v := range want {
			if x := dtype.F8E4M3ToF32(got.U8[3*r+i]); x != v && (x == x || v == v) {
				t.Errorf("row %d, column %d is %g, want %g", r, i, x, v)
			}
		}
	}
}
