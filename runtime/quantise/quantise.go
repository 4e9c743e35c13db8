// Package quantise writes checkpoints whose weights are quantised, in the layout of compressed-tensors (package
// compressed). It reads weights as the loader does, and makes the codes that the loader would make of them: a checkpoint
// that is quantised once and one that is quantised whenever it is loaded give the same results, bit for bit.
package quantise

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/runtime/compressed"
	"github.com/glmc/glmc/runtime/safetensors"
	"github.com/glmc/glmc/runtime/weights"
)

// Checkpoint is what a quantised checkpoint will have in it.
type Checkpoint struct {
	DType   dtype.DType
	Tensors []safetensors.WriteTensor
	Ignore  []string // modules whose weights are not quantised, for Config
	Summary Summary
}

// Summary counts what a quantised checkpoint holds.
type Summary struct {
	Tensors     int
	Quantised   int   // weights
	Parameters  int64 // without scales
	Bytes       int64 // of tensor data
	SourceBytes int64
	Kept        []Kept
	LeftOut     []string // tensors of the source that the model does not use and that cannot be told of any more
}

// Kept are matrices that stay as they are, and why.
type Kept struct {
	Why     string
	Modules []string
}

// Plan decides what becomes of a checkpoint's tensors. p is the plan of the model for one rank, compiled as if the
// checkpoint was not quantised and with weights in d: what it holds in d is quantised, but modules that skip says are to be
// kept, weights that do not fit the layout, and weights that go into one operator with such. Reads happen when the
// tensors are written, and end when ctx does.
func Plan(ctx context.Context, p *plan.Plan, ckpt *safetensors.Checkpoint, d dtype.DType, skip func(module string) bool) (*Checkpoint, error) {
	if !d.Scaled() || p.Module.Ranks != 1 {
		return nil, fmt.Errorf("a checkpoint in %s of a plan for %d ranks: want a format with scales, and one rank", d, p.Module.Ranks)
	}
	loader, err := weights.NewLoader(p, ckpt)
	if err != nil {
		return nil, err
	}
	leaves, err := loader.Leaves()
	if err != nil {
		return nil, err
	}
	c := &chooser{d: d, skip: skip, why: map[string]string{}}
	c.choose(p, leaves)
	out := &Checkpoint{DType: d}
	if err := out.add(ctx, c, leaves); err != nil {
		return nil, err
	}
	if err := out.unused(loader, ckpt); err != nil {
		return nil, err
	}
	s := &out.Summary
	s.Tensors, s.Bytes = len(out.Tensors), safetensors.DataBytes(out.Tensors)
	for _, name := range ckpt.Names() {
		t, err := ckpt.Tensor(name)
		if err != nil {
			return nil, err
		}
		s.SourceBytes += int64(len(t.Bytes))
	}
	return out, nil
}

// chooser finds the weights that are quantised.
type chooser struct {
	d    dtype.DType
	skip func(module string) bool
	why  map[string]string // why a tensor is kept, by the name that it will have
}

// nameOf is what a leaf will be called: as the checkpoint does, or, where it is a part of a stored tensor, as the model does.
func nameOf(f *weights.Leaf) string {
	if f.Whole {
		return strings.TrimSuffix(f.Stored, compressed.PackedSuffix)
	}
	return f.Name
}

func moduleOf(name string) string { return strings.TrimSuffix(name, ".weight") }

func (c *chooser) choose(p *plan.Plan, leaves []*weights.Leaf) {
	of := map[*ir.Weight][]string{}
	for _, f := range leaves {
		name := nameOf(f)
		for _, w := range f.Weights {
			of[w] = append(of[w], name)
		}
		if why := c.reason(f); why != "" && c.why[name] == "" {
			c.why[name] = why
		}
	}
	for changed := true; changed; {
		changed = false
		for _, program := range p.Programs {
			for _, n := range program.Graph.Nodes {
				changed = c.together(n, of) || changed
			}
		}
	}
}

// reason says why a leaf is kept for reasons of its own; "" where it is not.
func (c *chooser) reason(f *weights.Leaf) string {
	switch {
	case len(f.Shape) < 2:
		return "vectors"
	case f.DType != c.d:
		return "not multiplied, computed in f32, or kept by the model's pipeline"
	case !strings.HasSuffix(f.Name, ".weight"):
		return "names that do not end in .weight"
	case c.skip(moduleOf(nameOf(f))) || c.skip(moduleOf(f.Name)):
		return "skipped"
	case !compressed.Fits(c.d, f.Shape) && len(f.Shape) != 2:
		return "no matrices"
	case !compressed.Fits(c.d, f.Shape):
		return fmt.Sprintf("rows are no whole groups of %d", dtype.Group)
	}
	return ""
}

const keptTogether = "part of an operator that has another weight of these"

// together keeps the weights of an operator with several where one of them is kept: its kernels take one format. Weights
// that a pass merged into one are not merged where their formats differ.
func (c *chooser) together(n *ir.Node, of map[*ir.Weight][]string) bool {
	var names []string
	operands := 0
	for i, v := range n.In {
		if v != nil && n.Op.Operands[i].Kind == ir.LinearOperand {
			names = append(names, of[v.Weight]...)
			operands++
		}
	}
	if operands < 2 {
		return false
	}
	i := slices.IndexFunc(names, func(name string) bool { return c.why[name] != "" })
	changed := false
	if i < 0 {
		return false
	}
	for _, name := range names {
		if c.why[name] == "" {
			c.why[name], changed = keptTogether, true
		}
	}
	return changed
}

// add has what the model uses.
func (out *Checkpoint) add(ctx context.Context, c *chooser, leaves []*weights.Leaf) error {
	written := map[string]bool{}
	kept := map[string][]string{}
	for _, f := range leaves {
		name := nameOf(f)
		if name != f.Name && c.why[name] != "" && len(f.Shape) > 1 {
			out.Ignore = append(out.Ignore, moduleOf(f.Name)) // a head that is the embedding is a Linear as well
		}
		if written[name] {
			continue
		}
		written[name] = true
		out.Summary.Parameters += int64(elems(f.Shape))
		why := c.why[name]
		if why == "" {
			q := &quantised{ctx: ctx, leaf: f, d: c.d}
			out.Tensors = append(out.Tensors, compressed.Tensors(name, c.d, f.Shape, q.codes, q.scales)...)
			out.Summary.Quantised++
			continue
		}
		if len(f.Shape) > 1 {
			out.Ignore = append(out.Ignore, moduleOf(name))
			kept[why] = append(kept[why], moduleOf(name))
		}
		out.Tensors = append(out.Tensors, asStored(ctx, name, f))
	}
	for why, modules := range kept {
		out.Summary.Kept = append(out.Summary.Kept, Kept{why, modules})
	}
	slices.SortFunc(out.Summary.Kept, func(a, b Kept) int { return cmp.Compare(a.Why, b.Why) })
	if out.Summary.Quantised == 0 {
		return fmt.Errorf("none of the model's weights would be in %s: %s", c.d, out.Summary.reasons())
	}
	return nil
}

func (s *Summary) reasons() string {
	var list []string
	for _, k := range s.Kept {
		list = append(list, fmt.Sprintf("%s (%d, such as %s)", k.Why, len(k.Modules), k.Modules[0]))
	}
	return strings.Join(list, "; ")
}

// unused copies what the model does not use. Codes without scales that config.json tells of would mean nothing any more.
func (out *Checkpoint) unused(loader *weights.Loader, ckpt *safetensors.Checkpoint) error {
	ignored := loader.Ignored()
	coded := func(name string) bool {
		t, err := ckpt.Tensor(name)
		return err == nil && (t.DType.Scaled() || strings.HasSuffix(name, compressed.PackedSuffix))
	}
	for _, name := range ckpt.Names() {
		if _, ok := ignored[name]; !ok {
			continue
		}
		t, err := ckpt.Tensor(name)
		if err != nil {
			return err
		}
		of := name
		for _, suffix := range []string{compressed.ScaleSuffix, compressed.ShapeSuffix} {
			of = strings.TrimSuffix(of, suffix)
		}
		if coded(of) || coded(of+compressed.PackedSuffix) {
			out.Summary.LeftOut = append(out.Summary.LeftOut, name)
			continue
		}
		w := safetensors.WriteTensor{Name: name, DType: t.DType, Shape: t.Shape, Data: safetensors.FromBytes(t.Bytes)}
		if !t.DType.Valid() {
			w.FileDType = t.FileDType
		}
		out.Tensors = append(out.Tensors, w)
		if len(t.Shape) > 1 && strings.HasSuffix(name, ".weight") {
			out.Ignore = append(out.Ignore, moduleOf(name))
		}
	}
	return nil
}

func elems(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}
