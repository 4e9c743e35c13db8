package main

import (
	"errors"
	"io"

	"github.com/spf13/cobra"

	"github.com/glmc/glmc/compiler/diff"
	"github.com/glmc/glmc/compiler/plan"
)

func diffCommand() *cobra.Command {
	var f compileFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "diff A B",
		Short: "Show in what two plans differ",
		Long: `Diff compares two plans, or .glm files that it compiles in memory with the flags given: settings, launches,
memory, what the passes did, operators with their origin, weights and KV caches. Layers that are alike stand
together. What only follows from another difference is counted; --json lists all.

The exit status is that of diff(1): 0 where nothing differs, 1 where something does, and 2 for trouble, be it
the command line or a file that cannot be read or compiled.`,
		Example: `  glmc diff tiny.plan small.plan
  glmc diff tiny.plan models/glm4moe/model.glm --weights models/tiny --disable-pass fold_shared_expert
  glmc diff models/qwen3/model.glm models/qwen3moe/model.glm --json`,
		Args: twoArgs("A", "B"),
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := f.diff(args[0], args[1])
			if err == nil {
				err = cmd.Context().Err()
			}
			if err != nil {
				return &troubleError{err}
			}
			if asJSON {
				err = printJSON(d)
			} else {
				err = printText(func(w io.Writer) error { return diff.Text(w, d) })
			}
			switch {
			case err != nil:
				return &troubleError{err}
			case !d.Equal:
				return errDiffer
			}
			return nil
		},
	}
	f.register(cmd.Flags())
	f.registerTarget(cmd.Flags())
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

// errDiffer says that the files differ, which was printed.
var errDiffer = errors.New("the plans differ")

// troubleError is a failure of a verb whose exit status 1 is a result.
type troubleError struct{ error }

func (e *troubleError) Unwrap() error { return e.error }

func (f *compileFlags) diff(a, b string) (*diff.Diff, error) {
	x, err := readPlanOrSource(a)
	if err != nil {
		return nil, err
	}
	y, err := readPlanOrSource(b)
	if err != nil {
		return nil, err
	}
	// The flags are for the side that is compiled.
	var plans [2]*plan.Plan
	for i, m := range []modelFile{x, y} {
		if !m.isPlan() {
			r, err := m.compileNamed(f, nil)
			if err != nil {
				return nil, err
			}
			plans[i] = r.Plan
			continue
		}
		flags := f
		if !x.isPlan() || !y.isPlan() {
			flags = &compileFlags{}
		}
		if plans[i], err = m.decode(flags); err != nil {
			return nil, err
		}
	}
	d := diff.Plans(plans[0], plans[1])
	d.A.File, d.B.File = a, b
	return d, nil
}
