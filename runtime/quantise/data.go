package quantise

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"sync"

	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/runtime/compressed"
	"github.com/glmc/glmc/runtime/safetensors"
	"github.com/glmc/glmc/runtime/weights"
)

// stripElems is about how many values of a weight are in memory at once, for each processor.
const stripElems = 1 << 20

// quantised makes the codes and scales of one weight. Both come of the same work. Files have the wider elements first: the codes
// of int4, whose scales are kept until their turn, but the scales of the others. Those do the work twice, because codes, of
// which there are many, are never kept.
type quantised struct {
	ctx    context.Context
	leaf   *weights.Leaf
	d      dtype.DType
	kept   []byte // scales that were made with the codes, for later
	scaled bool   // the scales are written
}

// codes writes the codes.
func (q *quantised) codes(w io.Writer) error {
	return q.strips(func(codes []byte, scales []float32) error {
		if !q.scaled {
			q.kept = appendScales(q.kept, q.d, scales)
		}
		_, err := w.Write(codes)
		return err
	})
}

// scales writes the scales.
func (q *quantised) scales(w io.Writer) error {
	if q.kept == nil {
		if err := q.strips(func(_ []byte, scales []float32) error {
			q.kept = appendScales(q.kept, q.d, scales)
			return nil
		}); err != nil {
			return err
		}
	}
	_, err := w.Write(q.kept)
	q.kept, q.scaled = nil, true
	return err
}

func appendScales(b []byte, d dtype.DType, scales []float32) []byte {
	for _, s := range scales {
		if compressed.ScaleDType(d) == dtype.BF16 {
			b = binary.LittleEndian.AppendUint16(b, dtype.F32ToBF16(s))
		} else {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(s))
		}
	}
	return b
}

// strips quantises some rows at a time on all processors, and hands them over in order.
func (q *quantised) strips(emit func(codes []byte, scales []float32) error) error {
	rows, k := q.leaf.Shape[0], q.leaf.Width()
	workers := runtime.GOMAXPROCS(0)
	each := max(1, stripElems/k) // rows of a worker
	per := elems(compressed.ScaleShape(q.d, []int{1, k}))
	makers := make([]maker, workers)
	errs := make([]error, workers)
	for at := 0; at < rows; at += each * workers {
		if err := q.ctx.Err(); err != nil {
			return err
		}
		var wg sync.WaitGroup
		for i := range makers {
			lo, hi := min(at+i*each, rows), min(at+(i+1)*each, rows)
			wg.Go(func() { errs[i] = makers[i].rows(q.leaf, q.d, lo, hi, per) })
		}
		wg.Wait()
		if err := errors.Join(errs...); err != nil {
			return fmt.Errorf("weight %s: %w", q.leaf.Name, err)
		}
		for i := range makers {
			if err := emit(makers[i].codes, makers[i].scales); err != nil {
				return err
			}
		}
	}
	q.leaf.Release()
	return nil
}

// maker quantises rows on one processor.
type maker struct {
	values []float32
	codes  []byte
	scales []float32
	group  [dtype.Group]byte
}

// rows makes the codes and scales of rows [lo, hi), per scales for each row.
func (m *maker) rows(leaf *weights.Leaf, d dtype.DType, lo, hi, per int) error {
	n, k := hi-lo, leaf.Width()
	m.values = resize(m.values, n*k)
	m.codes = resize(m.codes, d.Bytes(n*k))
	m.scales = resize(m.scales, n*per)
	if n == 0 {
		return nil
	}
	if err := leaf.Rows(m.values, lo, hi); err != nil {
		return err
	}
	for r := range n {
		row := m.values[r*k : (r+1)*k]
		switch d {
		case dtype.I4:
			m.groups(row, r*k, m.scales[r*per:(r+1)*per])
		case dtype.I8:
			m.scales[r] = dtype.QuantizeI8(m.codes[r*k:(r+1)*k], row)
		default:
			m.scales[r] = dtype.QuantizeF8E4M3Codes(m.codes[r*k:(r+1)*k], row)
		}
		for _, s := range m.scales[r*per : (r+1)*per] {
			if s != s || math.IsInf(float64(s), 0) {
				return fmt.Errorf("row %d holds values that are no finite numbers: no scale fits them", lo+r)
			}
		}
	}
	return nil
}

// groups makes the codes of a row that begins at value at of the strip.
func (m *maker) groups(row []float32, at int, scales []float32) {
	for g := range scales {
		scales[g] = dtype.QuantizeI4(m.group[:], row[g*dtype.Group:(g+1)*dtype.Group])
		codes := m.codes[(at+g*dtype.Group)/2:]
		for i := 0; i < dtype.Group; i += 2 {
			codes[i/2] = m.group[i] | m.group[i+1]<<4
		}
	}
}

func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// asStored is a tensor that stays as it is: its bytes, or, where they are codes whose scales config.json would not tell of
// any more, their values in bfloat16.
func asStored(ctx context.Context, name string, f *weights.Leaf) safetensors.WriteTensor {
	if !f.StoredAs.Scaled() {
		return safetensors.WriteTensor{Name: name, DType: f.StoredAs, Shape: f.Shape, Data: func(w io.Writer) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			_, err := w.Write(f.Bytes())
			f.Release()
			return err
		}}
	}
	return safetensors.WriteTensor{Name: name, DType: dtype.BF16, Shape: f.Shape, Data: func(w io.Writer) error {
		k := f.Width()
		rows, each := elems(f.Shape)/k, max(1, stripElems/k)
		var values []float32
		var bytes []byte
		for at := 0; at < rows; at += each {
			if err := ctx.Err(); err != nil {
				return err
			}
			n := min(each, rows-at)
			values, bytes = resize(values, n*k), bytes[:0]
			if err := f.Rows(values, at, at+n); err != nil {
				return err
			}
			for _, v := range values {
				bytes = binary.LittleEndian.AppendUint16(bytes, dtype.F32ToBF16(v))
			}
			if _, err := w.Write(bytes); err != nil {
				return err
			}
		}
		return nil
	}}
}
