package main

import (
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/runtime/engine"
)

// draftFlag is --draft of the verbs that run a model.
type draftFlag struct {
	kind string // "": as the plan has it
}

// draftKinds are what --draft knows; those of this version come first.
var draftKinds = []string{"none", "mtp", "suffix", "hybrid"}

// draftsNow are the kinds that this version has.
var draftsNow = draftKinds[:2]

func (f *draftFlag) register(fs *pflag.FlagSet) {
	fs.StringVar(&f.kind, "draft", "", "`KIND` of speculative decoding: none, or mtp for the model's own layer (default: the pipeline's)")
}

func (f *draftFlag) check() error {
	switch {
	case f.kind == "" || slices.Contains(draftsNow, f.kind):
		return nil
	case slices.Contains(draftKinds, f.kind):
		return usagef("--draft %s: this version has %s", f.kind, strings.Join(draftsNow, " and "))
	}
	return usagef("--draft %s: there is no such kind%s", f.kind, didYouMean(f.kind, draftKinds))
}

// defaultMTPSteps is how many tokens the model's layer guesses where the pipeline does not say: what GLM's own documentation runs it with.
const defaultMTPSteps = 3

// settle finds out what a plan is run with. Whoever does not ask for drafts gets those of the plan that the model has.
func (f *draftFlag) settle(p *plan.Plan) (drafts, error) {
	d := drafts{kind: "none"}
	steps := 0
	for _, x := range p.Serving.Drafts {
		if x.Kind == "mtp" {
			steps = x.Options.Int("steps")
		}
	}
	has := p.Program("draft") != nil
	switch f.kind {
	case "":
		if steps == 0 || !has {
			return d, nil
		}
	case "none":
		return d, nil
	case "mtp":
		if !has {
			return d, usagef("--draft mtp: the model has no entry draft at this configuration: its checkpoint has no layer for multi-token prediction")
		}
		if steps == 0 {
			steps = defaultMTPSteps
		}
	}
	return drafts{kind: "mtp", steps: steps}, nil
}

// drafts are how tokens are guessed.
type drafts struct {
	kind  string
	steps int // of the model's layer; 0: it is not used
}

// entries are those of the plan that are loaded.
func (d drafts) entries() []string {
	if d.steps > 0 {
		return []string{"forward", "draft"}
	}
	return []string{"forward"}
}

// options puts them into those of an engine.
func (d drafts) options(o engine.Options) engine.Options {
	o.MTP = d.steps
	return o
}
