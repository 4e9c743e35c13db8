package weights

import "github.com/glmc/glmc/kernels/dtype"

// I4 has a scale for each group of a row. Whatever a row is made of is cut where groups end, so that codes and scales of
// groups are copied and made as a whole, and are the same on every rank.

// groupsOf is the number of scales of a row of that many values.
func groupsOf(width int) int { return (width + dtype.Group - 1) / dtype.Group }

// wholeGroups reports whether a block begins and ends where groups do, both in the result and in the stored tensor.
func (w *writer) wholeGroups(b block) bool {
	end := b.col + b.n
	if b.col%dtype.Group != 0 || end%dtype.Group != 0 && end != w.width {
		return false
	}
	return b.src == nil || b.start%b.src.rowLen()%dtype.Group == 0
}

// groups are the scales of run i of a block.
func (w *writer) groups(b block, i int) []float32 {
	row := (b.row - w.first + i) * groupsOf(w.width)
	return w.t.Scale[row+b.col/dtype.Group : row+groupsOf(b.col+b.n)]
}

// zeroGroups makes a block of zeros.
func (w *writer) zeroGroups(b block) {
	zero := make([]float32, b.n)
	for i := range b.rows {
		w.t.Store(w.at(b, i), zero)
		for g, scales := 0, w.groups(b, i); g < len(scales); g++ {
			scales[g] = 1
		}
	}
}

// quantiseGroups makes run i of a block of its values.
func (w *writer) quantiseGroups(b block, i int, values []float32) {
	codes := w.t.U8[w.at(b, i)/2:]
	for g, scales := 0, w.groups(b, i); g < len(scales); g++ {
		group := values[g*dtype.Group : min((g+1)*dtype.Group, len(values))]
		scales[g] = dtype.QuantizeI4(w.codes, group)
		for j := range group {
			at, shift := &codes[(g*dtype.Group+j)/2], j%2*4
			*at = *at&^(15<<shift) | w.codes[j]<<shift
		}
	}
}
