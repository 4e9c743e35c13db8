package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/compiler/profile"
	"github.com/glmc/glmc/compiler/report/page"
	"github.com/glmc/glmc/dsl/diag"
)

// pageFlags are the flags of `glmc inspect` that belong to --html.
type pageFlags struct {
	html    string
	profile string
}

func (f *pageFlags) registerPage(fs *pflag.FlagSet) {
	fs.StringVar(&f.html, "html", "", "write one page with everything to `FILE`, for a browser; it needs no network")
	fs.StringVar(&f.profile, "profile", "", "measured times, for --html: a `FILE` that glmc run --profile wrote")
}

// checkPage refuses flags that choose some of what the page has all of.
func (f *inspectFlags) checkPage(cmd *cobra.Command) error {
	if f.html == "" {
		return usagef("--profile wants --html FILE")
	}
	for _, name := range []string{"pass", "layer", "entry", "graph", "full", "dot", "json", "sarif", "memory", "bucket", "why"} {
		if cmd.Flags().Changed(name) {
			return usagef("--html writes everything: leave out --%s", name)
		}
	}
	return nil
}

// writePage writes the page of a plan or a .glm file to the file of --html.
func (f *inspectFlags) writePage(model string) error {
	if err := checkOutput("--html", f.html, model, f.config, f.profile); err != nil {
		return err
	}
	in, err := f.loadPage(model)
	if err != nil {
		return err
	}
	in.Version = version()
	if f.profile != "" {
		if in.Profile, err = readProfile(f.profile); err != nil {
			return err
		}
	}
	data, err := page.Build(in)
	if err != nil {
		if f.profile != "" {
			return fmt.Errorf("--profile %s: %w", f.profile, err)
		}
		return err
	}
	var b bytes.Buffer
	if err := page.Write(&b, data); err != nil {
		return err
	}
	return writeFile(f.html, b.Bytes())
}

// loadPage collects what there is to show. A .glm file is compiled, and what a plan was compiled from is compiled again:
// that gives the module behind every pass. A plan without its source, or of another glmc, which compiles otherwise,
// has the final graph and the remarks.
func (f *inspectFlags) loadPage(model string) (page.Input, error) {
	m, err := readPlanOrSource(model)
	if err != nil {
		return page.Input{}, err
	}
	if !m.isPlan() {
		record := page.NewRecorder()
		observe := func(o *compiler.Options) { o.Observe = record.Observe }
		r, err := m.compileNamed(&f.compileFlags, observe)
		if err != nil {
			return page.Input{}, err
		}
		return page.Input{Plan: r.Plan, Record: record, Sources: pageSources(r.Plan)}, nil
	}
	p, err := m.decode(&f.compileFlags)
	if err != nil {
		return page.Input{}, err
	}
	in, lacks := planInput(p)
	if lacks != "" {
		fmt.Fprintf(os.Stderr, "glmc: %s: the page has the remarks and the final graph only\n", fmt.Sprintf(lacks, model))
	}
	return in, nil
}

// planInput collects what there is to show of a plan. Where the module behind every pass is not there, lacks says why, with a verb
// for the name of the plan.
func planInput(p *plan.Plan) (in page.Input, lacks string) {
	in = page.Input{Plan: p, Sources: pageSources(p)}
	record := page.NewRecorder()
	r, _, err := compiler.Recompile(&p.Source, func(o *compiler.Options) { o.Observe = record.Observe })
	switch {
	case errors.Is(err, compiler.ErrNoSource):
		return in, "%s does not hold its source"
	case err != nil:
		return in, "what %s was compiled from does not compile now (" + strings.ReplaceAll(diag.Printable(err.Error()), "%", "%%") + ")"
	case r.Plan.Module.String() != p.Module.String():
		return in, "this glmc compiles %s to another plan"
	}
	in.Record = record
	return in, ""
}

// pageSources are the files that a plan was compiled from.
func pageSources(p *plan.Plan) []page.Source {
	var out []page.Source
	for _, file := range p.Source.Files {
		out = append(out, page.Source{Name: file.Name, Text: file.Text})
	}
	return out
}

func readProfile(name string) (*profile.Profile, error) {
	data, err := readLimited(name, profile.MaxFileSize)
	if err != nil {
		return nil, err
	}
	p, err := profile.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return p, nil
}
