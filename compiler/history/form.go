package history

import (
	"strconv"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/layers"
)

// form is an operator without numbers: what it has in common with those at its place in layers of its kind.
type form struct{ node Node }

// form describes an operator of a layer.
func (r *Recorder) form(n *ir.Node, l *layer) form {
	f := Node{Op: n.Op.Name, View: n.Op.View, Source: n.Origin.Source, End: n.Origin.End, Path: generic(n.Origin.Path, l.layer),
		Results: []Result{}, Operands: []Operand{}, Attrs: []Attr{}, Stream: n.Stream, Waits: make([]Wait, len(n.Waits))}
	for _, v := range n.Out {
		f.Results = append(f.Results, Result{Type: v.Type.String()})
	}
	for i, v := range n.In {
		f.Operands = append(f.Operands, r.operand(n.Op.Operands[i].Name, v, l.layer))
	}
	for _, a := range n.Attrs {
		f.Attrs = append(f.Attrs, Attr{a.Key, ir.AttrText(a.Value)})
	}
	return form{f}
}

func (r *Recorder) operand(arg string, v *ir.Value, layer int) Operand {
	o := Operand{Arg: arg, Kind: OperandNone}
	if v == nil {
		return o
	}
	o.Type = v.Type.String()
	switch {
	case v.Weight != nil:
		o.Kind, o.Name = OperandWeight, generic(v.Weight.Name, layer)
		o.Recipe = r.kinds.Recipe(v.Weight.Recipe, layer)
	case v.Cache != nil:
		o.Kind, o.Name = OperandCache, generic(v.Cache.Name, layer)
	case v.Def == nil:
		o.Kind, o.Name = OperandInput, v.Input
	default:
		o.Kind = OperandValue
	}
	return o
}

// generic writes {n} for the layer's number in a name.
func generic(name string, layer int) string {
	if layer < 0 {
		return name
	}
	return layers.Replace(name, strconv.Itoa(layer))
}

// nodes are the operators of a part: the forms of its kind with its own numbers.
func (r *Recorder) nodes(p *part) []Node {
	forms := r.forms[p.kind]
	out := make([]Node, len(forms))
	ids := p.ids
	next := func() int {
		id := int(ids[0])
		ids = ids[1:]
		return id
	}
	for i, f := range forms {
		n := f.node
		n.ID, n.Layer = next(), p.layer
		n.Results = append([]Result{}, n.Results...)
		for j := range n.Results {
			n.Results[j].ID = next()
		}
		n.Operands = append([]Operand{}, n.Operands...)
		for j := range n.Operands {
			n.Operands[j].Value, n.Operands[j].From = next(), next()
		}
		n.Waits = make([]Wait, len(n.Waits))
		for j := range n.Waits {
			n.Waits[j] = Wait{next(), next()}
		}
		out[i] = n
	}
	return out
}

// results are the values that a part makes, in order.
func (r *Recorder) results(p *part) []int {
	var out []int
	at := 0
	for _, f := range r.forms[p.kind] {
		for range f.node.Results {
			at++
			out = append(out, int(p.ids[at]))
		}
		at += 1 + 2*(len(f.node.Operands)+len(f.node.Waits))
	}
	return out
}

// operands maps each operator of a part to its operands' numbers.
func (r *Recorder) operands(p *part, into map[int32][]int32) {
	at := 0
	for _, f := range r.forms[p.kind] {
		id := p.ids[at]
		at += 1 + len(f.node.Results)
		into[id] = p.ids[at : at+2*len(f.node.Operands)]
		at += 2 * (len(f.node.Operands) + len(f.node.Waits))
	}
}
