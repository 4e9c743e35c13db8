package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/dsl/config"
	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/runtime/safetensors"
)

// checkFlags are the flags of `glmc check`.
type checkFlags struct {
	config  string
	weights string
	asJSON  bool
	asSARIF bool
}

func checkCommand() *cobra.Command {
	var f checkFlags
	cmd := &cobra.Command{
		Use:   "check FILE.glm...",
		Short: "Report what is wrong with .glm files",
		Long: `Check parses files, checks names and types, and works out every shape at the model's default configuration
or at the one of --config. With --weights it takes the config.json of a checkpoint, and compares the weights that
the model asks for with the tensors that the checkpoint has; it reads their names, shapes and formats only.
It prints diagnostics to stderr, or with --json or --sarif to stdout, and nothing where all is well. The exit
status is 1 where there are errors; warnings alone leave it 0.`,
		Example: `  glmc check models/glm4moe/model.glm
  glmc check models/glm4moe/model.glm --weights models/tiny
  glmc check models/glm4moe/model.glm --config models/tiny/config.json --json
  glmc check models/glm4moe/model.glm models/qwen3/model.glm --sarif`,
		Args: atLeastOneArg("FILE.glm"),
		RunE: func(_ *cobra.Command, files []string) error {
			if f.asJSON && f.asSARIF {
				return usagef("--json and --sarif exclude one another")
			}
			return f.run(files)
		},
	}
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print one JSON document")
	cmd.Flags().BoolVar(&f.asSARIF, "sarif", false, "print a SARIF 2.1.0 log, for code hosts and editors")
	cmd.Flags().StringVar(&f.config, "config", "", "config.json `FILE` to check the shapes at (default: the one in --weights, else the model's defaults)")
	cmd.Flags().StringVar(&f.weights, "weights", "", "checkpoint `DIR` to compare the model's weights with")
	return cmd
}

func (f *checkFlags) run(files []string) error {
	c := &checkRun{sources: map[string][]byte{}, list: &diag.List{}}
	if err := c.open(f); err != nil {
		return err
	}
	defer c.close()
	var unread []string
	for _, name := range files {
		if err := c.file(name); err != nil {
			fmt.Fprintf(os.Stderr, "glmc: %v\n", err)
			unread = append(unread, err.Error())
		}
	}
	var err error
	switch {
	case f.asJSON:
		err = diagnoseJSON(c.list)
	case f.asSARIF:
		err = c.sarif(unread)
	default:
		err = diagnose(c.list, c.sources)
	}
	if err == nil && len(unread) > 0 {
		return errReported
	}
	return err
}

// sarif prints what was found as a SARIF log.
func (c *checkRun) sarif(unread []string) error {
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	c.list.Sort()
	run := diag.SARIFRun{Version: version(), Dir: dir, Sources: func(file string) []byte { return c.sources[file] }, Failed: unread}
	if err := printText(func(w io.Writer) error { return diag.SARIF(w, c.list, run) }); err != nil {
		return err
	}
	if c.list.HasErrors() {
		return errReported
	}
	return nil
}

// checkRun is what the files of one command line are checked against, and what was found.
type checkRun struct {
	sources map[string][]byte
	list    *diag.List
	doc     *config.Document        // nil: the models' defaults
	ckpt    *safetensors.Checkpoint // nil: none
}

// open reads what the flags name. A quantisation that is not supported is an error, as the weights that it makes
// could not be told from wrong ones.
func (c *checkRun) open(f *checkFlags) error {
	var files checkpointFiles
	var err error
	if f.weights != "" {
		if files, err = openFiles(f.weights); err != nil {
			return err
		}
	}
	if c.doc, err = (&compileFlags{config: f.config}).readConfig(files, c.sources); err != nil {
		return err
	}
	if c.doc != nil {
		c.list.Append(c.doc.CheckDType())
	}
	if files == nil {
		return nil
	}
	if _, err := c.doc.Quantization(); err != nil {
		return err
	}
	if c.ckpt, err = files.open(); err == nil {
		noteStored(c.doc, storedIn(c.ckpt))
	}
	return err
}

func (c *checkRun) close() {
	if c.ckpt != nil {
		_ = c.ckpt.Close() // nothing was written
	}
}

// isProse reports whether diagnostics are of a file in no language that we know, where a hundred of them help nobody: it is wrong from its first
// character on, or in more places than mistakes are.
func isProse(l *diag.List) bool {
	const several = 10
	return l.Len() > several || l.Len() > 0 && l.All()[0].Start.Offset == 0
}

// file adds what is wrong with a file. Its error says that the file could not be read.
func (c *checkRun) file(name string) error {
	m, err := readModel(name)
	if err != nil {
		return err
	}
	if m.isPlan() {
		return fmt.Errorf("%s is a plan: check takes the .glm file that plans are made from", name)
	}
	program, l := m.parse(c.sources)
	if program.Broken && filepath.Ext(name) != ".glm" && isProse(l) {
		return fmt.Errorf("%s is no .glm file, by its name and by what stands in it", name)
	}
	c.list.Append(l)
	if program.Broken {
		return nil
	}
	checked, l := compiler.CheckModels(program.Root, c.doc)
	c.list.Append(l)
	if c.ckpt == nil {
		return nil
	}
	return checkWeights(c.list, checked, c.doc.Architectures(), c.ckpt)
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
