package panel

import (
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/glmc/glmc/kernels/dtype"
)

func TestPackedWeightsLieWhereIndexSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows, k := rapid.IntRange(1, Channels).Draw(t, "rows"), rapid.IntRange(1, 200).Draw(t, "k")
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		wide, bytes := make([]uint16, rows*k), make([]byte, rows*k)
		for i := range wide {
			wide[i], bytes[i] = uint16(r.Uint32())|1, byte(r.Uint32())|1
		}
		bf16, f8 := make([]uint16, Stride(dtype.BF16, k)), make([]byte, Stride(dtype.I8, k))
		for i := range bf16 {
			bf16[i] = 0xdead
		}
		PackBF16(bf16, wide, rows, k)
		PackBytes(f8, bytes, rows, k)
		for i := range rows * k {
			if got := bf16[Index(dtype.BF16, i/k, i%k, k)]; got != wide[i] {
				t.Fatalf("bf16 [%d, %d] = %#x, want %#x", i/k, i%k, got, wide[i])
			}
			if got := f8[Index(dtype.F8E4M3, i/k, i%k, k)]; got != bytes[i] {
				t.Fatalf("byte [%d, %d] = %#x, want %#x", i/k, i%k, got, bytes[i])
			}
		}
		if n := nonZero(bf16); n != rows*k {
			t.Fatalf("bf16: %d values in the panel, want %d and zeros", n, rows*k)
		}
		if n := nonZero(f8); n != rows*k {
			t.Fatalf("bytes: %d values in the panel, want %d and zeros", n, rows*k)
		}
	})
}

func nonZero[T comparable](s []T) int {
	var zero T
	n := 0
	for _, v := range s {
		if v != zero {
			n++
		}
	}
	return n
}

func TestPackedI4(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows, k := rapid.IntRange(1, Channels).Draw(t, "rows"), rapid.IntRange(1, 200).Draw(t, "k")
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		width, groups := (k+1)/2, (k+dtype.Group-1)/dtype.Group
		src, scales := make([]byte, rows*width), make([]uint16, rows*groups)
		for i := range src {
			src[i] = byte(r.Uint32())
		}
		for i := range scales {
			scales[i] = uint16(r.Uint32())
		}
		dst := make([]byte, Stride(dtype.I4, k))
		PackI4(dst, src, scales, rows, k)
		for row := range Channels {
			for col := range PadK(dtype.I4, k) {
				want := byte(8)
				if row < rows && col < k {
					want = src[row*width+col/2] >> (4 * (col % 2)) & 15
				}
				if got := dst[Index(dtype.I4, row, col, k)] >> Shift(row) & 15; got != want {
					t.Fatalf("[%d, %d] = %d, want %d", row, col, got, want)
				}
			}
			for g := range groups {
				want := uint16(0)
				if row < rows {
					want = scales[row*groups+g]
				}
				at := ScaleIndex(row, g, k)
				if got := uint16(dst[at]) | uint16(dst[at+1])<<8; got != want {
					t.Fatalf("scale of row %d, group %d = %#x, want %#x", row, g, got, want)
				}
			}
		}
	})
}
