package compiler

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/glmc/glmc/compiler/cost"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/dsl/config"
	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/dsl/pipeline"
	"github.com/glmc/glmc/dsl/source"
	"github.com/glmc/glmc/dsl/syntax"
)

// ErrNoSource says that a plan does not hold what it was compiled from.
var ErrNoSource = errors.New("the plan does not hold the source that it was compiled from: compile the .glm file again")

// sourceOf collects what is needed to compile the same again.
func sourceOf(f *syntax.File, p pipeline.Settings, o Options) plan.Source {
	s := plan.Source{Pipeline: p.Name, Target: p.Target, TensorParallel: p.TensorParallel, Stored: o.Stored,
		Disabled: slices.Clone(o.Disable), StopAfter: o.StopAfter}
	for _, x := range f.Reachable() {
		s.Files = append(s.Files, plan.SourceFile{Name: x.Name, Text: string(x.Source)})
	}
	if o.Config != nil {
		// Where the file lay is of no use to anybody else, and the same compilation elsewhere gives the same plan.
		s.Config = plan.SourceFile{Name: path.Base(strings.ReplaceAll(o.Config.Name, `\`, "/")), Text: string(o.Config.Text)}
	}
	for _, key := range slices.Sorted(maps.Keys(o.Set)) {
		s.Set = append(s.Set, plan.Setting{Key: key, Value: o.Set[key]})
	}
	return s
}

// Load parses what a plan was compiled from and returns the options that it was compiled with. The list has
// syntax errors where the error is ErrDiagnostics: the plan was not written by a compiler.
func Load(s *plan.Source) (*syntax.File, Options, *diag.List, error) {
	list := &diag.List{}
	o := Options{Pipeline: s.Pipeline, Target: s.Target, TensorParallel: s.TensorParallel, Stored: s.Stored,
		Disable: slices.Clone(s.Disabled), StopAfter: s.StopAfter, Set: map[string]string{}}
	if len(s.Files) == 0 {
		return nil, o, list, ErrNoSource
	}
	if s.Device.Source != "" {
		o.Device = func(target string) (*cost.Device, error) {
			if target != s.Target { // someone adjusted it
				return (&Options{}).device(target)
			}
			return cost.FromFigures(target, s.Device.Source, s.Device.Figures)
		}
	}
	for _, x := range s.Set {
		o.Set[x.Key] = x.Value
	}
	if s.Config.Name != "" {
		doc, err := config.Parse(s.Config.Name, []byte(s.Config.Text))
		if err != nil {
			return nil, o, list, err
		}
		o.Config = doc
	}
	p, list := source.Load(s.Files[0].Name, []byte(s.Files[0].Text), func(name string) ([]byte, error) {
		if i := slices.IndexFunc(s.Files, func(f plan.SourceFile) bool { return f.Name == name }); i >= 0 {
			return []byte(s.Files[i].Text), nil
		}
		return nil, fmt.Errorf("the plan does not hold %s", name)
	})
	if list.HasErrors() {
		return nil, o, list, ErrDiagnostics
	}
	return p.Root, o, list, nil
}

// Recompile compiles again what a plan was compiled from. Adjust may change the options first, and may be nil.
func Recompile(s *plan.Source, adjust func(*Options)) (*Result, *diag.List, error) {
	f, o, list, err := Load(s)
	if err != nil {
		return nil, list, err
	}
	if adjust != nil {
		adjust(&o)
	}
	return Compile(f, o)
}
