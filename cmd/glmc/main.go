// Command glmc compiles descriptions of mixture-of-experts models into plans and runs them.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// Exit statuses of the command-line contract.
const (
	exitOK     = 0
	exitFailed = 1 // the work failed
	exitUsage  = 2 // the command line makes no sense; of diff, any trouble
)

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// The first signal asks the work to end, a second one ends the process.
	context.AfterFunc(ctx, stop)
	cmd, err := newRoot().ExecuteContextC(ctx)
	return exitStatus(ctx, cmd, err)
}

// exitStatus prints what went wrong and returns the exit status.
func exitStatus(ctx context.Context, cmd *cobra.Command, err error) int {
	var usage *usageError
	var trouble *troubleError
	failed := exitFailed
	if errors.As(err, &trouble) {
		failed = exitUsage
	}
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errReported), errors.Is(err, errDiffer), errors.Is(err, errFound):
		return failed
	case errors.As(err, &usage):
		fmt.Fprintf(os.Stderr, "glmc: %v\nRun '%s --help' for usage.\n", err, cmd.CommandPath())
		return exitUsage
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		err = errors.New("interrupted")
	}
	fmt.Fprintf(os.Stderr, "glmc: %v\n", err)
	return failed
}

// errReported says that the reasons were printed already.
var errReported = errors.New("reported")

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "glmc",
		Short: "An optimising compiler and runtime for GLM mixture-of-experts models",
		Long: `glmc compiles a model that is written in a .glm file into a plan, a fused execution graph with its
memory laid out, and runs plans. Without a model and without weights, the verbs that run use a small
trained model that the binary carries.

Results go to stdout, progress and remarks to stderr. The exit status is 0, 1 where the work failed, or
2 where the command line makes no sense; glmc diff and glmc bisect have the statuses of diff(1).`,
		Example: `  glmc run --prompt "func Reverse(s string) string {"
  glmc inspect models/glm4moe/model.glm --target h200 --pass fold_shared_expert`,
		DisableFlagsInUseLine: true,
		SilenceErrors:         true,
		SilenceUsage:          true,
		Args:                  knownVerb,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cmd.SetOut(os.Stderr)
			_ = cmd.Help() // it returns no errors
			return errNoVerb
		},
	}
	root.SetFlagErrorFunc(flagError)
	root.SetHelpCommand(helpCommand(root))
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(benchCommand(), bisectCommand(), checkCommand(), compileCommand(), devicesCommand(), diffCommand(), fmtCommand(), importCommand(), inspectCommand(), lspCommand(), packCommand(), quantizeCommand(), runCommand(), serveCommand(), synthCommand(), verifyCommand(), versionCommand())
	return root
}
