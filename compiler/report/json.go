package report

import (
	"github.com/glmc/glmc/compiler/history"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/dsl/diag"
)

// JSON is what `glmc inspect --json` prints; its form is part of the command-line contract.
type JSON struct {
	Precision string           `json:"precision"` // of products: "exact" or "fast"
	Passes    []JSONPass       `json:"passes"`
	History   *history.History `json:"history,omitempty"` // with --graph: the graph after each pass, whatever the filters say
}

// JSONPass is one pass with its sites. Applied and Missed count all sites, whatever a filter picks.
type JSONPass struct {
	Name     string     `json:"name"`
	Doc      string     `json:"doc"`
	Numeric  string     `json:"numeric"`
	Disabled bool       `json:"disabled,omitempty"`
	Applied  int        `json:"applied"`
	Missed   int        `json:"missed"`
	Sites    []JSONSite `json:"sites"`
}

// JSONSite is one remark. Rank is null where all ranks are equal.
type JSONSite struct {
	Status  string `json:"status"` // "applied" or "missed"
	ID      string `json:"id"`
	Entry   string `json:"entry"`
	Layer   int    `json:"layer"`             // -1: outside of any layer
	Buckets string `json:"buckets,omitempty"` // sizes of steps, where the entry has several programs
	Rank    *int   `json:"rank"`
	Source  string `json:"source"` // file:line:col
	Place
	Reason string         `json:"reason"`
	Saves  map[string]any `json:"saves"` // "launches", "bytes_per_token" of activations, "decode_us" and "prefill_us" of the largest steps as predicted, where they are not 0
}

// Place is a stretch of a file, up to, not including, its end, as `glmc check --json` has it. Lines and columns count
// from 1, columns in bytes; all are 0 where the place is not known, the end alone where only that is not.
type Place struct {
	File      string `json:"file"`
	Line      int    `json:"line"`
	Column    int    `json:"column"`
	EndLine   int    `json:"end_line"`
	EndColumn int    `json:"end_column"`
}

// NewJSON collects a plan's passes with the remarks that a filter picks.
func NewJSON(p *plan.Plan, f Filter) JSON {
	out := JSON{Precision: p.Serving.Precision.String(), Passes: []JSONPass{}}
	for _, x := range p.Passes {
		if f.Pass != "" && f.Pass != x.Name {
			continue
		}
		j := JSONPass{Name: x.Name, Doc: x.Doc, Numeric: x.Numeric, Disabled: x.Disabled, Applied: x.Applied, Missed: x.Missed, Sites: []JSONSite{}}
		for _, r := range Select(p, Filter{Pass: x.Name, Entry: f.Entry, Layer: f.Layer}) {
			j.Sites = append(j.Sites, jsonSite(r))
		}
		out.Passes = append(out.Passes, j)
	}
	return out
}

func jsonSite(r plan.Remark) JSONSite {
	s := JSONSite{Status: "missed", ID: r.ID, Entry: r.Entry, Layer: r.Layer, Buckets: r.Buckets, Source: r.Source, Reason: r.Reason, Saves: map[string]any{}}
	if r.Applied {
		s.Status = "applied"
	}
	s.Place = placeOf(r)
	if r.SavesLaunches != 0 {
		s.Saves["launches"] = r.SavesLaunches
	}
	if r.SavesBytes != 0 {
		s.Saves["bytes_per_token"] = r.SavesBytes
	}
	if r.SavesDecode != 0 {
		s.Saves["decode_us"] = Microseconds(r.SavesDecode)
	}
	if r.SavesPrefill != 0 {
		s.Saves["prefill_us"] = Microseconds(r.SavesPrefill)
	}
	return s
}

func placeOf(r plan.Remark) Place {
	at := diag.ParseRange(r.Source, r.End)
	p := Place{File: at.File, Line: at.Start.Line, Column: at.Start.Column}
	if r.End != "" {
		p.EndLine, p.EndColumn = at.End.Line, at.End.Column
	}
	return p
}
