package dot

import (
	"fmt"
	"slices"
	"strings"

	"github.com/glmc/glmc/compiler/ir"
)

// layer is the operators of one layer, or those outside of all layers, in their order.
type layer struct {
	number int
	nodes  []*ir.Node
	index  map[*ir.Node]int
	like   *layer // the first layer of its kind
	alike  []int  // of the first layer of a kind: the numbers of all of them
}

// splitLayers groups a graph's operators by layer, in the order in which the layers begin.
func splitLayers(g *ir.Graph) []*layer {
	byNumber := map[int]*layer{}
	var out []*layer
	for _, n := range g.Nodes {
		l := byNumber[n.Origin.Layer]
		if l == nil {
			l = &layer{number: n.Origin.Layer, index: map[*ir.Node]int{}}
			byNumber[l.number] = l
			out = append(out, l)
		}
		l.index[n] = len(l.nodes)
		l.nodes = append(l.nodes, n)
	}
	kinds := map[string]*layer{}
	for _, l := range out {
		kind := l.kind()
		if kinds[kind] == nil || l.number < 0 {
			kinds[kind] = l
		}
		l.like = kinds[kind]
		l.like.alike = append(l.like.alike, l.number)
	}
	return out
}

// kind is the same text for layers that are alike: they apply the same operators to operands of the same types,
// connected in the same way. Where something comes from outside of the layer its type counts, because the first
// layer follows an embedding and the others follow a layer.
func (l *layer) kind() string {
	var b strings.Builder
	for _, n := range l.nodes {
		fmt.Fprintf(&b, "%s %v", n.Op.Name, n.Attrs)
		for _, v := range n.In {
			switch {
			case v == nil:
				b.WriteString(" none")
			case v.Weight != nil:
				fmt.Fprintf(&b, " weight %s %s", v.Type, ownName(v.Weight.Name, l.number))
			case v.Cache != nil:
				fmt.Fprintf(&b, " cache %d %d %d", v.Cache.Heads, v.Cache.HeadDim, v.Cache.ValueDim)
			case v.Def == nil:
				fmt.Fprintf(&b, " input %q", v.Input)
			default:
				at, inside := l.index[v.Def]
				if !inside {
					at = -1
				}
				fmt.Fprintf(&b, " %d.%d %s", at, slices.Index(v.Def.Out, v), v.Type)
			}
		}
		for _, v := range n.Out {
			fmt.Fprintf(&b, " %s", v.Type)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// ownName is a weight's name below its layer: "model.layers.3.mlp.gate.weight" is "mlp.gate.weight" in layer 3.
func ownName(name string, number int) string {
	layer := fmt.Sprintf(".%d.", number)
	parts := strings.Split(name, " + ")
	for i, p := range parts {
		if _, below, ok := strings.Cut(p, layer); ok {
			parts[i] = below
		}
	}
	return strings.Join(parts, " + ")
}
