// Drafts replays recorded sessions with glmc's suffix trees and with ArcticInference's, on the same token ids and in turn, and prints
// what both accept and cost. README.md says how to get the other side.
package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"text/tabwriter"

	"github.com/glmc/glmc/models"
	"github.com/glmc/glmc/runtime/draft/replay"
	"github.com/glmc/glmc/runtime/draft/suffix"
	"github.com/glmc/glmc/runtime/text/chat"
	"github.com/glmc/glmc/runtime/text/tokenizer"
)

// options are the command line's.
type options struct {
	dataset, arctic, compiler string
	rounds                    int
	depth                     int
	suffix.Options
}

func main() {
	var o options
	flag.StringVar(&o.dataset, "dataset", "", "JSON lines `file` with sessions, as glmc bench draft takes it")
	flag.StringVar(&o.arctic, "arctic", "", "`folder` of ArcticInference's unpacked source distribution")
	flag.StringVar(&o.compiler, "cxx", "g++", "C++20 `compiler`")
	flag.IntVar(&o.rounds, "rounds", 5, "`rounds`, of which the median counts")
	flag.IntVar(&o.depth, "depth", suffix.MaxDepth, "of the trees, in `tokens`")
	flag.Float64Var(&o.Factor, "factor", suffix.Defaults.Factor, "drafted `tokens` for each matched one")
	flag.Float64Var(&o.Offset, "offset", suffix.Defaults.Offset, "drafted `tokens` beyond that")
	flag.Float64Var(&o.MinProb, "prob", suffix.Defaults.MinProb, "least `probability` of a token")
	flag.BoolVar(&o.Tree, "tree", false, "draft trees")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := compare(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "drafts:", err)
		os.Exit(1)
	}
}

func compare(ctx context.Context, o options) error {
	if o.dataset == "" || o.arctic == "" || o.rounds < 1 {
		return errors.New("wants -dataset FILE, -arctic FOLDER and at least one round")
	}
	sessions, err := read(o.dataset)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "drafts")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	ids, peer := filepath.Join(dir, "ids"), filepath.Join(dir, "arctic")
	if err := write(ids, sessions); err != nil {
		return err
	}
	if err := compile(ctx, o, dir, peer); err != nil {
		return err
	}
	var ours, theirs []figures
	for range o.rounds {
		r, err := replay.Run(ctx, sessions, replay.Options{Cache: suffix.Config{Depth: o.depth, Options: o.Options}})
		if err != nil {
			return err
		}
		ours = append(ours, figuresOf(r))
		f, err := run(ctx, o, peer, ids)
		if err != nil {
			return err
		}
		theirs = append(theirs, f)
	}
	return report(os.Stdout, ours, theirs)
}

// read makes tokens of the data set, with the tokenizer and the template of the small model.
func read(name string) ([]replay.Session, error) {
	data, err := models.Tiny().Open("tokenizer.json")
	if err != nil {
		return nil, err
	}
	defer data.Close()
	text, err := io.ReadAll(data)
	if err != nil {
		return nil, err
	}
	t, err := tokenizer.Parse(text)
	if err != nil {
		return nil, err
	}
	template, err := chat.LoadFS(models.Tiny(), "the small model")
	if err != nil {
		return nil, err
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return replay.ReadSessions(file, func(conv chat.Conversation, generate bool) ([]int32, error) {
		segments, err := template.RenderSegments(conv, chat.Options{AddGenerationPrompt: generate})
		if err != nil {
			return nil, err
		}
		parts := make([]tokenizer.Segment, len(segments))
		for i, s := range segments {
			parts[i] = tokenizer.Segment{Text: s.Text, Special: s.Markup}
		}
		return t.EncodeSegments(parts), nil
	}, 0)
}

// write writes the turns as arctic.cc reads them.
func write(name string, sessions []replay.Session) error {
	var out []byte
	turns := 0
	for _, s := range sessions {
		for _, turn := range s {
			turns++
			for _, ids := range [][]int32{turn.Prompt, turn.Reply} {
				out = binary.LittleEndian.AppendUint32(out, uint32(len(ids)))
				for _, id := range ids {
					out = binary.LittleEndian.AppendUint32(out, uint32(id))
				}
			}
		}
	}
	return os.WriteFile(name, slices.Concat(binary.LittleEndian.AppendUint32(nil, uint32(turns)), out), 0o600)
}

// compile builds the other side as its own build does, with optimisation and without assertions, and without Python.
func compile(ctx context.Context, o options, dir, to string) error {
	source := filepath.Join(dir, "arctic.cc")
	if err := os.WriteFile(source, driver, 0o600); err != nil {
		return err
	}
	trees := filepath.Join(o.arctic, "csrc", "suffix_decoding")
	cmd := exec.CommandContext(ctx, o.compiler, "-std=c++20", "-O3", "-DNDEBUG", "-I"+trees, source, filepath.Join(trees, "suffix_tree.cc"), "-o", to)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("compiling ArcticInference's trees: %w\n%s", err, out)
	}
	return nil
}

// figures are what a side accepts and costs.
type figures struct {
	Steps    int     `json:"steps"`
	Drafted  int     `json:"drafted"`
	Accepted int     `json:"accepted"`
	Length   float64 `json:"length"`
	Rate     float64 `json:"rate"`
	Draft    times   `json:"speculate_us"`
	Append   times   `json:"append_us"`
	Token    float64 `json:"append_us_per_token"` // in both trees
	Build    float64 `json:"build_us_per_token"`
	Heap     float64 `json:"heap_bytes_per_token"` // of the tree of responses
	Own      float64 `json:"own_bytes_per_token"`  // what the tree says of itself
	Request  float64 `json:"request_bytes_per_token"`
}

type times struct {
	Mean float64 `json:"mean"`
	P50  float64 `json:"p50"`
	P99  float64 `json:"p99"`
}

func figuresOf(r *replay.Result) figures {
	of := func(t replay.Times) times {
		return times{micros(t.Mean()), micros(t.Quantile(0.5)), micros(t.Quantile(0.99))}
	}
	bytes := float64(r.Stats.Bytes) / float64(r.Stats.Tokens)
	return figures{
		Steps: r.Steps, Drafted: r.Drafted, Accepted: r.Accepted, Length: r.AcceptanceLength(), Rate: r.AcceptanceRate(), Draft: of(r.Speculate), Append: of(r.Append),
		Token: (micros(r.Append.Sum()) + micros(r.Learn.Sum())) / float64(r.Tokens), Build: micros(r.Build.Sum()) / float64(r.PromptTokens),
		Heap: bytes, Own: bytes, Request: float64(r.LocalBytes) / float64(r.LocalTokens),
	}
}

// run runs the other side once.
func run(ctx context.Context, o options, peer, ids string) (f figures, err error) {
	tree := "0"
	if o.Tree {
		tree = "1"
	}
	cmd := exec.CommandContext(ctx, peer, ids, fmt.Sprint(o.depth), fmt.Sprint(o.Factor), fmt.Sprint(o.Offset), fmt.Sprint(o.MinProb), tree)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return f, fmt.Errorf("ArcticInference: %w", err)
	}
	return f, json.Unmarshal(out, &f)
}

// report prints both sides: medians of the rounds.
func report(w io.Writer, ours, theirs []figures) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "|\t| glmc\t| ArcticInference\t| glmc / ArcticInference\t|")
	fmt.Fprintln(t, "|---\t|---:\t|---:\t|---:\t|")
	for _, line := range []struct {
		name   string
		figure func(f figures) float64
	}{
		{"tokens a step", func(f figures) float64 { return f.Length }},
		{"drafted tokens", func(f figures) float64 { return float64(f.Drafted) }},
		{"of those right", func(f figures) float64 { return f.Rate }},
		{"µs a speculate, mean", func(f figures) float64 { return f.Draft.Mean }},
		{"median", func(f figures) float64 { return f.Draft.P50 }},
		{"p99", func(f figures) float64 { return f.Draft.P99 }},
		{"µs an append in the step, mean", func(f figures) float64 { return f.Append.Mean }},
		{"median", func(f figures) float64 { return f.Append.P50 }},
		{"p99", func(f figures) float64 { return f.Append.P99 }},
		{"µs a token appended to both trees", func(f figures) float64 { return f.Token }},
		{"µs a prompt token built", func(f figures) float64 { return f.Build }},
		{"bytes a token of responses", func(f figures) float64 { return f.Heap }},
		{"the same, as the tree counts", func(f figures) float64 { return f.Own }},
		{"bytes a token of requests", func(f figures) float64 { return f.Request }},
	} {
		a, b := median(ours, line.figure), median(theirs, line.figure)
		fmt.Fprintf(t, "| %s\t| %.3f\t| %.3f\t| %.2f\t|\n", line.name, a, b, a/b)
	}
	return t.Flush()
}

func median(list []figures, of func(figures) float64) float64 {
	var values []float64
	for _, f := range list {
		values = append(values, of(f))
	}
	slices.Sort(values)
	return values[len(values)/2]
}
