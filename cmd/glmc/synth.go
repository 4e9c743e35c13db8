package main

import (
	"context"
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
	"github.com/glmc/glmc/dsl/source"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/models"
	"github.com/glmc/glmc/runtime/synth"
)

// synthFlags are the flags of `glmc synth`.
type synthFlags struct {
	preset string
	dtype  string
	seed   uint64
	out    string
	force  bool
	asJSON bool
}

// synthDTypes are the words of --dtype.
var synthDTypes = map[string]dtype.DType{"bf16": dtype.BF16, "fp8": dtype.F8E4M3, "int8": dtype.I8, "int4": dtype.I4}

func synthCommand() *cobra.Command {
	var f synthFlags
	cmd := &cobra.Command{
		Use:   "synth --preset NAME -o DIR",
		Short: "Write a checkpoint with random weights, for benchmarks",
		Long: `Synth writes a checkpoint of the family GLM4-MoE with random weights, in Hugging Face's layout: config.json,
generation_config.json and the safetensors files, in bf16, or in fp8, int8 or int4 as compressed-tensors stores
them. The same seed gives the same files. The weights are streamed: a checkpoint may be larger than memory.

A tokenizer of exactly the vocabulary's size and a chat template are there too, so that such a checkpoint can be
served. What it says makes no sense.

Presets:
` + presetLines(),
		Example: `  glmc synth --preset tiny --dtype fp8 -o tiny-fp8
  glmc synth --preset bench-0.7b --dtype bf16 --seed 7 -o DIR`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(); err != nil {
				return err
			}
			return f.run(cmd.Context())
		},
	}
	cmd.Flags().StringVar(&f.preset, "preset", "", "`NAME` of the dimensions to write: "+strings.Join(presetNames(), ", "))
	cmd.Flags().StringVar(&f.dtype, "dtype", "bf16", "`NAME` of what weights are stored in: bf16, fp8, int8 or int4")
	cmd.Flags().Uint64Var(&f.seed, "seed", 0, "`N` for the weights: the same seed gives the same checkpoint")
	cmd.Flags().StringVarP(&f.out, "output", "o", "", "`DIR` to write to; it is made where there is none")
	cmd.Flags().BoolVar(&f.force, "force", false, "write to a directory that is not empty, and replace the checkpoint in it")
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print one JSON document")
	return cmd
}

func presetNames() []string {
	var names []string
	for _, p := range synth.Presets {
		names = append(names, p.Name)
	}
	return names
}

func presetLines() string {
	var b strings.Builder
	for i, p := range synth.Presets {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "  %-14s %s", p.Name, p.Doc)
	}
	return b.String()
}

// check refuses command lines that make no sense before any work is done.
func (f *synthFlags) check() error {
	switch _, known := synthDTypes[f.dtype]; {
	case f.preset == "":
		return usagef("synth wants the dimensions: --preset, one of %s", strings.Join(presetNames(), ", "))
	case !slices.Contains(presetNames(), f.preset):
		return usagef("--preset %s: there is no such preset%s", f.preset, didYouMean(f.preset, presetNames()))
	case !known:
		return usagef("--dtype %s: wants bf16, fp8, int8 or int4", f.dtype)
	case f.out == "":
		return usagef("synth wants the directory's name: -o DIR")
	}
	if info, err := os.Stat(f.out); err == nil && !info.IsDir() {
		return fmt.Errorf("-o %s is a file: name a directory", f.out)
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

// synthResult is what synth --json prints.
type synthResult struct {
	Dir        string `json:"dir"`
	Preset     string `json:"preset"`
	DType      string `json:"dtype"`
	Seed       uint64 `json:"seed"`
	Tensors    int    `json:"tensors"`
	Parameters int64  `json:"parameters"`
	Bytes      int64  `json:"bytes"`
	Tokenizer  bool   `json:"tokenizer"`
}

func (f *synthFlags) run(ctx context.Context) error {
	p, err := f.plan()
	if err != nil {
		return err
	}
	s, err := synth.Write(ctx, f.out, p, synth.Options{Preset: f.preset, DType: synthDTypes[f.dtype], Seed: f.seed})
	if err != nil {
		return err
	}
	if f.asJSON {
		return printJSON(synthResult{f.out, f.preset, f.dtype, f.seed, s.Tensors, s.Parameters, s.Bytes, true})
	}
	return printText(func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%s: %s in %s, seed %d: %s, %s, %s\n",
			f.out, f.preset, f.dtype, f.seed, diag.Count(s.Tensors, "tensor"), parameters(s.Parameters), fileSize(s.Bytes))
		return err
	})
}

// synthModel describes the models of all presets.
const synthModel = source.Carried + "glm4moe/model.glm"

// plan compiles the preset: its weights say which tensors there have to be.
func (f *synthFlags) plan() (*plan.Plan, error) {
	text, err := synth.Config(f.preset, synthDTypes[f.dtype])
	if err != nil {
		return nil, err
	}
	name := filepath.Join(f.out, "config.json")
	doc, err := config.Parse(name, text)
	if err != nil {
		return nil, err
	}
	src, err := models.Open(synthModel)
	if err != nil {
		return nil, err
	}
	program, list := source.Load(synthModel, src, models.Open)
	if list.HasErrors() {
		return nil, list.Err()
	}
	r, list, err := compiler.Compile(program.Root, compiler.Options{Config: doc})
	if list.HasErrors() {
		return nil, list.Err()
	}
	return planOf(r, err)
}
