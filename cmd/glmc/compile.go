package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
)

// compilation holds the flags of `glmc compile`.
type compilation struct {
	compileFlags
	out     string
	remarks string
	verify  bool
	asJSON  bool
}

func compileCommand() *cobra.Command {
	var f compilation
	cmd := &cobra.Command{
		Use:   "compile MODEL.glm -o FILE.plan",
		Short: "Compile a model into a plan",
		Long: `Compile checks a model at a configuration, runs the passes, lays out memory and writes the plan. It prints
what the passes did, the memory that a rank needs, and how long each entry takes in each bucket by the cost
model of the target. Of the checkpoint of --weights it reads config.json, and the headers of the weights where they
are there: they say in which dtype weights are stored, which is else the one of config.json, or bf16.

With --verify it validates every pass, as glmc verify does, and puts the evidence into the plan.`,
		Example: `  glmc compile models/glm4moe/model.glm --target h200 -o glm-4.7.plan
  glmc compile models/glm4moe/model.glm --weights models/tiny -o tiny.plan
  glmc compile models/glm4moe/model.glm --tp 2 --set prefill.chunk=256 --set num_hidden_layers=4 -o small.plan`,
		Args: oneArg("MODEL.glm"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.out == "" {
				return usagef("compile wants the plan's name: -o FILE.plan")
			}
			return f.run(cmd.Context(), args[0])
		},
	}
	f.register(cmd.Flags())
	f.registerTarget(cmd.Flags())
	cmd.Flags().StringVar(&f.stopAfter, "stop-after", "", "`PASS` that is the last one to run")
	cmd.Flags().StringVarP(&f.out, "output", "o", "", "plan `FILE` to write")
	cmd.Flags().StringVar(&f.remarks, "remarks", "", "`FILE` to write what the passes had to say to: .json as inspect --json, .sarif as inspect --sarif")
	cmd.Flags().BoolVar(&f.verify, "verify", false, "validate every pass and put the evidence into the plan; see glmc help verify")
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print the summary as one JSON document")
	return cmd
}

func (f *compilation) run(ctx context.Context, name string) error {
	if err := f.checkOutputs(name); err != nil {
		return err
	}
	m, err := readModel(name)
	if err != nil {
		return err
	}
	if m.isPlan() {
		return fmt.Errorf("%s is a plan already: compile takes the .glm file that plans are made from", m.name)
	}
	model, err := m.prepareNamed(&f.compileFlags, nil)
	if err != nil {
		return err
	}
	r, err := model.compile()
	if err != nil {
		return err
	}
	if f.verify {
		if r.Plan.Evidence, err = model.evidence(ctx); err != nil {
			return err
		}
	}
	file, err := r.Plan.Encode()
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := writeFile(f.out, file); err != nil {
		return err
	}
	if f.remarks != "" {
		if err := writeRemarks(f.remarks, r.Plan); err != nil {
			return err
		}
	}
	s, err := summarise(r, f.out, file)
	if err != nil {
		return err
	}
	if f.asJSON {
		return printJSON(s)
	}
	return printText(func(w io.Writer) error { return s.print(w, r.Plan) })
}

// checkOutputs refuses files to write that are read, or that lie where nothing can be written, before any work is done.
func (f *compilation) checkOutputs(name string) error {
	read := []string{name, f.config, filepath.Join(f.weights, "config.json")}
	if err := checkOutput("-o", f.out, read...); err != nil {
		return err
	}
	if err := checkRemarks(f.remarks); err != nil || f.remarks == "" {
		return err
	}
	return checkOutput("--remarks", f.remarks, append(read, f.out)...)
}

// printText writes to stdout with few system calls.
func printText(text func(io.Writer) error) error {
	w := bufio.NewWriter(os.Stdout)
	if err := text(w); err != nil {
		return err
	}
	return w.Flush()
}

// printJSON writes one document to stdout.
func printJSON(v any) error {
	return printText(func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		return enc.Encode(v)
	})
}
