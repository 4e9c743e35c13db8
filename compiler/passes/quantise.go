package passes

import (
	"fmt"
	"slices"
	"strings"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/kernels/dtype"
)

// quantise gives Linear weights the dtype that the pipeline's `weights` line asks for, fp8_e4m3 or int8 with one scale
// for each output channel or int4 with one for each 64 values above all, and quantises the rows that go into fp8 Linears
// where `activations` does.
//
// Weights that the checkpoint holds in a format with scales stay as they are. Weights that compute in f32 (the router's) and the modules
// that the pipeline skips are kept. So are weights that something else than a Linear reads as well: only
// Linears have kernels for scales. Operators whose weights work together (gate, up and down of the experts)
// have all of them kept or none.
//
// A row's scale is max|x|/448, taken when the row is there (dynamic, per token), as compressed-tensors'
// float-quantized format means it. Under tensor parallelism a row-parallel projection sees a part of each row
// and takes the scale of that part, which is finer than the whole row's: results differ from one rank's within
// the same error.
//
// It must not make a weight int4 that is made of parts of rows which are no whole groups, nor, under tensor parallelism, one
// whose rows are none on every rank: a row-parallel projection would be cut within a group, and its codes would be others
// than those of the whole. Which weights are split by columns is decided later, so that it keeps the others too.
var quantise = &Pass{
	Name:    "quantise",
	Doc:     "fp8 and int8 weights with a scale for each output channel, int4 ones with one for each group; fp8 inputs with a scale for each token",
	Numeric: ChangesDType,
	After: []Order{
		{"fold_shared_expert", "routed and shared experts are then quantised as one weight and cannot end up in different formats"},
	},
	Remarks: []RemarkKind{
		{"weights", true, "a weight is held in the pipeline's format"},
		{"activations", true, "the rows that go into a quantised weight are quantised"},
		{"weights_kept", false, "a weight stays in the format that it is stored in"},
		{"activations_kept", false, "the rows that go into a weight stay as they are, because the weight is not quantised"},
	},
	Run: func(c *Context) error {
		if !c.Options.Weights.Valid() && !c.Options.Activations.Valid() {
			return nil
		}
		q := &quantiser{Context: c, kept: map[*ir.Weight]string{}, alone: map[*ir.Node]bool{}}
		q.ask()
		if c.Options.Weights.Valid() {
			q.decide()
		}
		for _, g := range c.Module.Graphs {
			for _, n := range g.Nodes {
				if names := linearOperands(n.Op); names != nil {
					q.node(g, n, names)
				}
			}
		}
		return nil
	},
}

type quantiser struct {
	*Context
	kept  map[*ir.Weight]string // why a weight keeps its dtype
	alone map[*ir.Node]bool     // nodes that were gated off, and that have said so
}

// linearOperands names the weights of an operator that have kernels for scales.
func linearOperands(op *ir.Op) []string {
	var names []string
	for _, o := range op.Operands {
		if o.Kind == ir.LinearOperand {
			names = append(names, o.Name)
		}
	}
	return names
}

// ask finds the nodes that are to be left alone. It does so before anything is decided, because a weight keeps
// its dtype where any of its readers does.
func (q *quantiser) ask() {
	for _, g := range q.Module.Graphs {
		for _, n := range g.Nodes {
			names := linearOperands(n.Op)
			if names == nil || q.may(g, n.Origin) {
				continue
			}
			q.alone[n] = true
			for _, o := range names {
				q.kept[n.Arg(o).Weight] = "another reader of the weight was left alone on request"
			}
		}
	}
}

// decide finds the weights that are kept: those with a reason of their own, and those that work together
// with one.
func (q *quantiser) decide() {
	q.eachNode(func(n *ir.Node) {
		for i, v := range n.In {
			if v == nil || v.Weight == nil {
				continue
			}
			if w := v.Weight; q.kept[w] == "" {
				q.kept[w] = q.ownReason(w, n.Op, n.Op.Operands[i])
			}
		}
	})
	for changed := true; changed; {
		changed = false
		q.eachNode(func(n *ir.Node) {
			names := linearOperands(n.Op)
			for _, o := range names {
				why := q.kept[n.Arg(o).Weight]
				for _, p := range names {
					if w := n.Arg(p).Weight; why != "" && q.kept[w] == "" {
						q.kept[w] = why
						changed = true
					}
				}
			}
		})
	}
}

func (q *quantiser) eachNode(visit func(n *ir.Node)) {
	for _, g := range q.Module.Graphs {
		for _, n := range g.Nodes {
			visit(n)
		}
	}
}

// ownReason says why a weight is kept where an operator has it as an operand; "" where it is not.
func (q *quantiser) ownReason(w *ir.Weight, op *ir.Op, o ir.Operand) string {
	target := q.Options.Weights
	switch {
	case w.DType == target:
		return ""
	case o.Kind != ir.LinearOperand:
		return fmt.Sprintf("%s is also the %s of %s, which takes it as it is", w.Name, o.Name, op.Name)
	case w.DType == dtype.F32 && q.madeOf(w.Recipe, q.inF32):
		return fmt.Sprintf("%s is computed in f32", w.Name)
	case w.DType.Scaled():
		return fmt.Sprintf("%s is stored in %s", w.Name, w.DType)
	case q.madeOf(w.Recipe, q.skipped):
		return fmt.Sprintf("%s is on the pipeline's skip list", w.Name)
	case target == dtype.I4:
		return q.noGroups(w)
	}
	return ""
}

// noGroups says why a weight cannot be int4; "" where it can.
func (q *quantiser) noGroups(w *ir.Weight) string {
	width, ranks := w.Shape[len(w.Shape)-1], max(q.Options.TensorParallel, 1)
	switch {
	case width%2 != 0:
		return fmt.Sprintf("%s has rows of %d values, and int4 rows are even", w.Name, width)
	case cutsGroups(w.Recipe):
		return fmt.Sprintf("%s is made of parts of rows that are no whole groups of %d", w.Name, dtype.Group)
	case ranks > 1 && q.Module.Ranks == 1 && width%(ranks*dtype.Group) != 0:
		return fmt.Sprintf("%s has rows of %d values, which are no whole groups of %d for each of %d ranks", w.Name, width, dtype.Group, ranks)
	}
	return ""
}

// skipped reports whether a weight's module is on the pipeline's skip list.
func (q *quantiser) skipped(name string) bool {
	return q.Options.KeepWeight != nil && q.Options.KeepWeight(strings.TrimSuffix(name, ".weight"))
}

// inF32 reports whether a weight in f32 is so because what it computes is, and not because it is stored so.
func (q *quantiser) inF32(name string) bool {
	return q.Options.InF32 == nil || q.Options.InF32(name)
}

// madeOf reports whether something is true of a stored tensor that a weight is made of. Of many experts the first one
// answers for all.
func (q *quantiser) madeOf(r *ir.Recipe, is func(name string) bool) bool {
	if len(r.Args) == 0 {
		return is(strings.ReplaceAll(r.Name, "{e}", "0"))
	}
	return slices.ContainsFunc(r.Args, func(a *ir.Recipe) bool { return q.madeOf(a, is) })
}

// cutsGroups reports whether a recipe takes parts of rows, or puts them side by side, other than in whole groups: a shared
// expert that was folded as two has half of each row of down_proj.
func cutsGroups(r *ir.Recipe) bool {
	if slices.ContainsFunc(r.Args, cutsGroups) {
		return true
	}
	rowsOf := func(a *ir.Recipe) (last, width int) {
		shape, err := a.OutShape()
		if err != nil {
			panic("passes: quantise: a recipe that the verifier took: " + err.Error())
		}
		return len(shape) - 1, shape[len(shape)-1]
	}
	switch r.Kind {
	case ir.RecipeSlice:
		last, width := rowsOf(r.Args[0])
		end := r.Start + r.Size
		return r.Dim == last && (r.Start%dtype.Group != 0 || end%dtype.Group != 0 && end != width)
	case ir.RecipeShard:
		last, width := rowsOf(r.Args[0])
		return r.Dim == last && r.Parts > 1 && width/r.Parts%dtype.Group != 0
	case ir.RecipeConcat:
		for _, a := range r.Args[:len(r.Args)-1] {
			if last, width := rowsOf(a); r.Dim == last && width%dtype.Group != 0 {
				return true
			}
		}
	}
	return false
}

func (q *quantiser) node(g *ir.Graph, n *ir.Node, operands []string) {
	if q.alone[n] {
		return
	}
	kept := false
	if q.Options.Weights.Valid() {
		why := q.kept[n.Arg(operands[0]).Weight]
		if kept = why != ""; kept {
			q.missed(g, n.Origin, "weights_kept", "%s", why)
		} else {
			q.weights(g, n, operands)
		}
	}
	if q.Options.Activations != dtype.F8E4M3 {
		return
	}
	for _, o := range operands {
		w := n.Arg(o).Weight
		if w.DType == dtype.F8E4M3 {
			continue
		}
		if !kept { // otherwise it was said already
			q.missed(g, n.Origin, "activations_kept", "the weight %s is %s, so its input stays as it is", w.Name, w.DType)
		}
		return
	}
	n.Attrs = n.Attrs.With("act", dtype.F8E4M3.String())
	q.applied(g, n.Origin, "activations", Saves{}, "the rows that go into %s are quantised to fp8_e4m3", n.Arg(operands[0]).Weight.Name)
}

// weights turns a node's weights into the wanted dtype. Another node may have done so already.
func (q *quantiser) weights(g *ir.Graph, n *ir.Node, operands []string) {
	for _, o := range operands {
		v := n.Arg(o)
		if w := v.Weight; w.DType != q.Options.Weights {
			before := w.Bytes()
			w.DType = q.Options.Weights
			q.applied(g, n.Origin, "weights", Saves{}, "%s is stored in %s, %d bytes instead of %d", w.Name, w.DType, w.Bytes(), before)
		}
		v.Type.DType = v.Weight.DType
	}
}
