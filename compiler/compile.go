// Package compiler takes a parsed .glm file to a plan: it picks the pipeline, binds the configuration, lowers
// the model, runs the passes and lays out memory.
package compiler

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/glmc/glmc/compiler/cost"
	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/lower"
	"github.com/glmc/glmc/compiler/passes"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/dsl/check"
	"github.com/glmc/glmc/dsl/config"
	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/dsl/pattern"
	"github.com/glmc/glmc/dsl/pipeline"
	"github.com/glmc/glmc/dsl/syntax"
	"github.com/glmc/glmc/kernels/dtype"
)

// Options are what the command line says.
type Options struct {
	Pipeline       string                                    // name; "": the file's for Target
	Target         string                                    // "": the pipeline's, or cpu
	TensorParallel int                                       // 0: the pipeline's
	Config         *config.Document                          // nil: the model's defaults
	Stored         dtype.DType                               // of the checkpoint's weights, where it is at hand; Invalid: what Config says, else bf16
	Set            map[string]string                         // settings of the pipeline or keys of the configuration
	Disable        []string                                  // passes that do not run
	StopAfter      string                                    // last pass to run
	Observe        func(pass string, m *ir.Module)           // see passes.Options
	Device         func(target string) (*cost.Device, error) // figures of the target; nil: those of cost.Devices

	// For tools that take the passes apart; see passes.Options.
	Table         []*passes.Pass         // nil: passes.Table
	Only          func(passes.Site) bool // nil: every site
	IgnoreRequire bool                   // a required pass that does not apply is no error
	Unpriced      bool                   // what a price would decide is applied
}

// Result is a compiled model and how it came about.
type Result struct {
	Plan    *plan.Plan
	Stored  dtype.DType // that weights are taken to be stored in, and so their dtype where no setting names another
	Assumed bool        // neither a checkpoint nor a configuration says so
	Passes  []passes.Result
	Model   *syntax.Model          // that was compiled
	Values  *config.Values         // of its configuration
	Written map[string]map[int]int // launches as the model is written, before any pass: by entry and layer, -1 outside of any
	Time    time.Duration
}

// ErrDiagnostics says that the list holds the reasons.
var ErrDiagnostics = errors.New("the model has errors")

// Compile makes a plan. The list has warnings, and where the error is ErrDiagnostics, what is wrong.
func Compile(f *syntax.File, o Options) (*Result, *diag.List, error) {
	start := time.Now()
	list := check.File(f, ir.Surfaces())
	if list.HasErrors() {
		return nil, list, ErrDiagnostics
	}
	settings, model, err := choose(f, o, list)
	if err != nil {
		return nil, list, err
	}
	sets, err := applySets(&settings, model, o)
	if err != nil {
		return nil, list, err
	}
	values, l := config.Bind(model, o.Config, sets)
	list.Append(l)
	if l.HasErrors() {
		return nil, list, ErrDiagnostics
	}
	in, err := lowering(model, values, settings, o.Config)
	if err != nil {
		return nil, list, err
	}
	if o.Stored.Valid() {
		in.Stored = o.Stored
	}
	settings.Cache.DType = cacheDType(settings, o.Config, in.Stored)
	lowered, l := lower.Model(in)
	list.Append(l)
	if l.HasErrors() {
		return nil, list, ErrDiagnostics
	}
	device, err := o.device(settings.Target)
	if err != nil {
		return nil, list, err
	}
	written := map[string]map[int]int{}
	for _, g := range lowered.Module.Graphs {
		g.Buckets = buckets(settings)
		written[g.Name] = g.Launches()
	}
	ran, err := passes.Run(lowered.Module, passOptions(settings, lowered, o, device))
	if err != nil {
		return nil, list, err
	}
	p, err := assemble(lowered, values, settings, ran)
	if err != nil {
		return nil, list, err
	}
	p.Source = sourceOf(f, settings, o)
	p.Source.Device = plan.Device{Source: device.Source, Figures: device.Figures()}
	assumed := !o.Stored.Valid() && (o.Config == nil || !o.Config.WeightDType().Valid())
	return &Result{Plan: p, Stored: in.Stored, Assumed: assumed, Passes: ran, Model: model, Values: values, Written: written, Time: time.Since(start)}, list, nil
}

// device has the figures of a target.
func (o *Options) device(target string) (*cost.Device, error) {
	if o.Device != nil {
		return o.Device(target)
	}
	if d := cost.Devices[target]; d != nil {
		return d, nil
	}
	return nil, fmt.Errorf("there are no figures of target %q: the cost model knows %v", target, cost.Names())
}

// choose picks the pipeline, and with it the model.
func choose(f *syntax.File, o Options, list *diag.List) (pipeline.Settings, *syntax.Model, error) {
	if len(f.Known()) == 0 {
		return pipeline.Settings{}, nil, fmt.Errorf("%s declares and imports no model", f.Name)
	}
	var names []string
	var found *pipeline.Settings
	for _, p := range f.Pipelines {
		s, l := pipeline.Resolve(p, passes.Names())
		list.Append(l)
		names = append(names, s.Name)
		wanted := o.Pipeline == s.Name || o.Pipeline == "" && s.Target == targetOr(o.Target, "cpu")
		if wanted && found == nil {
			found = &s
		}
	}
	if list.HasErrors() {
		return pipeline.Settings{}, nil, ErrDiagnostics
	}
	if found == nil {
		if o.Pipeline != "" {
			return pipeline.Settings{}, nil, fmt.Errorf("%s has no pipeline %q: it has %s", f.Name, o.Pipeline, cmp.Or(strings.Join(names, ", "), "none"))
		}
		s, err := pipeline.Default(targetOr(o.Target, "cpu"))
		if err != nil {
			return s, nil, err
		}
		s.Model = f.Known()[0].Name.Name
		return s, f.Known()[0], nil
	}
	if o.Target != "" && o.Target != found.Target {
		return *found, nil, fmt.Errorf("pipeline %s is for target %s, not %s", found.Name, found.Target, o.Target)
	}
	model := f.Model(found.Model)
	if model == nil {
		return *found, nil, fmt.Errorf("pipeline %s is for model %s, which %s neither declares nor imports", found.Name, found.Model, f.Name)
	}
	return *found, model, nil
}

func targetOr(target, otherwise string) string {
	if target == "" {
		return otherwise
	}
	return target
}

// applySets splits --set between the pipeline, which it changes, and the configuration, whose part it
// returns.
func applySets(s *pipeline.Settings, m *syntax.Model, o Options) (map[string]string, error) {
	rest := map[string]string{}
	known := config.Known(m)
	for _, key := range slices.Sorted(maps.Keys(o.Set)) {
		switch {
		case slices.Contains(known, key):
			rest[key] = o.Set[key]
		case slices.Contains(pipeline.Keys(), key):
			if err := s.Set(key, o.Set[key]); err != nil {
				return nil, fmt.Errorf("--set %w", err)
			}
		default:
			err := fmt.Errorf("--set %s: neither a configuration key of model %s nor a setting of a pipeline (%s)", key, m.Name.Name, strings.Join(pipeline.Keys(), ", "))
			if near := diag.Nearest(key, append(slices.Clone(known), pipeline.Keys()...)); near != "" {
				err = fmt.Errorf("%w; did you mean %s?", err, near)
			}
			return nil, err
		}
	}
	if o.TensorParallel != 0 {
		if err := s.Set("tensor_parallel", fmt.Sprint(o.TensorParallel)); err != nil {
			return nil, fmt.Errorf("--tp %d: %w", o.TensorParallel, errors.Unwrap(err)) // without the setting's name
		}
	}
	return rest, nil
}

// lowering says in which dtypes weights are stored and activations computed. CPU kernels keep activations in
// f32 and round what goes into a product; GPU kernels keep them in bf16.
func lowering(m *syntax.Model, v *config.Values, s pipeline.Settings, doc *config.Document) (lower.Input, error) {
	in := lower.Input{Model: m, Values: v, Stored: dtype.BF16, Activation: dtype.F32}
	if s.Target != "cpu" {
		in.Activation = dtype.BF16
	}
	if doc == nil {
		return in, nil
	}
	if d := doc.WeightDType(); d.Valid() {
		in.Stored = d
	}
	q, err := doc.Quantization()
	in.Quantised = q
	if err == nil && q != nil {
		if err = pipeline.CheckWeights(s.Target, q.Weights); err != nil {
			err = fmt.Errorf("%s: quantization_config: %w", doc.Name, err)
		}
	}
	return in, err
}

// cacheDType is that of keys and values. Where no setting names one, it is that in which the model computes. On GPUs that
// is bf16. On the CPU it is the dtype that the configuration states, in which the model was trained and runs elsewhere:
// more bits would cost memory and time, and hold nothing that the model relies on. Where none is stated, the weights
// say it. f16 becomes f32: bf16 has fewer bits, and the CPU's fast attention does not read f16.
func cacheDType(s pipeline.Settings, doc *config.Document, stored dtype.DType) dtype.DType {
	if s.Cache.DType.Valid() {
		return s.Cache.DType
	}
	if s.Target != "cpu" {
		return dtype.BF16
	}
	if doc != nil {
		if d := doc.WeightDType(); d.Valid() {
			stored = d
		}
	}
	if stored == dtype.BF16 {
		return dtype.BF16
	}
	return dtype.F32
}

// priced is the device that passes ask for prices.
func priced(d *cost.Device, o Options) *cost.Device {
	if o.Unpriced {
		return nil
	}
	return d
}

func passOptions(s pipeline.Settings, l *lower.Result, o Options, device *cost.Device) *passes.Options {
	if o.IgnoreRequire {
		s.Require = nil
	}
	return &passes.Options{
		TensorParallel: s.TensorParallel,
		Weights:        s.Weights.DType,
		Activations:    s.Activations,
		KeepWeight: func(module string) bool {
			return slices.ContainsFunc(s.Weights.Skip, func(p pattern.Pattern) bool { _, ok := p.Match(module); return ok })
		},
		InF32:     func(weight string) bool { return l.Wanted[weight] },
		Transfer:  passes.Transfer{Enabled: s.Transfer.Enabled, Async: s.Transfer.Async, Per: s.Transfer.Per},
		Device:    priced(device, o),
		Cache:     s.Cache.DType,
		Disabled:  o.Disable,
		Require:   s.Require,
		StopAfter: o.StopAfter,
		Observe:   o.Observe,
		Table:     o.Table,
		Only:      o.Only,
	}
}
