package weights

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/dsl/pattern"
)

// shown bounds how many problems an error spells out: a checkpoint of another model has thousands.
const shown = 10

// check resolves all weights and reports what does not fit.
func (l *Loader) check() error {
	if err := l.tooManyParts(); err != nil {
		return err
	}
	var problems []error
	for _, w := range l.plan.Module.Weights {
		// Whatever the rank, a recipe reads the same tensors.
		if _, err := l.evaluate(w.Recipe, 0); err != nil {
			problems = append(problems, err)
		}
	}
	if len(problems) > 0 {
		return capped(problems)
	}
	return capped(slices.Concat(l.oversize(), l.uncovered(), l.unused()))
}

func capped(problems []error) error {
	if n := len(problems); n > shown {
		problems = append(problems[:shown:shown], fmt.Errorf("... and %d more", n-shown))
	}
	return errors.Join(problems...)
}

// mostUses is how often honest plans use a stored value at most: an embedding twice or three times, others once.
const mostUses = 8

// tooManyParts refuses a plan that names more tensors than the checkpoint could have.
func (l *Loader) tooManyParts() error {
	parts, values := 0, 0
	for _, name := range l.ckpt.Names() {
		t, err := l.ckpt.Tensor(name)
		if err != nil {
			return err
		}
		values += t.Elems()
	}
	most := min(maxParts, mostUses*values)
	for _, w := range l.plan.Module.Weights {
		if parts += countParts(w.Recipe); parts > most {
			return fmt.Errorf("the plan's weights are made of more than %d stored tensors, the checkpoint has %d values: this plan was not made for this checkpoint",
				most, values)
		}
	}
	return nil
}

// oversize refuses a plan whose recipes blow a small checkpoint up.
func (l *Loader) oversize() []error {
	stored, wanted := int64(0), int64(0)
	for _, s := range l.stored {
		stored += int64(s.Elems())
	}
	for _, w := range l.plan.Module.Weights {
		if wanted += int64(product(w.Shape)); wanted > mostUses*stored {
			return []error{fmt.Errorf("the plan's weights hold %d values and more, the checkpoint's tensors for them %d: "+
				"this plan was not made for this checkpoint", wanted, stored)}
		}
	}
	return nil
}

// uncovered finds stored tensors of which aliases use only a part: stacked experts of another model.
func (l *Loader) uncovered() []error {
	var problems []error
	for _, s := range l.partlyUsed() {
		problems = append(problems, s.partly())
	}
	return problems
}

// partlyUsed lists the stored tensors that uncovered finds, by name.
func (r *resolver) partlyUsed() []*stored {
	var list []*stored
	for _, s := range slices.SortedFunc(maps.Values(r.stored), func(a, b *stored) int { return cmp.Compare(a.Name, b.Name) }) {
		if s.covered() < s.Elems() {
			list = append(list, s)
		}
	}
	return list
}

// partly says that a part of a stored tensor is not used.
func (s *stored) partly() error {
	return fmt.Errorf("tensor %q has shape %s in %s, of which the model uses %d values of %d: is this the config.json of this checkpoint?",
		s.Name, ir.FixedShape(s.Shape), s.File, s.covered(), s.Elems())
}

// unused finds stored tensors that nothing consumes.
func (l *Loader) unused() []error {
	names, err := l.unusedNames()
	switch {
	case err != nil:
		return []error{err}
	case len(names) == 0:
		return nil
	}
	list := strings.Join(names[:min(len(names), shown)], ", ")
	if len(names) > shown {
		list += ", ..."
	}
	return []error{fmt.Errorf("%d tensor(s) in the checkpoint are used by nothing: %s (add an `ignore` rule with the reason to the model's checkpoint section if that is right)",
		len(names), list)}
}

// unusedNames lists the stored tensors that nothing consumes and no rule ignores.
func (l *Loader) unusedNames() ([]string, error) {
	ignored, err := l.ignored()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, name := range l.ckpt.Names() {
		if _, ok := ignored[name]; !ok && !l.uses(name) {
			names = append(names, name)
		}
	}
	return names, nil
}

func (l *Loader) uses(name string) bool { return l.stored[name] != nil || l.scales[name] }

// Ignored lists the stored tensors that nothing uses and that an ignore rule covers, each with the rule's reason.
func (l *Loader) Ignored() map[string]string {
	list, err := l.ignored()
	if err != nil {
		panic("weights: a rule that NewLoader read cannot be read: " + err.Error())
	}
	return list
}

func (l *Loader) ignored() (map[string]string, error) {
	rules := make([]pattern.Pattern, len(l.plan.Ignores))
	for i, x := range l.plan.Ignores {
		var err error
		if rules[i], err = pattern.Parse(x.Name); err != nil {
			return nil, fmt.Errorf("ignore %q: %w", x.Name, err)
		}
	}
	list := map[string]string{}
	for _, name := range l.ckpt.Names() {
		if l.uses(name) {
			continue
		}
		for i, p := range rules {
			if _, ok := p.Match(name); ok {
				list[name] = l.plan.Ignores[i].Reason
				break
			}
		}
	}
	return list, nil
}
