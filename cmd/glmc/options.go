package main

import (
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/compiler/passes"
	"github.com/glmc/glmc/dsl/pipeline"
)

// compileFlags are the flags of every verb that compiles.
type compileFlags struct {
	config    string
	weights   string
	pipeline  string
	target    string
	tp        int
	set       []string
	disable   []string
	stopAfter string
	figures   string
	given     func(flag string) bool // whether the command line has it
}

func (f *compileFlags) register(fs *pflag.FlagSet) {
	fs.StringVar(&f.config, "config", "", "config.json `FILE` (default: the one in --weights, else the model's defaults)")
	fs.StringVar(&f.weights, "weights", "", "checkpoint `DIR` in Hugging Face's layout")
	fs.StringVar(&f.pipeline, "pipeline", "", "`NAME` of the pipeline in the .glm file (default: its first one for the target)")
	fs.IntVar(&f.tp, "tp", 0, "`N` tensor-parallel ranks (default: what the pipeline says)")
	fs.StringArrayVar(&f.set, "set", nil, "`KEY=VALUE` for a setting of the pipeline (prefill.chunk=256) or a key of config.json; may be repeated")
	fs.StringArrayVar(&f.disable, "disable-pass", nil, "`NAME` of a pass that does not run; may be repeated")
	registerFigures(fs, &f.figures)
	f.given = fs.Changed
}

func registerFigures(fs *pflag.FlagSet, figures *string) {
	fs.StringVar(figures, "device-figures", "", "`FILE` with figures of devices, or builtin (default: what glmc devices --calibrate stored, else builtin)")
}

// registerTarget adds the flag of the verbs that compile for other machines too.
func (f *compileFlags) registerTarget(fs *pflag.FlagSet) {
	fs.StringVar(&f.target, "target", "", "`DEVICE` to compile for: cpu, h100 or h200 (default: the pipeline's, else cpu)")
}

// options turns the flags into the compiler's, without the configuration.
func (f *compileFlags) options() (compiler.Options, error) {
	o := compiler.Options{Pipeline: f.pipeline, Target: f.target, TensorParallel: f.tp, Set: map[string]string{}, StopAfter: f.stopAfter,
		Device: f.deviceFigures}
	if f.tp < 0 || f.tp == 0 && f.given != nil && f.given("tp") {
		return o, usagef("--tp %d: wants a number from 1 on", f.tp)
	}
	if f.target != "" {
		if _, err := pipeline.Default(f.target); err != nil {
			return o, usagef("--target: %w", err)
		}
	}
	for _, s := range f.set {
		key, value, ok := strings.Cut(s, "=")
		if !ok || key == "" {
			return o, usagef("--set %s: wants KEY=VALUE", s)
		}
		if _, twice := o.Set[key]; twice {
			return o, usagef("--set %s is given twice", key)
		}
		o.Set[key] = value
	}
	for _, d := range f.disable {
		o.Disable = append(o.Disable, strings.Split(d, ",")...)
	}
	for _, name := range o.Disable {
		if err := checkPass("disable-pass", name); err != nil {
			return o, err
		}
	}
	if f.stopAfter == "" {
		return o, nil
	}
	return o, checkPass("stop-after", f.stopAfter)
}

// checkPass refuses a flag with a pass that does not exist.
func checkPass(flag, name string) error {
	if slices.Contains(passes.Names(), name) {
		return nil
	}
	return usagef("--%s %s: there is no such pass%s", flag, name, didYouMean(name, passes.Names()))
}

// parseIDs reads "1,2,3".
func parseIDs(list string) ([]int32, error) {
	var ids []int32
	for part := range strings.SplitSeq(list, ",") {
		part = strings.TrimSpace(part)
		id, err := strconv.ParseInt(part, 10, 32)
		if err != nil || id < 0 {
			return nil, usagef("--ids: %q is no token id: wants numbers from 0 on with commas between them", part)
		}
		ids = append(ids, int32(id))
	}
	return ids, nil
}
