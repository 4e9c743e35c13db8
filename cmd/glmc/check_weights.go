package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/dsl/config"
	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/dsl/syntax"
	"github.com/glmc/glmc/runtime/safetensors"
	"github.com/glmc/glmc/runtime/weights"
)

// IDs of the diagnostics that compare a model with a checkpoint.
const (
	idMissingWeight = "missing-weight"
	idUnusedWeight  = "unused-weight"
	idWeightShape   = "weight-shape"
	idWeightDType   = "weight-dtype"
	idWeightAlias   = "weight-alias"
)

// checkWeights adds to list what about a checkpoint does not fit the models of a file. Where there are several
// models, those that describe the checkpoint's classes count, or all if none does.
func checkWeights(list *diag.List, checked []compiler.Checked, classes []string, ckpt *safetensors.Checkpoint) error {
	for _, m := range describing(checked, classes) {
		problems, err := weights.Compare(&plan.Plan{Module: m.Module, Aliases: m.Aliases, Ignores: m.Ignores}, ckpt)
		if err != nil {
			return err
		}
		w := &weightReport{list: list, model: m.Model.Name.Name, place: m.Model.Name.Span().Diag(), asked: m.Asked, key: keyOf(m.Values)}
		w.add(m.Module, ckpt, problems)
	}
	return nil
}

// keyOf tells the values of configuration keys and where they come from.
func keyOf(v *config.Values) func(string) (string, diag.Span, bool) {
	return func(name string) (string, diag.Span, bool) {
		value, ok := v.Get(name)
		if !ok {
			return "", diag.Span{}, false
		}
		at, _ := v.Place(name)
		return value.Text(), at, true
	}
}

func describing(checked []compiler.Checked, classes []string) []compiler.Checked {
	var found []compiler.Checked
	for _, m := range checked {
		if slices.ContainsFunc(m.Model.For, func(s *syntax.Str) bool { return slices.Contains(classes, s.Value) }) {
			found = append(found, m)
		}
	}
	if len(found) == 0 {
		return checked
	}
	return found
}

// groupAlike puts problems together that differ in the numbers of the tensors' names only, in the order of the first
// of each group.
func groupAlike(problems []*weights.Problem) [][]*weights.Problem {
	type key struct {
		kind                   weights.Kind
		weight, skeleton, says string
	}
	at := map[key]int{}
	var groups [][]*weights.Problem
	for _, p := range problems {
		k := key{p.Kind, weights.Skeleton(p.Weight), weights.Skeleton(p.Name), p.Says}
		switch p.Kind {
		case weights.Unused:
			k.says = ""
		case weights.BadAlias: // its text has the name in it
			k.says, k.skeleton = p.Says, p.Name
		}
		i, ok := at[k]
		if !ok {
			i = len(groups)
			at[k] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], p)
	}
	return groups
}

// weightReport turns problems into diagnostics.
type weightReport struct {
	list   *diag.List
	model  string
	place  diag.Span            // of the model's name; a zero one where that is not known
	asked  map[string]diag.Span // where the text asks for a weight, by the weight's name
	key    func(name string) (value string, at diag.Span, ok bool)
	unread map[string]bool // stored tensors that nothing uses, of which a missing one may be a misspelling
	kinds  []string        // their skeletons
}

// add reports problems, those that are alike together.
func (w *weightReport) add(module *ir.Module, ckpt *safetensors.Checkpoint, problems []*weights.Problem) {
	w.unread = map[string]bool{}
	for _, p := range problems {
		if p.Kind == weights.Unused {
			w.unread[p.Name] = true
			w.kinds = append(w.kinds, weights.Skeleton(p.Name))
		}
	}
	slices.Sort(w.kinds)
	w.kinds = slices.Compact(w.kinds)
	for _, alike := range groupAlike(w.layers(module, ckpt, problems)) {
		w.alike(alike)
	}
}

func (w *weightReport) askedAt(weight string) diag.Span {
	if at, ok := w.asked[weight]; ok {
		return at
	}
	return w.place
}

// alike reports problems that are alike.
func (w *weightReport) alike(alike []*weights.Problem) {
	p := alike[0]
	what := named(alike)
	asked, file := w.askedAt(p.Weight), diag.Span{File: p.File}
	switch p.Kind {
	case weights.Missing:
		d := w.list.Errorf(asked, idMissingWeight, "the checkpoint lacks %s", what)
		for _, other := range p.Tried {
			d.Note(diag.Span{}, "looked for %s too", other)
		}
		w.nearest(d, p)
	case weights.Unused:
		d := w.list.Errorf(file, idUnusedWeight, "nothing of model %s uses %s", w.model, what)
		d.Note(w.place, "no weight of this model, and no ignore rule in its checkpoint section, has the name")
		d.Suggest("if that is right, write `ignore %q because \"...\"`", ignorePattern(p.Name))
	case weights.WrongShape, weights.WrongDType:
		id := idWeightShape
		if p.Kind == weights.WrongDType {
			id = idWeightDType
		}
		d := w.list.Errorf(asked, id, "%s: %s", what, p.Says).Note(file, "stored here")
		if p.Kind == weights.WrongShape {
			d.Suggest("is this the config.json of this checkpoint?")
		}
	case weights.BadAlias:
		w.list.Errorf(asked, idWeightAlias, "%s", p.Says)
	}
}

// named writes the names of alike problems: one, or a range and how many they are.
func named(alike []*weights.Problem) string {
	if len(alike) == 1 {
		return alike[0].Name
	}
	return fmt.Sprintf("%s, %d tensors", namesOf(alike), len(alike))
}

// namesOf writes the names of alike problems as one.
func namesOf(alike []*weights.Problem) string {
	var names []string
	for _, p := range alike {
		names = append(names, p.Name)
	}
	return weights.Alike(names)
}

// nearest suggests the stored name that a missing one is most like, of those that nothing else uses. The numbers in it
// stay.
func (w *weightReport) nearest(d *diag.Diagnostic, p *weights.Problem) {
	near := diag.Nearest(weights.Skeleton(p.Name), w.kinds)
	if near == "" {
		return
	}
	if name, ok := weights.Flesh(near, weights.Numbers(p.Name)); ok && w.unread[name] {
		d.Suggest("the checkpoint has %s", name)
	}
}

// ignorePattern is the pattern of an ignore rule for a name and those that are like it.
func ignorePattern(name string) string {
	parts := strings.Split(weights.Skeleton(name), ".")
	holes := 0
	for i, part := range parts {
		if part == "#" {
			parts[i] = "{" + string(rune('n'+holes)) + "}"
			holes++
		}
	}
	return strings.Join(parts, ".")
}
