package weights

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/runtime/compressed"
)

// openPacked gives the weight of that name, of which the checkpoint has packed 4-bit codes as compressed-tensors stores
// them. Read as bytes they have the order of dtype.I4, so that such weights stay in the mapped file.
func (r *resolver) openPacked(name string) (*source, error) {
	packed := name + compressed.PackedSuffix
	if s := r.stored[packed]; s != nil {
		return &source{stored: s, shape: s.Shape}, nil
	}
	t, err := r.ckpt.Tensor(packed)
	if err != nil {
		return nil, err
	}
	bad := func(kind Kind, tensor, format string, args ...any) error {
		says := fmt.Sprintf(format, args...)
		return problem(Problem{Kind: kind, Name: name, Stored: tensor, File: t.File, Says: says}, "tensor %q of %s %s", tensor, t.File, says)
	}
	if t.DType != dtype.I32 || len(t.Shape) < 2 {
		return nil, bad(WrongDType, packed, "is %s%s: packed int4 weights are I32 of two dimensions or more", t.FileDType, ir.FixedShape(t.Shape))
	}
	width := t.Shape[len(t.Shape)-1] * compressed.PackedCodes
	if width%dtype.Group != 0 {
		return nil, bad(WrongShape, packed, "has rows of %d values: int4 rows are whole groups of %d", width, dtype.Group)
	}
	shape := withDim(t.Shape, len(t.Shape)-1, width)
	if order := name + "_g_idx"; r.ckpt.Has(order) {
		return nil, bad(WrongDType, order, "says that columns were quantised in another order, which is not supported: quantise without it")
	}
	if says, err := r.packedShape(name+compressed.ShapeSuffix, shape); err != nil || says != "" {
		if err != nil {
			return nil, err
		}
		return nil, bad(WrongShape, name+compressed.ShapeSuffix, "%s", says)
	}
	s := &stored{Tensor: t, parts: map[part]bool{}}
	s.DType, s.Shape = dtype.I4, shape
	if err := r.attachScale(s, name+compressed.ScaleSuffix, fmt.Sprintf("one for each %d values of a row", dtype.Group), compressed.ScaleShape(dtype.I4, shape)); err != nil {
		return nil, err
	}
	r.stored[packed] = s
	return &source{stored: s, shape: s.Shape}, nil
}

// packedShape compares what the checkpoint says of a weight's shape with what it holds, and says what is wrong. Where it
// says nothing the codes do.
func (r *resolver) packedShape(name string, shape []int) (says string, err error) {
	if !r.ckpt.Has(name) {
		return "", nil
	}
	t, err := r.ckpt.Tensor(name)
	if err != nil {
		return "", err
	}
	var dims []int
	if t.FileDType == "I64" {
		for b := t.Bytes; len(b) >= 8; b = b[8:] {
			dims = append(dims, int(int64(binary.LittleEndian.Uint64(b))))
		}
	}
	if !slices.Equal(dims, shape) {
		return fmt.Sprintf("is %s %v, and the packed codes have shape %s", t.FileDType, dims, ir.FixedShape(shape)), nil
	}
	r.scales[name] = true
	return "", nil
}
