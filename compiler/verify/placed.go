package verify

import (
	"fmt"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/passes"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/compiler/verify/machine"
)

// placed validates a pass that gives results their places: the programs of a plan compute in their arenas what their
// graphs compute with each result in memory of its own, to the bit. Of each program the smallest and the largest layout
// are tried. That a kernel may write over an operand while it reads it is not looked at here: each one's own tests do.
func (c *Checker) placed(p *passes.Pass, of *plan.Plan) (Result, error) {
	out := Outcome{}
	for v := range variants(of.Module) {
		want, err := execute(of.Module, c.inputs, c.store, v, machine.Options{Heads: c.heads})
		if err != nil {
			return Result{}, fmt.Errorf("pass %s: %w", p.Name, err)
		}
		for _, largest := range []bool{false, true} {
			extent, err := extents(of, largest)
			if err != nil {
				return Result{}, fmt.Errorf("pass %s: %w", p.Name, err)
			}
			got, err := execute(of.Module, c.inputs, c.store, v, machine.Options{Heads: c.heads, Extent: extent})
			if err != nil {
				out.Cases++
				out.fail("%v", err)
				return Result{Pass: p, Status: Wrong, Outcome: out}, nil
			}
			out.hold(want, got, machine.Difference)
		}
	}
	status := Proven
	if out.Wrong != "" {
		status = Wrong
	}
	return Result{Pass: p, Status: status, Outcome: out}, nil
}

// extents gives every result of a plan's programs its place in the smallest or the largest layout of its program.
func extents(p *plan.Plan, largest bool) (func(v *ir.Value) (machine.Extent, bool), error) {
	at := map[*ir.Value]machine.Extent{}
	for _, prog := range p.Programs {
		l := prog.Layouts[0]
		if largest {
			l = prog.Layouts[len(prog.Layouts)-1]
		}
		buffers, err := prog.Buffers(l.Max)
		if err != nil {
			return nil, err
		}
		for _, n := range prog.Graph.Nodes {
			for _, v := range n.Out {
				if s, ok := prog.Storage(v); ok {
					at[v] = machine.Extent{Offset: l.Offsets[s], Bytes: buffers[s].Bytes}
				}
			}
		}
	}
	return func(v *ir.Value) (machine.Extent, bool) {
		e, ok := at[v]
		return e, ok
	}, nil
}
