package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
)

func compileCommand() *cobra.Command {
	var flags compileFlags
	var out, remarks string
	var asJSON, verified bool
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
			if out == "" {
				return usagef("compile wants the plan's name: -o FILE.plan")
			}
			if err := checkOutput("-o", out, args[0], flags.config, filepath.Join(flags.weights, "config.json")); err != nil {
				return err
			}
			if err := checkRemarks(remarks); err != nil {
				return err
			}
			if remarks != "" {
				if err := checkOutput("--remarks", remarks, args[0], flags.config, filepath.Join(flags.weights, "config.json"), out); err != nil {
					return err
				}
			}
			m, err := readModel(args[0])
			if err != nil {
				return err
			}
			if m.isPlan() {
				return fmt.Errorf("%s is a plan already: compile takes the .glm file that plans are made from", m.name)
			}
			model, err := m.prepareNamed(&flags, nil)
			if err != nil {
				return err
			}
			r, err := model.compile()
			if err != nil {
				return err
			}
			if verified {
				if r.Plan.Evidence, err = model.evidence(cmd.Context()); err != nil {
					return err
				}
			}
			file, err := r.Plan.Encode()
			if err != nil {
				return err
			}
			if err := cmd.Context().Err(); err != nil {
				return err
			}
			if err := writeFile(out, file); err != nil {
				return err
			}
			if remarks != "" {
				if err := writeRemarks(remarks, r.Plan); err != nil {
					return err
				}
			}
			s, err := summarise(r, out, file)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(s)
			}
			return printText(func(w io.Writer) error { return s.print(w, r.Plan) })
		},
	}
	flags.register(cmd.Flags())
	flags.registerTarget(cmd.Flags())
	cmd.Flags().StringVar(&flags.stopAfter, "stop-after", "", "`PASS` that is the last one to run")
	cmd.Flags().StringVarP(&out, "output", "o", "", "plan `FILE` to write")
	cmd.Flags().StringVar(&remarks, "remarks", "", "`FILE` to write what the passes had to say to: .json as inspect --json, .sarif as inspect --sarif")
	cmd.Flags().BoolVar(&verified, "verify", false, "validate every pass and put the evidence into the plan; see glmc help verify")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the summary as one JSON document")
	return cmd
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
