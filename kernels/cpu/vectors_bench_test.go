package cpu

import (
	"fmt"
	"testing"

	"github.com/glmc/glmc/kernels/kerneltest"
)

// BenchmarkRowFunctions runs the vector functions of every tier on one thread over rows that stay in the first-level cache, and
// reports how many bytes they read and write, in GB/s, and the time of an element.
func BenchmarkRowFunctions(b *testing.B) {
	const n = 1024
	r := kerneltest.NewRand(1)
	dst, x, y, z, half := make([]float32, n), r.F32(n).F32, r.F32(n).F32, r.F32(n).F32, make([]uint16, n)
	codes, meta, bytes := make([]int8, n), make([]quantMeta, n/128), make([]uint8, n)
	for _, f := range []struct {
		name  string
		bytes int // of an element
		call  func(v *vectors)
	}{
		{"add", 12, func(v *vectors) { v.add(dst, x, y) }},
		{"scale", 12, func(v *vectors) { v.scale(dst, x, y, 0.5) }},
		{"affine", 16, func(v *vectors) { v.affine(dst, x, y, z, 0.5) }},
		{"rotate", 12, func(v *vectors) { v.rotate(dst[:n/2], dst[n/2:], x, y) }},
		{"silu", 8, func(v *vectors) { v.silu(dst, x) }},
		{"swiglu", 12, func(v *vectors) { v.swiglu(dst, x, y) }},
		{"sigmoid", 8, func(v *vectors) { v.sigmoid(dst, x) }},
		{"expExact", 8, func(v *vectors) { v.expExact(dst, x, 1) }},
		{"expSum", 8, func(v *vectors) { v.expSum(dst, x, 1) }},
		{"roundBF16", 8, func(v *vectors) { v.roundBF16(dst, x) }},
		{"toBF16", 6, func(v *vectors) { v.toBF16(half, x) }},
		{"toF8", 5, func(v *vectors) { v.toF8(bytes, x, 0.1) }},
		{"roundF8", 8, func(v *vectors) { v.roundF8(dst, x, 0.1) }},
		{"largest", 4, func(v *vectors) { v.largest(x) }},
		{"quantise", 5, func(v *vectors) { v.quantise(codes, meta, x, 128, 1, 128) }},
	} {
		for _, t := range tiers() {
			if !t.runs || t.dots.name == "avx512bf16" {
				continue // avx512bf16 has the table of avx512
			}
			b.Run(fmt.Sprint(f.name, "/", t.dots.name), func(b *testing.B) {
				v := vectorsOf(t.dots.name)
				for b.Loop() {
					f.call(v)
				}
				ns := float64(b.Elapsed().Nanoseconds()) / float64(b.N)
				b.ReportMetric(float64(f.bytes*n)/ns, "GB/s")
				b.ReportMetric(ns/n, "ns/element")
			})
		}
	}
}
