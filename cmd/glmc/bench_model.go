package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/glmc/glmc/compiler/cost"
	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/runtime/bench"
	"github.com/glmc/glmc/runtime/calibrate"
	"github.com/glmc/glmc/runtime/engine"
	"github.com/glmc/glmc/runtime/exec"
	"github.com/glmc/glmc/runtime/safetensors"
)

// benchModelFlags are the flags of `glmc bench model`.
type benchModelFlags struct {
	compileFlags
	device    string
	threads   int
	precision precisionFlag
	prompt    int
	gen       int
	batch     int
	runs      int
	asJSON    bool

	without []string // passes of --disable-pass, one by one
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

A step has to read weights, keys and values: the bytes are counted by the cost model, experts as a fair
router chooses them. Before each run it measures at which rate the threads read memory. The share of that rate which
generation reaches is how near it is to the machine's limit. A small model, which the caches hold, is not bound by it.

With --disable-pass it compiles the model once more without that pass, runs both in turn, and shows how many times
faster the model is with it. Every pass that is named is left out by itself, and all of the models are loaded.`,
		Example: `  glmc bench model --prompt 32 --gen 4 --runs 1
  glmc bench model --prompt 32 --gen 4 --runs 3 --disable-pass fuse_swiglu
  glmc bench model --weights DIR --prompt 512 --gen 128 --batch 4 --json`,
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
	fs.StringVar(&f.device, "device", "cpu", "`NAME`: cpu, or ref for the reference kernels in float32")
	fs.IntVar(&f.threads, "threads", 0, "`N` threads, shared by all ranks (default: the machine's)")
	f.precision.register(fs)
	fs.IntVar(&f.prompt, "prompt", 512, "`N` tokens of each prompt")
	fs.IntVar(&f.gen, "gen", 32, "`N` tokens to generate behind each prompt, 2 or more")
	fs.IntVar(&f.batch, "batch", 1, "`N` sequences side by side")
	fs.IntVar(&f.runs, "runs", 5, "`N` runs that count")
	fs.BoolVar(&f.asJSON, "json", false, "print one JSON document")
	return cmd
}

// check refuses command lines that make no sense before any work is done.
func (f *benchModelFlags) check(model string) error {
	for _, x := range []struct {
		flag         string
		value, least int
	}{{"prompt", f.prompt, 1}, {"gen", f.gen, 2}, {"batch", f.batch, 1}, {"runs", f.runs, 1}, {"threads", f.threads, 0}} {
		if x.value < x.least || x.value > math.MaxInt32 {
			return usagef("--%s %d: wants a number from %d on", x.flag, x.value, x.least)
		}
	}
	switch {
	case !slices.Contains(exec.DeviceNames(), f.device):
		return usagef("--device %s: this build has %s", f.device, strings.Join(exec.DeviceNames(), ", "))
	case model != "" && f.weights == "":
		return errNoWeights
	}
	if err := f.precision.check(f.device); err != nil {
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
	var engines []*engine.Engine
	for i, p := range plans {
		ex, err := f.executor(ctx, p, ckpt)
		if errors.Is(err, exec.ErrCheckpoint) {
			r := runFlags{compileFlags: f.compileFlags}
			return r.misfit(model, p, files, ckpt, err)
		}
		if err != nil {
			return err
		}
		defer ex.Close()
		if i == 0 {
			noteRounded(ex.Rounded())
			f.precision.note(p, ex)
		}
		eng, err := engine.New(ex, 0)
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

// fits finds out before the weights are loaded that the model cannot take the load.
func (f *benchModelFlags) fits(p *plan.Plan) error {
	if p.Facts.VocabSize < 1 {
		return errors.New("the plan does not say how large the vocabulary is, from which prompts are drawn")
	}
	if most := p.Facts.MaxPositions; most > 0 && f.gen > most-f.prompt {
		return fmt.Errorf("--prompt %d and --gen %d are more than the model's %d positions", f.prompt, f.gen, most)
	}
	if _, err := decodeGraph(p, f.batch); err != nil {
		return err
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

// executor loads the weights, with a KV cache for the batch.
func (f *benchModelFlags) executor(ctx context.Context, p *plan.Plan, ckpt *safetensors.Checkpoint) (*exec.Executor, error) {
	pages := (f.prompt + f.gen + p.Cache.PageSize - 1) / p.Cache.PageSize * f.batch
	return exec.New(ctx, p, ckpt, exec.Options{Device: f.device, Threads: f.threads, Precision: f.precision.given, Pages: pages, Entries: []string{"forward"}})
}

func (f *benchModelFlags) measure(ctx context.Context, plans []*plan.Plan, engines []*engine.Engine) error {
	threads := f.threads
	if threads == 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	if !f.asJSON {
		fmt.Fprintf(os.Stderr, "measuring for a while, on %s: other work on this machine makes the figures worse\n", diag.Count(threads, "thread"))
	}
	load := bench.Load{Prompt: f.prompt, Generate: f.gen, Batch: f.batch, Vocab: plans[0].Facts.VocabSize, Runs: f.runs}
	reader := calibrate.NewReader(calibrate.Full.Buffer, threads)
	defer reader.Close()
	measured, err := bench.Measure(ctx, engines, load, reader)
	if err != nil {
		return err
	}
	bytes, err := f.stepBytes(plans[0])
	if err != nil {
		return err
	}
	r := f.result(plans, measured, bytes, threads)
	if f.asJSON {
		return printJSON(r)
	}
	return printText(r.print)
}

// stepBytes is what a step of generation reads in the middle of a run.
func (f *benchModelFlags) stepBytes(p *plan.Plan) (float64, error) {
	t, err := cost.OfPlan(p)
	if err != nil {
		return 0, err
	}
	t.Context = f.prompt + f.gen/2
	g, err := decodeGraph(p, f.batch)
	if err != nil {
		return 0, err
	}
	weights, cache := cost.Read(g, ir.Sizes{Tokens: f.batch, Seqs: f.batch, Rows: f.batch}, t)
	return weights + cache, nil
}
