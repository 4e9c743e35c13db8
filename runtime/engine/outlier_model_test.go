package engine_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/runtime/safetensors"
)

// outlierChannels are those of the small model's 256 that outlierModel makes large, by outlierFactor.
var outlierChannels = []int{17, 200}

const outlierFactor = 16

// outlierModel is the small model with outliers, as large models have them: in what the norms of its layers give, two channels
// are sixteen times as large. The columns of the weights that read them are as much smaller, so that it is the same
// function: powers of two change no digit of a bfloat16.
func outlierModel(t *testing.T) *golden {
	t.Helper()
	small := smallModel(t)
	var tensors []safetensors.WriteTensor
	for _, name := range small.ckpt.Names() {
		v, err := small.ckpt.Tensor(name)
		if err != nil {
			t.Fatal(err)
		}
		x := make([]float32, v.Elems())
		if err := v.ToF32(x); err != nil {
			t.Fatal(err)
		}
		width := v.Shape[len(v.Shape)-1]
		by := outlierScale(name)
		for row := 0; row < len(x) && by != 1; row += width {
			for _, c := range outlierChannels {
				x[row+c] *= by
			}
		}
		w := safetensors.WriteTensor{Name: name, DType: v.DType, Shape: v.Shape, Data: safetensors.FromFloat32s(x)}
		if v.DType == dtype.BF16 {
			raw := make([]byte, 0, 2*len(x))
			for _, f := range x {
				h := dtype.F32ToBF16(f)
				raw = append(raw, byte(h), byte(h>>8))
			}
			w.Data = safetensors.FromBytes(raw)
		}
		tensors = append(tensors, w)
	}
	path := filepath.Join(t.TempDir(), "model.safetensors")
	if err := safetensors.Write(path, tensors, nil); err != nil {
		t.Fatal(err)
	}
	g := *small
	var err error
	if g.ckpt, err = safetensors.OpenFile(path); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.ckpt.Close() })
	return &g
}

// outlierScale is by what a tensor's outlier channels are multiplied.
func outlierScale(name string) float32 {
	reads := []string{"q_proj.weight", "k_proj.weight", "v_proj.weight", "mlp.gate.weight", "gate_proj.weight", "up_proj.weight"}
	switch {
	case !strings.HasPrefix(name, "model.layers."):
		return 1
	case strings.HasSuffix(name, "_layernorm.weight"):
		return outlierFactor
	case slices.ContainsFunc(reads, func(suffix string) bool { return strings.HasSuffix(name, suffix) }):
		return 1.0 / outlierFactor
	}
	return 1
}
