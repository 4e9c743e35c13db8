package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/compiler/cost"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/compiler/report"
	"github.com/glmc/glmc/dsl/diag"
)

// summary is what compile --json prints.
type summary struct {
	Plan      string          `json:"plan"`
	Digest    string          `json:"digest"` // of the plan's body, as its header has it
	Bytes     int             `json:"bytes"`
	CompileMS float64         `json:"compile_ms"`
	Stored    string          `json:"stored"`         // dtype that weights are taken to be stored in
	Assumed   bool            `json:"stored_assumed"` // and nothing says so
	Precision string          `json:"precision"`
	Passes    []passSummary   `json:"passes"`
	Memory    memorySummary   `json:"memory"`
	Launches  map[string]int  `json:"launches"` // by entry, of its smallest bucket
	Layers    []layerLaunches `json:"layers"`
	Predicted []prediction    `json:"predicted"`
}

type passSummary struct {
	Name    string  `json:"name"`
	Applied int     `json:"applied"`
	Missed  int     `json:"missed"`
	MS      float64 `json:"ms"`
}

// memorySummary is in bytes for each rank.
type memorySummary struct {
	Weights         int64 `json:"weights"`
	Arena           int64 `json:"arena"` // of the largest bucket
	CachePerToken   int64 `json:"kv_per_token"`
	ArenaLowerBound int64 `json:"arena_lower_bound"`
}

// prediction is one bucket of an entry on the target.
type prediction struct {
	Entry    string  `json:"entry"`
	Phase    string  `json:"phase"`
	Tokens   int     `json:"tokens"`
	Launches int     `json:"launches"`
	MicroSec float64 `json:"us"`
}

func summarise(r *compiler.Result, out string, file []byte) (summary, error) {
	s := summary{Plan: out, Digest: plan.Digest(file), Bytes: len(file), CompileMS: float64(r.Time.Microseconds()) / 1e3,
		Stored: r.Stored.String(), Assumed: r.Assumed, Precision: r.Plan.Serving.Precision.String(), Launches: map[string]int{}, Layers: launchesOfLayers(r)}
	for _, p := range r.Passes {
		s.Passes = append(s.Passes, passSummary{p.Pass.Name, p.Applied, p.Missed, float64(p.Time.Microseconds()) / 1e3})
	}
	target, err := cost.OfPlan(r.Plan)
	if err != nil {
		return s, err
	}
	m := report.MeasureMemory(r.Plan)
	s.Memory = memorySummary{Weights: m.Weights, Arena: m.Arena, CachePerToken: m.CachePerToken, ArenaLowerBound: m.ArenaLowerBound}
	for _, p := range r.Plan.Programs {
		launches := report.Launches(p.Graph)
		if _, ok := s.Launches[p.Graph.Name]; !ok { // the first program is for the smallest steps
			s.Launches[p.Graph.Name] = launches
		}
		for _, l := range p.Layouts {
			us := 1e6 * cost.Program(p.Graph, l.Max, target).Seconds
			s.Predicted = append(s.Predicted, prediction{p.Graph.Name, l.Phase, l.Max.Tokens, launches, us})
		}
	}
	return s, nil
}

// placeOf says what a plan runs on and how: "cpu, 1 rank". Products are exact where it says nothing of them.
func placeOf(p *plan.Plan) string {
	return fmt.Sprintf("%s, %s%s", p.Target, diag.Count(p.Module.Ranks, "rank"), products(p.Serving.Precision.String()))
}

// products names the precision of products where it is not exact: ", fast products".
func products(precision string) string {
	if precision == plan.Exact.String() {
		return ""
	}
	return fmt.Sprintf(", %s products", precision)
}

func (s *summary) print(w io.Writer, p *plan.Plan) error {
	fmt.Fprintf(w, "%s for %s -> %s (%s in %.0f ms)\n\n", p.Model, placeOf(p), s.Plan, report.Bytes(int64(s.Bytes)), s.CompileMS)
	if err := report.Passes(w, p); err != nil {
		return err
	}
	for _, pass := range s.Passes {
		if pass.Missed > 0 {
			fmt.Fprintf(w, "glmc inspect %s --pass %s says where it missed, and why\n", s.Plan, pass.Name)
		}
	}
	fmt.Fprintf(w, "\nmemory of a rank: %s weights, %s arena (live-range bound %s), %s KV cache a token\n\n",
		report.Bytes(s.Memory.Weights), report.Bytes(s.Memory.Arena), report.Bytes(s.Memory.ArenaLowerBound), report.Bytes(s.Memory.CachePerToken))
	if s.Assumed {
		fmt.Fprintf(w, "weights are taken to be stored in %s: nothing says in which dtype they are; --weights DIR or --config FILE would\n\n", s.Stored)
	}
	printLaunches(w, s.Layers)
	return s.printPredictions(w, p)
}

// printPredictions writes a table with columns for each entry: its time and its launches in each bucket.
func (s *summary) printPredictions(w io.Writer, p *plan.Plan) error {
	entries := p.Entries()
	type bucket struct {
		phase  string
		tokens int
	}
	found := map[bucket]map[string]prediction{} // by entry
	var order []bucket
	for _, c := range s.Predicted {
		b := bucket{c.Phase, c.Tokens}
		if found[b] == nil {
			order = append(order, b)
			found[b] = map[string]prediction{}
		}
		found[b][c.Entry] = c
	}
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintf(t, "PREDICTED ON %s", p.Target)
	for _, e := range entries {
		fmt.Fprintf(t, "\t%s\tlaunches", e)
	}
	fmt.Fprintln(t)
	for _, b := range order {
		fmt.Fprintf(t, "%s %d", b.phase, b.tokens)
		for _, e := range entries {
			fmt.Fprintf(t, "\t%s\t%d", report.Duration(found[b][e].MicroSec), found[b][e].Launches)
		}
		fmt.Fprintln(t)
	}
	return t.Flush()
}
