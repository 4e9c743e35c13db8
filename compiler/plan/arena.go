package plan

import (
	"fmt"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/memory"
)

// Shares lists which storages may take over the bytes of which (ir.InPlace): those of an operand that nobody reads
// later, by another name neither, and that the entry does not return; of the result's type, so that the sizes are the
// same at every step and not only the largest; and read by one operand of the node only. Inputs, weights and caches are
// no storages, so that nothing takes their place.
//
// An example for each: add(h, x) must not give its sum the place of h where the next residual adds to h too, nor
// where h came from outside. act.swiglu(g, g) reads g twice, and a kernel may read a row by the one name when it has
// written it by the other.
//
// What the planner makes of it is not written into the plan: a result that takes an operand's place has its offset, and
// memory.Check, which does not know this list, finds it right or wrong by the graph. So plans from before there was any
// sharing in place are as right as they were.
func (p *Program) Shares() []memory.Share {
	var out []memory.Share
	for i, n := range p.Graph.Nodes {
		for _, c := range n.Op.InPlace {
			from, in := p.storage[n.In[c.Operand]]
			into, is := p.storage[n.Out[c.Result]]
			if in && is && p.live[from].last == i && p.operands(n, from) == 1 && n.In[c.Operand].Type.Equal(n.Out[c.Result].Type) {
				out = append(out, memory.Share{From: from, Into: into})
			}
		}
	}
	return out
}

// operands counts the operands of a node that lie in a storage.
func (p *Program) operands(n *ir.Node, storage int) int {
	count := 0
	for _, v := range n.In {
		if s, ok := p.storage[v]; ok && s == storage {
			count++
		}
	}
	return count
}

// LayOut plans the arena for a bucket of the graph.
func (p *Program) LayOut(b ir.Bucket) error {
	return p.layOut(b, func(buffers []memory.Buffer) memory.Layout { return memory.Plan(buffers, p.Shares()) })
}

// LayOutApart puts the results of a bucket side by side: none shares bytes with another.
func (p *Program) LayOutApart(b ir.Bucket) error { return p.layOut(b, memory.Apart) }

func (p *Program) layOut(b ir.Bucket, plan func([]memory.Buffer) memory.Layout) error {
	buffers, err := p.Buffers(b.Max)
	if err != nil {
		return err
	}
	m := plan(buffers)
	l := Layout{Bucket: b, Arena: m.Arena, Offsets: m.Offsets}
	if err := p.Check(&l); err != nil {
		return fmt.Errorf("memory plan of %s (a bug in the planner): %w", p.Graph.Name, err)
	}
	if err := p.checkRaces(&l); err != nil {
		return fmt.Errorf("schedule or memory plan (a bug in the compiler): %w", err)
	}
	p.Layouts = append(p.Layouts, l)
	return nil
}

// Check proves that a layout lets every node find its operands (memory.Check).
func (p *Program) Check(l *Layout) error {
	if len(l.Offsets) != len(p.roots) {
		return fmt.Errorf("%d offsets for %d results", len(l.Offsets), len(p.roots))
	}
	return memory.Check(p.Graph, l.Max, func(v *ir.Value) int64 { return l.Offsets[p.storage[v]] }, l.Arena)
}
