package main

import (
	"github.com/spf13/cobra"
)

func benchCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure how fast a model, a server or a drafter is",
		Long: `Bench measures a model on this machine, a server, or drafts for speculative decoding. What is measured is a verb
of its own.`,
		Example:               `  glmc bench model --prompt 32 --gen 4 --runs 1`,
		DisableFlagsInUseLine: true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("bench wants to know what to measure: model, serve or draft")
			}
			return usagef("bench cannot measure %s%s", args[0], didYouMean(args[0], []string{"model", "serve", "draft"}))
		},
		RunE: func(*cobra.Command, []string) error { return nil }, // Args refuses all
	}
	cmd.AddCommand(benchModelCommand(), benchServeCommand(), benchDraftCommand())
	return cmd
}
