// Package bench measures how fast engines process prompts and generate, beside one another and beside what the machine's
// memory gives.
package bench

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/glmc/glmc/runtime/engine"
)

// Load is what an engine has to do.
type Load struct {
	Prompt   int // tokens of each prompt
	Generate int // tokens behind each prompt, at least 2, because the first comes of the prompt's own step; or 0: prompts alone
	Batch    int // sequences
}

// Runs are the loads of one measurement, each of which every engine takes that many times.
type Runs struct {
	Loads []Load
	Count int // that count; one more before them does not
	Vocab int // ids of prompts are below it
}

// Limits are what a machine gives: all of its threads that are measured with.
type Limits struct {
	Read float64 // bytes a second of memory
	Dot  float64 // operations a second of dot products in the dtype that the model multiplies in; 0: not measured
}

// Rates are tokens a second of all sequences together, of each run.
type Rates struct {
	Prompt   []float64
	Generate []float64                         // none where a load has prompts alone
	Drafts   [engine.Origins]engine.DraftStats // of all runs that count
}

// Result is what the measurement of a load came to.
type Result struct {
	Load
	Engines []Rates  // in the order of the engines, one rate for each run
	Limits  []Limits // measured before every run; nil without a meter
}

// Measure runs the loads on every engine in turn, run after run, so that what disturbs the machine disturbs all of them alike.
// Every other run goes through the engines backwards. The meter measures the machine's limits for a moment; it may be nil.
// There is one result for each load.
func Measure(ctx context.Context, engines []*engine.Engine, r Runs, meter func() Limits) ([]Result, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	var results []Result
	for _, l := range r.Loads {
		results = append(results, Result{Load: l, Engines: make([]Rates, len(engines))})
	}
	for run := -1; run < r.Count; run++ { // the first one warms up
		for i := range results {
			if meter != nil && run >= 0 {
				results[i].Limits = append(results[i].Limits, meter())
			}
			if err := results[i].run(ctx, engines, run, r.Vocab); err != nil {
				return results, err
			}
		}
	}
	return results, nil
}

func (r *Runs) check() error {
	if len(r.Loads) == 0 || r.Count < 1 || r.Vocab < 1 {
		return fmt.Errorf("nothing to measure: %+v", *r)
	}
	for _, l := range r.Loads {
		if l.Prompt < 1 || l.Generate != 0 && l.Generate < 2 || l.Batch < 1 {
			return fmt.Errorf("nothing to measure: %+v", l)
		}
	}
	return nil
}

// run has every engine take the load once.
func (r *Result) run(ctx context.Context, engines []*engine.Engine, run, vocab int) error {
	prompts := r.prompts(vocab)
	for i := range engines {
		if run%2 == 1 {
			i = len(engines) - 1 - i
		}
		before := engines[i].Stats()
		out, err := engines[i].Together(ctx, prompts, r.Generate)
		if err != nil {
			return err
		}
		if run >= 0 {
			r.Engines[i].add(r.Load, out[0])
			for from, after := range engines[i].Stats().Drafts {
				r.Engines[i].Drafts[from].Add(after.Since(before.Drafts[from]))
			}
		}
	}
	return nil
}

func (r *Rates) add(l Load, out engine.Response) {
	r.Prompt = append(r.Prompt, rate(l.Batch*l.Prompt, out.Prompt))
	if l.Generate > 0 {
		r.Generate = append(r.Generate, rate(l.Batch*(l.Generate-1), out.Generate))
	}
}

// rate is tokens a second. No clock is so fine that a step takes no time, but some are coarse.
func rate(tokens int, took time.Duration) float64 {
	return float64(tokens) / max(took, time.Nanosecond).Seconds()
}

// prompts draws ids that differ between the sequences, so that they choose different experts, and not between runs.
func (l Load) prompts(vocab int) [][]int32 {
	prompts := make([][]int32, l.Batch)
	state := uint32(1)
	for i := range prompts {
		for range l.Prompt {
			state = state*1664525 + 1013904223 // Numerical Recipes, 7.1; its high bits are the random ones
			prompts[i] = append(prompts[i], int32(uint64(state)*uint64(vocab)>>32))
		}
	}
	return prompts
}

// Median is the middle of some values, between the two in the middle where their number is even.
func Median(values []float64) float64 {
	s := slices.Sorted(slices.Values(values))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// Ratio is the median of a's values to b's of the same run.
func Ratio(a, b []float64) float64 {
	ratios := make([]float64, len(a))
	for i := range a {
		ratios[i] = a[i] / b[i]
	}
	return Median(ratios)
}
