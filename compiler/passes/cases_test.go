package passes

import (
	"errors"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/verify/machine"
	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
)

// TestCasesKeepTheirBits runs both sides of every case of the passes that clean up and merge on the reference kernels:
// the results are the same to the bit. Families of models hardly ever compute anything twice or in vain, so that
// scenarios of them do not show it.
func TestCasesKeepTheirBits(t *testing.T) {
	for _, p := range []*Pass{removeDead, removeIdentities, shareCommon, mergeQKV, mergeGateUp} {
		files, err := filepath.Glob(filepath.Join("testdata", p.Name, "*.txtar"))
		if err != nil {
			t.Fatal(err)
		}
		ran := 0
		for _, file := range files {
			c := readCase(t, file)
			m, err := ir.Parse(c.before)
			if err != nil {
				t.Fatal(err)
			}
			m.SweepWeights()
			want := executeCase(t, file, m)
			if want == nil {
				continue // a rank's part of a value, which other ranks do not have
			}
			ran++
			if _, err := runOne(p, nil, m, parseOptions(t, c.comment)); err != nil {
				t.Fatal(err)
			}
			for i, out := range executeCase(t, file, m) {
				if !machine.SameBits(want[i].F32, out.F32) || !slices.Equal(want[i].I32, out.I32) || !slices.Equal(want[i].Shape, out.Shape) {
					t.Errorf("%s: result %d is not what it was", file, i)
				}
			}
		}
		if ran < len(files)-1 {
			t.Errorf("%d of %d cases of %s were run", ran, len(files), p.Name)
		}
	}
}

// executeCase gives the results of all entries of a case for a step of two sequences, nil where ranks differ in them.
func executeCase(t *testing.T, file string, m *ir.Module) []kernels.Tensor {
	t.Helper()
	x := newMachine(t, m, nil)
	var all []kernels.Tensor
	for _, g := range m.Graphs {
		in := machine.Batch{Lengths: []int{3, 2}, From: []int{0, 4}, Rows: []int32{2, 4}}.Inputs(8, 1)
		sizes := machine.SizesOf(in)
		rng := rand.New(rand.NewPCG(1, 1))
		for _, v := range g.Inputs {
			if _, ok := in[v.Input]; ok {
				continue
			}
			if v.Type.DType == dtype.I32 {
				in[v.Input] = kernels.New(dtype.I32, v.Type.Shape.Eval(sizes)...)
				continue
			}
			values := kernels.New(dtype.F32, v.Type.Shape.Eval(sizes)...)
			for i := range values.F32 {
				values.F32[i] = float32(rng.NormFloat64())
			}
			in[v.Input] = values
		}
		out, err := x.Run(g, in)
		var differ *machine.RanksDifferError
		if errors.As(err, &differ) {
			return nil
		}
		if err != nil {
			t.Fatalf("%s: entry %s: %v", file, g.Name, err)
		}
		all = append(all, out...)
	}
	return all
}
