package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/compiler/dot"
	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/report"
)

// drawing is the graph that --dot draws, and what stands above it.
type drawing struct {
	graph *ir.Graph
	title string
}

// loadDrawing returns the graph of an entry: that of the plan, or the one behind --pass.
func (f *inspectFlags) loadDrawing(model string) (*drawing, error) {
	m, err := readPlanOrSource(model)
	if err != nil {
		return nil, err
	}
	if m.isPlan() {
		if f.pass != "" {
			return nil, usagef("--dot with --pass wants the .glm file: a plan holds the final graph only")
		}
		p, err := m.decode(&f.compileFlags)
		if err != nil {
			return nil, err
		}
		return f.draw(p.Module, p.Target)
	}
	text := ""
	r, err := m.compileNamed(&f.compileFlags, func(o *compiler.Options) {
		if f.pass == "" {
			return
		}
		o.Observe = func(name string, m *ir.Module) {
			if name == f.pass {
				text = m.String()
			}
		}
	})
	switch {
	case err != nil:
		return nil, err
	case f.pass == "":
		return f.draw(r.Plan.Module, r.Plan.Target)
	case text == "":
		return nil, usagef("--dot: the pass %s is disabled", f.pass)
	}
	module, err := ir.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("the graph behind %s: %w", f.pass, err)
	}
	return f.draw(module, r.Plan.Target)
}

func (f *inspectFlags) draw(m *ir.Module, target string) (*drawing, error) {
	g := m.Graphs[0]
	if f.entry != "" {
		if err := f.checkEntry(m); err != nil {
			return nil, err
		}
		g = m.Graph(f.entry)
	}
	title := fmt.Sprintf("%s, %s for %s, %s", m.Name, g.Name, target, plural(m.Ranks, "rank"))
	if f.pass != "" {
		title += ", after " + f.pass
	}
	title += fmt.Sprintf(": %d launches", report.Launches(g))
	return &drawing{g, title}, nil
}

// printDot draws the graph, to stdout.
func (f *inspectFlags) printDot(model string, layer *int) error {
	d, err := f.loadDrawing(model)
	if err != nil {
		return err
	}
	var b strings.Builder
	if err := dot.Write(&b, d.graph, dot.Options{Title: d.title, Layer: layer}); err != nil {
		return usagef("--layer: %w", err)
	}
	return printText(func(w io.Writer) error {
		_, err := io.WriteString(w, b.String())
		return err
	})
}
