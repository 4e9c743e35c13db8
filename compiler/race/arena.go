package race

import (
	"fmt"
	"slices"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/ordered"
)

// Arena proves a layout: no two nodes touch the same byte in an order that is not given, at least one of them
// writing, and everybody reads what the value's own node wrote. where says where a value lies, false for one
// that is not in the arena. An error is an *Error, a *StaleError, or says that a value lies at no place.
//
// It walks the nodes in the order of the list, which is one that the device may take, and keeps for each byte
// who touched it last. Bytes with the same history are kept together. A write makes them one piece again, so
// that the time is near-linear where a value is read as it was written.
func (c *Checker) Arena(where func(*ir.Value) (Extent, bool)) error {
	a, err := newArena(c, where)
	if err != nil {
		return err
	}
	for i, n := range c.graph.Nodes {
		if n.Op.View { // it launches nothing; its result is what its operand is
			if w, ok := a.writers[n.In[0]]; ok {
				a.writers[n.Out[0]] = w
			}
			continue
		}
		for _, v := range n.In {
			if err := a.read(v, int32(i)); err != nil {
				return err
			}
		}
		for _, v := range n.Out {
			if err := a.write(v, int32(i)); err != nil {
				return err
			}
		}
	}
	// The program ends when all streams have, so the caller reads behind every node.
	for _, v := range c.graph.Outputs {
		if err := a.read(v, int32(len(c.graph.Nodes))); err != nil {
			return err
		}
	}
	return nil
}

// arena is the memory as the walk has left it, in pieces of one history. Pieces are known by where they begin,
// which is some extent's bound; bounds are numbered in order.
type arena struct {
	*Checker
	where   func(*ir.Value) (Extent, bool)
	bounds  []int64
	pieces  []history   // by the number of the bound where they begin
	begins  ordered.Set // bounds where a piece begins
	writers map[*ir.Value]int32
}

func newArena(c *Checker, where func(*ir.Value) (Extent, bool)) (*arena, error) {
	a := &arena{Checker: c, where: where, writers: make(map[*ir.Value]int32, len(c.graph.Nodes))}
	a.bounds = append(a.bounds, 0)
	for _, n := range c.graph.Nodes {
		for _, v := range n.Out {
			e, ok := where(v)
			if !ok {
				continue
			}
			if e.Offset < 0 || e.Bytes < 0 || e.Offset+e.Bytes < 0 {
				return nil, fmt.Errorf("graph %s: %%%d lies at [%d, %d)", c.graph.Name, v.ID, e.Offset, e.Offset+e.Bytes)
			}
			a.bounds = append(a.bounds, e.Offset, e.Offset+e.Bytes)
		}
	}
	slices.Sort(a.bounds)
	a.bounds = slices.Compact(a.bounds)
	a.pieces = make([]history, len(a.bounds))
	a.pieces[0] = newHistory()
	a.begins = ordered.NewSet(len(a.bounds) + 1)
	a.begins.Add(0)
	return a, nil
}

// bound is the number of an offset, at which a piece begins from now on.
func (a *arena) bound(offset int64) int {
	b, _ := slices.BinarySearch(a.bounds, offset)
	if p := a.begins.Before(b + 1); p != b { // there is one: the first bound is never taken out
		a.pieces[b] = a.pieces[p]
		a.begins.Add(b)
	}
	return b
}

// read asks for every byte of a value whether its node wrote it, and has finished.
func (a *arena) read(v *ir.Value, n int32) error {
	if v == nil {
		return nil
	}
	e, ok := a.where(v)
	if !ok || e.Bytes == 0 {
		return nil
	}
	writer, known := a.writers[v]
	if !known {
		return a.stale(v, n, -1)
	}
	last := int(n) == len(a.graph.Nodes)
	from, to := a.bound(e.Offset), a.bound(e.Offset+e.Bytes)
	for p := from; p < to; p = a.begins.After(p) {
		h := &a.pieces[p]
		if h.writer != writer {
			return a.stale(v, n, h.writer)
		}
		if last {
			continue
		}
		if err := a.touch(h, n, false, a.bytes(e)); err != nil {
			return err
		}
	}
	return nil
}

// write makes the bytes of a result one piece, that n wrote.
func (a *arena) write(v *ir.Value, n int32) error {
	e, ok := a.where(v)
	if !ok {
		return nil
	}
	a.writers[v] = n
	if e.Bytes == 0 {
		return nil
	}
	from, to := a.bound(e.Offset), a.bound(e.Offset+e.Bytes)
	for p := from; p < to; p = a.begins.After(p) {
		if a.pieces[p].writer == n {
			return fmt.Errorf("graph %s: two results of node %d (%s, %s) share %s", a.graph.Name, a.graph.Nodes[n].ID,
				a.graph.Nodes[n].Op.Name, a.graph.Nodes[n].Origin.Source, a.bytes(e)())
		}
		if err := a.touch(&a.pieces[p], n, true, a.bytes(e)); err != nil {
			return err
		}
		if p != from {
			a.begins.Remove(p)
		}
	}
	return nil
}

func (a *arena) bytes(e Extent) func() string {
	return func() string { return fmt.Sprintf("bytes of [%d, %d) in the arena", e.Offset, e.Offset+e.Bytes) }
}

func (a *arena) stale(v *ir.Value, reader, writer int32) error {
	err := &StaleError{Graph: a.graph.Name, Value: v}
	if int(reader) < len(a.graph.Nodes) {
		err.Reader = a.graph.Nodes[reader]
	}
	if writer >= 0 {
		err.Writer = a.graph.Nodes[writer]
	}
	return err
}
