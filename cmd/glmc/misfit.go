package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/dsl/config"
	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/runtime/safetensors"
	"github.com/glmc/glmc/runtime/weights"
)

// misfit reports what about a checkpoint does not fit a plan, as check does, where running has failed because of it.
// Model is what the command line calls the model; "" for the checkpoint's family.
func (f *compileFlags) misfit(model string, p *plan.Plan, files checkpointFiles, ckpt *safetensors.Checkpoint, reason error) error {
	problems, err := weights.Compare(p, ckpt)
	if err != nil || len(problems) == 0 {
		return reason
	}
	sources := map[string][]byte{}
	doc, err := f.readConfig(files, sources)
	if err != nil {
		doc = nil // a plan needs none
	}
	compiled, name := f.sourcesOf(model, files, sources)
	w := &weightReport{list: &diag.List{}, model: p.Model, asked: askedIn(p, sources), key: f.keyOf(doc)}
	w.add(p.Module, ckpt, problems)
	_ = diagnose(firstOf(w.list), sources) // it reports errors by returning one, which is known
	if !compiled && doc != nil {
		noteOtherConfig(name, p, doc)
	}
	text := fmt.Sprintf("the checkpoint does not fit the model: %s", diag.Count(w.list.Len(), "error"))
	if w.list.Len() > shownMisfits {
		text += fmt.Sprintf(", the first %d of them above", shownMisfits)
	}
	switch {
	case compiled && f.weights != "" && f.config == "" && len(f.set) == 0: // else check would compare something else
		text += fmt.Sprintf("; glmc check %s --weights %s shows where", name, f.weights)
	case !compiled:
		text += fmt.Sprintf("; was %s compiled for the configuration of this checkpoint?", name)
	}
	fmt.Fprintf(os.Stderr, "glmc: %s\n", text)
	return errReported
}

// shownMisfits bounds how many errors run spells out: a checkpoint of another model has dozens of kinds.
const shownMisfits = 10

// firstOf is a list with the first errors of another, what is missing or misshapen in front of what is unused.
func firstOf(list *diag.List) *diag.List {
	few := &diag.List{}
	for _, d := range list.All()[:min(list.Len(), shownMisfits)] {
		few.Add(d)
	}
	return few
}

// sourcesOf puts the texts that a model was compiled from into sources, and returns its name. It is false where the
// model is a plan, which has none.
func (f *compileFlags) sourcesOf(model string, files checkpointFiles, sources map[string][]byte) (compiled bool, name string) {
	if model == "" {
		family, err := familyOf(f, files)
		if err != nil {
			return false, model
		}
		model = family.Path
	}
	m, err := readModel(model)
	if err != nil || m.isPlan() {
		return false, model
	}
	m.parse(sources)
	return true, model
}

// keyOf tells the values of a configuration's keys, and of --set, which comes first.
func (f *compileFlags) keyOf(doc *config.Document) func(string) (string, diag.Span, bool) {
	return func(name string) (string, diag.Span, bool) {
		for _, s := range f.set {
			if value, ok := strings.CutPrefix(s, name+"="); ok {
				return value + " (--set)", diag.Span{}, true
			}
		}
		if doc == nil {
			return "", diag.Span{}, false
		}
		item, ok := doc.Lookup(name)
		if !ok {
			return "", diag.Span{}, false
		}
		n, ok := number(item)
		return n, item.Key, ok
	}
}

// noteOtherConfig says which keys of a configuration are others than a plan was compiled for, as far as plans know.
func noteOtherConfig(name string, p *plan.Plan, doc *config.Document) {
	for _, key := range []struct {
		name  string
		value int
	}{{"vocab_size", p.Facts.VocabSize}, {"hidden_size", p.Facts.HiddenSize}} {
		item, ok := doc.Lookup(key.name)
		if !ok {
			continue
		}
		if n, ok := number(item); ok && key.value > 0 && n != strconv.Itoa(key.value) {
			fmt.Fprintf(os.Stderr, "glmc: %s was compiled for %s = %d, and %s says %s\n", name, key.name, key.value, item.Key, n)
		}
	}
}

// number is the text of a value that is a number.
func number(item config.Item) (string, bool) {
	n, ok := item.Value().(json.Number)
	return n.String(), ok
}

// askedIn finds where the text asks for the weights of a plan, by the first operator that reads each.
func askedIn(p *plan.Plan, sources map[string][]byte) map[string]diag.Span {
	asked := map[string]diag.Span{}
	for _, g := range p.Module.Graphs {
		for _, n := range g.Nodes {
			for _, v := range n.In {
				if v == nil || v.Weight == nil {
					continue
				}
				if _, known := asked[v.Weight.Name]; !known {
					asked[v.Weight.Name] = diag.ParseSpan(n.Origin.Source, func(file string) []byte { return sources[file] })
				}
			}
		}
	}
	return asked
}
