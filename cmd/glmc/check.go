package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/dsl/config"
	"github.com/glmc/glmc/dsl/diag"
)

func checkCommand() *cobra.Command {
	var asJSON bool
	var configFile string
	cmd := &cobra.Command{
		Use:   "check FILE.glm...",
		Short: "Report what is wrong with .glm files",
		Long: `Check parses files, checks names and types, and works out every shape at the model's default configuration
or at the one of --config. It prints diagnostics to stderr, or with --json to stdout, and nothing where all is
well. The exit status is 1 where there are errors; warnings alone leave it 0.`,
		Example: `  glmc check models/glm4moe/model.glm
  glmc check models/glm4moe/model.glm --config models/tiny/config.json --json`,
		Args: atLeastOneArg("FILE.glm"),
		RunE: func(_ *cobra.Command, files []string) error {
			sources := map[string][]byte{}
			doc, err := (&compileFlags{config: configFile}).readConfig(nil, sources)
			if err != nil {
				return err
			}
			list := &diag.List{}
			unread := false
			for _, name := range files {
				if err := checkFile(name, doc, sources, list); err != nil {
					fmt.Fprintf(os.Stderr, "glmc: %v\n", err)
					unread = true
				}
			}
			if asJSON {
				err = diagnoseJSON(list)
			} else {
				err = diagnose(list, sources)
			}
			if err == nil && unread {
				return errReported
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	cmd.Flags().StringVar(&configFile, "config", "", "config.json `FILE` to check the shapes at (default: the model's defaults)")
	return cmd
}

// checkFile adds what is wrong with a file to list. Its error says that the file could not be read.
func checkFile(name string, doc *config.Document, sources map[string][]byte, list *diag.List) error {
	m, err := readModel(name)
	if err != nil {
		return err
	}
	if m.isPlan() {
		return fmt.Errorf("%s is a plan: check takes the .glm file that plans are made from", name)
	}
	program, l := m.parse(sources)
	list.Append(l)
	if !program.Broken {
		list.Append(compiler.Check(program.Root, doc))
	}
	return nil
}

func diagnoseJSON(list *diag.List) error {
	list.Sort()
	if err := printText(func(w io.Writer) error { return diag.JSON(w, list) }); err != nil {
		return err
	}
	if list.HasErrors() {
		return errReported
	}
	return nil
}
