// Package compressed is the layout in which compressed-tensors stores quantised checkpoints
// (https://github.com/vllm-project/compressed-tensors): the tensors of a quantised weight, and the quantization_config of
// config.json. What is read and what is written here is the same: package dsl/config reads the configuration.
//
// The weight [N, K] of a module is stored as
//
//	float-quantized  weight        F8_E4M3 [N, K]     weight_scale  f32 [N, 1]
//	int-quantized    weight        I8 [N, K]          weight_scale  f32 [N, 1]
//	pack-quantized   weight_packed I32 [N, K/8]       weight_scale  bf16 [N, K/64]     weight_shape  I64 [2]
//
// with weight = code * scale. A number of weight_packed holds eight 4-bit codes, the first in its lowest bits, each its
// value + 8; its bytes are those of dtype.I4.
package compressed

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"

	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/runtime/safetensors"
)

// What stands behind a weight's name in those of the tensors that belong to it.
const (
	PackedSuffix = "_packed"
	ScaleSuffix  = "_scale"
	ShapeSuffix  = "_shape"
)

// PackedCodes is how many codes a number of weight_packed holds.
const PackedCodes = 8

// Fits reports whether a weight can be stored in d, one of the formats with scales: matrices can, in I4 those of
// whole groups.
func Fits(d dtype.DType, shape []int) bool {
	return len(shape) == 2 && (d != dtype.I4 || shape[1]%dtype.Group == 0)
}

// ScaleShape is the shape of the scales of a weight.
func ScaleShape(d dtype.DType, shape []int) []int {
	scales := slices.Clone(shape)
	if last := &scales[len(scales)-1]; d == dtype.I4 {
		*last /= dtype.Group
	} else {
		*last = 1
	}
	return scales
}

// ScaleDType is the dtype of the scales of weights in d.
func ScaleDType(d dtype.DType) dtype.DType {
	if d == dtype.I4 {
		return dtype.BF16
	}
	return dtype.F32
}

// Tensors are the tensors of a weight in d: its codes, as bytes of d, its scales, as ScaleDType's, and what else there is
// of it.
func Tensors(name string, d dtype.DType, shape []int, codes, scales func(io.Writer) error) []safetensors.WriteTensor {
	scale := safetensors.WriteTensor{Name: name + ScaleSuffix, DType: ScaleDType(d), Shape: ScaleShape(d, shape), Data: scales}
	if d != dtype.I4 {
		return []safetensors.WriteTensor{scale, {Name: name, DType: d, Shape: shape, Data: codes}}
	}
	packed := slices.Clone(shape)
	packed[len(packed)-1] /= PackedCodes
	return []safetensors.WriteTensor{
		scale,
		{Name: name + PackedSuffix, DType: dtype.I32, Shape: packed, Data: codes},
		{Name: name + ShapeSuffix, FileDType: "I64", Shape: []int{len(shape)}, Data: func(w io.Writer) error {
			var b []byte
			for _, n := range shape {
				b = binary.LittleEndian.AppendUint64(b, uint64(n))
			}
			_, err := w.Write(b)
			return err
		}},
	}
}

// formats are the names of the formats.
var formats = map[dtype.DType]string{dtype.F8E4M3: "float-quantized", dtype.I8: "int-quantized", dtype.I4: "pack-quantized"}

// Config is the quantization_config of a checkpoint whose Linear modules have weights in d, but those that ignore names or,
// behind "re:", matches. Activations are quantised to F8E4M3 per token where dynamic says so, which goes with F8E4M3 only.
func Config(d dtype.DType, dynamic bool, ignore []string) (map[string]any, error) {
	format := formats[d]
	if format == "" || dynamic && d != dtype.F8E4M3 {
		return nil, fmt.Errorf("there is no format for weights in %s with quantised activations %v", d, dynamic)
	}
	weights := scheme(d, "channel", nil, false)
	if d == dtype.I4 {
		weights = scheme(d, "group", dtype.Group, false)
	}
	var inputs any
	if dynamic {
		inputs = scheme(d, "token", nil, true)
	}
	return map[string]any{
		"quant_method": "compressed-tensors", "format": format, "quantization_status": "compressed",
		"kv_cache_scheme": nil, "ignore": ignore,
		"config_groups": map[string]any{"group_0": map[string]any{
			"format":  format, // without it readers take int8 weights alone for packed ones
			"targets": []string{"Linear"}, "weights": weights, "input_activations": inputs, "output_activations": nil,
		}},
	}, nil
}

func scheme(d dtype.DType, strategy string, group any, dynamic bool) map[string]any {
	kind := "int"
	if d.IsFloat() {
		kind = "float"
	}
	s := map[string]any{"num_bits": d.Bits(), "type": kind, "strategy": strategy, "dynamic": dynamic, "symmetric": true}
	if group != nil {
		s["group_size"] = group
	}
	return s
}
