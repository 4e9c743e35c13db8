// Package ir is the compiler's intermediate representation: a module of graphs, one for each entry, over a
// small table of semantic operators (ops.go).
//
// A graph is in static single assignment form: nodes in an order in which every value is defined before it
// is used. Sizes are constants but for the symbols of shape.go. Effects are visible as data flow: a write to
// the KV cache takes the cache's state as an operand and returns the new one, so that an order of nodes that
// respects the operands respects the effects too. Module.String prints the text form, Parse reads it back.
package ir

import (
	"fmt"
	"slices"

	"github.com/glmc/glmc/kernels/dtype"
)

// Module is one model at one configuration.
type Module struct {
	Name    string
	Ranks   int // tensor-parallel ranks that the graphs are written for, 1 to MaxRanks; 1 before sharding
	Graphs  []*Graph
	Weights []*Weight // in order of first use
	Caches  []*Cache
}

// MaxRanks bounds tensor parallelism: no machine has more GPUs that see each other's memory.
const MaxRanks = 64

// Graph returns the graph of an entry, the first one where it has several (see Variants), or nil.
func (m *Module) Graph(entry string) *Graph {
	for _, g := range m.Graphs {
		if g.Name == entry {
			return g
		}
	}
	return nil
}

// Cache is the KV cache of one attention layer: Heads keys of HeadDim and as many values of ValueSize for each
// token, on one rank. Two entries that name the same cache share it.
type Cache struct {
	Name           string // path of the attention, "model.layers.3.self_attn"
	Heads, HeadDim int
	ValueDim       int // values of a head; 0: as many as a key has
}

// ValueSize is how many values a head has.
func (c *Cache) ValueSize() int {
	if c.ValueDim == 0 {
		return c.HeadDim
	}
	return c.ValueDim
}

// Slot is how many keys and values the cache holds of one token.
func (c *Cache) Slot() int { return c.Heads * (c.HeadDim + c.ValueSize()) }

// Graph is one entry, or the variant of one for some sizes of steps: graphs of the same name have different
// buckets.
type Graph struct {
	Name    string
	Buckets []Bucket // sizes that it is compiled for; none: not decided yet
	Inputs  []*Value
	Nodes   []*Node
	Outputs []*Value
	nextID  int
	// replaced are the values that a Rewrite replaced, by number.
	replaced map[int]int
}

// Value is an operand or a result. Exactly one of Def, Weight, Cache and Input says where it comes from.
type Value struct {
	ID     int // unique in the graph and stable across passes
	Type   Type
	Def    *Node   // the node whose result it is
	Weight *Weight // loaded before the first step
	Cache  *Cache  // the state of a cache at the start of the step
	Input  string  // given by the caller at each step
}

// Node is one application of an operator.
type Node struct {
	ID     int
	Op     *Op
	In     []*Value // nil for an absent optional operand
	Out    []*Value
	Attrs  Attrs
	Origin Origin
	Stream int     // where it runs, 0 being the main stream (see streams.go)
	Waits  []*Node // nodes of other streams that must have finished before it starts; each stands earlier
}

// Origin says where a node comes from.
type Origin struct {
	Source string // file:line:col in the .glm file
	End    string // line:col behind the last character; "" where it is not known
	Path   string // weight path of the block that wrote it, "model.layers.3.mlp"
	Layer  int    // the first number in Path; -1 outside of any layer
}

// Attr is a compile-time parameter of a node. Value is an int64, a finite float64, a string or a
// Shape; options of drafts, which are attributes without a node, may be a bool too.
type Attr struct {
	Key   string
	Value any
}

// Plain is the value in types that kernels know: a Shape, which is one of numbers where a kernel reads it, becomes
// []int64.
func (a Attr) Plain() any {
	shape, ok := a.Value.(Shape)
	if !ok {
		return a.Value
	}
	numbers := make([]int64, len(shape))
	for i, d := range shape {
		numbers[i] = int64(d.Add)
	}
	return numbers
}

// Attrs are a node's attributes in the order of the operator's table row.
type Attrs []Attr

// Get returns the value of an attribute, or nil.
func (a Attrs) Get(key string) any {
	for _, x := range a {
		if x.Key == key {
			return x.Value
		}
	}
	return nil
}

// Int, Float and Str return an attribute that the verifier has found to be there and of that type.
func (a Attrs) Int(key string) int {
	v, _ := a.Get(key).(int64)
	return int(v)
}

// Float returns a float attribute; see Int.
func (a Attrs) Float(key string) float64 {
	v, _ := a.Get(key).(float64)
	return v
}

// Str returns a string attribute; see Int. An absent one is "".
func (a Attrs) Str(key string) string {
	v, _ := a.Get(key).(string)
	return v
}

// With returns a copy with one attribute set.
func (a Attrs) With(key string, value any) Attrs {
	out := slices.Clone(a)
	for i := range out {
		if out[i].Key == key {
			out[i].Value = value
			return out
		}
	}
	return append(out, Attr{key, value})
}

// NewGraph returns an empty graph.
func NewGraph(name string) *Graph { return &Graph{Name: name} }

func (g *Graph) newValue(t Type) *Value {
	g.nextID++
	return &Value{ID: g.nextID, Type: t}
}

// Input returns the input of that name, adding it on first use.
func (g *Graph) Input(name string, t Type) *Value {
	for _, v := range g.Inputs {
		if v.Input == name {
			return v
		}
	}
	v := g.newValue(t)
	v.Input = name
	g.Inputs = append(g.Inputs, v)
	return v
}

// Load returns a new value that stands for a weight.
func (g *Graph) Load(w *Weight) *Value {
	v := g.newValue(w.Type())
	v.Weight = w
	return v
}

// State returns a new value that stands for a cache at the start of the step.
func (g *Graph) State(c *Cache) *Value {
	v := g.newValue(Type{State: true})
	v.Cache = c
	return v
}

// NewNode makes a node with results of the inferred types. It is not part of the graph until it is put into
// Nodes. An error names the operator and what its shape rule found wrong.
func (g *Graph) NewNode(op string, in []*Value, attrs Attrs, origin Origin) (*Node, error) {
	row := Lookup(op)
	if row == nil {
		return nil, fmt.Errorf("unknown operator %q", op)
	}
	n := &Node{Op: row, In: in, Attrs: attrs, Origin: origin}
	types, err := n.infer()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	g.nextID++
	n.ID = g.nextID
	for _, t := range types {
		v := g.newValue(t)
		v.Def = n
		n.Out = append(n.Out, v)
	}
	return n, nil
}

// infer checks operands and attributes against the table row and applies its shape rule.
func (n *Node) infer() ([]Type, error) {
	if err := n.checkOperands(); err != nil {
		return nil, err
	}
	if err := n.checkAttrs(); err != nil {
		return nil, err
	}
	in := make([]Type, len(n.In))
	for i, v := range n.In {
		if v != nil {
			in[i] = v.Type
		}
	}
	types, err := n.Op.Infer(in, n.Attrs)
	if err != nil {
		return nil, err
	}
	for _, t := range types {
		if err := t.Shape.Check(); err != nil {
			return nil, err
		}
	}
	return types, nil
}

func (n *Node) checkOperands() error {
	most := len(n.Op.Operands)
	least := most
	for least > 0 && n.Op.Operands[least-1].Late {
		least--
	}
	if len(n.In) < least || len(n.In) > most {
		return fmt.Errorf("has %d operands, wants %d", len(n.In), most)
	}
	for i, v := range n.In {
		o := n.Op.Operands[i]
		if v == nil && o.Optional {
			continue
		}
		if v == nil {
			return fmt.Errorf("operand %s is missing", o.Name)
		}
		if err := o.Kind.accepts(v); err != nil {
			return fmt.Errorf("operand %s %w", o.Name, err)
		}
	}
	return nil
}

func (k OperandKind) accepts(v *Value) error {
	t := v.Type
	switch {
	case t.State != (k == StateOperand):
		return fmt.Errorf("is %s", t)
	case t.State:
		return nil
	case (t.DType == dtype.I32) != (k == IndexOperand) || !t.DType.Valid():
		return fmt.Errorf("is %s", t)
	case (k == WeightOperand || k == LinearOperand) && v.Weight == nil:
		return fmt.Errorf("must be a weight")
	case k == CodesOperand && (t.DType != dtype.F8E4M3 || v.Weight != nil):
		return fmt.Errorf("is %s, wants fp8_e4m3 values", t)
	case t.DType.Scaled() && k != LinearOperand && k != CodesOperand:
		return fmt.Errorf("is %s: it would need scales", t)
	}
	return nil
}

func (n *Node) checkAttrs() error {
	if len(n.Attrs) > len(n.Op.Attrs) {
		return fmt.Errorf("has %d attributes, wants at most %d", len(n.Attrs), len(n.Op.Attrs))
	}
	for i, a := range n.Attrs {
		spec := n.Op.attr(a.Key)
		if spec == nil {
			return fmt.Errorf("has no attribute %q", a.Key)
		}
		if slices.ContainsFunc(n.Attrs[:i], func(b Attr) bool { return b.Key == a.Key }) {
			return fmt.Errorf("has attribute %s twice", a.Key)
		}
		if err := spec.check(a.Value); err != nil {
			return fmt.Errorf("attribute %s %w", a.Key, err)
		}
	}
	for _, spec := range n.Op.Attrs {
		if !spec.Optional && n.Attrs.Get(spec.Key) == nil {
			return fmt.Errorf("attribute %s is missing", spec.Key)
		}
	}
	return nil
}

// Launches counts the kernels of each layer, -1 being outside of any: all nodes but views.
func (g *Graph) Launches() map[int]int {
	out := map[int]int{}
	for _, n := range g.Nodes {
		if !n.Op.View {
			out[n.Origin.Layer]++
		}
	}
	return out
}

// Users maps every value to the nodes that take it as an operand, in node order.
func (g *Graph) Users() map[*Value][]*Node {
	users := make(map[*Value][]*Node, 2*len(g.Nodes))
	for _, n := range g.Nodes {
		for _, v := range n.In {
			if v == nil {
				continue
			}
			if u := users[v]; len(u) == 0 || u[len(u)-1] != n {
				users[v] = append(u, n)
			}
		}
	}
	return users
}

// IsOutput reports whether the entry returns v.
func (g *Graph) IsOutput(v *Value) bool { return slices.Contains(g.Outputs, v) }

// SweepWeights drops the weights and caches that no graph uses any longer and puts those that remain into
// the order of their first use.
func (m *Module) SweepWeights() {
	m.Weights, m.Caches = nil, nil
	weights, caches := map[*Weight]bool{}, map[*Cache]bool{}
	for _, g := range m.Graphs {
		for _, n := range g.Nodes {
			for _, v := range n.In {
				switch {
				case v == nil:
				case v.Weight != nil && !weights[v.Weight]:
					weights[v.Weight] = true
					m.Weights = append(m.Weights, v.Weight)
				case v.Cache != nil && !caches[v.Cache]:
					caches[v.Cache] = true
					m.Caches = append(m.Caches, v.Cache)
				}
			}
		}
	}
}

// Reinfer gives the node's results the types that follow from its operands as they are now. Passes call it
// after they changed an operand's type in place.
func (n *Node) Reinfer() error {
	types, err := n.infer()
	if err != nil {
		return err
	}
	for i, t := range types {
		n.Out[i].Type = t
	}
	return nil
}
