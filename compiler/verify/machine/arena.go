package machine

import (
	"math"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/kernels"
)

// overwrite destroys the values whose part of the arena a node has just written a result to, its operands among them: the
// next node that reads one finds what is there now.
func (r *machineRank) overwrite(n *ir.Node, values map[*ir.Value]kernels.Tensor) {
	for _, out := range n.Out {
		to, ok := r.options.Extent(out)
		if !ok {
			continue
		}
		for v, t := range values {
			at, ok := r.options.Extent(v)
			if ok && v != out && at.Offset < to.Offset+to.Bytes && to.Offset < at.Offset+at.Bytes {
				destroy(t)
			}
		}
	}
}

// destroy fills a tensor with what no kernel takes for a value.
func destroy(t kernels.Tensor) {
	for i := range t.F32 {
		t.F32[i] = float32(math.NaN())
	}
	for i := range t.I32 {
		t.I32[i] = math.MinInt32
	}
	for i := range t.U8 {
		t.U8[i] = 0x7f // NaN in e4m3
	}
}
