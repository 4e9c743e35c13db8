package ir

import (
	"errors"
	"fmt"
	"slices"

	"github.com/glmc/glmc/kernels/dtype"
)

// Verify checks that a module means something: every operand is defined before its use, every node agrees
// with its row of the operator table, every shape is in range, every recipe yields its weight's shape, every
// cache is read as its last write left it, collectives span the module's ranks, and nodes wait for nodes that
// stand before them. The error joins the violations, each of which names graph and node; of very many it spells
// the first out and counts the rest.
func (m *Module) Verify() error {
	v := &moduleVerifier{module: m, weights: map[*Weight]bool{}, caches: map[*Cache]bool{}}
	if m.Ranks < 1 || m.Ranks > MaxRanks {
		v.fail("module is for %d ranks: wants 1 to %d", m.Ranks, MaxRanks)
	}
	v.weightList()
	v.cacheList()
	v.variants()
	for _, g := range m.Graphs {
		if !isIdent(g.Name) {
			v.fail("graph %q: its name is no identifier", g.Name)
		}
		gv := &graphVerifier{moduleVerifier: v, graph: g, defined: map[*Value]bool{}, ids: map[int]*Value{},
			nodeIDs: map[int]bool{}, nodes: map[*Node]bool{}, roots: map[*Value]*Cache{}, writes: map[*Cache][]*Node{}}
		gv.run()
	}
	return v.err()
}

// maxViolations is how many violations an error spells out.
const maxViolations = 50

type moduleVerifier struct {
	module  *Module
	weights map[*Weight]bool
	caches  map[*Cache]bool
	errs    []error
	found   int
}

func (v *moduleVerifier) fail(format string, args ...any) {
	if v.found++; v.found <= maxViolations {
		v.errs = append(v.errs, fmt.Errorf(format, args...))
	}
}

func (v *moduleVerifier) err() error {
	if more := v.found - len(v.errs); more > 0 {
		return errors.Join(append(v.errs, fmt.Errorf("... and %d more violations", more))...)
	}
	return errors.Join(v.errs...)
}

func (v *moduleVerifier) weightList() {
	names := make(map[string]bool, len(v.module.Weights))
	for _, w := range v.module.Weights {
		if names[w.Name] {
			v.fail("weight %s: declared twice", w.Name)
		}
		v.weights[w], names[w.Name] = true, true
		if err := w.verify(v.module.Ranks); err != nil {
			v.fail("weight %s: %w", w.Name, err)
		}
	}
}

func (w *Weight) verify(ranks int) error {
	if !w.DType.IsFloat() && !w.DType.Scaled() {
		return fmt.Errorf("dtype is %s", w.DType)
	}
	if err := w.Type().Shape.Check(); err != nil {
		return err
	}
	if w.Recipe == nil {
		return errors.New("has no recipe")
	}
	shape, err := w.Recipe.OutShape()
	if err != nil {
		return err
	}
	if !slices.Equal(shape, w.Shape) {
		return fmt.Errorf("recipe yields %s, shape is %s", FixedShape(shape), FixedShape(w.Shape))
	}
	if w.DType == dtype.I4 && shape[len(shape)-1]%2 != 0 {
		return fmt.Errorf("dtype is %s, and rows of %d values do not fill bytes", w.DType, shape[len(shape)-1])
	}
	return w.Recipe.checkRanks(ranks)
}

func (v *moduleVerifier) cacheList() {
	names := make(map[string]bool, len(v.module.Caches))
	for _, c := range v.module.Caches {
		if names[c.Name] {
			v.fail("cache %s: declared twice", c.Name)
		}
		v.caches[c], names[c.Name] = true, true
		if c.Heads < 1 || c.HeadDim < 1 || c.ValueDim < 0 {
			v.fail("cache %s: holds %d heads of %s", c.Name, c.Heads, c.sizes())
		}
	}
}

// isIdent reports whether the text form can take a name as it is.
func isIdent(name string) bool {
	for i, c := range name {
		if !isIdentRune(c, i) {
			return false
		}
	}
	return name != ""
}

func isIdentRune(c rune, i int) bool {
	return c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || i > 0 && ('0' <= c && c <= '9' || c == '.')
}

type graphVerifier struct {
	*moduleVerifier
	graph   *Graph
	defined map[*Value]bool
	ids     map[int]*Value
	nodeIDs map[int]bool
	nodes   map[*Node]bool     // so far
	roots   map[*Value]*Cache  // the cache that a state belongs to
	writes  map[*Cache][]*Node // in order; the last one's result is what the cache holds
}

// maxWrites bounds the writes to one cache in one graph, so that Value.RootCache, which follows them back,
// stays cheap whatever a plan says. An attention writes once.
const maxWrites = 1 << 10

func (v *graphVerifier) run() {
	names := map[string]bool{}
	for _, in := range v.graph.Inputs {
		if !isIdent(in.Input) || names[in.Input] {
			v.failGraph("input %%%d: its name %q is no identifier, or taken", in.ID, in.Input)
		}
		names[in.Input] = true
		if in.Type.State || !in.Type.DType.Valid() || in.Type.DType.Scaled() || in.Def != nil || in.Weight != nil || in.Cache != nil {
			v.failGraph("input %s is no tensor that a caller could provide", in.Input)
		} else if err := in.Type.Shape.Check(); err != nil {
			v.failGraph("input %s: %w", in.Input, err)
		}
		v.define(in)
	}
	for _, n := range v.graph.Nodes {
		v.node(n)
	}
	for i, out := range v.graph.Outputs {
		switch {
		case out == nil || !v.defined[out]:
			v.failGraph("output %d is not defined", i)
		case out.Type.State:
			v.failGraph("output %d is a cache, which the caller cannot read", i)
		case out.Type.DType.Scaled():
			v.failGraph("output %d is %s, which means nothing without its scales", i, out.Type)
		}
	}
}

func (v *graphVerifier) failGraph(format string, args ...any) {
	v.fail("graph %s: %w", v.graph.Name, fmt.Errorf(format, args...))
}

func (v *graphVerifier) failNode(n *Node, format string, args ...any) {
	v.failGraph("node %d (%s, %s): %w", n.ID, n.Op.Name, n.Origin.Source, fmt.Errorf(format, args...))
}

func (v *graphVerifier) define(val *Value) {
	if v.ids[val.ID] != nil {
		v.failGraph("value %%%d is defined twice", val.ID)
	}
	v.ids[val.ID] = val
	v.defined[val] = true
}

func (v *graphVerifier) node(n *Node) {
	if n.Op == nil || Lookup(n.Op.Name) != n.Op {
		v.failGraph("node %d: its operator is not in the table", n.ID)
		return
	}
	if v.nodeIDs[n.ID] {
		v.failNode(n, "its number is taken")
	}
	v.nodeIDs[n.ID] = true
	found := v.found
	for i, val := range n.In {
		if val != nil && i < len(n.Op.Operands) {
			v.use(n, n.Op.Operands[i].Name, val)
		}
	}
	// Without operands that mean something there is nothing to infer from.
	if v.found == found {
		v.rule(n)
	}
	for i, out := range n.Out {
		if out.Def != n || out.Weight != nil || out.Cache != nil || out.Input != "" {
			v.failNode(n, "result %d, %%%d, is defined elsewhere", i, out.ID)
			continue
		}
		v.define(out)
	}
	v.write(n)
	v.schedule(n)
	v.nodes[n] = true
}

// rule applies the operator's shape rule.
func (v *graphVerifier) rule(n *Node) {
	types, err := n.infer()
	if err == nil {
		err = v.checkState(n, types)
	}
	if err != nil {
		v.failNode(n, "%w", err)
		return
	}
	if len(types) != len(n.Out) {
		v.failNode(n, "has %d results, its rule gives %d", len(n.Out), len(types))
		return
	}
	for i, t := range types {
		if !t.Equal(n.Out[i].Type) {
			v.failNode(n, "result %d is %s, its rule gives %s", i, n.Out[i].Type, t)
		}
	}
	if ranks := n.Attrs.Get("ranks"); ranks != nil && ranks != int64(v.module.Ranks) {
		v.failNode(n, "spans %d ranks, the module is for %d", ranks, v.module.Ranks)
	}
}

func (v *graphVerifier) use(n *Node, operand string, val *Value) {
	switch {
	case val.Weight != nil:
		if !v.weights[val.Weight] {
			v.failNode(n, "operand %s: weight %s is not in the module", operand, val.Weight.Name)
		} else if !val.Type.Equal(val.Weight.Type()) {
			v.failNode(n, "operand %s is %s, weight %s is %s", operand, val.Type, val.Weight.Name, val.Weight.Type())
		}
		v.standsFor(n, operand, val)
	case val.Cache != nil:
		if !v.caches[val.Cache] {
			v.failNode(n, "operand %s: cache %s is not in the module", operand, val.Cache.Name)
		}
		v.roots[val] = val.Cache
		v.standsFor(n, operand, val)
	case !v.defined[val]:
		v.failNode(n, "operand %s, %%%d, is not defined before its use", operand, val.ID)
	}
	v.fresh(n, operand, val)
}

// standsFor notes the number that a weight or a cache has in this graph.
func (v *graphVerifier) standsFor(n *Node, operand string, val *Value) {
	if old := v.ids[val.ID]; old != nil && old != val {
		v.failNode(n, "operand %s: %%%d stands for two things", operand, val.ID)
	}
	v.ids[val.ID] = val
}

// fresh refuses a state of a cache that a node wrote over: whoever reads the old state would in truth see the
// new one, because there is one copy in memory.
func (v *graphVerifier) fresh(n *Node, operand string, val *Value) {
	writes := v.writes[v.roots[val]]
	if len(writes) == 0 {
		return
	}
	if by := writes[len(writes)-1]; !slices.Contains(by.Out, val) {
		v.failNode(n, "operand %s is the cache as it was before node %d wrote to it", operand, by.ID)
	}
}

// write notes that n replaced the cache state that it took.
func (v *graphVerifier) write(n *Node) {
	for _, out := range n.Out {
		if !out.Type.State {
			continue
		}
		c := v.cacheOf(n)
		if c == nil {
			continue // reported by checkState
		}
		v.roots[out] = c
		if v.writes[c] = append(v.writes[c], n); len(v.writes[c]) == maxWrites+1 {
			v.failNode(n, "cache %s is written more than %d times", c.Name, maxWrites)
		}
	}
}

// cacheOf is the cache whose state a node takes, nil where there is none.
func (v *graphVerifier) cacheOf(n *Node) *Cache {
	for i, o := range n.Op.Operands {
		if o.Kind == StateOperand && i < len(n.In) && n.In[i] != nil {
			return v.roots[n.In[i]]
		}
	}
	return nil
}

// checkState compares a node's keys, values or queries with the cache that it writes or reads. The operator's
// shape rule has found them to be [rows, heads, head_dim].
func (v *graphVerifier) checkState(n *Node, results []Type) error {
	state := slices.IndexFunc(n.Op.Operands, func(o Operand) bool { return o.Kind == StateOperand })
	if state < 0 {
		return nil
	}
	c := v.cacheOf(n)
	if c == nil {
		return fmt.Errorf("operand %s does not go back to a cache", n.Op.Operands[state].Name)
	}
	for i, v := range n.In {
		if v == nil {
			continue
		}
		o, t := n.Op.Operands[i], v.Type
		switch o.Name {
		case "k", "v":
			size := c.HeadDim
			if o.Name == "v" {
				size = c.ValueSize()
			}
			if t.Shape[1].Add != c.Heads || t.Shape[2].Add != size {
				return fmt.Errorf("%s is %s, cache %s holds %d heads of %s", o.Name, t, c.Name, c.Heads, c.sizes())
			}
		case "q":
			if c.Heads < 1 || t.Shape[1].Add%c.Heads != 0 || t.Shape[2].Add != c.HeadDim {
				return fmt.Errorf("q is %s, cache %s holds %d heads of %s", t, c.Name, c.Heads, c.sizes())
			}
		}
	}
	if n.Op.attr(valueDim) != nil && results[0].Shape[2].Add != c.ValueSize() {
		return fmt.Errorf("the result is %s, cache %s holds %d heads of %s", results[0], c.Name, c.Heads, c.sizes())
	}
	return nil
}

// sizes is how messages give the sizes of a head's key and values: one number where they are the same.
func (c *Cache) sizes() string {
	if c.ValueSize() == c.HeadDim {
		return fmt.Sprint(c.HeadDim)
	}
	return fmt.Sprintf("%d and %d", c.HeadDim, c.ValueSize())
}
