package weights

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/kernels/dtype"
)

func TestStoredDType(t *testing.T) {
	for _, tt := range []struct {
		name    string
		tensors []fileTensor
		want    dtype.DType
	}{
		{"nothing", nil, dtype.Invalid},
		{"vectors only", []fileTensor{counted("norm", dtype.F32, 0, 4)}, dtype.Invalid},
		{"most values", []fileTensor{counted("a", dtype.F32, 0, 2, 2), counted("b", dtype.F32, 0, 2, 2), counted("c", dtype.BF16, 0, 9, 2)}, dtype.BF16},
		{"norms do not count", []fileTensor{counted("norm", dtype.F32, 0, 400), counted("a", dtype.F16, 0, 2, 2)}, dtype.F16},
		{"nor do fp8 and scales", []fileTensor{counted("a", dtype.F8E4M3, 0, 9, 9), counted("a_scale", dtype.F32, 0, 9, 1), counted("head", dtype.BF16, 0, 2, 2)}, dtype.BF16},
		{"the wider of equally many", []fileTensor{counted("a", dtype.BF16, 0, 2, 2), counted("b", dtype.F32, 0, 2, 2)}, dtype.F32},
	} {
		got, err := StoredDType(open(t, tt.tensors...))
		if err != nil || got != tt.want {
			t.Errorf("%s: %s (%v), want %s", tt.name, got, err, tt.want)
		}
	}
}

// TestRounded: what loses precision is told once, whatever the ranks, and what is only widened or seen as it is, not.
func TestRounded(t *testing.T) {
	a := weight(t, "a", dtype.BF16, ir.Shard(ir.Stored("a", 4, 2), 0, 2, 1))
	b := weight(t, "b", dtype.BF16, ir.Stack(ir.Stored("b.0", 2), ir.Stored("b.1", 2)))
	c := weight(t, "c", dtype.F32, ir.Stored("c", 2, 2))
	p := planOf(t, 2, a, b, c)
	l, err := NewLoader(p, open(t, counted("a", dtype.F32, 0, 4, 2), counted("b.0", dtype.BF16, 0, 2), counted("b.1", dtype.F32, 0, 2), counted("c", dtype.F16, 0, 2, 2)))
	if err != nil {
		t.Fatal(err)
	}
	for rank := range 2 {
		for _, w := range p.Module.Weights {
			load(t, l, w, rank, w.DType)
		}
	}
	if diff := cmp.Diff([]Rounded{{dtype.F32, dtype.BF16, []string{"a", "b"}}}, l.Rounded()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	load(t, l, c, 0, dtype.BF16)
	if diff := cmp.Diff(Rounded{dtype.F16, dtype.BF16, []string{"c"}}, l.Rounded()[1]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
