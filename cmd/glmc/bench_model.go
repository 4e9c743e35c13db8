package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/runtime/bench"
	"github.com/glmc/glmc/runtime/calibrate"
	"github.com/glmc/glmc/runtime/engine"
	"github.com/glmc/glmc/runtime/exec"
	"github.com/glmc/glmc/runtime/packed"
	"github.com/glmc/glmc/runtime/safetensors"
	"github.com/glmc/glmc/runtime/topology"
)

// benchModelFlags are the flags of `glmc bench model`.
type benchModelFlags struct {
	compileFlags
	deviceFlags
	prompt []int
	gen    []int
	batch  []int
	runs   int
	asJSON bool

	loads   []bench.Load // of --prompt, --gen and --batch
	without []string     // passes of --disable-pass, one by one
}

func benchModelCommand() *cobra.Command {
	var f benchModelFlags
	cmd := &cobra.Command{
		Use:   "model [MODEL]",
		Short: "Measure prompt processing and generation of a model",
		Long: `Bench model compiles MODEL, or reads it where it is a plan, loads the checkpoint of --weights and measures the
engine: tokens/s of prompts, one after the other, and of generation, all sequences of the batch in one step. Prompts
are random ids, generation is greedy. A first run warms up; of the others the median counts, and the lowest and
the highest are shown. Without MODEL and without --weights it takes what glmc run takes.

--prompt, --gen and --batch take several values, which are measured in turn: the first of each, the second of each
and so on. Where a flag has one value, all take it.

A step of generation has to read weights, keys and values: the bytes are counted by the cost model, experts as a fair
router chooses them. A prompt has to multiply: every token with the matrices that it passes, the last one with
those of the head, and with the keys and values before it. Before each run it measures at which rate the threads read
memory and do such products. The shares of those rates which generation and prompts reach are how near they are to the
machine's limits: the median of the runs' shares, each of the rate before that run. A small model, which the caches
hold, is not bound by its memory, and on a busy machine a run may be faster than the rate before it says.

With --disable-pass it compiles the model once more without that pass, runs both in turn, and shows how many times
faster the model is with it. Every pass that is named is left out by itself, and all of the models are loaded.`,
		Example: `  glmc bench model --prompt 32 --gen 4 --runs 1
  glmc bench model --prompt 32 --gen 4 --runs 3 --disable-pass fuse_swiglu
  glmc bench model --weights DIR --prompt 512 --gen 128 --batch 1,2,4,8 --json
  glmc bench model --weights DIR --prompt 512,8192 --gen 0`,
		Args: atMostOneArg("MODEL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			model := strings.Join(args, "")
			if err := f.check(model); err != nil {
				return err
			}
			return f.run(cmd.Context(), model)
		},
	}
	fs := cmd.Flags()
	f.compileFlags.register(fs)
	fs.Lookup("disable-pass").Usage = "`NAME` of a pass to measure without as well; may be repeated"
	f.deviceFlags.register(fs)
	fs.IntSliceVar(&f.prompt, "prompt", []int{512}, "`LIST` of tokens of each prompt, 512 or 512,2048")
	fs.IntSliceVar(&f.gen, "gen", []int{32}, "`LIST` of tokens to generate behind each prompt, 2 or more; 0: prompts alone")
	fs.IntSliceVar(&f.batch, "batch", []int{1}, "`LIST` of sequences side by side")
	fs.IntVar(&f.runs, "runs", 5, "`N` runs that count")
	fs.BoolVar(&f.asJSON, "json", false, "print one JSON document")
	return cmd
}

// check refuses command lines that make no sense before any work is done.
func (f *benchModelFlags) check(model string) error {
	if f.runs < 1 || f.runs > math.MaxInt32 {
		return usagef("--runs %d: wants a number from 1 on", f.runs)
	}
	if err := f.setLoads(); err != nil {
		return err
	}
	if model != "" && f.weights == "" {
		return noWeights(model)
	}
	if err := f.deviceFlags.check(); err != nil {
		return err
	}
	o, err := f.options()
	if err != nil {
		return err
	}
	f.without = nil
	for _, pass := range o.Disable {
		if slices.Contains(f.without, pass) {
			return usagef("--disable-pass %s is given twice", pass)
		}
		f.without = append(f.without, pass)
	}
	return nil
}

func (f *benchModelFlags) run(ctx context.Context, model string) error {
	files, err := openFiles(f.weights)
	if err != nil {
		return err
	}
	plans, err := f.plans(model, files)
	if err != nil {
		return err
	}
	if err := f.fits(plans[0]); err != nil {
		return err
	}
	ckpt, err := files.open()
	if err != nil {
		return err
	}
	defer ckpt.Close()
	made, err := f.packed.open(f.device, files, ckpt)
	if err != nil {
		return err
	}
	defer made.Close()
	var engines []*engine.Engine
	for i, p := range plans {
		guesses, err := f.draft.settle(p)
		if err != nil {
			return err
		}
		defer guesses.Close()
		ex, err := f.executor(ctx, p, ckpt, made, guesses)
		if errors.Is(err, exec.ErrCheckpoint) {
			return f.misfit(model, p, files, ckpt, err)
		}
		if err != nil {
			return err
		}
		defer ex.Close()
		if i == 0 {
			noteRounded(ex.Rounded())
			f.precision.note(p, ex)
			notePacked(made, ex.Weights())
		}
		eng, err := engine.New(ex, guesses.options(engine.Options{}))
		if err != nil {
			return err
		}
		engines = append(engines, eng)
	}
	return f.measure(ctx, plans, engines)
}

// plans are that of the model as it is, and one without each pass that is left out.
func (f *benchModelFlags) plans(model string, files checkpointFiles) ([]*plan.Plan, error) {
	var plans []*plan.Plan
	for _, disable := range append([]string{""}, f.without...) {
		flags := f.compileFlags
		flags.disable = nil
		if disable != "" {
			flags.disable = []string{disable}
		}
		p, err := loadModel(model, &flags, files)
		if err != nil {
			return nil, err
		}
		plans = append(plans, p)
	}
	return plans, nil
}

// fits finds out before the weights are loaded that the model cannot take the loads.
func (f *benchModelFlags) fits(p *plan.Plan) error {
	if p.Facts.VocabSize < 1 {
		return errors.New("the plan does not say how large the vocabulary is, from which prompts are drawn")
	}
	for _, l := range f.loads {
		if most := p.Facts.MaxPositions; most > 0 && l.Generate > most-l.Prompt {
			return fmt.Errorf("--prompt %d and --gen %d are more than the model's %d positions", l.Prompt, l.Generate, most)
		}
		if _, err := decodeGraph(p, l.Batch); l.Generate > 0 && err != nil {
			return err
		}
	}
	return nil
}

// executor loads the weights, with a KV cache for the largest load.
func (f *benchModelFlags) executor(ctx context.Context, p *plan.Plan, ckpt *safetensors.Checkpoint, made *packed.File, guesses drafts) (*exec.Executor, error) {
	pages := 0
	for _, l := range f.loads {
		pages = max(pages, (l.Prompt+max(l.Generate, 1)+p.Cache.PageSize-1)/p.Cache.PageSize*l.Batch)
	}
	return exec.New(ctx, p, ckpt, f.execOptions(pages, made, guesses))
}

// sampleFor is how long each of the machine's limits is measured each time.
const sampleFor = 50 * time.Millisecond

func (f *benchModelFlags) measure(ctx context.Context, plans []*plan.Plan, engines []*engine.Engine) error {
	threads := f.threads
	if threads == 0 {
		threads = topology.Read().Threads()
	}
	if !f.asJSON {
		fmt.Fprintf(os.Stderr, "measuring for a while, on %s: other work on this machine makes the figures worse\n", diag.Count(threads, "thread"))
	}
	meter := calibrate.NewPeakMeter(calibrate.Full.Buffer, threads)
	defer meter.Close()
	dot := arithmeticOf(plans[0], f.precision.used, meter.Sample(time.Millisecond))
	runs := bench.Runs{Loads: f.loads, Count: f.runs, Vocab: plans[0].Facts.VocabSize}
	measured, err := bench.Measure(ctx, engines, runs, func() bench.Limits {
		peaks := meter.Sample(sampleFor)
		return bench.Limits{Read: peaks.ReadBytes, Dot: dot.peak(peaks)}
	})
	if err != nil {
		return err
	}
	r, err := f.result(plans, measured, dot, threads)
	if err != nil {
		return err
	}
	if f.asJSON {
		return printJSON(r)
	}
	return printText(r.print)
}
