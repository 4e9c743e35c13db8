package weights

import (
	"math"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/kernels/kerneltest"
	"github.com/glmc/glmc/runtime/hugepages"
)

// TestPanels: weights in panels have the values that they have in rows, whatever they are made of.
func TestPanels(t *testing.T) {
	const rows, cols, ranks = 74, 128, 2
	whole := func(name string) *ir.Recipe { return ir.Stored(name, rows, cols) }
	for _, tt := range []struct {
		name   string
		recipe *ir.Recipe
	}{
		{"a stored tensor", whole("a")},
		{"its rows", ir.Shard(whole("a"), 0, ranks, 1)},
		{"its columns", ir.Shard(whole("a"), 1, ranks, 1)},
		{"two in one, with a strip of both", ir.Concat(0, whole("a"), whole("b"))},
		{"experts", ir.Each("x{e}", 3, rows, cols)},
		{"rows of experts", ir.Shard(ir.Each("x{e}", 3, rows, cols), 1, ranks, 1)},
		{"columns of experts", ir.Shard(ir.Each("x{e}", 3, rows, cols), 2, ranks, 1)},
		{"zeros on other ranks, behind a strip with values", ir.Concat(0, ir.Slice(whole("a"), 0, 0, 40), ir.Lead(whole("b")))},
	} {
		for _, stored := range formats {
			var tensors []fileTensor
			for i, name := range []string{"a", "b", "x0", "x1", "x2"} {
				tensors = append(tensors, counted(name, stored, float32(i), rows, cols))
				if stored == dtype.F8E4M3 {
					tensors = append(tensors, counted(name+"_scale", dtype.F32, float32(1+i), rows, 1))
				}
			}
			w := weight(t, "w", dtype.BF16, tt.recipe)
			ws := []*ir.Weight{w}
			for _, name := range []string{"a", "b", "x0", "x1", "x2"} {
				ws = append(ws, weight(t, "all of "+name, dtype.F32, whole(name)))
			}
			l, err := NewLoader(planOf(t, ranks, ws...), open(t, tensors...))
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range []dtype.DType{dtype.BF16, dtype.F8E4M3, dtype.I8} {
				for rank := range ranks {
					want := load(t, l, w, rank, d)
					got := inRegion(t, l, Want{Weight: w, Rank: rank, DType: d, Layout: kernels.Panels})
					if got.Layout != kernels.Panels || got.DType != d {
						t.Fatalf("%s: %s in layout %d", tt.name, got.DType, got.Layout)
					}
					if diff := cmp.Diff(kerneltest.Dequantise(want).F32, kerneltest.Dequantise(got).F32); diff != "" {
						t.Errorf("%s, rank %d, %s to %s (-rows +panels)\n%s", tt.name, rank, stored, d, diff)
					}
				}
			}
		}
	}
}

// inRegion makes a weight in a region that has room for what Prepare says.
func inRegion(t *testing.T, l *Loader, w Want) kernels.Tensor {
	t.Helper()
	size, err := l.Prepare([]Want{w})
	if err != nil {
		t.Fatal(err)
	}
	memory, err := hugepages.New(size)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { memory.Close() })
	clear(l.shared)
	l.Into(memory)
	defer l.Into(nil)
	made, err := l.Make(w)
	if err != nil {
		t.Fatal(err)
	}
	if used := memory.Used(); used != size {
		t.Errorf("weight %s takes %d bytes, Prepare said %d", w.Weight.Name, used, size)
	}
	return made
}

// TestSharedPanels: an embedding that is the head too is held once, in panels.
func TestSharedPanels(t *testing.T) {
	embed, head := weight(t, "embed", dtype.BF16, ir.Stored("embed", 40, 6)), weight(t, "head", dtype.BF16, ir.Stored("embed", 40, 6))
	l, err := NewLoader(planOf(t, 1, embed, head), open(t, counted("embed", dtype.BF16, 0, 40, 6)))
	if err != nil {
		t.Fatal(err)
	}
	wants := []Want{{Weight: embed, DType: dtype.BF16, AnyLayout: true}, {Weight: head, DType: dtype.BF16, Layout: kernels.Panels}}
	size, err := l.Prepare(wants)
	if err != nil {
		t.Fatal(err)
	}
	if want := int64(64 * 6 * 2); size != want {
		t.Errorf("%d bytes are wanted, not %d", size, want)
	}
	var made []kernels.Tensor
	for _, w := range wants {
		m, err := l.Make(w)
		if err != nil {
			t.Fatal(err)
		}
		made = append(made, m)
	}
	if made[0].Layout != kernels.Panels || &made[0].U16[0] != &made[1].U16[0] {
		t.Error("the embedding is held twice")
	}
}

// TestPanelsAreMadeOnce: making a weight in panels takes no second copy of it.
func TestPanelsAreMadeOnce(t *testing.T) {
	const rows, cols = 4096, 512
	for _, d := range []dtype.DType{dtype.BF16, dtype.F8E4M3} {
		w := weight(t, "w", d, ir.Stored("a", rows, cols))
		l, err := NewLoader(planOf(t, 1, w), open(t, counted("a", dtype.F32, 0, rows, cols)))
		if err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		inRegion(t, l, Want{Weight: w, DType: d, Layout: kernels.Panels})
		runtime.ReadMemStats(&after)
		const spare = 256 << 10
		if took := after.TotalAlloc - before.TotalAlloc; took > spare {
			t.Errorf("%s: %d bytes of Go's heap were taken beside the region", d, took)
		}
	}
}

// TestPanelsOfDamagedRows: a row of e4m3 weights with a NaN has the scale NaN in panels, from the file and where it is assembled.
func TestPanelsOfDamagedRows(t *testing.T) {
	const rows, cols = 70, 12
	v := make([]float32, rows*cols)
	v[35*cols+7] = float32(math.NaN())
	stored := []fileTensor{values("a", dtype.F8E4M3, []int{rows, cols}, v...), counted("a_scale", dtype.F32, 1, rows, 1)}
	whole := func() *ir.Recipe { return ir.Stored("a", rows, cols) }
	for name, recipe := range map[string]*ir.Recipe{"stored": whole(), "assembled": ir.Concat(0, whole(), whole())} {
		w := weight(t, "w", dtype.F8E4M3, recipe)
		l, err := NewLoader(planOf(t, 1, w), open(t, stored...))
		if err != nil {
			t.Fatal(err)
		}
		got := inRegion(t, l, Want{Weight: w, DType: dtype.F8E4M3, Layout: kernels.Panels})
		for i, s := range got.Scale {
			if damaged := i%rows == 35; damaged != (s != s) || !damaged && s != float32(1+i%rows) {
				t.Errorf("%s: row %d has scale %g", name, i, s)
			}
		}
	}
}
