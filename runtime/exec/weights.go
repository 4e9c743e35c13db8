package exec

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/runtime/hugepages"
	"github.com/glmc/glmc/runtime/weights"
)

// programsOf are the plan's programs of some entries; nil: of all.
func programsOf(p *plan.Plan, entries []string) []*plan.Program {
	var out []*plan.Program
	for _, q := range p.Programs {
		if entries == nil || slices.Contains(entries, q.Graph.Name) {
			out = append(out, q)
		}
	}
	return out
}

// wantsOf lists the weights that programs read, as a rank's device wants them.
func wantsOf(programs []*plan.Program, rank int, dev Device) []weights.Want {
	uses := map[*ir.Weight]use{}
	var order []*ir.Weight
	for _, p := range programs {
		for _, n := range p.Graph.Nodes {
			for i, v := range n.In {
				if v == nil || v.Weight == nil {
					continue
				}
				if _, ok := uses[v.Weight]; !ok {
					order = append(order, v.Weight)
				}
				uses[v.Weight] |= useOf(n, i)
			}
		}
	}
	wants := make([]weights.Want, len(order))
	for i, w := range order {
		wants[i] = weights.Want{Weight: w, Rank: rank, DType: dev.Weight(w.DType), AnyLayout: uses[w] == lookedUp}
	}
	inPanels := panels(programs, uses, func(w *ir.Weight) bool { d := dev.Weight(w.DType); return mayLie(d, uses[w]) && dev.Panels(d) })
	for i, w := range order {
		if inPanels[w] {
			wants[i].Layout = kernels.Panels
		}
	}
	return wants
}

// use says what operators do with a weight.
type use int

const (
	multiplied use = 1 << iota // as the matrix of a product
	wide                       // as that of a product in float32
	mixed                      // as one of those of experts, or with rows that come quantised
	lookedUp                   // row by row
	read                       // in any other way
)

// useOf is what a node does with operand i.
func useOf(n *ir.Node, i int) use {
	switch {
	case n.Op.Name == "embed":
		return lookedUp
	case n.Op.Operands[i].Kind != ir.LinearOperand:
		return read
	case n.Op.Name == "linear.f32":
		return wide
	case operandsOf(n.Op) > 1 || strings.HasSuffix(n.Op.Name, "w8a8"):
		return mixed
	}
	return multiplied
}

// panels finds the weights that are to lie in panels: those that are multiplied, where every kernel that reads them knows
// panels, as those that look rows up do. An operator gets all its matrices in one order, or it would need a kernel for
// each mixture.
func panels(programs []*plan.Program, uses map[*ir.Weight]use, wanted func(*ir.Weight) bool) map[*ir.Weight]bool {
	in := map[*ir.Weight]bool{}
	for w := range uses {
		in[w] = wanted(w)
	}
	for changed := true; changed; {
		changed = false
		for _, matrices := range products(programs) {
			if !slices.ContainsFunc(matrices, func(w *ir.Weight) bool { return !in[w] }) {
				continue
			}
			for _, w := range matrices {
				changed = changed || in[w]
				in[w] = false
			}
		}
	}
	return in
}

// operandsOf counts the matrices that an operator multiplies.
func operandsOf(op *ir.Op) int {
	n := 0
	for _, o := range op.Operands {
		if o.Kind == ir.LinearOperand {
			n++
		}
	}
	return n
}

// mayLie reports whether every kernel that reads a weight of that dtype so knows panels of it. Experts have none of F32,
// and products in float32 no others. The same weight is then multiplied in the same order whether or not a plan has its
// activations in float32 anyway.
func mayLie(d dtype.DType, u use) bool {
	if d == dtype.F32 {
		return u&(multiplied|wide) != 0 && u&(mixed|read|lookedUp) == 0
	}
	return u&(multiplied|mixed) != 0 && u&(wide|read) == 0
}

// products lists the matrices of each operator that multiplies several.
func products(programs []*plan.Program) [][]*ir.Weight {
	var list [][]*ir.Weight
	for _, p := range programs {
		for _, n := range p.Graph.Nodes {
			var matrices []*ir.Weight
			for i, v := range n.In {
				if v != nil && v.Weight != nil && useOf(n, i) == mixed {
					matrices = append(matrices, v.Weight)
				}
			}
			if len(matrices) > 1 {
				list = append(list, matrices)
			}
		}
	}
	return list
}

// reserve makes room for weights in one piece.
func (e *Executor) reserve(loader *weights.Loader, wants []weights.Want) error {
	size, err := loader.Prepare(wants)
	if err != nil {
		return err
	}
	if e.weights, err = room(size); err != nil {
		return err
	}
	loader.Into(e.weights)
	return nil
}

// room is memory for weights. The error says what to do where they are more than there is.
func room(size int64) (*hugepages.Region, error) {
	r, err := hugepages.New(size)
	var short *hugepages.NotEnough
	if errors.As(err, &short) {
		return nil, fmt.Errorf("the model's weights do not fit: %w: close other programs, take a machine with more memory, or a checkpoint in a smaller dtype (glmc quantize)", err)
	}
	if err != nil {
		return nil, fmt.Errorf("the model's weights: %w", err)
	}
	return r, nil
}

// load makes the weights that a rank wants.
func load(ctx context.Context, loader *weights.Loader, wants []weights.Want) (map[*ir.Weight]kernels.Tensor, error) {
	loaded := map[*ir.Weight]kernels.Tensor{}
	for _, w := range wants {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		t, err := loader.Make(w)
		if err != nil {
			return nil, err
		}
		loaded[w.Weight] = t
	}
	return loaded, nil
}
