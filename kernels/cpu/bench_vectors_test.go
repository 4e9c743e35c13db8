package cpu_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/kernels/kerneltest"
)

// vectorCase is a kernel that works row by row, and has no product that is worth speaking of.
type vectorCase struct {
	name  string
	attrs kernels.Attrs
	call  *kernels.Call
}

// vectorSizes are those of a layer.
type vectorSizes struct {
	model                                            string
	hidden, width, experts, perToken, heads, kv, dim int
}

// BenchmarkVector has every other kernel, with a token and with a chunk of a prompt. The bytes are those of operands and results,
// which caches hold where there are few rows.
func BenchmarkVector(b *testing.B) {
	for _, s := range []vectorSizes{{"bench-0.7b", 1024, 512, 32, 4, 16, 4, 128}, {"glm-4.7", 5120, 1536, 160, 8, 96, 8, 128}} {
		for _, rows := range []int{1, 512} {
			for _, c := range vectorCases(s, rows) {
				b.Run(fmt.Sprintf("%s/%s/rows=%d", c.name, s.model, rows), func(b *testing.B) {
					bytes := 0
					for _, t := range slices.Concat(c.call.In, c.call.Out) {
						if c.name != "embed" || len(t.Shape) != 2 || t.Shape[0] == rows { // it reads a few rows of its matrix
							bytes += t.DType.Bytes(t.Elems())
						}
					}
					measure(b, newDevice(b), c.name, c.attrs, work{bytes: float64(bytes)}, c.call)
				})
			}
		}
	}
}

func vectorCases(s vectorSizes, rows int) []vectorCase {
	r := kerneltest.NewRand(1)
	row := func(width int) kernels.Tensor { return r.F32(rows, width) }
	out := func(width int) kernels.Tensor { return kernels.New(dtype.F32, rows, width) }
	heads := func(n int) kernels.Tensor { return r.F32(rows, n, s.dim) }
	call := func(in []kernels.Tensor, out ...kernels.Tensor) *kernels.Call { return &kernels.Call{In: in, Out: out} }
	norm := r.Weights(dtype.BF16, s.hidden)
	eps := kernels.Attrs{"eps": 1e-5}
	rope := kernels.Attrs{"eps": 1e-5, "dims": int64(s.dim / 2), "theta": 1e6}
	route := kernels.Attrs{"score": "sigmoid", "k": int64(s.perToken), "groups": int64(1), "keep": int64(1), "normalise": int64(1),
		"shift": 1e-20, "scale": 2.5, "first": int64(s.experts), "count": int64(1)}
	batch := r.Batch(dtype.BF16, pageTokens, s.kv, s.dim, 0, kerneltest.Sequence{Rows: rows})
	written := call([]kernels.Tensor{heads(s.heads), heads(s.kv), heads(s.kv), r.Weights(dtype.BF16, s.dim), r.Weights(dtype.BF16, s.dim),
		batch.Pos, batch.Slots}, kernels.New(dtype.F32, rows, s.heads, s.dim))
	written.Cache = batch.Cache
	summed := call([]kernels.Tensor{row(s.hidden), row(s.hidden), norm}, out(s.hidden), out(s.hidden))
	summed.Comm = kerneltest.Peers{Ranks: 1}
	codes := []kernels.Tensor{kernels.New(dtype.F8E4M3, rows, s.hidden), kernels.New(dtype.F32, rows, 1)}
	return []vectorCase{
		{"embed", nil, call([]kernels.Tensor{r.IDs(4096, rows), randomCodes(dtype.BF16, 4096, s.hidden)}, out(s.hidden))},
		{"norm.rms", eps, call([]kernels.Tensor{row(s.hidden), norm}, out(s.hidden))},
		{"norm.add_rms", eps, call([]kernels.Tensor{row(s.hidden), row(s.hidden), norm}, out(s.hidden), out(s.hidden))},
		{"comm.all_reduce_add_rms", eps, summed},
		{"norm.rms_quant", eps, call([]kernels.Tensor{row(s.hidden), norm}, codes...)},
		{"quant.rows", nil, call([]kernels.Tensor{row(s.hidden)}, codes...)},
		{"rope.apply", rope, call([]kernels.Tensor{heads(s.heads), batch.Pos}, kernels.New(dtype.F32, rows, s.heads, s.dim))},
		{"attn.qknorm_rope_kv", rope, written},
		{"add", nil, call([]kernels.Tensor{row(s.hidden), row(s.hidden)}, out(s.hidden))},
		{"mul", nil, call([]kernels.Tensor{row(s.hidden), norm}, out(s.hidden))},
		{"act.silu", nil, call([]kernels.Tensor{row(s.width)}, out(s.width))},
		{"act.swiglu", nil, call([]kernels.Tensor{row(s.width), row(s.width)}, out(s.width))},
		{"linear.f32", nil, call([]kernels.Tensor{row(s.hidden), r.F32(s.experts, s.hidden)}, out(s.experts))},
		{"moe.route", route, call([]kernels.Tensor{row(s.experts), r.F32(s.experts)},
			kernels.New(dtype.I32, rows, s.perToken+1), kernels.New(dtype.F32, rows, s.perToken+1))},
	}
}
