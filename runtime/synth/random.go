package synth

import (
	"context"
	"encoding/binary"
	"hash/fnv"
	"io"
	"math"
	"math/rand/v2"
	"strings"

	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/runtime/compressed"
)

// A tensor's values depend on the seed and its name only, so that they do not change with the order of a file.
func generator(seed uint64, name string) *rand.PCG {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // it returns no errors
	return rand.NewPCG(seed, h.Sum64())
}

// Values are uniform. Those of a matrix have the variance 1 / inputs, so that a row keeps its size in a product and
// logits stay near 1; norms multiply by something near 1, biases are small.
func (s *stored) centreAndWidth() (centre, width float32) {
	switch {
	case len(s.shape) > 1:
		return 0, float32(math.Sqrt(3 / float64(s.shape[len(s.shape)-1])))
	case strings.HasSuffix(s.name, ".weight"):
		return 1, 0.25
	}
	return 0, 0.05
}

// piece is how many values are drawn between two looks at the context.
const piece = 1 << 15

// bf16 writes the values of a tensor in bf16.
func (s *stored) bf16(ctx context.Context, seed uint64) func(io.Writer) error {
	centre, width := s.centreAndWidth()
	return s.pieces(ctx, seed, 2, func(bits uint16, at []byte) {
		binary.LittleEndian.PutUint16(at, dtype.F32ToBF16(centre+width*unit(bits)))
	})
}

// f32 writes the values of a tensor in f32.
func (s *stored) f32(ctx context.Context, seed uint64) func(io.Writer) error {
	centre, width := s.centreAndWidth()
	return s.pieces(ctx, seed, 4, func(bits uint16, at []byte) {
		binary.LittleEndian.PutUint32(at, math.Float32bits(centre+width*unit(bits)))
	})
}

// fp8Codes are the roundings of the values that 16 random bits stand for, over the whole range of the format.
var fp8Codes = func() (codes [1 << 16]uint8) {
	for i := range codes {
		codes[i] = dtype.F32ToF8E4M3(dtype.F8E4M3Max * unit(uint16(i)))
	}
	return codes
}()

// codes writes the codes of a tensor, which its scales give their size.
func (s *stored) codes(ctx context.Context, seed uint64) func(io.Writer) error {
	switch s.dtype {
	case dtype.I8: // the upper half of a value's bits; -128 is not used
		return s.pieces(ctx, seed, 1, func(bits uint16, at []byte) { at[0] = byte(max(int16(bits)>>8, -127)) })
	case dtype.I4: // any two codes
		pairs := stored{s.name, []int{s.values() / 2}, s.dtype}
		return pairs.pieces(ctx, seed, 1, func(bits uint16, at []byte) { at[0] = byte(bits >> 8) })
	}
	return s.pieces(ctx, seed, 1, func(bits uint16, at []byte) { at[0] = fp8Codes[bits] })
}

// largest are the largest codes of the formats with scales.
var largest = map[dtype.DType]float32{dtype.F8E4M3: dtype.F8E4M3Max, dtype.I8: 127, dtype.I4: 7}

// scales writes the scales of a tensor. They differ, so that a row with the scale of another one is a wrong result.
func (s *stored) scales(ctx context.Context, seed uint64) func(io.Writer) error {
	_, width := s.centreAndWidth()
	scale := stored{s.name + compressed.ScaleSuffix, compressed.ScaleShape(s.dtype, s.shape), compressed.ScaleDType(s.dtype)}
	return scale.pieces(ctx, seed, scale.dtype.Size(), func(bits uint16, at []byte) {
		v := width / largest[s.dtype] * (1 + 0.25*unit(bits))
		if scale.dtype == dtype.BF16 {
			binary.LittleEndian.PutUint16(at, dtype.F32ToBF16(v))
		} else {
			binary.LittleEndian.PutUint32(at, math.Float32bits(v))
		}
	})
}

// unit is one of 65536 numbers that lie evenly between -1 and 1, none of which is 0.
func unit(bits uint16) float32 { return (float32(int16(bits)) + 0.5) / (1 << 15) }

// pieces writes as many values as the tensor has, of size bytes each. It never holds more than a piece of them.
func (s *stored) pieces(ctx context.Context, seed uint64, size int, put func(bits uint16, at []byte)) func(io.Writer) error {
	return func(w io.Writer) error {
		draw := generator(seed, s.name)
		buf := make([]byte, 0, piece*size)
		for left := s.values(); left > 0; {
			if err := ctx.Err(); err != nil {
				return err
			}
			n := min(left, piece)
			left -= n
			buf = buf[:n*size]
			var bits uint64 // of which each value takes 16
			for i := range n {
				if i%4 == 0 {
					bits = draw.Uint64()
				}
				put(uint16(bits), buf[i*size:])
				bits >>= 16
			}
			if _, err := w.Write(buf); err != nil {
				return err
			}
		}
		return nil
	}
}

func (s *stored) values() int {
	n := 1
	for _, d := range s.shape {
		n *= d
	}
	return n
}
