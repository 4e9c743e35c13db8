package verify

import (
	"fmt"
	"math"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/passes"
	"github.com/glmc/glmc/compiler/verify/machine"
)

// Outcome is what the comparison of two modules found.
type Outcome struct {
	Cases    int     // results and caches that were compared
	MaxError float64 // the largest difference that was found, as the class measures it
	Bound    float64 // what the class allows; 0: the same bits
	Wrong    string  // what differs, or why the second module could not be executed; "" where nothing does
}

// fail keeps the first reason.
func (o *Outcome) fail(format string, args ...any) {
	if o.Wrong == "" {
		o.Wrong = fmt.Sprintf(format, args...)
	}
}

// Checker compares modules that the compiler made of one another. Weights, inputs and what caches hold before the
// first step depend on its seed alone.
type Checker struct {
	inputs *inputs
	store  *machine.Store
	heads  map[string]int
}

// NewChecker takes the module as it was lowered, before any split over ranks: it says how many heads caches have as
// a whole, and which tokens there are.
func NewChecker(lowered *ir.Module, seed uint64) *Checker {
	return &Checker{inputs: inputsOf(lowered, seed), store: &machine.Store{Seed: seed}, heads: machine.Heads(lowered)}
}

// Compare executes two modules on the same random inputs, weights and caches, and holds the results of every
// step and the caches at the end against each other, in the numeric class of what was done between them:
//
//   - exact: the same bits.
//   - reassociates: without any rounding to dtypes, the largest difference relative to a result's largest value is
//     within the bound of reassociation. Roundings are left out because a difference in the last bit can
//     move a value to the next one that fp8 has, and a part of a row has another scale than the whole.
//   - changes dtype: the same as for reassociates, which leaves only the roundings to be shown; and with
//     them, the root mean square of the difference is within the bound of the formats, or, for a model
//     that makes small errors large, within four times of what random errors of the same size do to it.
//
// In the latter two, routers of the second module choose what those of the first chose, and the scores may be
// overruled by the bound at most: a rounding that decides between two experts would change everything behind it.
//
// The first module is taken to be right: an error says that it cannot be executed.
func (c *Checker) Compare(before, after *ir.Module, class passes.Numeric) (Outcome, error) {
	sums := max(reassociation(before), reassociation(after))
	switch class {
	case passes.Exact:
		return c.once(before, after, machine.Options{}, 0, machine.Difference)
	case passes.Reassociates:
		return c.once(before, after, machine.Options{FullPrecision: true}, sums, machine.Difference)
	case passes.ChangesDType:
		plain, err := c.once(before, after, machine.Options{FullPrecision: true}, sums, machine.Difference)
		if err != nil || plain.Wrong != "" {
			if plain.Wrong != "" {
				plain.Wrong += ", without any rounding to dtypes"
			}
			return plain, err
		}
		rounded, err := c.once(before, after, machine.Options{}, formats(before, after), machine.RootMeanSquare)
		if err == nil && rounded.Wrong != "" {
			rounded, err = c.sensitive(before, after, rounded)
		}
		rounded.Cases += plain.Cases
		return rounded, err
	}
	return Outcome{}, fmt.Errorf("verify: unknown numeric class %q", class)
}

// sensitive compares with roundings once more, with a bound that the first module itself shows: what noise of the size
// of the formats' unit errors, on the operands that have other dtypes in the second module, changes in
// its results. Narrow models with a projection to one value, of which a sign decides, differ by their whole size.
func (c *Checker) sensitive(before, after *ir.Module, first Outcome) (Outcome, error) {
	noise := noiseOf(before, after)
	bound := first.Bound
	for seed := range uint64(4) {
		for v := range variants(before) {
			want, err := execute(before, c.inputs, c.store, v, machine.Options{Heads: c.heads})
			if err != nil {
				return first, err
			}
			got, err := execute(before, c.inputs, c.store, v, machine.Options{Heads: c.heads, Replay: want.chosen, Noise: noise, NoiseSeed: seed})
			if err != nil {
				return first, err
			}
			out := Outcome{Bound: math.Inf(1)}
			out.hold(want, got, machine.RootMeanSquare)
			bound = max(bound, 4*out.MaxError)
		}
	}
	if bound == first.Bound {
		return first, nil
	}
	return c.once(before, after, machine.Options{}, bound, machine.RootMeanSquare)
}

// once compares one run of each module, in every variant that either has.
func (c *Checker) once(before, after *ir.Module, o machine.Options, bound float64, measure func(want, got []float32) float64) (Outcome, error) {
	out := Outcome{Bound: bound}
	o.Heads = c.heads
	for v := range max(variants(before), variants(after)) {
		want, err := execute(before, c.inputs, c.store, v, o)
		if err != nil {
			return out, fmt.Errorf("before: %w", err)
		}
		again := o
		if bound > 0 {
			again.Replay = want.chosen
		}
		got, err := execute(after, c.inputs, c.store, v, again)
		if err != nil {
			out.Cases++
			out.MaxError = math.Inf(1)
			out.fail("%v", err)
			return out, nil
		}
		out.hold(want, got, measure)
	}
	return out, nil
}

// hold compares the results of two runs.
func (o *Outcome) hold(want, got *execution, measure func(want, got []float32) float64) {
	if len(want.results) != len(got.results) {
		o.MaxError = math.Inf(1)
		o.fail("there are %d results and caches instead of %d", len(got.results), len(want.results))
		return
	}
	for i, w := range want.results {
		g := got.results[i]
		step := steps[w.step]
		if w.what != g.what {
			o.fail("%s stands where %s was", g.what, w.what)
		}
		a, b := w.like(g, step), g.like(w, step)
		o.Cases++
		off := measure(a, b)
		o.MaxError = max(o.MaxError, off)
		switch {
		case o.Bound == 0 && !machine.SameBits(a, b):
			o.fail("%s differs by %.3g of its size", w.what, off)
		case !(off <= o.Bound):
			o.fail("%s differs by %.3g of its size, more than %.3g", w.what, off, o.Bound)
		}
	}
	if !(got.excess <= o.Bound) {
		o.MaxError = max(o.MaxError, got.excess)
		o.fail("a router chooses other experts: the scores of those that were chosen before are beaten by %.3g", got.excess)
	}
}

// Logits measures how far logits of a module that all passes worked on are from those of the module before any, and what
// their classes allow together: the bound of reassociation where no dtype changed and no rows are
// quantised, and else the bound of the formats, for the root mean square.
func Logits(before, after *ir.Module, want, got []float32) (off, bound float64) {
	for _, g := range after.Graphs {
		for _, n := range g.Nodes {
			if quantisesRows(n) {
				return machine.RootMeanSquare(want, got), formats(before, after)
			}
		}
	}
	stored := map[string]bool{}
	for _, w := range before.Weights {
		stored[w.DType.String()] = true
	}
	for _, w := range after.Weights {
		if !stored[w.DType.String()] {
			return machine.RootMeanSquare(want, got), formats(before, after)
		}
	}
	return machine.Difference(want, got), max(reassociation(before), reassociation(after))
}
