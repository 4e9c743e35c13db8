package verify

import (
	"math"
	"slices"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/verify/machine"
	"github.com/glmc/glmc/kernels/dtype"
)

// reassociation bounds by how much results may differ, relative to the largest value of a result, when sums are
// taken in another order.
//
// Rounding errors of a float32 sum of n terms behave like independent ones: the sum is off by at most
// l sqrt(n) u of the sum of the terms' sizes, u = 2^-24, but for a probability of 2 exp(-l^2/2) (Higham and Mary, A new
// approach to probabilistic rounding error analysis, 2019). Both orders have such an error, which makes
// l sqrt(n) 2^-23. Those of sums behind each other add up in the same way; the bound takes all sums of an entry
// as if they stood one behind the other, which is more than any path has, with l = 8. That leaves out what
// could make it larger, cancellation and norms of small rows: random operands have neither to a degree that matters
// beside it.
func reassociation(m *ir.Module) float64 {
	most := 0
	for _, g := range m.Graphs {
		terms := 0
		for _, n := range g.Nodes {
			terms += summed(n, m.Ranks)
		}
		most = max(most, terms)
	}
	return 8 * math.Sqrt(float64(most)) * 0x1p-23
}

// summed is how many terms the sums of a node have, one behind the other.
func summed(n *ir.Node, ranks int) int {
	switch n.Op.Name {
	case "comm.all_reduce":
		return ranks
	case "attn.paged":
		return machine.PageSize*machine.Pages + lastDim(n.In[0])
	}
	terms := 0
	for i, v := range n.In {
		switch {
		case v == nil || len(v.Type.Shape) == 0:
		case v.Weight != nil && len(v.Weight.Shape) > 1 && n.Op.Name != "embed":
			terms += v.Weight.Shape[len(v.Weight.Shape)-1]
		case i == 0 && n.Op.Shard != ir.ShardPointwise:
			terms += lastDim(v)
		}
	}
	return terms
}

func lastDim(v *ir.Value) int {
	if d := v.Type.Shape.Last(); d.IsConst() {
		return d.Add
	}
	return 0
}

// formats bounds the root mean square of the difference, relative to that of a result, that comes of operands in
// other dtypes than before.
//
// Rounding to p significant bits is off by up to e = 2^-p of a value, and by e/sqrt(3) in the root mean square
// of errors that are spread evenly. A product of rounded weights and rounded rows sums independent errors, so that
// its own relative error is no larger: e sqrt(2/3). Of N products whose operands changed, one behind the other,
// errors are independent too, which makes e sqrt(2N/3). The bound is twice that, for what norms, gates and softmax
// make larger.
func formats(before, after *ir.Module) float64 {
	had := map[string]map[int]*ir.Node{}
	for _, g := range before.Graphs {
		had[g.Name] = map[int]*ir.Node{}
		for _, n := range g.Nodes {
			had[g.Name][n.ID] = n
		}
	}
	most := 0.0
	for _, g := range after.Graphs {
		sum := 0.0
		for _, n := range g.Nodes {
			for _, e := range changed(had[g.Name][n.ID], n) {
				sum += e * e
			}
		}
		most = max(most, 2*math.Sqrt(2*sum/3))
	}
	return most
}

// changed lists the unit errors of the operands of a node that had another dtype, or none at all, before.
func changed(old, n *ir.Node) []float64 {
	var list []float64
	quantised := n.Attrs.Str("act") != "" && (old == nil || old.Attrs.Str("act") == "")
	for i, v := range n.In {
		if v == nil || v.Weight == nil {
			continue
		}
		as := v.Weight.DType
		if was := old; was != nil && i < len(was.In) && was.In[i] != nil && was.In[i].Type.DType == as && !quantised {
			continue
		}
		list = append(list, unit(as))
	}
	return list
}

// noiseOf gives the unit error of each operand of a module's products that has another dtype in another module: of those
// that are still there, by their own; of those that were rewritten, by the widest error of any.
func noiseOf(before, after *ir.Module) func(g *ir.Graph, n *ir.Node, operand int) float64 {
	kept := map[string]map[int]*ir.Node{}
	widest, quantised := 0.0, 0.0
	for _, g := range after.Graphs {
		if kept[g.Name] == nil {
			kept[g.Name] = map[int]*ir.Node{}
		}
		for _, n := range g.Nodes {
			kept[g.Name][n.ID] = n
			if quantisesRows(n) {
				quantised = unit(dtype.F8E4M3)
			}
			for i, v := range n.In {
				if v != nil && n.Op.Operands[i].Kind == ir.LinearOperand {
					widest = max(widest, unit(v.Type.DType))
				}
			}
		}
	}
	return func(g *ir.Graph, n *ir.Node, operand int) float64 {
		product := slices.ContainsFunc(n.Op.Operands, func(o ir.Operand) bool { return o.Kind == ir.LinearOperand })
		same := kept[g.Name][n.ID]
		if same != nil && same.Op != n.Op {
			same = nil
		}
		switch {
		case !product:
			return 0
		case n.Op.Operands[operand].Kind == ir.LinearOperand && same != nil && same.In[operand].Type.DType == n.In[operand].Type.DType:
			return 0
		case n.Op.Operands[operand].Kind == ir.LinearOperand && same != nil:
			return unit(same.In[operand].Type.DType)
		case n.Op.Operands[operand].Kind == ir.LinearOperand:
			return widest
		case operand > 0 || same != nil && same.Attrs.Str("act") == n.Attrs.Str("act"):
			return 0
		}
		return quantised
	}
}

// quantisesRows reports whether a node rounds rows to fp8: those that it multiplies, or those that it makes.
func quantisesRows(n *ir.Node) bool {
	return n.Attrs.Str("act") != "" || slices.ContainsFunc(n.Out, func(v *ir.Value) bool { return v.Type.DType == dtype.F8E4M3 })
}

// unit is the largest relative error of rounding to a dtype. That of integers is half a step, 127 or 7 of which make the
// largest value with the same scale, relative to the root mean square of these values: at most about a quarter of the
// largest.
func unit(d dtype.DType) float64 {
	switch d {
	case dtype.I4:
		return 0x1p-2
	case dtype.I8:
		return 0x1p-6
	case dtype.F8E4M3:
		return 0x1p-4
	case dtype.BF16:
		return 0x1p-8
	case dtype.F16:
		return 0x1p-11
	}
	return 0x1p-24
}
