// Package importer writes small .glm files: for a checkpoint's config.json one that takes the model's family from
// the binary and says how it is served. What it writes has been compiled at that configuration.
package importer

import (
	"fmt"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/dsl/config"
	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/dsl/source"
	"github.com/glmc/glmc/dsl/syntax"
	"github.com/glmc/glmc/kernels/dtype"
)

// Family is a model that a file can import.
type Family struct {
	Path    string // of its file: "glmc:glm4moe/model.glm"
	Model   *syntax.Model
	Classes []string // of Hugging Face's, that it describes
}

// Input is what a file is made from.
type Input struct {
	Family  Family
	Open    source.Open // reads Family.Path
	Config  *config.Document
	Stored  dtype.DType // of the checkpoint's weights, where it is at hand; else Invalid
	Title   string      // first words of the file, such as "Qwen/Qwen3-30B-A3B"; may be empty
	Targets []string    // one pipeline for each: "cpu", "h100", "h200"
}

// Result is a file.
type Result struct {
	Text      []byte
	Pipelines []Pipeline
}

// Import writes the file and compiles every pipeline of it. The list has what is wrong with the configuration, in
// which case the error is compiler.ErrDiagnostics, and warnings.
func Import(in Input) (*Result, *diag.List, error) {
	quantised, err := in.Config.Quantization()
	if err != nil {
		return nil, &diag.List{}, err
	}
	values, list := config.Bind(in.Family.Model, in.Config, nil)
	if list.HasErrors() {
		return nil, list, compiler.ErrDiagnostics
	}
	w := &writer{Input: in, quantised: quantised}
	if n, ok := values.Get("max_position_embeddings"); ok {
		positions, _ := n.(config.Int)
		w.positions = int(positions)
	}
	all := &diag.List{}
	for _, target := range in.Targets {
		p, list, err := w.choose(target)
		all.Append(list)
		if err != nil {
			return nil, all, err
		}
		w.pipelines = append(w.pipelines, p)
	}
	text := w.file(w.pipelines)
	for _, p := range w.pipelines {
		if _, list, err := w.compile(text, p); err != nil {
			return nil, list, fmt.Errorf("pipeline %s does not compile: %w", p.Name, err)
		}
	}
	return &Result{Text: text, Pipelines: w.pipelines}, all, nil
}

// writer makes the text of a file.
type writer struct {
	Input
	quantised *config.Quantization
	positions int // that the model was made for; 0: unknown
	pipelines []Pipeline
}

// fileName is what diagnostics call the file before it has a name.
const fileName = "imported.glm"

// compile compiles one pipeline of a text.
func (w *writer) compile(text []byte, p Pipeline) (*compiler.Result, *diag.List, error) {
	program, list := source.Load(fileName, text, w.Open)
	if list.HasErrors() {
		return nil, list, fmt.Errorf("the text that was written is not valid (a bug): %w", list.Err())
	}
	return compiler.Compile(program.Root, compiler.Options{Config: w.Config, Stored: w.Stored, Pipeline: p.Name})
}
