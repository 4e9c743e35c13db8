package kernels

import (
	"testing"

	"github.com/glmc/glmc/kernels/dtype"
)

// TestLoadI4 loads every run of a tensor of int4 codes.
func TestLoadI4(t *testing.T) {
	const n = 10
	w := New(dtype.I4, 1, n)
	want := []float32{-8, 7, 0, -1, 3, 5, -6, 1, 2, -3}
	w.Store(0, want)
	for from := range n + 1 {
		for to := from; to <= n; to++ {
			got := make([]float32, to-from)
			w.Load(got, from)
			for i, v := range got {
				if v != want[from+i] {
					t.Errorf("[%d, %d): element %d is %g, want %g", from, to, from+i, v, want[from+i])
				}
			}
		}
	}
}
