package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/runtime/exec"
	"github.com/glmc/glmc/runtime/packed"
)

// packFlags are the flags of `glmc pack`.
type packFlags struct {
	compileFlags
	out    string
	check  string
	asJSON bool
}

func packCommand() *cobra.Command {
	var f packFlags
	cmd := &cobra.Command{
		Use:   "pack [MODEL] --weights DIR",
		Short: "Write a checkpoint's weights as this machine's kernels want them",
		Long: `Pack makes the weights of MODEL, a .glm file or a plan, as the cpu device of this machine wants them, and writes
them to a file beside the checkpoint. The next glmc run, serve or bench model with the same checkpoint maps that
file and makes no weights: it starts as fast as the file is read. Without MODEL it takes the family that the binary
carries for the checkpoint's config.json.

A packed file belongs to one checkpoint, one number of ranks, and processors with the same kernels. Weights that it
does not hold as they are wanted are made from the checkpoint, as without it. Only weights that would have to be made
are in it: others stay in the checkpoint's files, which are needed as before.

The file appears when it is complete. --check FILE reads one and compares all its sums.`,
		Example: `  glmc pack --weights DIR
  glmc pack models/glm4moe/model.glm --weights DIR --tp 2 -o FILE
  glmc pack --check FILE`,
		Args: atMostOneArg("MODEL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			model := ""
			if len(args) > 0 {
				model = args[0]
			}
			switch {
			case f.check != "" && (model != "" || f.weights != "" || f.out != ""):
				return usagef("--check FILE stands alone: it writes nothing")
			case f.check != "":
				return f.checkFile(cmd.Context())
			case f.weights == "":
				return errNoWeights
			}
			return f.run(cmd.Context(), model)
		},
	}
	f.compileFlags.register(cmd.Flags())
	cmd.Flags().StringVarP(&f.out, "output", "o", "", "`FILE` to write (default: "+packed.Name+" in --weights)")
	cmd.Flags().StringVar(&f.check, "check", "", "packed `FILE` to check instead of writing one")
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print one JSON document")
	return cmd
}

// packResult is what pack --json prints.
type packResult struct {
	File    string `json:"file"`
	Bytes   int64  `json:"bytes"`
	Weights int    `json:"weights"`
	Panels  int    `json:"in_panels"`
}

func resultOf(file string, bytes int64, list []packed.Weight) packResult {
	r := packResult{File: file, Bytes: bytes, Weights: len(list)}
	for i := range list {
		if list[i].Layout == kernels.Panels {
			r.Panels++
		}
	}
	return r
}

func (f *packFlags) run(ctx context.Context, model string) error {
	files, err := openFiles(f.weights)
	if err != nil {
		return err
	}
	if f.out == "" {
		f.out = files.path(packed.Name)
	}
	if err := checkOutput("-o", f.out, model, f.config); err != nil {
		return err
	}
	p, err := loadModel(model, &f.compileFlags, files)
	if err != nil {
		return err
	}
	ckpt, err := files.open()
	if err != nil {
		return err
	}
	defer ckpt.Close()
	if err := checkOutput("-o", f.out, ckpt.Files()...); err != nil {
		return err
	}
	list, bytes, err := exec.Pack(ctx, p, ckpt, exec.Options{Device: "cpu"}, f.out)
	if errors.Is(err, exec.ErrCheckpoint) {
		r := runFlags{compileFlags: f.compileFlags}
		return r.misfit(model, p, files, ckpt, err)
	}
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return errors.New("there is nothing to pack: on this machine all weights are used where they lie in the checkpoint")
	}
	return f.print(resultOf(f.out, bytes, list), "")
}

func (f *packFlags) checkFile(ctx context.Context) error {
	file, err := packed.Open(f.check)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := file.Check(ctx); err != nil {
		return err
	}
	return f.print(resultOf(f.check, file.Size(), file.Weights()), "; all sums are right")
}

func (f *packFlags) print(r packResult, more string) error {
	if f.asJSON {
		return printJSON(r)
	}
	return printText(func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%s: %s, %d in panels, %s%s\n", r.File, diag.Count(r.Weights, "weight"), r.Panels, fileSize(r.Bytes), more)
		return err
	})
}
