package compiler

import (
	"maps"
	"slices"
	"strings"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/dsl/syntax"
	"github.com/glmc/glmc/kernels/dtype"
)

// entryInputs are the entries that the runtime calls, with the inputs that it has for each.
var entryInputs = map[string][]string{
	"forward": {"tokens", "pos"},
	"draft":   {"tokens", "pos", "hidden"},
}

// checkEntries holds a model's entries against what the runtime calls: their names, and the names and types of
// their parameters. An entry of another name may be there for tools.
func checkEntries(m Checked, list *diag.List) {
	graphs := map[string]*ir.Graph{}
	for _, g := range m.Module.Graphs {
		graphs[g.Name] = g
	}
	for _, e := range m.Model.Entries() {
		inputs := entryInputs[e.Name.Name]
		if inputs == nil {
			list.Warnf(e.Name.Span().Diag(), idUnusedEntry, "the runtime calls the entries forward and draft, and nothing calls %s", e.Name.Name).
				DidYouMean(e.Name.Name, slices.Sorted(maps.Keys(entryInputs)))
			continue
		}
		for _, p := range e.Params {
			if !slices.Contains(inputs, p.Name.Name) {
				list.Errorf(p.Name.Span().Diag(), idUnknownInput, "the runtime has no input %q for %s: it has %s", p.Name.Name, e.Name.Name, strings.Join(inputs, ", ")).
					DidYouMean(p.Name.Name, inputs)
				continue
			}
			checkInput(e, p, graphs[e.Name.Name], list)
		}
	}
}

// checkInput compares the type of a parameter with that of the runtime's input. The graph is nil where the
// configuration does not have the entry.
func checkInput(e *syntax.Entry, p *syntax.Param, g *ir.Graph, list *diag.List) {
	if g == nil {
		return
	}
	for _, v := range g.Inputs {
		if v.Input != p.Name.Name {
			continue
		}
		want, ok := "i32[T]", v.Type.Equal(ir.TensorType(dtype.I32, ir.Symbolic(ir.T)))
		if p.Name.Name == "hidden" {
			rows := len(v.Type.Shape) == 2 && v.Type.Shape[0] == ir.Symbolic(ir.T) && v.Type.Shape[1].IsConst()
			want, ok = "[T, n], a row of activations for each token", rows && p.Type.Name == nil
		}
		if !ok {
			list.Errorf(p.Span().Diag(), idUnknownInput, "the runtime's input %s is %s", p.Name.Name, want)
		}
	}
}
