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
	"github.com/glmc/glmc/runtime/hugepages"
	"github.com/glmc/glmc/runtime/packed"
	"github.com/glmc/glmc/runtime/safetensors"
)

// Loader makes the weights of one plan from one checkpoint. The tensors that it returns may be views of the
// checkpoint's map: they are read-only, and valid until the checkpoint is closed. A loader is not safe for
// concurrent use; it uses all processors by itself.
type Loader struct {
	*resolver
	plan     *plan.Plan
	memory   *hugepages.Region // where weights are made; nil: Go's heap
	packed   *packed.File      // nil: there is none
	prepared map[Want]*made
	shared   map[form]kernels.Tensor
	rounded  []Rounded
}

// NewLoader resolves every tensor of the plan, whose module must be valid (ir.Module.Verify). It fails with all
// problems at once, up to ten spelled out, when a tensor is missing or misshapen, and when the checkpoint holds
// values that nothing uses and no rule ignores: a scale that nobody reads is a wrong result.
func NewLoader(p *plan.Plan, ckpt *safetensors.Checkpoint) (*Loader, error) {
	r, err := newResolver(p, ckpt)
	if err != nil {
		return nil, err
	}
	l := &Loader{resolver: r, plan: p, prepared: map[Want]*made{}, shared: map[form]kernels.Tensor{}}
	if err := l.check(); err != nil {
		return nil, err
	}
	return l, nil
}

// Want is a weight as the device of a rank wants it: in dtype DType, a format of weights, in that layout.
type Want struct {
	Weight *ir.Weight
	Rank   int
	DType  dtype.DType
	Layout kernels.Layout
	// AnyLayout takes Layout as a wish: where another want, prepared with this one, is of the same values in another
	// layout, both get that one. A model whose head is its embedding holds it once then.
	AnyLayout bool
}

// form is what a tensor is made of and the order in which it lies.
type form struct {
	identity
	layout kernels.Layout
}

// made is what Prepare finds out about a want.
type made struct {
	layout *layout
	form   form
	only   block // see identify
	size   int64 // bytes of memory that it takes; 0 where it stays in a file
}

// isView reports whether the weight is used where it lies in the checkpoint's file.
func (m *made) isView(d dtype.DType) bool {
	return m.form.layout == kernels.RowMajor && m.only.isView(d)
}

// Prepare finds out what weights are made of, before any is made, and how many bytes of a region they take. Those that
// come to the same stored values in the same layout count once.
func (l *Loader) Prepare(wants []Want) (int64, error) {
	panels := map[identity]bool{}
	for _, w := range wants {
		m, err := l.prepare(w)
		if err != nil {
			return 0, fmt.Errorf("weight %s: %w", w.Weight.Name, err)
		}
		panels[m.form.identity] = panels[m.form.identity] || w.Layout == kernels.Panels
	}
	size, counted := int64(0), map[form]bool{}
	for _, w := range wants {
		m := l.prepared[w]
		if w.AnyLayout && panels[m.form.identity] {
			m.form.layout = kernels.Panels
		}
		m.size = 0
		if _, ok := l.packed.Find(m.form.key()); !ok && !m.isView(w.DType) {
			m.size = storageOf(w.DType, m.layout.shape, m.form.layout).room()
		}
		if !counted[m.form] {
			counted[m.form] = true
			size += m.size
		}
	}
	return size, nil
}

func (l *Loader) prepare(w Want) (*made, error) {
	if m := l.prepared[w]; m != nil {
		return m, nil
	}
	evaluated, err := l.evaluate(w.Weight.Recipe, w.Rank)
	if err != nil {
		return nil, err
	}
	if w.DType == dtype.I4 && evaluated.width()%2 != 0 {
		return nil, fmt.Errorf("rows of %d values do not fill bytes in %s", evaluated.width(), w.DType)
	}
	m := &made{layout: evaluated}
	m.form.identity, m.only = identify(evaluated, w.DType)
	m.form.layout = w.Layout
	l.prepared[w] = m
	return m, nil
}

// Into has weights that are prepared be made in a region, which must have room for what Prepare said and be there for as
// long as they are used.
func (l *Loader) Into(memory *hugepages.Region) { l.memory = memory }

// Load makes one weight of the plan for one rank in dtype d, a format of weights. Weights that come to the same
// stored values are made once. F8E4M3 and I8 come with a scale for each row, I4 with one for each group of a row: the
// stored ones, or, for values that are stored in another format, max|w|/448 or dtype.QuantizeI8 of the whole stored row,
// also where a rank has a part of it, and dtype.QuantizeI4 of the group, which no rank may have a part of.
func (l *Loader) Load(w *ir.Weight, rank int, d dtype.DType) (kernels.Tensor, error) {
	return l.Make(Want{Weight: w, Rank: rank, DType: d})
}

// Make is Load for any layout.
func (l *Loader) Make(w Want) (kernels.Tensor, error) {
	m, err := l.prepare(w)
	if err != nil {
		return kernels.Tensor{}, fmt.Errorf("weight %s: %w", w.Weight.Name, err)
	}
	t, ok := l.shared[m.form]
	if ok {
		return t, nil
	}
	if t, err = l.make(w, m); err != nil {
		return kernels.Tensor{}, fmt.Errorf("weight %s: %w", w.Weight.Name, err)
	}
	l.shared[m.form] = t
	return t, nil
}

func (l *Loader) make(w Want, m *made) (kernels.Tensor, error) {
	if m.isView(w.DType) {
		return m.only.view(m.layout.shape)
	}
	l.noteRounding(w.Weight.Name, m.layout, w.DType)
	if p, ok := l.packed.Find(m.form.key()); ok {
		return storageOf(w.DType, m.layout.shape, m.form.layout).over(l.packed.Bytes(p))
	}
	t := storageOf(w.DType, m.layout.shape, m.form.layout).tensor(l.memory)
	var err error
	if m.form.layout == kernels.Panels {
		err = pack(&t, m.layout)
	} else {
		err = assemble(&t, m.layout)
	}
	m.layout.release()
	return t, err
}
