package exec

import (
	"fmt"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
)

// place is where a step runs: in which of the entry's programs, and with which of its layouts.
type place struct {
	variant int
	layout  *plan.Layout
}

// fit returns the smallest bucket that holds a step: fewest tokens first, then the smallest arena. False where
// none does.
func fit(variants []*plan.Program, s ir.Sizes) (place, bool) {
	best := place{}
	for i, p := range variants {
		for k := range p.Layouts {
			l := &p.Layouts[k]
			if s.Tokens > l.Max.Tokens || s.Seqs > l.Max.Seqs || s.Rows > l.Max.Rows {
				continue
			}
			if b := best.layout; b == nil || l.Max.Tokens < b.Max.Tokens || l.Max.Tokens == b.Max.Tokens && l.Arena < b.Arena {
				best = place{i, l}
			}
		}
	}
	return best, best.layout != nil
}

// measure finds the sizes of a step from its inputs and checks that they all agree.
func measure(g *ir.Graph, in Inputs) (ir.Sizes, error) {
	var s ir.Sizes
	for _, v := range g.Inputs {
		t, ok := in[v.Input]
		if !ok {
			return s, fmt.Errorf("input %q of the step is missing", v.Input)
		}
		if len(t.Shape) != len(v.Type.Shape) {
			return s, fmt.Errorf("input %q has shape %s, wants %s", v.Input, ir.FixedShape(t.Shape), v.Type)
		}
		for i, d := range v.Type.Shape {
			if !d.IsConst() && t.Shape[i] < d.Add {
				return s, fmt.Errorf("input %q has shape %s, wants %s with dimension %d at least %d", v.Input, ir.FixedShape(t.Shape), v.Type, i, d.Add)
			}
			if d.Mul == 1 {
				assign(&s, d.Sym, t.Shape[i]-d.Add)
			}
		}
	}
	for _, v := range g.Inputs {
		if err := agrees(in[v.Input], v, s); err != nil {
			return s, err
		}
	}
	return s, nil
}

func assign(s *ir.Sizes, sym ir.Sym, n int) {
	switch sym {
	case ir.T:
		s.Tokens = n
	case ir.B:
		s.Seqs = n
	case ir.P:
		s.Pages = n
	case ir.R:
		s.Rows = n
	}
}

// agrees compares an input with the sizes that the inputs together have.
func agrees(t kernels.Tensor, v *ir.Value, s ir.Sizes) error {
	for i, d := range v.Type.Shape {
		if t.Shape[i] != d.Eval(s) {
			return fmt.Errorf("input %q has shape %s, the other inputs ask for %s", v.Input, ir.FixedShape(t.Shape), ir.FixedShape(v.Type.Shape.Eval(s)))
		}
	}
	have, holds := len(t.F32), "f32"
	if v.Type.DType == dtype.I32 {
		have, holds = len(t.I32), "i32"
	}
	if want := t.Elems(); have < want {
		return fmt.Errorf("input %q holds %d %s values of %d", v.Input, have, holds, want)
	}
	return nil
}
