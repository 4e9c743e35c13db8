package weights

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/kernels/kerneltest"
	"github.com/glmc/glmc/runtime/packed"
)

// TestPackedFile: weights of a packed file are those that would be made, in every format and layout, and nothing is made
// then; what lies in the checkpoint as it is wanted is not copied.
func TestPackedFile(t *testing.T) {
	const rows, cols = 40, 128
	w := weight(t, "w", dtype.F32, ir.Each("x{e}", 2, rows, cols))
	first := weight(t, "first", dtype.F32, ir.Stored("x0", rows, cols))
	ckpt := open(t, counted("x0", dtype.F32, 0, rows, cols), counted("x1", dtype.F32, 3, rows, cols))
	p := planOf(t, 1, w, first)
	wants := []Want{{Weight: w, DType: dtype.F32}, {Weight: w, DType: dtype.F16}, {Weight: first, DType: dtype.F32}}
	for _, d := range []dtype.DType{dtype.BF16, dtype.F8E4M3, dtype.I8, dtype.I4} {
		for _, layout := range []kernels.Layout{kernels.RowMajor, kernels.Panels} {
			wants = append(wants, Want{Weight: w, DType: d, Layout: layout})
		}
	}
	prepared := func() *Loader {
		t.Helper()
		l, err := NewLoader(p, ckpt)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.Prepare(wants); err != nil {
			t.Fatal(err)
		}
		return l
	}
	path := filepath.Join(t.TempDir(), packed.Name)
	list, _, err := prepared().WritePacked(context.Background(), path, append(wants, wants...))
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != len(wants)-1 { // without first, which is a part of the checkpoint
		t.Errorf("the file holds %d weights, want %d", len(list), len(wants)-1)
	}
	file, err := packed.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()

	plain, from := prepared(), prepared()
	if err := from.FromFile(file); err != nil {
		t.Fatal(err)
	}
	if size, err := from.Prepare(wants); err != nil || size != 0 {
		t.Errorf("%d bytes are wanted beside the file: %v", size, err)
	}
	if diff := cmp.Diff(Stats{Packed: len(wants) - 1, Mapped: 1}, from.Stats()); diff != "" {
		t.Errorf("where weights come from (-want +got)\n%s", diff)
	}
	for _, x := range wants {
		want, err := plain.Make(x)
		if err != nil {
			t.Fatal(err)
		}
		got, err := from.Make(x)
		if err != nil {
			t.Fatal(err)
		}
		if got.Layout != x.Layout || got.DType != x.DType {
			t.Errorf("%s in layout %d for %s in layout %d", got.DType, got.Layout, x.DType, x.Layout)
		}
		if diff := cmp.Diff(kerneltest.Dequantise(want).F32, kerneltest.Dequantise(got).F32); diff != "" {
			t.Errorf("%s in layout %d (-made +packed)\n%s", x.DType, x.Layout, diff)
		}
	}

	// A file that says another size for a weight than it has.
	wrong := storageOf(dtype.BF16, []int{rows, cols + 2}, kernels.RowMajor)
	_, err = wrong.over(file.Bytes(&file.Weights()[0]))
	wantError(t, err, "the packed file has", "glmc pack")

	other, err := NewLoader(p, open(t, counted("x0", dtype.F32, 0, rows, cols), counted("x1", dtype.BF16, 3, rows, cols)))
	if err != nil {
		t.Fatal(err)
	}
	wantError(t, other.FromFile(file), "another checkpoint")
}
