package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/compiler/importer"
	"github.com/glmc/glmc/dsl/config"
	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/dsl/pipeline"
	"github.com/glmc/glmc/models"
	"github.com/glmc/glmc/runtime/safetensors"
)

// importFlags are the flags of `glmc import`.
type importFlags struct {
	out     string
	force   bool
	targets []string

	everywhere bool // the targets are the default ones, as far as they have kernels for the weights
	asJSON     bool
}

func importCommand() *cobra.Command {
	var f importFlags
	cmd := &cobra.Command{
		Use:   "import DIR",
		Short: "Write a .glm file for a checkpoint",
		Long: `Import reads the config.json of a checkpoint's directory, or a file of that kind, finds the family of its
architectures in the binary, and writes a .glm file that imports the family and has a pipeline for each target:
ranks that the model divides into and fits on, the fusions that fire on it, and for GPUs drafts where it has an
MTP layer.
The file was compiled at this configuration before it is written. Of the weights, only the headers are looked at:
they say in which dtype the weights are stored.

Where the binary has no such family, import shows which ones are near and what differs, and ends with status 1.`,
		Example: `  glmc import models/tiny
  glmc import models/tiny --target cpu -o tiny.glm --force
  glmc import models/tiny/config.json --json`,
		Args: oneArg("DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.check(args[0]); err != nil {
				return err
			}
			return f.run(args[0])
		},
	}
	cmd.Flags().StringVarP(&f.out, "output", "o", "", ".glm `FILE` to write (default: stdout)")
	cmd.Flags().BoolVar(&f.force, "force", false, "overwrite the file of -o")
	cmd.Flags().StringArrayVar(&f.targets, "target", nil, "`DEVICE` to write a pipeline for: cpu, h100 or h200; may be repeated (default: cpu and, where it has kernels for the weights, h200)")
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print one JSON document")
	return cmd
}

// check refuses command lines that make no sense before anything is read.
func (f *importFlags) check(from string) error {
	var targets []string
	for _, list := range f.targets {
		targets = append(targets, strings.Split(list, ",")...)
	}
	if f.targets = targets; len(targets) == 0 {
		f.targets, f.everywhere = []string{"cpu", "h200"}, true
	}
	for i, t := range f.targets {
		if _, err := pipeline.Default(t); err != nil {
			return usagef("--target: %w", err)
		}
		for _, earlier := range f.targets[:i] {
			if t == earlier {
				return usagef("--target %s is given twice", t)
			}
		}
	}
	switch {
	case f.out == "" && f.force:
		return usagef("--force belongs to -o FILE.glm")
	case f.out == "":
		return nil
	case filepath.Ext(f.out) != ".glm":
		return usagef("-o %s: wants a name that ends in .glm", f.out)
	}
	if err := checkOutput("-o", f.out, from, filepath.Join(from, "config.json")); err != nil {
		return err
	}
	if _, err := os.Lstat(f.out); err == nil && !f.force {
		return fmt.Errorf("-o %s: the file is there already: --force overwrites it", f.out)
	}
	return nil
}

func (f *importFlags) run(from string) error {
	name, data, err := readConfigAt(from)
	if err != nil {
		return err
	}
	doc, err := config.Parse(name, data)
	if err != nil {
		return f.failed(importFailure{Error: err.Error()}, err)
	}
	ckpt, err := safetensors.Open(from)
	if err != nil {
		ckpt = nil // a config.json alone is enough to import
	} else {
		defer ckpt.Close()
	}
	family, err := models.ForArchitectures(doc.Architectures())
	if err != nil {
		return f.unknown(doc, ckpt, err)
	}
	if q, err := doc.Quantization(); f.everywhere && err == nil && q != nil { // an error is Import's to tell
		f.targets = slices.DeleteFunc(f.targets, func(t string) bool { return pipeline.CheckWeights(t, q.Weights) != nil })
	}
	in := importer.Input{Family: importable(family), Open: models.Open, Config: doc, Title: title(name, doc), Targets: f.targets}
	if ckpt != nil {
		in.Stored = storedIn(ckpt)
	}
	r, list, err := importer.Import(in)
	if err != nil {
		return f.refused(err, list, map[string][]byte{name: data, family.Path: family.Model.File.Source}, name)
	}
	list.Append(doc.CheckDType())
	if err := diagnose(list, map[string][]byte{name: data}); err != nil {
		return err
	}
	noteStored(doc, in.Stored)
	if f.out != "" {
		if err := writeFile(f.out, r.Text); err != nil {
			return err
		}
	}
	switch {
	case f.asJSON:
		return printJSON(newImported(family, doc, f.out, r))
	case f.out != "":
		fmt.Fprintf(os.Stderr, "%s: %s, %s\n", f.out, family.Name(), diag.Count(len(r.Pipelines), "pipeline"))
		return nil
	}
	return printText(func(w io.Writer) error { _, err := w.Write(r.Text); return err })
}

// readConfigAt reads the config.json of a directory, or the file itself. A link is followed, as downloaded
// checkpoints are made of links, but what is at its end has to be a file: a pipe might never end.
func readConfigAt(from string) (string, []byte, error) {
	info, err := os.Stat(from)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return from, nil, fmt.Errorf("%s: there is no such directory or file", from)
	case err != nil:
		return from, nil, err
	case !info.IsDir() && filepath.Ext(from) == ".safetensors":
		return from, nil, fmt.Errorf("%s holds weights: name the checkpoint's directory, %s, or its config.json", from, filepath.Dir(from))
	}
	name := from
	if info.IsDir() {
		name = filepath.Join(from, "config.json")
		if info, err = os.Stat(name); err != nil {
			return name, nil, fmt.Errorf("%s has no config.json that can be read: is it a checkpoint's directory? %w", from, err)
		}
	}
	if !info.Mode().IsRegular() {
		return name, nil, fmt.Errorf("%s is no regular file", name)
	}
	data, err := readLimited(name, config.MaxDocumentSize)
	return name, data, err
}

// title is what the file's first line says: the model's name, where config.json has one, and where that lies.
func title(name string, doc *config.Document) string {
	what := strings.TrimSuffix(filepath.Base(name), ".json")
	if abs, err := filepath.Abs(name); err == nil && what == "config" {
		what = filepath.Base(filepath.Dir(abs))
	}
	if item, ok := doc.Lookup("_name_or_path"); ok {
		if s, _ := item.Value().(string); s != "" {
			what = s
		}
	}
	return fmt.Sprintf("%s: imported from %s", what, filepath.ToSlash(name))
}

func importable(f *models.Family) importer.Family {
	return importer.Family{Path: f.Path, Model: f.Model, Classes: f.Classes}
}

// imported is what import --json prints.
type imported struct {
	Family        string             `json:"family"`
	Model         string             `json:"model"`
	Architectures []string           `json:"architectures"`
	File          string             `json:"file,omitempty"`
	Text          string             `json:"text"`
	Pipelines     []importedPipeline `json:"pipelines"`
}

type importedPipeline struct {
	Name           string   `json:"name"`
	Target         string   `json:"target"`
	TensorParallel int      `json:"tensor_parallel"`
	Require        []string `json:"require"`
	DraftSteps     int      `json:"draft_steps"`
	WeightBytes    int64    `json:"weight_bytes"`
	CachePerToken  int64    `json:"cache_bytes_per_token"`
	Fits           bool     `json:"fits"`
}

func newImported(family *models.Family, doc *config.Document, file string, r *importer.Result) imported {
	out := imported{Family: family.Name(), Model: family.Path, Architectures: doc.Architectures(), File: file, Text: string(r.Text)}
	for _, p := range r.Pipelines {
		out.Pipelines = append(out.Pipelines, importedPipeline{p.Name, p.Target, p.TensorParallel, listOf(p.Require), p.DraftSteps,
			p.Memory.Weights, p.Memory.CachePerToken, p.Fits})
	}
	return out
}

// importFailure is what import --json prints where there is no file.
type importFailure struct {
	Error         string          `json:"error"`
	Architectures []string        `json:"architectures,omitempty"`
	Known         []string        `json:"known,omitempty"`
	Nearest       []nearFamily    `json:"nearest,omitempty"`
	Quantization  string          `json:"quantization,omitempty"` // why it is not supported
	Diagnostics   json.RawMessage `json:"diagnostics,omitempty"`
}

type nearFamily struct {
	Family        string    `json:"family"`
	Model         string    `json:"model"`
	Architectures []string  `json:"architectures"`
	Likeness      float64   `json:"likeness"`
	Missing       []string  `json:"missing"`
	Unread        []string  `json:"unread"`
	Refused       []refusal `json:"refused"`

	Near    bool              `json:"near"`
	Tensors *tensorComparison `json:"tensors,omitempty"` // where a checkpoint is there, the family is near, and it could be compiled
	common  int               // keys
}

type refusal struct {
	Message string   `json:"message"`
	Values  []string `json:"values"`
}

// failed reports a failure: with --json as a document, else as the error that it is.
func (f *importFlags) failed(doc importFailure, err error) error {
	if !f.asJSON {
		return err
	}
	if err := printJSON(doc); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "glmc: %v\n", err)
	return errReported
}

// refused reports what the family, or the compiler, has against a configuration.
func (f *importFlags) refused(err error, list *diag.List, sources map[string][]byte, name string) error {
	doc := importFailure{Error: err.Error()}
	if errors.Is(err, compiler.ErrDiagnostics) {
		list.Sort()
		var b bytes.Buffer
		if err := diag.JSON(&b, list); err != nil {
			return err
		}
		var inner struct {
			Diagnostics json.RawMessage `json:"diagnostics"`
		}
		if err := json.Unmarshal(b.Bytes(), &inner); err != nil {
			return err
		}
		doc.Diagnostics = inner.Diagnostics
		_ = diagnose(list, sources) // it reports errors by returning one, which is known
		err = fmt.Errorf("%s: this model is not what the family describes: the errors above say where; a .glm file of your own can say what differs", name)
		doc.Error = err.Error()
		return f.failed(doc, err)
	}
	return f.failed(doc, err)
}

// listOf is a list that JSON does not write as null.
func listOf(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
