package layers

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/glmc/glmc/compiler/ir"
)

// Kinds numbers the kinds of layers. Two layers are of one kind where they apply the same operators, written at the
// same places of the source, to operands of the same types that are connected in the same way, with weights that are
// made in the same way of tensors whose names differ in the layer's number only. Where an operand comes from outside
// of the layer its type counts, because the first layer follows an embedding and the others follow a layer.
type Kinds struct {
	numbers map[string]int
	recipes map[*ir.Recipe]string // texts with {n} for the layer's number: they are long, and weights outlive passes
	buf     []byte
}

// NewKinds knows no kind yet.
func NewKinds() *Kinds {
	return &Kinds{numbers: map[string]int{}, recipes: map[*ir.Recipe]string{}}
}

// Of is the number of the kind of a layer, given as its operators, its number and the places of the operators in it.
// Numbers count from 0, in the order in which kinds are first seen.
func (k *Kinds) Of(nodes []*ir.Node, layer int, index func(*ir.Node) (int, bool)) int {
	k.buf = k.buf[:0]
	for _, n := range nodes {
		k.text(n.Op.Name)
		k.text(n.Origin.Source)
		k.text(n.Origin.End)
		k.attrs(n.Attrs)
		for _, v := range n.In {
			k.operand(v, layer, index)
		}
		k.number(n.Stream)
		k.number(len(n.Waits))
		for _, w := range n.Waits {
			at, inside := index(w)
			if !inside {
				at = -1
			}
			k.number(at)
		}
		k.number(len(n.Out))
		for _, v := range n.Out {
			k.valueType(v.Type)
		}
	}
	kind, known := k.numbers[string(k.buf)]
	if !known {
		kind = len(k.numbers)
		k.numbers[string(k.buf)] = kind
	}
	return kind
}

// Recipe is the text of a recipe of a layer's weight, with {n} for the layer's number.
func (k *Kinds) Recipe(r *ir.Recipe, layer int) string {
	text, known := k.recipes[r]
	if !known {
		text = r.String()
		if layer >= 0 {
			text = Replace(text, strconv.Itoa(layer))
		}
		k.recipes[r] = text
	}
	return text
}

// operand appends what is alike of an operand in all layers of a kind.
func (k *Kinds) operand(v *ir.Value, layer int, index func(*ir.Node) (int, bool)) {
	switch {
	case v == nil:
		k.buf = append(k.buf, 'n')
		return
	case v.Weight != nil:
		k.buf = append(k.buf, 'w')
		k.text(Below(v.Weight.Name, layer))
		k.text(k.Recipe(v.Weight.Recipe, layer))
	case v.Cache != nil:
		k.buf = append(k.buf, 'c')
		k.number(v.Cache.Heads)
		k.number(v.Cache.HeadDim)
		k.number(v.Cache.ValueDim)
		k.text(Below(v.Cache.Name, layer))
	case v.Def == nil:
		k.buf = append(k.buf, 'i')
		k.text(v.Input)
	default:
		k.buf = append(k.buf, 'v')
		at, inside := index(v.Def)
		if !inside { // whichever result of whatever operator it is
			k.number(-1)
			break
		}
		k.number(at)
		k.number(slices.Index(v.Def.Out, v))
	}
	k.valueType(v.Type)
}

func (k *Kinds) attrs(attrs ir.Attrs) {
	k.number(len(attrs))
	for _, a := range attrs {
		k.text(a.Key)
		switch v := a.Value.(type) {
		case int64:
			k.number(int(v))
		case float64:
			k.buf = binary.LittleEndian.AppendUint64(k.buf, math.Float64bits(v))
		case string:
			k.text(v)
		case ir.Shape:
			k.shape(v)
		default:
			k.text(fmt.Sprint(v))
		}
	}
}

func (k *Kinds) valueType(t ir.Type) {
	state := byte(0)
	if t.State {
		state = 1
	}
	k.buf = append(k.buf, byte(t.DType), state)
	k.shape(t.Shape)
}

func (k *Kinds) shape(s ir.Shape) {
	k.number(len(s))
	for _, d := range s {
		k.buf = append(k.buf, byte(d.Sym))
		k.number(d.Mul)
		k.number(d.Add)
	}
}

func (k *Kinds) number(n int) { k.buf = binary.AppendVarint(k.buf, int64(n)) }

func (k *Kinds) text(s string) {
	k.number(len(s))
	k.buf = append(k.buf, s...)
}

// Below is a weight's name below its layer: "model.layers.3.mlp.gate.weight" is "mlp.gate.weight" in layer 3. Of a
// weight that is made of several tensors, whose names stand with a plus between them, it is that of each.
func Below(name string, layer int) string {
	if layer < 0 {
		return name
	}
	inside := "." + strconv.Itoa(layer) + "."
	if !strings.Contains(name, " + ") {
		if _, below, ok := strings.Cut(name, inside); ok {
			return below
		}
		return name
	}
	parts := strings.Split(name, " + ")
	for i, p := range parts {
		if _, below, ok := strings.Cut(p, inside); ok {
			parts[i] = below
		}
	}
	return strings.Join(parts, " + ")
}
