package cpu

import (
	"sync/atomic"

	"github.com/glmc/glmc/kernels"
)

const (
	// ropeChunk is the number of positions that are computed together, on first use.
	ropeChunk = 256
	// ropePositions bounds the table: beyond it, angles are computed afresh. For 64 rotated values the table
	// of all positions takes 64 MiB.
	ropePositions = 1 << 18
)

// ropeTable holds the cosines and sines of positions, in chunks that appear as they are needed.
type ropeTable struct {
	rope   *kernels.Rope
	chunks [ropePositions / ropeChunk]atomic.Pointer[[]float32] // [ropeChunk, 2, Dims/2]
}

// rope returns the table for the attributes of a rotation. Kernels with the same ones share it.
func (d *Device) rope(a kernels.Attrs) (*ropeTable, error) {
	rope, err := kernels.RopeFromAttrs(a)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ropes[rope.RopeParams] == nil {
		d.ropes[rope.RopeParams] = &ropeTable{rope: rope}
	}
	return d.ropes[rope.RopeParams], nil
}

// at returns the cosines and sines of a position, Dims/2 each. scratch has Dims values.
func (t *ropeTable) at(pos int32, scratch []float32) (cos, sin []float32) {
	half := t.rope.Dims / 2
	if pos < 0 || pos >= ropePositions {
		cos, sin = scratch[:half], scratch[half:2*half]
		t.rope.Angles(pos, cos, sin)
		return cos, sin
	}
	slot := &t.chunks[pos/ropeChunk]
	chunk := slot.Load()
	if chunk == nil {
		// Several threads may get here at once: they compute the same values.
		chunk = t.compute(pos / ropeChunk * ropeChunk)
		slot.Store(chunk)
	}
	row := (*chunk)[int(pos%ropeChunk)*2*half:][:2*half]
	return row[:half], row[half:]
}

func (t *ropeTable) compute(first int32) *[]float32 {
	half := t.rope.Dims / 2
	chunk := make([]float32, ropeChunk*2*half)
	for i := range ropeChunk {
		row := chunk[i*2*half:]
		t.rope.Angles(first+int32(i), row[:half], row[half:2*half])
	}
	return &chunk
}
