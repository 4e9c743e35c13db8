package weights

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/runtime/safetensors"
)

// A layer of GLM-4.7's experts, narrowed to a tenth so that it fits everywhere: 161 experts with as many rows as
// the real ones have, of a tenth of the columns. A gate projection takes 253 MB in bf16.
const (
	benchExperts = 161
	benchInner   = 1536
	benchHidden  = 512
)

// benchCheckpoint stores the gate and the down projections of a layer's experts one by one, or stacked.
func benchCheckpoint(b *testing.B, d dtype.DType, stacked bool) *safetensors.Checkpoint {
	b.Helper()
	bytes := make([]byte, benchExperts*benchInner*benchHidden*d.Size())
	for i := range bytes {
		bytes[i] = byte(i*7) & 0x3f // ordinary numbers in every format
	}
	var tensors []safetensors.WriteTensor
	add := func(name string, shape ...int) {
		tensors = append(tensors, safetensors.WriteTensor{Name: name, DType: d, Shape: shape,
			Data: safetensors.FromBytes(bytes[:product(shape)*d.Size()])})
		if d == dtype.F8E4M3 {
			scales := make([]float32, product(shape[:len(shape)-1]))
			tensors = append(tensors, safetensors.WriteTensor{Name: name + "_scale", DType: dtype.F32, Shape: append(shape[:len(shape)-1:len(shape)-1], 1),
				Data: safetensors.FromFloat32s(scales)})
		}
	}
	if stacked {
		add("gate", benchExperts, benchInner, benchHidden)
		add("down", benchExperts, benchHidden, benchInner)
	} else {
		for e := range benchExperts {
			add(fmt.Sprintf("gate.%d", e), benchInner, benchHidden)
			add(fmt.Sprintf("down.%d", e), benchHidden, benchInner)
		}
	}
	path := filepath.Join(b.TempDir(), "layer.safetensors")
	if err := safetensors.Write(path, tensors, nil); err != nil {
		b.Fatal(err)
	}
	ckpt, err := safetensors.OpenFile(path)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { ckpt.Close() })
	return ckpt
}

// BenchmarkLoad makes the weight of a layer's experts: view where they are stored stacked as they are wanted, a
// copy, a copy of one rank's part, and conversions. MB/s are those of the result.
func BenchmarkLoad(b *testing.B) {
	gate := ir.Each("gate.{e}", benchExperts, benchInner, benchHidden)
	down := ir.Each("down.{e}", benchExperts, benchHidden, benchInner)
	for _, bm := range []struct {
		name    string
		stored  dtype.DType
		stacked bool
		recipe  *ir.Recipe
		d       dtype.DType
	}{
		{"view", dtype.BF16, true, ir.Stored("gate", benchExperts, benchInner, benchHidden), dtype.BF16},
		{"copy", dtype.BF16, false, gate, dtype.BF16},
		{"rows of rank 3 of 8", dtype.BF16, false, ir.Shard(gate, 1, 8, 1), dtype.BF16},
		{"columns of rank 3 of 8", dtype.BF16, false, ir.Shard(down, 2, 8, 1), dtype.BF16},
		{"bf16 to fp8", dtype.BF16, false, gate, dtype.F8E4M3},
		{"bf16 to f32", dtype.BF16, false, gate, dtype.F32},
		{"fp8", dtype.F8E4M3, false, gate, dtype.F8E4M3},
		{"fp8 to f32", dtype.F8E4M3, false, gate, dtype.F32},
	} {
		b.Run(bm.name, func(b *testing.B) {
			ckpt := benchCheckpoint(b, bm.stored, bm.stacked)
			shape, err := bm.recipe.OutShape()
			if err != nil {
				b.Fatal(err)
			}
			w := &ir.Weight{Name: "w", DType: bm.d, Shape: shape, Recipe: bm.recipe}
			l := benchLoader(b, ckpt)
			b.SetBytes(w.Bytes())
			b.ReportAllocs()
			for b.Loop() {
				clear(l.shared)
				if _, err := l.Load(w, 3, bm.d); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// benchLoader opens a loader without the checks that all of the checkpoint is used.
func benchLoader(b *testing.B, ckpt *safetensors.Checkpoint) *Loader {
	b.Helper()
	r, err := newResolver(planOf(b, 8), ckpt)
	if err != nil {
		b.Fatal(err)
	}
	return &Loader{resolver: r, prepared: map[Want]*made{}, shared: map[form]kernels.Tensor{}}
}
