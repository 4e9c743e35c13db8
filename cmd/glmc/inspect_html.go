package main

import (
	"bytes"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/compiler/profile"
	"github.com/glmc/glmc/compiler/report/page"
)

// checkPage refuses flags that choose some of what the page has all of.
func (f *inspectFlags) checkPage(cmd *cobra.Command) error {
	if f.html == "" {
		return usagef("--profile wants --html FILE")
	}
	for _, name := range []string{"pass", "layer", "entry", "graph", "full", "dot", "json"} {
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

// loadPage collects what there is to show. A plan file holds the final graph and the remarks; a .glm file is compiled,
// and gives the module behind every pass and its text.
func (f *inspectFlags) loadPage(model string) (page.Input, error) {
	m, err := readPlanOrSource(model)
	if err != nil {
		return page.Input{}, err
	}
	if m.isPlan() {
		p, err := m.decode(&f.compileFlags)
		return page.Input{Plan: p}, err
	}
	record := page.NewRecorder()
	r, err := m.compileNamed(&f.compileFlags, func(o *compiler.Options) { o.Observe = record.Observe })
	if err != nil {
		return page.Input{}, err
	}
	in := page.Input{Plan: r.Plan, Record: record}
	program, _ := m.parse(map[string][]byte{})
	for _, file := range program.Files {
		in.Sources = append(in.Sources, page.Source{Name: file.Name, Text: string(file.Source)})
	}
	return in, nil
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
