package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/runtime/load"
)

// benchServeFlags are the flags of `glmc bench serve`.
type benchServeFlags struct {
	url, api, key, model string
	input, output        int
	ratio                float64
	vocab                int
	rate                 float64
	concurrency          int
	prompts              int
	dataset              string
	warmup               int
	seed                 uint64
	ignoreEOS            bool
	temperature          float64
	extra                string
	timeout              time.Duration
	slo                  string
	html                 string
	asJSON               bool

	body   map[string]json.RawMessage // of --extra-body
	bounds load.SLO                   // of --slo
}

// fewIDs are in the vocabulary of every model: what prompts are drawn from where the server does not say how large its is.
const fewIDs = 1000

func benchServeCommand() *cobra.Command {
	var f benchServeFlags
	cmd := &cobra.Command{
		Use:   "serve [--url URL]",
		Short: "Measure a server as its clients see it",
		Long: `Bench serve sends requests to a server with OpenAI's or Anthropic's interface, reads the streams of the replies and
prints throughput and latencies, in the lines of SGLang's bench_serving and by the same definitions: TTFT is the
time to the first chunk of output, ITL the time between one and the next, TPOT (latency - TTFT) / (output - 1).

Requests arrive at random times, --rate of them in a second on average (a Poisson process), however busy the server
is: an open loop. With --concurrency alone the loop is closed: a request is sent when another one ends. With both,
who is due waits for a place, and that wait is no part of the latency.

Prompts are random token ids, of 1 to --input of them, and replies have 1 to --output tokens; --random-range-ratio
1 makes all of them as long as that. --dataset takes a file with one JSON object a line instead: {"prompt",
"output_len"}, or {"messages", "tools"} as OpenAI has them. Messages that end in the assistant's are a recorded
session, which is sent turn by turn: all that stands before an assistant's message is a prompt. Then sessions are
what arrives.

Failures are counted by kind. On an interrupt it prints what it has, and the status is 1, as it is where no request
succeeded.`,
		Example: `  glmc bench serve --url URL --rate 20 --num-prompts 20 --input 512 --output 64
  glmc bench serve --url URL --concurrency 8 --num-prompts 16 --random-range-ratio 1 --slo ttft:500,tpot:50 --json
  glmc bench serve --url URL --dataset FILE --api chat --concurrency 4 --html FILE`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(cmd); err != nil {
				return err
			}
			return f.run(cmd.Context())
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&f.url, "url", "http://127.0.0.1:8000", "`URL` of the server, without a path")
	fs.StringVar(&f.api, "api", "", "`NAME` of the interface: completions, chat or anthropic (default: chat for a data set with messages, else completions)")
	fs.StringVar(&f.key, "api-key", "", "`KEY` to send (default: that of the environment's GLMC_API_KEY)")
	fs.StringVar(&f.model, "model", "", "`NAME` of the model (default: the first that the server lists)")
	fs.IntVar(&f.input, "input", 4096, "`N` tokens of a random prompt at most")
	fs.IntVar(&f.output, "output", 1000, "`N` tokens of a reply at most, where a data set does not say it")
	fs.Float64Var(&f.ratio, "random-range-ratio", 0, "`SHARE` of --input and --output that random lengths have at least: 0 for one token")
	fs.IntVar(&f.vocab, "vocab", 0, fmt.Sprintf("`N` ids that random prompts are drawn from (default: what the server lists, else %d)", fewIDs))
	fs.Float64Var(&f.rate, "rate", 14, "`N` requests that arrive in a second, or inf (default with --concurrency: inf)")
	fs.IntVar(&f.concurrency, "concurrency", 0, "`N` requests under way at most (default: no bound)")
	fs.IntVar(&f.prompts, "num-prompts", 0, "`N` requests (default: 1000, or all of a data set)")
	fs.StringVar(&f.dataset, "dataset", "", "JSON lines `FILE` with prompts (default: random ones)")
	fs.IntVar(&f.warmup, "warmup", 1, "`N` requests before the measurement, which do not count")
	fs.Uint64Var(&f.seed, "seed", 1, "`N` for prompts, lengths and arrivals: the same seed gives the same ones")
	fs.BoolVar(&f.ignoreEOS, "ignore-eos", false, "replies have the length that is asked for (default: of random prompts)")
	fs.Float64Var(&f.temperature, "temperature", 0, "`T` of sampling")
	fs.StringVar(&f.extra, "extra-body", "", "`JSON` object with further fields of each request")
	fs.DurationVar(&f.timeout, "timeout", 0, "`TIME` that a request may take, such as 90s (default: no bound)")
	fs.StringVar(&f.slo, "slo", "", "`BOUNDS` in ms, such as ttft:500,tpot:50 (also e2e), for goodput: requests within them")
	fs.StringVar(&f.html, "html", "", "write a page with plots to `FILE`")
	fs.BoolVar(&f.asJSON, "json", false, "print one JSON document")
	return cmd
}

// check refuses command lines that make no sense before any request is sent.
func (f *benchServeFlags) check(cmd *cobra.Command) error {
	for _, x := range []struct {
		flag         string
		value, least int
	}{{"input", f.input, 1}, {"output", f.output, 1}, {"vocab", f.vocab, 0}, {"concurrency", f.concurrency, 0}, {"num-prompts", f.prompts, 0}, {"warmup", f.warmup, 0}} {
		if x.value < x.least || x.value > math.MaxInt32 {
			return usagef("--%s %d: wants a number from %d on", x.flag, x.value, x.least)
		}
	}
	switch {
	case f.prompts == 0 && cmd.Flags().Changed("num-prompts"):
		return usagef("--num-prompts 0: wants a number from 1 on")
	case f.api != "" && !slices.Contains(load.APIs, load.API(f.api)):
		return usagef("--api %s: wants completions, chat or anthropic", f.api)
	case !(f.rate > 0):
		return usagef("--rate %v: wants a number above 0, or inf", f.rate)
	case !(f.ratio >= 0 && f.ratio <= 1):
		return usagef("--random-range-ratio %v: wants a share from 0 to 1", f.ratio)
	case !(f.temperature >= 0) || math.IsInf(f.temperature, 1):
		return usagef("--temperature %v: wants a number from 0 on", f.temperature)
	case f.timeout < 0:
		return usagef("--timeout %s: wants a time from 0 on", f.timeout)
	}
	if f.extra != "" && json.Unmarshal([]byte(f.extra), &f.body) != nil {
		return usagef("--extra-body %s: wants a JSON object", f.extra)
	}
	if f.slo != "" {
		var err error
		if f.bounds, err = load.ParseSLO(f.slo); err != nil {
			return usagef("--slo: %w", err)
		}
	}
	if f.html != "" {
		if err := checkOutput("--html", f.html, f.dataset); err != nil {
			return err
		}
	}
	if f.concurrency > 0 && !cmd.Flags().Changed("rate") {
		f.rate = math.Inf(1)
	}
	if !cmd.Flags().Changed("ignore-eos") {
		f.ignoreEOS = f.dataset == ""
	}
	if f.key == "" {
		f.key = os.Getenv("GLMC_API_KEY")
	}
	return nil
}

func (f *benchServeFlags) run(ctx context.Context) error {
	var sessions []load.Session
	if f.dataset != "" {
		var err error
		if sessions, err = f.read(); err != nil {
			return err
		}
	}
	o := load.Options{URL: f.url, API: f.interfaceFor(sessions), Model: f.model, Key: f.key, Rate: f.rate, Concurrency: f.concurrency,
		Seed: f.seed, Timeout: f.timeout, IgnoreEOS: f.ignoreEOS, Temperature: f.temperature, Extra: f.body}
	if f.model == "" || f.dataset == "" && f.vocab == 0 {
		name, vocab, err := load.Model(ctx, o)
		switch {
		case err == nil && f.vocab == 0:
			f.vocab = vocab
		case err != nil && f.model == "":
			return fmt.Errorf("--url %s: %w", f.url, err)
		}
		if f.model == "" {
			o.Model = name
		}
	}
	if f.dataset == "" {
		sessions = f.random(o.API)
	}
	o.WarmUp = f.warmUp(sessions, o.API)
	d := &load.Document{Dataset: "random", RandomInput: f.input, RandomOutput: f.output, RandomRatio: f.ratio, Prompts: turnsOf(sessions)}
	if f.dataset != "" {
		d.Dataset, d.RandomInput, d.RandomOutput = filepath.Base(f.dataset), 0, 0
	}
	d.Describe(&o)
	progress := f.progress(d)
	o.Observe = progress.observe
	r, err := load.Measure(ctx, sessions, o)
	progress.end()
	if err != nil {
		return fmt.Errorf("%s: %w", f.url, err)
	}
	d.Report = r.Report(f.bounds)
	return f.show(r, d, load.Settings{Backend: string(o.API), Rate: o.Rate, Concurrency: o.Concurrency})
}

// read reads the data set.
func (f *benchServeFlags) read() ([]load.Session, error) {
	file, err := os.Open(f.dataset)
	if err != nil {
		return nil, fmt.Errorf("--dataset: %w", err)
	}
	defer file.Close()
	sessions, err := load.ReadSessions(file, f.output, f.prompts)
	if err != nil {
		return nil, fmt.Errorf("--dataset %s: %w", f.dataset, err)
	}
	return sessions, nil
}

// interfaceFor is the interface that the prompts need where the flag does not say it.
func (f *benchServeFlags) interfaceFor(sessions []load.Session) load.API {
	switch {
	case f.api != "":
		return load.API(f.api)
	case len(sessions) > 0 && sessions[0].Turns[0].Messages != nil:
		return load.Chat
	}
	return load.Completions
}

func (f *benchServeFlags) random(api load.API) []load.Session {
	if f.prompts == 0 {
		f.prompts = 1000
	}
	if f.vocab == 0 {
		f.vocab = fewIDs
	}
	r := load.Random{Count: f.prompts, Input: f.input, Output: f.output, Ratio: f.ratio, Vocab: f.vocab, Seed: f.seed}
	return r.Sessions(api != load.Completions)
}

// warmUp are short requests before the run: random ones that no other request begins with, so that they put nothing into the prefix
// cache, or of a data set the first ones.
func (f *benchServeFlags) warmUp(sessions []load.Session, api load.API) []load.Turn {
	const tokens = 32 // of the reply, as SGLang's have
	if f.dataset == "" {
		r := load.Random{Count: f.warmup, Input: f.input, Output: f.output, Ratio: f.ratio, Vocab: f.vocab, Seed: ^f.seed}
		sessions = r.Sessions(api != load.Completions)
	}
	var turns []load.Turn
	for i := range f.warmup {
		turn := sessions[i%len(sessions)].Turns[0]
		turn.Output = min(turn.Output, tokens)
		turns = append(turns, turn)
	}
	return turns
}

func turnsOf(sessions []load.Session) int {
	n := 0
	for _, s := range sessions {
		n += len(s.Turns)
	}
	return n
}

// show prints what was measured, and turns what went wrong into an error.
func (f *benchServeFlags) show(r *load.Run, d *load.Document, s load.Settings) error {
	if f.html != "" {
		var page strings.Builder
		if err := r.WritePage(&page, fmt.Sprintf("%s at %s", d.Model, d.URL), d.Report, s); err != nil {
			return err
		}
		if err := writeFile(f.html, []byte(page.String())); err != nil {
			return err
		}
	}
	for _, e := range d.Errors {
		fmt.Fprintf(os.Stderr, "glmc: %s: %s: %s\n", diag.Count(e.Count, "request"), e.Kind, diag.Printable(e.Example))
	}
	switch {
	case f.asJSON:
		if err := printJSON(d); err != nil {
			return err
		}
	case d.Succeeded > 0:
		if err := printText(func(w io.Writer) error { return d.Print(w, s) }); err != nil {
			return err
		}
	}
	switch {
	case d.Interrupted:
		return fmt.Errorf("interrupted: %d of %d requests succeeded", d.Succeeded, d.Prompts)
	case d.Succeeded == 0:
		return errors.New("no request succeeded")
	}
	return nil
}

// benchProgress shows on a terminal how far a run is.
type benchProgress struct {
	bar *progressbar.ProgressBar // nil: stderr is no terminal
}

func (f *benchServeFlags) progress(d *load.Document) *benchProgress {
	return &benchProgress{bar: progressBar(d.Prompts, "requests", progressbar.OptionShowIts(), progressbar.OptionSetItsString("req"), progressbar.OptionSetPredictTime(true))}
}

func (p *benchProgress) observe(o *load.Outcome) {
	if p.bar != nil && !o.Unfinished {
		_ = p.bar.Add(1) // it may fail where a session ended early, and then there is nothing to show
	}
}

func (p *benchProgress) end() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}
