// Package bench measures how fast engines process prompts and generate, beside one another and beside what the machine's
// memory gives.
package bench

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/glmc/glmc/runtime/calibrate"
	"github.com/glmc/glmc/runtime/engine"
)

// Load is what an engine has to do in a run.
type Load struct {
	Prompt   int // tokens of each prompt
	Generate int // tokens behind each prompt; at least 2, because the first comes of the prompt's own step
	Batch    int // sequences
	Vocab    int // ids of prompts are below it
	Runs     int // that count; one more before them does not
}

// Rates are tokens a second of all sequences together, of each run.
type Rates struct {
	Prompt   []float64
	Generate []float64
}

// Result is what a measurement came to.
type Result struct {
	Engines []Rates   // in the order of the engines, one rate for each run
	Read    []float64 // bytes a second that memory gave, measured before every run; nil without a reader
}

// Measure runs the load on every engine in turn, run after run, so that what disturbs the machine disturbs all of them alike.
// Every other run goes through the engines backwards. The reader may be nil.
func Measure(ctx context.Context, engines []*engine.Engine, l Load, reader *calibrate.Reader) (Result, error) {
	r := Result{Engines: make([]Rates, len(engines))}
	if l.Prompt < 1 || l.Generate < 2 || l.Batch < 1 || l.Runs < 1 || l.Vocab < 1 {
		return r, fmt.Errorf("nothing to measure: %+v", l)
	}
	prompts := promptsFor(l)
	for run := -1; run < l.Runs; run++ { // the first one warms up
		if reader != nil && run >= 0 {
			r.Read = append(r.Read, reader.Rate(readFor))
		}
		for i := range engines {
			if run%2 == 1 {
				i = len(engines) - 1 - i
			}
			out, err := engines[i].Together(ctx, prompts, l.Generate)
			if err != nil {
				return r, err
			}
			if run >= 0 {
				r.Engines[i].add(l, out[0])
			}
		}
	}
	return r, nil
}

// readFor is how long the memory's rate is measured each time.
const readFor = 50 * time.Millisecond

func (r *Rates) add(l Load, out engine.Response) {
	r.Prompt = append(r.Prompt, rate(l.Batch*l.Prompt, out.Prompt))
	r.Generate = append(r.Generate, rate(l.Batch*(l.Generate-1), out.Generate))
}

// rate is tokens a second. No clock is so fine that a step takes no time, but some are coarse.
func rate(tokens int, took time.Duration) float64 {
	return float64(tokens) / max(took, time.Nanosecond).Seconds()
}

// promptsFor draws ids that differ between the sequences, so that they choose different experts, and not between runs.
func promptsFor(l Load) [][]int32 {
	prompts := make([][]int32, l.Batch)
	state := uint32(1)
	for i := range prompts {
		for range l.Prompt {
			state = state*1664525 + 1013904223 // Numerical Recipes, 7.1; its high bits are the random ones
			prompts[i] = append(prompts[i], int32(uint64(state)*uint64(l.Vocab)>>32))
		}
	}
	return prompts
}

// Median is the middle of some values, the upper one of two.
func Median(values []float64) float64 {
	s := slices.Sorted(slices.Values(values))
	return s[len(s)/2]
}

// Ratio is the median of a's values to b's of the same run.
func Ratio(a, b []float64) float64 {
	ratios := make([]float64, len(a))
	for i := range a {
		ratios[i] = a[i] / b[i]
	}
	return Median(ratios)
}
