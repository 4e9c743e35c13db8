package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/compiler/passes"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/compiler/report"
)

// inspectFlags are the flags of `glmc inspect`.
type inspectFlags struct {
	compileFlags
	pass     string
	layer    int
	layerSet bool
	graph    bool
	dot      bool
	entry    string
	asJSON   bool
	html     string
	profile  string
}

func inspectCommand() *cobra.Command {
	var f inspectFlags
	cmd := &cobra.Command{
		Use:   "inspect MODEL",
		Short: "Show what each pass did",
		Long: `Inspect prints the pass table of a plan, or of a .glm file that it compiles in memory, and the remarks of
every pass: where it applied, where not and why, and what it saves at each execution. Layers that are alike
stand together. Sites that are equal on all ranks are listed once.

With --html it writes one page for a browser: the graph before and after every pass, each value on its way through
them and in the source, drawings of a layer, the arena, a step on the time axis and the cost of every operator.
The page needs no network. From a plan it has the remarks and the final graph.

With --dot it draws the graph of an entry instead, in Graphviz's language: one layer of each kind, or --layer N;
the final graph, or from a .glm file the one behind --pass NAME.`,
		Example: `  glmc inspect models/glm4moe/model.glm --target h200
  glmc inspect models/glm4moe/model.glm --weights models/tiny --pass fold_shared_expert --layer 2
  glmc inspect models/glm4moe/model.glm --weights models/tiny --pass fuse_qknorm_rope_kv --graph
  glmc inspect models/glm4moe/model.glm --target h200 --html glm-4.7.html
  glmc inspect models/glm4moe/model.glm --target h200 --dot
  glmc inspect models/glm4moe/model.glm --target h200 --dot --entry draft --pass fold_shared_expert`,
		Args: oneArg("MODEL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.layerSet = cmd.Flags().Changed("layer")
			if err := f.check(); err != nil {
				return err
			}
			filter := report.Filter{Pass: f.pass}
			if f.layerSet {
				filter.Layer = &f.layer
			}
			if f.html != "" {
				return f.writePage(args[0])
			}
			if f.dot {
				return f.printDot(args[0], filter.Layer)
			}
			p, graphs, err := f.load(args[0])
			if err != nil {
				return err
			}
			if err := cmd.Context().Err(); err != nil {
				return err
			}
			if f.asJSON {
				return printJSON(report.NewJSON(p, filter))
			}
			return printText(func(w io.Writer) error { return inspectText(w, p, filter, graphs) })
		},
	}
	f.register(cmd.Flags())
	f.registerTarget(cmd.Flags())
	cmd.Flags().StringVar(&f.pass, "pass", "", "only the remarks of the pass of that `NAME`")
	cmd.Flags().IntVar(&f.layer, "layer", 0, "only layer `N` (-1: outside of the layers; the MTP layer comes after the last one)")
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print one JSON document")
	cmd.Flags().BoolVar(&f.graph, "graph", false, "print the graph before and after --pass too, from a .glm file")
	cmd.Flags().BoolVar(&f.dot, "dot", false, "draw the graph as Graphviz text (glmc inspect MODEL --dot | dot -Tsvg -o graph.svg)")
	cmd.Flags().StringVar(&f.html, "html", "", "write one page with everything to `FILE`, for a browser; it needs no network")
	cmd.Flags().StringVar(&f.profile, "profile", "", "measured times, for --html: a `FILE` that glmc run --profile wrote")
	cmd.Flags().StringVar(&f.entry, "entry", "", "`NAME` of the entry that --dot draws (default: the first one)")
	return cmd
}

func (f *inspectFlags) check() error {
	switch {
	case f.pass != "":
		if err := checkPass("pass", f.pass); err != nil {
			return err
		}
	case f.graph:
		return usagef("--graph wants a pass: --pass NAME")
	}
	switch {
	case f.profile != "" && f.html == "":
		return usagef("--profile wants --html FILE")
	case f.html != "" && (f.dot || f.graph || f.asJSON || f.pass != "" || f.layerSet):
		return usagef("--html writes everything: leave out --pass, --layer, --graph, --dot and --json")
	case f.entry != "" && !f.dot:
		return usagef("--entry wants --dot")
	case f.dot && (f.graph || f.asJSON):
		return usagef("--dot prints a drawing: leave out --graph and --json")
	}
	if f.graph && f.asJSON {
		return usagef("--graph prints text: leave out --json")
	}
	return nil
}

// load returns the plan of MODEL and, when asked for, the graph before and after the pass.
func (f *inspectFlags) load(model string) (*plan.Plan, string, error) {
	m, err := readPlanOrSource(model)
	if err != nil {
		return nil, "", err
	}
	if m.isPlan() {
		if f.graph {
			return nil, "", usagef("--graph wants the .glm file: a plan holds the final graph only")
		}
		p, err := m.decode(&f.compileFlags)
		return p, "", err
	}
	text := ""
	r, err := m.compileNamed(&f.compileFlags, func(o *compiler.Options) {
		if !f.graph {
			return
		}
		o.Observe = func(name string, t passes.Text) {
			if name == f.pass {
				text = fmt.Sprintf("\nbefore %s\n%s\nafter %s\n%s", name, t.Before(), name, t.After())
			}
		}
	})
	if err != nil {
		return nil, "", err
	}
	if f.graph && text == "" {
		return nil, "", usagef("--graph: the pass %s is disabled", f.pass)
	}
	return r.Plan, text, nil
}

func inspectText(w io.Writer, p *plan.Plan, filter report.Filter, graphs string) error {
	fmt.Fprintf(w, "%s for %s, %s\n\n", p.Model, p.Target, plural(p.Module.Ranks, "rank"))
	if err := report.Passes(w, p); err != nil {
		return err
	}
	remarks := report.Select(p, filter)
	if len(remarks) == 0 {
		fmt.Fprintln(w, "\nno remarks")
	}
	if err := report.Remarks(w, remarks); err != nil {
		return err
	}
	_, err := io.WriteString(w, graphs)
	return err
}
