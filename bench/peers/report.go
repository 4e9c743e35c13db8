package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/glmc/glmc/runtime/bench"
)

// report is what -json prints.
type report struct {
	Machine string   `json:"machine"`
	Threads int      `json:"threads"`
	Rounds  int      `json:"rounds"`
	Peer    string   `json:"peer"`
	Glmc    string   `json:"glmc"`
	Busy    float64  `json:"load_average_before"` // of one minute; -1: unknown
	Results []result `json:"results"`
	LeftOut []string `json:"left_out,omitempty"` // with the reason
}

// result is a workload in one format of each side. Rates are tokens a second, one for each round.
type result struct {
	Model      string    `json:"model"`
	Workload   string    `json:"workload"`
	PeerFormat string    `json:"peer_format"`
	GlmcFormat string    `json:"glmc_format"`
	Peer       []float64 `json:"peer"`
	Glmc       []float64 `json:"glmc"`
	Ratio      float64   `json:"ratio"` // ours to the peer's: the median over the rounds
	Share      float64   `json:"share"` // that glmc reaches of the limit
	Limit      float64   `json:"limit"` // of memory in GB/s where tokens are generated, of products in GFLOP/s otherwise
}

func (r *report) printJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// print writes Markdown.
func (r *report) print(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %d threads; medians of %d rounds in turn, and in brackets the lowest and the highest; %s; %s.\n", r.Machine, r.Threads, r.Rounds, r.Peer, r.Glmc)
	if r.Busy > 0.5 {
		fmt.Fprintf(&b, "The machine was busy (load average %.1f before the first round), which slows programs most whose threads wait for one another: "+
			"measure again when it is quiet.\n", r.Busy)
	}
	var models []string
	for _, x := range r.Results {
		if !slices.Contains(models, x.Model) {
			models = append(models, x.Model)
		}
	}
	for _, m := range models {
		fmt.Fprintf(&b, "\n`%s`, tokens/s:\n\n| workload | llama.cpp | | glmc | | ratio | of the limit |\n|---|---|--:|---|--:|--:|---|\n", m)
		for _, x := range r.Results {
			if x.Model == m {
				b.WriteString(x.row())
			}
		}
	}
	if len(r.LeftOut) > 0 {
		b.WriteString("\nLeft out:\n\n")
		for _, reason := range r.LeftOut {
			fmt.Fprintf(&b, "- %s\n", strings.Join(strings.Fields(reason), " "))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (x *result) row() string {
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %.2f | %.0f %% of %.0f %s |\n", x.Workload, x.PeerFormat, spread(x.Peer), x.GlmcFormat, spread(x.Glmc),
		x.Ratio, 100*x.Share, x.Limit, unit(x.Workload))
}

// unit is that of the limit of a workload.
func unit(workload string) string {
	if strings.HasPrefix(workload, "pp") {
		return "GFLOP/s"
	}
	return "GB/s"
}

// spread is a median, and in brackets the lowest and the highest.
func spread(values []float64) string {
	return fmt.Sprintf("%s (%s-%s)", perSecond(bench.Median(values)), perSecond(slices.Min(values)), perSecond(slices.Max(values)))
}

// perSecond has three digits, and all of those before the point.
func perSecond(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}
