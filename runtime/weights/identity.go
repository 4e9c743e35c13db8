package weights

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
)

// identity tells tensors apart by what they are made of: the SHA-256 of dtype, shape and blocks. For one checkpoint it
// says the same in every process: packed files keep it.
type identity [sha256.Size]byte

// identify returns what a tensor of dtype d is made of, in short, and its only block where it has just one.
func identify(l *layout, d dtype.DType) (id identity, only block) {
	hash := sha256.New()
	var line []byte
	write := func(numbers ...int) {
		line = line[:0]
		for _, n := range numbers {
			line = binary.AppendVarint(line, int64(n))
		}
		hash.Write(line)
	}
	hash.Write([]byte(d.String()))
	write(len(l.shape))
	write(l.shape...)
	count := 0
	var run block // of blocks that continue one another
	flush := func() {
		if count++; count == 1 {
			only = run
		}
		name := "" // no stored tensor's
		if run.src != nil {
			name = run.src.Name
		}
		write(run.row, run.col, run.rows, run.n, run.start, len(name))
		hash.Write([]byte(name))
	}
	l.blocks(0, l.rows(), func(b block) {
		switch {
		case run.rows == 0:
			run = b
		case run.continues(b):
			run.rows += b.rows
		default:
			flush()
			run = b
		}
	})
	flush()
	hash.Sum(id[:0])
	if count > 1 {
		only = block{}
	}
	return id, only
}

// continues reports whether next lies right below b, in the result and in the same stored tensor.
func (b block) continues(next block) bool {
	below := next.row == b.row+b.rows && next.col == b.col && next.n == b.n
	if !below || b.src == nil || next.src == nil {
		return below && b.src == nil && next.src == nil
	}
	return b.src.stored == next.src.stored && next.start == b.start+b.rows*b.src.rowLen()
}

// isView reports whether a tensor of dtype d that is made of one block is a view of the checkpoint.
func (b block) isView(d dtype.DType) bool {
	whole := b.src != nil && b.n == b.src.rowLen()
	return b.src != nil && b.src.DType == d && (whole || b.rows == 1 && d != dtype.I4)
}

// view is the tensor of that shape that is made of one block.
func (b block) view(shape []int) (kernels.Tensor, error) {
	t, err := b.src.view(b.start, b.rows*b.n)
	if err == nil && t.DType.Scaled() {
		t.Scale, err = b.src.scales(b.start/b.src.rowLen(), b.rows)
	}
	t.Shape = shape
	return t, err
}
