package panel

import (
	"fmt"
	"testing"

	"github.com/glmc/glmc/kernels/dtype"
)

func BenchmarkPack(b *testing.B) {
	for _, k := range []int{512, 4096} {
		wide, bytes := make([]uint16, Channels*k), make([]byte, Channels*k)
		bf16, f8 := make([]uint16, Stride(dtype.BF16, k)), make([]byte, Stride(dtype.F8E4M3, k))
		b.Run(fmt.Sprintf("bf16/k=%d", k), func(b *testing.B) {
			b.SetBytes(int64(2 * Channels * k))
			for b.Loop() {
				PackBF16(bf16, wide, Channels, k)
			}
		})
		b.Run(fmt.Sprintf("bytes/k=%d", k), func(b *testing.B) {
			b.SetBytes(int64(Channels * k))
			for b.Loop() {
				PackBytes(f8, bytes, Channels, k)
			}
		})
		i4, scales := make([]byte, Stride(dtype.I4, k)), make([]uint16, Channels*k/dtype.Group)
		b.Run(fmt.Sprintf("int4/k=%d", k), func(b *testing.B) {
			b.SetBytes(int64(Channels * k / 2))
			for b.Loop() {
				PackI4(i4, bytes[:Channels*k/2], scales, Channels, k)
			}
		})
	}
}
