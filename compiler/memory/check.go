package memory

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/ordered"
)

// Check proves a layout of a graph's results for steps of at most max, by running the graph over shadows of the bytes:
// it keeps which results are whole, and asks at each node that every operand is. It knows nothing of live ranges, nor of
// who is to share with whom. A result may be written over one that somebody still reads if it comes to be read again,
// and the reader is where it shows. Only what happens within one node it cannot see by that; so there results have to
// lie apart from operands and from each other, but for a result that lies exactly where an operand of the same type
// does, if the operator's row allows that (ir.InPlace) and no other operand of the node lies there too.
//
// The order is that of the list. What several streams do at the same time is another check's.
//
// place gives the offset of a result that is no view. The module that the graph belongs to must be valid. The time is
// n log n, whatever the layout.
func Check(g *ir.Graph, max ir.Sizes, place func(*ir.Value) int64, arena int64) error {
	c := &checker{graph: g, root: map[*ir.Value]int{}}
	for _, n := range g.Nodes {
		for _, v := range n.Out {
			if err := c.result(n, v, max, place, arena); err != nil {
				return err
			}
		}
	}
	return c.run()
}

type checker struct {
	graph   *ir.Graph
	root    map[*ir.Value]int // the result whose elements a value is; values that are not in the arena have none
	results []shadow
	whole   ordered.Set // results that hold what was written to them, by their place in the order of offsets
	byPlace []int
	place   []int
}

// shadow is one result: where it lies, and who wrote over it first.
type shadow struct {
	value    *ir.Value
	node     *ir.Node
	at, end  int64
	lostTo   *shadow
	operands int // of the node that is being looked at which lie here
}

// result notes where a result lies.
func (c *checker) result(n *ir.Node, v *ir.Value, max ir.Sizes, place func(*ir.Value) int64, arena int64) error {
	if v.Type.State {
		return nil
	}
	if n.Op.View {
		if r, ok := c.root[n.In[0]]; ok {
			c.root[v] = r
		}
		return nil
	}
	bytes, err := Bytes(v.Type, max)
	if err != nil {
		return fmt.Errorf("value %%%d: %w", v.ID, err)
	}
	at := place(v)
	if at < 0 || at%Align != 0 || at > arena-bytes {
		return fmt.Errorf("%s: its %d bytes at offset %d are not inside of the arena of %d bytes, or not aligned to %d", describe(v), bytes, at, arena, Align)
	}
	c.root[v] = len(c.results)
	c.results = append(c.results, shadow{value: v, node: n, at: at, end: at + bytes})
	return nil
}

func describe(v *ir.Value) string {
	return fmt.Sprintf("%%%d (%s, %s)", v.ID, v.Def.Op.Name, v.Def.Origin.Source)
}

func (c *checker) run() error {
	c.byPlace = sorted(len(c.results), func(i int) int64 { return c.results[i].at })
	c.place = make([]int, len(c.results))
	for p, i := range c.byPlace {
		c.place[i] = p
	}
	c.whole = ordered.NewSet(len(c.results))
	for _, n := range c.graph.Nodes {
		if n.Op.View {
			continue
		}
		if err := c.node(n); err != nil {
			return err
		}
	}
	for _, v := range c.graph.Outputs {
		if r, ok := c.root[v]; ok && c.results[r].lostTo != nil {
			return fmt.Errorf("the entry returns %s, but %w", describe(c.results[r].value), c.results[r].gone())
		}
	}
	return nil
}

// gone says who wrote over a result.
func (s *shadow) gone() error {
	return fmt.Errorf("node %d wrote %s over it: [%d, %d) and [%d, %d)", s.lostTo.node.ID, describe(s.lostTo.value), s.at, s.end, s.lostTo.at, s.lostTo.end)
}

// node reads the operands and writes the results.
func (c *checker) node(n *ir.Node) error {
	for _, v := range n.In {
		r, ok := c.root[v]
		if !ok {
			continue
		}
		if s := &c.results[r]; s.lostTo != nil {
			return fmt.Errorf("node %d (%s, %s) reads %s, but %w", n.ID, n.Op.Name, n.Origin.Source, describe(s.value), s.gone())
		}
		c.results[r].operands++
	}
	var errs []error
	for i := range n.Out {
		if r, ok := c.root[n.Out[i]]; ok {
			errs = append(errs, c.write(n, i, r))
		}
	}
	for _, v := range n.In {
		if r, ok := c.root[v]; ok {
			c.results[r].operands = 0
		}
	}
	return errors.Join(errs...)
}

// write writes result i of a node, c.results[r], over whatever lies there.
func (c *checker) write(n *ir.Node, i, r int) error {
	s := &c.results[r]
	if s.at == s.end {
		return nil
	}
	for _, next := range []func(int) int{c.whole.Before, c.whole.After} {
		for p := next(c.place[r]); p >= 0; p = next(c.place[r]) {
			old := &c.results[c.byPlace[p]]
			if old.end <= s.at || s.end <= old.at {
				break
			}
			if err := c.over(n, i, s, old); err != nil {
				return err
			}
			old.lostTo = s
			c.whole.Remove(p)
		}
	}
	c.whole.Add(c.place[r])
	return nil
}

// over asks whether result i of a node, s, may be written over another result that is whole.
func (c *checker) over(n *ir.Node, i int, s, old *shadow) error {
	if old.node == n {
		return fmt.Errorf("%s and %s, results of one node, share bytes: [%d, %d) and [%d, %d)", describe(old.value), describe(s.value), old.at, old.end, s.at, s.end)
	}
	if old.operands == 0 {
		return nil // the next reader, if there is one, will miss it
	}
	fail := func(why string) error {
		return fmt.Errorf("%s at [%d, %d) is written over %s at [%d, %d), which the node reads: %s", describe(s.value), s.at, s.end, describe(old.value), old.at, old.end, why)
	}
	for k, v := range n.In {
		if root, ok := c.root[v]; !ok || &c.results[root] != old {
			continue
		}
		switch {
		case !slices.Contains(n.Op.InPlace, ir.InPlace{Result: i, Operand: k}):
			return fail("the operator does not work in place there")
		case old.operands > 1:
			return fail(fmt.Sprintf("as %d operands", old.operands))
		case !v.Type.Equal(s.value.Type):
			return fail("the types differ")
		case s.at != old.at:
			return fail("it starts elsewhere")
		}
	}
	return nil
}

// MaxBytes bounds every size that a layout can speak of: far beyond any machine, far below overflow.
const MaxBytes = 1 << 46

// Bytes is the size of a value at given sizes, with overflow checked. A value whose size depends on the number of pages
// has none: layouts do not bound pages, and only page tables have that dimension, which the caller provides.
func Bytes(t ir.Type, s ir.Sizes) (int64, error) {
	n := int64(t.DType.Size())
	for _, d := range t.Shape {
		if d.Sym == ir.P {
			return 0, fmt.Errorf("%s is not bounded by a layout", t)
		}
		e := int64(d.Eval(s))
		if e < 0 || e > MaxBytes || n > 0 && e > MaxBytes/n {
			return 0, fmt.Errorf("%s is too large for %+v", t, s)
		}
		n *= e
	}
	return n, nil
}

// sorted returns the numbers below n in the order of their keys.
func sorted(n int, key func(int) int64) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	slices.SortStableFunc(out, func(a, b int) int { return cmp.Compare(key(a), key(b)) })
	return out
}
