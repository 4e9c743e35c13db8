package kernels_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/kernels/kerneltest"
)

// Weights in panels have the values that they had in rows.
func TestPanelsHoldTheValuesOfRows(t *testing.T) {
	r := kerneltest.NewRand(1)
	for _, d := range []dtype.DType{dtype.F32, dtype.BF16, dtype.F8E4M3, dtype.I8, dtype.I4} {
		for _, shape := range [][]int{{1, 2}, {33, 70}, {3, 40, 64}, {2, 32, 130}} {
			w := r.Weights(d, shape...)
			want := kerneltest.Dequantise(w)
			got := kerneltest.Dequantise(w.InPanels())
			if diff := cmp.Diff(want.F32, got.F32); diff != "" {
				t.Errorf("%v %v (-rows +panels)\n%s", d, shape, diff)
			}
		}
	}
}

// A row of e4m3 weights with a NaN has the scale NaN in panels; its neighbours and other formats keep theirs.
func TestScalesOfRowsWithNaN(t *testing.T) {
	r := kerneltest.NewRand(1)
	for _, d := range []dtype.DType{dtype.F8E4M3, dtype.I8} {
		w := r.Weights(d, 2, 40, 30)
		w.U8[43*30+29], w.U8[70*30] = 0x7f, 0xff
		got := w.InPanels()
		for i, s := range got.Scale {
			damaged := d == dtype.F8E4M3 && (i == 43 || i == 70)
			if damaged != (s != s) || !damaged && s != w.Scale[i] {
				t.Errorf("%v: row %d has scale %g, was %g", d, i, s, w.Scale[i])
			}
		}
	}
}
