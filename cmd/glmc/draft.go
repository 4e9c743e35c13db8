package main

import (
	"slices"

	"github.com/spf13/pflag"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/runtime/draft/suffix"
	"github.com/glmc/glmc/runtime/engine"
)

// draftFlag is --draft of the verbs that run a model.
type draftFlag struct {
	kind string // "": as the plan has it
}

// draftKinds are what --draft knows.
var draftKinds = []string{"none", "mtp", "suffix", "tree", "hybrid"}

func (f *draftFlag) register(fs *pflag.FlagSet) {
	fs.StringVar(&f.kind, "draft", "", "`KIND` of speculative decoding: none, mtp for the model's own layer, suffix for what was said before, tree for alternatives of that, hybrid for the layer and suffix (default: the pipeline's)")
}

func (f *draftFlag) check() error {
	if f.kind == "" || slices.Contains(draftKinds, f.kind) {
		return nil
	}
	return usagef("--draft %s: there is no such kind%s", f.kind, didYouMean(f.kind, draftKinds))
}

// defaultMTPSteps is how many tokens the model's layer guesses where the pipeline does not say: what GLM's own documentation runs it with.
const defaultMTPSteps = 3

// drafts are how tokens are guessed.
type drafts struct {
	kind  string
	steps int           // of the model's layer; 0: it is not used
	cache *suffix.Cache // nil: there are no suffix trees
}

// settle finds out what a plan is run with, and makes it. Whoever does not ask for drafts gets those of the plan that the model has.
func (f *draftFlag) settle(p *plan.Plan) (drafts, error) {
	options := map[string]ir.Attrs{}
	for _, x := range p.Serving.Drafts {
		options[x.Kind] = x.Options
	}
	has := p.Program("draft") != nil
	_, mtp := options["mtp"]
	_, said := options["suffix"]
	switch mtp = mtp && has; f.kind {
	case "none":
		mtp, said = false, false
	case "mtp":
		mtp, said = true, false
	case "suffix", "tree":
		mtp, said = false, true
	case "hybrid":
		mtp, said = true, true
	}
	if mtp && !has {
		return drafts{}, usagef("--draft %s: the model has no entry draft at this configuration: its checkpoint has no layer for multi-token prediction", f.kind)
	}
	d := drafts{kind: "none"}
	if mtp {
		d.kind, d.steps = "mtp", defaultMTPSteps
		if o := options["mtp"]; o != nil {
			d.steps = o.Int("steps")
		}
	}
	if !said {
		return d, nil
	}
	d.kind = map[bool]string{false: "suffix", true: "hybrid"}[mtp]
	c := suffixConfig(options["suffix"])
	switch knows := engine.KnowsTrees(p); {
	case f.kind == "tree" && !knows:
		return drafts{}, usagef("--draft tree: the plan's attention knows no trees: it was compiled by a glmc from before there were any; compile it again, or take --draft suffix")
	case f.kind == "tree", f.kind == "" && !mtp && knows && options["suffix"].Get("tree") == true:
		d.kind, c.Options.Tree = "tree", true
	case d.kind == "hybrid" && options["suffix"] == nil:
		c.Options = suffix.Generous
	}
	var err error
	d.cache, err = suffix.NewCache(c)
	return d, err
}

// suffixConfig is that of a pipeline's options; nil: the usual ones. It is one of paths: hybrid drafts are weighed as such.
func suffixConfig(o ir.Attrs) suffix.Config {
	if o == nil {
		return suffix.Config{Options: suffix.Defaults}
	}
	return suffix.Config{Depth: max(2, min(o.Int("max_depth"), suffix.MaxDepth)),
		Options: suffix.Options{Factor: o.Float("max_spec_factor"), Offset: o.Float("max_spec_offset"), MinProb: o.Float("min_token_prob")}}
}

// Close ends what guesses, behind the engine.
func (d drafts) Close() error {
	if d.cache == nil {
		return nil
	}
	return d.cache.Close()
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
	if d.cache != nil {
		o.Drafter = d.cache
	}
	o.Adapt = d.kind == "hybrid"
	return o
}
