package weights

import (
	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/panel"
)

// pack makes a tensor in panels of what a layout says. Rows go there in strips, the 32 output channels of a panel at a
// time, from the checkpoint's map: there is never a second copy of the weight, only one of a strip where its rows have to
// be converted or come from several places.
func pack(t *kernels.Tensor, l *layout) error {
	n, k := l.shape[len(l.shape)-2], l.width()
	strips := panel.Count(n) // of each matrix
	return share(l.rows()/n*strips, t.Elems(), func(lo, hi int) error {
		p := packer{t: t, l: l, stride: panel.Stride(t.DType, k)}
		for i := lo; i < hi; i++ {
			matrix, row := i/strips, i%strips*panel.Channels
			if err := p.strip(i*p.stride, matrix*n+row, min(panel.Channels, n-row)); err != nil {
				return err
			}
		}
		return nil
	})
}

// packer makes strips on one goroutine.
type packer struct {
	t      *kernels.Tensor
	l      *layout
	stride int     // elements of a panel
	rows   *writer // of strips that are no part of the map as they are
}

// strip packs rows [first, first+rows) into the panel at element at.
func (p *packer) strip(at, first, rows int) error {
	strip, err := p.mapped(first, rows)
	if err == nil && strip == nil {
		strip, err = p.assembled(first, rows)
	}
	if err != nil {
		return err
	}
	strip.PackPanel(p.t, at, 0, rows)
	if p.t.Scale != nil {
		strip.PanelScales(p.t.Scale[first:first+rows], 0, rows)
	}
	return nil
}

// mapped gives the rows where they lie in the checkpoint's file; nil where they are not in one piece there as they are
// wanted.
func (p *packer) mapped(first, rows int) (*kernels.Tensor, error) {
	var only block
	count := 0
	p.l.blocks(first, first+rows, func(b block) { only, count = b, count+1 })
	if count != 1 || !only.isView(p.t.DType) {
		return nil, nil
	}
	t, err := only.view([]int{rows, p.l.width()})
	return &t, err
}

// assembled makes the rows.
func (p *packer) assembled(first, rows int) (*kernels.Tensor, error) {
	if p.rows == nil {
		t := storageOf(p.t.DType, []int{panel.Channels, p.l.width()}, kernels.RowMajor).tensor(nil)
		p.rows = &writer{t: &t, width: p.l.width()}
	}
	w := p.rows
	w.first = first
	clear(w.t.U8) // blocks of zeros leave what is there
	clear(w.t.U16)
	return w.t, w.fill(p.l, first, first+rows)
}

// release gives back the pages of the checkpoint's map that the layout was read from.
func (l *layout) release() {
	l.blocks(0, l.rows(), func(b block) {
		if b.src != nil {
			elements(b.src.Tensor, b.start, (b.rows-1)*b.src.rowLen()+b.n).Release()
		}
	})
}
