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
	buffer []float32 // one run of a block
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
	case b.src == nil:
		return w.zeros(b)
	case b.src.DType == w.t.DType:
		return w.copy(b)
	case w.t.DType == dtype.F8E4M3:
		return w.quantise(b)
	}
	return w.convert(b)
}

// zeros has nothing to write: new tensors are zero.
func (w *writer) zeros(b block) error {
	if w.t.DType != dtype.F8E4M3 {
		return nil
	}
	for i := range b.rows {
		if err := w.scale(b, i, 1); err != nil {
			return err
		}
	}
	return nil
}

// copy takes values over as they are stored, fp8 ones with their scales.
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
		case dtype.F8E4M3:
			copy(w.t.U8[to:to+b.n], v.U8[from:])
		default:
			copy(w.t.U16[to:to+b.n], v.U16[from:])
		}
	}
	if v.DType != dtype.F8E4M3 {
		return nil
	}
	scales, err := b.src.scales(b.start/step, b.rows)
	for i := 0; i < b.rows && err == nil; i++ {
		err = w.scale(b, i, scales[i])
	}
	return err
}

// convert widens to float32, applies the scale of fp8 rows and narrows.
func (w *writer) convert(b block) error {
	step := b.src.rowLen()
	v, err := b.src.view(b.start, (b.rows-1)*step+b.n)
	if err != nil {
		return err
	}
	var scales []float32
	if v.DType == dtype.F8E4M3 {
		if scales, err = b.src.scales(b.start/step, b.rows); err != nil {
			return err
		}
	}
	w.buffer = kernels.Resize(w.buffer, b.n)
	for i := range b.rows {
		v.Load(w.buffer, i*step)
		if scales != nil {
			for j := range w.buffer {
				w.buffer[j] *= scales[i]
			}
		}
		w.t.Store(w.at(b, i), w.buffer)
	}
	return nil
}

// quantise makes fp8 of wider values. A row's scale is max|w|/448 over the whole stored row, also where the
// block is a part of it, so that every rank takes the same one.
func (w *writer) quantise(b block) error {
	step := b.src.rowLen()
	col := b.start % step
	v, err := b.src.view(b.start-col, b.rows*step)
	if err != nil {
		return err
	}
	w.buffer = kernels.Resize(w.buffer, step)
	for i := range b.rows {
		v.Load(w.buffer, i*step)
		scale := rowScale(w.buffer)
		codes := w.t.U8[w.at(b, i):][:b.n]
		for j, x := range w.buffer[col : col+b.n] {
			codes[j] = dtype.F32ToF8E4M3(x / scale)
		}
		if err := w.scale(b, i, scale); err != nil {
			return err
		}
	}
	return nil
}

// rowScale is the scale of a row in fp8, as dtype.QuantizeF8E4M3 takes it. A weight of zeros has one too.
func rowScale(row []float32) float32 {
	largest := float32(1e-12)
	for _, x := range row {
		if x < 0 {
			x = -x
		}
		if x > largest { // not so for NaN
			largest = x
		}
	}
	return largest / dtype.F8E4M3Max
}

// at is the element of the result where run i of a block begins.
func (w *writer) at(b block, i int) int { return (b.row-w.first+i)*w.width + b.col }

// scale sets the scale of the row that run i of a block belongs to.
func (w *writer) scale(b block, i int, scale float32) error {
	at := b.row - w.first + i
	if old := w.t.Scale[at]; b.col > 0 && old != scale {
		return fmt.Errorf("row %d is made of parts with different fp8 scales (%g and %g): keep the weight in bf16", b.row+i, old, scale)
	}
	w.t.Scale[at] = scale
	return nil
}
