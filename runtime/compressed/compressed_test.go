package compressed_test

import (
	"bytes"
	"encoding/json"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/dsl/config"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/runtime/compressed"
	"github.com/glmc/glmc/runtime/safetensors"
)

// TestConfigIsRead: what is written is what package config reads.
func TestConfigIsRead(t *testing.T) {
	for _, d := range []dtype.DType{dtype.F8E4M3, dtype.I8, dtype.I4} {
		for _, dynamic := range []bool{false, true} {
			q, err := compressed.Config(d, dynamic, []string{"lm_head", `re:.*gate$`})
			if dynamic && d != dtype.F8E4M3 {
				if err == nil {
					t.Errorf("%s with quantised activations is taken", d)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			text, err := json.Marshal(map[string]any{"quantization_config": q})
			if err != nil {
				t.Fatal(err)
			}
			doc, err := config.Parse("config.json", text)
			if err != nil {
				t.Fatal(err)
			}
			got, err := doc.Quantization()
			if err != nil {
				t.Fatal(err)
			}
			if got.Weights != d || got.Dynamic != dynamic || !got.Ignores("lm_head") || !got.Ignores("a.gate") || got.Ignores("a.gate_proj") {
				t.Errorf("%s, dynamic %v: %+v", d, dynamic, got)
			}
		}
	}
	if _, err := compressed.Config(dtype.BF16, false, nil); err == nil {
		t.Error("bf16 is taken")
	}
}

// TestTensors has the names, formats and shapes of a weight [6, 128].
func TestTensors(t *testing.T) {
	type tensor struct {
		Name, Format string
		Shape        []int
	}
	for d, want := range map[dtype.DType][]tensor{
		dtype.F8E4M3: {{"w_scale", "f32", []int{6, 1}}, {"w", "fp8_e4m3", []int{6, 128}}},
		dtype.I8:     {{"w_scale", "f32", []int{6, 1}}, {"w", "int8", []int{6, 128}}},
		dtype.I4:     {{"w_scale", "bf16", []int{6, 2}}, {"w_packed", "i32", []int{6, 16}}, {"w_shape", "I64", []int{2}}},
	} {
		var got []tensor
		for _, x := range compressed.Tensors("w", d, []int{6, 128}, safetensors.FromBytes(nil), func(io.Writer) error { return nil }) {
			format := x.FileDType
			if x.DType.Valid() {
				format = x.DType.String()
			}
			got = append(got, tensor{x.Name, format, x.Shape})
			if x.Name == "w_shape" {
				var b bytes.Buffer
				if err := x.Data(&b); err != nil || !bytes.Equal(b.Bytes(), []byte{6, 0, 0, 0, 0, 0, 0, 0, 128, 0, 0, 0, 0, 0, 0, 0}) {
					t.Errorf("the shape is stored as %v (%v)", b.Bytes(), err)
				}
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", d, diff)
		}
	}
	for d, fits := range map[dtype.DType]bool{dtype.I8: true, dtype.I4: false} {
		if compressed.Fits(d, []int{6, 96}) != fits || compressed.Fits(d, []int{2, 6, 128}) {
			t.Errorf("what fits into %s", d)
		}
	}
}
