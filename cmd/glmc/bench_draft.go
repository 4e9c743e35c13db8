package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/runtime/draft/replay"
	"github.com/glmc/glmc/runtime/draft/suffix"
	"github.com/glmc/glmc/runtime/text/chat"
)

// benchDraftFlags are the flags of `glmc bench draft`.
type benchDraftFlags struct {
	text        textFlags
	weights     string
	dataset     string
	turns       int
	depth       int
	factor      float64
	offset      float64
	minProb     float64
	tree        bool
	maxTokens   int
	requests    int
	memory      int64
	concurrency int
	asJSON      bool

	model       bool
	gen         int
	temperature float64
	compile     compileFlags
}

func benchDraftCommand() *cobra.Command {
	var f benchDraftFlags
	cmd := &cobra.Command{
		Use:   "draft --dataset FILE",
		Short: "Measure how well recorded sessions could be drafted",
		Long: `Bench draft replays recorded sessions without a model: what was said is the truth that drafts are held against, as
a greedy model would with these prompts. It prints how many tokens a step gives on average, the one that the model
adds itself included, which share of the drafted tokens was right, what drafts cost in time and memory, and how
long the trees of prompts take to build. Drafts are those of suffix decoding: what followed the last tokens before,
in the request itself or in the responses of earlier ones.

With --model the model answers the prompts itself, --concurrency at a time and up to --gen tokens each, without drafts
and with each kind of --draft in turn: tokens/s of generation, and how many tokens came of drafts. All answers have to
be the same, sampled ones too. The model is loaded once for each kind.

FILE has one JSON object a line: {"messages", "tools"} as OpenAI has them, of which each message of the assistant is
a turn, or {"prompt", "response"} as lists of token ids. Text becomes tokens by the tokenizer and the chat template
of --weights, or of the small model that the binary carries.`,
		Example: `  glmc bench draft --dataset models/tiny/sessions.jsonl
  glmc bench draft --dataset FILE --tree --max-spec-factor 2 --concurrency 8 --json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(cmd.Flags().Changed); err != nil {
				return err
			}
			return f.run(cmd.Context())
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&f.dataset, "dataset", "", "JSON lines `FILE` with sessions")
	fs.StringVar(&f.weights, "weights", "", "checkpoint `DIR` with tokenizer and chat template (default: the bundled model's)")
	fs.StringVar(&f.text.tokenizer, "tokenizer", "", "tokenizer.json `FILE` (default: the checkpoint's)")
	fs.StringVar(&f.text.template, "chat-template", "", "Jinja `FILE` (default: the checkpoint's)")
	fs.IntVar(&f.turns, "num-turns", 0, "`N` turns (default: all)")
	fs.IntVar(&f.depth, "max-depth", suffix.MaxDepth, "`N` tokens that a match and its draft have together at most")
	fs.Float64Var(&f.factor, "max-spec-factor", suffix.Defaults.Factor, "`N` drafted tokens for each matched one at most")
	fs.Float64Var(&f.offset, "max-spec-offset", suffix.Defaults.Offset, "`N` drafted tokens beyond that")
	fs.Float64Var(&f.minProb, "min-token-prob", suffix.Defaults.MinProb, "least estimated probability `P` of a drafted token")
	fs.BoolVar(&f.tree, "tree", false, "draft trees of alternatives instead of paths")
	fs.IntVar(&f.maxTokens, "max-tokens", 0, "`N` drafted tokens in a step at most (default: what the depth allows)")
	fs.IntVar(&f.requests, "cache-requests", 10_000, "`N` responses that are remembered at most")
	fs.Int64Var(&f.memory, "cache-memory", 1<<30, "`BYTES` that they may take")
	fs.IntVar(&f.concurrency, "concurrency", 1, "`N` sessions side by side")
	fs.BoolVar(&f.model, "model", false, "have the model of --weights answer the prompts, with each kind of drafts in turn, and measure tokens/s")
	fs.IntVar(&f.gen, "gen", 128, "`N` tokens that --model answers with at most")
	fs.Float64Var(&f.temperature, "temperature", 0, "`T` of sampling with --model; 0 is greedy")
	fs.BoolVar(&f.asJSON, "json", false, "print one JSON document")
	return cmd
}

// check refuses command lines that make no sense. Given says whether they have a flag.
func (f *benchDraftFlags) check(given func(string) bool) error {
	switch {
	case f.dataset == "":
		return usagef("bench draft wants sessions: --dataset FILE")
	case given("gen") && !f.model:
		return usagef("--gen wants --model: without it no model answers")
	}
	for _, flag := range []string{"max-depth", "max-spec-factor", "max-spec-offset", "min-token-prob", "tree", "max-tokens", "cache-requests", "cache-memory"} {
		if f.model && given(flag) {
			return usagef("--%s is for drafts without a model: with --model they are those of glmc run", flag)
		}
	}
	for _, x := range []struct {
		flag         string
		value, least int
	}{{"num-turns", f.turns, 0}, {"max-tokens", f.maxTokens, 0}, {"cache-requests", f.requests, 1}, {"concurrency", f.concurrency, 1}, {"gen", f.gen, 2}} {
		if x.value < x.least || x.value > math.MaxInt32 {
			return usagef("--%s %d: wants a number from %d on", x.flag, x.value, x.least)
		}
	}
	switch {
	case f.depth < 2 || f.depth > suffix.MaxDepth:
		return usagef("--max-depth %d: wants a number from 2 to %d", f.depth, suffix.MaxDepth)
	case !(f.factor >= 0 && f.factor <= 1e6):
		return usagef("--max-spec-factor %v: wants a number from 0 on", f.factor)
	case !(f.offset >= -1e6 && f.offset <= 1e6):
		return usagef("--max-spec-offset %v: wants a number of tokens", f.offset)
	case !(f.minProb >= 0 && f.minProb <= 1):
		return usagef("--min-token-prob %v: wants a probability from 0 to 1", f.minProb)
	case !(f.temperature >= 0) || math.IsInf(f.temperature, 1):
		return usagef("--temperature %v: wants a number from 0 on", f.temperature)
	case f.memory < 1<<20 || f.memory > 64<<30:
		return usagef("--cache-memory %d: wants bytes, from a MiB to 64 GiB", f.memory)
	}
	return nil
}

func (f *benchDraftFlags) run(ctx context.Context) error {
	sessions, err := f.read()
	if err != nil {
		return err
	}
	if f.model {
		return f.runModel(ctx, sessions)
	}
	turns := 0
	for _, s := range sessions {
		turns += len(s)
	}
	o := replay.Options{Concurrency: f.concurrency, Cache: suffix.Config{
		Depth: f.depth, MaxRequests: f.requests, MaxBytes: f.memory,
		Options: suffix.Options{MaxTokens: cmp.Or(f.maxTokens, suffix.MaxDepth), Factor: f.factor, Offset: f.offset, MinProb: f.minProb, Tree: f.tree},
	}}
	if bar := progressBar(turns, "turns", progressbar.OptionShowIts()); bar != nil {
		o.Observe = func(done int) { _ = bar.Set(done) }
	}
	r, err := replay.Run(ctx, sessions, o)
	if err != nil {
		return err
	}
	d := f.document(r, len(sessions))
	if f.asJSON {
		return printJSON(d)
	}
	return printText(d.print)
}

// read reads the data set and makes tokens of it.
func (f *benchDraftFlags) read() ([]replay.Session, error) {
	files, err := openFiles(f.weights)
	if err != nil {
		return nil, err
	}
	var tools *textTools
	var template *chat.Template
	encode := func(conv chat.Conversation, generate bool) ([]int32, error) {
		if template == nil { // token ids need none
			if tools, err = f.text.load(files, true); err != nil {
				return nil, err
			}
			if template, err = tools.template(); err != nil {
				return nil, err
			}
		}
		return tools.render(template, conv, generate)
	}
	file, err := os.Open(f.dataset)
	if err != nil {
		return nil, fmt.Errorf("--dataset: %w", err)
	}
	defer file.Close()
	sessions, err := replay.ReadSessions(file, encode, f.turns)
	if err != nil {
		return nil, fmt.Errorf("--dataset %s: %w", f.dataset, err)
	}
	return sessions, nil
}

// draftDocument is what bench draft --json prints. Times are in microseconds.
type draftDocument struct {
	Dataset     string     `json:"dataset"`
	Sessions    int        `json:"sessions"`
	Turns       int        `json:"turns"`
	Concurrency int        `json:"concurrency"`
	Settings    draftRules `json:"settings"`
	Steps       int        `json:"steps"`
	Tokens      int        `json:"output_tokens"`
	Drafted     int        `json:"drafted_tokens"`
	Accepted    int        `json:"accepted_tokens"`
	Wasted      int        `json:"wasted_tokens"`
	Length      float64    `json:"acceptance_length"` // tokens a step, the model's own included
	Rate        float64    `json:"acceptance_rate"`   // of drafted tokens
	Local       int        `json:"steps_from_request"`
	Others      int        `json:"steps_from_responses"`
	Speculate   draftTimes `json:"speculate_us"`
	Append      draftTimes `json:"append_us"` // of all tokens of a step
	Build       draftTimes `json:"build_us"`  // of a prompt
	Learn       draftTimes `json:"learn_us"`  // of a response
	AppendToken float64    `json:"append_us_per_token"`
	BuildToken  float64    `json:"build_us_per_token"`
	LearnToken  float64    `json:"learn_us_per_token"`
	LocalBytes  float64    `json:"request_bytes_per_token"`
	CacheBytes  float64    `json:"cache_bytes_per_token"`
	Cache       draftCache `json:"cache"`
}

type draftRules struct {
	Depth     int     `json:"max_depth"`
	Factor    float64 `json:"max_spec_factor"`
	Offset    float64 `json:"max_spec_offset"`
	MinProb   float64 `json:"min_token_prob"`
	MaxTokens int     `json:"max_tokens"`
	Tree      bool    `json:"tree"`
	Requests  int     `json:"cache_requests"`
	Memory    int64   `json:"cache_memory"`
}

type draftTimes struct {
	Mean float64 `json:"mean"`
	P50  float64 `json:"p50"`
	P99  float64 `json:"p99"`
}

type draftCache struct {
	Responses int   `json:"responses"`
	Tokens    int   `json:"tokens"`
	Nodes     int   `json:"nodes"`
	Bytes     int   `json:"bytes"`
	Evicted   int64 `json:"evicted"`
}

func (f *benchDraftFlags) document(r *replay.Result, sessions int) *draftDocument {
	times := func(t replay.Times) draftTimes {
		return draftTimes{Mean: micros(t.Mean()), P50: micros(t.Quantile(0.5)), P99: micros(t.Quantile(0.99))}
	}
	per := func(total float64, count int) float64 { return total / float64(max(1, count)) }
	s := r.Stats
	return &draftDocument{
		Dataset: filepath.Base(f.dataset), Sessions: sessions, Turns: r.Turns, Concurrency: f.concurrency,
		Settings: draftRules{f.depth, f.factor, f.offset, f.minProb, f.maxTokens, f.tree, f.requests, f.memory},
		Steps:    r.Steps, Tokens: r.Tokens, Drafted: r.Drafted, Accepted: r.Accepted, Wasted: r.Drafted - r.Accepted,
		Length: r.AcceptanceLength(), Rate: r.AcceptanceRate(), Local: r.Local, Others: r.Others,
		Speculate: times(r.Speculate), Append: times(r.Append), Build: times(r.Build), Learn: times(r.Learn),
		AppendToken: per(micros(r.Append.Sum()), r.Tokens), BuildToken: per(micros(r.Build.Sum()), r.PromptTokens), LearnToken: per(micros(r.Learn.Sum()), r.Tokens),
		LocalBytes: per(float64(r.LocalBytes), r.LocalTokens), CacheBytes: per(float64(s.Bytes), s.Tokens),
		Cache: draftCache{Responses: s.Responses, Tokens: s.Tokens, Nodes: s.Nodes, Bytes: s.Bytes, Evicted: s.Evicted},
	}
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// print writes the table.
func (d *draftDocument) print(w io.Writer) error {
	fmt.Fprintf(w, "%s: %s, %s, %d tokens said in %d steps\n\n", d.Dataset, diag.Count(d.Sessions, "session"), diag.Count(d.Turns, "turn"), d.Tokens, d.Steps)
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintf(t, "acceptance length\t%.3f tokens a step\n", d.Length)
	fmt.Fprintf(t, "acceptance rate\t%.1f%%\n", 100*d.Rate)
	fmt.Fprintf(t, "drafted\t%d tokens: %d accepted, %d wasted\n", d.Drafted, d.Accepted, d.Wasted)
	fmt.Fprintf(t, "drafts\t%d from the request, %d from responses, %d none\n", d.Local, d.Others, d.Steps-d.Local-d.Others)
	fmt.Fprintf(t, "speculate\t%s\n", d.Speculate)
	fmt.Fprintf(t, "append\t%s, %.2f µs a token\n", d.Append, d.AppendToken)
	fmt.Fprintf(t, "build a prompt's tree\t%s, %.2f µs a token\n", d.Build, d.BuildToken)
	fmt.Fprintf(t, "learn a response\t%s, %.2f µs a token\n", d.Learn, d.LearnToken)
	fmt.Fprintf(t, "memory\t%.1f bytes a token of requests, %.1f of responses\n", d.LocalBytes, d.CacheBytes)
	fmt.Fprintf(t, "responses\t%d of %d tokens in %d nodes, %d evicted\n", d.Cache.Responses, d.Cache.Tokens, d.Cache.Nodes, d.Cache.Evicted)
	return t.Flush()
}

func (t draftTimes) String() string {
	return fmt.Sprintf("mean %.2f, median %.2f, p99 %.2f µs", t.Mean, t.P50, t.P99)
}
