package main

import (
	"bytes"
	"fmt"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/passes"
	"github.com/glmc/glmc/compiler/profile"
	"github.com/glmc/glmc/compiler/report/page"
)

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
	var in page.Input
	var broken error
	r, err := m.compileNamed(&f.compileFlags, func(o *compiler.Options) {
		o.Observe = func(name string, t passes.Text) {
			add := func(pass, text string) {
				module, err := ir.Parse(text)
				if err != nil && broken == nil {
					broken = fmt.Errorf("the graph behind %s: %w", pass, err)
				}
				in.Stages = append(in.Stages, page.Snapshot{Pass: pass, Module: module})
			}
			if len(in.Stages) == 0 {
				add("", t.Before())
			}
			add(name, t.After())
		}
	})
	if err != nil {
		return in, err
	}
	in.Plan = r.Plan
	program, _ := m.parse(map[string][]byte{})
	for _, file := range program.Files {
		in.Sources = append(in.Sources, page.Source{Name: file.Name, Text: string(file.Source)})
	}
	return in, broken
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
