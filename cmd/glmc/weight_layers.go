package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/runtime/safetensors"
	"github.com/glmc/glmc/runtime/weights"
)

// A checkpoint with more or fewer layers than the model asks for lacks, or has too many, of every kind of tensor. That
// is one mistake, and is told as one.

// numbered is a part of a model of which there are several: "model.layers" 3.
type numbered struct {
	path   string
	number int
}

// layer is the outermost numbered part that a tensor's name belongs to: "model.layers" 3 of
// "model.layers.3.mlp.experts.0.up_proj.weight".
func layer(name string) (numbered, bool) {
	at := strings.Index("."+weights.Skeleton(name), ".#")
	if at < 1 { // none, or nothing in front of it
		return numbered{}, false
	}
	return numbered{name[:at-1], weights.Numbers(name)[0]}, true
}

// layers reports whole layers that the checkpoint lacks or nothing uses, and returns the other problems.
func (w *weightReport) layers(module *ir.Module, ckpt *safetensors.Checkpoint, problems []*weights.Problem) []*weights.Problem {
	wanted, stored := layersOf(wantedNames(module)), layersOf(ckpt.Names())
	type key struct {
		kind weights.Kind
		path string
	}
	found := map[key][]*weights.Problem{}
	var order []key
	var rest []*weights.Problem
	for _, p := range problems {
		l, ok := layer(p.Name)
		lacks := p.Kind == weights.Missing && len(stored[l.path]) > 0 && !stored[l.path][l.number]
		unused := p.Kind == weights.Unused && len(wanted[l.path]) > 0 && !wanted[l.path][l.number]
		if !ok || !lacks && !unused {
			rest = append(rest, p)
			continue
		}
		k := key{p.Kind, l.path}
		if found[k] == nil {
			order = append(order, k)
		}
		found[k] = append(found[k], p)
	}
	for _, k := range order {
		w.layer(k.path, found[k], wanted[k.path], stored[k.path])
	}
	return rest
}

// layer reports the layers of a path that the checkpoint lacks, or that nothing uses.
func (w *weightReport) layer(path string, problems []*weights.Problem, wanted, stored map[int]bool) {
	odd := map[int]bool{}
	for _, p := range problems {
		l, _ := layer(p.Name)
		odd[l.number] = true
	}
	p := problems[0]
	if p.Kind == weights.Missing {
		d := w.list.Errorf(w.askedAt(p.Weight), idMissingWeight, "the checkpoint lacks all of %s, %s: it has %s",
			parts(path, odd), diag.Count(len(problems), "tensor"), parts(path, stored))
		w.noteLayers(d, odd)
		return
	}
	d := w.list.Errorf(diag.Span{File: p.File}, idUnusedWeight, "nothing of model %s uses %s, %s: it reads %s", w.model, parts(path, odd), diag.Count(len(problems), "tensor"), parts(path, wanted))
	w.noteLayers(d, odd)
	d.Suggest("is this the config.json of this checkpoint? If it is, write `ignore \"%s.{n}.{name...}\" because \"...\"`", path)
}

// noteLayers points at the keys of the configuration that say how many layers there are. Hugging Face's have the same
// names in every family; a layer behind the last is one that drafts.
func (w *weightReport) noteLayers(d *diag.Diagnostic, odd map[int]bool) {
	value, at, ok := w.key("num_hidden_layers")
	if !ok {
		return
	}
	d.Note(at, "num_hidden_layers is %s", value)
	if first := slices.Min(slices.Collect(maps.Keys(odd))); fmt.Sprint(first) != value {
		return
	}
	if value, at, ok := w.key("num_nextn_predict_layers"); ok && value != "0" {
		d.Note(at, "num_nextn_predict_layers is %s, for layers behind the last", value)
	}
}

// parts names numbered parts: "model.layers.0..3".
func parts(path string, numbers map[int]bool) string {
	var names []string
	for n := range numbers {
		names = append(names, fmt.Sprintf("%s.%d", path, n))
	}
	return weights.Alike(names)
}

// layersOf collects the numbers of the layers that names belong to, by the paths.
func layersOf(names []string) map[string]map[int]bool {
	of := map[string]map[int]bool{}
	for _, name := range names {
		l, ok := layer(name)
		if !ok {
			continue
		}
		if of[l.path] == nil {
			of[l.path] = map[int]bool{}
		}
		of[l.path][l.number] = true
	}
	return of
}

// wantedNames are the names of tensors that a module's recipes read; of many experts the first one's.
func wantedNames(m *ir.Module) []string {
	var names []string
	var add func(r *ir.Recipe)
	add = func(r *ir.Recipe) {
		if len(r.Args) == 0 {
			names = append(names, strings.ReplaceAll(r.Name, "{e}", "0"))
		}
		for _, a := range r.Args {
			add(a)
		}
	}
	for _, weight := range m.Weights {
		add(weight.Recipe)
	}
	return names
}
