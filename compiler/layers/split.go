package layers

import "github.com/glmc/glmc/compiler/ir"

// Layer is the operators of one layer, or those outside of all layers, in their order.
type Layer struct {
	Number int // -1: outside of the layers
	Nodes  []*ir.Node
	Like   *Layer // the first layer of its kind
	Alike  []int  // of the first layer of a kind: the numbers of all of them, in the order of the graph
	index  map[*ir.Node]int
}

// Index is the place of an operator in the layer; false where it belongs to another one.
func (l *Layer) Index(n *ir.Node) (int, bool) {
	at, ok := l.index[n]
	return at, ok
}

// Split groups a graph's operators by layer, in the order in which the layers begin, and finds those that are alike.
// What is outside of the layers is like nothing else.
func Split(g *ir.Graph) []*Layer {
	byNumber := map[int]*Layer{}
	var out []*Layer
	for _, n := range g.Nodes {
		l := byNumber[n.Origin.Layer]
		if l == nil {
			l = &Layer{Number: n.Origin.Layer, index: map[*ir.Node]int{}}
			byNumber[l.Number] = l
			out = append(out, l)
		}
		l.index[n] = len(l.Nodes)
		l.Nodes = append(l.Nodes, n)
	}
	kinds := NewKinds()
	first := map[int]*Layer{}
	for _, l := range out {
		kind := kinds.Of(l.Nodes, l.Number, l.Index)
		if first[kind] == nil || l.Number < 0 {
			first[kind] = l
		}
		l.Like = first[kind]
		l.Like.Alike = append(l.Like.Alike, l.Number)
	}
	return out
}
