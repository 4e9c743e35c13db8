package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/compiler/verify"
)

func bisectCommand() *cobra.Command {
	var f compileFlags
	var seed uint64
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "bisect MODEL",
		Short: "Find the rewrite behind which results differ",
		Long: `Bisect looks for the first pass behind which the results of MODEL differ from those before it, as glmc verify
does, then by halving over the places that the pass rewrites for the first one that makes the difference, and
for the first value that differs there, on which rank. It runs a small model with the same kinds of layers, and
says which layers of the model are of the kind.

The exit status is 0 where every pass is right, 1 where one was found that is not, and 2 for trouble, be it the
command line or a file that cannot be read or compiled.`,
		Example: `  glmc bisect models/qwen3/model.glm --target h200
  glmc bisect models/glm4moe/model.glm --weights models/tiny --json`,
		Args: oneArg("MODEL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			model, err := preparedModel(args[0], &f)
			var made *compiler.Result
			if err == nil {
				made, err = model.compile()
			}
			if err == nil {
				err = model.sameAs(made.Plan)
			}
			if err != nil {
				return &troubleError{err}
			}
			found, report, err := verify.Bisect(cmd.Context(), model.subject(), seed)
			switch {
			case err != nil:
				return &troubleError{fmt.Errorf("%s: %w", args[0], err)}
			case asJSON:
				err = printJSON(found.JSON())
			case found == nil:
				err = printText(report.Text)
			default:
				err = printText(func(w io.Writer) error { return found.Text(w) })
			}
			switch {
			case err != nil:
				return &troubleError{err}
			case found != nil:
				return errFound
			}
			return nil
		},
	}
	f.register(cmd.Flags())
	f.registerTarget(cmd.Flags())
	cmd.Flags().Uint64Var(&seed, "seed", defaultSeed, "`N` for the random weights and inputs")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

// errFound says that a pass is wrong, which was printed.
var errFound = errors.New("a pass is wrong")
