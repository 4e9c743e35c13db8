package report

import (
	"io"
	"slices"

	"github.com/glmc/glmc/compiler/passes"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/dsl/diag"
)

// SARIF writes the remarks of a plan that a filter picks as a SARIF 2.1.0 log. Those that are alike but for the layer
// are one result. What was missed is a note; what was applied is informational, and no note.
func SARIF(w io.Writer, p *plan.Plan, f Filter, run diag.SARIFRun) error {
	rules := map[string]string{}
	for _, x := range passes.Table {
		for _, k := range append(slices.Clone(x.Remarks), passes.Gated) {
			rules[x.Name+"."+k.ID] = k.Doc
		}
	}
	var out []diag.SARIFRemark
	for _, g := range collapse(NewScale(p), Select(p, f)) {
		for _, n := range g.notes {
			r := diag.SARIFRemark{ID: n.id, Rule: rules[n.id], Missed: !n.applied, Span: diag.ParseRange(g.source, g.end),
				Message: g.text() + ": " + n.reason, Properties: map[string]any{"pass": g.pass, "entry": g.entry, "layers": inside(g.layers)}}
			if g.buckets != "" {
				r.Properties["buckets"] = g.buckets
			}
			if n.saves != "" {
				r.Message += "; saves " + n.saves
				r.Properties["saves"] = n.saves
			}
			out = append(out, r)
		}
	}
	return diag.SARIFRemarks(w, out, run)
}

// inside are the numbers of layers, without -1.
func inside(numbers []int) []int {
	out := []int{}
	for _, n := range numbers {
		if n >= 0 {
			out = append(out, n)
		}
	}
	return out
}
