package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/compiler/dot"
	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/compiler/report"
	"github.com/glmc/glmc/dsl/diag"
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
	text := ""
	observe := func(o *compiler.Options) {
		if f.pass == "" {
			return
		}
		o.Observe = func(name string, m *ir.Module) {
			if name == f.pass {
				text = m.String()
			}
		}
	}
	var p *plan.Plan
	switch {
	case !m.isPlan():
		p, err = planOf(m.compileNamed(&f.compileFlags, observe))
	case f.pass != "":
		p, err = m.decodeAndRecompile(&f.compileFlags, observe)
	default:
		p, err = m.decode(&f.compileFlags)
	}
	switch {
	case err != nil:
		return nil, err
	case f.pass == "":
		return f.draw(p.Module, p.Target)
	case text == "":
		return nil, usagef("--dot: the pass %s did not run", f.pass)
	}
	module, err := ir.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("the graph behind %s: %w", f.pass, err)
	}
	return f.draw(module, p.Target)
}

func (f *inspectFlags) draw(m *ir.Module, target string) (*drawing, error) {
	g := m.Graphs[0]
	if f.entry != "" {
		if err := f.checkEntry(m); err != nil {
			return nil, err
		}
		g = m.Graph(f.entry)
	}
	name := g.Name
	if len(m.Variants(name)) > 1 {
		name += " (" + ir.BucketNames(g.Buckets) + ")"
	}
	title := fmt.Sprintf("%s, %s for %s, %s", m.Name, name, target, diag.Count(m.Ranks, "rank"))
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
