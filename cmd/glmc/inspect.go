package main

import (
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/compiler/history"
	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/compiler/report"
	"github.com/glmc/glmc/dsl/diag"
)

// inspectFlags are the flags of `glmc inspect`.
type inspectFlags struct {
	compileFlags
	memoryFlags
	pageFlags
	pass   string
	layer  int
	graph  bool
	full   bool
	dot    bool
	entry  string
	asJSON bool
	sarif  bool
}

func inspectCommand() *cobra.Command {
	var f inspectFlags
	cmd := &cobra.Command{
		Use:   "inspect MODEL",
		Short: "Show what each pass did",
		Long: `Inspect prints the pass table of a plan, or of a .glm file that it compiles in memory, and the remarks of
every pass: where it applied, where not and why, and what it saves at each execution. Layers that are alike
stand together. Sites that are equal on all ranks are listed once. --json prints the same as data, --sarif as a
log for code hosts and editors, in which a miss is a note.

With --graph it prints the final graph too, one layer of each kind, and with --pass NAME what that pass did to
the graph: a diff, in which values keep their numbers through all passes. --full prints every layer, and the
graphs before and behind the pass instead of the diff.

With --html it writes one page for a browser: the graph before and behind every pass, each value on its way through
them and in the source, drawings of a layer, the arena, a step on the time axis and the cost of every operator.
The page needs no network. What a plan was compiled from is compiled again for it.

With --dot it draws the graph of an entry instead, in Graphviz's language: one layer of each kind, or --layer N;
the final graph, or the one behind --pass NAME.

With --memory it prints where results lie in the arena: for every bucket how large it is and how large it has to
be, and what is alive where most is; with --why A,B why two values share bytes, or what keeps them apart. A value
is %NUMBER, OPERATOR@LAYER, or PATH/OPERATOR as in model.layers.3.mlp/act.swiglu.

A plan holds the source that it was compiled from. It is compiled again where a pass is to be looked at.`,
		Example: `  glmc inspect models/glm4moe/model.glm --target h200
  glmc inspect models/glm4moe/model.glm --weights models/tiny --pass fold_shared_expert --layer 2
  glmc inspect models/glm4moe/model.glm --target h200 --pass fuse_qknorm_rope_kv --graph
  glmc inspect models/glm4moe/model.glm --target h200 --graph --entry draft
  glmc inspect models/glm4moe/model.glm --target h200 --html glm-4.7.html
  glmc inspect models/glm4moe/model.glm --target h200 --dot
  glmc inspect models/glm4moe/model.glm --target h200 --dot --entry draft --pass fold_shared_expert
  glmc inspect models/glm4moe/model.glm --target h200 --memory --bucket prefill:16384
  glmc inspect models/glm4moe/model.glm --target h200 --memory --entry forward --why attn.qknorm_rope_kv@0,attn.paged@0`,
		Args: oneArg("MODEL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.check(cmd); err != nil {
				return err
			}
			filter := report.Filter{Pass: f.pass, Entry: f.entry}
			if cmd.Flags().Changed("layer") {
				filter.Layer = &f.layer
			}
			if f.html != "" {
				return f.writePage(args[0])
			}
			if f.dot {
				return f.printDot(args[0], filter.Layer)
			}
			seen, err := f.load(args[0], filter.Layer)
			if err != nil {
				return err
			}
			if err := cmd.Context().Err(); err != nil {
				return err
			}
			if f.memory {
				return f.printMemory(seen.plan)
			}
			return f.print(seen, filter)
		},
	}
	f.register(cmd.Flags())
	f.registerTarget(cmd.Flags())
	cmd.Flags().StringVar(&f.pass, "pass", "", "only the remarks of the pass of that `NAME`")
	cmd.Flags().IntVar(&f.layer, "layer", 0, "only layer `N` (-1: outside of the layers; the MTP layer comes after the last one)")
	cmd.Flags().StringVar(&f.entry, "entry", "", "only the entry of that `NAME` (--dot draws the first one by default)")
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print one JSON document")
	cmd.Flags().BoolVar(&f.sarif, "sarif", false, "print the remarks as a SARIF 2.1.0 log, for code hosts and editors")
	cmd.Flags().BoolVar(&f.graph, "graph", false, "print the final graph too, or what --pass did to the graph")
	cmd.Flags().BoolVar(&f.full, "full", false, "with --graph, all layers, and the graphs before and behind --pass instead of a diff")
	cmd.Flags().BoolVar(&f.memory, "memory", false, "print where results lie in the arena, bucket by bucket")
	cmd.Flags().StringVar(&f.bucket, "bucket", "", "with --memory, only the `BUCKET` of that phase and size, such as decode:64")
	cmd.Flags().StringVar(&f.why, "why", "", "with --memory, why two `VALUES`, A,B, share bytes or do not (in the largest arena of an entry that has both)")
	cmd.Flags().BoolVar(&f.dot, "dot", false, "draw the graph as Graphviz text (glmc inspect MODEL --dot | dot -Tsvg -o graph.svg)")
	f.registerPage(cmd.Flags())
	return cmd
}

func (f *inspectFlags) check(cmd *cobra.Command) error {
	if f.html != "" || f.profile != "" {
		if err := f.checkPage(cmd); err != nil {
			return err
		}
	}
	if f.pass != "" {
		if err := checkPass("pass", f.pass); err != nil {
			return err
		}
	}
	if err := f.memoryFlags.check(); err != nil {
		return err
	}
	switch {
	case f.memory && (f.dot || f.graph || f.pass != ""):
		return usagef("--memory prints the arena: leave out --dot, --graph and --pass")
	case f.full && !f.graph:
		return usagef("--full wants --graph")
	case f.full && f.asJSON:
		return usagef("--full prints text: leave out --json")
	case f.dot && (f.graph || f.asJSON || f.sarif):
		return usagef("--dot prints a drawing: leave out --graph, --json and --sarif")
	case f.sarif && (f.graph || f.asJSON):
		return usagef("--sarif prints a log of remarks: leave out --graph and --json")
	}
	return nil
}

// inspected is what there is to print.
type inspected struct {
	plan    *plan.Plan
	history *history.History // nil where no graph is wanted; of a plan, the final graph only
	before  string           // texts of the module around --pass, where all of it is wanted
	after   string
}

// load returns what MODEL and its compilation hold. A plan is compiled again from the source that it holds where its
// passes are to be looked at; its final graph is in it.
func (f *inspectFlags) load(model string, layer *int) (*inspected, error) {
	m, err := readPlanOrSource(model)
	if err != nil {
		return nil, err
	}
	recorder := history.New()
	recorder.Prefer(layer)
	var out inspected
	ran := f.pass == ""
	observe := func(o *compiler.Options) {
		if !f.graph {
			return
		}
		o.Observe = func(pass string, module *ir.Module) {
			recorder.Observe(pass, module)
			ran = ran || pass == f.pass
			if f.full && f.pass != "" {
				out.note(f.pass, pass, module, ran)
			}
		}
	}
	switch {
	case !m.isPlan():
		out.plan, err = planOf(m.compileNamed(&f.compileFlags, observe))
	case f.graph && (f.pass != "" || f.asJSON):
		out.plan, err = m.decodeAndRecompile(&f.compileFlags, observe)
	default:
		out.plan, err = m.decode(&f.compileFlags)
		if err == nil && f.graph {
			recorder.Observe("", out.plan.Module)
		}
	}
	switch {
	case err != nil:
		return nil, err
	case f.graph && !ran:
		return nil, usagef("--graph: the pass %s did not run", f.pass)
	case f.graph:
		out.history = recorder.History()
	}
	return &out, f.checkEntry(out.plan.Module)
}

// note keeps the texts of the module around a pass.
func (x *inspected) note(wanted, pass string, m *ir.Module, ran bool) {
	switch {
	case pass == wanted:
		x.after = m.String()
	case !ran:
		x.before = m.String()
	}
}

// checkEntry refuses an --entry that a module does not have.
func (f *inspectFlags) checkEntry(m *ir.Module) error {
	if f.entry == "" || m.Graph(f.entry) != nil {
		return nil
	}
	var names []string
	for _, g := range m.Graphs {
		names = append(names, g.Name)
	}
	return usagef("--entry %s: there is no such entry%s", f.entry, didYouMean(f.entry, names))
}

func (f *inspectFlags) print(x *inspected, filter report.Filter) error {
	if f.sarif {
		return printText(func(w io.Writer) error { return remarkLog(w, x.plan, filter) })
	}
	if f.asJSON {
		out := report.NewJSON(x.plan, filter)
		out.History = x.history
		return printJSON(out)
	}
	return printText(func(w io.Writer) error { return f.text(w, x, filter) })
}

func (f *inspectFlags) text(w io.Writer, x *inspected, filter report.Filter) error {
	p := x.plan
	fmt.Fprintf(w, "%s for %s\n\n", p.Model, placeOf(p))
	if err := report.Passes(w, p); err != nil {
		return err
	}
	if p.Evidence != nil {
		fmt.Fprintf(w, "\n%s\n", diag.Printable(report.Validation(p)))
	}
	remarks := report.Select(p, filter)
	if len(remarks) == 0 {
		fmt.Fprintln(w, "\nno remarks")
	}
	if err := report.Remarks(w, p, remarks); err != nil {
		return err
	}
	if !f.graph {
		return nil
	}
	return f.graphs(w, x, filter)
}

// graphs writes the final graph, or what the pass did.
func (f *inspectFlags) graphs(w io.Writer, x *inspected, filter report.Filter) error {
	o := report.GraphOptions{Entry: f.entry, Layer: filter.Layer, Colour: colourful(os.Stdout)}
	steps := x.history.Steps
	switch {
	case f.full && f.pass != "":
		_, err := fmt.Fprintf(w, "\nbefore %s\n%s\nafter %s\n%s", f.pass, x.before, f.pass, x.after)
		return err
	case f.full:
		_, err := fmt.Fprintf(w, "\n%s", x.plan.Module)
		return err
	case f.pass == "":
		return report.Graph(w, x.history, &steps[len(steps)-1], o)
	}
	at := slices.IndexFunc(steps, func(s history.Step) bool { return s.Pass == f.pass })
	return report.GraphDiff(w, x.history, at, o)
}
