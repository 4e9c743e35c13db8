package synth

import (
	"fmt"
	"strings"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/dsl/pattern"
	"github.com/glmc/glmc/kernels/dtype"
)

// stored is a tensor that a checkpoint has to have.
type stored struct {
	name  string
	shape []int
	dtype dtype.DType // BF16, F32 or a format with scales
}

// storedBy lists the tensors that a plan's weights are made from, each once, in the order of their first use. What an
// alias finds under another name on the list is not on it: a checkpoint holds it once.
func storedBy(p *plan.Plan) ([]stored, error) {
	var list []stored
	at := map[string]int{}
	for _, w := range p.Module.Weights {
		for _, s := range leaves(w.Recipe, w.DType, nil) {
			i, ok := at[s.name]
			if !ok {
				at[s.name] = len(list)
				list = append(list, s)
				continue
			}
			if list[i].dtype != s.dtype {
				return nil, fmt.Errorf("tensor %s is wanted in %s and in %s", s.name, list[i].dtype, s.dtype)
			}
		}
	}
	return withoutAliased(list, at, p.Aliases)
}

// leaves adds the tensors of a recipe to a list. A recipe's weight is quantised where the checkpoint's Linear is.
func leaves(r *ir.Recipe, d dtype.DType, list []stored) []stored {
	switch r.Kind {
	case ir.RecipeTensor:
		return append(list, stored{r.Name, r.Shape, storedAs(r.Shape, d)})
	case ir.RecipeEach:
		for e := range r.Count {
			name := strings.ReplaceAll(r.Name, "{e}", fmt.Sprint(e))
			list = append(list, stored{name, r.Shape, storedAs(r.Shape, d)})
		}
		return list
	}
	for _, part := range r.Args {
		list = leaves(part, d, list)
	}
	return list
}

// storedAs is how checkpoints of the family keep a tensor of a weight that is held in d: vectors that are computed with
// in f32, such as the correction bias of a router, in f32, a router's matrix in bf16.
func storedAs(shape []int, d dtype.DType) dtype.DType {
	if d.Scaled() || d == dtype.F32 && len(shape) == 1 {
		return d
	}
	return dtype.BF16
}

// withoutAliased leaves out what an alias finds under another name. Aliases into a part of a tensor lead to other ways
// to store the same weights, of which the plain one is written.
func withoutAliased(list []stored, at map[string]int, aliases []plan.Alias) ([]stored, error) {
	var kept []stored
	for _, s := range list {
		twin, err := twinOf(s.name, at, aliases)
		if err != nil {
			return nil, err
		}
		if !twin {
			kept = append(kept, s)
		}
	}
	return kept, nil
}

// twinOf reports whether an alias leads from a name to another one that is wanted.
func twinOf(name string, at map[string]int, aliases []plan.Alias) (bool, error) {
	for _, a := range aliases {
		if len(a.Index) > 0 {
			continue
		}
		from, err := pattern.Parse(a.Name)
		if err != nil {
			return false, fmt.Errorf("alias %q: %w", a.Name, err)
		}
		holes, ok := from.Match(name)
		if !ok {
			continue
		}
		to, err := pattern.Parse(a.Target)
		if err != nil {
			return false, fmt.Errorf("alias %q: target %q: %w", a.Name, a.Target, err)
		}
		target, err := to.Expand(func(hole string) (string, bool) { v, ok := holes[hole]; return v, ok })
		if err != nil {
			return false, fmt.Errorf("alias %q for tensor %q: %w", a.Name, name, err)
		}
		if _, ok := at[target]; ok && target != name {
			return true, nil
		}
	}
	return false, nil
}
