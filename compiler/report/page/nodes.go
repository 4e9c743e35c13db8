package page

import (
	"fmt"
	"slices"
	"strings"

	"github.com/glmc/glmc/compiler/cost"
	"github.com/glmc/glmc/compiler/history"
	"github.com/glmc/glmc/compiler/ir"
)

// nodes describes every state of every operator, in the order of the history's list. What the history leaves out, such
// as predictions and sizes, comes from the graph in which a state is first met.
func (b *builder) nodes() {
	b.data.Nodes = make([]Node, len(b.history.Nodes))
	done := make([]bool, len(b.history.Nodes))
	for i, step := range b.history.Steps {
		for j, g := range step.Graphs {
			s := newGraphState(b.steps[i].Graphs[j])
			for _, part := range g.Parts {
				s.enter(b.history, part)
				for _, at := range part.Nodes {
					if !done[at] {
						done[at] = true
						b.data.Nodes[at] = b.node(&b.history.Nodes[at], s)
					}
				}
			}
		}
	}
}

// graphState is a graph of a step, as far as the nodes of a part are described from it.
type graphState struct {
	graph *ir.Graph
	byID  map[int]*ir.Node
	users map[*ir.Value][]*ir.Node
	made  map[int]bool // values that the part makes
}

func newGraphState(g *ir.Graph) *graphState {
	s := &graphState{graph: g, byID: map[int]*ir.Node{}, users: g.Users()}
	for _, n := range g.Nodes {
		s.byID[n.ID] = n
	}
	return s
}

func (s *graphState) enter(h *history.History, part history.Part) {
	s.made = map[int]bool{}
	for _, at := range part.Nodes {
		for _, r := range h.Nodes[at].Results {
			s.made[r.ID] = true
		}
	}
}

func (b *builder) node(x *history.Node, s *graphState) Node {
	n := s.byID[x.ID]
	out := Node{ID: x.ID, Op: x.Op, Doc: n.Op.Doc, Family: family(n), View: x.View, Path: x.Path, Place: b.place(x.Source),
		Out: []Result{}, In: []Operand{}, Micros: []float64{}}
	for i, r := range x.Results {
		out.Out = append(out.Out, Result{ID: r.ID, Type: r.Type, To: s.otherLayers(n, n.Out[i]), Out: s.graph.IsOutput(n.Out[i])})
	}
	for i, o := range x.Operands {
		out.In = append(out.In, b.operand(o, x.Layer, n.In[i], s))
	}
	for _, a := range x.Attrs {
		out.Attrs = append(out.Attrs, [2]string{a.Key, a.Value})
	}
	if b.priced {
		for _, size := range b.sizes {
			out.Micros = append(out.Micros, rounded(1e6*cost.Node(n, size, b.target).Seconds))
		}
	}
	return out
}

// otherLayers lists the layers beside a node's own that take a value.
func (s *graphState) otherLayers(n *ir.Node, v *ir.Value) []int {
	var out []int
	for _, u := range s.users[v] {
		if l := u.Origin.Layer; l != n.Origin.Layer && !slices.Contains(out, l) {
			out = append(out, l)
		}
	}
	return out
}

func (b *builder) operand(o history.Operand, layer int, v *ir.Value, s *graphState) Operand {
	out := Operand{Name: o.Arg, ID: o.Value, Type: o.Type}
	switch o.Kind {
	case history.OperandNone:
		out.ID, out.Type = 0, ""
	case history.OperandWeight:
		out.Weight, out.Type = b.weight(o, v.Weight), ""
	case history.OperandCache:
		out.Cache, out.Type, out.State = o.Name, "", true
	case history.OperandInput:
		out.Input = o.Name
	default:
		out.State = v.Type.State
		if o.Shown != 0 {
			out.ID = o.Shown
		}
		switch {
		case s.made[o.Value]:
		case o.From >= 0:
			out.From = fmt.Sprintf("layer %d", o.From)
		case layer >= 0:
			out.From = "before the layers"
		default:
			out.From = "outside of the layers"
		}
	}
	return out
}

// weight numbers a weight, from 1 on.
func (b *builder) weight(o history.Operand, w *ir.Weight) int {
	x := Weight{Name: o.Name, Type: o.Type, Bytes: w.Bytes(), Recipe: o.Recipe}
	i, ok := b.weights[x]
	if !ok {
		b.data.Weights = append(b.data.Weights, x)
		i = len(b.data.Weights)
		b.weights[x] = i
	}
	return i
}

// family is the kind of work that an operator does.
func family(n *ir.Node) string {
	name, _, _ := strings.Cut(n.Op.Name, ".")
	switch {
	case n.Op.View:
		return "view"
	case name == "comm":
		return "comm"
	case n.Op.Name == "kv.send":
		return "send"
	case name == "linear":
		return "linear"
	case strings.HasPrefix(n.Op.Name, "moe.experts"):
		return "experts"
	case name == "moe":
		return "route"
	case name == "attn" || name == "kv" || name == "rope":
		return "attention"
	case name == "norm":
		return "norm"
	}
	return "element"
}
