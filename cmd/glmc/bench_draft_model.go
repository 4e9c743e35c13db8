package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"text/tabwriter"

	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/runtime/bench"
	"github.com/glmc/glmc/runtime/draft/replay"
	"github.com/glmc/glmc/runtime/engine"
	"github.com/glmc/glmc/runtime/exec"
	"github.com/glmc/glmc/runtime/safetensors"
)

// runModel has the model of --weights answer the prompts of the sessions, with each kind of drafts in turn.
func (f *benchDraftFlags) runModel(ctx context.Context, sessions []replay.Session) error {
	files, err := openFiles(f.weights)
	if err != nil {
		return err
	}
	p, err := loadModel("", &f.compile, files)
	if err != nil {
		return err
	}
	text, err := f.text.load(files, true)
	if err != nil {
		return err
	}
	l := bench.DraftLoad{Prompts: f.prompts(p, sessions), Tokens: f.gen, Stop: text.stop, Streams: f.concurrency, Temperature: f.temperature}
	if len(l.Prompts) == 0 {
		return fmt.Errorf("--dataset %s: no prompt leaves room for --gen %d tokens within the model's %d positions", f.dataset, f.gen, p.Facts.MaxPositions)
	}
	ckpt, err := files.open()
	if err != nil {
		return err
	}
	defer ckpt.Close()
	var kinds []bench.Drafting
	for _, kind := range draftKinds {
		k, end, err := f.drafting(ctx, kind, p, ckpt, l.Prompts)
		if err != nil {
			return err
		}
		defer end()
		kinds = append(kinds, k)
	}
	if bar := progressBar(len(l.Prompts), "prompts"); bar != nil {
		l.Observe = func(done int) { _ = bar.Set(done) }
	}
	rates, err := bench.Drafts(ctx, kinds, l)
	if err != nil {
		return err
	}
	d := f.modelDocument(rates, len(l.Prompts))
	if f.asJSON {
		return printJSON(d)
	}
	return printText(d.print)
}

// prompts are those of the turns that the model has positions for.
func (f *benchDraftFlags) prompts(p *plan.Plan, sessions []replay.Session) [][]int32 {
	var all [][]int32
	for turn, some := 0, true; some; turn++ { // the first turn of each session, the second of each, and so on: as if they ran side by side
		some = false
		for _, s := range sessions {
			if turn < len(s) {
				some = true
				if most := p.Facts.MaxPositions; most == 0 || len(s[turn].Prompt)+f.gen <= most {
					all = append(all, s[turn].Prompt)
				}
			}
		}
	}
	return all
}

// drafting makes an engine with a kind of drafts, and an executor for it. What ends both must be called.
func (f *benchDraftFlags) drafting(ctx context.Context, kind string, p *plan.Plan, ckpt *safetensors.Checkpoint, prompts [][]int32) (k bench.Drafting, end func(), err error) {
	flag := draftFlag{kind: kind}
	guesses, err := flag.settle(p)
	if err != nil {
		return k, nil, err
	}
	longest := 0
	for _, prompt := range prompts {
		longest = max(longest, len(prompt))
	}
	each := (longest+f.gen)/p.Cache.PageSize + 2
	ex, err := exec.New(ctx, p, ckpt, exec.Options{Device: "cpu", Pages: each * (f.concurrency + 8), Entries: guesses.entries()})
	if err != nil {
		return k, nil, errors.Join(err, guesses.Close())
	}
	end = func() {
		ex.Close()
		_ = guesses.Close()
	}
	k = bench.Drafting{Kind: kind, Watch: &bench.Watch{}}
	if k.Engine, err = engine.New(ex, guesses.options(engine.Options{MaxRunning: f.concurrency, Observe: k.Watch})); err != nil {
		end()
		return k, nil, err
	}
	return k, end, nil
}

// draftModelDocument is what bench draft --model --json prints.
type draftModelDocument struct {
	Dataset     string           `json:"dataset"`
	Prompts     int              `json:"prompts"`
	Concurrency int              `json:"concurrency"`
	Temperature float64          `json:"temperature"`
	Kinds       []draftModelKind `json:"kinds"`
	Lead        draftModelLead   `json:"lead"` // of the last kind
}

type draftModelKind struct {
	Kind     string  `json:"kind"`
	Rate     float64 `json:"tokens_per_second"` // of generation
	Ratio    float64 `json:"ratio"`             // to none
	Median   float64 `json:"median_ratio"`      // to none, over groups of prompts
	Total    float64 `json:"total_tokens_per_second"`
	Tokens   int     `json:"output_tokens"`
	Steps    int     `json:"steps"` // of nothing but generation
	Drafted  uint64  `json:"drafted_tokens"`
	Accepted uint64  `json:"accepted_tokens"`
	Length   float64 `json:"acceptance_length"` // of steps of a sequence that checked drafts
	Share    float64 `json:"acceptance_rate"`   // of drafted tokens
	FromMTP  float64 `json:"acceptance_length_mtp"`
	FromTree float64 `json:"acceptance_length_suffix"`

	Drafters []benchDrafts `json:"drafters,omitempty"`
}

// draftModelLead says how many times faster a kind is than the fastest of the others.
type draftModelLead struct {
	Kind    string         `json:"kind"`
	Groups  int            `json:"groups"` // of prompts
	Answers draftModelOver `json:"answers"`
	All     draftModelOver `json:"with_prompts"`
}

type draftModelOver struct {
	Over  string  `json:"over"`
	Ratio float64 `json:"ratio"`
	Low   float64 `json:"low"` // of 95 per cent
	High  float64 `json:"high"`
}

func (f *benchDraftFlags) modelDocument(rates []bench.DraftRates, prompts int) *draftModelDocument {
	d := &draftModelDocument{Dataset: f.dataset, Prompts: prompts, Concurrency: f.concurrency, Temperature: f.temperature}
	for i := range rates {
		r := &rates[i]
		d.Kinds = append(d.Kinds, draftModelKind{Kind: r.Kind, Rate: r.Answers.Rate(), Ratio: r.Answers.Rate() / max(rates[0].Answers.Rate(), 1e-9), Median: r.Against(&rates[0]), Total: r.All.Rate(),
			Tokens: r.All.Tokens, Steps: r.Steps, Drafted: r.Drafts.Checked, Accepted: r.Drafts.Accepted, Length: r.Drafts.Length(), Share: r.Drafts.Rate(),
			FromMTP: r.Origins[engine.FromMTP].Length(), FromTree: r.Origins[engine.FromDrafter].Length(), Drafters: draftsOf(r.Origins)})
	}
	last := len(rates) - 1
	d.Lead = draftModelLead{Kind: rates[last].Kind, Groups: len(rates[last].Groups),
		Answers: draftModelOver(bench.Leads(rates, last, func(s *bench.DraftSpans) bench.Span { return s.Answers })),
		All:     draftModelOver(bench.Leads(rates, last, func(s *bench.DraftSpans) bench.Span { return s.All }))}
	return d
}

func (d *draftModelDocument) print(w io.Writer) error {
	fmt.Fprintf(w, "%s: %d prompts, %d at a time\n\n", filepath.Base(d.Dataset), d.Prompts, d.Concurrency)
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "draft\ttokens/s\tto none\tmedian\twith prompts\tsteps\tdrafted\taccepted\trate\tlength\tof mtp\tof suffix\t")
	for _, k := range d.Kinds {
		fmt.Fprintf(t, "%s\t%.0f\t%.3f\t%.3f\t%.0f\t%d\t%d\t%d\t%.3f\t%.2f\t%.2f\t%.2f\t\n", k.Kind, k.Rate, k.Ratio, k.Median, k.Total, k.Steps, k.Drafted, k.Accepted, k.Share, k.Length, k.FromMTP, k.FromTree)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	l := &d.Lead
	_, err := fmt.Fprintf(w, "\n%s / best other, with 95%% intervals over %d groups of prompts: %s; with prompts %s\n", l.Kind, l.Groups, l.Answers, l.All)
	return err
}

func (o draftModelOver) String() string {
	return fmt.Sprintf("%.3f (%.3f to %.3f) to %s", o.Ratio, o.Low, o.High, o.Over)
}
