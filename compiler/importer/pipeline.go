package importer

import (
	"fmt"
	"slices"
	"strings"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/compiler/cost"
	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/passes"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/compiler/report"
	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/dsl/pipeline"
	"github.com/glmc/glmc/kernels/dtype"
)

// Pipeline says how the model is served on one target.
type Pipeline struct {
	Name           string // the target's
	Target         string
	TensorParallel int
	Activations    dtype.DType // Invalid: they are not quantised
	Cache          pipeline.Cache
	Prefill        pipeline.Prefill
	Decode         pipeline.Decode
	Require        []string // fusions that fire wherever they look
	DraftSteps     int      // of the MTP layer; 0: no drafts

	Memory report.Memory // of one rank
	Holds  bool          // Memory and the cache of one prefill step fit into the target's
	Fits   bool          // and so does the cache of one sequence of full length
}

// Settings that the targets' defaults leave open, as the families' own pipelines have them.
const (
	cpuRows      = 64    // tokens of a prefill step whose logits can be had
	gpuChunk     = 16384 // tokens of a prefill step
	gpuDraft     = 3     // tokens that the MTP layer drafts
	usableMemory = 0.9   // share of a device's memory that plans may fill: drivers and libraries take some
)

// defaults returns a target's pipeline on one rank, before anything was compiled.
func (w *writer) defaults(target string) (Pipeline, error) {
	s, err := pipeline.Default(target)
	if err != nil {
		return Pipeline{}, err
	}
	p := Pipeline{Name: target, Target: target, TensorParallel: 1, Cache: s.Cache, Prefill: s.Prefill, Decode: s.Decode}
	if target == "cpu" {
		p.Prefill.Rows = cpuRows
	} else {
		p.Prefill.Chunk = gpuChunk
		if w.quantised != nil && w.quantised.Dynamic {
			p.Activations = dtype.F8E4M3
		}
	}
	if w.positions > 0 { // no prompt is longer
		p.Prefill.Chunk = min(p.Prefill.Chunk, w.positions)
		p.Prefill.Rows = min(p.Prefill.Rows, w.positions)
	}
	return p, nil
}

// choose finds the settings for a target by compiling for it: the ranks by what splits and what fits, the fusions by
// what fires, the draft by whether there is an entry for it.
func (w *writer) choose(target string) (Pipeline, *diag.List, error) {
	p, err := w.defaults(target)
	if err != nil {
		return p, &diag.List{}, err
	}
	tried, list, err := w.tryRanks(p)
	if err != nil {
		return p, list, err
	}
	best := pick(tried)
	p = best.Pipeline
	for _, ran := range best.passes {
		if isFusion(ran.Name) && ran.Applied > 0 && ran.Missed == 0 {
			p.Require = append(p.Require, ran.Name)
		}
	}
	if best.drafts && target != "cpu" { // there a row more costs about as much as the first one
		p.DraftSteps = gpuDraft
	}
	return p, list, nil
}

// trial is a pipeline with what compiling it has shown.
type trial struct {
	Pipeline
	passes []plan.Pass
	whole  int  // weights that tensor parallelism left whole
	drafts bool // there is an entry for the MTP layer
}

// tryRanks compiles a pipeline for one rank, and for a GPU then for 2, 4, 8, ... until it fits.
func (w *writer) tryRanks(p Pipeline) ([]trial, *diag.List, error) {
	var tried []trial
	for ranks := 1; ranks <= ir.MaxRanks; ranks *= 2 {
		p.TensorParallel = ranks
		r, list, err := w.compile(w.file([]Pipeline{p}), p)
		switch {
		case err != nil && ranks == 1:
			return nil, list, err
		case err != nil: // this model does not split so far
			return tried, list, nil
		}
		tried = append(tried, w.examine(p, r))
		if p.Target == "cpu" || tried[len(tried)-1].Fits && ranks >= minRanksTried {
			return tried, list, nil
		}
	}
	return tried, &diag.List{}, nil
}

// minRanksTried is how many ranks are compiled for even where fewer are enough: a split that leaves more weights
// whole than another does not divide the model's heads and widths, which shows only beside the other.
const minRanksTried = 4

func (w *writer) examine(p Pipeline, r *compiler.Result) trial {
	p.Memory = report.MeasureMemory(r.Plan)
	t := trial{Pipeline: p, passes: r.Plan.Passes}
	memory := cost.Devices[p.Target].Memory
	fits := func(tokens int) bool {
		need := float64(p.Memory.Weights) + float64(p.Memory.Arena) + float64(tokens)*float64(p.Memory.CachePerToken)
		return memory == 0 || need <= usableMemory*memory
	}
	t.Holds, t.Fits = fits(p.Prefill.Chunk), fits(max(w.positions, p.Prefill.Chunk))
	for _, k := range r.Plan.Remarks {
		if k.Pass == "shard_tensor_parallel" && !k.Applied {
			t.whole++
		}
	}
	for _, prog := range r.Plan.Programs {
		t.drafts = t.drafts || prog.Graph.Name == "draft"
	}
	return t
}

// pick takes the fewest ranks that the model fits on, of those that split all that can be split. Where a sequence of
// full length fits on none, it takes the fewest that hold the model, and where none does, the most.
func pick(tried []trial) trial {
	least := -1
	for _, t := range tried {
		if t.TensorParallel > 1 && (least < 0 || t.whole < least) {
			least = t.whole
		}
	}
	best := tried[0]
	for _, t := range tried {
		if t.TensorParallel > 1 && t.whole > least {
			continue
		}
		switch {
		case t.Fits:
			return t
		case !best.Holds:
			best = t
		}
	}
	return best
}

// isFusion reports whether a pass makes one operator of several, by the verb that its name begins with. One that
// looks at the size of a step is none to rely on: another list of captured sizes could make it miss.
func isFusion(pass string) bool {
	verb, _, _ := strings.Cut(pass, "_")
	return slices.Contains([]string{"fold", "fuse", "merge"}, verb) &&
		!slices.ContainsFunc(passes.Table, func(p *passes.Pass) bool { return p.Name == pass && p.PerBucket != nil })
}

// needs says in words what one rank needs.
func (p Pipeline) needs() string {
	text := fmt.Sprintf("%s of weights", report.Bytes(p.Memory.Weights))
	if p.Memory.CachePerToken > 0 {
		text += fmt.Sprintf(", %s of cache a token", report.Bytes(p.Memory.CachePerToken))
	}
	if p.TensorParallel > 1 {
		text += fmt.Sprintf(", on each of %d ranks", p.TensorParallel)
	}
	switch {
	case !p.Holds:
		text += "; more than " + p.Target + " has"
	case !p.Fits:
		text += "; a sequence of full length does not fit beside them"
	}
	return text
}
