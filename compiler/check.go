package compiler

import (
	"errors"
	"slices"
	"strconv"

	"github.com/glmc/glmc/compiler/cost"
	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/lower"
	"github.com/glmc/glmc/compiler/passes"
	"github.com/glmc/glmc/dsl/check"
	"github.com/glmc/glmc/dsl/config"
	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/dsl/pipeline"
	"github.com/glmc/glmc/dsl/syntax"
	"github.com/glmc/glmc/kernels/dtype"
)

// IDs of the diagnostics of this package.
const (
	idRequiredPass = "required-pass"
	idReplicated   = "not-divisible"
	idPipeline     = "cannot-compile"
	idUnusedEntry  = "unused-entry"
	idUnknownInput = "unknown-input"
	idNoDraft      = "draft-without-entry"
	idNoKernels    = "no-kernels"
)

// Check parses nothing and compiles nothing to disk: it reports all that is wrong with a file, at the
// configuration given or at the defaults. Pipelines that promise something (required passes, tensor parallelism)
// are compiled to see whether it holds.
func Check(f *syntax.File, doc *config.Document) *diag.List {
	_, list := CheckModels(f, doc)
	return list
}

// Checked is a model of a file as Check lowers it: no pass has run, and weights are as the text asks for them.
type Checked struct {
	Model  *syntax.Model
	Values *config.Values
	*lower.Result
}

// CheckModels is Check that also returns the models, but for those that have errors.
func CheckModels(f *syntax.File, doc *config.Document) ([]Checked, *diag.List) {
	list := check.File(f, ir.Surfaces())
	settings := make([]pipeline.Settings, len(f.Pipelines))
	for i, p := range f.Pipelines {
		s, l := pipeline.Resolve(p, passes.Names())
		settings[i] = s
		list.Append(l)
	}
	if list.HasErrors() || !f.Linked() {
		return nil, list
	}
	var models []Checked
	for _, m := range f.Known() {
		values, l := config.Bind(m, doc, nil)
		list.Append(l)
		if l.HasErrors() {
			continue
		}
		r, l := lower.Model(lower.Input{Model: m, Values: values, Stored: dtype.BF16, Activation: dtype.F32})
		list.Append(l)
		if !l.HasErrors() {
			models = append(models, Checked{m, values, r})
			checkEntries(models[len(models)-1], list)
		}
	}
	for k, p := range f.Pipelines {
		m := f.Model(p.Model.Name)
		if i := slices.IndexFunc(models, func(c Checked) bool { return c.Model == m }); i >= 0 {
			c := &pipelineCheck{list: list, file: f, syntax: p}
			c.run(models[i], settings[k], doc)
		}
	}
	return models, list
}

// pipelineCheck holds a pipeline's promises against what the passes do.
type pipelineCheck struct {
	list   *diag.List
	file   *syntax.File
	syntax *syntax.Pipeline
}

func (c *pipelineCheck) run(m Checked, s pipeline.Settings, doc *config.Document) {
	c.drafts(s, m.Module)
	if s.TensorParallel <= 1 && len(s.Require) == 0 {
		return
	}
	in, err := lowering(m.Model, m.Values, s, doc)
	if err != nil {
		c.failed(err)
		return
	}
	lowered, l := lower.Model(in)
	if l.HasErrors() {
		c.list.Append(l)
		return
	}
	s.Cache.DType = cacheDType(s, doc, in.Stored)
	for _, g := range lowered.Module.Graphs {
		g.Buckets = buckets(s)
	}
	results, err := passes.Run(lowered.Module, passOptions(s, lowered, Options{}, cost.Devices[s.Target]))
	for _, r := range results {
		if r.Pass.Name == "shard_tensor_parallel" {
			c.replicated(s.TensorParallel, r.Remarks)
		}
	}
	var unmet *passes.RequireError
	switch {
	case errors.As(err, &unmet):
		c.unmet(unmet)
	case err != nil:
		c.failed(err)
	}
}

// drafts warns of drafts that the model has no entry for at this configuration.
func (c *pipelineCheck) drafts(s pipeline.Settings, m *ir.Module) {
	mtp := slices.ContainsFunc(s.Drafts, func(d pipeline.Draft) bool { return d.Kind == "mtp" })
	entry := slices.ContainsFunc(m.Graphs, func(g *ir.Graph) bool { return g.Name == "draft" })
	if mtp && !entry {
		c.list.Warnf(c.setting("draft", "mtp"), idNoDraft, "model %s has no entry draft at this configuration, and drafts nothing", c.syntax.Model.Name)
	}
}

// failed reports a pipeline that cannot be compiled for a reason that has no place in it. A checkpoint that another target
// is for is no mistake in a file that has pipelines for several.
func (c *pipelineCheck) failed(err error) {
	var none *pipeline.NoKernelsError
	if errors.As(err, &none) {
		c.list.Warnf(c.setting("target", none.Target), idNoKernels, "pipeline %s cannot serve this checkpoint: %v", c.syntax.Name.Name, none)
		return
	}
	c.list.Errorf(c.syntax.Name.Span().Diag(), idPipeline, "pipeline %s cannot be compiled: %v", c.syntax.Name.Name, err)
}

// maxNotes bounds the notes of one diagnostic: a layer's remark comes once for each layer.
const maxNotes = 5

// unmet reports a required pass at the word that requires it.
func (c *pipelineCheck) unmet(e *passes.RequireError) {
	at := c.setting("require", e.Pass)
	if len(e.Missed) == 0 {
		c.list.Errorf(at, idRequiredPass, "required pass %s finds nothing to apply to in model %s with this pipeline's settings", e.Pass, c.syntax.Model.Name)
		return
	}
	d := c.list.Errorf(at, idRequiredPass, "required pass %s does not apply at %d sites", e.Pass, len(e.Missed))
	sites := distinct(e.Missed)
	for _, k := range sites[:min(len(sites), maxNotes)] {
		d.Note(c.place(k.Source), "%s: %s [%s]", layerWords(k), k.Reason, k.ID)
	}
	c.more(d, at, len(sites))
}

// more says how many places the notes leave out.
func (c *pipelineCheck) more(d *diag.Diagnostic, at diag.Span, places int) {
	if places > maxNotes {
		d.Note(at, "and at %d more places", places-maxNotes)
	}
}

// replicated warns of what stays whole on every rank because it does not divide by their number.
func (c *pipelineCheck) replicated(ranks int, remarks []passes.Remark) {
	odd := slices.DeleteFunc(slices.Clone(remarks), func(r passes.Remark) bool { return r.ID != "shard_tensor_parallel.indivisible" })
	sites := distinct(odd)
	if len(sites) == 0 {
		return
	}
	at := c.setting("target", "tensor_parallel")
	d := c.list.Warnf(at, idReplicated, "what %d ranks do not divide stays whole on every one of them", ranks)
	for _, k := range sites[:min(len(sites), maxNotes)] {
		d.Note(c.place(k.Source), "%s: %s", layerWords(k), k.Reason)
	}
	c.more(d, at, len(sites))
	d.Suggest("it costs memory and time, not results; a tensor_parallel that divides heads and widths avoids it")
}

// distinct drops the remarks of the same place in another layer.
func distinct(remarks []passes.Remark) []passes.Remark {
	var out []passes.Remark
	for _, r := range remarks {
		same := func(o passes.Remark) bool { return o.Source == r.Source }
		if !slices.ContainsFunc(out, same) {
			out = append(out, r)
		}
	}
	return out
}

func layerWords(r passes.Remark) string {
	if r.Layer < 0 {
		return "in entry " + r.Entry
	}
	return "in entry " + r.Entry + ", first in layer " + strconv.Itoa(r.Layer)
}

// setting is the place of an argument or option of the pipeline's setting of that name; the pipeline's name where
// the setting is not there.
func (c *pipelineCheck) setting(name, part string) diag.Span {
	for _, s := range c.syntax.Settings {
		if s.Name.Name != name {
			continue
		}
		for _, a := range s.Args {
			if a.Name == part {
				return a.Span().Diag()
			}
		}
		for _, o := range s.Options {
			if o.Name.Name == part {
				return o.Span().Diag()
			}
		}
	}
	return c.syntax.Name.Span().Diag()
}

// place turns the "file:line:column" of a remark into a place of the program.
func (c *pipelineCheck) place(source string) diag.Span {
	return diag.ParseSpan(source, func(name string) []byte {
		for _, f := range c.file.Reachable() {
			if f.Name == name {
				return f.Source
			}
		}
		return nil
	})
}
