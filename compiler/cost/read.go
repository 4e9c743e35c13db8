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
