package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/compiler/verify"
	"github.com/glmc/glmc/dsl/config"
	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/dsl/source"
	"github.com/glmc/glmc/dsl/syntax"
	"github.com/glmc/glmc/models"
)

// modelFile is what a MODEL on the command line holds: a plan, or the source of a .glm file.
type modelFile struct {
	name string
	data []byte
}

// isCarried reports whether a path is that of a file that the binary carries.
func isCarried(path string) bool { return strings.HasPrefix(path, source.Carried) }

// readCarried reads a file that the binary carries, or one of at most limit bytes.
func readCarried(name string, limit int64) ([]byte, error) {
	if isCarried(name) {
		return models.Open(name)
	}
	return readLimited(name, limit)
}

// readModel reads a file, or one that the binary carries.
func readModel(name string) (modelFile, error) {
	data, err := readCarried(name, plan.MaxFileSize)
	return modelFile{name, data}, err
}

// parse parses a .glm file and what it imports, and puts their texts into sources, for diagnostics.
func (m modelFile) parse(sources map[string][]byte) (*source.Program, *diag.List) {
	p, list := source.Load(m.name, m.data, func(path string) ([]byte, error) {
		return readCarried(path, syntax.MaxFileSize) // slashes are fine on every system
	})
	for _, f := range p.Files {
		sources[f.Name] = f.Source
	}
	return p, list
}

// readPlanOrSource is readModel for the verbs that take both. It refuses what looks like neither.
func readPlanOrSource(name string) (modelFile, error) {
	m, err := readModel(name)
	if err == nil && !m.isPlan() && filepath.Ext(name) != ".glm" {
		err = fmt.Errorf("%s is no plan, and its name does not end in .glm", name)
	}
	return m, err
}

func (m modelFile) isPlan() bool { return plan.IsPlan(m.data) }

// decode reads a plan. What the flags say about compiling would come too late for it.
func (m modelFile) decode(f *compileFlags) (*plan.Plan, error) {
	if f.tp != 0 || len(f.set) > 0 || len(f.disable) > 0 || f.pipeline != "" || f.config != "" || f.target != "" || f.figures != "" {
		return nil, usagef("%s is a plan: --tp, --set, --disable-pass, --pipeline, --target, --config and --device-figures belong to compiling one", m.name)
	}
	p, err := plan.Decode(m.data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m.name, err)
	}
	return p, nil
}

// planOf is the plan of a compilation.
func planOf(r *compiler.Result, err error) (*plan.Plan, error) {
	if err != nil {
		return nil, err
	}
	return r.Plan, nil
}

// decodeAndRecompile reads a plan and compiles what it was compiled from again, so that its passes can be observed. It
// returns the plan of the file. Where another glmc wrote it, what the passes do now may be something else; that is said.
func (m modelFile) decodeAndRecompile(f *compileFlags, observe func(*compiler.Options)) (*plan.Plan, error) {
	p, err := m.decode(f)
	if err != nil {
		return nil, err
	}
	r, list, err := compiler.Recompile(&p.Source, observe)
	if list.HasErrors() {
		sources := map[string][]byte{p.Source.Config.Name: []byte(p.Source.Config.Text)}
		for _, x := range p.Source.Files {
			sources[x.Name] = []byte(x.Text)
		}
		return nil, diagnose(list, sources)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m.name, err)
	}
	if r.Plan.Module.String() != p.Module.String() {
		fmt.Fprintf(os.Stderr, "%s was compiled by another glmc: what its passes do here may differ from what they did there\n", m.name)
	}
	return p, nil
}

// prepared is a .glm file with all that it is compiled for.
type prepared struct {
	name    string
	root    *syntax.File
	options compiler.Options
	sources map[string][]byte
	list    *diag.List // of what was found until now
	plan    *plan.Plan // that carries the file; nil where it was named itself
}

// prepare parses .glm source. The configuration is the one that the flags name, else the one in files, which may be nil.
// Observe may change the compiler's options; it may be nil too.
func (m modelFile) prepare(f *compileFlags, files checkpointFiles, observe func(*compiler.Options)) (*prepared, error) {
	sources := map[string][]byte{}
	o, err := f.options()
	if err != nil {
		return nil, err
	}
	if o.Config, err = f.readConfig(files, sources); err != nil {
		return nil, err
	}
	if files != nil {
		o.Stored = storedDType(files)
	}
	if observe != nil {
		observe(&o)
	}
	program, list := m.parse(sources)
	if list.HasErrors() {
		return nil, diagnose(list, sources)
	}
	if o.Config != nil {
		list.Append(o.Config.CheckDType())
	}
	return &prepared{name: m.name, root: program.Root, options: o, sources: sources, list: list}, nil
}

// compile compiles, printing diagnostics.
func (p *prepared) compile() (*compiler.Result, error) {
	r, more, err := compiler.Compile(p.root, p.options)
	p.list.Append(more)
	if reported := diagnose(p.list, p.sources); reported != nil {
		return nil, reported
	}
	if err != nil && !strings.HasPrefix(err.Error(), p.name) {
		err = fmt.Errorf("%s: %w", p.name, err)
	}
	if err == nil && p.options.Config != nil {
		noteStored(p.options.Config, p.options.Stored)
	}
	return r, err
}

// subject is what the validation of passes works on.
func (p *prepared) subject() verify.Subject { return verify.Subject{File: p.root, Options: p.options} }

// compile prepares and compiles.
func (m modelFile) compile(f *compileFlags, files checkpointFiles, observe func(*compiler.Options)) (*compiler.Result, error) {
	p, err := m.prepare(f, files, observe)
	if err != nil {
		return nil, err
	}
	return p.compile()
}

// prepareNamed prepares for the verbs that read a checkpoint's configuration only.
func (m modelFile) prepareNamed(f *compileFlags, observe func(*compiler.Options)) (*prepared, error) {
	var files checkpointFiles
	if f.weights != "" {
		var err error
		if files, err = openFiles(f.weights); err != nil {
			return nil, err
		}
	}
	return m.prepare(f, files, observe)
}

// compileNamed compiles for the verbs that read a checkpoint's configuration only.
func (m modelFile) compileNamed(f *compileFlags, observe func(*compiler.Options)) (*compiler.Result, error) {
	p, err := m.prepareNamed(f, observe)
	if err != nil {
		return nil, err
	}
	return p.compile()
}

// modelOf reads what MODEL names, without one the family of the checkpoint.
func modelOf(name string, f *compileFlags, files checkpointFiles) (modelFile, error) {
	if name == "" {
		family, err := familyOf(f, files)
		if err != nil {
			return modelFile{}, err
		}
		name = family.Path
	}
	return readPlanOrSource(name)
}

// loadModel returns the plan that MODEL stands for: a plan file as it is, a .glm file compiled, and without a
// MODEL the family of the checkpoint, if the binary carries it.
func loadModel(name string, f *compileFlags, files checkpointFiles) (*plan.Plan, error) {
	m, err := modelOf(name, f, files)
	if err != nil {
		return nil, err
	}
	if m.isPlan() {
		return m.decode(f)
	}
	r, err := m.compile(f, files, nil)
	if err != nil {
		return nil, err
	}
	return r.Plan, nil
}

// familyOf finds the family of a checkpoint that was given without a MODEL, by its architectures.
func familyOf(f *compileFlags, files checkpointFiles) (*models.Family, error) {
	doc, err := f.readConfig(files, map[string][]byte{})
	if err != nil {
		return nil, err
	}
	family, err := models.ForArchitectures(doc.Architectures())
	if err != nil {
		if ckpt, opened := files.open(); opened == nil {
			withoutWrongGuess(err, doc, ckpt)
			_ = ckpt.Close() // nothing was written
		}
		return nil, fmt.Errorf("%s: %w; name the .glm file that describes the model as MODEL, or see what is near with glmc import %s",
			doc.Name, err, doc.Name)
	}
	return family, nil
}

// readConfig finds the config.json that the flags name; nil where they name none. It puts the text into sources,
// for diagnostics.
func (f *compileFlags) readConfig(files checkpointFiles, sources map[string][]byte) (*config.Document, error) {
	name := f.config
	var data []byte
	var err error
	switch {
	case name != "":
		data, err = readLimited(name, config.MaxDocumentSize)
	case files != nil:
		name = files.path("config.json")
		data, err = files.read("config.json", config.MaxDocumentSize)
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("%s has no config.json: is it a checkpoint's directory? --config FILE names one that lies elsewhere", files.path("."))
		}
	default:
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	sources[name] = data
	return config.Parse(name, data)
}

// diagnose prints diagnostics to stderr and says whether there are errors among them.
func diagnose(list *diag.List, sources map[string][]byte) error {
	list.Sort()
	_ = diag.Render(os.Stderr, list, func(file string) []byte { return sources[file] }, colourful(os.Stderr))
	if list.HasErrors() {
		return errReported
	}
	return nil
}

func colourful(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// errNoWeights says what is missing for running a MODEL.
var errNoWeights = usagef("no weights: give the checkpoint's directory with --weights DIR")

// noWeights is errNoWeights for a MODEL. Who gives a checkpoint's directory as MODEL, as others' servers have it, is told so.
func noWeights(model string) error {
	if info, err := os.Stat(model); err == nil && info.IsDir() {
		return usagef("%s is a directory: a checkpoint's is given as --weights %s, and MODEL is a .glm file or a plan", model, model)
	}
	return errNoWeights
}
