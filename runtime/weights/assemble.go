package weights

import (
	"errors"
	"fmt"
	"runtime"
	"sync"

	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
)

// chunkElems is how many elements are worth a goroutine: some tenths of a millisecond.
const chunkElems = 1 << 18

// assemble makes a tensor of what a layout says, of zeros until now. Its rows are shared out over the processors; what an
// element becomes does not depend on who makes it.
func assemble(t *kernels.Tensor, l *layout) error {
	return share(l.rows(), t.Elems(), func(lo, hi int) error {
		w := writer{t: t, width: l.width()}
		return w.fill(l, lo, hi)
	})
}

// share cuts n things, which are elems elements in all, into parts for the processors.
func share(n, elems int, part func(lo, hi int) error) error {
	chunks := min(runtime.GOMAXPROCS(0), n, 1+elems/chunkElems)
	errs := make([]error, chunks)
	var wg sync.WaitGroup
	for i := range chunks {
		wg.Go(func() { errs[i] = part(n*i/chunks, n*(i+1)/chunks) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// writer converts blocks into the rows of one tensor, rounding to nearest where that is narrower. Each goroutine
// has its own.
type writer struct {
	t      *kernels.Tensor
	width  int       // of the tensor's rows
	first  int       // row of the layout that is the tensor's first
	buffer []float32 // one run of a block, or stored row
	codes  []byte    // of a stored row
}

// fill makes rows [lo, hi) of a layout.
func (w *writer) fill(l *layout, lo, hi int) error {
	var err error
	l.blocks(lo, hi, func(b block) {
		if err == nil {
			err = w.block(b)
		}
	})
	return err
}

func (w *writer) block(b block) error {
	switch {
	case w.t.DType == dtype.I4 && !w.wholeGroups(b):
		return fmt.Errorf("row %d is cut within a group of %d values: keep the weight in another format than int4, or take fewer ranks", b.row, dtype.Group)
	case b.src == nil:
		return w.zeros(b)
	case b.src.DType == w.t.DType:
		return w.copy(b)
	case w.t.DType.Scaled():
		return w.quantise(b)
	}
	return w.convert(b)
}

// zeros has nothing to write but scales, and codes where their zero is none: new tensors are zero.
func (w *writer) zeros(b block) error {
	if !w.t.DType.Scaled() {
		return nil
	}
	if w.t.DType == dtype.I4 {
		w.zeroGroups(b)
		return nil
	}
	for i := range b.rows {
		if err := w.scale(b, i, 1); err != nil {
			return err
		}
	}
	return nil
}

// copy takes values over as they are stored, those with scales with them.
func (w *writer) copy(b block) error {
	step := b.src.rowLen()
	v, err := b.src.view(b.start, (b.rows-1)*step+b.n)
	if err != nil {
		return err
	}
	for i := range b.rows {
		from, to := i*step, w.at(b, i)
		switch v.DType {
		case dtype.F32:
			copy(w.t.F32[to:to+b.n], v.F32[from:])
		case dtype.BF16, dtype.F16:
			copy(w.t.U16[to:to+b.n], v.U16[from:])
		default:
			copy(w.t.U8[v.DType.Bytes(to):v.DType.Bytes(to+b.n)], v.U8[v.DType.Bytes(from):])
		}
	}
	if !v.DType.Scaled() {
		return nil
	}
	scales, err := b.src.scales(b.start/step, b.rows)
	for i := 0; i < b.rows && err == nil; i++ {
		if v.DType == dtype.I4 {
			copy(w.groups(b, i), scales[i*b.src.groups()+b.start%step/dtype.Group:])
		} else {
			err = w.scale(b, i, scales[i])
		}
	}
	return err
}

// convert widens to float32, scales applied, and narrows.
func (w *writer) convert(b block) error {
	rows, err := b.wholeRows()
	if err != nil {
		return err
	}
	col := b.start % b.src.rowLen()
	w.buffer = kernels.Resize(w.buffer, b.src.rowLen())
	for i := range b.rows {
		rows.LoadRow(w.buffer, i)
		w.t.Store(w.at(b, i), w.buffer[col:col+b.n])
	}
	return nil
}

// wholeRows are the stored rows that a block has a part of, with their scales.
func (b block) wholeRows() (kernels.Tensor, error) {
	step := b.src.rowLen()
	t, err := b.src.view(b.start-b.start%step, b.rows*step)
	if err == nil && t.DType.Scaled() {
		t.Scale, err = b.src.scales(b.start/step, b.rows)
	}
	t.Shape = []int{b.rows, step}
	return t, err
}

// quantise makes codes of values in another format. A row's scale is that of the whole stored row, also where the block is
// a part of it, so that every rank takes the same one.
func (w *writer) quantise(b block) error {
	rows, err := b.wholeRows()
	if err != nil {
		return err
	}
	col := b.start % b.src.rowLen()
	w.buffer = kernels.Resize(w.buffer, b.src.rowLen())
	w.codes = kernels.Resize(w.codes, b.src.rowLen())
	for i := range b.rows {
		rows.LoadRow(w.buffer, i)
		if w.t.DType == dtype.I4 {
			w.quantiseGroups(b, i, w.buffer[col:col+b.n])
			continue
		}
		scale := quantiseRow(w.t.DType, w.codes, w.buffer)
		copy(w.t.U8[w.at(b, i):][:b.n], w.codes[col:])
		if err := w.scale(b, i, scale); err != nil {
			return err
		}
	}
	return nil
}

// quantiseRow makes the codes of a row in F8E4M3 or I8. A weight of zeros has a scale too.
func quantiseRow(d dtype.DType, codes []byte, row []float32) (scale float32) {
	if d == dtype.I8 {
		return dtype.QuantizeI8(codes, row)
	}
	return dtype.QuantizeF8E4M3Codes(codes, row)
}

// at is the element of the result where run i of a block begins.
func (w *writer) at(b block, i int) int { return (b.row-w.first+i)*w.width + b.col }

// scale sets the scale of the row that run i of a block belongs to.
func (w *writer) scale(b block, i int, scale float32) error {
	at := b.row - w.first + i
	if old := w.t.Scale[at]; b.col > 0 && old != scale && (old == old || scale == scale) {
		return fmt.Errorf("row %d is made of parts with different scales in %s (%g and %g): keep the weight in bf16", b.row+i, w.t.DType, old, scale)
	}
	w.t.Scale[at] = scale
	return nil
}
