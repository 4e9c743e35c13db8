package cost

import (
	"fmt"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/kernels/dtype"
)

// Overlapped is how long two chains of nodes take that run on two streams between one fork and one join.
//
// Neither is faster than by itself, and both share the memory and the arithmetic of one device: the longer of the
// two chains, of all bytes and of all operations. A device without streams runs one chain behind the other.
func Overlapped(main, side []*ir.Node, s ir.Sizes, t Target) float64 {
	m, d := Sum(main, s, t), Sum(side, s, t)
	if t.Event == 0 {
		return m.Seconds + d.Seconds
	}
	return t.Event + max(m.Seconds, d.Seconds, m.Memory+d.Memory, m.Compute+d.Compute)
}

// Experts describes the experts of a layer as one rank will hold them.
type Experts struct {
	Hidden, Width int         // values of a token's row, inner channels of an expert
	Count, TopK   int         // routed experts, and how many of them a token takes
	Shared        int         // shared experts of that width
	Weights       dtype.DType // that all of them are held in
	Rows          dtype.DType // that rows are quantised to before a product; Invalid: they are not
	Activations   dtype.DType
}

// SharedPrices is how long a layer's experts take in seconds, from their operands to the sum of all, by what is done
// with the shared ones.
type SharedPrices struct {
	Folded     float64 // they are routed experts that every token takes
	Overlapped float64 // they run on a second stream beside the routed ones
	Apart      float64 // they run behind the routed ones
}

// SharedExpert prices the three ways at the sizes of one step. Apart from the experts themselves they differ in the
// add that puts the two sums together; routing takes one kernel in either way, collectives come behind.
func SharedExpert(x Experts, s ir.Sizes, t Target) (SharedPrices, error) {
	g := ir.NewGraph("experts")
	folded, err := x.routed(g, x.Count+x.Shared, x.Shared)
	if err != nil {
		return SharedPrices{}, err
	}
	routed, err := x.routed(g, x.Count, 0)
	if err != nil {
		return SharedPrices{}, err
	}
	shared, add, err := x.shared(g)
	if err != nil {
		return SharedPrices{}, err
	}
	joined := Sum(add, s, t).Seconds
	return SharedPrices{
		Folded:     Sum(folded, s, t).Seconds,
		Overlapped: Overlapped(routed, shared, s, t) + joined,
		Apart:      Sum(routed, s, t).Seconds + Sum(shared, s, t).Seconds + joined,
	}, nil
}

// builder makes nodes whose operands come from nowhere: only their types are priced.
func (x *Experts) builder(g *ir.Graph) (*ir.Builder, ir.Attrs) {
	var act ir.Attrs
	if x.Rows.Valid() {
		act = ir.Attrs{{Key: "act", Value: x.Rows.String()}}
	}
	return &ir.Builder{Graph: g}, act
}

func (x *Experts) row(width int) ir.Type {
	return ir.TensorType(x.Activations, ir.Symbolic(ir.T), ir.Fixed(width))
}

func (x *Experts) weight(g *ir.Graph, shape ...int) *ir.Value {
	return g.Load(&ir.Weight{Shape: shape, DType: x.Weights})
}

// routed is the operator of the routed experts, count of them with the appended ones.
func (x *Experts) routed(g *ir.Graph, count, appended int) ([]*ir.Node, error) {
	b, act := x.builder(g)
	k := ir.Fixed(x.TopK)
	ids := g.Input("ids", ir.TensorType(dtype.I32, ir.Symbolic(ir.T), k))
	weights := g.Input("weights", ir.TensorType(dtype.F32, ir.Symbolic(ir.T), k))
	if appended > 0 {
		out := b.Emit("moe.append_shared", []*ir.Value{ids, weights},
			ir.Attr{Key: "first", Value: int64(x.Count)}, ir.Attr{Key: "count", Value: int64(appended)})
		ids, weights, b.Nodes = out[0], out[1], nil
	}
	b.Emit("moe.experts", []*ir.Value{g.Input("x", x.row(x.Hidden)), ids, weights, x.weight(g, count, x.Width, x.Hidden),
		x.weight(g, count, x.Width, x.Hidden), x.weight(g, count, x.Hidden, x.Width)},
		append(ir.Attrs{{Key: "activation", Value: "silu"}}, act...)...)
	if err := b.Err(); err != nil {
		return nil, fmt.Errorf("pricing the routed experts: %w", err)
	}
	return b.Nodes, nil
}

// shared is the gated MLP of the shared experts, its first two products in one, and the add behind it.
func (x *Experts) shared(g *ir.Graph) (mlp, add []*ir.Node, err error) {
	b, act := x.builder(g)
	width := x.Width * x.Shared
	b.Emit("linear", []*ir.Value{g.Input("x", x.row(x.Hidden)), x.weight(g, 2*width, x.Hidden), nil}, act...)
	inner := b.One("act.swiglu", []*ir.Value{g.Input("gate", x.row(width)), g.Input("up", x.row(width))})
	b.Emit("linear", []*ir.Value{inner, x.weight(g, x.Hidden, width), nil}, act...)
	mlp = b.Nodes
	b.Nodes = nil
	b.Emit("add", []*ir.Value{g.Input("x", x.row(x.Hidden)), g.Input("x", x.row(x.Hidden))})
	if err := b.Err(); err != nil {
		return nil, nil, fmt.Errorf("pricing the shared experts: %w", err)
	}
	return mlp, b.Nodes, nil
}
