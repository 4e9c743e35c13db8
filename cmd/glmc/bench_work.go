package main

import (
	"fmt"
	"math"
	"slices"

	"github.com/glmc/glmc/compiler/cost"
	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/runtime/bench"
	"github.com/glmc/glmc/runtime/calibrate"
)

// setLoads puts the values of --prompt, --gen and --batch together.
func (f *benchModelFlags) setLoads() error {
	lists := []struct {
		flag   string
		values []int
		least  int
	}{{"prompt", f.prompt, 1}, {"gen", f.gen, 2}, {"batch", f.batch, 1}}
	count := 1
	for _, l := range lists {
		count = max(count, len(l.values))
	}
	for _, l := range lists {
		if len(l.values) != 1 && len(l.values) != count {
			return usagef("--%s has %d values and another flag %d: wants one for all, or one for each", l.flag, len(l.values), count)
		}
		for _, v := range l.values {
			switch {
			case l.flag == "gen" && v == 0:
			case l.flag == "gen" && (v < l.least || v > math.MaxInt32):
				return usagef("--gen %d: wants a number from 2 on, or 0 for prompts alone", v)
			case v < l.least || v > math.MaxInt32:
				return usagef("--%s %d: wants a number from %d on", l.flag, v, l.least)
			}
		}
	}
	f.loads = nil
	for i := range count {
		at := func(values []int) int { return values[min(i, len(values)-1)] }
		f.loads = append(f.loads, bench.Load{Prompt: at(f.prompt), Generate: at(f.gen), Batch: at(f.batch)})
	}
	return nil
}

// decodeGraph is the graph that runs a step of n sequences, a token of each: that of the smallest bucket with room.
func decodeGraph(p *plan.Plan, n int) (*ir.Graph, error) {
	var found *ir.Graph
	least, most := math.MaxInt, 0
	for _, program := range p.Programs {
		if program.Graph.Name != "forward" {
			continue
		}
		for _, l := range program.Layouts {
			room := min(l.Max.Tokens, l.Max.Seqs, l.Max.Rows)
			most = max(most, room)
			if room >= n && l.Max.Tokens < least {
				found, least = program.Graph, l.Max.Tokens
			}
		}
	}
	if found == nil {
		return nil, fmt.Errorf("--batch %d: the plan has room for steps of 1 to %d sequences; --set decode.capture=... of a pipeline says for how many", n, most)
	}
	return found, nil
}

// prefillGraph is the graph that runs the largest steps of prompts.
func prefillGraph(p *plan.Plan) (*ir.Graph, error) {
	var found *ir.Graph
	most := 0
	for _, program := range p.Programs {
		for _, l := range program.Layouts {
			if program.Graph.Name == "forward" && l.Max.Tokens > most {
				found, most = program.Graph, l.Max.Tokens
			}
		}
	}
	if found == nil {
		return nil, fmt.Errorf("the plan has no program named forward")
	}
	return found, nil
}

// work is what a load takes.
type work struct {
	tokenBytes float64 // of weights, keys and values that a generated token reads, in the middle of a run; 0: none is generated
	promptFlop float64 // operations of products of a token of a prompt, on average
}

// workOf counts what a load takes by the cost model.
func workOf(p *plan.Plan, l bench.Load) (work, error) {
	t, err := cost.OfPlan(p)
	if err != nil {
		return work{}, err
	}
	g, err := prefillGraph(p)
	if err != nil {
		return work{}, err
	}
	var w work
	t.Context = (l.Prompt + 1) / 2 // a token sees those before it, and itself
	w.promptFlop = cost.Products(g, ir.Sizes{Tokens: l.Prompt, Seqs: 1, Rows: 1}, t) / float64(l.Prompt)
	if l.Generate == 0 {
		return w, nil
	}
	t.Context = l.Prompt + l.Generate/2
	if g, err = decodeGraph(p, l.Batch); err != nil {
		return work{}, err
	}
	weights, cache := cost.Read(g, ir.Sizes{Tokens: l.Batch, Seqs: l.Batch, Rows: l.Batch}, t)
	w.tokenBytes = (weights + cache) / float64(l.Batch)
	return w, nil
}

// arithmetic is that of products that a model's prompts are held against.
type arithmetic struct {
	name string
	peak func(calibrate.Peaks) float64
}

// arithmeticOf is the fastest that a plan's products may use on a processor with these peaks: int8 for fast products of weights
// of 8 bits and fewer; bf16, which is what exact products of narrow weights multiply in; and float32 where all weights are
// or the processor has no products in bf16.
func arithmeticOf(p *plan.Plan, precision plan.Precision, peaks calibrate.Peaks) arithmetic {
	has := func(of func(d dtype.DType) bool) bool {
		return slices.ContainsFunc(p.Module.Weights, func(w *ir.Weight) bool { return len(w.Shape) > 1 && of(w.DType) })
	}
	narrow := has(func(d dtype.DType) bool { return d != dtype.F32 })
	if precision == plan.Fast && peaks.Int8Dot > 0 && has(dtype.DType.Scaled) {
		return arithmetic{"int8", func(p calibrate.Peaks) float64 { return p.Int8Dot }}
	}
	if narrow && peaks.BF16Dot > 0 {
		return arithmetic{"bf16", func(p calibrate.Peaks) float64 { return p.BF16Dot }}
	}
	return arithmetic{"f32", func(p calibrate.Peaks) float64 { return p.F32 }}
}
