package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/dsl/config"
	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/dsl/pattern"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/runtime/exec"
	"github.com/glmc/glmc/runtime/quantise"
	"github.com/glmc/glmc/runtime/synth"
)

// quantizeFlags are the flags of `glmc quantize`.
type quantizeFlags struct {
	dtype       string
	out         string
	model       string
	skip        []string
	calibration string
	tokens      int
	noKL        bool
	force       bool
	asJSON      bool

	skipped []pattern.Pattern
}

// quantizeDTypes are the words of --dtype.
var quantizeDTypes = map[string]dtype.DType{"fp8": dtype.F8E4M3, "int8": dtype.I8, "int4": dtype.I4}

// defaultSkips are modules that quantised checkpoints mostly keep: the heads, of which every token depends, and what
// joins the MTP layer to the model.
var defaultSkips = []string{"lm_head", "{layer...}.eh_proj", "{layer...}.shared_head.head"}

func quantizeCommand() *cobra.Command {
	var f quantizeFlags
	cmd := &cobra.Command{
		Use:   "quantize DIR --dtype NAME -o OUT",
		Short: "Write a checkpoint with quantised weights, and tell what that costs",
		Long: `Quantize reads a checkpoint, in any format that glmc run takes, and writes one whose Linear modules have weights
in fp8, int8 or int4, in the layout of compressed-tensors: config.json says so in quantization_config, and the
tokenizer and the other files are copied. fp8 (e4m3) and int8 have a scale for each output channel, int4 one for each
64 values of a row. Routers, embeddings and norms stay as they are, and so do the modules of --skip.

The weights are streamed: a checkpoint may be larger than memory. OUT is complete or is not there.

Then it runs a text through both checkpoints, and prints the Kullback-Leibler divergence of what they predict, in
nats, and the perplexity that the text has for each. A text of the kind that the model will be used for says more
than the one that the binary carries.`,
		Example: `  glmc quantize models/tiny --dtype int8 -o tiny-int8
  glmc quantize models/tiny --dtype int4 --skip lm_head --skip "{layer...}.self_attn.{proj}" -o tiny-int4 --json
  glmc quantize DIR --dtype int4 --calibration text.txt --tokens 8192 -o OUT`,
		Args: oneArg("DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.check(args[0]); err != nil {
				return err
			}
			return f.run(cmd.Context(), args[0])
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&f.dtype, "dtype", "", "`NAME` of what weights are stored in: fp8, int8 or int4")
	fs.StringVarP(&f.out, "output", "o", "", "`DIR` to write to; it is made where there is none")
	fs.StringVar(&f.model, "model", "", ".glm `FILE` that describes the model (default: the checkpoint's family)")
	fs.StringArrayVar(&f.skip, "skip", defaultSkips, "`PATTERN` of modules that are kept as they are, or none; may be repeated, and replaces the default")
	fs.StringVar(&f.calibration, "calibration", "", "text `FILE` to compare on (default: one that the binary carries)")
	fs.IntVar(&f.tokens, "tokens", 2048, "`N` tokens of the text at most, 2 or more")
	fs.BoolVar(&f.noKL, "no-kl", false, "write only, do not run the models")
	fs.BoolVar(&f.force, "force", false, "write to a directory that is not empty, and replace the checkpoint in it")
	fs.BoolVar(&f.asJSON, "json", false, "print one JSON document")
	return cmd
}

// check refuses command lines that make no sense before any work is done.
func (f *quantizeFlags) check(from string) error {
	switch _, known := quantizeDTypes[f.dtype]; {
	case f.dtype == "":
		return usagef("quantize wants the format: --dtype fp8, int8 or int4")
	case !known:
		return usagef("--dtype %s: wants fp8, int8 or int4", f.dtype)
	case f.out == "":
		return usagef("quantize wants the directory's name: -o DIR")
	case f.tokens < 2:
		return usagef("--tokens %d: wants a number from 2 on", f.tokens)
	case f.noKL && f.calibration != "":
		return usagef("--calibration is for what --no-kl leaves out")
	}
	for _, s := range f.skip {
		if s == "none" {
			continue
		}
		p, err := pattern.Parse(s)
		if err != nil {
			return usagef("--skip %s: %w", s, err)
		}
		f.skipped = append(f.skipped, p)
	}
	return f.checkOut(from)
}

// checkOut refuses a directory that is not to be written to.
func (f *quantizeFlags) checkOut(from string) error {
	info, err := os.Stat(f.out)
	if err != nil {
		parent := filepath.Dir(filepath.Clean(f.out))
		if _, err := os.Stat(parent); err != nil {
			return fmt.Errorf("-o %s: there is no directory %s", f.out, parent)
		}
		return nil
	}
	if !info.IsDir() {
		return fmt.Errorf("-o %s is a file: name a directory", f.out)
	}
	if in, err := os.Stat(from); err == nil && os.SameFile(in, info) {
		return usagef("-o %s would overwrite what is read: name another directory", f.out)
	}
	empty, err := synth.Empty(f.out)
	if err != nil {
		return fmt.Errorf("-o: %w", err)
	}
	if !empty && !f.force {
		return fmt.Errorf("-o %s: the directory is not empty: --force replaces the checkpoint in it", f.out)
	}
	return nil
}

func (f *quantizeFlags) run(ctx context.Context, from string) error {
	files, err := openFiles(from)
	if err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), "--weights ")) // which is an argument here
	}
	text, err := f.text(files)
	if err != nil {
		return err
	}
	out, err := f.write(ctx, files)
	if err != nil {
		return err
	}
	result := quantizeResult{Dir: f.out, DType: f.dtype, Tensors: out.Tensors, Quantised: out.Quantised, Parameters: out.Parameters,
		Bytes: out.Bytes, SourceBytes: out.SourceBytes, Kept: []keptModules{}, LeftOut: append([]string{}, out.LeftOut...)}
	for _, k := range out.Kept {
		result.Kept = append(result.Kept, keptModules{k.Why, k.Modules})
	}
	if text != nil {
		if result.Divergence, err = f.compare(ctx, files, text); err != nil {
			return fmt.Errorf("%s is written; comparing it with %s failed: %w", f.out, from, err)
		}
	}
	if f.asJSON {
		return printJSON(result)
	}
	return printText(result.print)
}

// write writes the quantised checkpoint.
func (f *quantizeFlags) write(ctx context.Context, files checkpointFiles) (quantise.Summary, error) {
	var none quantise.Summary
	text, err := files.read("config.json", config.MaxDocumentSize)
	if err != nil {
		return none, err
	}
	p, err := f.plan(files, text)
	if err != nil {
		return none, err
	}
	ckpt, err := files.open()
	if err != nil {
		return none, err
	}
	defer ckpt.Close()
	skip := func(module string) bool {
		return slices.ContainsFunc(f.skipped, func(p pattern.Pattern) bool { _, ok := p.Match(module); return ok })
	}
	c, err := quantise.Plan(ctx, p, ckpt, quantizeDTypes[f.dtype], skip)
	if err != nil {
		return none, err
	}
	return c.Summary, c.Write(ctx, f.out, files.fs(), text, len(ckpt.Files()) > 1)
}

// plan compiles the model with weights in the wanted format, as if they were not quantised yet.
func (f *quantizeFlags) plan(files checkpointFiles, text []byte) (*plan.Plan, error) {
	name := files.path("config.json")
	stored, err := config.Parse(name, text)
	if err != nil {
		return nil, err
	}
	if _, err := stored.Quantization(); err != nil {
		return nil, err
	}
	if text, err = quantise.Unquantised(text); err != nil {
		return nil, err
	}
	doc, err := config.Parse(name, text)
	if err != nil {
		return nil, err
	}
	model := f.model
	if model == "" {
		family, err := familyOf(&compileFlags{}, files)
		if err != nil {
			return nil, err
		}
		model = family.Path
	}
	m, err := readModel(model)
	if err != nil {
		return nil, err
	}
	if m.isPlan() {
		return nil, usagef("--model %s is a plan: it wants the .glm file", model)
	}
	sources := map[string][]byte{name: text}
	program, list := m.parse(sources)
	if list.HasErrors() {
		return nil, diagnose(list, sources)
	}
	p := &prepared{name: m.name, root: program.Root, sources: sources, list: list}
	p.options = compiler.Options{Config: doc, Target: "cpu", TensorParallel: 1, Stored: storedDType(files), IgnoreRequire: true,
		Set: map[string]string{"weights": quantizeDTypes[f.dtype].String()}}
	return planOf(p.compile())
}

// executorFor compiles a checkpoint as glmc run does, and loads it with pages for that many tokens.
func (f *quantizeFlags) executorFor(ctx context.Context, files checkpointFiles, tokens int) (*loadedModel, error) {
	flags := &compileFlags{target: "cpu", set: []string{"prefill.rows=128"}}
	p, err := loadModel(f.model, flags, files)
	if err != nil {
		return nil, err
	}
	ckpt, err := files.open()
	if err != nil {
		return nil, err
	}
	pages := (tokens + p.Cache.PageSize) / p.Cache.PageSize
	ex, err := exec.New(ctx, p, ckpt, exec.Options{Device: "cpu", Pages: pages, Entries: []string{"forward"}})
	if err != nil {
		return nil, errors.Join(err, ckpt.Close())
	}
	return &loadedModel{ckpt, ex}, nil
}

// keptModules are modules that stay as they are.
type keptModules struct {
	Why     string   `json:"why"`
	Modules []string `json:"modules"`
}

// quantizeResult is what quantize --json prints.
type quantizeResult struct {
	Dir         string             `json:"dir"`
	DType       string             `json:"dtype"`
	Tensors     int                `json:"tensors"`
	Quantised   int                `json:"quantised"`
	Parameters  int64              `json:"parameters"`
	Bytes       int64              `json:"bytes"`
	SourceBytes int64              `json:"source_bytes"`
	Kept        []keptModules      `json:"kept"`
	LeftOut     []string           `json:"left_out"`
	Divergence  *quantizeDivergent `json:"divergence"`
}

// shownKept bounds how many modules a line names.
const shownKept = 8

func (r quantizeResult) print(w io.Writer) error {
	fmt.Fprintf(w, "%s: %s of %s, %s, in %s: %s in place of %s\n", r.Dir,
		diag.Count(r.Quantised, "weight"), diag.Count(r.Tensors, "tensor"), parameters(r.Parameters), r.DType, fileSize(r.Bytes), fileSize(r.SourceBytes))
	for _, k := range r.Kept {
		fmt.Fprintf(w, "kept, %s: %s\n", k.Why, shortened(k.Modules))
	}
	if len(r.LeftOut) > 0 {
		fmt.Fprintf(w, "left out, as the model does not use them and they were quantised: %s\n", shortened(r.LeftOut))
	}
	if r.Divergence != nil {
		return r.Divergence.print(w)
	}
	return nil
}
