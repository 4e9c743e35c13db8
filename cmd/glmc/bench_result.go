package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/runtime/bench"
	"github.com/glmc/glmc/runtime/engine"
)

// benchResult is what bench model --json prints. The fields of the first load stand in the document itself too.
type benchResult struct {
	Model     string `json:"model"`
	Device    string `json:"device"`
	Threads   int    `json:"threads"`
	Precision string `json:"precision"` // of products
	Ranks     int    `json:"ranks"`
	Runs      int    `json:"runs"`
	Dot       string `json:"product_dtype"` // whose rate is the limit of products
	benchLoad
	Loads []benchLoad `json:"loads"`
}

// benchLoad is one load.
type benchLoad struct {
	Tokens int `json:"prompt"`
	Gen    int `json:"gen"`
	Batch  int `json:"batch"`
	benchRates
	TokenBytes    float64        `json:"token_bytes"`       // weights, keys and values that a generated token takes
	ReadGB        float64        `json:"read_gb_s"`         // that generation reads of them
	ReadLimitGB   float64        `json:"read_limit_gb_s"`   // that the threads read in the same runs
	LimitShare    float64        `json:"limit_share"`       // of the one in the other
	PromptFlop    float64        `json:"prompt_token_flop"` // operations of products that a token of a prompt takes
	PromptGFLOP   float64        `json:"prompt_gflop_s"`    // that prompts do of them
	DotLimitGFLOP float64        `json:"product_limit_gflop_s"`
	DotShare      float64        `json:"product_share"`     // of the one in the other; 0: the limit is not known
	Drafts        []benchDrafts  `json:"drafts,omitempty"`  // one for each drafter that guessed
	Without       []benchWithout `json:"without,omitempty"` // one for each pass of --disable-pass
}

// benchDrafts are what came of a drafter's drafts.
type benchDrafts struct {
	Drafter  string  `json:"drafter"`
	Length   float64 `json:"acceptance_length"` // of steps of a sequence that checked drafts
	Rate     float64 `json:"acceptance_rate"`   // of drafted tokens
	Drafted  uint64  `json:"drafted_tokens"`    // that were checked
	Accepted uint64  `json:"accepted_tokens"`
	Wasted   uint64  `json:"wasted_tokens"`
}

// draftsOf are those of each drafter that had some checked.
func draftsOf(stats [engine.Origins]engine.DraftStats) (all []benchDrafts) {
	for from, d := range stats {
		if d.Steps > 0 {
			all = append(all, benchDrafts{Drafter: drafters[from], Length: d.Length(), Rate: d.Rate(), Drafted: d.Checked, Accepted: d.Accepted, Wasted: d.Checked - d.Accepted})
		}
	}
	return all
}

// drafters are the names of who guesses.
var drafters = [engine.Origins]string{engine.FromMTP: "mtp", engine.FromDrafter: "suffix"}

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
	rates := benchRates{Prompt: bench.Median(r.Prompt), PromptSpread: spread(r.Prompt)}
	if len(r.Generate) > 0 {
		rates.Generate, rates.GenerateSpread = bench.Median(r.Generate), spread(r.Generate)
	}
	return rates
}

func spread(values []float64) [2]float64 { return [2]float64{slices.Min(values), slices.Max(values)} }

// result puts together what was measured and what the cost model counts.
func (f *benchModelFlags) result(plans []*plan.Plan, measured []bench.Result, d arithmetic, threads int) (*benchResult, error) {
	r := &benchResult{Model: plans[0].Model, Device: f.device, Threads: threads, Precision: f.precision.used.String(), Ranks: plans[0].Module.Ranks, Runs: f.runs, Dot: d.name}
	for _, m := range measured {
		l, err := f.load(plans, m)
		if err != nil {
			return nil, err
		}
		r.Loads = append(r.Loads, l)
	}
	r.benchLoad = r.Loads[0]
	return r, nil
}

func (f *benchModelFlags) load(plans []*plan.Plan, m bench.Result) (benchLoad, error) {
	full := m.Engines[0]
	l := benchLoad{Tokens: m.Prompt, Gen: m.Load.Generate, Batch: m.Batch, benchRates: ratesOf(full), Drafts: draftsOf(full.Drafts)}
	w, err := workOf(plans[0], m.Load)
	if err != nil {
		return l, err
	}
	var read, dots []float64
	for _, x := range m.Limits {
		read, dots = append(read, x.Read), append(dots, x.Dot)
	}
	l.TokenBytes, l.PromptFlop = w.tokenBytes, w.promptFlop
	l.ReadGB, l.ReadLimitGB = l.TokenBytes*l.Generate/1e9, bench.Median(read)/1e9
	l.PromptGFLOP, l.DotLimitGFLOP = l.PromptFlop*l.Prompt/1e9, bench.Median(dots)/1e9
	// Each run beside the rates that were measured just before it.
	if m.Load.Generate > 0 {
		l.LimitShare = bench.Ratio(full.Generate, read) * l.TokenBytes
	}
	if slices.Min(dots) > 0 {
		l.DotShare = bench.Ratio(full.Prompt, dots) * l.PromptFlop
	}
	for i, pass := range f.without {
		one := m.Engines[i+1]
		x := benchWithout{Pass: pass, benchRates: ratesOf(one), PromptRatio: bench.Ratio(full.Prompt, one.Prompt),
			Same: plans[0].Module.String() == plans[i+1].Module.String()}
		if m.Load.Generate > 0 {
			x.GenerateRatio = bench.Ratio(full.Generate, one.Generate)
		}
		l.Without = append(l.Without, x)
	}
	return l, nil
}

func (r *benchResult) print(w io.Writer) error {
	for i := range r.Loads {
		if i > 0 {
			fmt.Fprintln(w)
		}
		if err := r.printLoad(w, &r.Loads[i]); err != nil {
			return err
		}
	}
	first := &r.Loads[0]
	for i := range r.Loads[1:] {
		if l := &r.Loads[i+1]; l.Tokens > first.Tokens {
			fmt.Fprintf(w, "\nA token costs %.2f times as much in a prompt of %d tokens as in one of %d.\n", first.Prompt/l.Prompt, l.Tokens, first.Tokens)
		}
	}
	return nil
}

func (r *benchResult) printLoad(w io.Writer, l *benchLoad) error {
	fmt.Fprintf(w, "%s on %s%s, %s, %s: %s of %s and %d generated, %s\n\n", r.Model, r.Device, products(r.Precision), diag.Count(r.Ranks, "rank"),
		diag.Count(r.Threads, "thread"), diag.Count(l.Batch, "prompt"), diag.Count(l.Tokens, "token"), l.Gen, diag.Count(r.Runs, "run"))
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprint(t, "TOKENS/S\tPROMPT\tLOWEST TO HIGHEST\tGENERATED\tLOWEST TO HIGHEST")
	if len(l.Without) > 0 {
		fmt.Fprint(t, "\tWITH THE PASS")
	}
	fmt.Fprintf(t, "\n%s", l.row("as compiled"))
	if len(l.Without) > 0 {
		fmt.Fprint(t, "\t-")
	}
	fmt.Fprintln(t)
	for _, x := range l.Without {
		brings := fmt.Sprintf("prompt %.2fx", x.PromptRatio)
		if l.Gen > 0 {
			brings += fmt.Sprintf(", generated %.2fx", x.GenerateRatio)
		}
		if x.Same {
			brings += "; it changes nothing here"
		}
		fmt.Fprintf(t, "%s\t%s\n", x.row("without "+x.Pass), brings)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, d := range l.Drafts {
		fmt.Fprintf(w, "\nDrafts of %s: %.2f tokens a step that checked some. %d of %d drafted tokens came out, %.1f %%; %d were wasted.\n", d.Drafter, d.Length, d.Accepted, d.Drafted, 100*d.Rate, d.Wasted)
	}
	fmt.Fprintf(w, "\nA token of the prompt takes %.3g MFLOP of products: %.3g GFLOP/s", l.PromptFlop/1e6, l.PromptGFLOP)
	if l.DotShare > 0 {
		fmt.Fprintf(w, ", %s %% of the %.3g GFLOP/s that the threads do in %s", threeDigits(100*l.DotShare), l.DotLimitGFLOP, r.Dot)
	}
	fmt.Fprintln(w, ".")
	if l.Gen == 0 {
		return nil
	}
	_, err := fmt.Fprintf(w, "A generated token reads %.3g MB of weights, keys and values: %.3g GB/s, %s %% of the %.3g GB/s that memory gives.\n",
		l.TokenBytes/1e6, l.ReadGB, threeDigits(100*l.LimitShare), l.ReadLimitGB)
	return err
}

// row has a name and the rates with their spread.
func (r *benchRates) row(name string) string {
	generated := "-\t-"
	if r.Generate > 0 {
		generated = fmt.Sprintf("%s\t%s to %s", perSecond(r.Generate), perSecond(r.GenerateSpread[0]), perSecond(r.GenerateSpread[1]))
	}
	return fmt.Sprintf("%s\t%s\t%s to %s\t%s", name,
		perSecond(r.Prompt), perSecond(r.PromptSpread[0]), perSecond(r.PromptSpread[1]), generated)
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
