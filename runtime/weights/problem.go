package weights

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/runtime/safetensors"
)

// Kind says what about a tensor does not fit.
type Kind int

const (
	Missing    Kind = iota + 1 // the model wants a tensor, and the checkpoint lacks it
	Unused                     // the checkpoint has a tensor that the model does not read, nor ignore
	WrongShape                 // a tensor is of another shape than the model wants
	WrongDType                 // a tensor is in a format that weights cannot be in, or lacks its scales
	BadAlias                   // an alias leads nowhere
)

// Problem is something about a checkpoint that does not fit a model.
type Problem struct {
	Kind   Kind
	Weight string   // of the module, whose recipe asks for the tensor; "" where none does
	Name   string   // of the tensor, as the model or, where Unused, the checkpoint calls it
	Tried  []string // other names that aliases led to, where Missing
	Stored string   // the stored tensor that it is about, which an alias may call otherwise; "" where Missing
	File   string   // that stores it
	Says   string   // what is wrong, without the names: "has shape [4, 2], the model wants [2, 4]"
	text   string   // the whole, as Error gives it
}

// Error names the tensor, what is wrong with it, and where there is one the way out.
func (p *Problem) Error() string { return p.text }

// problem returns a problem whose text is the format's.
func problem(p Problem, format string, args ...any) *Problem {
	p.text = fmt.Sprintf(format, args...)
	return &p
}

// Compare finds everything about a checkpoint that does not fit a plan's weights: what NewLoader refuses, but one by
// one, and what is unused also where something is missing. It reads no tensor's data. The plan needs a module with
// weights, the aliases and the ignores; an error says that those are not valid.
func Compare(p *plan.Plan, ckpt *safetensors.Checkpoint) ([]*Problem, error) {
	r, err := newResolver(p, ckpt)
	if err != nil {
		return nil, err
	}
	l := &Loader{resolver: r, plan: p}
	if err := l.tooManyParts(); err != nil {
		return nil, err
	}
	var list []*Problem
	for _, w := range p.Module.Weights {
		list = append(list, r.compare(w.Name, w.Recipe)...)
	}
	blamed := map[string]bool{}
	for _, p := range list {
		blamed[p.Name], blamed[p.Stored] = true, true
	}
	for _, s := range r.partlyUsed() {
		if blamed[s.Name] {
			continue
		}
		list = append(list, problem(Problem{Kind: WrongShape, Name: s.Name, Stored: s.Name, File: s.File,
			Says: fmt.Sprintf("has shape %s, and the model uses %d values of %d", ir.FixedShape(s.Shape), s.covered(), s.Elems())}, "%s", s.partly()))
	}
	names, err := l.unusedNames()
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if blamed[name] {
			continue
		}
		t, err := ckpt.Tensor(name)
		if err != nil {
			return nil, err
		}
		list = append(list, problem(Problem{Kind: Unused, Name: name, Stored: name, File: t.File, Says: fmt.Sprintf("%s %s", t.FileDType, ir.FixedShape(t.Shape))}, "tensor %q is used by nothing", name))
	}
	return list, nil
}

// compare looks for every tensor that a recipe names.
func (r *resolver) compare(weight string, x *ir.Recipe) []*Problem {
	var list []*Problem
	switch x.Kind {
	case ir.RecipeTensor:
		list = r.ask(list, weight, x.Name, x.Shape)
	case ir.RecipeEach:
		for e := range x.Count {
			list = r.ask(list, weight, strings.ReplaceAll(x.Name, "{e}", strconv.Itoa(e)), x.Shape)
		}
	}
	for _, a := range x.Args {
		list = append(list, r.compare(weight, a)...)
	}
	return list
}

// ask adds the problem with a tensor, if there is one.
func (r *resolver) ask(list []*Problem, weight, name string, shape []int) []*Problem {
	_, err := r.find(name, shape)
	if err == nil {
		return list
	}
	var p *Problem
	if !errors.As(err, &p) {
		p = problem(Problem{Kind: BadAlias, Name: name, Says: err.Error()}, "%s", err)
	}
	known := *p
	known.Weight = weight
	if known.Kind != Missing && slices.ContainsFunc(list, func(q *Problem) bool { return q.Name == known.Name && q.Kind == known.Kind }) {
		return list // several parts of one stored tensor
	}
	return append(list, &known)
}
