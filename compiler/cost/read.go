package cost

import "github.com/glmc/glmc/compiler/ir"

// Read is how many bytes one execution of a program has to take from memory on all ranks, by the rows of its operators:
// weights, with scales and of experts those that a fair router chooses, and keys and values. Other operands were written a moment
// before, and no memory is read for them as long as a cache holds them. The context is that of the target.
func Read(g *ir.Graph, s ir.Sizes, t Target) (weights, cache float64) {
	context := 1.0
	if t.Context > 0 {
		context = float64(t.Context) / ir.ContextPerToken
	}
	for _, n := range g.Nodes {
		if n.Op.View {
			continue
		}
		w := n.WorkOf(s)
		weights += w.WeightBytes
		cache += w.CacheRead * context * float64(t.cacheSize())
	}
	ranks := float64(max(t.Ranks, 1))
	return weights * ranks, cache * ranks
}

// Products is how many operations the matrix products of one execution of a program take on all ranks, attention included:
// twice the multiplications, of rows that exist. What is done value by value is left out, as are rows that pad a
// tile. The context is that of the target.
func Products(g *ir.Graph, s ir.Sizes, t Target) float64 {
	context := 1.0
	if t.Context > 0 {
		context = float64(t.Context) / ir.ContextPerToken
	}
	flops := 0.0
	for _, n := range g.Nodes {
		w := n.WorkOf(s)
		switch {
		case n.Op.View || w.Products == 0:
		case w.CacheRead > 0: // an attention, all of whose products are with keys and values
			flops += w.Flops * context
		default:
			flops += w.Flops
		}
	}
	return flops * float64(max(t.Ranks, 1))
}
