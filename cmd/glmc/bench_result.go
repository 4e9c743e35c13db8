package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/runtime/bench"
)

// benchResult is what bench model --json prints.
type benchResult struct {
	Model     string `json:"model"`
	Device    string `json:"device"`
	Threads   int    `json:"threads"`
	Precision string `json:"precision"` // of products
	Ranks     int    `json:"ranks"`
	Prompt    int    `json:"prompt"`
	Gen       int    `json:"gen"`
	Batch     int    `json:"batch"`
	Runs      int    `json:"runs"`
	benchRates
	TokenBytes  float64        `json:"token_bytes"`       // weights, keys and values that a generated token takes
	ReadGB      float64        `json:"read_gb_s"`         // that generation reads of them
	ReadLimitGB float64        `json:"read_limit_gb_s"`   // that the threads read in the same runs
	LimitShare  float64        `json:"limit_share"`       // of the one in the other
	Without     []benchWithout `json:"without,omitempty"` // one for each pass of --disable-pass
}

// benchRates are tokens a second of all sequences: medians, and the lowest and the highest.
type benchRates struct {
	Prompt         float64    `json:"prompt_tokens_per_s"`
	PromptSpread   [2]float64 `json:"prompt_spread"`
	Generate       float64    `json:"generate_tokens_per_s"`
	GenerateSpread [2]float64 `json:"generate_spread"`
}

// benchWithout is the model without a pass.
type benchWithout struct {
	Pass string `json:"pass"`
	benchRates
	PromptRatio   float64 `json:"prompt_ratio"`   // how many times faster the model is with the pass
	GenerateRatio float64 `json:"generate_ratio"` // likewise
	Same          bool    `json:"same"`           // the pass changes nothing about this model
}

func ratesOf(r bench.Rates) benchRates {
	return benchRates{bench.Median(r.Prompt), spread(r.Prompt), bench.Median(r.Generate), spread(r.Generate)}
}

func spread(values []float64) [2]float64 { return [2]float64{slices.Min(values), slices.Max(values)} }

// result puts together what was measured and what the cost model counts. bytes are those of a step.
func (f *benchModelFlags) result(plans []*plan.Plan, m bench.Result, bytes float64, threads int) *benchResult {
	full := m.Engines[0]
	r := &benchResult{Model: plans[0].Model, Device: f.device, Threads: threads, Precision: f.precision.used.String(), Ranks: plans[0].Module.Ranks,
		Prompt: f.prompt, Gen: f.gen, Batch: f.batch, Runs: f.runs, benchRates: ratesOf(full)}
	r.TokenBytes = bytes / float64(f.batch)
	r.ReadGB = r.TokenBytes * r.Generate / 1e9
	r.ReadLimitGB = bench.Median(m.Read) / 1e9
	// Each run beside the rate that was measured just before it.
	r.LimitShare = bench.Ratio(full.Generate, m.Read) * r.TokenBytes
	for i, pass := range f.without {
		one := m.Engines[i+1]
		r.Without = append(r.Without, benchWithout{Pass: pass, benchRates: ratesOf(one),
			PromptRatio: bench.Ratio(full.Prompt, one.Prompt), GenerateRatio: bench.Ratio(full.Generate, one.Generate),
			Same: plans[0].Module.String() == plans[i+1].Module.String()})
	}
	return r
}

func (r *benchResult) print(w io.Writer) error {
	fmt.Fprintf(w, "%s on %s%s, %s, %s: %s of %s and %d generated, %s\n\n", r.Model, r.Device, products(r.Precision), diag.Count(r.Ranks, "rank"),
		diag.Count(r.Threads, "thread"), diag.Count(r.Batch, "prompt"), diag.Count(r.Prompt, "token"), r.Gen, diag.Count(r.Runs, "run"))
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprint(t, "TOKENS/S\tPROMPT\tLOWEST TO HIGHEST\tGENERATED\tLOWEST TO HIGHEST")
	if len(r.Without) > 0 {
		fmt.Fprint(t, "\tWITH THE PASS")
	}
	fmt.Fprintf(t, "\n%s", r.row("as compiled"))
	if len(r.Without) > 0 {
		fmt.Fprint(t, "\t-")
	}
	fmt.Fprintln(t)
	for _, x := range r.Without {
		brings := fmt.Sprintf("prompt %.2fx, generated %.2fx", x.PromptRatio, x.GenerateRatio)
		if x.Same {
			brings += "; it changes nothing here"
		}
		fmt.Fprintf(t, "%s\t%s\n", x.row("without "+x.Pass), brings)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\nA generated token reads %.3g MB of weights, keys and values: %.3g GB/s, %.3g %% of the %.3g GB/s that memory gives.\n",
		r.TokenBytes/1e6, r.ReadGB, 100*r.LimitShare, r.ReadLimitGB)
	return err
}

// row has a name and the rates with their spread.
func (r *benchRates) row(name string) string {
	return fmt.Sprintf("%s\t%s\t%s to %s\t%s\t%s to %s", name,
		perSecond(r.Prompt), perSecond(r.PromptSpread[0]), perSecond(r.PromptSpread[1]),
		perSecond(r.Generate), perSecond(r.GenerateSpread[0]), perSecond(r.GenerateSpread[1]))
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
