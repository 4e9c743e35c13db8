// Package weights makes the weights of a plan from a checkpoint: it finds stored tensors by name or alias,
// puts them together as the plan's recipes say, for one rank, and converts them to the dtype that the device
// wants. A weight that is stored as it is needed stays where it is, in the mapped file.
package weights

import (
	"fmt"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/runtime/safetensors"
)

// Loader makes the weights of one plan from one checkpoint. The tensors that it returns may be views of the
// checkpoint's map: they are read-only, and valid until the checkpoint is closed. A loader is not safe for
// concurrent use; it uses all processors by itself.
type Loader struct {
	*resolver
	plan    *plan.Plan
	shared  map[identity]kernels.Tensor
	rounded []Rounded
}

// NewLoader resolves every tensor of the plan, whose module must be valid (ir.Module.Verify). It fails with all
// problems at once, up to ten spelled out, when a tensor is missing or misshapen, and when the checkpoint holds
// values that nothing uses and no rule ignores: a scale that nobody reads is a wrong result.
func NewLoader(p *plan.Plan, ckpt *safetensors.Checkpoint) (*Loader, error) {
	r, err := newResolver(p, ckpt)
	if err != nil {
		return nil, err
	}
	l := &Loader{resolver: r, plan: p, shared: map[identity]kernels.Tensor{}}
	if err := l.check(); err != nil {
		return nil, err
	}
	return l, nil
}

// Load makes one weight of the plan for one rank in dtype d, a format of weights. Weights that come to the same
// stored values are made once. F8E4M3 and I8 come with a scale for each row, I4 with one for each group of a row: the
// stored ones, or, for values that are stored in another format, max|w|/448 or dtype.QuantizeI8 of the whole stored row,
// also where a rank has a part of it, and dtype.QuantizeI4 of the group, which no rank may have a part of.
func (l *Loader) Load(w *ir.Weight, rank int, d dtype.DType) (kernels.Tensor, error) {
	t, err := l.load(w, rank, d)
	if err != nil {
		return kernels.Tensor{}, fmt.Errorf("weight %s: %w", w.Name, err)
	}
	return t, nil
}

func (l *Loader) load(w *ir.Weight, rank int, d dtype.DType) (kernels.Tensor, error) {
	made, err := l.evaluate(w.Recipe, rank)
	if err != nil {
		return kernels.Tensor{}, err
	}
	if d == dtype.I4 && made.width()%2 != 0 {
		return kernels.Tensor{}, fmt.Errorf("rows of %d values do not fill bytes in %s", made.width(), d)
	}
	id, only := identify(made, d)
	t, ok := l.shared[id]
	if ok {
		return t, nil
	}
	if only.isView(d) {
		t, err = only.view(made.shape)
	} else {
		l.noteRounding(w.Name, made, d)
		t, err = assemble(made, d)
	}
	if err == nil {
		l.shared[id] = t
	}
	return t, err
}
